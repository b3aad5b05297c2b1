"""What messages say about products, orders and best sellers: of real records."""

from datetime import timedelta
from itertools import count

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.marketing_automation.models.content.contact_context import (
    MAX_RECOMMENDED,
)
from odoo.addons.marketing_automation.models.content.merge_tags import (
    CONTACT_TAGS,
    ORDER_LINE_TAGS,
    ORDER_TAGS,
    PRODUCT_TAGS,
    SAMPLE_CONTACT_CONTEXT,
    SAMPLE_ORDER_CONTEXT,
    SAMPLE_PRODUCT_CONTEXT,
    get_sample,
)

from .common import MarketingCase
from .test_template import shape


class ContentCase(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "lang": "en_US"})
        cls.website.domain = "https://shop.example.com"
        cls.numbers = count(1)
        cls.contexts = cls.env["marketing.template.context"]
        cls.lamp = cls._create_product("Lamp", 64.0)

    def _create_message(self, about=None, partner=None, template=None, **vals):
        partner = partner or self.customer
        number = next(self.numbers)
        return self.env["marketing.message"].create(
            {
                "channel": "email",
                "dedupe_key": f"test:{number}",
                "token": f"token{number}",
                "company_id": self.company.id,
                "website_id": self.website.id,
                "partner_id": partner.id,
                "email": partner.email,
                "email_normalized": partner.email_normalized,
                "about": about,
                "template_id": template and template.id,
                **vals,
            }
        )

    def _order(self, products, **vals):
        order = self._create_cart(
            products=[(product, quantity) for product, quantity in products], **vals
        )
        order.action_confirm()
        return order

    def _out_of_stock(self, product):
        if "allow_out_of_stock_order" not in product._fields:
            self.skipTest("needs website_sale_stock")
        product.write({"is_storable": True, "allow_out_of_stock_order": False})

    def _switch_on_pricelists(self):
        self.env.ref("base.group_user")._apply_group(
            self.env.ref("product.group_product_pricelist")
        )

    def _create_pricelist(self, percent, **vals):
        return self.env["product.pricelist"].create(
            {
                "name": f"-{percent}%",
                "selectable": True,
                "website_id": self.website.id,
                "item_ids": [
                    fields.Command.create(
                        {
                            "compute_price": "percentage",
                            "applied_on": "3_global",
                            "percent_price": percent,
                        }
                    )
                ],
                **vals,
            }
        )


