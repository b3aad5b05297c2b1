"""What the addon adds to the shop's own work, beside a database without it.

Two real Odoo servers, one on a database with the addon and one without, get the same
requests of the same visitors in turn; then both databases do in turn what staff do:
confirm orders, correct addresses, post invoices. Each difference is taken between
neighbors in time, so that a busy machine is busy for both.

BENCH_SHOP_VISITS=N: how many visitors; BENCH_SHOP_ORDERS=N: how many orders at once.
"""

import contextlib
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import requests
from common import finish
from servers import ROOT, OdooServer

VISITS = int(os.environ.get("BENCH_SHOP_VISITS", "25"))
ORDERS = int(os.environ.get("BENCH_SHOP_ORDERS", "1000"))
CONTACTS = 1000
INVOICES = 20
# The first visitors find nothing cached.
WARM_UP = 3
PAGE_MS = 5.0
PAGE_STATEMENTS = 5
ORDER_STATEMENTS = 5
BULK_SHARE = 0.05
# What a bulk job may take besides, whatever its size.
BULK_STATEMENTS = 15
PASSWORD = "bench-shop-1"

# Odoo's line for a request: status, length, statements, seconds in the database.
LOGGED = re.compile(r'"(?:GET|POST) (\S+) HTTP/1\.[01]" (\d+) \S+ (\d+) ([\d.]+)')
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Shop(OdooServer):
    """A server that says how many statements its last request took."""

    def __enter__(self):
        self._files = contextlib.ExitStack()
        self._log = self._files.enter_context(tempfile.NamedTemporaryFile("r"))
        return super().__enter__()

    def __exit__(self, *exc_info):
        super().__exit__(*exc_info)
        self._files.close()

    def _get_command(self):
        command = super()._get_command()
        command[command.index("--log-level") + 1] = "info"
        return [*command, "--logfile", self._log.name]

    def read_statements(self, path):
        """Return how many statements a request took that was just answered.

        :param str path: of the request
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for line in self._log:
                found = LOGGED.search(line)
                if found and found[1].partition("?")[0] == path:
                    return int(found[3])
            time.sleep(0.005)
        raise RuntimeError(f"{path} is not in the log")


class Visitor:
    """Somebody new who walks through the shop of one server."""

    def __init__(self, shop, products, number):
        self._shop = shop
        self._products = products
        self._number = number
        self._session = requests.Session()

    def walk(self):
        """Give each request of a visit.

        :return: pairs of a name and a function that makes the request
        """
        first, second = self._products[:2]
        yield "product page", lambda: self._get(f"/shop/{first['slug']}")
        yield "cart/add, new cart", lambda: self._add(first)
        yield "cart/add, another product", lambda: self._add(second)
        yield "cart/add, the same again", lambda: self._add(first)
        yield "cart page", lambda: self._get("/shop/cart")
        yield "address page", self._open_address
        yield "address submit", self._submit_address
        yield "checkout page", lambda: self._get("/shop/checkout")
        yield "payment page", lambda: self._get("/shop/payment")
        self._session = requests.Session()
        self._get("/web/login")
        yield "login", self._log_in

    def _get(self, path):
        response = self._session.get(self._shop.url + path, allow_redirects=False)
        assert response.status_code == 200, (path, response.status_code)
        found = CSRF.search(response.text)
        self._csrf = found and found[1]
        return path

    def _add(self, product):
        path = "/shop/cart/add"
        params = {"product_template_id": product["template_id"]}
        answer = self._session.post(
            self._shop.url + path,
            json={"params": {**params, "product_id": product["id"], "quantity": 1}},
        ).json()
        assert "error" not in answer, answer
        return path

    def _open_address(self):
        return self._get("/shop/address")

    def _submit_address(self):
        path = "/shop/address/submit"
        answer = self._session.post(
            self._shop.url + path,
            data={
                "csrf_token": self._csrf,
                "address_type": "billing",
                "use_delivery_as_billing": "true",
                "name": "Anna Smith",
                "email": f"visitor{self._number}@example.com",
                "phone": "+12025550100",
                "street": "Main Street 1",
                "city": "Washington",
                "zip": "20001",
                "country_id": self._products[0]["country_id"],
                "state_id": self._products[0]["state_id"],
            },
        ).json()
        assert "redirectUrl" in answer, answer
        return path

    def _log_in(self):
        path = "/web/login"
        response = self._session.post(
            self._shop.url + path,
            data={
                "csrf_token": self._csrf,
                "login": "bench-portal",
                "password": PASSWORD,
            },
            allow_redirects=False,
        )
        assert response.status_code == 303, response.status_code
        return path


class Database:
    """One of the two databases, in this process."""

    def __init__(self, name):
        from odoo.modules.registry import Registry

        self.registry = Registry(name)
        self.name = name

    def run(self, prepare, count, job):
        """Do a job in a transaction that is rolled back.

        :param prepare: gets the environment and ``count``, returns what the job is
            about
        :param int count: of how many
        :param job: gets what was prepared
        :return: seconds and statements of the job with all that it leaves to write
        :rtype: tuple[float, int]
        """
        from odoo import SUPERUSER_ID, api

        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            records = prepare(env, count)
            env.flush_all()
            env.invalidate_all()
            statements, start = cr.sql_log_count, time.perf_counter()
            job(records)
            env.flush_all()
            cr.flush()
            result = time.perf_counter() - start, cr.sql_log_count - statements
            cr.rollback()
        return result


def furnish(database):
    """Make products, a customer with an account, and accounts for invoices.

    :return: of each product its ids, the path of its page, and where visitors live
    :rtype: list[dict]
    """
    from odoo import SUPERUSER_ID, Command, api

    with database.registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        products = env["product.product"].create(
            [
                {
                    "name": f"Product {n}",
                    "type": "service",
                    "list_price": 10.0 + n,
                    "is_published": True,
                    "invoice_policy": "order",
                    "taxes_id": False,
                }
                for n in range(20)
            ]
        )
        partner = env["res.partner"].create(
            {"name": "Portal", "email": "bench-portal@example.com"}
        )
        env["res.users"].with_context(no_reset_password=True).create(
            {
                "login": "bench-portal",
                "password": PASSWORD,
                "partner_id": partner.id,
                "group_ids": [Command.set([env.ref("base.group_portal").id])],
            }
        )
        if not env.company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", env.company, False)
        result = [
            {
                "id": product.id,
                "template_id": product.product_tmpl_id.id,
                "slug": env["ir.http"]._slug(product.product_tmpl_id),
                "country_id": env.ref("base.us").id,
                "state_id": env.ref("base.state_us_9").id,
            }
            for product in products
        ]
        cr.commit()
    return result


# === WHAT STAFF DO === #


def make_orders(env, count):
    """Make quotations of different customers with two products each."""
    partners = env["res.partner"].create(
        [{"name": f"Buyer {n}", "email": f"b{n}@example.com"} for n in range(count)]
    )
    products = env["product.product"].search([("name", "like", "Product ")], limit=20)
    return env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "order_line": [
                    (0, 0, {"product_id": products[(n + k) % len(products)].id})
                    for k in range(2)
                ],
            }
            for n, partner in enumerate(partners)
        ]
    )


def make_confirmed(env, count):
    orders = make_orders(env, count)
    orders.action_confirm()
    return orders


def make_contacts(env, count):
    return env["res.partner"].create(
        [{"name": f"Contact {n}", "email": f"c{n}@example.com"} for n in range(count)]
    )


def correct_addresses(partners):
    for number, partner in enumerate(partners):
        partner.email = f"corrected{number}@example.com"


def make_invoices(env, count):
    return make_confirmed(env, count)._create_invoices()


def make_credit_notes(env, count):
    invoices = make_invoices(env, count)
    invoices.action_post()
    return invoices._reverse_moves()


JOBS = [
    # Name, rounds, what is prepared, of how many, the job, statements besides at most.
    ("confirm 1 order", 9, make_orders, 1, "action_confirm", ORDER_STATEMENTS),
    (f"confirm {ORDERS} orders", 3, make_orders, ORDERS, "action_confirm", None),
    ("cancel 100 orders", 3, make_confirmed, 100, "_action_cancel", None),
    (f"write {CONTACTS} emails", 3, make_contacts, CONTACTS, correct_addresses, None),
    (f"post {INVOICES} invoices", 3, make_invoices, INVOICES, "action_post", 1),
    (
        # Odoo posts them one by one, and each changes a customer's figures.
        f"post {INVOICES} credit notes",
        *(3, make_credit_notes, INVOICES, "action_post", INVOICES),
    ),
]


def measure_jobs(bare, addon):
    """Do what staff do in both databases in turn, and print a table.

    :return: what missed a bound
    :rtype: list[str]
    """
    problems = []
    print_head("job")
    for name, rounds, prepare, count, job, limit in JOBS:
        do = job if callable(job) else lambda records, job=job: getattr(records, job)()
        results = {bare: [], addon: []}
        for _round in range(rounds):
            for database in (bare, addon):
                results[database].append(database.run(prepare, count, do))
        times = [[s * 1000 for s, _n in results[d]] for d in (bare, addon)]
        counts = [min(n for _s, n in results[d]) for d in (bare, addon)]
        print_row(name, times, counts)
        more = counts[1] - counts[0]
        allowed = BULK_STATEMENTS if limit is None else limit
        if more > allowed:
            problems.append(f"{name}: {more} statements more, bound {allowed}")
        # The fastest of each: what else the machine does can only be slower.
        share = min(times[1]) / min(times[0]) - 1
        if name == f"confirm {ORDERS} orders" and share > BULK_SHARE:
            problems.append(f"{name}: {share:.1%} slower, bound {BULK_SHARE:.0%}")
    return problems


def measure_visits(bare, addon, products):
    """Send the same visitors to both servers in turn, and print a table.

    :return: what missed a bound
    :rtype: list[str]
    """
    times, counts = {}, {}
    with Shop(bare.name) as bare_shop, Shop(addon.name) as addon_shop:
        shops = ((0, bare_shop, products[0]), (1, addon_shop, products[1]))
        for number in range(VISITS + WARM_UP):
            visits = [Visitor(shop, goods, number).walk() for _i, shop, goods in shops]
            for steps in zip(*visits, strict=True):
                for (index, shop, _goods), (name, send) in zip(
                    shops, steps, strict=True
                ):
                    start = time.perf_counter()
                    path = send()
                    elapsed = (time.perf_counter() - start) * 1000
                    statements = shop.read_statements(path)
                    if number >= WARM_UP:
                        times.setdefault(name, ([], []))[index].append(elapsed)
                        counts.setdefault(name, ([], []))[index].append(statements)
    problems = []
    print_head("request")
    for name, pair in times.items():
        both = [statistics.median(numbers) for numbers in counts[name]]
        print_row(name, pair, both)
        slower = statistics.median(b - a for a, b in zip(*pair, strict=True))
        if slower > PAGE_MS:
            problems.append(f"{name}: {slower:.1f} ms slower, bound {PAGE_MS} ms")
        if both[1] - both[0] > PAGE_STATEMENTS:
            problems.append(
                f"{name}: {both[1] - both[0]:.0f} statements more, bound"
                f" {PAGE_STATEMENTS}"
            )
    return problems


def print_head(what):
    print(f"{what:28} {'without':>12} {'with':>12} {'more':>9}   statements")


def print_row(name, times, counts):
    without, with_addon = (statistics.median(series) for series in times)
    more = statistics.median(b - a for a, b in zip(*times, strict=True))
    print(
        f"{name:28} {without:9.1f} ms {with_addon:9.1f} ms {more:+6.1f} ms"
        f"   {counts[0]:.0f} → {counts[1]:.0f}",
        flush=True,
    )


def main():
    import odoo.cli  # noqa: F401 - loads the addons paths
    from odoo.tools import config

    name = sys.argv[1]
    bare_name = f"{name}_bare"
    tool = str(ROOT / "tools" / "odoo-db")
    subprocess.run([tool, "base", bare_name], check=True)
    try:
        config.parse_config(["-d", name, "--log-level", "error"])
        logging.getLogger("odoo").setLevel(logging.ERROR)
        bare, addon = Database(bare_name), Database(name)
        products = [furnish(database) for database in (bare, addon)]
        problems = measure_visits(bare, addon, products)
        problems += measure_jobs(bare, addon)
    finally:
        subprocess.run([tool, "drop", bare_name], check=True)
    finish(problems)


if __name__ == "__main__":
    main()
