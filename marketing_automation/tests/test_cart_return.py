from odoo.tests import tagged

from .checkout_common import CheckoutCase


@tagged("post_install", "-at_install")
class TestCartReturn(CheckoutCase):
    """A customer comes back and leaves again: the recovery goes on, it does not begin
    anew (C4), and the contact says how often (C8)."""

    def _send_due(self, cart):
        self._shift(cart, hours=1)
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        return cart.message_ids.filtered(lambda message: message.state == "sent")

    def test_comes_back_and_leaves_again(self):
        # The second message comes a day later: no cap is what holds it back.
        self.company.email_cap_hours = 0
        order = self._add()
        self._submit_address("gina@example.com")
        cart = self._leave(order)
        run = cart.enrollment_ids
        first = self._send_due(cart)
        self.assertEqual(first.step_id, self.sequence.step_ids.sorted("sequence")[0])

        self._get(cart._get_recovery_path())
        self._rpc("/shop/cart/returned")
        self.assertTrue(cart.returned_at)
        self.assertEqual(run.state, "paused")
        self._add(self._create_product("Lamp", 30.0, type="service"))

        self._leave(order)
        self.assertEqual(cart.enrollment_ids, run, "no second run")
        self.assertEqual(run.state, "active")
        self.assertIn("Lamp", cart.content)
        self.assertEqual(run.next_step_id, self.sequence.step_ids.sorted("sequence")[1])
        self._shift(cart, hours=23)
        self.assertEqual(len(self._send_due(cart)), 2)

        order.action_confirm()
        partner = order.partner_id
        self.assertEqual(
            (
                partner.marketing_carts_left,
                partner.marketing_carts_returned,
                partner.marketing_carts_recovered,
            ),
            (1, 1, 1),
        )
        self.assertIn(
            "1 left behind, came back to 1, bought 1", partner.marketing_metrics_html
        )
