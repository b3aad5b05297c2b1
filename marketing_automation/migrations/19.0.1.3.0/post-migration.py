"""What Odoo does not find out by itself about rows that were there before."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    add_credit(env)
    count_days(env)


def add_credit(env):
    """Work out what messages are credited with, and take refunds off carts."""
    messages = (
        env["sale.order"]
        .search([("attributed_message_id", "!=", False)])
        .attributed_message_id
    )
    carts = env["abandoned.cart"].search(
        [
            ("state", "=", "recovered"),
            (
                "recovered_order_id.order_line.invoice_lines.move_id.move_type",
                "=",
                "out_refund",
            ),
        ]
    )
    for name in ("attributed_order_count", "attributed_revenue", "attributed_margin"):
        env.add_to_compute(messages._fields[name], messages)
    env.add_to_compute(carts._fields["recovered_amount_company"], carts)
    env.flush_all()


def count_days(env):
    """Let the figures of all days be counted, by the scheduled action."""
    figures = env["marketing.daily.figure"]
    figures._adopt_timezones()
    figures._count_anew(env["res.company"].with_context(active_test=False).search([]))
