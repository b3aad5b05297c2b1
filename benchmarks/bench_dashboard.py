"""The dashboard of a shop with a million carts: thirty days, and a year.

Two years of carts, twice as many messages, and what people did with them. Some days
have changed since they were counted, as they would within a minute of such a shop,
today among them. Beside it, the same sums over the same rows by Odoo's own grouping,
and the comparison with the control group, which the page fetches after the rest.

BENCH_DASHBOARD=N: number of carts.
"""

import os
import sys

from common import Measure, environment, finish

CARTS = int(os.environ.get("BENCH_DASHBOARD", "1000000"))
LIMIT_SECONDS = 0.5
DAYS = 730
# How many times each is asked; the slowest counts.
TIMES = 5
TABLES = (
    *("abandoned_cart", "marketing_enrollment"),
    *("marketing_message", "marketing_engagement"),
)
CASES = {
    "30 days": {},
    "30 days, one website": {"website": 0},
    "30 days, one kind": {"kind": "payment_failed"},
    "a year": {"period": "year"},
    "two years": {"period": "custom"},
}


def make_carts(env):
    """Write carts over two years, most of them of one website."""
    website = env["website"].search([("company_id", "=", env.company.id)], limit=1)
    env["website"].create({"name": "Outlet", "company_id": env.company.id})
    env.cr.execute(
        """INSERT INTO abandoned_cart (
               detected_at, token, kind, state, exclusion_reason, website_id,
               company_id, email_normalized, amount_company, amount_total, abandoned_at,
               expires_at, returned_at, recovered_at, recovered_amount,
               recovered_amount_company, content)
           SELECT v.left_at, md5(n::text), CASE WHEN n %% 20 = 0 THEN 'payment_failed'
                  ELSE 'cart' END,
                  v.state, CASE WHEN v.state = 'excluded' THEN
                      (ARRAY['no_contact', 'below_minimum', 'no_sellable_lines'])
                      [1 + n %% 3] END,
                  CASE WHEN n %% 4 = 0 THEN %(outlet)s ELSE %(website)s END,
                  %(company)s, 'customer' || n || '@example.com', 10 + n %% 200,
                  10 + n %% 200, v.left_at, v.left_at + interval '30 days',
                  CASE WHEN n %% 6 = 0 THEN v.left_at + interval '5 hours' END,
                  CASE WHEN v.state = 'recovered'
                       THEN v.left_at + n %% 70 * interval '1 hour' END,
                  CASE WHEN v.state = 'recovered' THEN 10 + n %% 200 END,
                  CASE WHEN v.state = 'recovered' THEN 10 + n %% 200 ELSE 0 END,
                  'Desk lamp, Chair'
             FROM generate_series(1, %(carts)s) n
            CROSS JOIN LATERAL (
                  SELECT now() AT TIME ZONE 'UTC'
                         - n * interval '1 day' * %(days)s / %(carts)s AS left_at) l
            CROSS JOIN LATERAL (
                  SELECT l.left_at,
                         CASE WHEN n %% 10 = 0 THEN 'excluded'
                              WHEN n %% 10 = 1 THEN 'recovered'
                              WHEN l.left_at < now() - interval '30 days' THEN 'expired'
                              ELSE 'recovery_started' END AS state) v""",
        {
            "website": website.id,
            "outlet": website.id + 1,
            "company": env.company.id,
            "carts": CARTS,
            "days": DAYS,
        },
    )
    return website


def make_messages(env):
    """Write two messages for most carts, opened by some and clicked by fewer.

    They are queued first, as all are: the database notes what becomes of them.
    """
    sequence = env.ref("marketing_automation.sequence_cart_emails")
    steps = sequence.step_ids.ids
    env.cr.execute(
        """INSERT INTO marketing_message (
               state, scheduled_at, channel, dedupe_key, company_id, website_id,
               sequence_id, step_id, abandoned_cart_id, attempts, is_sandbox)
           SELECT 'queued', LEAST(cart.abandoned_at + step.number * interval '20 hours',
                                  now() AT TIME ZONE 'UTC'),
                  'email', 'bench:' || cart.id || ':' || step.number, cart.company_id,
                  cart.website_id, %(sequence)s, step.id, cart.id, 1, FALSE
             FROM abandoned_cart cart
            CROSS JOIN LATERAL unnest(%(steps)s) WITH ORDINALITY AS step (id, number)
            WHERE cart.state != 'excluded'""",
        {"sequence": sequence.id, "steps": steps[:2]},
    )
    env.cr.execute(
        """UPDATE marketing_message m
              SET state = v.state, state_changed_at = m.scheduled_at,
                  sent_at = CASE WHEN v.state = 'delivered' THEN m.scheduled_at END,
                  reason = CASE WHEN v.state = 'skipped' THEN 'opted_out' END,
                  attributed_order_count = v.is_credited::integer,
                  attributed_revenue = CASE WHEN v.is_credited
                                            THEN cart.amount_company ELSE 0 END
             FROM abandoned_cart cart
            CROSS JOIN LATERAL unnest(%(steps)s) WITH ORDINALITY AS step (id, number)
            CROSS JOIN LATERAL (
                  SELECT CASE WHEN (cart.id + step.number) %% 12 = 0 THEN 'skipped'
                              ELSE 'delivered' END AS state,
                         cart.state = 'recovered' AND step.number = 1 AS is_credited) v
            WHERE cart.id = m.abandoned_cart_id AND step.id = m.step_id""",
        {"steps": steps[:2]},
    )
    env.cr.execute(
        """INSERT INTO marketing_engagement (
               message_id, company_id, kind, occurred_at, is_machine)
           SELECT m.id, m.company_id, did.kind, m.sent_at + interval '1 hour',
                  m.id % 50 = 0
             FROM marketing_message m
            CROSS JOIN LATERAL (VALUES ('open', 3), ('click', 20)) did (kind, rate)
            WHERE m.state = 'delivered' AND m.id % did.rate = 0"""
    )


