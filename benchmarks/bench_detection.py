"""Detection of idle carts, beside Odoo's own selection and filter.

100,000 idle carts with two lines each, every one of another customer. Ours finds them,
keeps a snapshot and starts the recovery; Odoo's own job selects them by domain and runs
``_filter_can_send_abandoned_cart_mail``, before it would send anything. Both start
cold, in one run, on the same carts.
"""

import os
import sys

from common import (
    Measure,
    column_names,
    copy_rows,
    environment,
    finish,
    make_customers,
)

CARTS = int(os.environ.get("BENCH_CARTS", "100000"))
MEMORY_LIMIT_MB = 400


def make_carts(env, count):
    """Write carts, lines and customers by SQL, as a shop would have them."""
    website = env["website"].search([], limit=1)
    products = env["product.product"].create(
        [
            {"name": f"Product {n}", "list_price": 10.0 + n, "is_published": True}
            for n in range(2)
        ]
    )
    order = env["sale.order"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Sample"}).id,
            "website_id": website.id,
            "order_line": [(0, 0, {"product_id": p.id}) for p in products],
        }
    )
    env.flush_all()
    cr = env.cr
    first = make_customers(env, count)
    copy_rows(
        cr,
        "sale_order",
        f"id = {order.id}",
        count,
        {
            "name": "'W' || n",
            "partner_id": f"{first} + n",
            "create_date": "now() AT TIME ZONE 'UTC' - interval '12 hours'",
            "date_order": "now() AT TIME ZONE 'UTC' - interval '12 hours'",
            "cart_activity_at": "now() AT TIME ZONE 'UTC' - interval '12 hours'",
        },
    )
    columns = column_names(cr, "sale_order_line") - {"id", "order_id"}
    names = ", ".join(sorted(columns))
    cr.execute(
        f"""INSERT INTO sale_order_line (order_id, {names})
            SELECT so.id, {", ".join(f"l.{c}" for c in sorted(columns))}
              FROM sale_order_line l
              JOIN sale_order so ON so.name LIKE 'W%%'
             WHERE l.order_id = %s""",
        [order.id],
    )
    order.cart_activity_at = False
    env.flush_all()
    cr.commit()
    cr.execute("ANALYZE")
    cr.commit()
    env.invalidate_all()
    return website


def run_ours(env):
    """Detection with snapshot and enrolment, in committed batches as the job does."""
    with Measure() as measure:
        detect = env["abandoned.cart"]._detect_batch
        while detect():
            env.cr.commit()
        env["marketing.enrollment"]._enroll_abandoned()
        env.cr.commit()
    env.cr.execute("ANALYZE abandoned_cart, marketing_enrollment")
    env.cr.execute(
        """SELECT count(*) FROM abandoned_cart c
             JOIN marketing_enrollment e ON e.abandoned_cart_id = c.id
            WHERE e.state = 'active'
              AND jsonb_array_length(c.lines) = 2"""
    )
    return measure, env.cr.fetchone()[0]


def run_odoo(env, website):
    """Odoo's own selection and filter (`website._send_abandoned_cart_email`)."""
    with Measure() as measure:
        carts = env["sale.order"].search(
            [
                ("is_abandoned_cart", "=", True),
                ("cart_recovery_email_sent", "=", False),
                ("website_id", "=", website.id),
            ]
        )
        found = carts._filter_can_send_abandoned_cart_mail()
    return measure, len(found)


def main():
    with environment(sys.argv[1]) as env:
        website = make_carts(env, CARTS)
        ours, ours_count = run_ours(env)
        env.invalidate_all()
        odoos, odoos_count = run_odoo(env, website)
    print(f"carts                     {CARTS}")
    print(f"ours                      {ours.seconds:8.2f} s  {ours.megabytes:6.0f} MB")
    print(
        f"Odoo's selection + filter {odoos.seconds:8.2f} s  {odoos.megabytes:6.0f} MB"
    )
    ratio = ours.seconds / odoos.seconds
    print(f"ratio                     {ratio:8.2f}    (at most 1, aim 0.33)")
    problems = []
    if ours_count != CARTS:
        problems.append(f"{ours_count} of {CARTS} carts recorded and enrolled")
    # Odoo's filter also counts the sample cart.
    if odoos_count < CARTS:
        problems.append(f"Odoo's filter found only {odoos_count}: not comparable")
    if ratio > 1:
        problems.append(f"slower than Odoo's selection and filter ({ratio:.2f})")
    if ours.megabytes > MEMORY_LIMIT_MB:
        problems.append(f"{ours.megabytes:.0f} MB, more than {MEMORY_LIMIT_MB}")
    finish(problems)


if __name__ == "__main__":
    main()
