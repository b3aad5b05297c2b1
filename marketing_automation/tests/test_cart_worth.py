from odoo.fields import Command
from odoo.tests import tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestCartWorth(MarketingCase):
    """The smallest cart worth recovering is one of products."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.cart_minimum_amount = 50.0
        cls.service = cls._create_product("Something else", 15.0, type="service")

    def _abandon_with(self, quantity=2, **vals):
        """A cart of mugs for 20.00 each, with another line."""
        order = self._create_cart(products=[(self.product, quantity)])
        if vals:
            order.order_line = [
                Command.create(
                    {
                        "product_id": self.service.id,
                        "name": "Something else",
                        "tax_ids": False,
                        **vals,
                    }
                )
            ]
        self._detect()
        return order.abandoned_cart_id

    def _make_reward(self, program_type, **vals):
        program = self.env["loyalty.program"].create(
            {
                "name": program_type,
                "program_type": program_type,
                "reward_ids": [Command.create({"required_points": 1, **vals})],
            }
        )
        return program.reward_ids[:1]

    def _assert_worth(self, cart, worth, reason):
        self.assertEqual(cart.worth_company, worth)
        self.assertEqual(cart.exclusion_reason, reason)

    def test_products_alone(self):
        self._assert_worth(self._abandon_with(3), 60.0, False)

    def test_delivery_does_not_count(self):
        cart = self._abandon_with(is_delivery=True)
        self.assertEqual(cart.amount_company, 55.0)
        self._assert_worth(cart, 40.0, "below_minimum")

    def test_something_else_in_the_cart_counts(self):
        cart = self._abandon_with(price_unit=15.0)
        self._assert_worth(cart, 55.0, False)

    def test_discount_counts(self):
        reward = self._make_reward("promotion", discount=10)
        cart = self._abandon_with(3, price_unit=-15.0, reward_id=reward.id)
        self._assert_worth(cart, 45.0, "below_minimum")

    def test_gift_card_pays(self):
        """It says how the cart is paid, not what it is worth."""
        reward = self._make_reward("gift_card", discount=1)
        cart = self._abandon_with(3, price_unit=-30.0, reward_id=reward.id)
        self.assertEqual(cart.amount_company, 30.0)
        self._assert_worth(cart, 60.0, False)

    def test_free_delivery(self):
        reward = self._make_reward("promotion", reward_type="shipping")
        cart = self._abandon_with(3, price_unit=-15.0, reward_id=reward.id)
        self._assert_worth(cart, 60.0, False)

    def test_down_payment(self):
        cart = self._abandon_with(is_downpayment=True)
        self._assert_worth(cart, 40.0, "below_minimum")

    def test_minimum_of_a_sequence(self):
        self.company.cart_minimum_amount = 0.0
        self.sequence.minimum_amount = 50.0
        cart = self._abandon_with(is_delivery=True)
        self._assert_worth(cart, 40.0, False)
        self.assertNotIn(self.sequence, cart.enrollment_ids.sequence_id)