@tagged("standard", "post_install", "-at_install")
class TestProductContext(ContentCase):
    def _prepare(self, *products, **vals):
        message = self._create_message(
            {"products": [{"id": p.id, **facts} for p, facts in products]}, **vals
        )
        return self.contexts._prepare_product_contexts(message)[message.id]

    def test_shape_is_the_sample_s(self):
        context = self._prepare((self.lamp, {"price_before": 79.0}))
        self.assertEqual(shape(context), shape(SAMPLE_PRODUCT_CONTEXT))
        for tag in PRODUCT_TAGS:
            get_sample(tag.name, context)

    def test_values(self):
        context = self._prepare((self.lamp, {}), (self.product, {}))
        self.assertEqual(
            [product["name"] for product in context["products"]], ["Lamp", "Blue mug"]
        )
        self.assertEqual(context["product"], context["products"][0])
        self.assertEqual(context["product"]["price"], "$\xa064.00")
        self.assertEqual(context["product"]["price_before"], "")
        for name in ("url", "image_url"):
            self.assertTrue(
                context["product"][name].startswith("https://shop.example.com/"), name
            )
        self.assertEqual(context["customer"]["first_name"], "Anna")

    def test_price_is_that_of_today_and_of_this_customer(self):
        """As a cart of the same customer would have it."""
        self._switch_on_pricelists()
        self.customer.property_product_pricelist = self._create_pricelist(25)
        self._create_pricelist(0)
        tax = self.env["account.tax"].create(
            {"name": "20 %", "amount": 20, "price_include_override": "tax_excluded"}
        )
        self.lamp.taxes_id = tax
        stranger = self._create_customer("Bo Chen", "bo@example.com")
        for shown in ("tax_included", "tax_excluded"):
            self.website.show_line_subtotals_tax_selection = shown
            for person in (self.customer, stranger):
                self.lamp.list_price += 10
                order = self._create_cart(partner=person, products=[(self.lamp, 1)])
                expected = order._get_offer_amount(self.lamp)
                prices, currency = self.website._get_prices_today(self.lamp, person)
                self.assertEqual(currency, order.currency_id)
                if person == self.customer:
                    self.assertEqual(
                        order.pricelist_id, person.property_product_pricelist
                    )
                    self.assertAlmostEqual(prices[self.lamp.id], expected, 2)
                    before = self.lamp.list_price * (
                        1.2 if shown == "tax_included" else 1.0
                    )
                    self.assertAlmostEqual(prices[self.lamp.id], before * 0.75, 2)

    def test_price_before_only_where_it_dropped(self):
        fact = {"price_before": 79.0, "currency_id": self.company.currency_id.id}
        product = self._prepare((self.lamp, fact))["product"]
        self.assertEqual(product["price_before"], "$\xa079.00")
        self.lamp.list_price = 80.0
        context = self._prepare((self.lamp, fact))
        self.assertEqual((context["product"], context["products"]), ({}, []))

    def test_another_currency_says_nothing_about_a_price(self):
        other = self.env["res.currency"].search(
            [("id", "!=", self.company.currency_id.id)], limit=1
        )
        fact = {"price_before": 790.0, "currency_id": other.id}
        self.assertEqual(self._prepare((self.lamp, fact))["products"], [])

    def test_what_cannot_be_ordered_is_left_out(self):
        for vals in ({"is_published": False}, {"sale_ok": False}, {"active": False}):
            lamp = self._create_product("Lamp", 1.0)
            lamp.write(vals)
            context = self._prepare((lamp, {}), (self.product, {}))
            names = [product["name"] for product in context["products"]]
            self.assertEqual(names, ["Blue mug"], vals)
        gone = self._create_product("Gone", 1.0)
        message = self._create_message({"products": [{"id": gone.id}]})
        gone.unlink()
        context = self.contexts._prepare_product_contexts(message)[message.id]
        self.assertEqual(context["products"], [])

    def test_sold_out_is_left_out(self):
        self._out_of_stock(self.lamp)
        self.assertEqual(self._prepare((self.lamp, {}))["products"], [])

    def test_message_about_nothing_is_skipped(self):
        template = self.env.ref("marketing_automation.template_back_in_stock")
        self.lamp.is_published = False
        message = self._create_message(
            {"products": [{"id": self.lamp.id}]}, template=template
        )
        composer = self.env["marketing.composer"]
        self.assertEqual(composer._prepare_contexts(template, message), {})
        self.assertEqual(
            (message.state, message.reason), ("skipped", "nothing_available")
        )

    def test_language_of_the_recipient(self):
        self.env["res.lang"]._activate_lang("hu_HU")
        self.lamp.with_context(lang="hu_HU").name = "Lámpa"
        context = self._prepare((self.lamp, {}), lang="hu_HU")
        self.assertEqual(context["product"]["name"], "Lámpa")
        self.assertEqual(context["labels"]["view"], "Termék megtekintése")
        self.assertEqual(context["language"], "hu")

    def test_templates_render(self):
        fact = {"price_before": 79.0}
        context = self._prepare((self.lamp, fact), (self.product, {}))
        for name in ("back_in_stock", "price_drop", "browse_reminder"):
            template = self.env.ref(f"marketing_automation.template_{name}")
            rendered = template._render(context)
            for part in (rendered.html.replace("&nbsp;", "\xa0"), rendered.text):
                self.assertIn("$\xa064.00", part)
                self.assertIn("$\xa079.00", part)
                self.assertIn("Blue mug", part)

    def test_test_message_shows_samples(self):
        context = self._prepare()
        self.assertEqual(context["product"], SAMPLE_PRODUCT_CONTEXT["product"])


