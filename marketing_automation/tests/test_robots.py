from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .checkout_common import CheckoutCase


@tagged("post_install", "-at_install")
class TestRobots(CheckoutCase):
    """A cart that was filled on the website without a sign of a person (C7)."""

    def _new_robot(self, agent=None):
        self._new_visitor()
        self.opener.cookies.clear()
        if agent:
            self.opener.headers["User-Agent"] = agent

    def _leave_with_address(self, order):
        order.partner_id = self.customer
        return self._leave(order)

    def test_robot(self):
        self._new_robot("python-requests/2.31")
        cart = self._leave_with_address(self._add())
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "excluded",
                    "exclusion_reason": "robot",
                    "robot_signals": ["agent", "website", "no_human"],
                }
            ],
        )
        self.assertIn("Nobody moved a mouse", cart.robot_explanation)
        self.assertIn("says that it is a robot", cart.robot_explanation)
        self.assertFalse(cart.enrollment_ids)

    def test_a_browser_nobody_moves(self):
        self._new_robot()
        for _number in range(5):
            order = self._add(self._create_product("Pen", 5.0))
        cart = self._leave_with_address(order)
        self.assertEqual(cart.exclusion_reason, "robot")
        self.assertEqual(cart.robot_signals, ["burst", "website", "no_human"])
        self.assertIn("5 or more products came within 10", cart.robot_explanation)

    def test_person(self):
        """One sign of a person outweighs everything else."""
        for agent in (None, "python-requests/2.31"):
            self._new_robot(agent)
            self._move_mouse()
            cart = self._leave_with_address(self._add())
            self.assertEqual(cart.state, "abandoned", agent)
            self.assertEqual(cart.order_id.human_signal, "event")
            self.assertNotIn("no_human", cart.robot_signals)
            cart.order_id._action_cancel()

    def test_person_moves_later(self):
        self._new_robot()
        order = self._add()
        cart = self._leave_with_address(order)
        self.assertEqual(cart.exclusion_reason, "robot")
        self._move_mouse()
        self._add()
        self._leave(order)
        self.assertEqual((cart.state, cart.exclusion_reason), ("abandoned", False))
        self.assertTrue(cart.enrollment_ids)

    def test_logged_in(self):
        user = new_test_user(
            self.env, "zoe", groups="base.group_portal", email="zoe@example.com"
        )
        self.authenticate("zoe", "zoe")
        order = self._add()
        self.assertEqual(order.human_signal, "login")
        self.assertEqual(order.partner_id, user.partner_id)
        self.assertEqual(self._leave(order).state, "abandoned")

    def test_nobody_looked(self):
        """Carts of before, of staff and of programs are no robot's."""
        order = self._create_cart()
        self.assertFalse(order.visitor_signals)
        cart = self._leave(order)
        self.assertEqual(cart.state, "abandoned")
        self.assertFalse(cart.robot_signals or cart.robot_explanation)

    def test_restored_by_a_scanner(self):
        """What only follows a link makes nobody's cart a robot's."""
        cart = self._abandon()
        self._new_robot()
        self._get(cart._get_recovery_path())
        self._detect()
        self.assertEqual(cart.state, "abandoned")

    def test_this_is_a_person(self):
        self._new_robot()
        order = self._add()
        cart = self._leave_with_address(order)
        user = new_test_user(
            self.env, "mia", groups="marketing_automation.group_marketing_user"
        )
        with self.assertRaises(AccessError):
            cart.with_user(user).action_mark_person()
        user.group_ids += self.env.ref("marketing_automation.group_marketing_manager")
        cart.with_user(user).action_mark_person()
        self.assertEqual((cart.state, cart.exclusion_reason), ("abandoned", False))
        self.assertEqual(order.human_signal, "staff")
        self.assertEqual(cart.enrollment_ids.state, "active")
        self._add()
        self._leave(order)
        self.assertEqual(cart.state, "abandoned", "it is remembered")

    def test_a_person_whose_cart_is_not_worth_it(self):
        self._new_robot()
        cart = self._leave(self._add())
        self.assertEqual(cart.exclusion_reason, "robot")
        cart.action_mark_person()
        self.assertEqual(cart.exclusion_reason, "no_contact")
