"""What staff see of a message: never what lets them act as its recipient."""

import json
import re

from odoo.exceptions import AccessError
from odoo.tests import BaseCase, new_test_user, tagged

from ..providers.base import DeliveryEvent
from ..tools import masking
from .common import MarketingCase

TOKEN = "0123456789abcdef0123456789abcdef"


@tagged("-at_install", "post_install")
class TestMasking(BaseCase):
    def test_addresses(self):
        shop = "https://shop.example.com"
        for path in (
            "/marketing/open/%s.gif",
            "/marketing/click/%s?u=x&s=y",
            "/marketing/unsubscribe/%s",
            "/marketing/preferences/%s",
            "/marketing/confirm/%s",
            "/shop/cart/recover/%s?to=payment",
            "/marketing/click/x?u=https%%3A%%2F%%2Fa.example%%2Fshop%%2Fcart%%2Frecover%%2F%s",
            "/x?u=https%%253A%%252F%%252Fa.example%%252Fmarketing%%252Fconfirm%%252F%s",
            "/de/shop/cart/recover/%s",
        ):
            for token in (TOKEN, TOKEN.upper()):
                shown = masking.mask_tokens(shop + path % token)
                self.assertEqual(shown, shop + path % "preview")
        self.assertEqual(
            masking.mask_tokens("See https://a.example/m/Ab3dEf7hIj9k."),
            "See https://a.example/m/preview.",
        )

    def test_the_rest_stays(self):
        for text in (
            "",
            "https://shop.example.com/shop/mug-12?x=1",
            "https://shop.example.com/m/short",
            "https://shop.example.com/m/Ab3dEf7hIj9k/more",
            f"Order {TOKEN}",
        ):
            self.assertEqual(masking.mask_tokens(text), text)
        self.assertEqual(
            masking.mask_tokens(f"Order {TOKEN}", [TOKEN]), "Order preview"
        )
        self.assertIsNone(masking.mask_tokens(None))

    def test_pixel(self):
        pixel = f'<img src="https://a.example/marketing/open/{TOKEN}.gif" width="1">'
        body = f'<p>Hi</p><img src="/web/image/1">{pixel}</body>'
        self.assertEqual(
            masking.mask_body(body), '<p>Hi</p><img src="/web/image/1"></body>'
        )


@tagged("-at_install", "post_install")
class TestShownBodies(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(
            cls.env,
            "mu",
            groups="marketing_automation.group_marketing_user,base.group_allow_export",
        )
        cls.manager = new_test_user(
            cls.env, "mm", groups="marketing_automation.group_marketing_manager"
        )
        cls.env["mail.blacklist"].search([]).active = False
        cls.cart = cls._abandon()
        cls._process_steps()
        cls.message = cls.cart.message_ids

    def setUp(self):
        super().setUp()
        self._run_cron("ir_cron_dispatch")
        self.env.flush_all()
        self.env.invalidate_all()
        self.secrets = [self.message.token, self.cart.token]

    def assert_clean(self, value):
        text = json.dumps(value, default=str)
        for secret in self.secrets:
            self.assertNotIn(secret, text)
        self.assertNotIn("/marketing/open/", text)
        return text

    def test_bodies(self):
        self.assertEqual(self.message.state, "sent")
        for secret in self.secrets:
            self.assertIn(secret, self.message.body_html)
        admin = self.env.ref("base.user_admin")
        for user in (self.user, self.manager, admin):
            message = self.message.with_user(user)
            names = ["body_html", "body_text"]
            for shown in (
                message.read(names),
                message.search_read([("id", "=", message.id)], names),
                message.web_read({name: {} for name in names}),
                # Administrators may read the token itself.
                message.read(None if user != admin else names),
            ):
                text = self.assert_clean(shown)
                self.assertIn("/marketing/unsubscribe/preview", text)
                self.assertIn("Blue mug", text)
            self.env.invalidate_all()
        exported = self.message.with_user(self.user).export_data(["body_html"])
        self.assert_clean(exported)
        # What was sent is what it was.
        self.assertIn(self.message.token, self.message.body_html)
        self.assertIn("/marketing/open/", self.message.body_html)

    def test_contents(self):
        contents = self.env["marketing.content"].with_user(self.user)
        messages = self.message.with_user(self.user)
        for attempt in (
            lambda: contents.search_read([], ["html"]),
            lambda: contents.browse(self.message.content_id.id).read(["text"]),
            lambda: messages.search([("content_id.html", "like", self.secrets[0])]),
            lambda: messages.search([("content_id", "any", [("text", "!=", False)])]),
            lambda: messages.mapped("content_id.html"),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_guessing(self):
        """No condition tells a token bit by bit."""
        for name in ("body_html", "body_text"):
            with self.assertRaises(ValueError):
                self.message.with_user(self.user).search(
                    [(name, "like", f"{self.secrets[0][0]}%")]
                )

    def test_preview_of_a_template(self):
        template = self.message.template_id
        answer = (
            self.env["marketing.template"]
            .with_user(self.user)
            .get_preview(
                {
                    "template_id": template.id,
                    "channel": "email",
                    "context": "cart",
                    "record_id": self.cart.id,
                    "sources": {},
                }
            )
        )
        self.assertIn("/shop/cart/recover/preview", self.assert_clean(answer))

    def test_clicked_links(self):
        path = f"/shop/cart/recover/{self.cart.token}"
        engagements = self.env["marketing.engagement"]
        engagements._record(self.message.token, "click", url=f"https://a.example{path}")
        self.message._apply_events(
            [
                DeliveryEvent(
                    "click",
                    self.message.sent_at,
                    uuid=self.message._get_key(),
                    external_id="1",
                    url=f"https://b.example{path}",
                )
            ],
            self.message.provider_id,
        )
        self.message.sudo().action_simulate_clicked()
        shown = engagements.with_user(self.user).search_read(
            [("message_id", "=", self.message.id)], ["url"]
        )
        self.assertEqual(len(shown), 3)
        self.assert_clean(shown)
        self.assertIn("https://a.example/shop/cart/recover/preview", str(shown))

    def test_text_message(self):
        self.customer.phone = "+36301234567"
        template = self.env.ref("marketing_automation.template_cart_sms")
        template.body_sms = "{{ cart.recovery_url }} is where your cart is"
        message = self._queue_to(self.customer, template)
        message.abandoned_cart_id = self.cart
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        [code] = re.findall(r"/m/(\w{12})", message.body_text)
        shown = message.with_user(self.user).read()
        self.assertNotIn(code, json.dumps(shown, default=str))
        self.assertIn("/m/preview is where", shown[0]["subject"])
        self.assertIn("/m/preview is where", shown[0]["body_text"])

    def test_privacy_export(self):
        privacy = self.env["marketing.privacy"].with_user(self.manager)
        person = privacy._find_person(partners=self.customer)
        tables = privacy.sudo()._collect(person)
        self.assertIn("Blue mug", self.assert_clean(tables))
