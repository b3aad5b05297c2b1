"""A campaign to a tenth of a million customers: from *Send* until all of it is queued.

The button is pressed, the scheduled action starts the campaign, decides who gets it and
writes their messages. Beside it, what Email Marketing does until its emails are
written, with a share of the people; rates are compared. Then the campaign is paused and
resumed, as large as it is, and its page is opened. As many people are handed over to a
sequence, and their first messages written.

BENCH_CUSTOMERS=N, BENCH_CAMPAIGN=N, BENCH_ODOO_QUEUE=N: how many there are, how many of
them get it, and to how many Odoo writes.
"""

import os
import sys

from common import Measure, environment, finish, make_customers
from newsletter import make_products, make_template, measure_mailing

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
RECIPIENTS = int(os.environ.get("BENCH_CAMPAIGN", "100000"))
ODOOS_PEOPLE = int(os.environ.get("BENCH_ODOO_QUEUE", "500"))
LIMIT_SECONDS = 10.0
# To pause, to resume, to open the page.
CLICK_SECONDS = 2.0
# To write the messages of all who were handed over, as of steps of carts.
STEP_SECONDS = 60.0
MEMORY_LIMIT_MB = 400


def make_segments(env, first):
    """Put every tenth customer into a segment, and some of them into another."""
    regulars, left_out = env["customer.segment"].create(
        [{"name": name, "kind": "static"} for name in ("Regulars", "Left out")]
    )
    every = CUSTOMERS // RECIPIENTS
    for segment, step in ((regulars, every), (left_out, every * 50)):
        env.cr.execute(
            """INSERT INTO segment_membership (
                   segment_id, partner_id, entered_at, source)
               SELECT %s, id, now() AT TIME ZONE 'UTC', 'manual' FROM res_partner
                WHERE id > %s AND id %% %s = 0""",
            [segment.id, first, step],
        )
    env.cr.commit()
    for table in ("segment_membership", "res_partner", "marketing_preference"):
        env.cr.execute(f"ANALYZE {table}")
    env.cr.commit()
    return regulars, left_out


def make_campaign(env, template, segments, **vals):
    regulars, left_out = segments
    campaign = env["email.campaign"].create(
        {
            "name": "Bench",
            "template_id": template.id,
            "segment_ids": regulars.ids,
            "excluded_segment_ids": left_out.ids,
            **vals,
        }
    )
    env.cr.commit()
    env.invalidate_all()
    return campaign


def send(env, campaign):
    """Press the button, and let the scheduled action do its work."""
    with Measure() as measure:
        campaign.action_confirm()
        env.cr.commit()
        env["email.campaign"]._cron_run()
        env.cr.commit()
    env.cr.execute(
        """SELECT count(*) FROM marketing_message
            WHERE campaign_id = %s AND state = 'queued'""",
        [campaign.id],
    )
    return measure, env.cr.fetchone()[0]


def click(env, function):
    with Measure() as measure:
        function()
        env.cr.commit()
    env.invalidate_all()
    return measure.seconds


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        env.company.partner_id.write(
            {
                "street": "Example Street 1",
                "city": "Brussels",
                "country_id": env.ref("base.be").id,
            }
        )
        first = make_customers(env, CUSTOMERS)
        products = make_products(env)
        template = make_template(env, products)
        segments = make_segments(env, first)
        expected = RECIPIENTS - RECIPIENTS // 50
        for name, vals in (
            ("at once", {}),
            ("local time, spread", {"is_local_time": True, "spread_hours": 4.0}),
        ):
            if vals:
                vals |= {"is_at_once": False, "scheduled_at": in_an_hour(env)}
            campaign = make_campaign(env, template, segments, **vals)
            measure, count = send(env, campaign)
            print(f"{name:20} {count:8} in {measure.seconds:6.2f} s", end="")
            print(f" {count / measure.seconds:9.0f} /s {measure.megabytes:5.0f} MB")
            if measure.seconds > LIMIT_SECONDS or measure.megabytes > MEMORY_LIMIT_MB:
                problems.append(f"{name}: {measure.seconds:.1f} s")
            if abs(count - expected) > 1:
                problems.append(f"{name}: {count} messages, not {expected}")
        rate = count / measure.seconds
        for name, function in (
            ("pause", campaign.action_pause),
            ("resume", campaign.action_resume),
            ("count again", campaign.action_refresh_figures),
            ("page", lambda: campaign.read(PAGE)),
        ):
            seconds = click(env, function)
            print(f"{name:20} {seconds * 1000:6.0f} ms")
            if seconds > CLICK_SECONDS:
                problems.append(f"{name}: {seconds:.2f} s, above {CLICK_SECONDS} s")
        problems += measure_series(env, template, segments, expected)
        odoos, odoos_count = measure_mailing(
            env, products, range(first + 1, first + 1 + ODOOS_PEOPLE)
        )
    odoos_rate = odoos_count / odoos.seconds
    print(f"{'Email Marketing':20} {odoos_count:8} in {odoos.seconds:6.2f} s")
    print(f"ratio {rate / odoos_rate:8.1f}")
    finish(problems)


def measure_series(env, template, segments, expected):
    """Hand everybody over to a sequence, and let their first step be due.

    :return: sentences of what took too long
    :rtype: list[str]
    """
    step = {"delay_value": 0, "template_id": template.id}
    sequence = env["marketing.sequence"].create(
        {
            "name": "Bench",
            "kind": "contact",
            "step_ids": [
                (0, 0, {**step, "name": "Hello", "sequence": 1}),
                (0, 0, {**step, "name": "A hint", "sequence": 2, "delay_value": 3}),
            ],
        }
    )
    campaign = make_campaign(
        env, template, segments, sends="sequence", sequence_id=sequence.id
    )
    handed_over, _none = send(env, campaign)
    with Measure() as steps:
        while env["marketing.enrollment"]._process_due_batch():
            env.cr.commit()
    count = env["marketing.message"].search_count([("campaign_id", "=", campaign.id)])
    problems = []
    for name, measure, limit in (
        ("handed over", handed_over, LIMIT_SECONDS),
        ("first messages", steps, STEP_SECONDS),
    ):
        print(f"{name:20} {count:8} in {measure.seconds:6.2f} s", end="")
        print(f" {count / measure.seconds:9.0f} /s {measure.megabytes:5.0f} MB")
        if measure.seconds > limit or measure.megabytes > MEMORY_LIMIT_MB:
            problems.append(f"{name}: {measure.seconds:.1f} s")
    if abs(count - expected) > 1:
        problems.append(f"series: {count} messages, not {expected}")
    return problems


PAGE = ["figures_html", "curve_html", "domains_html", "links_html", "click_map_html"]


def in_an_hour(env):
    from odoo import fields

    return fields.Datetime.add(fields.Datetime.now(), hours=1)


if __name__ == "__main__":
    main()
