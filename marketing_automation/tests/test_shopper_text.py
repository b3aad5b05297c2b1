"""What people type into a shop becomes no link, header or markup of a message."""

from odoo.tests import BaseCase, tagged

from ..tools import links
from ..tools.shopper_text import clean_address, clean_name, clean_text
from ..tools.spreadsheets import escape_formula
from .checkout_common import CheckoutCase

# What is no name, whoever bears it.
HOSTILE_NAMES = (
    "https://evil.example/win-a-prize Smith",
    "YOU-WON-evil.example/claim",
    "evil.example",
    "www evil example",
    "WWW.evil",
    "evil．example",
    "evil。example",
    "evil․example",
    "evil\u200b.example",
    "／／evil",
    "evil.example",
    "hxxp:evil",
    "Call 0900 1234567",
    "Call ٠٩٠٠١٢٣",
    "a@example.com",
    "a＠example.com",
    "Anna\r\nBcc: victim@example.com",
    "Anna\u2028evil",
    "<b>Anna</b>",
    "{{ 7*7 }}",
    "=HYPERLINK",
    "\u202eelpmaxe live",
    "You have won a prize and should call us at once",
    "t.me/evil",
    "J.com",
)
NAMES = (
    "Anna Miller",
    "Miller, Anna",
    "Dr. J.R.R. Tolkien",
    "Seán O'Brien",
    "Zoë d’Aubigné-Müller",
    "Nguyễn Thị Ánh",
    "Kovács Anna",
    "李小龍",
    "محمد علی",
    "نرگس\u200cسادات",
    "Γιώργος",
    "İpek Işık",
    "Meyer & Sons (Vienna)",
)


