"""Queueing a newsletter to a million people, beside Odoo's Email Marketing.

Ours writes the outbox; Email Marketing writes its emails (``mail.mail``, each with a
rendered body) and traces, as its scheduled action does for more than a hundred people,
and sends nothing yet. Odoo's share is smaller; rates are compared.

BENCH_QUEUE=N, BENCH_ODOO_QUEUE=N: how many each queues.
"""

import os
import sys

from common import Measure, environment, finish, make_customers
from newsletter import make_products, make_template, measure_mailing, queue

PEOPLE = int(os.environ.get("BENCH_QUEUE", "1000000"))
ODOOS_PEOPLE = int(os.environ.get("BENCH_ODOO_QUEUE", "500"))
# How fast it is depends on the machine; how much faster than Email Marketing does not.
LOWEST_RATIO = 300
AIM_RATE = 20_000
MEMORY_LIMIT_MB = 400


def run_ours(env, template, people):
    """Queue, and count what stands in the outbox."""
    with Measure() as measure:
        queue(env, template, people)
    env.cr.execute(
        "SELECT count(DISTINCT email_normalized) FROM marketing_message"
        " WHERE state = 'queued' AND template_id = %s",
        [template.id],
    )
    return measure, env.cr.fetchone()[0]


def main():
    with environment(sys.argv[1]) as env:
        first = make_customers(env, PEOPLE) + 1
        products = make_products(env)
        template = make_template(env, products)
        env.cr.commit()
        env.invalidate_all()
        ours, our_count = run_ours(env, template, range(first, first + PEOPLE))
        odoos, odoos_count = measure_mailing(
            env, products, range(first, first + ODOOS_PEOPLE)
        )
    our_rate = our_count / ours.seconds
    odoos_rate = odoos_count / odoos.seconds
    for name, measure, count, rate in (
        ("ours", ours, our_count, our_rate),
        ("Email Marketing", odoos, odoos_count, odoos_rate),
    ):
        print(
            f"{name:15} {count:8} in {measure.seconds:7.2f} s {rate:9.1f} /s"
            f"  {measure.megabytes:5.0f} MB"
        )
    ratio = our_rate / odoos_rate
    print(f"ratio           {ratio:8.1f}    (at least {LOWEST_RATIO})")
    print(f"aim: {AIM_RATE} /s; bound: {MEMORY_LIMIT_MB} MB")
    problems = []
    if our_count != PEOPLE:
        problems.append(f"{our_count} of {PEOPLE} messages are in the outbox")
    if odoos_count != ODOOS_PEOPLE:
        problems.append(f"Odoo wrote {odoos_count} of {ODOOS_PEOPLE} emails")
    if ratio < LOWEST_RATIO:
        problems.append(f"only {ratio:.0f} times Email Marketing's rate")
    if ours.megabytes > MEMORY_LIMIT_MB:
        problems.append(f"{ours.megabytes:.0f} MB, more than {MEMORY_LIMIT_MB}")
    finish(problems)


if __name__ == "__main__":
    main()
