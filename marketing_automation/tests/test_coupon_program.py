from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .coupon_common import CouponCase


@tagged("post_install", "-at_install")
class TestCouponProgram(CouponCase):
    """What a coupon was promised with holds, whatever becomes of its programme."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls._issue()
        cls.order = cls.card.marketing_enrollment_id.abandoned_cart_id.order_id
        cls.program = cls.card.program_id

    def _assert_as_promised(self):
        """The card takes its 10 % off, and so does one that is made now."""
        self.assertEqual(self.card._format_discount(), "10%")
        self.assertEqual(self._apply(self.order, self.card.code), "")
        self.assertAlmostEqual(self._get_discount(self.order), 4.0)

    def test_untouched_programme_is_not_written(self):
        self.env.flush_all()
        before = (self.program.write_date, self.program.reward_ids.write_date)
        self.rule._get_program(self.company, self.rule._get_terms(40.0))
        self.assertEqual(
            (self.program.write_date, self.program.reward_ids.write_date), before
        )

    def test_ended(self):
        self.program.date_to = fields.Date.today() - timedelta(days=1)
        self._assert_as_promised()
        self.assertFalse(self.program.date_to)

    def test_not_begun(self):
        self.program.date_from = fields.Date.today() + timedelta(days=30)
        self._assert_as_promised()

    def test_other_website(self):
        self.program.website_id = self.env["website"].create({"name": "Other"})
        self._assert_as_promised()

    def test_not_for_the_shop(self):
        self.program.write({"ecommerce_ok": False, "sale_ok": False})
        self._assert_as_promised()

    def test_archived(self):
        self.program.action_archive()
        self._assert_as_promised()

    def test_used_up(self):
        self.program.write({"limit_usage": True, "max_usage": 1})
        self._assert_as_promised()

    def test_price_list(self):
        pricelist = self.env["product.pricelist"].create({"name": "Others"})
        self.program.pricelist_ids = pricelist
        self._assert_as_promised()

    def test_condition(self):
        self.program.rule_ids = [
            Command.create({"minimum_amount": 1000.0, "mode": "with_code"})
        ]
        self._assert_as_promised()

    def test_less(self):
        self.program.reward_ids.discount = 1.0
        self._assert_as_promised()

    def test_largest_amount(self):
        self.program.reward_ids.discount_max_amount = 1.0
        self._assert_as_promised()

    def test_cheapest_product_only(self):
        self.program.reward_ids.discount_applicability = "cheapest"
        self._assert_as_promised()

    def test_more_points(self):
        self.program.reward_ids.required_points = 5.0
        self._assert_as_promised()

    def test_reward_deleted(self):
        other = Command.create({"reward_type": "discount", "discount": 3.0})
        self.program.reward_ids = [other]
        self.program.reward_ids.sorted("id")[0].unlink()
        self._assert_as_promised()
        self.assertEqual(len(self.program.reward_ids), 1)

    def test_reward_archived(self):
        self.program.reward_ids.active = False
        self._assert_as_promised()

    def test_new_cards(self):
        """A rule whose programme was changed hands out what it says."""
        self.program.reward_ids.discount_max_amount = 1.0
        card = self._issue(self._create_customer("Ben", "ben@example.com"))
        self.assertEqual(card.program_id, self.program)
        self.assertFalse(self.program.reward_ids.discount_max_amount)

    def test_used_card_mends_nothing(self):
        """A programme of old cards may be archived for good."""
        self.card.expiration_date = fields.Date.today() - timedelta(days=1)
        self.program.action_archive()
        self.assertNotEqual(self._apply(self.order, self.card.code), "")
        self.assertFalse(self.program.active)
