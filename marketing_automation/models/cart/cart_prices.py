from odoo import models
from odoo.tools import float_round


class SaleOrderLine(models.Model):
    """What a line of a cart costs today, and how much of it there is, as the shop
    would show it. Nothing is written: the cart is the customer's."""

    _inherit = "sale.order.line"

    def _get_amount_today(self):
        """Return what the cart page would show for this line if it were opened now.

        The line itself keeps the price of the day it was added until somebody comes
        back to the cart. What a sales person offered holds.

        :return: amount for the whole quantity, in the order's currency, with or without
            taxes as the website shows prices
        :rtype: float
        """
        self.ensure_one()
        if self.order_id._is_open_quotation():
            return self._get_cart_display_price()
        return sum(
            part._get_part_amount_today() for part in self._get_lines_with_price()
        )

    def _get_part_amount_today(self):
        taxes, company = self.env["account.tax"], self.company_id
        price, discount = self._get_price_today()
        base = self._prepare_base_line_for_taxes_computation(
            price_unit=price, discount=discount
        )
        taxes._add_tax_details_in_base_line(base, company)
        taxes._round_base_lines_tax_details([base], company)
        shown = self.order_id.website_id._get_shown_amount()
        return base["tax_details"][f"{shown}_currency"]

    def _get_price_today(self):
        """Return what ``_recompute_prices`` would write now, with the same roundings.

        :return: unit price, and the discount in percent that is shown from it
        :rtype: tuple[float, float]
        """
        line = self.with_company(self.company_id)
        product = line.product_id
        digits = self.env["decimal.precision"].precision_get("Discount")
        price = line._get_display_price()
        unit = product._get_tax_included_unit_price_from_price(
            price,
            product_taxes=product.taxes_id._filter_taxes_by_company(line.company_id),
            fiscal_position=line.order_id.fiscal_position_id,
        )
        discount = line._get_discount_today()
        return unit, float_round(discount, digits)

    def _get_discount_today(self):
        """Return the discount in percent that Odoo shows apart from the price.

        The rules of ``sale.order.line._compute_discount``: only of a price list rule
        whose discount the shop shows. Any other reduction is in the price already, as
        that of an event ticket which is dearer or cheaper than its product.
        """
        if self.combo_item_id:
            return self._get_linked_line().discount
        rule = self.pricelist_item_id
        if not (
            self.order_id.pricelist_id
            and rule._is_discount_feature_enabled()
            and rule._show_discount()
        ):
            return 0.0
        base = self._get_pricelist_price_before_discount()
        if not base:
            return 0.0
        discount = (base - self._get_pricelist_price()) / base * 100
        # A surcharge is part of the price; of a negative price it is the other way.
        return discount if discount * base > 0 else 0.0

    def _get_stock_shown(self):
        """Return how many units are left, if the shop itself shows that few are.

        Said only where it is true and matters: of products that cannot be ordered
        beyond their stock, when the shop shows it from this threshold on (Odoo's
        ``website_sale_stock``).

        :return: units left; None when nothing is to be said
        :rtype: float | None
        """
        self.ensure_one()
        product, website = self.product_id, self.order_id.website_id
        if "show_availability" not in product._fields:
            return None  # Without that module no shop shows its stock.
        if (
            not product.is_storable
            or product.allow_out_of_stock_order
            or not product.show_availability
        ):
            return None
        left = website._get_product_available_qty(product.sudo())
        return left if 0 < left <= product.available_threshold else None
