import itertools

from odoo import Command
from odoo.tests import tagged

from .coupon_common import CouponCase


@tagged("post_install", "-at_install")
class TestStoredValue(CouponCase):
    """Nobody buys a gift card, or money for an eWallet, below its value."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.numbers = itertools.count()
        cls.gift_card = cls._create_stored_value("gift_card", "Gift card", 50.0)
        cls.top_up = cls._create_stored_value("ewallet", "Top-up", 50.0)

    @classmethod
    def _create_stored_value(cls, kind, name, price):
        product = cls._create_product(name, price, type="service")
        programs = cls.env["loyalty.program"]
        program = programs.with_context(default_program_type=kind).create(
            {"name": name}
        )
        program.rule_ids.product_ids = [Command.set(product.ids)]
        return product

    def _use(self, *products, rule=None):
        card = self._issue(
            # Somebody has one recovery at a time.
            self._create_customer("Ben", f"ben{next(self.numbers)}@example.com"),
            products=[(product, 1) for product in products],
            rule=rule,
        )
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        return card, order, self._apply(order, card.code)

    def test_which_products(self):
        self.assertTrue(self.gift_card.is_stored_value)
        self.assertTrue(self.top_up.is_stored_value)
        self.assertFalse(self.product.is_stored_value)

    def test_percentage(self):
        for stored in (self.gift_card, self.top_up):
            with self.subTest(product=stored.name):
                _card, order, error = self._use(self.product, stored)
                self.assertEqual(error, "")
                self.assertAlmostEqual(self._get_discount(order), 2.0)

    def test_fixed_amount(self):
        rule = self._create_rule(kind="fixed", amount=30.0, minimum_share=0.0)
        _card, order, error = self._use(self.product, self.gift_card, rule=rule)
        self.assertEqual(error, "")
        self.assertAlmostEqual(self._get_discount(order), 20.0)

    def test_margin(self):
        """With a margin to keep, too: there the room of a gift card is not used."""
        self.product.standard_price = 19.0
        for kind in ({"percent": 10.0}, {"kind": "fixed", "amount": 30.0}):
            rule = self._create_rule(has_floor=True, **kind)
            with self.subTest(**kind):
                _card, order, error = self._use(self.product, self.gift_card, rule=rule)
                self.assertEqual(error, "")
                self.assertAlmostEqual(self._get_discount(order), 1.0)

    def test_alone(self):
        """A cart with nothing else gets no coupon; its message goes without."""
        cart = self._abandon(products=[(self.gift_card, 1)])
        self._process_steps()
        message = cart.message_ids
        self.assertEqual(self.env["marketing.coupon"]._issue_for(message), message)
        self.assertFalse(message.coupon_card_id)

    def test_does_not_count(self):
        """The smallest order is one of goods: half of 20, not half of 70."""
        card, order, _error = self._use(self.product, self.gift_card)
        self.assertAlmostEqual(card.marketing_minimum_amount, 10.0)
        customer = order.partner_id
        other = self._create_cart(customer, products=[(self.gift_card, 3)])
        self.assertIn("nothing off gift cards", self._apply(other, card.code))
        other = self._create_cart(customer, products=[(self.product, 1)])
        self.assertEqual(self._apply(other, card.code), "")
