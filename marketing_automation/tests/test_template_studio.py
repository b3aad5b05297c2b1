from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.website_sale.tests.common import MockRequest

from ..tools.content_checks import MAX_HTML
from .common import FOOTER, MarketingCase


@tagged("post_install", "-at_install")
class TestTemplateStudio(MarketingCase):
    """What the screen of a template asks the server."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.Template = cls.env["marketing.template"]

    def _question(self, template=None, **vals):
        template = template or self.template
        names = ("body_sms",)
        if template.channel == "email":
            names = ("subject", "preheader", "body_html", "body_text")
        sources = {name: template[name] or "" for name in names}
        return {
            "template_id": template.id,
            "channel": template.channel,
            "context": template.context,
            "category": template.category,
            "company_id": False,
            **vals,
            "sources": sources | vals.get("sources", {}),
        }

    def _preview(self, template=None, **vals):
        return self.Template.get_preview(self._question(template, **vals))

    def _levels(self, checks):
        return {check["key"]: check["level"] for check in checks}

    # === PREVIEW ===#

    def test_sample(self):
        answer = self._preview()
        self.assertEqual(answer["errors"], [])
        self.assertEqual(answer["subject"], "News for Anna")
        self.assertIn("Hello Anna", answer["html"])
        self.assertIn("Hello Anna", answer["text"])
        # The shop is our own, only the person is made up.
        self.assertIn(self.company.name, answer["text"])
        self.assertEqual(answer["size"], len(answer["html"].encode()))
        self.assertFalse(answer["is_saved"])

    def test_what_is_typed(self):
        answer = self._preview(sources={"subject": "Hi", "preheader": "There"})
        self.assertEqual((answer["subject"], answer["preheader"]), ("Hi", "There"))
        self.assertEqual(self.template.subject, "News for {{ customer.first_name }}")

    def test_new_template(self):
        question = self._question(sources={"subject": "{{ cart.total }}"})
        question.update(template_id=False, context="cart")
        answer = self.Template.get_preview(question)
        self.assertEqual(answer["subject"], "$ 182.90")

    def test_every_error_at_its_line(self):
        errors = self._preview(
            sources={"subject": "{{ voucher }}", "body_html": "<p>\n{% if x %}"}
        )["errors"]
        self.assertEqual(
            [(error["field"], error["line"]) for error in errors],
            [("subject", 1), ("body_html", 2)],
        )
        self.assertIn("voucher", errors[0]["message"])
        [error] = self._preview(sources={"body_html": "<p>no footer</p>"})["errors"]
        self.assertEqual((error["field"], error["line"]), ("body_html", 0))
        self.assertIn("unsubscribe", error["message"])

    def test_customer(self):
        answer = self._preview(record_id=self.customer.id)
        self.assertEqual(answer["subject"], "News for Anna")
        bo = self._create_customer("Bo", "bo@example.com")
        self.assertEqual(self._preview(record_id=bo.id)["subject"], "News for Bo")
        # A link that ends nothing.
        self.assertIn("/marketing/unsubscribe/preview", answer["html"])

    def test_cart(self):
        cart = self._abandon(products=[(self._create_product("Tour lamp", 49.0), 2)])
        template = self.env.ref("marketing_automation.template_cart_2")
        answer = self._preview(template, record_id=cart.id)
        self.assertEqual(answer["errors"], [])
        self.assertIn("Tour lamp", answer["html"])
        self.assertIn("Anna", answer["html"])
        self.assertNotIn("Stoneware Mug", answer["html"])

    def test_order_and_product(self):
        order = self._create_cart(products=[(self._create_product("Old lamp", 5), 1)])
        order.action_confirm()
        product = self._create_product("New lamp", 5)
        for context, record, said in (
            ("order", order, "Old lamp"),
            ("product", product, "New lamp"),
        ):
            include = {"order": "order_summary", "product": "product_card"}[context]
            question = {
                "template_id": False,
                "channel": "email",
                "context": context,
                "category": "notification",
                "record_id": record.id,
                "sources": {
                    "subject": "{{ customer.first_name }}",
                    "body_html": f'{{% include "{include}" %}}',
                },
            }
            with self.subTest(context):
                answer = self.Template.get_preview(question)
                self.assertEqual(answer["errors"], [])
                self.assertIn(said, answer["html"])
                self.assertEqual(answer["subject"], "Anna")
                found = self.Template.find_recipients(question, record.display_name)
                self.assertIn(record.id, [recipient["id"] for recipient in found])

    def test_segments_of_a_customer(self):
        segment = self.env["customer.segment"].create(
            {"name": "Studio friends", "kind": "static"}
        )
        segment.add_contacts(self.customer.ids)
        source = '{% if "Studio friends" in segments %}yes{% else %}no{% endif %}'
        question = self._question(sources={"subject": source})
        answer = self.Template.get_preview({**question, "record_id": self.customer.id})
        self.assertEqual(answer["subject"], "yes")
        other = self._create_customer("Bo", "bo@example.com")
        answer = self.Template.get_preview({**question, "record_id": other.id})
        self.assertEqual(answer["subject"], "no")
        studio = self.Template.get_studio(question)
        self.assertIn("Studio friends", studio["segments"])

    def test_previews_leave_nothing(self):
        cart = self._abandon()
        models = ("marketing.message", "loyalty.card", "marketing.engagement")
        before = [self.env[model].search_count([]) for model in models]
        self._preview(
            self.env.ref("marketing_automation.template_cart_3"), record_id=cart.id
        )
        self.env.flush_all()
        self.assertEqual([self.env[m].search_count([]) for m in models], before)

    def test_text_message(self):
        template = self._create_contact_template(
            channel="sms", body_sms="{{ shop.name }}: news. Reply STOP to end"
        )
        answer = self._preview(template)
        self.assertTrue(answer["text"].endswith(": news. Reply STOP to end"))
        self.assertEqual(self._levels(answer["checks"])["stop"], "ok")

    def test_languages(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.template.with_context(lang="fr_FR").subject = "Bonjour"
        english = self.Template.with_context(lang="en_US")
        question = self._question(sources={"subject": "Hi", "preheader": "There"})
        answer = english.get_preview({**question, "lang": "fr_FR"})
        self.assertEqual(answer["subject"], "Bonjour")
        # Not translated: what is typed in English stands in for it.
        self.assertEqual(answer["preheader"], "There")
        self.assertTrue(answer["is_saved"])
        self.customer.lang = "fr_FR"
        answer = english.get_preview({**question, "record_id": self.customer.id})
        self.assertEqual((answer["lang"], answer["subject"]), ("fr_FR", "Bonjour"))

    def test_every_context_and_channel(self):
        for context in ("cart", "contact", "opt_in", "product", "order"):
            for channel in ("email", "sms"):
                question = {
                    "template_id": False,
                    "channel": channel,
                    "context": context,
                    "category": "notification",
                    "sources": {"subject": "x", "body_html": "x", "body_sms": "x"},
                }
                with self.subTest(context, channel=channel):
                    self.assertEqual(self.Template.get_preview(question)["errors"], [])
                    studio = self.Template.get_studio(question)
                    self.assertTrue(studio["tags"] and studio["blocks"])

    # === RIGHTS ===#

    def test_users_see_what_is_saved(self):
        user = new_test_user(
            self.env, "studio-user", "marketing_automation.group_marketing_user"
        )
        question = self._question(sources={"subject": "{{ 6 * 7 }}"})
        answer = self.Template.with_user(user).get_preview(question)
        self.assertEqual(answer["subject"], "News for Anna")

    def test_strangers_see_nothing(self):
        stranger = new_test_user(self.env, "studio-stranger", "base.group_user")
        as_stranger = self.Template.with_user(stranger)
        for call in (
            lambda: as_stranger.get_preview(self._question()),
            lambda: as_stranger.get_studio(self._question()),
            lambda: as_stranger.find_recipients(self._question()),
            lambda: as_stranger.build_block("footer", {}),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_carts_of_other_companies(self):
        cart = self._abandon()
        other = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env,
            "studio-other",
            "marketing_automation.group_marketing_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        template = self.env.ref("marketing_automation.template_cart_1")
        with self.assertRaises(AccessError):
            self.Template.with_user(user).get_preview(
                self._question(template, record_id=cart.id)
            )

    # === RECIPIENTS ===#

    def test_find_customers(self):
        self._create_customer("Zita Preview", "zita@example.com")
        self._create_customer("Zita Nobody", False)
        for search in ("zita", "zita@example"):
            found = self.Template.find_recipients(self._question(), search)
            self.assertEqual(
                [recipient["label"] for recipient in found],
                ["Zita Preview <zita@example.com>"],
            )
        self.assertTrue(self.Template.find_recipients(self._question()))

    def test_find_carts(self):
        cart = self._abandon(self._create_customer("Zita", "zita@example.com"))
        template = self.env.ref("marketing_automation.template_cart_1")
        found = self.Template.find_recipients(self._question(template), "zita")
        self.assertEqual([recipient["id"] for recipient in found], cart.ids)
        self.assertIn("Zita", found[0]["label"])
        self.assertIn("40.00", found[0]["label"])

    # === CHECKS ===#

    def test_size_is_a_hard_limit(self):
        padding = "<p>" + "x" * MAX_HTML + "</p>"
        with self.assertRaisesRegex(ValidationError, "Gmail cuts off"):
            self.template.body_html = padding + FOOTER
        [error] = self._preview(sources={"body_html": padding + FOOTER})["errors"]
        self.assertIn("too much", error["message"])

    def test_shipped_templates_have_nothing_that_must_be_fixed(self):
        templates = self.Template.search([])
        self.assertGreaterEqual(len(templates), 5)
        for template in templates:
            with self.subTest(template.name):
                checks = template._get_checks()
                self.assertTrue(checks)
                self.assertEqual([c for c in checks if c["level"] == "must"], [])

    def test_checks_of_a_campaign(self):
        checks = self.template._get_checks(
            overrides={"subject": "CLICK HERE TODAY", "preheader": ""}
        )
        levels = self._levels(checks)
        self.assertEqual(levels["shouting"], "advice")
        self.assertEqual(levels["spam"], "advice")
        [error] = self.template._get_checks(overrides={"subject": "{{ nobody }}"})
        self.assertEqual((error["key"], error["level"]), ("error", "must"))
        self.assertIn("Subject", error["message"])

    def test_every_finding_has_words(self):
        words = self.Template._get_check_words()
        for (key, level), text in words.items():
            with self.subTest(key, level=level):
                self.assertIn(level, ("ok", "advice", "must"))
                self.assertTrue(text)

    def test_dead_links(self):
        product = self._create_product("Studio lamp", 5).product_tmpl_id
        hidden = self._create_product("Hidden", 5, is_published=False).product_tmpl_id
        base = self.website.get_base_url()
        alive = [
            "/",
            "/shop",
            "/contactus",
            product.website_url,
            "/shop/cart",
            "/en/shop",
        ]
        dead = [
            "/no-such-page",
            "/shop/gone-999999",
            hidden.website_url,
            "/shop/cart/update_json",
        ]
        links = "".join(f'<a href="{base}{path}">x</a>' for path in alive + dead)
        self.template.body_html = links + FOOTER
        with MockRequest(self.env, website=self.website):
            checks = self.template._get_checks()
        found = [c["message"] for c in checks if c["key"] == "dead_link"]
        self.assertEqual(len(found), len(dead), found)
        for path in dead:
            self.assertTrue(any(path in message for message in found), path)

    def test_redirections_pages_and_files_are_answers(self):
        self.env["website.rewrite"].create(
            {
                "name": "Old",
                "url_from": "/old-lamps",
                "url_to": "/shop",
                "redirect_type": "301",
            }
        )
        self.env["ir.attachment"].create(
            {"name": "f", "url": "/price-list.pdf", "raw": b"x", "public": True}
        )
        page = self.env["website.page"].create(
            {"name": "P", "url": "/our-story", "type": "qweb", "is_published": True}
        )
        paths = [
            "/old-lamps",
            "/price-list.pdf",
            "/our-story",
            "/web/static/img/logo.png",
        ]
        with MockRequest(self.env, website=self.website):
            self.assertEqual(self.website._find_dead_paths(paths), set())
            page.is_published = False
            self.assertEqual(self.website._find_dead_paths(paths), {"/our-story"})
        # Nobody can say without a request.
        self.assertEqual(self.website._find_dead_paths(["/no-such-page"]), set())

    # === BLOCKS ===#

    def test_block(self):
        source = self.Template.build_block("button", {"label": "A", "target": "/shop"})
        self.assertEqual(source, '{{ button("A", shop.url ~ "/shop") }}\n')
        with self.assertRaisesRegex(UserError, "Label is missing"):
            self.Template.build_block("button", {})
        with self.assertRaisesRegex(UserError, "must be an address"):
            self.Template.build_block("button", {"label": "A", "target": "x y"})
        with self.assertRaisesRegex(UserError, "no such block"):
            self.Template.build_block("__class__", {})
