from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .coupon_common import CouponCase
from .http_common import MarketingHttpCase
from .payment_common import (
    begin_payment,
    create_provider,
    finish_payment,
    prepare_payment,
)

REDEEM = "odoo.addons.marketing_automation.models.coupon.coupon_redeem"
BOOKED = (
    "odoo.addons.account_payment.models.payment_transaction."
    "PaymentTransaction._post_process"
)


class PaymentCase(CouponCase):
    """Two carts of one person, both with the same coupon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = create_provider(cls.env)
        cls.product.type = "service"  # Nobody has to choose a delivery.
        cls.card = cls._issue()
        cls.first = cls.card.marketing_enrollment_id.abandoned_cart_id.order_id
        cls.second = cls._create_cart()

    def setUp(self):
        super().setUp()
        self.startPatcher(patch(BOOKED))
        for order in (self.first, self.second):
            self.assertEqual(self._apply(order, self.card.code), "")
            self.assertAlmostEqual(order.amount_total, 36.0)

    def _get_history(self):
        return self.env["loyalty.history"].search([("card_id", "=", self.card.id)])


@tagged("post_install", "-at_install")
class TestCouponPayment(PaymentCase):
    """One coupon pays for one order."""

    def test_the_first_to_pay_has_it(self):
        begin_payment(self.first, self.provider)
        with self.assertRaisesRegex(ValidationError, "Nothing was charged"):
            begin_payment(self.second, self.provider)
        self.second._update_programs_and_rewards()
        self.assertAlmostEqual(self.second.amount_total, 40.0)
        self.assertIn("pay for another order", self.second.shop_warning)

    def test_again_for_the_same_order(self):
        for _time in range(2):
            begin_payment(self.first, self.provider)
        finish_payment(self.first.transaction_ids[0])
        self.assertEqual(self.first.state, "sale")
        self.assertEqual(len(self._get_history()), 1)

    def test_failed_payment_lets_it_go(self):
        for fail in ("_set_canceled", "_set_error"):
            transaction = begin_payment(self.first, self.provider)
            getattr(transaction, fail)(*["no"] if fail == "_set_error" else [])
            with self.subTest(fail):
                self.assertEqual(self.second._get_coupon_refusal(self.card), "")
        begin_payment(self.second, self.provider)

    def test_payment_that_was_given_up(self):
        transaction = begin_payment(self.first, self.provider)
        later = transaction.create_date + timedelta(minutes=31)
        with self._at(later):
            self.assertEqual(self.second._get_coupon_refusal(self.card), "")
        transaction._set_pending()
        with self._at(later):
            self.assertIn(
                "pay for another order", self.second._get_coupon_refusal(self.card)
            )

    def test_money_that_comes_late(self):
        """Both have paid what they were shown: both get their order, the shop reads
        that the discount was given twice."""
        first = begin_payment(self.first, self.provider)
        with self._at(first.create_date + timedelta(minutes=31)):
            second = begin_payment(self.second, self.provider)
        finish_payment(second)
        self.assertEqual(self.second.state, "sale")
        with self.assertLogs(REDEEM, "WARNING"):
            finish_payment(first)
        self.assertEqual(self.first.state, "sale")
        for order in (self.first, self.second):
            self.assertAlmostEqual(order.amount_total, 36.0)
            self.assertAlmostEqual(order.transaction_ids.amount, 36.0)
        notes = " ".join(self.first.message_ids.mapped("body"))
        self.assertIn("the discount was given twice", notes)
        self.assertEqual(len(self._get_history()), 2)
        self.assertTrue(self.card.marketing_redeemed_order_id)
        self.assertAlmostEqual(self.card.marketing_discount_company, 8.0)
        self.assertEqual(self.card.points, 0)
        self.first._action_cancel()
        self.assertEqual(self.card.points, 0, "the other order still has it")
        self.assertEqual(self.card.marketing_redeemed_order_id, self.second)
        self.assertAlmostEqual(self.card.marketing_discount_company, 4.0)

    def test_taken_back_while_somebody_pays(self):
        """It is not: who is paying keeps the price."""
        transaction = begin_payment(self.first, self.provider)
        self.card.marketing_enrollment_id._stop("cancelled")
        self.assertFalse(self.card.marketing_revoked_at)
        finish_payment(transaction)
        self.assertEqual(self.first.state, "sale")
        self.assertAlmostEqual(self.first.amount_total, 36.0)

    def test_taken_back_before_late_money(self):
        transaction = begin_payment(self.first, self.provider)
        with self._at(transaction.create_date + timedelta(minutes=31)):
            self.card.marketing_enrollment_id._stop("cancelled")
        self.assertTrue(self.card.marketing_revoked_at)
        with self.assertLogs(REDEEM, "WARNING"):
            finish_payment(transaction)
        self.assertEqual(self.first.state, "sale")
        self.assertAlmostEqual(self.first.amount_total, 36.0)
        self.assertEqual(len(self._get_history()), 1)

    def test_bank_transfer(self):
        """The money comes after the coupon's last day: the price holds."""
        transaction = begin_payment(self.first, self.provider)
        transaction._set_pending()
        self.card.expiration_date = fields.Date.today() + timedelta(days=1)
        later = fields.Datetime.now() + timedelta(days=5)
        with self._at(later):
            self.first._update_programs_and_rewards()
            self.assertAlmostEqual(self.first.amount_total, 36.0)
            self.first.action_confirm()
        self.assertAlmostEqual(self.first.amount_total, 36.0)
        self.assertEqual(self.card.marketing_redeemed_order_id, self.first)

    def test_person_and_minimum_are_looked_at(self):
        for vals, sentence in (
            (
                {"marketing_minimum_amount": 41, "marketing_minimum_untaxed": 41},
                "for orders from",
            ),
            ({"marketing_email": "x@example.com", "partner_id": False}, "personal"),
            ({"points": 0}, "not valid any more"),
        ):
            self.card.write(vals)
            with (
                self.subTest(sentence),
                self.assertRaisesRegex(ValidationError, sentence),
            ):
                begin_payment(self.first, self.provider)

    def test_seller_confirms_a_quotation_nobody_paid(self):
        """Odoo refuses, before anybody paid, what cannot be had any more."""
        self.first.action_confirm()
        self.assertAlmostEqual(self.second.amount_total, 40.0)
        self.second.action_confirm()
        self.assertEqual(len(self._get_history()), 1)