@tagged("standard", "post_install", "-at_install")
class TestOrderContext(ContentCase):
    def _prepare(self, order, **vals):
        message = self._create_message({"order_id": order.id}, **vals)
        return self.contexts._prepare_order_contexts(message)[message.id]

    def test_shape_is_the_sample_s(self):
        context = self._prepare(self._order([(self.lamp, 1)]))
        self.assertEqual(shape(context), shape(SAMPLE_ORDER_CONTEXT))
        for tag in (*ORDER_TAGS, *ORDER_LINE_TAGS):
            get_sample(tag.name, context)

    def test_values(self):
        order = self._order([(self.lamp, 1), (self.product, 2)])
        values = self._prepare(order)["order"]
        self.assertEqual(values["name"], order.name)
        self.assertEqual((values["count"], values["more_count"]), (3, 0))
        self.assertEqual(values["total"], "$\xa0104.00")
        mug = values["lines"][1]
        self.assertEqual((mug["name"], mug["quantity"]), ("Blue mug", 2))
        self.assertEqual(mug["price_unit"], "$\xa020.00")
        self.assertEqual(mug["price_subtotal"], "$\xa040.00")
        self.assertTrue(mug["review_url"].startswith(mug["url"]))
        self.assertIn(order.access_token, values["url"])

    def test_amounts_are_those_of_the_order(self):
        order = self._order([(self.lamp, 2)])
        self.lamp.list_price = 1.0
        [line] = self._prepare(order)["order"]["lines"]
        self.assertEqual(line["price_subtotal"], "$\xa0128.00")

    def test_no_review_of_what_has_no_page(self):
        order = self._order([(self.lamp, 1)])
        self.lamp.is_published = False
        context = self._prepare(order)
        [line] = context["order"]["lines"]
        self.assertEqual((line["url"], line["review_url"]), ("", ""))
        template = self.env.ref("marketing_automation.template_review_request")
        rendered = template._render(context)
        self.assertIn("Lamp", rendered.text)
        self.assertNotIn("Write a review", rendered.text)

    def test_notes_and_many_lines(self):
        products = [(self._create_product(f"P{n}", 1.0), 1) for n in range(8)]
        order = self._order(products)
        order.order_line = [
            fields.Command.create({"display_type": "line_note", "name": "Thanks"})
        ]
        context = self._prepare(order)
        self.assertEqual(len(context["order"]["lines"]), 6)
        self.assertEqual(context["order"]["more_count"], 2)
        self.assertEqual(context["labels"]["more"], "and 2 more")

    def test_cancelled_order_is_skipped(self):
        order = self._order([(self.lamp, 1)])
        order._action_cancel()
        template = self.env.ref("marketing_automation.template_review_request")
        message = self._create_message({"order_id": order.id}, template=template)
        composer = self.env["marketing.composer"]
        self.assertEqual(composer._prepare_contexts(template, message), {})
        self.assertEqual(message.reason, "nothing_available")

    def test_order_is_gone(self):
        order = self._create_cart()
        message = self._create_message({"order_id": order.id})
        order.unlink()
        context = self.contexts._prepare_order_contexts(message)[message.id]
        sample = {**SAMPLE_ORDER_CONTEXT["order"], "lines": []}
        self.assertEqual(shape(context["order"]), shape(sample))


