"""What orders brought in, kept with the carts and messages it is counted for.

Figures over a million carts cannot ask each order again. So the amounts are stored, and
follow the orders: confirmed, changed, refunded, cancelled.
"""

from odoo import api, fields, models

# What the revenue of an order is made of, see ``_get_marketing_revenue``. Credit notes
# say so themselves: of every invoice Odoo would look for orders, carts and messages.
OF_ORDER = ("state", "amount_total", "currency_id", "currency_rate")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # With it Odoo looks once for the carts that follow an order, and not with each of
    # the values that a cart in the shop changes.
    recovered_cart_ids = fields.One2many(
        "abandoned.cart",
        "recovered_order_id",
        readonly=True,
        groups="marketing_automation.group_marketing_user",
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


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        """A credit note counts for its orders from when it is posted."""
        res = super().write(vals)
        if "state" in vals:
            refunds = self.filtered(lambda move: move.move_type == "out_refund")
            if refunds:
                refunds.sudo()._recount_refunded_orders()
        return res

    def _recount_refunded_orders(self):
        """Have all that is kept of the orders of these credit notes computed anew."""
        orders = self.line_ids.sale_line_ids.order_id
        if not orders:
            return
        carts = self.env["abandoned.cart"].search(
            [("recovered_order_id", "in", orders.ids)]
        )
        messages = orders.attributed_message_id
        for records, name in (
            (carts, "recovered_amount_company"),
            (messages, "attributed_order_count"),
            (messages, "attributed_revenue"),
            (messages, "attributed_margin"),
        ):
            self.env.add_to_compute(records._fields[name], records)
