"""Gift cards and top-ups of an eWallet: money in another form, not goods."""

from odoo import fields, models

from ...tools.trusted_context import heard

# Set while it is counted what a coupon of ours takes something off.
GOODS_ONLY = "marketing_goods_only"


class ProductProduct(models.Model):
    _inherit = "product.product"

    is_stored_value = fields.Boolean(
        compute="_compute_is_stored_value",
        compute_sudo=True,
        help="A gift card, or money for an eWallet: who buys it with a discount has "
        "bought money below its value.",
    )

    def _compute_is_stored_value(self):
        programs = self.env["loyalty.program"].search(
            [("program_type", "in", ("gift_card", "ewallet"))]
        )
        stored = programs.trigger_product_ids
        for product in self:
            product.is_stored_value = product in stored


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_stored_value_lines(self):
        """Return the lines with gift cards and top-ups.

        :rtype: sale.order.line
        """
        return self.order_line.filtered("product_id.is_stored_value")

    def _is_stored_value_only(self):
        """Whether there is nothing in this cart that a coupon may take something off.

        :rtype: bool
        """
        self.ensure_one()
        lines = self.order_line.filtered(lambda line: line._is_recoverable_line())
        return bool(lines) and not lines - self._get_stored_value_lines()

    def _get_no_effect_on_threshold_lines(self):
        lines = super()._get_no_effect_on_threshold_lines()
        if heard(self.env, GOODS_ONLY):
            lines |= self._get_stored_value_lines()
        return lines
