"""What a website asks for products today, of one person or of anybody."""

from odoo import fields, models


class Website(models.Model):
    _inherit = "website"

    def _get_person_pricelist(self, partner):
        """Return the pricelist this website would show somebody, as when they log in.

        :param res.partner partner: may be empty: anybody
        :return: empty where the shop uses no pricelists
        :rtype: product.pricelist
        """
        self.ensure_one()
        pricelists = self.env["product.pricelist"].sudo()
        if not self.env["res.groups"]._is_feature_enabled(
            "product.group_product_pricelist"
        ):
            return pricelists
        website = self.sudo().with_company(self.company_id)
        person = partner or website.user_id.partner_id
        own = person.with_company(self.company_id).sudo().property_product_pricelist
        available = website._get_pl_partner_order(
            person.country_id.code or False,
            False,
            current_pl_id=None,
            website_pricelist_ids=tuple(website.pricelist_ids.ids),
            partner_pl_id=own.id,
        )
        return own if own.id in available else pricelists.browse(available[:1])

    def _get_prices_today(self, products, partner):
        """Return what one piece of each product costs on this website today.

        :param product.product products: variants
        :param res.partner partner: who would buy; empty: anybody
        :return: amounts by variant id, with or without taxes as the shop shows prices,
            and their currency
        :rtype: tuple[dict[int, float], res.currency]
        """
        self.ensure_one()
        company = self.company_id
        products = products.sudo().with_company(company)
        pricelist = self._get_person_pricelist(partner)
        currency = pricelist.currency_id or company.currency_id
        prices = pricelist.with_company(company)._get_products_price(
            products, 1.0, currency=currency, date=fields.Datetime.now()
        )
        person = partner or self.user_id.partner_id
        position = (
            self.env["account.fiscal.position"]
            .sudo()
            .with_company(company)
            ._get_fiscal_position(person)
        )
        return {
            product.id: self._get_shown_price(
                product, prices[product.id], currency, position, person
            )
            for product in products
        }, currency

    def _get_shown_price(self, product, price, currency, position, partner):
        own_taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        taxes = position.map_tax(own_taxes)
        price = product._get_tax_included_unit_price_from_price(
            price, own_taxes, product_taxes_after_fp=taxes
        )
        amounts = taxes.compute_all(price, currency, 1.0, product, partner)
        return amounts[self._get_shown_amount()]

    def _filter_sellable(self, products):
        """Return those of these variants that could be ordered on this website now.

        :param product.product products: variants
        :rtype: product.product
        """
        self.ensure_one()
        return products.sudo().filtered(
            lambda product: (
                product.active
                and product.sale_ok
                and product.is_published
                and product.website_id in (product.website_id.browse(), self)
                and product.company_id in (product.company_id.browse(), self.company_id)
                and not self._is_out_of_stock(product)
            )
        )

    def _is_out_of_stock(self, product):
        """Whether the shop does not sell a product because there is none left (Odoo's
        ``website_sale_stock``; without it every shop sells everything)."""
        if "allow_out_of_stock_order" not in product._fields:
            return False
        if not product.is_storable or product.allow_out_of_stock_order:
            return False
        return self._get_product_available_qty(product.sudo()) <= 0
