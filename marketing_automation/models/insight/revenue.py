"""What orders brought in, kept with the carts and messages it is counted for.

Figures over a million carts cannot ask each order again. So the amounts are stored, and
follow the orders: confirmed, changed, refunded, cancelled.
"""

from odoo import api, fields, models

# What the revenue of an order is made of, see ``_get_marketing_revenue``.
OF_ORDER = (
    "state",
    "amount_total",
    "currency_id",
    "order_line.invoice_lines.move_id.state",
    "order_line.invoice_lines.move_id.amount_total_signed",
)


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    recovered_amount_company = fields.Monetary(
        compute="_compute_recovered_amount_company",
        store=True,
        help="The recovered revenue in the company's currency, without refunds.",
    )

    @api.depends(
        "state",
        "recovered_amount",
        *(f"recovered_order_id.{path}" for path in OF_ORDER),
    )
    def _compute_recovered_amount_company(self):
        for cart in self:
            order = cart.recovered_order_id
            # An order counts once, for the cart that has its amount. What forgotten
            # customers ordered stays, though nobody knows the order any more.
            if cart.state != "recovered" or not cart.recovered_amount:
                cart.recovered_amount_company = 0.0
            elif order:
                cart.recovered_amount_company = order._get_marketing_revenue()
            else:
                cart.recovered_amount_company = cart.recovered_amount_company


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    attributed_order_count = fields.Integer(
        string="Orders Credited",
        compute="_compute_attributed_revenue",
        store=True,
        help="Confirmed orders credited to this message.",
    )
    attributed_revenue = fields.Monetary(store=True)
    attributed_margin = fields.Monetary(
        string="Credited Margin",
        compute="_compute_attributed_revenue",
        store=True,
        help="What is left of the credited revenue without taxes and the cost of the "
        "goods, as the products say it when the order is confirmed or changed.",
    )

    @api.depends(*(f"attributed_order_ids.{path}" for path in OF_ORDER))
    def _compute_attributed_revenue(self):
        for message in self:
            orders = message.sudo().attributed_order_ids.filtered(
                lambda order: order.state == "sale"
            )
            message.attributed_order_count = len(orders)
            message.attributed_revenue = sum(
                order._get_marketing_revenue() for order in orders
            )
            message.attributed_margin = sum(
                order._get_marketing_margin() for order in orders
            )
