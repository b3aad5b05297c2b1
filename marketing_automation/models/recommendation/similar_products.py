from odoo import fields, models
from odoo.tools import SQL

# What says that two products are alike, and how much it counts. Whoever keeps the
# catalogue knows best; then what the products have in common.
WEIGHTS = {"chosen": 100, "category": 10, "tag": 6, "price": 5}
# So many are looked at for each one shown: some cannot be bought at this moment.
SPARE = 4


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def _find_similar(self, website, limit, with_accessories=False):
        """Return the products of a website's catalogue that are most like these.

        Alternatives that the shop chose come first, then products with categories of
        the shop, tags and a price in common. Something has to be in common: a price
        near by is not enough. Stock is not looked at.

        :param website website: whose catalogue
        :param int limit: at most so many for each product
        :param bool with_accessories: what goes with a product counts as similar, too;
            wrong where something has to take its place
        :return: ids of templates, the most similar first, by template
        :rtype: dict[int, list[int]]
        """
        similar = {template_id: [] for template_id in self.ids}
        if not self or limit <= 0:
            return similar
        self.env.flush_all()
        for template_id, other_id in self.env.execute_query(
            self._sql_similar(website, limit, with_accessories)
        ):
            similar[template_id].append(other_id)
        return similar

    def _sql_similar(self, website, limit, with_accessories):
        """Return a query with the pairs (template, similar template), best first."""
        return SQL(
            """
            WITH common AS (
                SELECT src_id AS id, dest_id AS other_id, %(chosen)s AS points
                  FROM product_alternative_rel WHERE src_id = ANY(%(ids)s)
                UNION ALL
                SELECT chosen.src_id, variant.product_tmpl_id, %(chosen)s
                  FROM product_accessory_rel chosen
                  JOIN product_product variant ON variant.id = chosen.dest_id
                 WHERE chosen.src_id = ANY(%(ids)s) AND %(with_accessories)s
                UNION ALL
                SELECT own.product_template_id, other.product_template_id, %(category)s
                  FROM product_public_category_product_template_rel own
                  JOIN product_public_category_product_template_rel other
                    ON other.product_public_category_id
                           = own.product_public_category_id
                 WHERE own.product_template_id = ANY(%(ids)s)
                UNION ALL
                SELECT own.product_template_id, other.product_template_id, %(tag)s
                  FROM product_tag_product_template_rel own
                  JOIN product_tag_product_template_rel other
                    ON other.product_tag_id = own.product_tag_id
                 WHERE own.product_template_id = ANY(%(ids)s)),
            scored AS (
                SELECT common.id, common.other_id,
                       sum(common.points)
                       -- All of it at the same price, nothing at twice or half of it.
                       + %(price)s * GREATEST(0, 1 - abs(ln(
                             GREATEST(max(other.list_price), 0.01)
                             / GREATEST(max(own.list_price), 0.01))) / ln(2.0))
                       AS score
                  FROM common
                  JOIN product_template own ON own.id = common.id
                  JOIN product_template other ON other.id = common.other_id
                 WHERE common.other_id != common.id
                   AND other.active AND other.sale_ok AND other.is_published
                   AND (other.website_id IS NULL OR other.website_id = %(website_id)s)
                   AND (other.company_id IS NULL OR other.company_id = %(company_id)s)
                 GROUP BY common.id, common.other_id),
            ranked AS (
                SELECT id, other_id, row_number() OVER (
                           PARTITION BY id ORDER BY score DESC, other_id) AS place
                  FROM scored)
            SELECT id, other_id FROM ranked
             WHERE place <= %(limit)s ORDER BY id, place""",
            **WEIGHTS,
            ids=self.ids,
            website_id=website.id,
            company_id=website.company_id.id,
            with_accessories=with_accessories,
            limit=limit,
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _find_offers(self, products, limit, known=None, with_accessories=True):
        """Return products to propose with this cart: like these, not in the cart, and
        to be had at this moment.

        Each of ``products`` has its turn, so that one of them does not choose all. With
        a quotation nothing is: what it offers is for its sales person to say.

        :param product.product products: what the proposals should be like
        :param int limit: number of products
        :param product.product known: what was proposed already; may be empty
        :param bool with_accessories: False where something has to take their place
        :rtype: product.product
        """
        self.ensure_one()
        if not self.website_id:
            return products.browse()
        templates = products.product_tmpl_id
        similar = templates._find_similar(
            self.website_id, limit * SPARE, with_accessories
        )
        seen = set((self.order_line.product_id.product_tmpl_id | templates).ids)
        seen.update(known.product_tmpl_id.ids if known else ())
        offers = products.browse()
        for place in range(limit * SPARE):
            for template in templates:
                if len(offers) == limit:
                    return offers
                found = similar[template.id][place : place + 1]
                if not found or found[0] in seen:
                    continue
                seen.add(found[0])
                offers |= self._pick_variant(template.browse(found))
        return offers

    def _pick_variant(self, template):
        """Return the first variant of a template that this customer could order now.

        :rtype: product.product
        """
        line = self.env["sale.order.line"]
        for variant in template.product_variant_ids[:SPARE]:
            if not self._is_on_sale(variant, line, line):
                continue
            possible, _warning = self._verify_updated_quantity(
                line, variant.id, 1, variant.uom_id.id
            )
            if possible > 0 and self._get_offer_amount(variant):
                return variant
        return template.product_variant_ids.browse()

    def _get_offer_amount(self, product):
        """Return what one piece would cost in this cart, as the website shows prices.

        :param product.product product: a variant
        :return: amount in the order's currency
        :rtype: float
        """
        self.ensure_one()
        price = self.pricelist_id._get_product_price(
            product, 1.0, currency=self.currency_id, date=fields.Datetime.now()
        )
        own_taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        taxes = self.fiscal_position_id.map_tax(own_taxes)
        price = product._get_tax_included_unit_price_from_price(
            price, own_taxes, product_taxes_after_fp=taxes
        )
        amounts = taxes.compute_all(
            price, self.currency_id, 1.0, product, self.partner_shipping_id
        )
        return amounts[self.website_id._get_shown_amount()]
