import random

from odoo.fields import Command
from odoo.tests import BaseCase, tagged

from ..tools.discount_floor import cap_amount, cap_percent
from .coupon_common import CouponCase
from .examples import examples


class TestDiscountFloor(BaseCase):
    """How a discount is spread over lines that can bear different shares."""

    def test_percent(self):
        self.assertEqual(cap_percent(20, [0.5, 0.1, -0.2]), [0.2, 0.1, 0.0])

    def test_amount_within_the_room(self):
        for share in cap_amount(10, [60, 40], [1, 1]):
            self.assertAlmostEqual(share, 0.1)

    def test_others_bear_what_one_cannot(self):
        shares = cap_amount(10, [50, 50], [0.04, 1])
        self.assertAlmostEqual(shares[0] * 50, 2)
        self.assertAlmostEqual(shares[1] * 50, 8)

    def test_more_than_there_is_room(self):
        self.assertEqual(cap_amount(100, [50, 50], [0.1, 0.2]), [0.1, 0.2])
        self.assertEqual(cap_amount(10, [50, 0], [-0.5, 1]), [0.0, 0.0])
        self.assertEqual(cap_amount(10, [], []), [])

    def test_any_prices(self):
        draw = random.Random(5)
        for _case in range(500):
            count = draw.randint(1, 6)
            prices = [draw.choice([0, draw.uniform(0, 100)]) for _ in range(count)]
            rooms = [draw.uniform(-0.5, 1) for _ in range(count)]
            amount = draw.uniform(0, 200)
            shares = cap_amount(amount, prices, rooms)
            given = sum(map(lambda price, share: price * share, prices, shares))
            most = sum(
                price * max(room, 0) for price, room in zip(prices, rooms, strict=True)
            )
            self.assertAlmostEqual(given, min(amount, most), places=6)
            for share, room in zip(shares, rooms, strict=True):
                self.assertLessEqual(share, max(room, 0) + 1e-9)


