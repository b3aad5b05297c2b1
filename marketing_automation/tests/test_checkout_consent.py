import re
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from odoo.addons.marketing_automation.models.audience import opt_in_limits
from odoo.addons.marketing_automation.models.audience.purposes import PURPOSES

from .opt_in_common import OptInCase

CODES = {code for code, _label in PURPOSES}
_BOX = re.compile(r'<input\b[^>]*\bname="(consent_\w+)"[^>]*>')
BOXES = {"consent_newsletter", "consent_offers", "consent_cart"}


class ConsentCase(OptInCase):
    """Forms where visitors are asked, filled in over HTTP."""

    def _find_boxes(self, html):
        """Return the names of the boxes of a page, and of those that are ticked."""
        boxes = list(_BOX.finditer(html))
        return (
            {box[1] for box in boxes},
            {box[1] for box in boxes if " checked" in box[0]},
        )

    def _fill_cart(self):
        self._get("/shop")
        self._rpc(
            "/shop/cart/add",
            {
                "product_template_id": self.product.product_tmpl_id.id,
                "product_id": self.product.id,
                "quantity": 1,
            },
        )

    def _find_customer(self):
        """Return whose address the visitor has entered already."""
        orders = self.env["sale.order"].search(
            [("partner_id.email", "=", self.address)]
        )
        return orders[:1].partner_id

    def _address_path(self):
        customer = self._find_customer()
        return (
            f"/shop/address?partner_id={customer.id}" if customer else "/shop/address"
        )

    def _submit_address(self, *boxes, **vals):
        """Send the address form with these boxes ticked."""
        path = self._address_path()
        if vals.get("address_type") == "delivery":
            path = "/shop/address?address_type=delivery"
        page = self._get(path)
        if customer := self._find_customer():
            vals.setdefault("partner_id", customer.id)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        response = self._get(
            "/shop/address/submit",
            data={
                "name": "Zoe",
                "email": self.address,
                "phone": "+32 2 290 34 90",
                "street": "Street 1",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.env.ref("base.be").id,
                "address_type": "billing",
                "use_delivery_as_billing": "true",
                "csrf_token": token,
                **dict.fromkeys(
                    re.findall('name="(asked_for_consent)"', page.text), "1"
                ),
                **dict.fromkeys(boxes, "on"),
                **vals,
            },
        )
        return response.json()

    def _create_account(self):
        """Create a customer who can log in and whose address is known."""
        user = new_test_user(
            self.env, "zoe", groups="base.group_portal", email=self.address
        )
        user.partner_id.write(
            {
                "phone": "+32 2 290 34 90",
                "street": "Street 1",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.env.ref("base.be").id,
            }
        )
        return user

    def _requests(self):
        return self.env["marketing.opt.in"].search([("address", "=", self.address)])


