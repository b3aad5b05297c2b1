"""What a message says about a cart: as it is at this moment, at today's prices."""

from odoo import models
from odoo.tools import format_amount

from ...tools.shop_url import get_shop_url
from ...tools.shopper_text import clean_text

# An email shows so many lines of a cart; the rest is counted.
MAX_LINES = 6
# So many products are proposed in place of those that are not to be had any more.
MAX_REPLACEMENTS = 3


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    # === THE CART ===#

    def _prepare_cart_values(self, cart, website):
        order = cart.order_id
        currency = order.currency_id or cart.currency_id
        lines = order._get_cart_lines()
        amounts = {line: line._get_amount_today() for line in lines}
        shown = lines
        if len(lines) > MAX_LINES:
            shown = lines.sorted(amounts.get, reverse=True)[:MAX_LINES]
        total = currency.round(sum(amounts.values()))
        recovery_url = get_shop_url(website) + cart._get_recovery_path()
        return {
            "lines": [
                self._prepare_line_values(line, amounts[line], cart, website)
                for line in shown
            ],
            "count": make_whole(sum(lines.mapped("product_uom_qty"))),
            "more_count": len(lines) - len(shown),
            "total": self._format_money(cart, currency, total),
            "total_amount": total,
            "total_note": self._get_total_note(order, lines),
            "currency": currency.name,
            "recovery_url": recovery_url,
            "payment_url": f"{recovery_url}?to=payment",
            "replacements": self._prepare_replacements(order, lines, website),
        }

    def _get_total_note(self, order, lines):
        """Say what the sum of the lines leaves out, if it leaves out anything."""
        total = sum(line._get_cart_display_price() for line in lines)
        if not order or not order.currency_id.compare_amounts(
            total, order.amount_total
        ):
            return ""
        return order.env._("Before taxes, delivery and discounts")

    def _prepare_line_values(self, line, amount, cart, website):
        product = line.product_id
        currency = line.currency_id
        quantity = line.product_uom_qty
        unit = amount / quantity if quantity else line._get_displayed_unit_price()
        before = self._get_higher_price_before(line, unit, cart)
        return {
            **self._prepare_product_values(product, website),
            "quantity": make_whole(quantity),
            "price_unit": self._format_money(line, currency, unit),
            "price_subtotal": self._format_money(line, currency, amount),
            "price_before": before
            and line.env._(
                "%(price)s when you left it",
                price=self._format_money(line, currency, before),
            ),
            "stock_note": self._get_stock_note(line),
        }

    def _prepare_product_values(self, product, website):
        base_url = get_shop_url(website)
        return {
            "name": self._get_product_name(product),
            # Odoo answers with a placeholder when the product has no picture.
            "image_url": base_url + website.image_url(product, "image_256"),
            "url": base_url + product.website_url if product.is_published else "",
        }

    def _get_higher_price_before(self, line, unit, cart):
        """Return the price of one when the cart was left, if it is lower today.

        :param float unit: today's price, as the website shows prices
        :return: an amount; '' where the price is the same, higher or not known
        """
        if line.currency_id != cart.currency_id:
            return ""
        before = [
            kept["price_unit"]
            for kept in cart.lines or []
            if kept["product_id"] == line.product_id.id and kept["price_unit"]
        ]
        # Options have prices of their own: which line it was is not known then.
        if (
            len(set(before)) != 1
            or line.currency_id.compare_amounts(before[0], unit) < 1
        ):
            return ""
        return before[0]

    def _get_stock_note(self, line):
        """Say that few are left: only where it is true, and the shop shows its stock or
        the customer cannot have what they chose."""
        possible = line._get_available_quantity()
        if possible < line.product_uom_qty:
            return line.env._("Only %(count)s available", count=make_whole(possible))
        left = line._get_stock_shown()
        return left and line.env._("Only %(count)s left", count=make_whole(left)) or ""

    def _get_product_name(self, product):
        # Not the line's own name: it stays in the language of the day it was added.
        combination = product.product_template_attribute_value_ids
        variant = combination._get_combination_name()
        name = f"{product.name} ({variant})" if variant else product.name
        return clean_text(name)

    def _format_money(self, record, currency, amount):
        return format_amount(record.env, amount, currency, record.env.lang)

    # === OTHER PRODUCTS ===#

    def _prepare_replacements(self, order, lines, website):
        """Propose something similar in place of what cannot be bought any more."""
        return self._prepare_proposals(
            order, self._find_replacements(order, lines), website
        )

    def _find_replacements(self, order, lines):
        if not order:
            return lines.product_id
        gone = (
            order.order_line.filtered(lambda line: line._is_recoverable_line()) - lines
        ).product_id
        return order._find_offers(gone, MAX_REPLACEMENTS, with_accessories=False)

    def _prepare_offers(self, message, website):
        """Propose products that are similar to what is in the cart (personal offers),
        as many as the step of the sequence says."""
        count = message.step_id.offer_count
        order = message.abandoned_cart_id.order_id
        if not count or not order:
            return []
        lines = order._get_cart_lines()
        known = self._find_replacements(order, lines)
        offers = order._find_offers(lines.product_id, count, known)
        return self._prepare_proposals(order, offers, website)

    def _prepare_proposals(self, order, products, website):
        return [
            {
                **self._prepare_product_values(product, website),
                "price": self._format_money(
                    order, order.currency_id, order._get_offer_amount(product)
                ),
            }
            for product in products
        ]


def make_whole(quantity):
    """Return 2 for 2.0; other quantities are rounded to what people can read."""
    return int(quantity) if quantity == int(quantity) else round(quantity, 3)