@tagged("standard", "post_install", "-at_install")
class TestShopperText(BaseCase):
    def test_what_is_no_name(self):
        for name in HOSTILE_NAMES:
            with self.subTest(name=name):
                self.assertEqual(clean_name(name), "")
        self.assertEqual(clean_name(None), "")
        self.assertEqual(clean_name("A" * 41), "")
        self.assertEqual(clean_name("A" * 40), "A" * 40)

    def test_names(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.assertEqual(clean_name(name), name)
        self.assertEqual(clean_name("  Anna\xa0 Miller "), "Anna Miller")

    def test_addresses_in_a_text(self):
        for text, shown in (
            ("Blue mug", "Blue mug"),
            ("Node.js, 2nd edition 1/2", "Node.js, 2nd edition 1/2"),
            ("Win at https://evil.example/x now", "Win at … now"),
            ("Win at HTTP:\\\\evil.example/x", "Win at …"),
            ("Win at www.evil.example", "Win at …"),
            ("ht\u200btps://evil.example", "…"),
            ("ｈｔｔｐｓ：／／evil.example", "…"),
            ("two\r\nlines", "two  lines"),
            ("\u202egnp.exe", "gnp.exe"),
            ("", ""),
        ):
            with self.subTest(text=text):
                self.assertEqual(clean_text(text), shown)

    def test_address_that_reads_like_a_link(self):
        self.assertEqual(clean_address("anna@example.com"), "anna@example.com")
        self.assertEqual(clean_address("www.evil.example/x@example.com"), "")
        self.assertEqual(clean_address(None), "")

    def test_own_addresses_of_a_text(self):
        own = ["https://shop.example", "https://shop.example/x?a="]
        for text, found in (
            ("see https://shop.example/a", ["https://shop.example/a"]),
            ("see https://shop.example.", ["https://shop.example"]),
            ("see https://shop.example.evil.example/a", []),
            ("see https://shop.example@evil.example/a", []),
            ("see https://shop.example:8080/a", []),
            ("see https://evil.example/https://shop.example/", []),
        ):
            with self.subTest(text=text):
                self.assertEqual(links.find_own_urls(text, own), found)
        self.assertEqual(
            links.find_literal_urls("a https://x.example/b?c={{ d }} https://{{ e }}"),
            ["https://x.example/b?c="],
        )
        self.assertEqual(
            links.find_values_urls(
                {"a": {"url": "https://x"}, "b": [{"b_url": "https://y"}], "c": "z"}
            ),
            ["https://x", "https://y"],
        )

    def test_formulas(self):
        for text in (
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "  =1",
            "\u200b=1",
            "\ufeff=1",
            "＝1",
            "\t1",
            "\r\n=1",
            "|calc",
        ):
            with self.subTest(text=text):
                self.assertEqual(escape_formula(text), f"'{text}")
        for value in ("Anna", "a=1", "", None, -1, 1.5):
            self.assertEqual(escape_formula(value), value)


@tagged("standard", "post_install", "-at_install")
class TestShopperTextInMessages(CheckoutCase):
    """A guest fills a cart with such text; all channels are looked at."""

    def setUp(self):
        super().setUp()
        self.website.capture_typed_contact = True
        self.website.domain = "http://127.0.0.1"
        self.company.write(
            {
                "quiet_hours_sms": False,
                "sms_country_ids": self.env.ref("base.be").ids,
                "sms_strangers_per_visitor": 30,
            }
        )

    def _write_to(self, cart, channel):
        """Return what a message about a cart says, on a channel."""
        template = self.env.ref(
            f"marketing_automation.template_cart_{'sms' if channel == 'sms' else '1'}"
        )
        step = self.sequence.step_ids.sorted("sequence")[0]
        step.write({"channel": channel, "template_id": template.id})
        self._shift(cart, hours=1)
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        message = cart.message_ids.sorted("id")[-1:]
        self.assertEqual((message.channel, message.state), (channel, "sent"))
        return message

    def test_name_is_no_link_on_any_channel(self):
        for number, name in enumerate(
            (
                "https://evil.example/win-a-prize Smith",
                "YOU-WON-evil.example/claim",
                "<a href=http://evil.example>Win</a>",
                "http://evil.example Win\r\nBcc: victim@example.com",
            )
        ):
            for channel in ("email", "sms"):
                with self.subTest(name=name, channel=channel):
                    self._new_visitor()
                    order = self._add()
                    self._submit_address(
                        f"gina{number}{channel}@example.com",
                        # Whatever else the form asks for, too.
                        **dict.fromkeys(("name", "street", "street2", "city"), name),
                        phone=f"+32 470 12 34 {number}{len(channel)}",
                    )
                    message = self._write_to(self._leave(order), channel)
                    for part in (
                        message.subject,
                        message.body_text,
                        str(message.body_html or ""),
                    ):
                        self.assertNotIn("evil", part)
                        self.assertNotIn("victim", part)
        self.assertFalse(
            self.env["marketing.short.link"].search([("url", "ilike", "evil")])
        )

    def test_product_is_no_link_on_any_channel(self):
        self.product.name = "Mug https://evil.example/mug www.evil.example"
        template = self.env.ref("marketing_automation.template_cart_sms")
        template.body_sms += " {{ cart.lines[0].name }}"
        for channel in ("email", "sms"):
            with self.subTest(channel=channel):
                self._new_visitor()
                order = self._add()
                self._submit_address(f"{channel}@example.com", phone="+32470123456")
                message = self._write_to(self._leave(order), channel)
                self.assertIn("Mug …", message.body_text)
                for part in (
                    message.subject,
                    message.body_text,
                    str(message.body_html or ""),
                ):
                    self.assertNotIn("evil.example", part)

    def test_address_with_a_name_is_the_address_alone(self):
        template = self.env.ref("marketing_automation.template_cart_sms")
        template.body_sms += " {{ customer.email }}"
        order = self._add()
        self._type(
            email="https://evil.example <gina@example.com>", phone="+32470123456"
        )
        message = self._write_to(self._leave(order), "sms")
        self.assertTrue(message.body_text.endswith(" gina@example.com"))
        self.assertNotIn("evil", message.body_text)

    def test_addresses_of_the_template_are_shortened(self):
        template = self.env.ref("marketing_automation.template_cart_sms")
        template.body_sms += (
            " https://partner.example/a?n={{ customer.first_name }} {{ shop.url }}/b"
        )
        order = self._add()
        self._submit_address("gina@example.com", phone="+32470123456")
        self._write_to(self._leave(order), "sms")
        urls = self.env["marketing.short.link"].search([]).mapped("url")
        self.assertTrue(
            any(url.startswith("https://partner.example/a?n=Gina") for url in urls)
        )
        self.assertTrue(any(url.startswith("http://127.0.0.1/b") for url in urls))


@tagged("standard", "post_install", "-at_install")
class TestClaimedAddress(CheckoutCase):
    """An address at checkout is a claim: it lends nothing from who has it."""

    def setUp(self):
        super().setUp()
        self.website.capture_typed_contact = True
        self.company.write(
            {
                "quiet_hours_sms": False,
                "sms_country_ids": self.env.ref("base.be").ids,
                "sms_strangers_per_visitor": 30,
            }
        )
        template = self.env.ref("marketing_automation.template_cart_sms")
        self.step = self.sequence.step_ids.sorted("sequence")[0]
        self.step.write({"channel": "sms", "template_id": template.id})

    def _get_message(self, order):
        cart = self._leave(order)
        self._shift(cart, hours=1)
        self._process_steps()
        return cart.message_ids

    def _render(self, message):
        contexts = self.env["marketing.template.context"]._prepare_cart_contexts(
            message
        )
        return message.template_id._render_sms(contexts[message.id])

    def test_number_and_name_of_a_contact_are_not_used(self):
        """Somebody orders with the victim's address and the own telephone; then the
        victim types the address."""
        self._add()
        self._submit_address(
            "victim@example.com", name="Eve Attacker", phone="+32 470 99 99 99"
        )
        contact = self.env["res.partner"].search(
            [("email_normalized", "=", "victim@example.com")]
        )
        self.assertEqual(contact.phone_sanitized, "+32470999999")
        self._new_visitor()
        order = self._add()
        self._type(email="victim@example.com")
        message = self._get_message(order)
        self.assertEqual((message.state, message.reason), ("skipped", "no_phone"))
        self.assertFalse(message.phone_sanitized)
        self.assertFalse(message.partner_id)
        self.assertFalse(order.abandoned_cart_id.customer_name)

    def test_name_of_the_victim_is_told_to_no_stranger(self):
        """Somebody types the victim's address and the own number."""
        victim = self._create_customer(
            "Zelda Victim", "victim@example.com", phone="+32 470 11 11 11"
        )
        for groups in (None, "base.group_portal"):
            with self.subTest(groups=groups):
                if groups:
                    self.env["res.users"].create(
                        {
                            "login": "victim@example.com",
                            "partner_id": victim.id,
                            "group_ids": [(6, 0, self.env.ref(groups).ids)],
                        }
                    )
                self._new_visitor()
                order = self._add()
                self._type(email="victim@example.com", phone="+32 470 99 99 99")
                message = self._get_message(order)
                self.assertEqual(message.phone_sanitized, "+32470999999")
                self.assertNotIn("Zelda", self._render(message))
                order.abandoned_cart_id.action_stop_recovery()
                order.abandoned_cart_id.enrollment_ids.unlink()

    def test_name_a_stranger_gave_is_not_said_to_the_victim(self):
        self.step.write(
            {
                "channel": "email",
                "template_id": self.env.ref("marketing_automation.template_cart_1").id,
            }
        )
        self._create_customer("Stupid Name", "victim@example.com")
        order = self._add()
        self._type(email="victim@example.com")
        message = self._get_message(order)
        self.assertEqual(message.email_normalized, "victim@example.com")
        context = self.env["marketing.template.context"]._prepare_cart_contexts(message)
        self.assertEqual(context[message.id]["customer"]["name"], "")

    def test_own_order_of_a_customer_has_both(self):
        order = self._add()
        self._submit_address("gina@example.com", phone="+32 470 12 34 56")
        message = self._get_message(order)
        self.assertEqual(message.phone_sanitized, "+32470123456")
        self.assertEqual(message.partner_id, order.partner_id)
        self.assertIn("Gina", self._render(message))
