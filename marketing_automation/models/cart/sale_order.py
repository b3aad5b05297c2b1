from odoo import api, fields, models

SKIP_ACTIVITY = "skip_cart_activity"


class SaleOrder(models.Model):
    _inherit = "sale.order"

    cart_activity_at = fields.Datetime(
        string="Last Customer Activity",
        readonly=True,
        copy=False,
        help="When the customer last did something to this cart: added, changed or "
        "removed a product, entered an address, tried to pay.",
    )
    # True from an activity until detection has looked at the cart: keeps the index
    # of candidates as small as the number of carts in motion.
    cart_activity_pending = fields.Boolean(readonly=True, copy=False)
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart",
        string="Abandonment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The abandonment this order belongs to: it was left behind, or its cart "
        "was filled again through a recovery link.",
    )

    _cart_activity_pending_idx = models.Index(
        "(cart_activity_at) WHERE cart_activity_pending AND state = 'draft' "
        "AND website_id IS NOT NULL"
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.context.get(SKIP_ACTIVITY):
            now = fields.Datetime.now()
            for vals in vals_list:
                if vals.get("website_id"):
                    # A cart comes into being when a customer does something.
                    vals.setdefault("cart_activity_at", now)
                    vals.setdefault("cart_activity_pending", True)
        return super().create(vals_list)

    def write(self, vals):
        # Whoever moves the activity asks detection to look again.
        if vals.get("cart_activity_at") and "cart_activity_pending" not in vals:
            vals = {**vals, "cart_activity_pending": True}
        return super().write(vals)

    # === CART METHODS ===#

    def _cart_add(self, *args, **kwargs):
        res = super()._cart_add(*args, **kwargs)
        self._stamp_cart_activity()
        return res

    def _cart_update_line_quantity(self, *args, **kwargs):
        res = super()._cart_update_line_quantity(*args, **kwargs)
        self._stamp_cart_activity()
        return res

    def _stamp_cart_activity(self):
        """Record that the customer just did something to these carts.

        Called by what customers do, never by what this addon does. Ends a running
        recovery for the moment: the person is here. Carts that a recovery link put
        into these move along.
        """
        if self.env.context.get(SKIP_ACTIVITY):
            return
        carts = (self.sudo() | self._get_merged_orders()).filtered(
            lambda order: order.website_id and order.state == "draft"
        )
        if not carts:
            return
        carts.write(
            {"cart_activity_at": fields.Datetime.now(), "cart_activity_pending": True}
        )
        carts.abandoned_cart_id._on_customer_activity()

    def _get_cart_lines(self):
        """Return the lines of the cart that can be sold at this moment.

        Delivery, rewards and notes are not what somebody left behind; archived and
        unpublished products cannot be bought any more, sold-out ones neither. Parts of
        a combo are left to the combo's own line.

        :rtype: sale.order.line
        """
        return self.order_line.filtered(
            lambda line: line._is_recoverable_line() and line._is_sellable_now()
        )

    # === ACTION METHODS ===#

    def _action_confirm(self):
        res = super()._action_confirm()
        self.sudo()._credit_marketing()
        return res

    def _action_cancel(self):
        res = super()._action_cancel()
        self.sudo()._withdraw_marketing_credit()
        return res


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _is_recoverable_line(self):
        """Whether the customer put this line into the cart, as a product."""
        self.ensure_one()
        return bool(self.product_id) and self._show_in_cart() and not self.reward_id

    def _is_sellable_now(self):
        """Whether the product of this line could be put into a cart today."""
        self.ensure_one()
        product, order = self.product_id, self.order_id
        website = order.website_id
        return (
            product.active
            and product.sale_ok
            and product.is_published
            and (not product.website_id or product.website_id == website)
            and not (website.prevent_zero_price_sale and not self._get_cart_price())
            and self._get_available_quantity() > 0
        )

    def _get_cart_price(self):
        """Return the unit price of the line, the parts of a combo included.

        :rtype: float
        """
        return sum(self._get_lines_with_price().mapped("price_unit"))

    def _get_available_quantity(self):
        """Return how many units of this line could be ordered now, at most its own.

        The stock rules are Odoo's (``website_sale_stock`` when installed): the same
        check that runs when a customer changes the quantity in the cart.

        :return: quantity in the line's unit of measure
        :rtype: float
        """
        self.ensure_one()
        order = self.order_id.with_context(**{SKIP_ACTIVITY: True})
        quantity, _warning = order._verify_updated_quantity(
            self, self.product_id.id, self.product_uom_qty, self.product_uom_id.id
        )
        return quantity
