from odoo.tests import new_test_user, tagged

from .checkout_common import CheckoutCase


@tagged("post_install", "-at_install")
class TestTypedContact(CheckoutCase):
    """What guests type at checkout is enough, where the shop says so (C6)."""

    def setUp(self):
        super().setUp()
        self.website.capture_typed_contact = True
        self.order = self._add()

    # === THE FORM ===#

    def test_notice_only_where_it_is_switched_on(self):
        page = self._get("/shop/address").text
        self.assertIn('id="typed_contact_notice"', page)
        self.assertIn("we may remind you of it, in one short series", page)
        self.assertEqual(page.count('aria-describedby="typed_contact_notice"'), 2)
        self.website.capture_typed_contact = False
        self.assertNotIn("typed_contact_notice", self._get("/shop/address").text)

    def test_words_of_the_website(self):
        self.website.typed_contact_notice = "We remind you once."
        self.env["website.page"].search([("url", "=", "/privacy")]).unlink()
        page = self._get("/shop/address").text
        self.assertIn("We remind you once.", page)
        self.assertNotIn('href="/privacy"', page)
        self.env["website.page"].create(
            {
                "url": "/privacy",
                "name": "Privacy",
                "type": "qweb",
                "website_published": True,
                "arch": "<t t-call='website.layout'>Privacy</t>",
            }
        )
        self.assertIn('href="/privacy"', self._get("/shop/address").text)

    def test_what_was_typed_is_there_again(self):
        self._type(email="Gina@Example.com")
        self.assertIn('value="Gina@Example.com"', self._get("/shop/address").text)
        self._new_visitor()
        self._add()
        self.assertNotIn("Gina@Example.com", self._get("/shop/address").text)

    # === WHAT IS KEPT ===#

    def test_address_and_number(self):
        self._type(email=" Gina <Gina@Example.com> ")
        self._type(phone="02 290 34 90", country_id=str(self.env.ref("base.be").id))
        self.assertRecordValues(
            self.order,
            [
                {
                    "typed_email": "Gina <Gina@Example.com>",
                    "typed_email_normalized": "gina@example.com",
                    "typed_phone": "+3222903490",
                }
            ],
        )

    def test_nonsense_changes_nothing(self):
        self._type(email="gina@example.com", phone="+32 2 290 34 90")
        before = self._rows("sale_order")
        for values in (
            {},
            {"email": "gina@"},
            {"email": "gina@example"},
            {"email": "a@example.com, b@example.com"},
            {"email": "a@example.com\nb@example.com"},
            {"email": "x" * 300 + "@example.com"},
            {"email": ["gina@example.com"]},
            {"email": {"a": 1}, "phone": 12},
            {"phone": "12"},
            {"phone": "call me", "country_id": "x"},
            {"phone": "1", "country_id": 10**30},
        ):
            self.assertIsNone(self._type(**values))
        self.assertEqual(self._rows("sale_order"), before)

    def test_only_where_it_is_switched_on(self):
        self.website.capture_typed_contact = False
        self.assertIsNone(self._type(email="gina@example.com"))
        self.assertFalse(self.order.typed_email)

    def test_only_the_visitors_own_cart(self):
        self._new_visitor()
        self.assertIsNone(self._rpc("/shop/cart/contact", {"email": "eve@example.com"}))
        self.assertFalse(
            self.env["sale.order"].search([("typed_email", "!=", False)]),
            "somebody without a cart",
        )

    def test_machines_type_nothing(self):
        self.opener.headers["User-Agent"] = "python-requests/2.31"
        self._type(email="gina@example.com")
        self.assertFalse(self.order.typed_email)

    def test_known_customer_is_left_alone(self):
        """The same answer, whoever is known; and what was typed goes with the form."""
        self._type(email="typo@example.com")
        self._submit_address("gina@example.com")
        self.assertFalse(self.order.typed_email)
        self.assertIsNone(self._type(email="other@example.com"))
        self.assertFalse(self.order.typed_email)
        self.assertEqual(self.order.partner_id.email, "gina@example.com")

    def test_typing_is_activity(self):
        self.order.cart_activity_at = "2020-01-01 00:00:00"
        self.env.flush_all()
        self._type(email="gina@example.com")
        self.assertGreater(self.order.cart_activity_at.year, 2020)

    # === RECOVERY ===#

    def test_cart_of_a_guest(self):
        self._type(email="Gina@Example.com", phone="+32 2 290 34 90")
        cart = self._leave(self.order)
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "abandoned",
                    "exclusion_reason": False,
                    "is_guest": True,
                    "partner_id": False,
                    "email": "Gina@Example.com",
                    "email_normalized": "gina@example.com",
                    "phone": "+3222903490",
                    "phone_sanitized": "+3222903490",
                }
            ],
        )
        self.assertEqual(cart.enrollment_ids.state, "active")
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.email, "Gina@Example.com")
        self.assertEqual(cart.message_ids.state, "queued")

    def test_text_message_to_the_typed_number(self):
        self.company.sms_country_ids = self.env.ref("base.be")
        step = self.sequence.step_ids.sorted("sequence")[0]
        step.write(
            {
                "channel": "sms",
                "template_id": self.env.ref(
                    "marketing_automation.template_cart_sms"
                ).id,
            }
        )
        self._type(email="gina@example.com", phone="+32 2 290 34 90")
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.phone_sanitized, "+3222903490")
        self.assertEqual(cart.message_ids.state, "queued")

    def test_consent_is_by_address(self):
        """Under a policy that asks first, typing an address is no consent."""
        self.company.consent_policy = "opt_in"
        self._type(email="gina@example.com")
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "no_consent")

    def test_unsubscribed_by_address(self):
        self.env["mail.blacklist"]._add("gina@example.com")
        self._type(email="gina@example.com")
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "opted_out")
        self.assertEqual(cart.enrollment_ids.stop_reason, "opted_out")

    def test_corrected_address(self):
        self._type(email="gina@exmaple.com")
        cart = self._leave(self.order)
        self._type(email="gina@example.com")
        self.assertEqual(cart.enrollment_ids.state, "paused")
        self._leave(self.order)
        self.assertEqual(cart.email_normalized, "gina@example.com")
        self.assertRecordValues(
            cart.enrollment_ids,
            [{"state": "active", "email_normalized": "gina@example.com"}],
        )

    def test_emptied_field_is_forgotten(self):
        self._type(email="gina@example.com", phone="+32 2 290 34 90")
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        self._process_steps()
        message = cart.message_ids
        self._type(email="")
        self.assertFalse(self.order.typed_email_normalized)
        self.assertEqual(self.order.typed_phone, "+3222903490")
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "excluded",
                    "exclusion_reason": "no_contact",
                    "email": False,
                    "email_normalized": False,
                    "phone": False,
                    "phone_sanitized": False,
                }
            ],
        )
        self.assertEqual(cart.enrollment_ids.state, "stopped")
        self.assertEqual(message.state, "cancelled")
        self._leave(self.order)
        self.assertEqual(cart.state, "excluded")

    # === WHOSE IT IS ===#

    def test_customer_appears_later(self):
        self._type(email="gina@example.com")
        cart = self._leave(self.order)
        self.assertFalse(cart.partner_id)
        account = new_test_user(
            self.env, "gina", groups="base.group_portal", email="Gina@example.com"
        )
        self._create_customer("Gina, another time", "gina@example.com")
        self._detect()
        self.assertRecordValues(
            cart, [{"partner_id": account.partner_id.id, "is_guest": False}]
        )

    def test_customer_of_another_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        self._create_customer("Gina", "gina@example.com", company_id=company.id)
        self._type(email="gina@example.com")
        self.assertFalse(self._leave(self.order).partner_id)

    def test_order_on_another_device_ends_it(self):
        self._type(email="gina@example.com")
        cart = self._leave(self.order)
        self._new_visitor()
        other = self._add()
        self._submit_address("gina@example.com")
        other.action_confirm()
        self.assertEqual(cart.state, "recovered")
        self.assertEqual(cart.recovered_order_id, other)
        self.assertEqual(cart.enrollment_ids.stop_reason, "purchased")

    def test_one_recovery_across_devices_and_websites(self):
        self._type(email="gina@example.com")
        first = self._leave(self.order)
        self._new_visitor()
        second_order = self._add(quantity=9)
        self._type(email="GINA@example.com")
        second = self._leave(second_order)
        other_site = self.env["website"].create(
            {"name": "Second shop", "company_id": self.company.id}
        )
        third = self._abandon(
            partner=self._create_customer("Gina", "gina@example.com"),
            website_id=other_site.id,
        )
        runs = (first | second | third).enrollment_ids
        self.assertEqual(runs.abandoned_cart_id, first)
        self.assertEqual(second.state, "abandoned")
        self.assertEqual(third.state, "abandoned")

    def test_address_somebody_else_is_recovered_under(self):
        """Nobody gets two recoveries by correcting the address."""
        other = self._abandon(partner=self._create_customer("G", "gina@example.com"))
        self._type(email="gina@exmaple.com")
        cart = self._leave(self.order)
        self._type(email="gina@example.com")
        self._leave(self.order)
        self.assertEqual(cart.enrollment_ids.state, "stopped")
        self.assertEqual(other.enrollment_ids.state, "active")

    def test_restored_cart_and_another_address(self):
        """Whoever follows somebody's link and types their own address is not them."""
        cart = self._abandon()
        self._new_visitor()
        self._get(cart._get_recovery_path())
        copy = self._last_order()
        self._type(email="eve@example.com")
        self._leave(copy)
        own = self.env["abandoned.cart"].search([("order_id", "=", copy.id)])
        self.assertEqual(own.email_normalized, "eve@example.com")
        self.assertNotEqual(own, cart)
        self.assertEqual(cart.email_normalized, "anna@example.com")

    # === FORGETTING ===#

    def test_forgotten_by_address(self):
        self._type(email="gina@example.com", phone="+32 2 290 34 90")
        cart = self._leave(self.order)
        self._new_visitor()
        unseen = self._add()
        self._type(email="gina@example.com")
        privacy = self.env["marketing.privacy"]
        person = privacy._find_by_address("Gina@example.com")
        self.assertEqual(person.numbers, ("+3222903490",))
        privacy._forget(person)
        self.env.invalidate_all()
        self.assertFalse((self.order | unseen).exists())
        self.assertFalse(cart.email or cart.phone or cart.phone_sanitized)
        self._new_visitor()
        again = self._add()
        self._type(email="gina@example.com")
        cart = self._leave(again)
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "opted_out")

    def test_forgotten_when_nobody_is_reminded_any_more(self):
        self._type(email="gina@example.com", phone="+32 2 290 34 90")
        self._leave(self.order, minutes=29 * 24 * 60)
        self.env["sale.order"]._gc_typed_contacts()
        self.assertTrue(self.order.typed_email)
        self._leave(self.order, minutes=2 * 24 * 60)
        self.env["sale.order"]._gc_typed_contacts()
        self.assertFalse(self.order.typed_email or self.order.typed_phone)

    def test_export(self):
        self._type(email="gina@example.com")
        privacy = self.env["marketing.privacy"]
        tables = privacy._collect(privacy._find_by_address("gina@example.com"))
        self.assertIn("gina@example.com", str(tables))