@tagged("post_install", "-at_install")
class TestCouponPaymentPages(PaymentCase, MarketingHttpCase):
    """The same over HTTP: what the visitor reads, and is charged."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.customer.write(
            {
                "street": "1 Street",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.env.ref("base.be").id,
                "phone": "+3225551234",
            }
        )

    def _pay(self, order, amount):
        """Press "Pay now"; return the amount that is charged, or what the shop says."""
        params = prepare_payment(order, self.provider, amount)
        self.env.flush_all()
        answer = self._get(
            f"/shop/payment/transaction/{order.id}",
            json={"jsonrpc": "2.0", "params": params},
        ).json()
        if "error" in answer:
            return answer["error"]["data"]["message"]
        return answer["result"]["amount"]

    @mute_logger("odoo.http")
    def test_loser_is_told_before_paying(self):
        self.assertAlmostEqual(self._pay(self.first, 36.0), 36.0)
        self._new_visitor()
        self.assertIn("pay for another order", self._pay(self.second, 36.0))
        self.assertFalse(self.second.transaction_ids)
        self.second._update_programs_and_rewards()
        self.assertAlmostEqual(self._pay(self.second, 40.0), 40.0)
        for order in (self.first, self.second):
            finish_payment(order.transaction_ids)
            self.assertEqual(order.state, "sale")
        self.assertEqual(len(self._get_history()), 1)

    @mute_logger("odoo.http")
    def test_price_that_was_shown_before(self):
        """Whoever did not reload the page is not charged another price, either."""
        self._pay(self.first, 36.0)
        self._new_visitor()
        self.second._update_programs_and_rewards()
        self.assertIn("The cart has been updated", self._pay(self.second, 36.0))
        self.assertFalse(self.second.transaction_ids)

    def _log_in(self):
        user = self.env["res.users"].create(
            {
                "name": "Anna",
                "login": "anna_shop",
                "password": "anna_shop",
                "partner_id": self.customer.id,
                "group_ids": [
                    fields.Command.set(self.env.ref("base.group_portal").ids)
                ],
            }
        )
        self._new_visitor(user.login)

    def test_payment_page_tells_the_loser(self):
        self.first.action_confirm()
        self._log_in()
        page = self._get("/shop/payment").text
        self.assertIn("Your coupon was taken off this cart", page)
        self.assertIn("has been used already", page)
        self.assertIn("40.00", page)

    def test_free_order(self):
        """Nothing to pay, so no payment begins: the coupon is taken at the end."""
        program = self.card.program_id
        program.reward_ids.discount = 100
        for order in (self.first, self.second):
            order._update_programs_and_rewards()
            self.assertEqual(order.amount_total, 0)
        self._log_in()
        self._get("/shop/cart")
        begin_payment(self.first, self.provider)
        self.env.flush_all()
        response = self._get("/shop/payment/validate", allow_redirects=False)
        self.assertIn("/shop/payment", response.headers["Location"])
        self.assertEqual(self.second.state, "draft")
        self.assertAlmostEqual(self.second.amount_total, 40.0)