def make_runs(env):
    """Let most carts have gone through the sequence, one in twenty without messages."""
    sequence = env.ref("marketing_automation.sequence_cart_emails")
    sequence.holdout_percent = 5
    env.cr.execute(
        """INSERT INTO marketing_enrollment (
               sequence_id, company_id, abandoned_cart_id, email_normalized, state,
               started_at, is_holdout)
           SELECT %s, cart.company_id, cart.id, cart.email_normalized, 'completed',
                  cart.abandoned_at, cart.id %% 20 = 0
             FROM abandoned_cart cart WHERE cart.state != 'excluded'""",
        [sequence.id],
    )


def make_shop(env):
    """Fill the shop, count its days, and let some of them change."""
    website = make_carts(env)
    make_messages(env)
    make_runs(env)
    env.cr.commit()
    with Measure() as measure:
        while env["marketing.daily.figure"]._refresh_batch():
            env.cr.commit()
    print(f"counting {DAYS} days   {measure.seconds:7.1f} s")
    for table in TABLES:
        env.cr.execute(f"ANALYZE {table}")
    change_days(env)
    return website


def change_days(env):
    """Do what happens within a minute: a cart, a message, a click, a purchase."""
    per_day = CARTS // DAYS
    for days in (0, 0, 1, 30):
        env.cr.execute(
            """UPDATE abandoned_cart SET returned_at = now() AT TIME ZONE 'UTC'
                WHERE id = (SELECT id FROM abandoned_cart
                             ORDER BY abandoned_at DESC OFFSET %s LIMIT 1)""",
            [days * per_day + 5],
        )
        env.cr.execute(
            """INSERT INTO marketing_engagement (
                   message_id, company_id, kind, occurred_at)
               SELECT m.id, m.company_id, 'click', now() AT TIME ZONE 'UTC'
                 FROM marketing_message m
                WHERE m.sent_at < now() - %s * interval '1 day'
                ORDER BY m.sent_at DESC LIMIT 1""",
            [days],
        )
    env.cr.commit()


def ask_dashboard(env, method, options):
    """Ask for a part of the dashboard, several times; return the slowest."""
    seconds = []
    for _time in range(TIMES):
        env.invalidate_all()
        with Measure() as measure:
            data = getattr(env["marketing.dashboard"], method)(options)
        seconds.append(measure.seconds)
    return max(seconds), data


def ask_odoo(env, data):
    """Ask Odoo for sums over the same rows: what pivot views would."""
    report = env["marketing.dashboard"]._read_options(data["options"])
    by_state, by_step = ["state", "exclusion_reason"], ["step_id", "channel"]
    questions = [
        ("abandoned.cart", "left", by_state, ["amount_company:sum"]),
        ("abandoned.cart", "written", [], []),
        ("abandoned.cart", "clicked", [], []),
        ("abandoned.cart", "recovered", [], ["recovered_amount_company:sum"]),
        ("abandoned.cart", "returned", [], []),
        ("marketing.message", "sent", by_step, ["attributed_revenue:sum"]),
        ("marketing.message", "opened", by_step, []),
        ("marketing.message", "message_clicked", by_step, []),
        ("marketing.message", "unsent", ["reason"], []),
    ]
    env.invalidate_all()
    with Measure() as measure:
        for period in (report.period, report.previous):
            for model, figure, groupby, aggregates in questions:
                domain = env["marketing.dashboard"]._get_domain(
                    report._replace(period=period), figure, {}
                )
                env[model].formatted_read_group(
                    domain, groupby, ["__count", *aggregates]
                )
    return measure.seconds


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        website = make_shop(env)
        CASES["30 days, one website"]["website"] = website.id
        today = env["marketing.dashboard"]._get_today()
        CASES["two years"].update(
            first=str(today.replace(year=today.year - 2)), last=str(today)
        )
        for name, options in CASES.items():
            seconds, data = ask_dashboard(env, "get_data", options)
            holdout, compared = ask_dashboard(env, "get_holdout", options)
            odoos = ask_odoo(env, data)
            print(
                f"{name:22} {seconds * 1000:7.0f} ms",
                f"  Odoo's own {odoos * 1000:7.0f} ms",
                f"  control group {holdout * 1000:7.0f} ms",
            )
            if compared["state"] == "off":
                problems.append(f"{name}: nothing to compare")
            if seconds > LIMIT_SECONDS:
                problems.append(f"{name}: {seconds:.2f} s, above {LIMIT_SECONDS} s")
            problems += check(env, name, data)
    finish(problems)


def check(env, name, data):
    """Compare a few figures with what Odoo counts."""
    report = env["marketing.dashboard"]._read_options(data["options"])
    shown = {figure["name"]: figure["value"] for figure in data["kpis"]}
    for figure, model in (
        ("left", "abandoned.cart"),
        ("recovered", "abandoned.cart"),
        ("sent", "marketing.message"),
    ):
        domain = env["marketing.dashboard"]._get_domain(report, figure, {})
        counted = env[model].search_count(domain)
        if counted != shown[figure]:
            yield f"{name}: {figure} is {counted}, not {shown[figure]}"


if __name__ == "__main__":
    main()
