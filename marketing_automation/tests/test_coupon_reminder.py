from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .coupon_common import CouponCase
from .world import create_other_shop


@tagged("post_install", "-at_install")
class TestCouponReminder(CouponCase):
    """One message to whoever has a coupon that runs out soon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("marketing_automation.coupon_20_percent")
        cls.step.coupon_id = cls.rule
        cls.company.email_cap_hours = 0
        cls.card = cls._issue()
        cls.run_ = cls.card.marketing_enrollment_id
        cls.cart = cls.run_.abandoned_cart_id

    def _pass_days(self, days):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE loyalty_card SET expiration_date = expiration_date - %s,"
            " create_date = create_date - %s * interval '1 day'"
            " WHERE marketing_coupon_id IS NOT NULL",
            [days, days],
        )
        self.env.invalidate_all()

    def _remind(self):
        before = self.env["marketing.message"].search([], limit=1, order="id desc").id
        self._run_cron("ir_cron_remind_coupons")
        self.env.invalidate_all()
        return self.env["marketing.message"].search([("id", ">", before)])

    def test_two_days_before(self):
        self.assertFalse(self._remind())
        self._pass_days(4)
        self.assertFalse(self._remind())
        self._pass_days(1)
        message = self._remind()
        self.assertEqual(message.coupon_card_id, self.card)
        self.assertEqual(message.template_id, self.rule.reminder_template_id)
        self.assertFalse(self._remind(), "once")
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(message.state, "sent", message.reason_detail)
        self.assertIn(self.card.code, message.body_text)
        self.assertIn("20%", message.body_text)

    def test_expired_already(self):
        self._pass_days(8)
        self.assertFalse(self._remind())

    def test_used_or_taken_back(self):
        self._pass_days(5)
        message = self._remind()
        order = self.cart.order_id
        self._apply(order, self.card.code)
        order.action_confirm()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual((message.state, message.reason), ("skipped", "purchased"))
        other = self._issue(self._create_customer("Bo", "bo@example.com"))
        other.marketing_enrollment_id._stop("cancelled")
        self._pass_days(5)
        self.assertFalse(self._remind())

    def test_bought_something_else(self):
        """Anywhere, without the coupon: the gate knows."""
        self._pass_days(5)
        self._complete(self.run_)
        message = self._remind()
        bought = self._create_cart(website_id=False, company_id=self.company.id)
        bought.action_confirm()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual((message.state, message.reason), ("skipped", "purchased"))

    def test_opted_out(self):
        self._pass_days(5)
        message = self._remind()
        self._complete(self.run_)
        self.env["mail.blacklist"]._add("anna@example.com")
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual((message.state, message.reason), ("cancelled", "opted_out"))

    def test_frequency_cap(self):
        self.company.email_cap_hours = 24
        self._run_cron("ir_cron_dispatch")
        self._pass_days(5)
        message = self._remind()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual((message.state, message.reason), ("queued", "frequency_cap"))

    def test_withdrawn_between(self):
        """Taken back after the reminder was queued: nothing is said of it."""
        self._pass_days(5)
        message = self._remind()
        self.env["loyalty.card"]._revoke(self.run_, "cancelled")
        self.env["marketing.coupon"]._issue_for(message)
        self.assertEqual((message.state, message.reason), ("skipped", "no_coupon"))

    def test_only_the_newest(self):
        second = self.sequence.step_ids[1]
        self._hand_out(second, self.env.ref("marketing_automation.coupon_tiered"))
        self._shift(self.cart, days=2)
        self._process_steps()
        newest = self._issue_for_cart(self.cart)
        self.assertNotEqual(newest, self.card)
        self._pass_days(5)
        self.assertEqual(self._remind().coupon_card_id, newest)

    def test_switched_off(self):
        self.rule.reminder_days = 0
        self._pass_days(6)
        self.assertFalse(self._remind())


@tagged("post_install", "-at_install")
class TestCouponFigures(CouponCase):
    """What the screens say of coupons."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cards = cls.env["loyalty.card"]
        for name in ("open", "used", "expired", "withdrawn"):
            cls.cards |= cls._issue(cls._create_customer(name, f"{name}@example.com"))
        cls.open, cls.used, cls.expired, cls.withdrawn = cls.cards

    def setUp(self):
        super().setUp()
        order = self.used.marketing_enrollment_id.abandoned_cart_id.order_id
        self._apply(order, self.used.code)
        order.action_confirm()
        self.expired.expiration_date = fields.Date.today() - timedelta(days=1)
        self.withdrawn.marketing_enrollment_id._stop("cancelled")
        self.env.flush_all()
        self.env.invalidate_all()

    def _shown(self, card):
        return self.env["marketing.coupon.card"].browse(card.ids)

    def test_rule(self):
        rule = self.rule
        self.assertEqual((rule.card_count, rule.open_count, rule.used_count), (4, 1, 1))
        self.assertEqual((rule.expired_count, rule.withdrawn_count), (1, 1))
        self.assertAlmostEqual(rule.used_share, 0.25)
        self.assertAlmostEqual(rule.discount_given, 4.0)
        self.assertAlmostEqual(rule.revenue, 36.0)
        action = rule.action_view_cards()
        shown = self.env["marketing.coupon.card"].search(action["domain"])
        self.assertEqual(set(shown.ids), set(self.cards.ids))

    def test_cards(self):
        for card, state in zip(
            self.cards, ("open", "used", "expired", "withdrawn"), strict=True
        ):
            shown = self._shown(card)
            self.assertEqual(shown.state, state)
            self.assertEqual(shown.takes_off, "10%")
            self.assertEqual(shown.code, card.code)
        used = self._shown(self.used)
        self.assertAlmostEqual(used.discount, 4.0)
        self.assertAlmostEqual(used.revenue, 36.0)
        self.assertTrue(used.order_name)
        self.assertEqual(self._shown(self.withdrawn).revoke_reason, "cancelled")
        self.assertEqual(used.action_open_cart()["res_id"], used.abandoned_cart_id.id)

    def test_withdraw_by_hand(self):
        """What was used or has expired stays as it is."""
        shown = self._shown(self.cards)
        shown.action_withdraw()
        self.assertEqual(
            shown.mapped("state"), ["withdrawn", "used", "expired", "withdrawn"]
        )

    def test_figures_are_of_ones_own_company(self):
        company, _website = create_other_shop(self)
        rule = self.rule.with_company(company).with_context(
            allowed_company_ids=company.ids
        )
        self.assertEqual((rule.card_count, rule.revenue), (0, 0))