@tagged("post_install", "-at_install")
class TestCouponFloor(CouponCase):
    """No product is sold below its cost and the margin on top of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls._create_rule(percent=50, has_floor=True, min_margin=10)
        cls.step.coupon_id = cls.rule

    def _create_costly(self, price, cost, **vals):
        return self._create_product(f"P{price}", price, standard_price=cost, **vals)

    def _get_taken(self, order, card):
        return self._apply(order, card.code), self._get_discount(order)

    def test_limited_to_what_is_left(self):
        product = self._create_costly(100, 80)
        card = self._issue(products=[(product, 2)])
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        error, taken = self._get_taken(order, card)
        self.assertEqual(error, "")
        self.assertAlmostEqual(taken, 24.0, msg="to 88 each")
        self.assertTrue(order._is_coupon_limited())

    def test_each_product_bears_what_it_can(self):
        dear = self._create_costly(100, 10)
        tight = self._create_costly(100, 80)
        card = self._issue(products=[(dear, 1), (tight, 1)])
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        _error, taken = self._get_taken(order, card)
        self.assertAlmostEqual(taken, 50 + 12)

    def test_products_without_a_cost(self):
        card = self._issue()
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        self._get_taken(order, card)
        self.assertAlmostEqual(order.amount_total, 20.0)
        self.assertFalse(order._is_coupon_limited())

    def test_nothing_left_to_take_off(self):
        product = self._create_costly(100, 95)
        card = self._issue(products=[(product, 1)])
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        error, taken = self._get_taken(order, card)
        self.assertIn("lowest price already", error)
        self.assertEqual(taken, 0)
        order.order_line = [Command.create({"product_id": self.product.id})]
        _error, taken = self._get_taken(order, card)
        self.assertAlmostEqual(taken, 10.0)

    def test_fixed_amount(self):
        self.rule.write({"kind": "fixed", "amount": 30})
        dear = self._create_costly(100, 10)
        tight = self._create_costly(100, 80)
        card = self._issue(products=[(dear, 1), (tight, 1)])
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        _error, taken = self._get_taken(order, card)
        self.assertAlmostEqual(taken, 30.0, msg="12 of one, 18 of the other")
        self.assertFalse(order._is_coupon_limited())
        order.order_line.filtered(lambda line: line.product_id == dear).unlink()
        order._update_programs_and_rewards()
        self.assertAlmostEqual(self._get_discount(order), 12.0)
        self.assertTrue(order._is_coupon_limited())

    def test_promised_floor_stays(self):
        self.rule.has_floor = False
        product = self._create_costly(100, 80)
        card = self._issue(products=[(product, 2)])
        self.rule.has_floor = True
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        _error, taken = self._get_taken(order, card)
        self.assertAlmostEqual(taken, 100.0)

    def _create_tax(self, amount, included):
        return self.env["account.tax"].create(
            {
                "name": f"T{amount}{included}",
                "amount": amount,
                "amount_type": "percent",
                "type_tax_use": "sale",
                "price_include_override": "tax_included"
                if included
                else "tax_excluded",
            }
        )

    def _create_promotion(self, **reward):
        self.env["loyalty.program"].create(
            {
                "name": "Promotion",
                "program_type": "promotion",
                "applies_on": "current",
                "trigger": "auto",
                "rule_ids": [Command.clear(), Command.create({"minimum_amount": 0})],
                "reward_ids": [Command.clear(), Command.create(reward)],
            }
        )

    def test_any_cart(self):
        """Random prices, costs, taxes and quantities, with other promotions besides:
        what each group of taxes gives away fits into the room of its products."""
        draw = random.Random(11)
        taxes = [
            self.env["account.tax"],
            self._create_tax(10, False),
            self._create_tax(27, True),
            self._create_tax(20, True),
        ]
        carts = examples(8, 25)
        for number in range(carts):
            kind = draw.choice(["percent", "fixed"])
            rule = self._create_rule(
                kind=kind,
                percent=draw.randint(1, 90),
                amount=draw.randint(1, 300),
                has_floor=True,
                min_margin=draw.choice([0, 5, 33.3]),
                minimum_share=0,
            )
            products = []
            for _line in range(draw.randint(1, 5)):
                price = round(draw.uniform(1, 200), 2)
                product = self._create_costly(
                    price, round(price * draw.uniform(0, 1.2), 2)
                )
                product.taxes_id = draw.choice(taxes)
                products.append((product, draw.randint(1, 4)))
            if number == carts // 2:
                self._create_promotion(
                    discount=15,
                    discount_applicability="specific",
                    discount_product_domain="[('list_price', '>', 100)]",
                )
            card = self._issue(
                self._create_customer(f"C{number}", f"c{number}@example.com"),
                products,
                rule=rule,
            )
            order = card.marketing_enrollment_id.abandoned_cart_id.order_id
            self._apply(order, card.code)
            order._auto_apply_rewards()
            order._update_programs_and_rewards()
            with self.subTest(number=number, kind=kind):
                self._assert_floor(order, card)

    def _assert_floor(self, order, card):
        plan = order._get_floor_plan(card)
        margin = card.marketing_min_margin
        for bearing in plan:
            floor = bearing.line._get_floor_price(margin)
            left = bearing.price * (1 - bearing.share)
            self.assertGreaterEqual(left + 1e-6, min(floor, bearing.price))
        for line in order.order_line.filtered(lambda line: line.coupon_id == card):
            room = sum(
                bearing.price - bearing.line._get_floor_price(margin)
                for bearing in plan
                if bearing.line.tax_ids == line.tax_ids and bearing.share > 0
            )
            self.assertLessEqual(-line.price_subtotal, room + 0.01)
        given = sum(bearing.price * bearing.share for bearing in plan)
        lines = order.order_line.filtered(lambda line: line.coupon_id == card)
        self.assertAlmostEqual(
            -sum(lines.mapped("price_subtotal")), given, delta=0.02 * len(plan)
        )
