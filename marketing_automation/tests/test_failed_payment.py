from odoo.tests import tagged

from .checkout_common import CheckoutCase


@tagged("post_install", "-at_install")
class TestFailedPayment(CheckoutCase):
    """Carts whose payment failed, with Odoo's demo provider, over HTTP (C7)."""

    def setUp(self):
        super().setUp()
        self.provider = self.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", self.company.id)], limit=1
        )
        if not self.provider:
            self.skipTest("payment_demo is not installed")
        self.shipped = self.env.ref("marketing_automation.sequence_payment_failed")
        self.provider.write({"state": "test", "is_published": True})
        self.method = self.provider.payment_method_ids[:1]
        self.method.active = True
        self.order = self._add()
        self._submit_address("gina@example.com")

    def _pay(self, state, order=None):
        """Try to pay; the bank answers."""
        order = order or self.order
        self._rpc(
            f"/shop/payment/transaction/{order.id}",
            {
                "access_token": order._portal_ensure_token(),
                "amount": order.amount_total,
                "provider_id": self.provider.id,
                "payment_method_id": self.method.id,
                "flow": "direct",
                "token_id": None,
                "tokenization_requested": False,
                "landing_route": "/shop/payment/validate",
            },
        )
        transaction = order.transaction_ids.sorted("id")[-1:]
        if state != "draft":
            self._rpc(
                "/payment/demo/simulate_payment",
                {
                    "reference": transaction.reference,
                    "payment_details": "1234",
                    "simulated_state": state,
                },
            )
        return transaction

    # === WHAT KIND IT IS ===#

    def test_failed_payment(self):
        for state in ("error", "cancel"):
            self.assertEqual(self._pay(state).state, state)
            cart = self._leave(self.order)
            self.assertEqual(cart.kind, "payment_failed")
            self.assertEqual(cart.state, "abandoned")
        self.assertEqual(self.order.human_signal, "event")

    def test_payment_is_a_persons(self):
        self.order.human_signal = False
        self._pay("error")
        self.assertEqual(self.order.human_signal, "payment")

    def test_payment_somebody_walked_away_from(self):
        """The last try counts: nothing is known of one that was never finished."""
        self._pay("error")
        self._pay("draft")
        self.assertEqual(self._leave(self.order).kind, "cart")

    def test_paid_or_about_to_be_is_not_left_behind(self):
        self._pay("error")
        transaction = self._pay("pending")
        self.assertEqual(self.order.state, "draft", "Odoo has not looked yet")
        self.assertFalse(self._leave(self.order))
        for state in ("authorized", "done"):
            transaction.state = state
            self.assertFalse(self._leave(self.order), state)
        transaction.state = "error"
        self._detect()
        self.assertEqual(self.order.abandoned_cart_id.kind, "payment_failed")

    def test_kind_changes_when_left_again(self):
        cart = self._leave(self.order)
        self.assertEqual(cart.kind, "cart")
        self._pay("error")
        self._leave(self.order)
        self.assertEqual(cart.kind, "payment_failed")
        self.assertEqual(cart.enrollment_ids.state, "active")

    # === ITS SEQUENCE ===#

    def test_sequence_of_its_own(self):
        self._pay("error")
        cart = self._leave(self.order)
        self.assertEqual(cart.enrollment_ids.sequence_id, self.shipped)

    def test_sequence_for_carts_where_there_is_no_other(self):
        """Nobody's recovery ends because a payment failed."""
        self._pay("error")
        other_site = self.env["website"].create(
            {"name": "Second shop", "company_id": self.company.id}
        )
        self.shipped.copy({"website_id": other_site.id})
        self.shipped.active = False
        cart = self._leave(self.order)
        self.assertEqual(cart.enrollment_ids.sequence_id, self.sequence)

    # === NO MESSAGE WHILE PAYING ===#

    def test_nobody_is_written_to_while_paying(self):
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        # Through a link to pay, say: nothing happens to the cart itself.
        activity = self.order.cart_activity_at
        self._pay("pending")
        self.order.cart_activity_at = activity
        cart.enrollment_ids.state = "active"
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "returned")
        self.assertEqual(cart.enrollment_ids.state, "active")

    def test_link_to_what_is_being_paid(self):
        cart = self._leave(self.order)
        self._pay("pending")._post_process()
        self.assertEqual(self.order.state, "sent")
        self._new_visitor()
        response = self._get(cart._get_recovery_path())
        self.assertIn("This cart has been ordered", response.text)

    # === LINK TO THE PAYMENT ===#

    def _follow(self, cart):
        return self._get(cart._get_recovery_path() + "?to=payment")

    def _path(self, response):
        return response.url.removeprefix(self.base_url()).split("?")[0]

    def test_straight_to_the_payment(self):
        self._pay("error")
        cart = self._leave(self.order)
        response = self._follow(cart)
        self.assertEqual(self._path(response), "/shop/payment")
        self.assertIn("Welcome back", response.text)
        self.assertIn("o_cart_recovery_notice", response.text)
        self.assertNotIn("o_cart_recovery_notice", self._get("/shop/cart").text)
        self._rpc("/shop/cart/returned")
        self.assertTrue(cart.returned_at)

    def test_on_another_device_the_address_is_missing(self):
        self._pay("error")
        cart = self._leave(self.order)
        self._new_visitor()
        response = self._follow(cart)
        self.assertEqual(self._path(response), "/shop/address")
        self.assertNotIn("gina@example.com", response.text)
        self.assertNotEqual(self._last_order(), self.order)

    def test_what_changed_is_read_first(self):
        self._pay("error")
        lamp = self._create_product("Lamp", 30.0, type="service")
        self._add(lamp)
        cart = self._leave(self.order)
        lamp.list_price = 40.0
        self.assertEqual(self._path(self._follow(cart)), "/shop/cart")
        self._rpc("/shop/cart/returned")
        self._leave(self.order)
        self.assertEqual(self._path(self._follow(cart)), "/shop/payment")
        lamp.is_published = False
        response = self._follow(cart)
        self.assertEqual(self._path(response), "/shop/cart")
        self.assertIn("No longer available", response.text)

    def test_more_in_the_session_is_read_first(self):
        self._pay("error")
        cart = self._leave(self.order)
        self._new_visitor()
        self._add(self._create_product("Lamp", 30.0, type="service"))
        self.assertEqual(self._path(self._follow(cart)), "/shop/cart")

    def test_nowhere_else(self):
        cart = self._leave(self.order)
        for wish in ("https://evil.example.com", "/web", "Payment", "", "payment2"):
            response = self._get(cart._get_recovery_path() + f"?to={wish}")
            self.assertEqual(self._path(response), "/shop/cart", wish)

    # === WORDS ===#

    def test_words(self):
        self._pay("error")
        cart = self._leave(self.order)
        self._shift(cart, hours=1)
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        message = cart.message_ids
        self.assertEqual(message.state, "sent", message.reason_detail)
        self.assertIn("did not go through", message.subject)
        self.assertIn("?to=payment", message.body_text)
        self.assertIn("As far as we can see, nothing was charged", message.body_text)
        self.assertIn("did not arrive", message.body_html)
