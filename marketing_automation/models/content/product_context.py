"""What a message says about products: at today's prices for the one who reads it."""

from odoo import models

# A message shows so many products.
MAX_PRODUCTS = 6


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    def _prepare_product_contexts(self, messages):
        """Build the context of messages about products.

        The shape is the one of ``SAMPLE_PRODUCT_CONTEXT``. What cannot be ordered now
        is left out, and so is a price that did not drop where the message is about a
        price that did: ``products`` may be empty, ``product`` is empty then.

        :param messages: ``marketing.message`` records; ``about`` names the products
        :return: one context for each message
        :rtype: dict[int, dict]
        """
        return {
            message.id: {
                **self._prepare_person_values(message, surroundings),
                **self._prepare_products(message, website),
            }
            for message, website, surroundings in self._iter_surrounded(messages)
        }

    def _prepare_products(self, message, website):
        wanted = (message.about or {}).get("products")
        if not wanted:  # A test of the template.
            sample = self._get_samples(message)["product"]
            return {name: sample[name] for name in ("product", "products")}
        facts = {fact["id"]: fact for fact in wanted}
        products = message.env["product.product"].browse(facts).exists()
        products = website._filter_sellable(products)[:MAX_PRODUCTS]
        prices, currency = website._get_prices_today(products, message.partner_id)
        listed = []
        for product in products:
            price = prices[product.id]
            before = self._get_price_before(facts[product.id], currency, price)
            if before is None:
                continue
            listed.append(
                {
                    **self._prepare_product_values(product, website),
                    "price": self._format_money(message, currency, price),
                    "price_before": before
                    and self._format_money(message, currency, before),
                }
            )
        return {"product": listed[0] if listed else {}, "products": listed}

    def _get_price_before(self, fact, currency, price):
        """Return what a product cost before, if it costs less today.

        :param dict fact: see ``marketing.message.about``
        :param float price: today's price in ``currency``
        :return: '' where the message is not about a price; None where the price it is
            about did not drop for this person
        """
        before = fact.get("price_before")
        if not before:
            return ""
        if fact.get("currency_id", currency.id) != currency.id:
            return None
        return before if currency.compare_amounts(price, before) < 0 else None
