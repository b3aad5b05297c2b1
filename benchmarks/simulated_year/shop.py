"""The shop of the simulation: its catalogue and its customers."""

import pathlib
import sys

from odoo import fields

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import make_customers  # noqa: E402

PRODUCTS = 60
# Products with a stock of their own, which runs out and comes back.
STOCKED = 10


class Shop:
    """A website with products, in a database of its own.

    :ivar env: Odoo's environment
    :ivar website: the website
    :ivar products: ``product.product`` records, read together
    :ivar first_customer: the id before the first customer's
    """

    def __init__(self, env, draw, customers):
        self.env, self.draw, self.customers = env, draw, customers
        self.company = env.company
        self.website = env["website"].search([("company_id", "=", self.company.id)])[0]
        self.opened_at = fields.Datetime.now()
        self._set_up_company()
        self.products = self._make_products()
        self.first_customer = make_customers(env, customers)
        self._give_telephones()
        self._switch_everything_on()
        env["sale.order"].search([("website_id", "!=", False)]).cart_activity_at = False

    def _set_up_company(self):
        self.company.write(
            {
                "email": "shop@example.com",
                "street": "1 Market Street",
                "city": "San Francisco",
                "country_id": self.env.ref("base.us").id,
                "consent_policy": "soft_opt_in",
            }
        )
        self.website.cart_recovery_enabled = True

    def _give_telephones(self):
        """Let every other customer have a telephone."""
        self.env.cr.execute(
            """UPDATE res_partner
                  SET phone = '+120255' || lpad((id %% 100000)::varchar, 5, '0'),
                      phone_sanitized
                          = '+120255' || lpad((id %% 100000)::varchar, 5, '0')
                WHERE id > %s AND id <= %s AND id %% 2 = 0""",
            [self.first_customer, self.first_customer + self.customers],
        )
        self.env.invalidate_all(flush=False)

    def _switch_everything_on(self):
        """Use what is shipped: coupons for larger carts, and a control group."""
        offers = self.env.ref("marketing_automation.sequence_cart_offers")
        offers.write({"active": True, "sequence": 1, "minimum_amount": 150})
        self.env["marketing.sequence"].search([]).holdout_percent = 10

    def _make_products(self):
        can_be_out = "allow_out_of_stock_order" in self.env["product.product"]._fields
        category = self.env["product.public.category"].create({"name": "All"})
        return self.env["product.product"].create(
            [
                {
                    "name": f"Product {number}",
                    "list_price": self.draw.randint(500, 15000) / 100,
                    "standard_price": self.draw.randint(100, 400) / 100,
                    "taxes_id": False,
                    "is_published": True,
                    "public_categ_ids": [(6, 0, category.ids)],
                    **(
                        {"is_storable": True, "allow_out_of_stock_order": False}
                        if can_be_out and number < STOCKED
                        else {}
                    ),
                }
                for number in range(PRODUCTS)
            ]
        )

    def email_of(self, number):
        """Return the address of a customer, counted from 1."""
        return f"customer{number}@example.com"

    def partner_of(self, number):
        """Return the contact of a customer, counted from 1."""
        return self.env["res.partner"].browse(self.first_customer + number)

    def change(self, ledger):
        """Let a day's changes happen to the catalogue."""
        draw = self.draw
        for product in draw.sample(list(self.products), 3):
            product.list_price = round(product.list_price * draw.uniform(0.8, 1.2), 2)
        hidden = draw.choice(list(self.products))
        hidden.is_published = not hidden.is_published
        for product in self.products[:STOCKED]:
            if "allow_out_of_stock_order" in product._fields and draw.random() < 0.3:
                self._count_stock(product, draw.choice((0, 0, 5, 50)))
        ledger.note("changes of the catalogue")

    def _count_stock(self, product, quantity):
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        location = warehouse.lot_stock_id
        quants = self.env["stock.quant"].sudo()
        there = quants._get_available_quantity(product, location)
        if quantity != there:
            quants._update_available_quantity(product, location, quantity - there)
