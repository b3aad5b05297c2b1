from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .coupon_common import CouponCase
from .world import create_other_shop


@tagged("post_install", "-at_install")
class TestCouponCheckout(CouponCase):
    """Who can use a coupon for what, and what the others read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls._issue()
        cls.order = cls.card.marketing_enrollment_id.abandoned_cart_id.order_id
        cls.stranger = cls._create_customer("Eve", "eve@example.com")

    def _assert_refused(self, order, sentence, card=None):
        before = order.amount_total
        self.assertIn(sentence, self._apply(order, (card or self.card).code))
        self.assertEqual(order.amount_total, before)

    def _set_minimum(self, amount):
        self.card.marketing_minimum_amount = amount
        self.card.marketing_minimum_untaxed = amount

    # === WHOSE IT IS ===#

    def test_its_person(self):
        self.assertEqual(self._apply(self.order, self.card.code), "")
        self.assertAlmostEqual(self.order.amount_total, 36.0)

    def test_typed_as_people_type(self):
        code = f" {self.card.code.lower()} "
        self.assertEqual(self._apply(self.order, code), "")
        self.assertAlmostEqual(self.order.amount_total, 36.0)

    def test_another_cart_of_the_same_person(self):
        """By the contact, or by the address, however it is written."""
        twin = self._create_customer("Anna S.", '"A. S." <ANNA@Example.com>')
        for partner in (self.customer, twin):
            order = self._create_cart(partner)
            with self.subTest(partner=partner.email):
                self.assertEqual(self._apply(order, self.card.code), "")

    def test_contact_whose_address_changed(self):
        self.customer.email = "new@example.com"
        self.assertEqual(self._apply(self.order, self.card.code), "")

    def test_somebody_else(self):
        order = self._create_cart(self.stranger)
        self._assert_refused(order, "This coupon is personal")
        self.stranger.email = False
        self._assert_refused(order, "This coupon is personal")

    def test_somebody_else_who_clicks(self):
        """What the cart offers to click on is checked as well."""
        order = self._create_cart(self.stranger)
        result = order._apply_program_reward(self.card.program_id.reward_ids, self.card)
        self.assertIn("This coupon is personal", result["error"])

    def test_guest_whose_address_is_not_known_yet(self):
        public = self.website.user_id.partner_id
        for partner, total in ((self.customer, 36.0), (self.stranger, 40.0)):
            order = self._create_cart(public)
            self.assertEqual(self._apply(order, self.card.code), "")
            self.assertAlmostEqual(order.amount_total, 36.0)
            order.partner_id = partner
            order._update_programs_and_rewards()
            with self.subTest(partner=partner.name):
                self.assertAlmostEqual(order.amount_total, total)
                self.assertEqual(
                    "This coupon is personal" in (order.shop_warning or ""),
                    partner == self.stranger,
                )

    def test_card_of_a_forgotten_person(self):
        self.card.write({"marketing_email": False, "partner_id": False})
        self._assert_refused(self.order, "This coupon is personal")

    # === WHAT IT IS WORTH, UNTIL WHEN ===#

    def test_minimum(self):
        self.order.order_line.product_uom_qty = 1
        self.assertEqual(self._apply(self.order, self.card.code), "", "20 of 40")
        self._set_minimum(20.01)
        self.order._update_programs_and_rewards()
        self.assertAlmostEqual(self.order.amount_total, 20.0)
        self.assertIn("for orders from", self.order.shop_warning)
        self.assertIn("20.01", self.order.shop_warning)
        self._assert_refused(self.order, "for orders from")
        self.order.order_line.product_uom_qty = 2
        self.assertEqual(self._apply(self.order, self.card.code), "")

    def test_minimum_counts_products_only(self):
        """Neither delivery nor the discount itself."""
        self.order.order_line.product_uom_qty = 1
        fee = self._create_product("Delivery", 50.0, type="service")
        self.order.order_line = [
            Command.create({"product_id": fee.id, "is_delivery": True})
        ]
        self._set_minimum(21.0)
        self._assert_refused(self.order, "for orders from")
        self._set_minimum(20.0)
        self.assertEqual(self._apply(self.order, self.card.code), "")
        self.order._update_programs_and_rewards()
        self.assertTrue(self._get_discount(self.order))

    def test_minimum_in_another_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "¤",
                "rate_ids": [Command.create({"name": "2020-01-01", "rate": 400.0})],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "XTS", "currency_id": currency.id}
        )
        order = self._create_cart(pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, currency)
        self._set_minimum(40.5)
        self._assert_refused(order, "16,200.00")
        self._set_minimum(40.0)
        self.assertEqual(self._apply(order, self.card.code), "")

    def test_expired(self):
        self.assertEqual(self._apply(self.order, self.card.code), "")
        self.card.expiration_date = fields.Date.today()
        self.order._update_programs_and_rewards()
        self.assertAlmostEqual(self.order.amount_total, 36.0, msg="its last day")
        self.card.expiration_date = fields.Date.today() - timedelta(days=1)
        self.order._update_programs_and_rewards()
        self.assertAlmostEqual(self.order.amount_total, 40.0)
        self.assertIn("could be used until", self.order.shop_warning)
        self._assert_refused(self.order, "could be used until")

    def test_unknown_code(self):
        status = self.order._try_apply_code("BACK-AAAAA-AAAAA-AAAA")
        self.assertTrue(status["not_found"])

    def test_twice(self):
        self._apply(self.order, self.card.code)
        self._assert_refused(self.order, "in your cart already")

    def test_company(self):
        """Of another company's cards not even that they exist is said."""
        _company, website = create_other_shop(self)
        order = self._create_cart(website_id=website.id)
        status = order._try_apply_code(self.card.code)
        self.assertTrue(status["not_found"])

    def test_better_coupon_takes_the_place(self):
        self._apply(self.order, self.card.code)
        rule = self.env.ref("marketing_automation.coupon_20_percent")
        better = self._issue(self.customer, rule=rule, idle_minutes=90)
        if not better:
            better = self._copy_card(rule)
        self.assertEqual(self._apply(self.order, better.code), "")
        self.assertAlmostEqual(self.order.amount_total, 32.0)
        self.assertEqual(self.order.order_line.coupon_id, better)

    def _copy_card(self, rule):
        message = self.env["marketing.message"].search(
            [("coupon_card_id", "=", self.card.id)]
        )
        message.coupon_card_id = False
        self.step.coupon_id = rule
        self.env["marketing.coupon"]._issue_for(message)
        return message.coupon_card_id

    def test_coupons_that_are_not_ours(self):
        """They work as before."""
        program = self.env["loyalty.program"].create(
            {
                "name": "Odoo's",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "rule_ids": [Command.clear()],
                "communication_plan_ids": [Command.clear()],
                "reward_ids": [Command.clear(), Command.create({"discount": 25})],
            }
        )
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "points": 1, "code": "abc-lower"}
        )
        order = self._create_cart(self.stranger)
        self.assertEqual(self._apply(order, card.code), "")
        self.assertAlmostEqual(order.amount_total, 30.0)
        order.action_confirm()
        self.assertFalse(card.marketing_redeemed_at)


