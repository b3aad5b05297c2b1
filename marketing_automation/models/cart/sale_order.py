from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.trusted_context import heard, say
from ..large_index import LargeIndex

# In the context, from our own code alone: not the customer does this.
SKIP_ACTIVITY = "skip_cart_activity"


class SaleOrder(models.Model):
    _inherit = "sale.order"

    cart_activity_at = fields.Datetime(
        string="Last Customer Activity",
        readonly=True,
        copy=False,
        help="When the customer last did something to this cart: added, changed or "
        "removed a product, entered an address, tried to pay. Of a quotation: when it "
        "was last sent, changed, looked at or spoken of; empty once it is answered.",
    )
    abandonment_ids = fields.One2many(
        "abandoned.cart",
        "order_id",
        string="Abandonments",
        readonly=True,
        groups="marketing_automation.group_marketing_user",
    )
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart",
        string="Abandonment",
        compute="_compute_abandoned_cart_id",
        search="_search_abandoned_cart_id",
        compute_sudo=True,
        help="The latest abandonment this order belongs to: it was left behind, or its "
        "cart was filled again through a recovery link.",
    )

    _cart_activity_idx = LargeIndex(
        "(cart_activity_at) WHERE state = 'draft' AND website_id IS NOT NULL"
    )

    # === COMPUTE METHODS ===#

    @api.depends("abandonment_ids", "restored_cart_ids")
    def _compute_abandoned_cart_id(self):
        for order in self:
            own = order.abandonment_ids.sorted("id")
            lent = order.restored_cart_ids.sorted("id")
            order.abandoned_cart_id = own[-1:] or lent[-1:]

    @api.model
    def _search_abandoned_cart_id(self, operator, value):
        if operator in fields.Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        return fields.Domain.OR(
            [
                fields.Domain("abandonment_ids", operator, value),
                fields.Domain("restored_cart_ids", operator, value),
            ]
        )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not heard(self.env, SKIP_ACTIVITY):
            now = fields.Datetime.now()
            for vals in vals_list:
                if vals.get("website_id"):
                    # A cart comes into being when a customer does something.
                    vals.setdefault("cart_activity_at", now)
        return super().create(vals_list)

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
        if heard(self.env, SKIP_ACTIVITY):
            return
        carts, was_left = self.sudo(), self._was_left()
        if was_left:
            carts |= self._get_merged_orders()
        carts = carts.filtered(
            lambda order: order.website_id and order.state == "draft"
        )
        if not carts:
            return
        carts.cart_activity_at = fields.Datetime.now()
        if was_left:
            carts.abandoned_cart_id._on_customer_activity()

    def _was_left(self):
        """Whether any of these carts was left behind before, or holds one that was.

        One look for what is asked with each change of a cart, and seldom true.

        :rtype: bool
        """
        if not self.ids:
            return False
        self.flush_model(["restored_cart_ids"])
        self.env["abandoned.cart"].flush_model(["order_id"])
        [(was_left,)] = self.env.execute_query(
            SQL(
                """SELECT EXISTS (SELECT FROM abandoned_cart
                                   WHERE order_id = ANY(%(ids)s))
                       OR EXISTS (SELECT FROM sale_order_restored_cart_rel
                                   WHERE sale_order_id = ANY(%(ids)s))""",
                ids=self.ids,
            )
        )
        return was_left

    def _is_bought(self):
        """Whether these are orders, or are being paid at this moment."""
        return any(
            order.state == "sale"
            or order.transaction_ids.filtered(
                lambda tx: tx.state in ("pending", "authorized", "done")
            )
            for order in self
        )

    def _get_cart_lines(self):
        """Return the lines of the cart that can be sold at this moment.

        Delivery, rewards and notes are not what somebody left behind; archived and
        unpublished products cannot be bought any more, sold-out ones neither. Parts of
        a combo are left to the combo's own line.

        :rtype: sale.order.line
        """
        lines = self.order_line.filtered(lambda line: line._is_recoverable_line())
        if lines and self._is_open_quotation():
            # What a sales person offers need not be in the shop.
            return lines.filtered("product_uom_qty")
        return lines.filtered(lambda line: line._is_sellable_now())

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
        product, website = self.product_id, self.order_id.website_id
        return (
            self._is_offered(product, website)
            and self._get_combo_parts()._complete(product)
            and not (website.prevent_zero_price_sale and not self._get_cart_price())
            and self._get_available_quantity() > 0
        )

    def _is_offered(self, product, website):
        """Whether a shop offers a product of these lines today.

        An extension point: what else may be sold, or may not, modules say here. In SQL
        it is ``SELLABLE_LINE``, which may let through what this does not.

        :param product.product product: what was in the cart
        :param website website: the shop
        :rtype: bool
        """
        return bool(
            product.active
            and product.sale_ok
            and product.is_published
            and (not product.website_id or product.website_id == website)
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
        if self.order_id._is_open_quotation():
            return self.product_uom_qty
        order = self.order_id.with_context(**{SKIP_ACTIVITY: say()})
        quantity, _warning = order._verify_updated_quantity(
            self, self.product_id.id, self.product_uom_qty, self.product_uom_id.id
        )
        return quantity
