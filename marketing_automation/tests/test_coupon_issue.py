import math
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.coupon import coupon_issue
from ..tools.coupon_codes import ALPHABET, GROUPS, make_code, tidy_code
from .coupon_common import CouponCase

DISPATCHER = "odoo.addons.marketing_automation.models.delivery.marketing_dispatcher"


@tagged("post_install", "-at_install")
class TestCouponIssue(CouponCase):
    """Cards: when they are made, for whom, with what on them."""

    def test_message_brings_a_card(self):
        cart = self._abandon()
        self._run_all()
        message = cart.message_ids
        self.assertEqual(message.state, "sent", message.reason_detail)
        card = message.coupon_card_id
        self.assertTrue(card._is_open())
        self.assertEqual(card.marketing_email, "anna@example.com")
        self.assertEqual(card.partner_id, self.customer)
        self.assertEqual(card.marketing_enrollment_id, cart.enrollment_ids)
        self.assertEqual(cart.enrollment_ids.coupon_card_id, card)
        self.assertEqual(card.marketing_minimum_amount, 20.0)
        self.assertEqual(card.expiration_date, fields.Date.today() + timedelta(days=7))
        for text in (message.body_html, message.body_text):
            self.assertIn(card.code, text)
            self.assertIn("10%", text)
            self.assertIn("20.00", text)
        self.assertEqual(message.subject, f"10% off your cart at {self.website.name}")

    def test_shipped_templates_without_a_coupon(self):
        self.step.write({"coupon_use": "none", "coupon_id": False})
        cart = self._abandon()
        self._run_all()
        self.assertEqual(cart.message_ids.state, "sent")
        self.assertNotIn("coupon", cart.message_ids.body_text.lower())

    def test_no_card_for_whom_the_gate_stops(self):
        self.env["mail.blacklist"]._add("anna@example.com")
        self._abandon()
        self._run_all()
        self.assertFalse(self._cards())
        self.assertFalse(self.rule._get_programs(), "made when it is first needed")

    def _cards(self):
        return self.env["loyalty.card"].search([("marketing_coupon_id", "!=", False)])

    def test_one_card_however_often_it_is_tried(self):
        """What fails after the card was made does not make another one."""
        cart = self._abandon()
        provider = type(self.sandbox)

        def fail(_self):
            raise ValueError("no adapter")

        with patch.object(provider, "_get_adapter", fail), mute_logger(DISPATCHER):
            self._run_all()
        self.env.invalidate_all()
        message = cart.message_ids
        card = message.coupon_card_id
        self.assertEqual((message.state, len(card)), ("queued", 1))
        message.scheduled_at = fields.Datetime.now()
        self.sandbox.rest_until = False
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(message.state, "sent")
        self.assertEqual(self._cards(), card)
        self.assertIn(card.code, message.body_text)

    def test_reminder_speaks_of_the_card_of_the_run(self):
        card = self._issue()
        second = self.sequence.step_ids[1]
        second.write({"coupon_use": "remind", "template_id": self.step.template_id.id})
        cart = self.customer.env["abandoned.cart"].search(
            [("enrollment_ids", "=", card.marketing_enrollment_id.id)]
        )
        self._shift(cart, days=2)
        self._process_steps()
        message = cart.message_ids.sorted("id")[-1]
        self.assertEqual(message.step_id, second)
        self.assertEqual(self.env["marketing.coupon"]._issue_for(message), message)
        self.assertEqual(message.coupon_card_id, card)
        self.assertEqual(self._cards(), card)

    def test_reminder_of_nothing_is_skipped(self):
        self.step.write({"coupon_use": "remind", "coupon_id": False})
        cart = self._abandon()
        self._run_all()
        message = cart.message_ids
        self.assertEqual((message.state, message.reason), ("skipped", "no_coupon"))
        self.assertEqual(cart.enrollment_ids.state, "active", "only this one message")

    def test_guest_without_an_account(self):
        """The public user's cards would be offered to every guest."""
        card = self._issue(self._create_customer("Guest", "guest@example.com"))
        self.assertEqual(card.marketing_email, "guest@example.com")
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        public = self.website.user_id.partner_id
        message = self.env["marketing.message"].search(
            [("coupon_card_id", "=", card.id)]
        )
        message.partner_id = public
        self.assertFalse(self.rule._prepare_card(message, {})["partner_id"])
        self.assertTrue(order)

    # === TERMS ===#

    def test_tiers_by_the_value_of_the_cart(self):
        rule = self.env.ref("marketing_automation.coupon_tiered")
        for price, percent in ((100, 5), (24999, 5), (25000, 10), (50000, 15)):
            product = self._create_product(f"P{price}", price)
            customer = self._create_customer(f"C{price}", f"c{price}@example.com")
            card = self._issue(customer, [(product, 1)], rule=rule)
            with self.subTest(price=price):
                reward = card.program_id.reward_ids
                self.assertEqual(
                    (reward.discount_mode, reward.discount), ("percent", percent)
                )
        self.assertEqual(len(rule._get_programs()), 3)

    def test_tiers_in_the_companys_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "¤",
                "rate_ids": [
                    fields.Command.create({"name": "2020-01-01", "rate": 400.0})
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "XTS", "currency_id": currency.id}
        )
        rule = self._create_rule(
            kind="tiered", tier_ids=self._create_tiers((0, 5), (50, 10))
        )
        card = self._issue(pricelist_id=pricelist.id, rule=rule)
        self.assertEqual(card.program_id.reward_ids.discount, 5, "40 of ours")
        self.assertEqual(card.marketing_currency_id, currency)
        self.assertEqual(card.marketing_minimum_amount, 8000.0)

    def test_fixed_amount(self):
        card = self._issue(rule=self._create_rule(kind="fixed", amount=7.5))
        order = card.marketing_enrollment_id.abandoned_cart_id.order_id
        self.assertEqual(self._apply(order, card.code), "")
        self.assertAlmostEqual(order.amount_total, 32.5)

    def test_promised_terms_stay(self):
        """Who has a coupon keeps what was promised, whatever becomes of the rule."""
        old = self._issue()
        self.rule.write({"percent": 12.5, "name": "Better offer"})
        new = self._issue(self._create_customer("Bo", "bo@example.com"))
        self.assertEqual(old.program_id.reward_ids.discount, 10)
        self.assertEqual(new.program_id.reward_ids.discount, 12.5)
        self.assertEqual(
            (old | new).program_id.mapped("name"),
            ["Better offer (10%)", "Better offer (12.5%)"],
        )
        programs = self.env["loyalty.program"]
        programs._gc_marketing_programs()
        self.assertTrue(old.program_id.active)
        old.expiration_date = fields.Date.today() - timedelta(days=1)
        programs._gc_marketing_programs()
        self.assertFalse(old.program_id.active, "nothing can be bought with it")
        self.assertTrue(new.program_id.active)
        self.rule.percent = 10
        again = self._issue(self._create_customer("Cy", "cy@example.com"))
        self.assertEqual(again.program_id, old.program_id)
        self.assertTrue(again.program_id.active)

    def test_one_programme_for_each_company(self):
        card = self._issue()
        self.assertEqual(card.program_id.company_id, self.company)
        self.assertEqual(card.company_id, self.company)
        self.assertEqual(len(self.rule._get_programs()), 1)

    def test_what_was_changed_in_the_programme(self):
        card = self._issue()
        card.program_id.reward_ids.discount = 90
        other = self._issue(self._create_customer("Bo", "bo@example.com"))
        self.assertEqual(other.program_id, card.program_id)
        self.assertEqual(other.program_id.reward_ids.discount, 10)

    def test_rules_that_make_no_sense(self):
        for vals in (
            {"percent": 0},
            {"percent": 101},
            {"kind": "fixed", "amount": 0},
            {"kind": "tiered"},
            {"kind": "tiered", "tier_ids": self._create_tiers((10, 5))},
            {"kind": "tiered", "tier_ids": self._create_tiers((0, 5), (0, 6))},
            {"validity_days": 0},
            {"minimum_share": 101},
            {"prefix": "TOO-LONG!"},
            {"reminder_days": 7},
            {"reminder_days": 2},
            {"has_floor": True, "min_margin": -1},
        ):
            with self.subTest(vals):
                self._assert_error(lambda vals=vals: self._create_rule(**vals))

    def test_step_without_a_rule(self):
        with self.assertRaisesRegex(ValidationError, "Choose which coupon"):
            self.step.coupon_id = False

    def test_rule_in_use(self):
        self._assert_error(self.rule.unlink)
        with self.assertRaisesRegex(ValidationError, self.sequence.name):
            self.rule.active = False
        self._issue()
        self.step.write({"coupon_use": "none", "coupon_id": False})
        self._assert_error(self.rule.unlink)
        self.rule.active = False
        unused = self._create_rule()
        unused.unlink()
        self.assertFalse(unused.exists())

    def test_template_that_needs_a_coupon(self):
        with self.assertRaisesRegex(UserError, "somebody without a coupon"):
            self.env["marketing.template"].create(
                {
                    "name": "Careless",
                    "channel": "sms",
                    "body_sms": "{{ coupon.code }} {{ cart.recovery_url }}",
                }
            )

    # === CODES ===#

    def test_codes_cannot_be_guessed_or_misread(self):
        self.assertGreaterEqual(math.log2(len(ALPHABET)) * sum(GROUPS), 60)
        self.assertEqual(len(set(ALPHABET)), len(ALPHABET))
        self.assertFalse(set(ALPHABET) & set("0O1IL2Z5S6G8BUV"))
        codes = {make_code("BACK") for _ in range(5000)}
        self.assertEqual(len(codes), 5000)
        letters = "".join(codes).replace("BACK-", "").replace("-", "")
        for letter in ALPHABET:
            share = letters.count(letter) / len(letters)
            self.assertAlmostEqual(share, 1 / len(ALPHABET), delta=0.005)
        self.assertEqual(tidy_code(" back-7kd4m-\n"), "BACK-7KD4M-")

    def test_code_that_exists_already(self):
        """Of cards, archived ones too, of promotions, and of the same batch."""
        taken = self._issue()
        taken.active = False
        promotion = self.env["loyalty.program"].create(
            {
                "name": "P",
                "program_type": "promo_code",
                "applies_on": "current",
                "trigger": "with_code",
                "rule_ids": [
                    fields.Command.create({"mode": "with_code", "code": "PROMO"})
                ],
                "reward_ids": [fields.Command.create({"discount": 1})],
            }
        )
        self.assertTrue(promotion)
        drawn = iter([taken.code, "PROMO", "SAME", "SAME", "A", "B", "C"])
        with patch.object(coupon_issue, "make_code", lambda prefix: next(drawn)):
            codes = self.env["marketing.coupon"]._make_codes(["", "", "", ""])
        self.assertEqual(codes, ["A", "B", "SAME", "C"])

    def test_many_at_once(self):
        """Two hundred cost as few statements as one batch of any size does."""
        count = 200
        partners = self.env["res.partner"].create(
            [
                {"name": f"P{number}", "email": f"p{number}@example.com"}
                for number in range(count)
            ]
        )
        for partner in partners:
            self._create_cart(partner)
        self._detect()
        self._process_steps()
        messages = self.env["marketing.message"].search([("state", "=", "queued")])
        self.assertEqual(len(messages), count)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        with self.assertNoLogs(level="WARNING"):
            self.env["marketing.coupon"]._issue_for(messages)
            self.env.flush_all()
        queries = self.env.cr.sql_log_count - before
        cards = self._cards()
        self.assertEqual(len(cards), count)
        self.assertEqual(len(set(cards.mapped("code"))), count)
        self.assertFalse(cards.message_ids.filtered(lambda m: m.tracking_value_ids))
        self.assertLess(queries, 100)