@tagged("post_install", "-at_install")
class TestCouponRedemption(CouponCase):
    """Used, given back, taken back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.card = cls._issue()
        cls.run_ = cls.card.marketing_enrollment_id
        cls.order = cls.run_.abandoned_cart_id.order_id

    def _get_history(self):
        return self.env["loyalty.history"].search(
            [("card_id.marketing_coupon_id", "!=", False)]
        )

    def _assert_consistent(self):
        """Used coupons are the ones of which Odoo's history says so."""
        self.env.invalidate_all()
        used = self.env["loyalty.card"].search([("marketing_redeemed_at", "!=", False)])
        self.assertEqual(used, self._get_history().card_id)
        for card in used:
            [entry] = self._get_history() & card.history_ids
            self.assertEqual(card.marketing_redeemed_order_id.id, entry.order_id)
            self.assertEqual(card.points, 0)

    def test_used(self):
        self._apply(self.order, self.card.code)
        self.order.action_confirm()
        self._assert_consistent()
        self.assertEqual(self.card.marketing_redeemed_order_id, self.order)
        self.assertFalse(self.card.marketing_revoked_at)
        self.assertAlmostEqual(self.card.marketing_discount_company, 4.0)
        self.assertAlmostEqual(self.card.marketing_revenue_company, 36.0)
        self.assertEqual(self.run_.stop_reason, "purchased")
        other = self._create_cart()
        self.assertIn("has been used already", self._apply(other, self.card.code))

    def test_cancelled_order_gives_it_back(self):
        self._apply(self.order, self.card.code)
        self.order.action_confirm()
        self.order._action_cancel()
        self._assert_consistent()
        self.assertFalse(self.card.marketing_redeemed_at)
        self.assertFalse(self.card.marketing_discount_company)
        self.assertFalse(self.card.marketing_revenue_company)
        other = self._create_cart()
        self.assertEqual(self._apply(other, self.card.code), "")
        other.action_confirm()
        self._assert_consistent()
        self.assertEqual(self.card.marketing_redeemed_order_id, other)

    def test_bought_without_it(self):
        self.order.action_confirm()
        self._assert_consistent()
        self.assertTrue(self.card.marketing_revoked_at)
        self.assertEqual(self.card.marketing_revoke_reason, "purchased")
        other = self._create_cart()
        self.assertIn("not valid any more", self._apply(other, self.card.code))

    def test_bought_after_the_run_was_complete(self):
        self._complete(self.run_)
        self.assertFalse(self.card.marketing_revoked_at, "it runs until it expires")
        self.order.action_confirm()
        self.assertTrue(self.card.marketing_revoked_at)

    def test_other_carts_lose_it_at_once(self):
        other = self._create_cart()
        for order in (self.order, other):
            self.assertEqual(self._apply(order, self.card.code), "")
        self.order.action_confirm()
        self.assertAlmostEqual(other.amount_total, 40.0)
        self.assertFalse(other.applied_coupon_ids)
        self.assertIn("has been used already", other.shop_warning)
        other.action_confirm()
        self._assert_consistent()

    def test_ends_of_a_run(self):
        for reason, taken_back in (
            ("opted_out", True),
            ("emptied", True),
            ("expired", True),
            ("cancelled", True),
            ("max_messages", False),
            ("replied", False),
        ):
            customer = self._create_customer(reason, f"{reason}@example.com")
            card = self._issue(customer)
            card.marketing_enrollment_id._stop(reason)
            with self.subTest(reason):
                self.assertEqual(bool(card.marketing_revoked_at), taken_back)
                self.assertEqual(bool(card._is_open()), not taken_back)
        self.assertFalse(self.card.marketing_revoked_at, "another one's")

    def test_emptied_and_filled_again(self):
        """By whoever comes back, with the code at hand or with the next message."""
        self.run_._stop("emptied")
        self.run_._resume()
        self.assertTrue(self.card._is_open())
        self.run_._stop("emptied")
        self.assertEqual(self._apply(self.order, self.card.code), "")
        self.assertAlmostEqual(self.order.amount_total, 36.0)
        self.order.action_confirm()
        self._assert_consistent()

    def test_taken_back_while_it_is_in_a_cart(self):
        self._apply(self.order, self.card.code)
        self.run_._stop("cancelled")
        self.order._update_programs_and_rewards()
        self.assertAlmostEqual(self.order.amount_total, 40.0)
        self.assertIn("not valid any more", self.order.shop_warning)

    def test_in_bulk(self):
        """However many runs end, it is one statement."""
        runs = self.run_
        for number in range(20):
            card = self._issue(
                self._create_customer(f"P{number}", f"p{number}@example.com")
            )
            runs |= card.marketing_enrollment_id
        self.env.flush_all()
        with self.assertQueryCount(1):
            count = self.env["loyalty.card"]._revoke(runs, "cancelled")
        self.assertEqual(count, 21)

    def test_carts_idle_for_days(self):
        """Odoo takes codes off them; the recovery link puts them back."""
        self._apply(self.order, self.card.code)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET write_date = write_date - interval '5 days'"
            " WHERE id = %s",
            [self.order.id],
        )
        self.env.invalidate_all()
        self.env["sale.order"]._gc_abandoned_coupons()
        self.assertAlmostEqual(self.order.amount_total, 40.0)
        self.assertTrue(self.card._is_open())
        self.assertEqual(self._apply(self.order, self.card.code), "")

    def test_discount_in_the_companys_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "¤",
                "rate_ids": [Command.create({"name": "2020-01-01", "rate": 400.0})],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "XTS", "currency_id": currency.id}
        )
        order = self._create_cart(pricelist_id=pricelist.id)
        self._apply(order, self.card.code)
        order.action_confirm()
        self.assertAlmostEqual(self.card.marketing_discount_company, 4.0, places=2)
        self.assertAlmostEqual(self.card.marketing_revenue_company, 36.0, places=2)