@tagged("post_install", "-at_install")
class TestCheckoutConsent(ConsentCase):
    """What is ticked with an order, and what follows from it."""

    def setUp(self):
        super().setUp()
        self._fill_cart()

    def test_boxes_are_not_ticked(self):
        page = self._get("/shop/address").text
        self.assertEqual(self._find_boxes(page), (BOXES, set()))
        self.assertIn("You can change your mind at any time", page)

    def test_nothing_ticked(self):
        self._submit_address()
        self.assertFalse(self._said())
        self.assertFalse(self._requests())

    def test_cart_reminders_are_given_with_the_order(self):
        self._submit_address("consent_cart")
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
        [line] = self._log()
        self.assertEqual(line.ip, "127.0.0.1")
        self.assertEqual(
            line.text_id.text,
            "Remind me by email of a cart that I leave behind.\n"
            "You can change your mind at any time, with one click in every email.",
        )
        page = self._get(self._address_path()).text
        self.assertIn(line.text_id.text.partition("\n")[0], page)
        self.assertFalse(self._requests())

    def test_the_rest_is_confirmed_by_email(self):
        self._submit_address("consent_newsletter", "consent_offers", "consent_cart")
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
        asked = self._requests()
        self.assertEqual(asked.purposes, ["newsletter", "offers"])
        self.assertEqual(asked.source, "checkout")
        self.assertEqual(asked.partner_id.email, self.address)
        self.assertIn("Email me offers of", asked.text_id.text)
        [mail] = self._receive()
        self._get(self._find_link(mail), data={"action": "confirm"})
        self.assertEqual(self._said()["offers"], ("given", "double_opt_in"))
        self.assertEqual(
            self._log().filtered(lambda line: line.purpose == "offers").text_id,
            asked.text_id,
        )

    def test_wrong_address_first(self):
        """Nothing is recorded before the address is right."""
        answer = self._submit_address("consent_cart", email="zoe@")
        self.assertIn("email", answer["invalid_fields"])
        self.assertFalse(self.env["marketing.preference"].search([]))
        self._submit_address("consent_cart")
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})

    def test_without_double_opt_in(self):
        self.company.double_opt_in = False
        self._submit_address("consent_newsletter")
        self.assertEqual(self._said(), {"newsletter": ("given", "checkout")})
        self.assertFalse(self._requests())

    # Six visitors of one connection are within the hour's limit here.
    @patch.object(opt_in_limits, "A_VISITOR", 50)
    def test_who_withdrew_or_is_suppressed_confirms_everything(self):
        """No stranger with an order undoes what the owner of an address said."""
        for double_opt_in in (True, False):
            self.company.double_opt_in = double_opt_in
            for how in ("withdrawn", "blacklisted", "forgotten"):
                with self.subTest(how=how, double_opt_in=double_opt_in):
                    self._new_visitor()
                    self._fill_cart()
                    self.address = f"{how}-{double_opt_in}@example.com".lower()
                    if how == "withdrawn":
                        self.env["marketing.preference"]._record(
                            self.company,
                            "email",
                            ["cart"],
                            [self.address],
                            "withdrawn",
                            "staff",
                        )
                    elif how == "blacklisted":
                        self.env["mail.blacklist"]._add(self.address)
                    else:
                        self.env["marketing.suppression"]._add([self.address])
                    before = self._said()
                    self._submit_address("consent_cart")
                    self.assertEqual(self._said(), before)
                    self.assertEqual(self._requests().purposes, ["cart"])

    def test_policy_of_existing_customers(self):
        """The notice, and a box to object; nothing to agree to."""
        self.company.consent_policy = "soft_opt_in"
        page = self._get("/shop/address").text
        self.assertEqual(self._find_boxes(page), ({"consent_refuse"}, set()))
        self.assertIn("You can object at any time, free of charge", page)
        # A box that is not on the page does nothing.
        self._submit_address("consent_newsletter")
        self.assertFalse(self._said())
        self._submit_address("consent_refuse")
        self.assertEqual(self._said(), dict.fromkeys(CODES, ("withdrawn", "checkout")))
        self.assertIn("do not email me", self._log().text_id.text)

    def test_refusing_where_it_is_not_asked(self):
        self._submit_address("consent_refuse")
        self.assertFalse(self._said())

    def test_switched_off(self):
        self.website.consent_at_checkout = False
        page = self._get("/shop/address").text
        self.assertEqual(self._find_boxes(page), (set(), set()))
        self._submit_address("consent_cart", "consent_newsletter")
        self.assertFalse(self._said())
        self.assertFalse(self._requests())

    def test_own_words_in_two_languages(self):
        self.website.language_ids += self.env["res.lang"]._activate_lang("fr_FR")
        self.website.consent_text_cart = "Tell me about my <cart>"
        self.website.with_context(lang="fr_FR").consent_text_cart = "Mon panier"
        page = self._get("/shop/address").text
        self.assertIn("Tell me about my &lt;cart&gt;", page)
        self._submit_address("consent_cart")
        self.assertIn("Tell me about my <cart>", self._log().text_id.text)
        self.assertIn("Mon panier", self._get(f"/fr{self._address_path()}").text)
        self._submit_address("consent_cart", "consent_offers")
        self.assertEqual(self._requests().lang, "fr_FR")

    def test_guest_is_told_nothing_about_an_address(self):
        """The boxes look the same, whatever the address entered has agreed to."""
        self._submit_address("consent_cart")
        self._give_consent(self._create_customer("Zoe", self.address), "newsletter")
        page = self._get(self._address_path()).text
        self.assertEqual(self._find_boxes(page), (BOXES, set()))
        # Ticked once more, it is neither asked for nor logged again.
        lines = self._log()
        self._submit_address("consent_cart", "consent_newsletter")
        self.assertEqual(self._log(), lines)
        self.assertFalse(self._requests())

    def test_logged_in(self):
        """Not shown for what they agreed to; no consent without them ticking it."""
        user = new_test_user(
            self.env, "zoe", groups="base.group_portal", email=self.address
        )
        self._new_visitor("zoe")
        self._fill_cart()
        path = f"/shop/address?partner_id={user.partner_id.id}"
        self.assertEqual(self._find_boxes(self._get(path).text), (BOXES, set()))
        self._submit_address("consent_cart", partner_id=user.partner_id.id)
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
        self.assertEqual(
            self._find_boxes(self._get(path).text)[0], BOXES - {"consent_cart"}
        )
        self._give_consent(user.partner_id, "newsletter")
        self._give_consent(user.partner_id, "offers")
        page = self._get(path).text
        self.assertFalse(self._find_boxes(page)[0])
        self.assertNotIn("Emails from us", page)
        # Nor with another address of theirs, for a delivery.
        other = self._get("/shop/address?address_type=delivery").text
        self.assertFalse(self._find_boxes(other)[0])
        self.company.consent_policy = "soft_opt_in"
        self.assertTrue(self._find_boxes(self._get(path).text)[0])
        self.env["mail.blacklist"]._add(self.address)
        self.assertFalse(self._find_boxes(self._get(path).text)[0])

    def _answer(self, page, *boxes):
        """Send the form beside which no address is entered."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        after = re.search(r'name="after" value="(\w+)"', page)[1]
        return self._get(
            "/shop/consent",
            data={"csrf_token": token, "after": after, **dict.fromkeys(boxes, "on")},
        )

    def test_another_address_of_somebody_known_asks_nothing(self):
        """Its form has no boxes; they are asked before the payment all the same."""
        self._create_account()
        self._new_visitor("zoe")
        self._fill_cart()
        page = self._get("/shop/address?address_type=delivery").text
        self.assertFalse(self._find_boxes(page)[0])
        self.assertNotIn("asked_for_consent", page)
        self._submit_address(partner_id="", address_type="delivery")
        page = self._get("/shop/checkout").text
        self.assertEqual(self._find_boxes(page), (BOXES, set()))

    def test_logged_in_with_a_known_address(self):
        """They enter none, so they are asked before the payment; once."""
        self._create_account()
        self._new_visitor("zoe")
        self._fill_cart()
        page = self._get("/shop/checkout").text
        self.assertEqual(self._find_boxes(page), (BOXES, set()))
        answer = self._answer(page, "consent_cart", "consent_offers")
        self.assertTrue(answer.url.endswith("/shop/checkout"))
        self.assertIn("Thank you, that is noted", answer.text)
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
        self.assertEqual(self._requests().purposes, ["offers"])
        for path in ("/shop/checkout", "/shop/confirmation"):
            page = self._get(path).text
            self.assertNotIn("Thank you, that is noted", page)
            self.assertFalse(self._find_boxes(page)[0])

    def test_who_was_not_asked_on_the_way_is_asked_after_the_order(self):
        """Express checkout skips the pages with boxes."""
        customer = self._create_customer("Zoe", self.address)
        self._submit_address()
        self._get("/shop/checkout")
        self.assertFalse(self._find_boxes(self._get("/shop/confirmation").text)[0])
        self._new_visitor()
        self._fill_cart()
        order = self.env["sale.order"].search([], order="id desc", limit=1)
        order.partner_id = customer
        self._get("/shop/checkout")
        page = self._get("/shop/confirmation").text
        self.assertEqual(self._find_boxes(page), (BOXES, set()))
        answer = self._answer(page, "consent_newsletter")
        self.assertIn("Thank you, that is noted", answer.text)
        self.assertEqual(self._requests().purposes, ["newsletter"])

    def test_strangers_answer_for_nobody(self):
        self._new_visitor()
        with self.assertLogs("odoo.http", "WARNING") as logs:
            for after in ("order", "checkout", "x"):
                self._get("/shop/consent", data={"after": after, "consent_cart": "on"})
        # Another site's form, and nothing else.
        self.assertEqual(len(logs.output), 3)
        self.assertTrue(all("CSRF" in line for line in logs.output))
        self._fill_cart()
        page = self._get("/shop/address").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        for after in ("order", "checkout"):
            self._get(
                "/shop/consent",
                data={"after": after, "consent_cart": "on", "csrf_token": token},
            )
        self.assertFalse(self.env["marketing.preference"].search([]))

    def test_reminded_under_the_default_policy(self):
        """The whole way: a ticked box, a cart left behind, its email."""
        self._submit_address("consent_cart")
        order = self.env["sale.order"].search(
            [("partner_id.email", "=", self.address)], limit=1
        )
        order.cart_activity_at -= timedelta(hours=2)
        self._detect()
        self._process_steps()
        message = order.abandoned_cart_id.message_ids
        self.assertIsNone(self.env["marketing.gate"]._decide(message)[message.id])


@tagged("post_install", "-at_install")
class TestSignUpConsent(ConsentCase):
    """Whoever makes an account has ordered nothing: all of it is confirmed."""

    def setUp(self):
        super().setUp()
        self.env["res.config.settings"].create(
            {"auth_signup_uninvited": "b2c"}
        ).execute()

    def _sign_up(self, *boxes, **vals):
        self._new_visitor()
        page = self._get("/web/signup")
        self.page = page.text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        return self._get(
            "/web/signup",
            data={
                "login": self.address,
                "name": "Zoe",
                "password": "zoe-zoe-zoe-1",
                "confirm_password": "zoe-zoe-zoe-1",
                "csrf_token": token,
                **dict.fromkeys(boxes, "on"),
                **vals,
            },
        )

    def test_boxes(self):
        self._sign_up("consent_newsletter", "consent_cart")
        self.assertEqual(self._find_boxes(self.page), (BOXES, set()))
        self.assertFalse(self._said())
        asked = self._requests()
        self.assertEqual(asked.purposes, ["newsletter", "cart"])
        self.assertEqual(asked.source, "sign_up")
        self.assertEqual(asked.partner_id.user_ids.login, self.address)

    def test_nothing_ticked(self):
        self._sign_up()
        self.assertTrue(self.env["res.users"].search([("login", "=", self.address)]))
        self.assertFalse(self._said())
        self.assertFalse(self._requests())

    def test_without_double_opt_in(self):
        self.company.double_opt_in = False
        self._sign_up("consent_offers", "consent_cart")
        given = ("given", "sign_up")
        self.assertEqual(self._said(), {"offers": given, "cart": given})

    def test_error_keeps_what_was_ticked(self):
        page = self._sign_up("consent_offers", confirm_password="other")
        self.assertEqual(self._find_boxes(page.text), (BOXES, {"consent_offers"}))
        self.assertFalse(self._requests())

    def test_policy_of_existing_customers(self):
        self.company.consent_policy = "soft_opt_in"
        self._sign_up("consent_refuse")
        self.assertEqual(self._find_boxes(self.page)[0], {"consent_refuse"})
        self.assertEqual(self._said(), dict.fromkeys(CODES, ("withdrawn", "sign_up")))

    def test_switched_off(self):
        self.website.consent_at_sign_up = False
        self._sign_up("consent_offers")
        self.assertFalse(self._find_boxes(self.page)[0])
        self.assertFalse(self._requests())

    def test_other_forms_ask_nothing(self):
        """Setting a new password is no occasion, whatever is sent with it."""
        self._sign_up()
        self._new_visitor()
        page = self._get("/web/reset_password").text
        self.assertFalse(self._find_boxes(page)[0])


@tagged("post_install", "-at_install")
class TestConsentSettings(ConsentCase):
    def test_texts(self):
        settings = self.env["res.config.settings"].create(
            {"website_id": self.website.id}
        )
        action = settings.action_edit_consent_texts()
        self.assertEqual(action["res_id"], self.website.id)
        view = self.env["website"].get_view(action["view_id"][0], "form")
        for field in ("newsletter", "offers", "cart"):
            self.assertIn(f"consent_text_{field}", view["arch"])
        self.assertTrue(settings.double_opt_in)
        self.assertTrue(settings.consent_at_checkout and settings.consent_at_sign_up)
