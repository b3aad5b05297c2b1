from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .http_common import MarketingHttpCase


@tagged("post_install", "-at_install")
class TestQuotation(MarketingHttpCase):
    """Quotations that sales people sent and nobody answered."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.company.quotation_recovery_enabled = True
        # The one that is shipped waits longer.
        shipped = self.env.ref("marketing_automation.sequence_quotation")
        shipped.active = False
        template = self.env.ref("marketing_automation.template_quotation")
        self.sequence = self.sequence.copy({"name": "Quotations", "kind": "quotation"})
        self.sequence.step_ids.template_id = template
        self.seller = new_test_user(
            self.env, "seller", groups="sales_team.group_sale_salesman"
        )
        # Not everything that is offered is in the shop.
        self.machine = self._create_product("Machine", 900.0, is_published=False)
        self.order = self._quote()

    def _quote(self, **vals):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "user_id": self.seller.id,
                "order_line": [fields.Command.create({"product_id": self.machine.id})],
                **vals,
            }
        )
        order.with_user(self.seller).sudo().action_quotation_sent()
        return order

    def _wait(self, days=4, order=None):
        """Let days pass without a word; then the shop looks."""
        order = order or self.order
        if order.cart_activity_at:
            order.cart_activity_at -= timedelta(days=days)
            order.company_id.quotation_recovery_since -= timedelta(days=days)
        for cart in order.abandoned_cart_id:
            cart.abandoned_at -= timedelta(days=days)
        self._detect()
        return order.abandoned_cart_id

    def _say(self, partner, **kwargs):
        """Post a message in the chatter of the quotation."""
        return self.order.message_post(
            body="Well", author_id=partner.id, **{"message_type": "comment", **kwargs}
        )

    def _answer(self):
        return self._say(self.customer, subtype_xmlid="mail.mt_comment")

    # === WHAT COUNTS ===#

    def test_unanswered(self):
        self.assertFalse(self._wait(2))
        cart = self._wait(2)
        self.assertRecordValues(
            cart,
            [
                {
                    "kind": "quotation",
                    "state": "abandoned",
                    "name": self.order.name,
                    "website_id": False,
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "email_normalized": "anna@example.com",
                    "is_guest": False,
                    "amount_total": 900.0,
                    "content": "Machine",
                    "lang": "en_US",
                    "abandoned_at": self.order.cart_activity_at,
                }
            ],
        )

    def test_off_by_default(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(company.quotation_recovery_enabled)
        since = self.company.quotation_recovery_since
        self.company.quotation_recovery_enabled = False
        self.order.cart_activity_at -= timedelta(days=4)
        self._detect()
        self.assertFalse(self.order.abandoned_cart_id)
        self.company.quotation_recovery_enabled = True
        self.company.quotation_recovery_since = since - timedelta(days=5)
        self._detect()
        self.assertTrue(self.order.abandoned_cart_id, "nothing else was in its way")

    def test_what_was_sent_before_it_was_switched_on(self):
        self.company.quotation_recovery_enabled = False
        self.order.cart_activity_at -= timedelta(days=4)
        self.company.quotation_recovery_enabled = True
        self._detect()
        self.assertFalse(self.order.abandoned_cart_id)
        self.order._stamp_view()
        self.assertTrue(self._wait(), "it came up again since")

    def test_drafts_and_expired_ones_are_left_alone(self):
        draft = self.order.copy()
        self.assertFalse(draft.cart_activity_at)
        draft.cart_activity_at = fields.Datetime.now()
        expired = self._quote(validity_date=fields.Date.today() - timedelta(days=1))
        self.assertFalse(self._wait(order=draft))
        self.assertFalse(self._wait(order=expired))

    def test_ends_with_its_validity(self):
        self.order.validity_date = fields.Date.today() + timedelta(days=2)
        cart = self._wait()
        self.assertEqual(
            cart.expires_at.date(), self.order.validity_date + timedelta(days=1)
        )

    def test_being_paid(self):
        self._wait(0)
        provider = self.env["payment.provider"].search([], limit=1)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": self.env["payment.method"].search([], limit=1).id,
                "amount": 900.0,
                "currency_id": self.order.currency_id.id,
                "partner_id": self.customer.id,
                "sale_order_ids": self.order.ids,
                "state": "pending",
            }
        )
        self.assertFalse(self._wait())
        transaction.state = "cancel"
        self.assertEqual(self._wait(0).kind, "quotation")

    # === WHAT ENDS OR HOLDS IT ===#

    def _start(self):
        cart = self._wait()
        run = cart.enrollment_ids
        self.assertEqual(run.state, "active")
        return cart, run

    def test_answer(self):
        cart, run = self._start()
        self._answer()
        self.assertEqual((run.state, run.stop_reason), ("stopped", "replied"))
        self.assertTrue(cart.returned_at)
        self.assertFalse(self.order.cart_activity_at)
        self._say(self.seller.partner_id, subtype_xmlid="mail.mt_comment")
        self._wait()
        self.assertEqual(run.state, "stopped", "people talk: no series goes on")

    def test_answer_before_anybody_looked(self):
        self._answer()
        self.assertFalse(self._wait(10))
        self._say(self.seller.partner_id, subtype_xmlid="mail.mt_comment")
        self.assertFalse(self._wait(2), "the customer has time to think")
        self.assertTrue(self._wait(2))

    def test_answer_by_email(self):
        _cart, run = self._start()
        stranger = self._create_customer("Colleague", "colleague@example.com")
        self._say(stranger, message_type="email", subtype_xmlid="mail.mt_comment")
        self.assertEqual(run.stop_reason, "replied")

    def test_the_shops_own_programs_are_no_customer(self):
        _cart, run = self._start()
        for author in (self.env.ref("base.partner_root"), self.company.partner_id):
            self._say(
                author,
                message_type="email_outgoing",
                subtype_xmlid="mail.mt_comment",
            )
            self.assertEqual(run.state, "paused")
            self.assertTrue(self.order.cart_activity_at)

    def test_notes_change_nothing(self):
        _cart, run = self._start()
        before = self.order.cart_activity_at
        self._say(self.seller.partner_id, subtype_xmlid="mail.mt_note")
        self._say(self.customer, message_type="notification")
        self.assertEqual(self.order.cart_activity_at, before)
        self.assertEqual(run.state, "active")

    def test_revision(self):
        cart, run = self._start()
        self.order.order_line = [
            fields.Command.update(self.order.order_line.id, {"price_unit": 800.0})
        ]
        self.assertEqual(run.state, "paused")
        self.assertFalse(cart.returned_at, "the shop said something, not the customer")
        self._wait()
        self.assertEqual(run.state, "active")
        self.assertEqual(cart.amount_total, 800.0)

    def test_back_to_draft(self):
        cart, run = self._start()
        self._shift(cart, hours=2)
        self.order.action_draft()
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "emptied")
        self.assertEqual(run.state, "stopped")
        self.order.action_quotation_sent()
        self._wait()
        self.assertEqual(run.state, "active", "sent again")

    def test_order_ends_it(self):
        cart, run = self._start()
        self.order.action_confirm()
        self.assertEqual(cart.state, "recovered")
        self.assertEqual(cart.recovered_amount, 900.0)
        self.assertEqual(run.stop_reason, "purchased")

    def test_another_order_ends_it(self):
        cart, _run = self._start()
        other = self.order.copy()
        other.action_confirm()
        self.assertEqual((cart.state, cart.recovered_order_id), ("recovered", other))

    def test_one_person_one_recovery(self):
        """A cart in the shop waits until the quotation is dealt with."""
        _cart, run = self._start()
        shop_cart = self._abandon()
        self.assertFalse(shop_cart.enrollment_ids)
        run._stop("replied")
        self._detect()
        self.assertTrue(shop_cart.enrollment_ids)

    def test_forgotten(self):
        cart, _run = self._start()
        privacy = self.env["marketing.privacy"]
        privacy._forget(privacy._find_by_address("anna@example.com"))
        self.env.invalidate_all()
        self.assertTrue(self.order.exists(), "a business document stays")
        self.assertFalse(cart.email or cart.order_id or cart.lines)
        self.assertFalse(self._wait())

    # === THE MESSAGE AND ITS LINK ===#

    def _send(self):
        cart, _run = self._start()
        self._shift(cart, hours=2)
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        return cart, cart.message_ids

    def test_message(self):
        _cart, message = self._send()
        self.assertEqual(message.state, "sent", message.reason_detail)
        self.assertIn("Your quotation from", message.subject)
        self.assertIn("Machine", message.body_text)
        self.assertIn("900.00", message.body_text)
        self.assertIn("sent you a quotation.", message.body_text)
        self.assertNotIn("left items in your cart", message.body_html)

    def test_what_was_offered_holds(self):
        """No price of today, no word about stock, nothing else instead."""
        self.machine.list_price = 2000.0
        self.machine.sale_ok = False
        _cart, message = self._send()
        self.assertIn("900.00", message.body_text)
        self.assertNotIn("2,000", message.body_text)
        self.assertNotIn("available", message.body_text)

    def test_sequences_for_carts_leave_it_alone(self):
        self.sequence.active = False
        self.assertFalse(self._wait().enrollment_ids)

    def test_company_without_website(self):
        """It speaks with its own name, not with that of another company's shop."""
        company = self.env["res.company"].create(
            {
                "name": "Tools Ltd",
                "email": "tools@example.com",
                "street": "1 Tool Street",
                "city": "Brussels",
                "country_id": self.env.ref("base.be").id,
                "consent_policy": "soft_opt_in",
                "quotation_recovery_enabled": True,
            }
        )
        self.assertFalse(company.website_id)
        self.order = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "company_id": company.id,
                    "partner_id": self.customer.id,
                    "order_line": [
                        fields.Command.create({"product_id": self.machine.id})
                    ],
                }
            )
        )
        self.order.action_quotation_sent()
        _cart, message = self._send()
        self.assertEqual(message.state, "sent", message.reason_detail)
        self.assertEqual(message.subject, "Your quotation from Tools Ltd")
        self.assertNotIn(self.website.name, message.body_text)

    def test_link_opens_the_quotation(self):
        cart, run = self._start()
        response = self._get(cart._get_recovery_path())
        self.assertIn(f"/my/orders/{self.order.id}?access_token=", response.url)
        self.assertIn(self.order.name, response.text)
        self.assertEqual(run.state, "paused", "the customer is looking at it")
        self.assertTrue(cart.returned_at)
        self._wait()
        self.assertEqual(run.state, "active")

    def test_link_is_for_its_customer(self):
        cart, _run = self._start()
        new_test_user(
            self.env, "stranger", groups="base.group_portal", email="s@example.net"
        )
        self._new_visitor("stranger")
        response = self._get(cart._get_recovery_path())
        self.assertEqual(response.status_code, 404)
        self.assertNotIn(self.order.name, response.text)
        colleague = new_test_user(
            self.env, "colleague", groups="base.group_portal", email="c@example.com"
        )
        firm = self._create_customer("Firm", False, is_company=True)
        (colleague.partner_id | self.customer).parent_id = firm
        self._new_visitor("colleague")
        self.assertIn("/my/orders/", self._get(cart._get_recovery_path()).url)

    def test_scanners_do_not_look_at_it(self):
        cart, run = self._start()
        self.opener.headers["User-Agent"] = "Barracuda Sentinel"
        response = self._get(cart._get_recovery_path())
        self.assertNotIn(self.order.name, response.text)
        self.assertNotIn("access_token", response.url)
        self.opener.headers["Sec-Purpose"] = "prefetch"
        self.assertEqual(self._get(cart._get_recovery_path()).status_code, 503)
        self.assertEqual(run.state, "active")

    def test_link_to_what_is_being_changed(self):
        cart, _run = self._start()
        self.order.action_draft()
        response = self._get(cart._get_recovery_path())
        self.assertIn("This quotation is being changed", response.text)
        self.assertNotIn(self.order.name, response.text)
