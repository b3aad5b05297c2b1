from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from .segment_common import SegmentCase
from .world import create_other_shop


@tagged("post_install", "-at_install")
class TestSegmentBehaviour(SegmentCase):
    """What people did, from where Odoo and the addon keep it."""

    def _who(self, behaviour, **details):
        return self._select({"behaviour": behaviour, **details})

    def _template(self, product):
        return product.product_tmpl_id.id

    # === BOUGHT ===#

    def test_bought_counts_orders_within_the_period(self):
        for days_ago in (1, 20, 100):
            self._order(self.anna, days_ago=days_ago)
        self._order(self.bob, days_ago=100)
        self.assertEqual(self._who("bought"), self.anna | self.bob)
        self.assertEqual(self._who("bought", days=30), self.anna)
        self.assertEqual(self._who("bought", at_least=3), self.anna)
        self.assertFalse(self._who("bought", at_least=3, days=30))
        self.assertEqual(self._who("bought", at_least=2, days=30), self.anna)

    def test_at_most_includes_those_who_never_did(self):
        for days_ago in (1, 20):
            self._order(self.anna, days_ago=days_ago)
        self._order(self.bob, days_ago=100)
        self.assertEqual(self._who("bought", at_most=0), self.cleo)
        self.assertEqual(self._who("bought", at_most=1), self.bob | self.cleo)
        self.assertEqual(self._who("bought", at_most=2), self.everybody)
        self.assertEqual(self._who("bought", at_most=0, days=30), self.bob | self.cleo)

    def test_only_confirmed_orders_count(self):
        order = self._order(self.anna)
        order._action_cancel()
        self._create_cart(self.bob)
        self.assertFalse(self._who("bought"))

    def test_delivery_and_rewards_are_not_bought(self):
        delivery = self._create_product("Delivery", 5.0, type="service")
        order = self._order(self.anna, [delivery])
        order.order_line.is_delivery = True
        down = self._order(self.bob, [delivery])
        down.order_line.is_downpayment = True
        returned = self._order(self.cleo)
        returned.order_line.product_uom_qty = 0
        self.assertFalse(self._who("bought"))

    def test_products_and_categories_with_those_below(self):
        self._order(self.anna, [self.product])
        self._order(self.bob, [self.lamp])
        mug, lamp = self._template(self.product), self._template(self.lamp)
        self.assertEqual(self._who("bought", product=mug), self.anna)
        self.assertEqual(self._who("bought", product=lamp), self.bob)
        self.assertEqual(self._who("bought", category=self.cups.id), self.anna)
        self.assertEqual(self._who("bought", category=self.mugs.id), self.anna)
        self.assertEqual(
            self._who("bought", category=self.mugs.id, at_most=0), self.bob | self.cleo
        )
        # Whether it is still sold does not matter for who bought it.
        self.product.product_tmpl_id.active = False
        self.assertEqual(self._who("bought", category=self.mugs.id), self.anna)

    def test_an_order_with_two_lines_counts_once(self):
        self._order(self.anna, [self.product, self.lamp])
        self.assertFalse(self._who("bought", at_least=2))

    def test_a_person_is_all_contacts_with_the_address(self):
        twin = self._create_customer("Anna S.", "ANNA@example.com ")
        self.everybody |= twin
        self._order(self.anna)
        self._order(twin)
        self.assertEqual(self._who("bought", at_least=2), self.anna | twin)
        self.assertEqual(self._who("bought", at_most=1), self.bob | self.cleo)

    def test_contacts_without_address_are_not_one_person(self):
        first = self._create_customer("No address", False)
        second = self._create_customer("No address either", False)
        self.everybody |= first | second
        self._order(first)
        self._order(second)
        self.assertEqual(self._who("bought"), first | second)
        self.assertFalse(self._who("bought", at_least=2))

    def test_each_company_has_its_own_orders(self):
        company_b, _website = create_other_shop(self)
        self._order(self.anna, company_id=company_b.id)
        condition = {"behaviour": "bought"}
        self.assertFalse(self._select(condition))
        self.assertEqual(
            self._select(condition, company_id=company_b.id),
            self.anna,
        )

    # === VIEWED ===#

    def test_viewed_by_signed_in_visitors(self):
        for days_ago in (1, 2, 50):
            self._view(self.anna, days_ago=days_ago)
        self._view(self.bob, self.lamp)
        self.assertEqual(self._who("viewed"), self.anna | self.bob)
        self.assertEqual(self._who("viewed", at_least=3), self.anna)
        self.assertFalse(self._who("viewed", at_least=3, days=10))
        self.assertEqual(self._who("viewed", category=self.mugs.id), self.anna)
        self.assertEqual(
            self._who("viewed", product=self._template(self.lamp)), self.bob
        )
        company_b, _website = create_other_shop(self)
        self.assertFalse(self._select({"behaviour": "viewed"}, company_id=company_b.id))

    # === OPENED, CLICKED ===#

    def test_opened_by_people_and_not_by_machines(self):
        self._engage(self.anna, "open")
        self._engage(self.anna, "open", days_ago=40)
        machine = self._engage(self.bob, "open", is_machine=True)
        self.assertTrue(machine.is_machine)
        self.assertEqual(self._who("opened"), self.anna)
        self.assertEqual(self._who("opened", at_least=2), self.anna)
        self.assertFalse(self._who("opened", at_least=2, days=30))
        # The same message, opened again and again.
        again = {
            "message_id": machine.message_id.id,
            "kind": "open",
            "occurred_at": self._days_ago(1),
        }
        self.env["marketing.engagement"]._record_events([again, again])
        self.assertEqual(self._who("opened"), self.anna | self.bob)
        self.assertEqual(self._who("opened", at_least=2), self.anna)
        self.assertFalse(self._who("clicked"))

    def test_clicks_on_pages_of_products_and_categories(self):
        self.website.domain = "https://a.example.com"
        mug, lamp = self._template(self.product), self._template(self.lamp)
        shop = "https://a.example.com"
        mug_or_mugs = {"product": self.anna, "category": self.anna}
        category_only = {"category": self.anna}
        nothing = {}
        for url, found in (
            (f"{shop}/shop/blue-mug-{mug}", mug_or_mugs),
            (f"{shop}/shop/{mug}", mug_or_mugs),
            (f"{shop}/hu/shop/blue-mug-{mug}?utm_source=x#top", mug_or_mugs),
            (f"{shop}/pt_BR/shop/mugs-{self.mugs.id}/blue-mug-{mug}/", mug_or_mugs),
            (f"https://A.EXAMPLE.com/shop/blue-mug-{mug}", mug_or_mugs),
            (f"/shop/blue-mug-{mug}", mug_or_mugs),
            (f"{shop}/shop/category/mugs-{self.mugs.id}", category_only),
            (f"{shop}/shop/category/cups-{self.cups.id}/page/2", category_only),
            (f"{shop}/shop/lamp-{lamp}", nothing),
            (f"https://elsewhere.example.com/shop/blue-mug-{mug}", nothing),
            (f"{shop}/shop/category/mugs-{10**6}", nothing),
            (f"{shop}/shop/cart/recover/{mug}", nothing),
            (f"{shop}/blog/shop/blue-mug-{mug}", nothing),
            (f"{shop}/shop/blue-mug-{mug}99999999999999999", nothing),
            (shop, nothing),
        ):
            with self.subTest(url), self.env.cr.savepoint() as savepoint:
                self._engage(self.anna, url=url)
                self.assertEqual(self._who("clicked"), self.anna)
                for target, record_id in (("product", mug), ("category", self.mugs.id)):
                    self.assertEqual(
                        self._who("clicked", **{target: record_id}),
                        found.get(target, self.anna.browse()),
                        target,
                    )
                savepoint.rollback()
                self.env.invalidate_all()

    def test_an_address_that_became_a_contact_later(self):
        """A message knows the address; and a contact who has another one by now."""
        click = self._engage(self.anna)
        self.anna.email = "new@example.com"
        self.assertEqual(self._who("clicked"), self.anna)
        self.bob.email = "anna@example.com"
        self.assertEqual(self._who("clicked"), self.anna | self.bob)
        click.message_id.partner_id = False
        self.assertEqual(self._who("clicked"), self.bob)

    # === ABANDONED ===#

    def test_left_in_the_cart(self):
        self._abandon(self.anna)
        self._abandon(self.bob, products=[(self.lamp, 1)])
        excluded = self._abandon(self.cleo)
        excluded.write({"state": "excluded", "exclusion_reason": "below_minimum"})
        self.assertEqual(self._who("abandoned"), self.anna | self.bob)
        self.assertEqual(self._who("abandoned", category=self.mugs.id), self.anna)
        self.assertEqual(
            self._who("abandoned", product=self._template(self.lamp)), self.bob
        )
        self.assertFalse(self._who("abandoned", at_least=2))

    # === RFM, METRICS, CONSENT ===#

    def _give_metrics(self):
        metrics = self.env["marketing.customer.metrics"].sudo()
        for partner, scores, group in (
            (self.anna, (5, 5, 4), "champions"),
            (self.bob, (1, 2, 2), "lost"),
        ):
            metrics.create(
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "total_orders": 7 if partner == self.anna else 1,
                    "last_order_date": fields.Datetime.now(),
                    "recency_score": scores[0],
                    "frequency_score": scores[1],
                    "monetary_score": scores[2],
                    "rfm_group": group,
                }
            )

    def test_rfm_groups_and_scores(self):
        self._give_metrics()
        self.assertEqual(self._select({"rfm": "champions"}), self.anna)
        self.assertEqual(self._select({"rfm": {"recency": {"min": 4}}}), self.anna)
        # Who never ordered has no scores, not low ones.
        self.assertEqual(self._select({"rfm": {"recency": {"max": 2}}}), self.bob)
        self.assertEqual(
            self._select(
                {"rfm": {"frequency": {"min": 2}, "monetary": {"min": 2, "max": 2}}}
            ),
            self.bob,
        )

    def test_figures_by_their_documented_names(self):
        self._give_metrics()
        self.everybody -= self.cleo
        many = {"field": "total_orders", "operator": ">=", "value": 5}
        few = {"field": "total_orders", "operator": "<", "value": 5}
        lately = {"field": "last_order_date", "operator": ">=", "value": "-30d"}
        self.assertEqual(self._select(many), self.anna)
        self.assertEqual(self._select(few), self.bob)
        self.assertEqual(self._select(many, lately), self.anna)
        self.assertFalse(self._select({**lately, "operator": "<"}))

    def test_consent(self):
        record = self.env["marketing.preference"]._record
        record(self.company, "email", ["offers"], ["anna@example.com"], "given", "form")
        record(
            self.company, "email", ["offers"], ["bob@example.com"], "withdrawn", "form"
        )
        silent = self._create_customer("No address", False)
        self.everybody |= silent
        for state, expected in (
            ("given", self.anna),
            ("withdrawn", self.bob),
            ("none", self.cleo | silent),
            ("allowed", self.anna),
        ):
            with self.subTest(state):
                condition = {"consent": "offers", "channel": "email", "state": state}
                self.assertEqual(self._select(condition), expected)
        self.company.consent_policy = "soft_opt_in"
        self._order(self.cleo)
        self.assertEqual(self._select({"consent": "offers"}), self.anna | self.cleo)
        self.env["mail.blacklist"]._add("anna@example.com")
        self.assertEqual(self._select({"consent": "offers"}), self.cleo)
        self.assertFalse(self._select({"consent": "offers", "channel": "sms"}))

    def test_consent_by_telephone(self):
        self.anna.write({"phone": "+36201234567"})
        number = self.anna.phone_sanitized or "+36201234567"
        self.anna.phone_sanitized = number
        self.env["marketing.preference"]._record(
            self.company, "sms", ["cart"], [number], "given", "form"
        )
        condition = {"consent": "cart", "channel": "sms"}
        self.assertEqual(self._select(condition), self.anna)

    def test_who_left_a_mailing_list_has_withdrawn(self):
        mailing_list = self.env["mailing.list"].create({"name": "News"})
        self.env["mailing.contact"].create(
            {
                "email": "bob@example.com",
                "subscription_ids": [
                    Command.create({"list_id": mailing_list.id, "opt_out": True})
                ],
            }
        )
        condition = {"consent": "newsletter", "channel": "email"}
        self.assertIn(self.bob, self._select({**condition, "state": "withdrawn"}))
        self.assertNotIn(self.bob, self._select({**condition, "state": "none"}))
