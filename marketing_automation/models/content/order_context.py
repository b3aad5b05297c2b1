"""What a message says about an order that was placed."""

from odoo import models
from odoo.tools import format_date

from ...tools.shop_url import get_shop_url
from .cart_context import MAX_LINES, make_whole

# Where Odoo's product page has its reviews.
REVIEWS = "#o_product_page_reviews"
# What is left of one that was deleted.
NO_ORDER = {
    **dict.fromkeys(("name", "date", "total", "url"), ""),
    "lines": [],
    "count": 0,
    "more_count": 0,
}


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    def _prepare_order_contexts(self, messages):
        """Build the context of messages about orders.

        The shape is the one of ``SAMPLE_ORDER_CONTEXT``. Amounts are those of the
        order. Of one that was cancelled, or is gone, there are no lines.

        :param messages: ``marketing.message`` records; ``about`` names the order
        :return: one context for each message
        :rtype: dict[int, dict]
        """
        return {
            message.id: self._prepare_order_context(message, website, surroundings)
            for message, website, surroundings in self._iter_surrounded(messages)
        }

    def _prepare_order_context(self, message, website, surroundings):
        values = self._prepare_person_values(message, surroundings)
        order = self._prepare_order_values(message, website)
        reason = message.env._(
            "You receive this email because you ordered at %(shop)s.",
            shop=surroundings["shop"]["name"],
        )
        more = message.env._("and %(count)s more", count=order["more_count"])
        labels = {**values["labels"], "reason": reason, "more": more}
        return {**values, "labels": labels, "order": order}

    def _prepare_order_values(self, message, website):
        order_id = (message.about or {}).get("order_id")
        if not order_id:  # A test of the template.
            return self._get_samples(message)["order"]["order"]
        order = message.env["sale.order"].browse(order_id).exists()
        if not order:
            return NO_ORDER
        lines = self._get_ordered_lines(order)
        return {
            "name": order.name,
            "date": format_date(message.env, order.date_order),
            "lines": [
                self._prepare_ordered_line(line, website) for line in lines[:MAX_LINES]
            ],
            "count": make_whole(sum(lines.mapped("product_uom_qty"))),
            "more_count": max(len(lines) - MAX_LINES, 0),
            "total": self._format_money(message, order.currency_id, order.amount_total),
            "url": get_shop_url(website) + order.get_portal_url(),
        }

    def _get_ordered_lines(self, order):
        """Return the products of an order that holds, as the customer chose them."""
        lines = order.order_line.filtered(
            lambda line: line._is_recoverable_line() and line.product_uom_qty > 0
        )
        return lines if order.state == "sale" else lines.browse()

    def _prepare_ordered_line(self, line, website):
        amount, quantity = line._get_cart_display_price(), line.product_uom_qty
        values = self._prepare_product_values(line.product_id, website)
        return {
            **values,
            "quantity": make_whole(quantity),
            "price_unit": self._format_money(line, line.currency_id, amount / quantity),
            "price_subtotal": self._format_money(line, line.currency_id, amount),
            "review_url": values["url"] and f"{values['url']}{REVIEWS}",
        }
