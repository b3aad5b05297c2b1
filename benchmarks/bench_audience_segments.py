"""Refresh of a dynamic segment, beside Odoo's own search and OCA's dynamic lists.

BENCH_CUSTOMERS people (a million) with BENCH_ORDERS orders (three times as many). The
segment: at least three orders, the last one not long ago, and something of a category
bought. Ours writes members, entries and exits; Odoo's ``search()`` of the equivalent
domain only finds the contacts; ``mass_mailing_list_dynamic`` of OCA (from PyPI, run as
it is, in a process of its own) writes contacts of a mailing list, among the first
BENCH_OCA_CUSTOMERS (100,000) only: ours does the same once more for comparison.
"""

import json
import os
import subprocess
import sys
import tempfile

from common import Measure, environment, finish
from customers import CUSTOMERS, ORDERS, fill

OCA_CUSTOMERS = min(int(os.environ.get("BENCH_OCA_CUSTOMERS", "100000")), CUSTOMERS)
OCA_ADDON = "mass_mailing_list_dynamic"
OCA_PACKAGES = [
    "odoo-addon-mass_mailing_list_dynamic",
    "odoo-addon-mass_mailing_partner",
]
CHANGED = min(1000, CUSTOMERS)
REFRESH_SECONDS = 5
MEMORY_LIMIT_MB = 400
ORDERED, DAYS = 3, 365


def make_criteria(category, last_id=None):
    """Return the three conditions, and one more for only some of the contacts."""
    conditions = [
        {"field": "total_orders", "operator": ">=", "value": ORDERED},
        {"field": "last_order_date", "operator": ">=", "value": f"-{DAYS}d"},
        {"behaviour": "bought", "category": category.id, "at_least": 1},
    ]
    if last_id:
        conditions.append({"field": "id", "operator": "<=", "value": last_id})
    return {"logic": "AND", "conditions": conditions}


def make_domain(category, last_id=None):
    """Return what comes closest in Odoo's terms: orders are those of a contact there,
    not of all contacts with an address."""
    lines = [("order_line.product_id.public_categ_ids", "child_of", category.id)]
    domain = [
        ("marketing_total_orders", ">=", ORDERED),
        ("marketing_last_order_date", ">=", f"today -{DAYS}d"),
        ("sale_order_ids", "any", [("state", "=", "sale"), *lines]),
    ]
    return domain + ([("id", "<=", last_id)] if last_id else [])


def compute_metrics(env):
    """Have the figures that conditions ask for."""
    env["marketing.metrics.task"]._add_all()
    while env["marketing.customer.metrics"]._refresh_batch():
        env.cr.commit()
    env.cr.execute("DELETE FROM marketing_customer_change")
    env.cr.commit()
    env.cr.execute("ANALYZE marketing_customer_metrics")


def refresh(env, criteria):
    """Return a new segment and how long its refresh took."""
    segment = env["customer.segment"].create({"name": "Bench"})
    segment.set_criteria(criteria)
    env.cr.commit()
    env.invalidate_all()
    with Measure() as measure:
        segment._refresh()
        env.cr.commit()
    return segment, measure


def refresh_again(env, segment):
    with Measure() as measure:
        segment._refresh()
        env.cr.commit()
    return measure


def refresh_changed(env, segment, first):
    """Look at some customers alone: all of them lost what they bought."""
    step = CUSTOMERS // CHANGED
    env.cr.execute(
        """INSERT INTO marketing_customer_change (company_id, partner_id)
           SELECT %s, %s + n * %s FROM generate_series(1, %s) n""",
        [env.company.id, first, step, CHANGED],
    )
    env.cr.execute(
        """UPDATE marketing_customer_metrics SET total_orders = 0
            WHERE partner_id IN (SELECT partner_id FROM marketing_customer_change)"""
    )
    env.cr.commit()
    before = segment.size
    with Measure() as measure:
        segment._refresh_changed_of(env.company, CHANGED)
        env.cr.commit()
    return measure, before - segment.size


def run_search(env, domain):
    env.invalidate_all()
    with Measure() as measure:
        found = len(env["res.partner"].search(domain))
    return measure, found


# === OCA ===#


