from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from .coupon_common import CouponCase


@tagged("post_install", "-at_install")
class TestCouponRemoval(CouponCase):
    """What a shop that removes the addon finds among Odoo's own records."""

    def _issue_to(self, name, rule=None):
        return self._issue(
            self._create_customer(name, f"{name}@example.com"), rule=rule
        )

    def test_promised_coupons_stay_good(self):
        card = self._issue_to("open")
        program = card.program_id
        self.env["marketing.coupon"]._let_go()
        self.assertTrue(program.active)
        self.assertEqual(program.date_to, card.expiration_date)
        self.assertTrue(card.exists())
        self.assertEqual(card.points, 1)

    def test_nothing_stays_of_what_nobody_used(self):
        card = self._issue_to("gone")
        program = card.program_id
        product = program.reward_ids.discount_line_product_id
        card.marketing_enrollment_id._stop("cancelled")
        self.env["marketing.coupon"]._let_go()
        self.assertFalse((card | card.browse()).exists())
        self.assertFalse(program.exists())
        self.assertFalse(product.exists())

    def test_what_orders_refer_to_is_archived(self):
        card = self._issue_to("used")
        program = card.program_id
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        self._apply(order, card.code)
        order.action_confirm()
        self.env["marketing.coupon"]._let_go()
        self.assertTrue(card.exists())
        self.assertFalse(program.active)
        self.assertEqual(order.order_line.coupon_id, card)

    def test_expired_coupon_in_a_cart(self):
        card = self._issue_to("late")
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        self._apply(order, card.code)
        card.expiration_date = fields.Date.today() - timedelta(days=1)
        self.env["marketing.coupon"]._let_go()
        self.assertTrue(card.exists(), "the cart refers to it")
        self.assertFalse(card.program_id.active)

    def test_last_day_does_not_depend_on_where_the_server_stands(self):
        last, late = self._issue_to("last"), self._issue_to("late")
        last.expiration_date = fields.Date.today()
        late.expiration_date = fields.Date.today() - timedelta(days=1)
        self.env.flush_all()
        # In one of them it is another day than UTC's, at any hour.
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            self.env.cr.execute("SET LOCAL TIME ZONE %s", [zone])
            found = self.env.execute_query(
                SQL(
                    "SELECT card.id FROM loyalty_card card WHERE card.id IN %s AND %s",
                    (last.id, late.id),
                    self.env["marketing.coupon"]._get_still_good(),
                )
            )
            self.assertEqual(found, [(last.id,)], zone)

    def test_shop_that_never_used_coupons(self):
        programs = self.env["loyalty.program"].with_context(active_test=False)
        before = programs.search([])
        self.env["marketing.coupon"]._let_go()
        self.assertEqual(programs.search([]), before)