@tagged("post_install", "-at_install")
class TestCouponMinimum(CouponCase):
    """The same products are enough, whatever taxes their customer pays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.env["account.tax"].create(
            {"name": "20 %", "amount": 20.0, "price_include_override": "tax_included"}
        )
        # Without taxes of its own it takes all of them off.
        cls.exempt = cls.env["account.fiscal.position"].create({"name": "Exempt"})
        cls.product.write({"list_price": 120.0, "taxes_id": cls.tax.ids})
        cls.website.show_line_subtotals_tax_selection = "tax_included"
        cls.rule.minimum_share = 100.0
        cls.card = cls._issue(products=[(cls.product, 1)])

    def _create_exempt(self, products):
        order = self._create_cart(products=products, fiscal_position_id=self.exempt.id)
        self.assertFalse(order.order_line.tax_ids)
        return order

    def test_promised(self):
        self.assertAlmostEqual(self.card.marketing_minimum_amount, 120.0)
        self.assertAlmostEqual(self.card.marketing_minimum_untaxed, 100.0)

    def test_exempt_business(self):
        order = self._create_exempt([(self.product, 1)])
        self.assertAlmostEqual(order.amount_total, 100.0)
        self.assertEqual(self._apply(order, self.card.code), "")

    def test_too_little_without_tax(self):
        """What is missing is said in the prices that this customer sees."""
        cheap = self._create_product("Pen", 99.0)
        order = self._create_exempt([(cheap, 1)])
        error = self._apply(order, self.card.code)
        self.assertIn("from $\xa0100.00 on", error)
        self.assertIn("come to $\xa099.00", error)

    def test_too_little_with_tax(self):
        cheap = self._create_product("Pen", 119.0, taxes_id=self.tax.ids)
        order = self._create_cart(products=[(cheap, 1)])
        error = self._apply(order, self.card.code)
        self.assertIn("from $\xa0120.00 on", error)
        self.assertIn("come to $\xa0119.00", error)

    def test_cents_of_many_lines(self):
        """Tax that is taken out of each price leaves a cent here and there."""
        pens = [
            self._create_product(f"Pen {number}", 0.99, taxes_id=self.tax.ids)
            for number in range(7)
        ]
        customer = self._create_customer("Cleo", "cleo@example.com")
        card = self._issue(customer, products=[(pen, 1) for pen in pens])
        order = self._create_exempt([(pen, 1) for pen in pens])
        order.partner_id = customer
        self.assertEqual(self._apply(order, card.code), "")

    def test_coupons_from_before(self):
        """Only the amount with tax is known of them."""
        self.card.marketing_minimum_untaxed = 0.0
        order = self._create_exempt([(self.product, 1)])
        self.assertIn("from $\xa0120.00 on", self._apply(order, self.card.code))