def run_oca(database, domain):
    """Install OCA's addon into the database, in processes of their own.

    :return: seconds, megabytes and contacts of a list; a text if it cannot be had
    :rtype: dict | str
    """
    with tempfile.TemporaryDirectory() as target:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        got = subprocess.run([*pip, "--target", target, *OCA_PACKAGES], check=False)
        if got.returncode:
            return "OCA's packages could not be had"
        path = os.pathsep.join(filter(None, [target, os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": path}
        install = [*("-m", "odoo", "-d", database, "-i", OCA_ADDON)]
        install += ["--stop-after-init", "--no-http", "--log-level", "error"]
        for arguments in (install, [__file__, database, repr(domain)]):
            done = subprocess.run(
                [sys.executable, *arguments],
                env=env,
                check=False,
                stdout=subprocess.PIPE,
                text=True,
            )
            if done.returncode:
                return "OCA's addon does not run with this Odoo"
        return json.loads(done.stdout.splitlines()[-1])


def sync_oca(database, domain):
    """In the other process: synchronize a dynamic mailing list."""
    with environment(database) as env:
        mailing_list = env["mailing.list"].create(
            {
                "name": "Bench",
                "dynamic": True,
                "sync_method": "full",
                "sync_domain": domain,
            }
        )
        env.cr.commit()
        with Measure() as measure:
            mailing_list.action_sync()
            env.flush_all()
            env.cr.commit()
        env.invalidate_all()
        count = env["mailing.contact"].search_count(
            [("list_ids", "in", mailing_list.ids)]
        )
    result = {"seconds": measure.seconds, "megabytes": measure.megabytes}
    print(json.dumps({**result, "count": count}))


def show(name, seconds, megabytes, count):
    print(f"{name:30} {seconds:8.2f} s {megabytes:6.0f} MB {count:9,}", flush=True)


def main(database):
    with environment(database) as env:
        first = fill(env.cr, CUSTOMERS, ORDERS)
        compute_metrics(env)
        category = env["product.public.category"].search([], limit=1, order="id desc")
        print(f"customers, orders              {CUSTOMERS:,}, {ORDERS:,}", flush=True)
        segment, ours = refresh(env, make_criteria(category))
        size = segment.size
        show("segment, all enter", ours.seconds, ours.megabytes, size)
        again = refresh_again(env, segment)
        show("segment, nothing new", again.seconds, again.megabytes, segment.size)
        odoos, found = run_search(env, make_domain(category))
        show("Odoo: search() alone", odoos.seconds, odoos.megabytes, found)
        changed, gone = refresh_changed(env, segment, first)
        show(f"{CHANGED:,} changed", changed.seconds, changed.megabytes, gone)
        # The same for each, in a new segment and in a new list.
        last_id = first + OCA_CUSTOMERS
        few, small = refresh(env, make_criteria(category, last_id))
        show(f"segment, of {OCA_CUSTOMERS:,}", small.seconds, small.megabytes, few.size)
        few_count = few.size
        domain = make_domain(category, last_id)
    oca = run_oca(database, domain)
    problems = []
    if isinstance(oca, str):
        problems.append(oca)
    else:
        show(f"OCA's list, of {OCA_CUSTOMERS:,}", *oca.values())
        print(f"ratio to OCA's                 {oca['seconds'] / small.seconds:8.1f}")
        if abs(oca["count"] - few_count) > few_count / 10:
            problems.append(
                f"{oca['count']} contacts and {few_count} members: not alike"
            )
    print(f"ratio to search()              {odoos.seconds / ours.seconds:8.2f}")
    print(f"bounds: {REFRESH_SECONDS} s for a million, {MEMORY_LIMIT_MB} MB")
    slowest = max(ours.seconds, again.seconds)
    if CUSTOMERS == 1_000_000 and slowest > REFRESH_SECONDS:
        problems.append(f"refresh {slowest:.1f} s, more than {REFRESH_SECONDS}")
    if max(ours.megabytes, again.megabytes) > MEMORY_LIMIT_MB:
        problems.append(f"{ours.megabytes:.0f} MB, more than {MEMORY_LIMIT_MB}")
    if not size or abs(found - size) > size / 10:
        problems.append(f"search() found {found}, the segment has {size}")
    if not gone:
        problems.append("nobody left although their orders are gone")
    finish(problems)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from ast import literal_eval

        sync_oca(sys.argv[1], literal_eval(sys.argv[2]))
    else:
        main(sys.argv[1])
