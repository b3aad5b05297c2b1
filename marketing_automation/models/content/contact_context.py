"""What newsletters say besides: what sells best, and in which segments somebody is."""

from collections import defaultdict
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...tools.trusted_context import heard, say
from ..large_index import LargeIndex

# A block shows so many best sellers.
MAX_RECOMMENDED = 4
# They are what the last orders of the website were about: so many at most, and not
# older than this.
RECENT_ORDERS = 2_000
RECENT_DAYS = 180
# In the context, from our own code alone: which values the templates mention.
MENTIONED = "marketing_mentioned"
# Of an order with more lines than this, so many are looked at.
MOST_LINES = 500
# So many are looked at for each one shown: some cannot be bought at this moment.
SPARE = 6


class MarketingTemplateContext(models.AbstractModel):
    _inherit = "marketing.template.context"

    def _prepare_contact_contexts(self, messages):
        mentioned = messages._find_mentioned(("recommended", "segments"))
        builder = self.with_context(**{MENTIONED: say(" ".join(mentioned))})
        contexts = super(MarketingTemplateContext, builder)._prepare_contact_contexts(
            messages
        )
        segments = defaultdict(list)
        if "segments" in mentioned:
            segments = self._find_segment_names(messages)
        for message in messages:
            contexts[message.id]["segments"] = segments[message.id]
        return contexts

    def _prepare_contact_surroundings(self, message):
        values, lang_code = super()._prepare_contact_surroundings(message)
        recommended = []
        if "recommended" in heard(self.env, MENTIONED).split():
            localized = message.with_context(lang=lang_code)
            website = self._get_website(localized).with_context(lang=lang_code)
            recommended = self._prepare_recommended(website)
        return {**values, "recommended": recommended}, lang_code

    # === BEST SELLERS ===#

    def _prepare_recommended(self, website):
        """Return the best sellers of a website, in the language of its environment.

        A price is named only where it is the same for everybody: what a newsletter
        says is said to all.

        :rtype: list[dict]
        """
        products = website._find_best_sellers(MAX_RECOMMENDED)
        if not products:
            return []
        prices, currency = website._get_prices_today(
            products, products.env["res.partner"]
        )
        has_price = not website._has_several_prices()
        return [
            {
                **self._prepare_product_values(product, website),
                "price": self._format_money(website, currency, prices[product.id])
                if has_price
                else "",
            }
            for product in products
        ]

    # === SEGMENTS ===#

    def _find_segment_names(self, messages):
        """Return the names of the segments each message's recipient is in.

        :rtype: dict[int, list[str]]
        """
        self.env.flush_all()
        names = defaultdict(list)
        for message_id, name in self.env.execute_query(
            SQL(
                """SELECT m.id, segment.name->>'en_US' AS name
                     FROM marketing_message m
                     JOIN segment_membership member ON member.partner_id = m.partner_id
                     JOIN customer_segment segment ON segment.id = member.segment_id
                    WHERE m.id = ANY(%s) AND segment.active
                      AND (segment.company_id IS NULL
                           OR segment.company_id = m.company_id)
                    ORDER BY m.id, name""",
                messages.ids,
            )
        ):
            names[message_id].append(name)
        return names


class Website(models.Model):
    _inherit = "website"

    def _find_best_sellers(self, limit):
        """Return what was in most of the last orders and can be ordered now.

        :param int limit: number of products
        :return: one variant of each, the most ordered first
        :rtype: product.product
        """
        self.ensure_one()
        self.env.flush_all()
        found = self.env["product.product"].browse(
            product_id
            for (product_id,) in self.env.execute_query(
                self._sql_best_sellers(limit * SPARE)
            )
        )
        return self._filter_sellable(found)[:limit].with_env(self.env)

    def _sql_best_sellers(self, limit):
        """Return a query with the most ordered variant of the most ordered products."""
        return SQL(
            """
            WITH recent AS (
                SELECT id FROM sale_order
                 WHERE date_order >= %(since)s AND website_id = %(website_id)s
                   AND state = 'sale'
                 ORDER BY date_order DESC, id DESC LIMIT %(orders)s),
            sold AS (
                SELECT line.product_id, variant.product_tmpl_id AS template_id,
                       count(DISTINCT recent.id) AS orders
                  FROM recent
                  -- The limit keeps it at looking up each order's lines, whatever the
                  -- statistics say: all lines of the shop are far more.
                 CROSS JOIN LATERAL (
                       SELECT product_id FROM sale_order_line
                        WHERE order_id = recent.id AND product_uom_qty > 0
                          AND reward_id IS NULL AND NOT COALESCE(is_delivery, FALSE)
                        LIMIT %(lines)s) line
                  JOIN product_product variant ON variant.id = line.product_id
                 WHERE variant.active
                 GROUP BY line.product_id, variant.product_tmpl_id),
            best AS (
                SELECT template_id, sum(orders) AS orders,
                       (array_agg(product_id ORDER BY orders DESC, product_id))[1]
                           AS product_id
                  FROM sold GROUP BY template_id)
            SELECT best.product_id FROM best
              JOIN product_template template ON template.id = best.template_id
             WHERE template.active AND template.sale_ok AND template.is_published
             ORDER BY best.orders DESC, best.template_id LIMIT %(limit)s""",
            since=fields.Datetime.now() - timedelta(days=RECENT_DAYS),
            website_id=self.id,
            orders=RECENT_ORDERS,
            lines=MOST_LINES,
            limit=limit,
        )

    def _has_several_prices(self):
        """Whether two customers may see different prices for the same product."""
        return len(self.sudo().pricelist_ids) > 1 and self.env[
            "res.groups"
        ]._is_feature_enabled("product.group_product_pricelist")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # What the best sellers are found with.
    _website_sold_idx = LargeIndex(
        "(website_id, date_order DESC, id DESC) "
        "WHERE state = 'sale' AND website_id IS NOT NULL"
    )
