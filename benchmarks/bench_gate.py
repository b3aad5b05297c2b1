"""The gate for a hundred thousand people at once: who may be written to, and why not.

Beside it, what Email Marketing does to leave out whom it may not write to: reading its
blacklist and opt-outs and comparing the recipients one by one.

BENCH_GATE=N: number of people.
"""

import os
import sys

from common import Measure, environment, finish, make_customers
from newsletter import (
    make_mail_server,
    make_mailing,
    make_products,
    make_template,
    queue,
)

PEOPLE = int(os.environ.get("BENCH_GATE", "100000"))
# Beside Email Marketing, which looks at its blacklist alone.
MOST_OF_ODOOS = 3
AIM_SECONDS = 2.0
MEMORY_LIMIT_MB = 400


def make_history(env, first):
    """Let some have refused, left a list, be blacklisted, forgotten, paused."""
    cr = env.cr
    for statement in (
        """UPDATE marketing_preference SET state = 'withdrawn'
            WHERE id % 10 = 3""",
        """INSERT INTO mail_blacklist (email, active)
           SELECT email_normalized, TRUE FROM res_partner
            WHERE id > %(first)s AND id % 20 = 0""",
        """INSERT INTO mailing_contact (name, email, email_normalized)
           SELECT name, email, email_normalized FROM res_partner
            WHERE id > %(first)s AND id % 4 = 1""",
        """INSERT INTO mailing_list (name, active)
           VALUES ('{"en_US": "News"}', TRUE)""",
        """INSERT INTO mailing_subscription (contact_id, list_id, opt_out,
                                             opt_out_datetime)
           SELECT c.id, (SELECT max(id) FROM mailing_list), c.id % 2 = 0,
                  now() AT TIME ZONE 'UTC' + interval '1 hour'
             FROM mailing_contact c""",
        """INSERT INTO marketing_recipient (
               company_id, address, frequency, paused_until)
           SELECT %(company)s, email_normalized,
                  CASE WHEN id % 3 = 0 THEN 'weekly' ELSE 'normal' END,
                  CASE WHEN id % 3 = 1 THEN now() + interval '9 days' END
             FROM res_partner WHERE id > %(first)s AND id % 7 = 0""",
        """INSERT INTO marketing_suppression (address_hash, suppressed_at)
           SELECT md5(n::text), now() FROM generate_series(1, 10000) n""",
    ):
        cr.execute(statement.replace(" % ", " %% "), vars_of(env, first))
    cr.commit()
    cr.execute("ANALYZE")
    cr.commit()


def vars_of(env, first):
    return {"first": first, "company": env.company.id}


def run_gate(env, template):
    """Ask about every message in the outbox, as is done before each leaves."""
    messages = env["marketing.message"].search([("template_id", "=", template.id)])
    env.cr.execute("ANALYZE marketing_message")
    with Measure() as measure:
        decisions = env["marketing.gate"]._decide(messages)
    return measure, decisions


def run_estimate(env, people):
    """Ask who of a group of people could be written to."""
    from odoo.tools import SQL

    with Measure() as measure:
        counts = env["marketing.gate"]._estimate(
            SQL(
                "SELECT id FROM res_partner WHERE id >= %s AND id < %s",
                people.start,
                people.stop,
            ),
            env.company,
            "email",
            "offers",
        )
    return measure, counts


def run_odoos(env, products, people):
    """Let Email Marketing find whom to leave out, for the same people."""
    mailing = make_mailing(env, products, make_mail_server(env, 9), people)
    composer = env["mail.compose.message"].with_context(
        active_ids=list(people), default_model="res.partner"
    )
    wizard = composer.create(
        {
            "composition_mode": "mass_mail",
            "model": "res.partner",
            "mass_mailing_id": mailing.id,
            "subject": "x",
            "body": "x",
        }
    )
    values = {
        partner_id: {"email_to": False, "partner_ids": [partner_id]}
        for partner_id in people
    }
    with Measure() as measure:
        recipients = wizard._get_recipients_data(values)
        blacklist = set(wizard._get_blacklist_record_ids(values, recipients))
        optout = set(wizard._get_optout_emails(values))
        done = wizard._get_done_emails(values)
    return measure, (len(blacklist), len(optout), len(done))


def main():
    with environment(sys.argv[1]) as env:
        first = make_customers(env, PEOPLE)
        products = make_products(env)
        template = make_template(env, products)
        people = range(first + 1, first + 1 + PEOPLE)
        queue(env, template, people)
        make_history(env, first)
        gate, decisions = run_gate(env, template)
        estimate, counts = run_estimate(env, people)
        env.invalidate_all()
        odoos, found = run_odoos(env, products, people)
    for name, measure in (
        ("gate", gate),
        ("estimate", estimate),
        ("Email Marketing", odoos),
    ):
        print(f"{name:15} {measure.seconds:7.2f} s  {measure.megabytes:5.0f} MB")
    held = sum(decision is not None for decision in decisions.values())
    print(f"held back: {held} of {len(decisions)}; by reason: {counts}")
    print(f"Email Marketing left out (blacklist, opt-outs, done): {found}")
    print(f"aim: {AIM_SECONDS} s each on an idle machine")
    problems = []
    for name, measure in (("gate", gate), ("estimate", estimate)):
        ratio = measure.seconds / odoos.seconds
        print(f"{name:15} {ratio:7.2f} times as long    (at most {MOST_OF_ODOOS})")
        if ratio > MOST_OF_ODOOS:
            problems.append(f"{name}: {ratio:.2f} times as long as Email Marketing")
        if measure.megabytes > MEMORY_LIMIT_MB:
            problems.append(f"{name}: {measure.megabytes:.0f} MB")
    if len(decisions) != PEOPLE or sum(counts.values()) != PEOPLE:
        problems.append("somebody was not decided about")
    if held != PEOPLE - counts[None]:
        problems.append("the gate and its estimate do not agree")
    finish(problems)


if __name__ == "__main__":
    main()
