"""What a message says about a cart: today's prices, what is left, what is similar."""

import random

from odoo import fields
from odoo.tests import tagged

from odoo.addons.marketing_automation.models.content.merge_tags import (
    SAMPLE_CART_CONTEXT,
)

from .common import MarketingCase


@tagged("standard", "at_install")
class TestCartContent(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "lang": "en_US"})
        cls.category = cls.env["product.public.category"].create({"name": "Crockery"})
        cls.product.product_tmpl_id.public_categ_ids = cls.category
        cls.step = cls.sequence.step_ids[0]

    @classmethod
    def _create_similar(cls, name, price, **vals):
        return cls._create_product(
            name, price, public_categ_ids=[fields.Command.set(cls.category.ids)], **vals
        )

    def _queue(self, **kwargs):
        cart = self._abandon(**kwargs)
        self._shift(cart, days=4)
        self._process_steps()
        return cart.message_ids.sorted("id")[:1]

    def _prepare(self, message):
        contexts = self.env["marketing.template.context"]
        return contexts._prepare_cart_contexts(message)[message.id]

    def _get_line(self, message):
        return self._prepare(message)["cart"]["lines"][0]

    def _limit_stock(self, product, quantity, **vals):
        if "allow_out_of_stock_order" not in product._fields:
            self.skipTest("needs website_sale_stock")
        product.write({"is_storable": True, "allow_out_of_stock_order": False, **vals})
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        if quantity:
            self.env["stock.quant"]._update_available_quantity(
                product, warehouse.lot_stock_id, quantity
            )

    # === PRICES ===#

    def test_price_of_today(self):
        message = self._queue()
        self.product.list_price = 33.0
        line = self._get_line(message)
        self.assertEqual(line["price_unit"], "$\xa033.00")
        self.assertEqual(line["price_subtotal"], "$\xa066.00")
        self.assertEqual(line["price_before"], "")
        order = message.abandoned_cart_id.order_id
        self.assertEqual(order.order_line.price_unit, 20.0, "the cart is untouched")

    def test_price_that_dropped(self):
        message = self._queue()
        self.product.list_price = 15.0
        line = self._get_line(message)
        self.assertEqual(line["price_unit"], "$\xa015.00")
        self.assertEqual(line["price_before"], "$\xa020.00 when you left it")

    def test_amounts_are_those_of_the_cart_page(self):
        """Whatever pricelist, tax and quantity: the message and the cart agree."""
        draw = random.Random(5)
        taxes = self.env["account.tax"].create(
            [
                {"name": f"Test {rate}", "amount": rate, "price_include_override": how}
                for rate, how in ((20, "tax_included"), (10, "tax_excluded"))
            ]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Test", "item_ids": [fields.Command.create({})]}
        )
        products = [self._create_product(f"Product {n}", 10.0) for n in range(4)]
        for _round in range(12):
            for product in products:
                product.taxes_id = draw.choice([taxes, taxes[0], taxes[1], taxes[:0]])
            self.website.show_line_subtotals_tax_selection = draw.choice(
                ["tax_excluded", "tax_included"]
            )
            order = self._create_cart(
                products=[(product, draw.randint(1, 5)) for product in products],
                pricelist_id=draw.choice([pricelist.id, False]),
            )
            for product in products:
                product.list_price = draw.randint(1, 9999) / 100
            pricelist.item_ids.write(
                {
                    "compute_price": "percentage",
                    "applied_on": "3_global",
                    "percent_price": draw.randint(0, 60),
                }
            )
            shown = [line._get_amount_today() for line in order.order_line]
            order._recompute_prices()
            paid = [line._get_cart_display_price() for line in order.order_line]
            for amount, expected in zip(shown, paid, strict=True):
                self.assertAlmostEqual(amount, expected, 2)

    # === STOCK ===#

    def test_few_left_is_said_where_the_shop_says_it(self):
        self._limit_stock(self.product, 3, show_availability=True)
        message = self._queue()
        self.assertEqual(self._get_line(message)["stock_note"], "Only 3 left")
        self.product.available_threshold = 2
        self.assertEqual(self._get_line(message)["stock_note"], "")
        self.product.write({"available_threshold": 5, "show_availability": False})
        self.assertEqual(self._get_line(message)["stock_note"], "")
        self.product.write(
            {"show_availability": True, "allow_out_of_stock_order": True}
        )
        self.assertEqual(self._get_line(message)["stock_note"], "", "it is no limit")

    def test_less_than_wanted_is_always_said(self):
        self._limit_stock(self.product, 1)
        message = self._queue()
        self.assertEqual(self._get_line(message)["stock_note"], "Only 1 available")

    # === SIMILAR PRODUCTS ===#

    def test_replacements_for_what_is_gone(self):
        bowl = self._create_similar("Bowl", 21.0)
        self._create_similar("Hidden bowl", 20.0, is_published=False)
        lamp = self._create_product("Lamp", 50.0)
        message = self._queue(products=[(self.product, 1), (lamp, 1)])
        self.assertEqual(self._prepare(message)["cart"]["replacements"], [])
        self.product.is_published = False
        context = self._prepare(message)
        self.assertEqual([line["name"] for line in context["cart"]["lines"]], ["Lamp"])
        [replacement] = context["cart"]["replacements"]
        self.assertEqual(replacement["name"], "Bowl")
        self.assertEqual(replacement["price"], "$\xa021.00")
        self.assertTrue(replacement["url"].endswith(bowl.website_url))

    def test_replacements_can_be_had(self):
        bowl = self._create_similar("Bowl", 21.0)
        self._limit_stock(bowl, 0)
        lamp = self._create_product("Lamp", 50.0)
        message = self._queue(products=[(self.product, 1), (lamp, 1)])
        self.product.is_published = False
        self.assertEqual(self._prepare(message)["cart"]["replacements"], [])

    def test_offers_as_many_as_the_step_says(self):
        bowls = [self._create_similar(f"Bowl {n}", 20.0 + n) for n in range(4)]
        message = self._queue()
        self.assertEqual(self._prepare(message)["offers"], [])
        self.step.offer_count = 3
        names = [offer["name"] for offer in self._prepare(message)["offers"]]
        self.assertEqual(names, [bowl.name for bowl in bowls[:3]], "nearest in price")

    def test_what_the_shop_chose_comes_first(self):
        self._create_similar("Bowl", 20.0)
        saucer = self._create_product("Saucer", 400.0)
        spoon = self._create_product("Spoon", 4.0)
        template = self.product.product_tmpl_id
        template.alternative_product_ids = saucer.product_tmpl_id
        template.accessory_product_ids = spoon
        self.step.offer_count = 5
        message = self._queue()
        names = [offer["name"] for offer in self._prepare(message)["offers"]]
        self.assertEqual(set(names[:2]), {"Saucer", "Spoon"})
        self.assertEqual(names[2], "Bowl")
        similar = template._find_similar(self.website, 5)[template.id]
        self.assertNotIn(spoon.product_tmpl_id.id, similar, "no replacement")

    def test_offers_are_not_in_the_cart_already(self):
        bowl = self._create_similar("Bowl", 20.0)
        self.step.offer_count = 5
        message = self._queue(products=[(self.product, 1), (bowl, 1)])
        self.assertEqual(self._prepare(message)["offers"], [])

    def test_another_website_s_products_are_not_proposed(self):
        other = self.env["website"].create({"name": "Other"})
        self._create_similar("Bowl", 20.0, website_id=other.id)
        self.step.offer_count = 5
        self.assertEqual(self._prepare(self._queue())["offers"], [])

    def test_at_most_five(self):
        self._assert_error(lambda: self.step.write({"offer_count": 6}))

    # === RENDERED ===#

    def test_blocks_show_it_all(self):
        for name in ("Bowl", "Cup", "Jug", "Pot"):
            self._create_similar(name, 20.0)
        plate = self._create_similar("Plate", 30.0)
        lamp = self._create_product("Lamp", 50.0)
        self.step.write(
            {
                "offer_count": 1,
                "template_id": self.env.ref("marketing_automation.template_cart_2").id,
            }
        )
        message = self._queue(products=[(self.product, 2), (plate, 1), (lamp, 1)])
        plate.is_published = False
        self.product.list_price = 15.0
        context = self._prepare(message)
        rendered = message.template_id._render(context)
        for part in (rendered.html, rendered.text):
            part = part.replace("&nbsp;", "\xa0")
            self.assertIn("$\xa020.00 when you left it", part)
            self.assertIn("In place of what is no longer available", part)
            self.assertIn("You might also like", part)
            self.assertNotIn("Plate", part)
            for name in ("Bowl", "Cup", "Jug", "Pot"):
                self.assertIn(name, part)
        self.assertEqual(set(context), set(SAMPLE_CART_CONTEXT))
