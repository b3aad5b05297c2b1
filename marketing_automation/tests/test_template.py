from contextlib import contextmanager

from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged

from odoo.addons.marketing_automation.models.content.cart_context import MAX_LINES
from odoo.addons.marketing_automation.models.content.merge_tags import (
    CART_LINE_TAGS,
    CART_TAGS,
    SAMPLE_CART_CONTEXT,
    get_sample,
)

SHIPPED = ("template_cart_1", "template_cart_2", "template_cart_3")


def shape(value):
    """Return the keys and types of nested values, money as text and all."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


@tagged("standard", "at_install")
class TestTemplate(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "lang": "en_US"})
        cls.template = cls.env["marketing.template"].create(
            {
                "name": "Test",
                # Marketing needs a footer; that is tested by itself.
                "category": "notification",
                "subject": "Hello {{ customer.first_name }}",
                "body_html": "<p>{{ cart.total }}</p>",
            }
        )

    @contextmanager
    def assert_refused(self, pattern):
        with self.assertRaises(ValidationError) as caught:
            yield
        self.assertRegex(str(caught.exception), pattern)

    # === SAVING ===#

    def test_syntax_error_is_refused_with_its_line(self):
        with self.assert_refused(r"HTML, line 2: .*endif"):
            self.template.body_html = "<p>\n{% if cart.count %}"

    def test_unknown_tag_is_refused_with_its_field(self):
        with self.assert_refused(r"Subject, line 1: .*“voucher”"):
            self.template.subject = "{{ voucher.code }}"
        with self.assert_refused("Preview Line, line 1"):
            self.template.preheader = "{{ voucher.code }}"
        with self.assert_refused("Plain Text, line 3"):
            self.template.body_text = "\n\n{{ voucher.code }}"

    def test_error_at_the_sample_is_refused(self):
        with self.assert_refused("HTML, line 1: division by zero"):
            self.template.body_html = "{{ 1 / 0 }}"

    def test_marketing_says_who_writes_and_how_to_stop_it(self):
        with self.assert_refused("HTML: there is no link to unsubscribe"):
            self.template.category = "marketing"
        link = '<a href="{{ unsubscribe_url }}">Stop</a>'
        self.template.body_html = link
        with self.assert_refused("HTML: it does not say who is writing"):
            self.template.category = "marketing"
        for footer in (
            '{% include "footer" %}',
            link + "{{ company.name }}, {{ company.address }}",
            link + "{{ company.name }}: {{ company.street }} in {{ company.city }}",
        ):
            self.template.write({"category": "marketing", "body_html": footer})
            self.template.category = "notification"
        self.template.write(
            {"category": "marketing", "channel": "sms", "body_sms": "Hi"}
        )

    def test_footer_typed_by_hand(self):
        """Their own address will do, too; of another company's nobody can know."""
        company = self.env.company
        company.write({"name": "A & B", "street": "Main St. 1", "city": "Graz"})
        self.template.write(
            {
                "category": "marketing",
                "body_html": "A &amp; B, Main St. 1, Graz {{ unsubscribe_url }}",
            }
        )
        company.street = False
        with self.assert_refused("postal address"):
            self.template.body_html = "A &amp; B, Graz {{ unsubscribe_url }}"

    def test_every_language_is_checked(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        french = self.template.with_context(lang="fr_FR")
        with self.assert_refused(r"Subject \(fr_FR\), line 1"):
            french.subject = "Bonjour {{ client.nom }}"
        with self.assert_refused(r"HTML \(fr_FR\), line 1"):
            self.template.update_field_translations(
                "body_html", {"fr_FR": "{{ panier }}"}
            )

    def test_language_of_the_environment_is_rendered(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.template.with_context(lang="fr_FR").subject = "Bonjour"
        french = self.template.with_context(lang="fr_FR")
        self.assertEqual(french._render(SAMPLE_CART_CONTEXT).subject, "Bonjour")
        gone = self.template.with_context(lang="xx_XX")
        self.assertEqual(gone._render(SAMPLE_CART_CONTEXT).subject, "Hello Anna")

    def test_copy(self):
        self.assertEqual(self.template.copy().name, "Test (copy)")
        self.assertEqual(self.template.copy({"name": "Mine"}).name, "Mine")

    # === PREVIEW ===#

    def test_preview(self):
        self.assertEqual(self.template.preview_subject, "Hello Anna")
        self.assertIn("<p>$ 182.90</p>", self.template.preview_html)
        self.assertEqual(self.template.preview_text, "$ 182.90")
        self.assertFalse(self.template.preview_error)

    def test_new_template_shows_something(self):
        template = self.env["marketing.template"].new({})
        self.assertFalse(template.preview_error)
        self.assertIn("Reading Lamp", template.preview_html)

    def test_every_tag_is_offered(self):
        studio = self.template.get_studio({"template_id": self.template.id})
        names = [tag["name"] for tag in studio["tags"]]
        self.assertEqual(names, [tag.name for tag in (*CART_TAGS, *CART_LINE_TAGS)])

    def test_samples_and_tags_agree(self):
        for tag in (*CART_TAGS, *CART_LINE_TAGS):
            self.assertNotEqual(get_sample(tag.name, SAMPLE_CART_CONTEXT), None)
        registered = {tag.name for tag in (*CART_TAGS, *CART_LINE_TAGS)}
        for root in ("customer", "cart", "shop", "company"):
            for key in SAMPLE_CART_CONTEXT[root]:
                self.assertIn(f"{root}.{key}", registered)
        for key in SAMPLE_CART_CONTEXT["cart"]["lines"][0]:
            self.assertIn(f"line.{key}", registered)

    # === THE SHIPPED EMAILS ===#

    def test_shipped_templates(self):
        for name in SHIPPED:
            template = self.env.ref(f"marketing_automation.{name}")
            rendered = template._render(SAMPLE_CART_CONTEXT)
            with self.subTest(name):
                self.assertLess(len(rendered.html.encode()), 100_000)
                for part in (rendered.html, rendered.text):
                    self.assertIn("Hello Anna,", part)
                    self.assertIn("Reading Lamp", part)
                    self.assertIn("$ 182.90", part)
                    self.assertIn(SAMPLE_CART_CONTEXT["cart"]["recovery_url"], part)
                    self.assertIn(SAMPLE_CART_CONTEXT["unsubscribe_url"], part)
                    self.assertIn(SAMPLE_CART_CONTEXT["company"]["address"], part)

    def test_shipped_templates_greet_strangers(self):
        customer = {"name": "", "first_name": "", "email": "x@example.com"}
        context = {**SAMPLE_CART_CONTEXT, "customer": customer}
        for name in SHIPPED:
            rendered = self.env.ref(f"marketing_automation.{name}")._render(context)
            self.assertIn("Hello,", rendered.text)
            self.assertIn("Hello,", rendered.html)


@tagged("standard", "post_install", "-at_install")
class TestTemplateContext(TransactionCase):
    """The values a message is rendered with, from a cart as it is now."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website = cls.env["website"].search([], limit=1)
        cls.website.domain = "https://shop.example.com"
        cls.company = cls.website.company_id
        # Demo data brings a pricelist with a discount.
        cls.env["product.pricelist"].search([]).active = False
        cls.customer = cls.env["res.partner"].create(
            {"name": "Anna Miller", "email": "anna@example.com"}
        )
        cls.products = cls.env["product.product"].create(
            [
                {
                    "name": f"Product {number}",
                    "list_price": number,
                    "taxes_id": False,
                    "is_published": True,
                    "type": "service",
                }
                for number in range(1, 9)
            ]
        )

    def make_message(self, products, customer=None, **values):
        customer = customer or self.customer
        order = self.env["sale.order"].create(
            {
                "partner_id": customer.id,
                "website_id": self.website.id,
                "company_id": self.company.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": 2})
                    for product in products
                ],
            }
        )
        cart = self.env["abandoned.cart"].create(
            {
                "order_id": order.id,
                "website_id": self.website.id,
                "company_id": self.company.id,
                "partner_id": customer.id,
                "customer_name": customer.name,
                "email": customer.email,
                "currency_id": order.currency_id.id,
                "token": f"cart{order.id}",
            }
        )
        return self.env["marketing.message"].create(
            {
                "channel": "email",
                "dedupe_key": f"test{order.id}",
                "token": f"message{order.id}",
                "company_id": self.company.id,
                "website_id": self.website.id,
                "partner_id": customer.id,
                "email": customer.email,
                "abandoned_cart_id": cart.id,
                **values,
            }
        )

    def prepare(self, message):
        contexts = self.env["marketing.template.context"]._prepare_cart_contexts(
            message
        )
        return contexts[message.id]

    def test_shape_is_the_samples(self):
        context = self.prepare(self.make_message(self.products[:2]))
        # The step of no sequence proposes nothing and hands out nothing.
        sample = {**SAMPLE_CART_CONTEXT, "offers": [], "coupon": None}
        self.assertEqual(shape(context), shape(sample))

    def test_cart_values(self):
        message = self.make_message(self.products[:2])
        context = self.prepare(message)
        cart = context["cart"]
        self.assertEqual(
            [line["name"] for line in cart["lines"]], ["Product 1", "Product 2"]
        )
        self.assertEqual(cart["lines"][1]["quantity"], 2)
        self.assertIn("2.00", cart["lines"][1]["price_unit"])
        self.assertIn("4.00", cart["lines"][1]["price_subtotal"])
        self.assertEqual((cart["count"], cart["more_count"]), (4, 0))
        self.assertEqual(cart["total_amount"], 6)
        self.assertEqual(cart["total_note"], "")
        for url in (
            cart["recovery_url"],
            cart["lines"][0]["url"],
            cart["lines"][0]["image_url"],
            context["unsubscribe_url"],
        ):
            self.assertTrue(url.startswith("https://shop.example.com/"), url)

    def test_prices_are_shown_as_in_the_shop(self):
        tax = self.env["account.tax"].create(
            {"name": "20 %", "amount": 20, "company_id": self.company.id}
        )
        self.products[0].taxes_id = tax
        message = self.make_message(self.products[0])
        self.website.show_line_subtotals_tax_selection = "tax_included"
        cart = self.prepare(message)["cart"]
        self.assertIn("2.40", cart["lines"][0]["price_subtotal"])
        self.assertEqual((cart["total_amount"], cart["total_note"]), (2.4, ""))
        self.website.show_line_subtotals_tax_selection = "tax_excluded"
        context = self.prepare(message)
        self.assertIn("2.00", context["cart"]["lines"][0]["price_subtotal"])
        self.assertIn("Before taxes", context["cart"]["total_note"])
        self.assertEqual(context["labels"]["total"], "Subtotal")

    def test_only_the_most_valuable_lines(self):
        context = self.prepare(self.make_message(self.products))
        names = [line["name"] for line in context["cart"]["lines"]]
        self.assertEqual(len(names), MAX_LINES)
        self.assertEqual(names[0], "Product 8")
        self.assertEqual(context["cart"]["more_count"], 2)
        self.assertEqual(context["labels"]["more"], "and 2 more")
        self.assertEqual(context["cart"]["total_amount"], 72)

    def test_language_of_the_recipient(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.products[0].with_context(lang="fr_FR").name = "Produit 1"
        self.products[0].list_price = 1234.5
        message = self.make_message(self.products[0], lang="fr_FR")
        context = self.prepare(message)
        line = context["cart"]["lines"][0]
        self.assertEqual(line["name"], "Produit 1")
        self.assertRegex(line["price_unit"], r"1.234,50")
        self.assertEqual(context["language"], "fr")

    def test_batch_keeps_recipients_apart(self):
        other = self.customer.create({"name": "Bo Chen", "email": "bo@example.com"})
        messages = self.make_message(self.products[0])
        messages += self.make_message(self.products[1], other)
        contexts = self.env["marketing.template.context"]._prepare_cart_contexts(
            messages
        )
        for message, name in zip(messages, ("Anna", "Bo"), strict=True):
            context = contexts[message.id]
            self.assertEqual(context["customer"]["first_name"], name)
            self.assertIn(message.token, context["unsubscribe_url"])

    def test_first_names(self):
        Context = self.env["marketing.template.context"]
        message = self.make_message(self.products[0])
        for name, first_name in (
            ("Anna Miller", "Anna"),
            ("Miller, Anna", "Anna"),
            ("Anna", "Anna"),
            ("", ""),
        ):
            self.assertEqual(Context._get_first_name(name, message), first_name)
        self.env["res.lang"]._activate_lang("hu_HU")
        hungarian = message.with_context(lang="hu_HU")
        self.assertEqual(Context._get_first_name("Kovács Anna", hungarian), "Anna")
        message.abandoned_cart_id.customer_name = "anna@example.com"
        self.assertEqual(self.prepare(message)["customer"]["name"], "")
        message.abandoned_cart_id.customer_name = "Miller Ltd"
        self.customer.is_company = True
        self.assertEqual(self.prepare(message)["customer"]["first_name"], "")

    def test_order_is_gone(self):
        message = self.make_message(self.products[0])
        message.abandoned_cart_id.order_id.unlink()
        self.assertEqual(self.prepare(message)["cart"]["lines"], [])

    def test_logo(self):
        get_logo_url = self.env["marketing.template.context"]._get_logo_url
        png = (
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
            "WjR9awAAAABJRU5ErkJggg=="
        )
        # Mail programs cannot show the default logo, an SVG.
        self.company.logo = False
        self.website.logo = self.website._default_logo()
        self.assertEqual(get_logo_url(self.website, self.company), "")
        self.website.logo = png
        self.assertIn("/web/image/website/", get_logo_url(self.website, self.company))
        self.website.logo = False
        self.company.logo = png
        self.assertIn("/logo.png?company=", get_logo_url(self.website, self.company))
