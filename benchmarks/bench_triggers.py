"""What noting changed days costs a bulk update, in a database session that changed one
row before: as Odoo's are, which live long.

Each of three tables has a trigger (``daily_watch.py``). Ten times as many rows may cost
ten times as much, not a hundred times.

BENCH_ROWS=N: rows of the larger update; the smaller one has a tenth.
"""

import os
import sys
import time

from common import environment, finish

ROWS = int(os.environ.get("BENCH_ROWS", "20000"))
# Of the cost of a row in the larger update to that in the smaller one.
MOST_A_ROW = 2
CHANGES = {
    "abandoned_cart": "state = CASE state WHEN 'expired' THEN 'abandoned'"
    " ELSE 'expired' END",
    "marketing_message": "state = CASE state WHEN 'sent' THEN 'delivered'"
    " ELSE 'sent' END",
    "marketing_engagement": "is_machine = NOT COALESCE(is_machine, FALSE)",
}


def fill(env, count):
    """Write carts, a message for each, and an opening of each."""
    website = env["website"].search([], limit=1)
    values = {"company": env.company.id, "website": website.id, "rows": count}
    for statement in (
        """INSERT INTO abandoned_cart (
               company_id, website_id, kind, state, abandoned_at, token, is_guest)
           SELECT %(company)s, %(website)s, 'cart', 'abandoned',
                  '2026-01-01'::timestamp + n * interval '1 minute', 'b-' || n, FALSE
             FROM generate_series(1, %(rows)s) n""",
        """INSERT INTO marketing_message (
               company_id, website_id, abandoned_cart_id, state, channel, priority,
               dedupe_key, sent_at, state_changed_at)
           SELECT company_id, website_id, id, 'sent', 'email', 20, token,
                  abandoned_at, abandoned_at FROM abandoned_cart""",
        """INSERT INTO marketing_engagement (company_id, message_id, kind, occurred_at)
           SELECT company_id, id, 'open', sent_at FROM marketing_message""",
    ):
        env.cr.execute(statement, values)
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()


def update(cr, table, count):
    """Change so many rows; return microseconds a row."""
    start = time.perf_counter()
    cr.execute(
        f"""UPDATE {table} SET {CHANGES[table]}
             WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT {count})"""
    )
    seconds = time.perf_counter() - start
    cr.commit()
    return 1e6 * seconds / count


def main():
    problems = []
    with environment(sys.argv[1]) as env:
        fill(env, ROWS)
        for table in CHANGES:
            update(env.cr, table, 1)
            few, many = (
                min(update(env.cr, table, count) for _time in range(3))
                for count in (ROWS // 10, ROWS)
            )
            ratio = many / few
            print(
                f"{table:22} {few:6.1f} µs a row of {ROWS // 10}, {many:6.1f} of"
                f" {ROWS}: {ratio:5.2f}    (at most {MOST_A_ROW})"
            )
            if ratio > MOST_A_ROW:
                problems.append(f"{table}: a row costs {ratio:.2f} times as much")
    finish(problems)


if __name__ == "__main__":
    main()
