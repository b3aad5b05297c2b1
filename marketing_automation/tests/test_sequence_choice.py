from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .sequence_common import SequenceCase
from .world import create_other_shop


@tagged("post_install", "-at_install")
class TestSequenceChoice(SequenceCase):
    """Which sequence a cart goes through, and who gets nothing on purpose."""

    def _is_chosen(self, sequence, **cart_vals):
        """Whether a new customer's cart goes through the sequence, not the shipped
        one."""
        self.number = getattr(self, "number", 0) + 1
        partner = cart_vals.pop("partner", None) or self._create_customer(
            "New", f"new{self.number}@example.com"
        )
        cart = self._abandon(partner, **cart_vals)
        self.assertIn(cart.enrollment_ids.sequence_id, sequence | self.sequence)
        return cart.enrollment_ids.sequence_id == sequence

    def test_kind(self):
        failed = self._create_sequence({}, kind="payment_failed")
        self.assertFalse(self._is_chosen(failed))
        cart = self._create_cart(self._create_customer("Pia", "pia@example.com"))
        self.env["abandoned.cart"]._detect_batch()
        cart.abandoned_cart_id.kind = "payment_failed"
        self._detect()
        self.assertEqual(cart.abandoned_cart_id.enrollment_ids.sequence_id, failed)
        failed.active = False
        cart = self._create_cart(self._create_customer("Paul", "paul@example.com"))
        self.env["abandoned.cart"]._detect_batch()
        cart.abandoned_cart_id.kind = "quotation"
        self._detect()
        self.assertFalse(cart.abandoned_cart_id.enrollment_ids)

    def test_minimum_amount(self):
        sequence = self._create_sequence({}, minimum_amount=100)
        self.assertFalse(self._is_chosen(sequence, products=[(self.product, 4)]))
        self.assertTrue(self._is_chosen(sequence, products=[(self.product, 5)]))

    def test_minimum_amount_is_in_the_currency_of_the_company(self):
        other = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("id", "!=", self.company.currency_id.id)], limit=1)
        )
        other.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": other.id, "rate": 10.0, "company_id": self.company.id}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Other", "currency_id": other.id}
        )
        sequence = self._create_sequence({}, minimum_amount=100)
        # 40 of the company's currency are 400 of the other one.
        order = {"pricelist_id": pricelist.id, "currency_id": other.id}
        self.assertFalse(self._is_chosen(sequence, **order))

    def test_segment(self):
        segment = self.env["customer.segment"].create({"name": "VIP", "kind": "static"})
        sequence = self._create_sequence({}, segment_id=segment.id)
        member = self._create_customer("Vip", "vip@example.com")
        segment.add_contacts(member.ids)
        self.assertFalse(self._is_chosen(sequence))
        self.assertTrue(self._is_chosen(sequence, partner=member))
        guest = self._create_customer("Vip (guest)", "VIP@example.com")
        self.env["marketing.enrollment"].search([])._stop("cancelled")
        self.assertTrue(self._is_chosen(sequence, partner=guest), "the same person")

    def test_segment_of_another_company(self):
        company_b, website_b = create_other_shop(self)
        segment = self.env["customer.segment"].create(
            {"name": "B", "kind": "static", "company_id": company_b.id}
        )
        sequence = self._create_sequence({}, segment_id=segment.id)
        partner = self._create_customer("Vip", "vip@example.com")
        segment.add_contacts(partner.ids)
        self.assertFalse(self._is_chosen(sequence, partner=partner))
        self.assertTrue(
            self._is_chosen(sequence, partner=partner, website_id=website_b.id)
        )
        with self.assertRaisesRegex(ValidationError, "another company"):
            sequence.company_id = self.company

    def test_products_that_are_left_out(self):
        tag, variant_tag, other = self.env["product.tag"].create(
            [{"name": "Subscription"}, {"name": "Voucher"}, {"name": "New"}]
        )
        sequence = self._create_sequence(
            {}, excluded_tag_ids=[Command.set((tag | variant_tag).ids)]
        )
        mug = self._create_product("Mug", 9, product_tag_ids=[Command.link(other.id)])
        paper = self._create_product(
            "Newspaper", 9, product_tag_ids=[Command.link(tag.id)]
        )
        voucher = self._create_product(
            "Voucher", 9, additional_product_tag_ids=[Command.link(variant_tag.id)]
        )
        self.assertTrue(self._is_chosen(sequence, products=[(mug, 1)]))
        for product in (paper, voucher):
            chosen = self._is_chosen(sequence, products=[(mug, 1), (product, 1)])
            self.assertFalse(chosen, product.name)

    def test_the_most_valuable_cart_that_has_a_sequence(self):
        """A cart that nobody works does not keep the person's others from theirs."""
        tag = self.env["product.tag"].create({"name": "Subscription"})
        self.sequence.excluded_tag_ids = tag
        paper = self._create_product(
            "Newspaper", 900, product_tag_ids=[Command.link(tag.id)]
        )
        large = self._create_cart(products=[(paper, 1)])
        small = self._create_cart(products=[(self.product, 1)])
        self._detect()
        self.assertFalse(large.abandoned_cart_id.enrollment_ids)
        self.assertTrue(small.abandoned_cart_id.is_running)

    def test_refused(self):
        for vals in (
            {"holdout_percent": 51},
            {"holdout_percent": -1},
            {"minimum_amount": -1},
        ):
            with self.subTest(vals):
                self._assert_error(lambda vals=vals: self.sequence.write(vals))

    # === CONTROL GROUP ===#

    def test_control_group_gets_nothing(self):
        sequence = self._create_sequence({}, {}, holdout_percent=50)
        cart = self._abandon()
        run = cart.enrollment_ids
        run.is_holdout = True
        for _step in sequence.step_ids:
            message = self._run_step(cart)
            self.assertEqual((message.state, message.reason), ("skipped", "holdout"))
        self.assertEqual(run.state, "completed")
        self.assertEqual(cart.state, "abandoned", "nothing was begun")

    def test_who_would_not_be_written_to_anyway_is_not_called_control_group(self):
        self._create_sequence({}, holdout_percent=50)
        self.env["mail.blacklist"]._add("anna@example.com")
        cart = self._abandon()
        cart.enrollment_ids.is_holdout = True
        message = self._run_step(cart)
        self.assertEqual(message.reason, "opted_out")

    def test_share_of_the_control_group(self):
        drawn = self.env["marketing.enrollment"]._sql_draw(
            SQL("'person' || n || '@example.com'"), SQL("20")
        )
        [(count,)] = self.env.execute_query(
            SQL(
                "SELECT count(*) FILTER (WHERE %s) FROM generate_series(1, 10000) n",
                drawn,
            )
        )
        # Of 10,000 people; six standard deviations (40) on both sides.
        self.assertAlmostEqual(count, 2000, delta=240)

    def test_control_group_is_the_same_next_time(self):
        sequence = self._create_sequence({}, holdout_percent=50)
        partners = self.env["res.partner"].create(
            [{"name": str(n), "email": f"person{n}@example.com"} for n in range(16)]
        )

        def draw():
            for partner in partners:
                self._create_cart(partner)
            self._detect()
            runs = self.env["marketing.enrollment"].search([("state", "=", "active")])
            runs._stop("cancelled")
            return set(runs.filtered("is_holdout").partner_id.mapped("email"))

        first = draw()
        self.assertEqual(draw(), first)
        sequence.holdout_percent = 30
        self.assertLessEqual(draw(), first, "a smaller share is part of the larger one")
        sequence.holdout_percent = 50
        self.env["ir.config_parameter"].set_param(
            "marketing_automation.address_key", "another database"
        )
        self.assertNotEqual(draw(), first)

    def test_without_control_group_nobody_is_in_it(self):
        self.assertIs(self._abandon().enrollment_ids.is_holdout, False)