@tagged("standard", "post_install", "-at_install")
class TestContactContext(ContentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.newsletter = cls._create_contact_template(
            body_html='{% if "VIP" in segments %}Our best{% else %}Hi{% endif %}'
            '{% include "recommended" %}'
        )
        # Demo data sells things, too.
        cls.env["sale.order"].search([("website_id", "!=", False)]).website_id = False

    def _prepare(self, **vals):
        message = self._create_message(**{"template": self.newsletter, **vals})
        return self.contexts._prepare_contact_contexts(message)[message.id]

    def _get_names(self):
        return [product["name"] for product in self._prepare()["recommended"]]

    def _sell(self, product, times=1, **vals):
        for _time in range(times):
            self._order([(product, 1)], **vals)

    def test_shape_is_the_sample_s(self):
        self._sell(self.lamp)
        self._add_to_segment("VIP")
        step = self.sequence.step_ids[0]
        step.write(
            {
                "coupon_use": "new",
                "coupon_id": self.env.ref("marketing_automation.coupon_10_percent").id,
            }
        )
        message = self._create_message(template=self.newsletter, step_id=step.id)
        self.env["marketing.coupon"]._create_cards(message)
        context = self.contexts._prepare_contact_contexts(message)[message.id]
        self.assertEqual(shape(context), shape(SAMPLE_CONTACT_CONTEXT))
        self.assertIsNone(self._prepare()["coupon"])
        for tag in CONTACT_TAGS:
            get_sample(tag.name, context)

    def _add_to_segment(self, name, **vals):
        segment = self.env["customer.segment"].create(
            {"name": name, "kind": "static", **vals}
        )
        segment._add(SQL("SELECT %s", self.customer.id), "manual")

    def test_segments(self):
        for name in ("VIP", "Gardeners"):
            self._add_to_segment(name)
        other = self.env["res.company"].create({"name": "Other"})
        self._add_to_segment("Theirs", company_id=other.id)
        self.assertEqual(self._prepare()["segments"], ["Gardeners", "VIP"])
        stranger = self._create_customer("Bo Chen", "bo@example.com")
        for person, text in ((self.customer, "Our best"), (stranger, "Hi")):
            context = self._prepare(partner=person, lang="en_US")
            self.assertIn(text, self.newsletter._render(context).text)

    def test_best_sellers_first(self):
        self._sell(self.product)
        self._sell(self.lamp, 2)
        self.assertEqual(self._get_names(), ["Lamp", "Blue mug"])

    def test_pieces_do_not_count(self):
        """One large order makes no best seller."""
        self._order([(self.product, 500)])
        self._sell(self.lamp, 2)
        self.assertEqual(self._get_names(), ["Lamp", "Blue mug"])

    def test_only_what_can_be_ordered(self):
        for vals in ({"is_published": False}, {"sale_ok": False}, {"active": False}):
            product = self._create_product("Hidden", 1.0)
            self._sell(product)
            product.write(vals)
        self._sell(self.lamp)
        self.assertEqual(self._get_names(), ["Lamp"])

    def test_sold_out(self):
        self._sell(self.lamp)
        self._sell(self.product)
        self._out_of_stock(self.lamp)
        self.assertEqual(self._get_names(), ["Blue mug"])

    def test_other_orders_do_not_count(self):
        other = self.env["website"].create({"name": "Other"})
        self._sell(self.product, website_id=other.id)
        self._create_cart(products=[(self.product, 1)])
        self._order([(self.product, 1)])._action_cancel()
        old = self._order([(self.product, 1)])
        old.date_order -= timedelta(days=365)
        self.assertEqual(self._get_names(), [])

    def test_at_most_so_many(self):
        for number in range(MAX_RECOMMENDED + 2):
            self._sell(self._create_product(f"P{number}", 1.0))
        self.assertEqual(len(self._get_names()), MAX_RECOMMENDED)

    def test_price_is_named_where_it_is_everybody_s(self):
        self._sell(self.lamp)
        self.assertEqual(self._prepare()["recommended"][0]["price"], "$\xa064.00")
        self._switch_on_pricelists()
        self._create_pricelist(0)
        self._create_pricelist(50)
        self.env.invalidate_all()
        self.assertEqual(self._prepare(lang="en_US")["recommended"][0]["price"], "")

    def test_once_for_a_batch(self):
        self._sell(self.lamp)
        messages = self.env["marketing.message"]
        for number in range(5):
            person = self._create_customer(f"P{number}", f"p{number}@example.com")
            messages += self._create_message(partner=person, template=self.newsletter)
        calls = []
        find = type(self.website)._find_best_sellers

        def find_and_count(website, limit):
            calls.append(website)
            return find(website, limit)

        self.patch(type(self.website), "_find_best_sellers", find_and_count)
        contexts = self.contexts._prepare_contact_contexts(messages)
        self.assertEqual(len(calls), 1)
        self.assertEqual(len(contexts), 5)
        self.assertTrue(all(context["recommended"] for context in contexts.values()))

    def test_what_nobody_mentions_is_not_looked_for(self):
        self._sell(self.lamp)
        self._add_to_segment("VIP")
        context = self._prepare(template=self._create_contact_template())
        self.assertEqual((context["recommended"], context["segments"]), ([], []))

    def test_block(self):
        self._sell(self.lamp)
        template = self.env.ref("marketing_automation.template_welcome")
        rendered = template._render(self._prepare())
        self.assertIn("Popular in our shop", rendered.html)
        self.assertIn("Lamp", rendered.text)
        empty = {**self._prepare(lang="en_US"), "recommended": []}
        self.assertNotIn("Popular in our shop", template._render(empty).html)
