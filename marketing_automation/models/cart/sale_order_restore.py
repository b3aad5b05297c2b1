from odoo import fields, models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """A cart into which a recovery link puts back what was left in another one."""

    _inherit = "sale.order"

    # This cart may have been left behind itself besides.
    restored_cart_ids = fields.Many2many(
        "abandoned.cart",
        "sale_order_restored_cart_rel",
        string="Restored Carts",
        readonly=True,
        copy=False,
        # Sellers and customers read their orders without rights on these.
        groups="marketing_automation.group_marketing_user",
        help="Abandoned carts that a recovery link put into this one.",
    )

    def _get_restored_carts(self):
        """Return every abandonment that ends when these orders are confirmed.

        :rtype: abandoned.cart
        """
        orders = self.sudo()
        return orders.abandonment_ids | orders.restored_cart_ids

    def _get_merged_orders(self):
        """Return the carts that were put into these ones and go on by themselves.

        :rtype: sale.order
        """
        orders = self.sudo()
        return orders.restored_cart_ids.order_id - orders

    def _remember_restored(self, cart):
        """Keep which abandonment was put into this cart.

        :param abandoned.cart cart: what the recovery link spoke of
        """
        self.ensure_one()
        if cart.order_id != self:
            self.restored_cart_ids |= cart

    # === LINES ===#

    def _restore_line(self, product, quantity, source):
        """Put one product back, in the quantity that was left behind at least.

        :param product.product product: may be archived, or deleted (empty)
        :param float quantity: quantity left behind
        :param sale.order.line source: the original line, may be empty
        :return: the quantity this cart holds of it now
        :rtype: float
        """
        self.ensure_one()
        line = self._find_restored_line(product, source)
        parts = source._get_combo_parts()
        if not self._is_on_sale(product, source, parts):
            line.unlink()
            return 0.0
        try:
            with self.env.cr.savepoint():
                if line:
                    self._cart_update_line_quantity(
                        line.id, max(line.product_uom_qty, quantity)
                    )
                else:
                    line = self._add_restored_line(product, quantity, source, parts)
        except UserError:
            # Odoo refuses this choice of options today: the product stays out.
            self.invalidate_recordset(["order_line"])
        return sum(line.exists().mapped("product_uom_qty"))

    def _find_restored_line(self, product, source):
        """Return the line of this cart that holds the same choice of a product.

        Odoo's own search never finds lines with typed-in options or combos, which
        would be added once more each time the link is followed.

        :rtype: sale.order.line
        """
        if source.order_id == self:
            return source
        choice = source._get_customer_choice()
        return self.order_line.filtered(
            lambda line: (
                line.product_id == product
                and line._is_recoverable_line()
                and (not source or line._get_customer_choice() == choice)
            )
        )[:1]

    def _is_on_sale(self, product, source, parts):
        """Whether a product may be put into this cart today.

        :param product.product product: the product
        :param sale.order.line source: the original line, may be empty
        :param sale.order.line parts: its parts if it is a combo; they need not be
            published by themselves
        :rtype: bool
        """
        website = self.website_id
        if not product or not source._is_offered(product, website):
            return False
        if product.type == "combo":
            return parts._complete(product)
        return not website.prevent_zero_price_sale or bool(
            source._get_price_to_restore(product, self.pricelist_id)
        )

    def _add_restored_line(self, product, quantity, source, parts):
        """Add a product with the options that had been chosen.

        :return: the new line, empty if nothing of it is available
        :rtype: sale.order.line
        """
        added = self._cart_add(
            product.id,
            quantity,
            uom_id=source.product_uom_id.id or None,
            **source._get_cart_options(),
        )
        line = self.order_line.browse(added["line_id"])
        for part in parts:
            added = self._cart_add(
                part.product_id.id,
                quantity,
                linked_line_id=line.id,
                combo_item_id=part.combo_item_id.id,
                **part._get_cart_options(),
            )
            if added["quantity"] <= 0:
                line.unlink()
                return line.browse()
        if parts:
            self._check_combo_quantities(line)
            line._check_validity()
        return line


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_combo_parts(self):
        """Return the lines with what was chosen for a combo.

        :rtype: sale.order.line
        """
        return self.linked_line_ids.filtered("combo_item_id")

    def _get_price_to_restore(self, product, pricelist):
        """Return the price at which a product of these lines goes into another cart.

        :param product.product product: what was in the cart
        :param product.pricelist pricelist: of the other cart
        :rtype: float
        """
        return product.with_context(pricelist=pricelist.id)._get_contextual_price()

    def _complete(self, product):
        """Whether these parts are one of each choice that a product has today.

        A part is missing when its product was archived (Odoo takes it out of carts),
        or when the shop has added a choice to the combo since.

        :param product.product product: what is sold; only a combo has choices
        :rtype: bool
        """
        if product.type != "combo":
            return True
        chosen = self.filtered("product_id.active").combo_item_id.combo_id
        return bool(product.combo_ids) and not product.combo_ids - chosen

    def _get_customer_choice(self):
        """Return what tells two lines of the same product apart, to compare them.

        :rtype: tuple
        """
        return (
            self.product_uom_id.id,
            frozenset(self.product_no_variant_attribute_value_ids.ids),
            frozenset(
                (
                    value.custom_product_template_attribute_value_id.id,
                    value.custom_value,
                )
                for value in self.product_custom_attribute_value_ids
                if value.custom_value
            ),
            frozenset(self._get_combo_parts().combo_item_id.ids),
        )

    def _get_cart_options(self):
        """Return the options a customer chose, as ``_cart_add`` takes them.

        :rtype: dict
        """
        return {
            "no_variant_attribute_value_ids": (
                self.product_no_variant_attribute_value_ids.ids
            ),
            "product_custom_attribute_values": [
                {
                    "custom_product_template_attribute_value_id": (
                        value.custom_product_template_attribute_value_id.id
                    ),
                    "custom_value": value.custom_value,
                }
                for value in self.product_custom_attribute_value_ids
            ],
        }
