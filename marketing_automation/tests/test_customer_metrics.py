import random
from datetime import date, datetime, timedelta
from pathlib import Path

from odoo.fields import Command, Domain
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.audience import rfm_groups
from ..models.audience.metrics_refresh import FIGURES
from .common import MarketingCase
from .examples import examples
from .world import create_other_shop, create_recovered_cart

NOW = datetime(2026, 6, 15, 12, 0)
TODAY = NOW.date()
SCORES = ("recency_score", "frequency_score", "monetary_score")


class MetricsCase(MarketingCase):
    """Customers with orders at known times, and their figures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.metrics = cls.env["marketing.customer.metrics"]
        # Demo data has orders of its own.
        cls.env.cr.execute("UPDATE sale_order SET state = 'cancel'")
        cls.env.invalidate_all()
        cls.metrics._refresh_all()
        cls.env["marketing.customer.change"].search([]).unlink()

    def setUp(self):
        super().setUp()
        self.startContext(self._at(NOW))

    def startContext(self, context):
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    @classmethod
    def _order(cls, partner, amount=10.0, days=1, products=None, **vals):
        """Create a confirmed order placed ``days`` before now."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 1,
                            "price_unit": price,
                            "tax_ids": False,
                        }
                    )
                    for product, price in (products or [(cls.product, amount)])
                ],
                **vals,
            }
        )
        order.action_confirm()
        order.date_order = NOW - timedelta(days=days)
        return order

    @classmethod
    def _order_often(cls, partner, count, amount=10.0, days=1):
        """Create several orders like those of :meth:`_order`, in one go."""
        line = {
            "product_id": cls.product.id,
            "product_uom_qty": 1,
            "price_unit": amount,
            "tax_ids": False,
        }
        orders = cls.env["sale.order"].create(
            [{"partner_id": partner.id, "order_line": [Command.create(line)]}] * count
        )
        orders.action_confirm()
        orders.date_order = NOW - timedelta(days=days)

    def _figures(self, partner, company=None):
        """Return a customer's row after what changed was computed."""
        self.metrics._refresh_changed()
        return self.metrics.search(
            [
                ("partner_id", "=", partner.id),
                ("company_id", "=", (company or self.company).id),
            ]
        )

    def _refund(self, orders, shares):
        """Invoice orders together and give back a part of each, by a credit note."""
        self.product.invoice_policy = "order"
        invoice = orders._create_invoices()
        invoice.action_post()
        refund = invoice._reverse_moves()
        lines = refund.invoice_line_ids.filtered("product_id").sorted("id")
        for line, share in zip(lines, shares, strict=True):
            line.quantity = share
        refund.action_post()
        return refund


@tagged("post_install", "-at_install")
class TestCustomerMetrics(MetricsCase):
    def test_orders(self):
        self._order(self.customer, 30.0, days=40)
        self._order(self.customer, 10.5, days=2)
        self.assertRecordValues(
            self._figures(self.customer),
            [
                {
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "is_main": True,
                    "total_orders": 2,
                    "total_revenue": 40.5,
                    "average_order": 20.25,
                    "first_order_date": NOW - timedelta(days=40),
                    "last_order_date": NOW - timedelta(days=2),
                    "next_order_date": False,
                    "last_click_at": False,
                    "last_attributed_order_at": False,
                    "computed_at": NOW,
                }
            ],
        )

    def test_only_confirmed_orders_count(self):
        cart = self._create_cart()
        self.assertFalse(self._figures(self.customer))
        cart.action_confirm()
        self.assertEqual(self._figures(self.customer).total_orders, 1)
        cart._action_cancel()
        self.assertFalse(self._figures(self.customer), "nothing is left of it")

    def test_what_an_order_is_changed_to_counts(self):
        order = self._order(self.customer, 30.0)
        self.assertEqual(self._figures(self.customer).total_revenue, 30.0)
        order.order_line.price_unit = 25.0
        self.assertEqual(self._figures(self.customer).total_revenue, 25.0)
        other = self._create_customer("Bea", "bea@example.com")
        order.partner_id = other
        self.assertFalse(self._figures(self.customer))
        self.assertEqual(self._figures(other).total_revenue, 25.0)

    def test_everybody_with_the_same_address_is_one_person(self):
        guest = self._create_customer("Anna as guest", "Anna@Example.com")
        newsletter = self._create_customer("A. Smith", "anna@example.com")
        self._order(self.customer, 10.0, days=30)
        self._order(guest, 20.0, days=3)
        self.metrics._refresh_changed()
        rows = self.metrics.search(
            [("partner_id.email_normalized", "=", "anna@example.com")]
        ).sorted("partner_id.id")
        self.assertEqual(rows.partner_id, self.customer | guest | newsletter)
        self.assertEqual(rows.mapped("total_orders"), [2, 2, 2])
        self.assertEqual(rows.mapped("total_revenue"), [30.0, 30.0, 30.0])
        self.assertEqual(rows.mapped("is_main"), [True, False, False])

    def test_another_address_makes_another_person(self):
        guest = self._create_customer("Anna as guest", "anna@example.com")
        self._order(self.customer, 10.0)
        self._order(guest, 20.0)
        self.assertEqual(self._figures(self.customer).total_orders, 2)
        guest.email = "somebody@example.com"
        self.assertEqual(self._figures(self.customer).total_revenue, 10.0)
        self.assertEqual(self._figures(guest).total_revenue, 20.0)
        late = self._create_customer("Late", "somebody@example.com")
        self.assertEqual(self._figures(late).total_revenue, 20.0)

    def test_merged_contacts(self):
        other = self._create_customer("Anna Jones", "jones@example.com")
        self._order(self.customer, 10.0)
        self._order(other, 20.0)
        self.assertEqual(self._figures(self.customer).total_orders, 1)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer | other).ids, self.customer, extra_checks=False
        )
        self.assertEqual(self._figures(self.customer).total_revenue, 30.0)

    def test_nobody_is_no_customer(self):
        public = self.website.user_id.partner_id
        self._order(public, 10.0)
        self.assertFalse(self._figures(public))

    def test_refunds(self):
        order = self._order(self.customer, 40.0)
        self._refund(order, [0.25])
        row = self._figures(self.customer)
        self.assertEqual(row.total_revenue, 30.0)
        self.assertEqual(row.total_revenue, order._get_marketing_revenue())

    def test_a_refund_for_several_orders_is_shared_out(self):
        other = self._create_customer("Bea", "bea@example.com")
        orders = self._order(self.customer, 40.0) | self._order(other, 60.0)
        orders.partner_invoice_id = orders.partner_shipping_id = self.customer
        refund = self._refund(orders, [0.5, 1.0])
        self.assertEqual(refund.amount_total, 80.0)
        self.assertEqual(self._figures(self.customer).total_revenue, 20.0)
        self.assertEqual(self._figures(other).total_revenue, 0.0)
        self.assertEqual(self._figures(other).total_orders, 1)
        refund.button_draft()
        self.assertEqual(self._figures(other).total_revenue, 60.0)

    def test_foreign_currency(self):
        foreign = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "X",
                "rate_ids": [Command.create({"name": "2020-01-01", "rate": 3.0})],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": foreign.id}
        )
        home = self.env["product.pricelist"].create({"name": "Home"})
        order = self._order(self.customer, 100.0, pricelist_id=pricelist.id)
        self.assertEqual(order.currency_id, foreign)
        self._order(self.customer, 1.0, pricelist_id=home.id)
        row = self._figures(self.customer)
        self.assertEqual(row.total_revenue, 34.33)
        self.assertEqual(row.average_order, 17.17)
        self.assertAlmostEqual(order._get_marketing_revenue(), 33.33)
        self.assertEqual(row.currency_id, self.company.currency_id)

    def test_companies(self):
        company_b, website_b = create_other_shop(self)
        company_b.currency_id = self.env["res.currency"].create(
            {"name": "XTS", "symbol": "X"}
        )
        self._order(self.customer, 10.0)
        order_b = self._create_cart(website_id=website_b.id)
        order_b.action_confirm()
        self.assertEqual(self._figures(self.customer).total_revenue, 10.0)
        row_b = self._figures(self.customer, company_b)
        self.assertEqual(row_b.total_revenue, order_b.amount_total)
        self.assertEqual(row_b.currency_id, company_b.currency_id)
        for company, orders in ((self.company, 1), (company_b, 1)):
            partner = self.customer.with_company(company)
            self.assertEqual(partner.marketing_total_orders, orders)
            self.assertEqual(partner.marketing_currency_id, company.currency_id)
        # Contacts of another company are not shown among this one's customers.
        secret = self._create_customer(
            "Anna at B", "anna@example.com", company_id=company_b.id
        )
        self.assertFalse(self._figures(secret))
        self.assertEqual(self._figures(secret, company_b).total_orders, 1)
        secret.company_id = self.company
        self.assertFalse(self._figures(secret, company_b))

    def test_favourite_category(self):
        mugs, lamps = self.env["product.public.category"].create(
            [{"name": "Mugs"}, {"name": "Lamps"}]
        )
        mug = self._create_product("Mug", 5.0, public_categ_ids=mugs.ids)
        lamp = self._create_product("Lamp", 5.0, public_categ_ids=lamps.ids)
        self._order(self.customer, products=[(mug, 10.0), (mug, 10.0), (lamp, 20.0)])
        self.assertEqual(self._figures(self.customer).favourite_category_id, mugs)
        order = self._order(self.customer, products=[(lamp, 1.0)])
        self.assertEqual(self._figures(self.customer).favourite_category_id, lamps)
        order._action_cancel()
        self.assertEqual(self._figures(self.customer).favourite_category_id, mugs)
        mugs.unlink()
        self.assertFalse(self._figures(self.customer).favourite_category_id)
        self.metrics._refresh_all()
        self.assertEqual(self._figures(self.customer).favourite_category_id, lamps)

    def _sent_message(self, partner, source="sent"):
        """Return a message that arrived an hour ago."""
        message = self._queue_to(partner, self._create_contact_template(), source)
        message._set_state(
            "sending", sending_at=NOW - timedelta(hours=1), token=f"token-{message.id}"
        )
        message._set_state("sent")
        return message

    def test_clicks(self):
        message = self._sent_message(self.customer)
        self._click(message, machine_reason="agent")
        self.assertFalse(self._figures(self.customer))
        self.env["marketing.engagement"]._record(message.token, "click")
        row = self._figures(self.customer)
        self.assertEqual((row.total_orders, row.last_click_at), (0, NOW))
        self.assertEqual((row.recency_score, row.rfm_group), (0, False))
        with self._at(NOW + timedelta(hours=3)):
            self.env["marketing.engagement"]._record_events(
                [
                    {
                        "message_id": message.id,
                        "kind": "click",
                        "occurred_at": NOW + timedelta(hours=2),
                    }
                ]
            )
            row = self._figures(self.customer)
            self.assertEqual(row.last_click_at, NOW + timedelta(hours=2))

    def test_clicks_of_a_burst_are_taken_back(self):
        message = self._sent_message(self.customer)
        self.env["marketing.engagement"]._record(message.token, "click", url="a")
        self.assertTrue(self._figures(self.customer))
        self.env.cr.execute(
            """INSERT INTO marketing_engagement (
                      message_id, company_id, kind, occurred_at, url, is_machine)
               VALUES (%s, %s, 'click', %s, 'b', FALSE)""",
            [message.id, self.company.id, NOW],
        )
        self.env["marketing.engagement"]._cron_mark_bursts()
        self.assertFalse(self._figures(self.customer))

    def test_clicks_of_an_address(self):
        """Who left an address in a cart and became a contact later."""
        message = self._sent_message(self.customer)
        message.partner_id = False
        self.env["marketing.engagement"]._record(message.token, "click")
        self.assertEqual(self._figures(self.customer).last_click_at, NOW)

    def test_orders_from_messages(self):
        message = self._sent_message(self.customer)
        self._order(self.customer, days=5)
        self.assertFalse(self._figures(self.customer).last_attributed_order_at)
        self.env["marketing.engagement"]._record(message.token, "click")
        order = self._order(self.customer, days=0)
        self.assertEqual(order.attributed_message_id, message)
        self.assertEqual(self._figures(self.customer).last_attributed_order_at, NOW)

    # === NEXT ORDER ===#

    def _expect(self, *days):
        """Return when the next order is expected after orders so many days ago."""
        partner = self._create_customer("R", f"r{'-'.join(map(str, days))}@example.com")
        for count in days:
            self._order(partner, days=count)
        row = self._figures(partner)
        return row.next_order_date, row.next_order_from, row.next_order_until

    def test_rhythm(self):
        # Gaps of 30 and 32 days: 31 ± 3.078 · 1.414 · √1.5 = 5.33.
        self.assertEqual(
            self._expect(72, 42, 10),
            (date(2026, 7, 6), date(2026, 7, 1), date(2026, 7, 11)),
        )
        # Four gaps of a week: no deviation, no leeway.
        self.assertEqual(self._expect(31, 24, 17, 10, 3), (date(2026, 6, 19),) * 3)

    def test_too_few_orders_for_a_rhythm(self):
        self.assertEqual(self._expect(1), (False, False, False))
        self.assertEqual(self._expect(31, 1), (False, False, False))
        self.assertEqual(
            self._expect(31, 31, 31, 1), (False, False, False), "one day, one visit"
        )

    def test_irregular_orders_have_no_rhythm(self):
        self.assertEqual(self._expect(100, 95, 5), (False, False, False))
        self.assertEqual(self._expect(130, 100, 10), (False, False, False))

    def test_a_rhythm_ends(self):
        overdue = self._expect(96, 66, 34)
        self.assertEqual(
            overdue, (date(2026, 6, 12), date(2026, 6, 7), date(2026, 6, 17))
        )
        self.assertEqual(self._expect(102, 72, 40), (False, False, False))

    # === SCORES ===#

    def test_scores_are_fifths(self):
        people = self._create_people(range(1, 11))
        self.metrics._refresh_all()
        for name in SCORES:
            self.assertEqual(
                [self._figures(person)[name] for person in people],
                [1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
                name,
            )
        self.assertEqual(self._figures(people[-1]).rfm_group, "champions")
        self.assertEqual(self._figures(people[0]).rfm_group, "lost")

    def test_equal_figures_have_equal_scores(self):
        people = self._create_people([1, 1, 1, 1, 1, 1, 1, 2, 2, 3])
        self.metrics._refresh_all()
        self.assertEqual(
            [self._figures(person).frequency_score for person in people],
            [1, 1, 1, 1, 1, 1, 1, 4, 4, 5],
        )

    def test_too_few_customers_for_scores(self):
        people = self._create_people([1, 2, 3, 4])
        self.metrics._refresh_all()
        self.assertEqual([self._figures(one).rfm_group for one in people], [False] * 4)
        self._create_people([5])
        self.assertEqual(self._figures(people[0]).rfm_group, "lost", "the fifth came")

    def test_a_person_counts_once_for_scores(self):
        people = self._create_people([1, 2, 3, 4, 5])
        for _count in range(20):
            self._create_customer("Guest", people[0].email)
        self.metrics._refresh_all()
        self.assertEqual(
            [self._figures(one).frequency_score for one in people], [1, 2, 3, 4, 5]
        )

    def test_scores_are_kept_until_the_night(self):
        people = self._create_people([1, 2, 3, 4, 5])
        self.metrics._refresh_all()
        self._order_often(people[0], 6, 50.0, days=0)
        before = [self._figures(one).frequency_score for one in people]
        self.assertEqual(before, [5, 2, 3, 4, 5], "measured by the rule of the night")
        self.metrics._refresh_all()
        after = [self._figures(one).frequency_score for one in people]
        self.assertEqual(after, [5, 1, 2, 3, 4])

    def _create_people(self, counts):
        """Create customers with so many orders; who orders more does it later."""
        people = self.env["res.partner"]
        for i, count in enumerate(counts):
            person = self._create_customer(
                f"P{i}", f"p{i}-{len(self.metrics.search([]))}@example.com"
            )
            self._order_often(person, count, days=100 - 2 * count)
            people |= person
            self.metrics._refresh_changed()
        return people

    def test_every_score_has_its_group(self):
        """No combination is left out, and the database agrees with Python."""
        rows = self.env.execute_query(
            SQL(
                """SELECT r, f, m, %s FROM generate_series(1, 5) r,
                          generate_series(1, 5) f, generate_series(1, 5) m
                    UNION ALL SELECT 0, 0, 0, %s""",
                rfm_groups.sql_group(SQL("r"), SQL("f"), SQL("m")),
                rfm_groups.sql_group(SQL("0"), SQL("0"), SQL("0")),
            )
        )
        for *scores, group in rows:
            self.assertEqual(group, rfm_groups.get_group(*scores), scores)
            self.assertEqual(bool(group), any(scores), scores)
        self.assertEqual(
            {group for *_scores, group in rows} - {None},
            {group.key for group in rfm_groups.RFM_GROUPS},
            "each group can be had",
        )

    def test_the_groups_are_documented(self):
        page = Path(__file__).parents[2] / "docs/adr/0018-customer-metrics.md"
        if not page.exists():
            self.skipTest("the addon is here without its documentation")
        lines = [
            " | ".join(
                [
                    group.label,
                    *(
                        str(low) if low == high else f"{low}–{high}"
                        for low, high in (
                            group.recency,
                            group.frequency,
                            group.monetary,
                        )
                    ),
                ]
            )
            for group in rfm_groups.RFM_GROUPS
        ]
        table = "\n".join(f"| {line} |" for line in lines)
        self.assertIn(table, page.read_text())

    # === PASSES ===#

    def test_changed_customers_are_passed_on(self):
        changes = self.env["marketing.customer.change"]
        self._order(self.customer)
        self.metrics._refresh_changed()
        self.assertEqual(
            [(row.partner_id, row.company_id) for row in changes.search([])],
            [(self.customer, self.company)],
        )
        self._order(self.customer)
        self.metrics._refresh_changed()
        self.assertEqual(len(changes.search([])), 1, "once each")
        changes.search([]).unlink()
        self.metrics._refresh_all()
        self.assertFalse(changes.search([]), "nothing is new")
        changes._touch(
            SQL("SELECT unnest(%s)", [self.customer.id, self.customer.id]),
            self.company,
        )
        self.assertEqual(len(changes.search([])), 1)

    def test_carts_leave_nothing_to_compute(self):
        tasks = self.env["marketing.metrics.task"]
        cart = self._create_cart()
        cart.order_line.product_uom_qty = 5
        self.env.flush_all()
        self.assertFalse(tasks.search([]))
        cart.action_confirm()
        self.env.flush_all()
        self.assertEqual(
            set(tasks.search([]).mapped("first_partner_id")), {self.customer.id}
        )

    def test_scheduled_actions(self):
        self._order(self.customer)
        self.env.flush_all()
        self._run_cron("ir_cron_refresh_changed_metrics")
        self.assertFalse(self.env["marketing.metrics.task"].search([]))
        row = self._figures(self.customer)
        self.assertEqual(row.total_orders, 1)
        # Somebody wrote to the database by other ways.
        self.env.cr.execute(
            "UPDATE sale_order SET amount_total = 77 WHERE partner_id = %s",
            [self.customer.id],
        )
        self._run_cron("ir_cron_refresh_all_metrics")
        self._run_cron("ir_cron_refresh_changed_metrics")
        self.env.invalidate_all()
        self.assertEqual(row.total_revenue, 77.0)

    def test_intervals_and_contacts_come_to_the_same(self):
        """Whatever happens, what changed and all together lead to the same figures."""
        for seed in range(1, examples(1, 3) + 1):
            with self.subTest(seed=seed):
                world = RandomShop(self, random.Random(seed))
                for _round in range(4):
                    for _step in range(12):
                        world.step()
                    self.metrics._refresh_changed()
                    changed = self._snapshot()
                    self._assert_scores()
                    self.metrics._refresh_all()
                    self.assertEqual(changed, self._snapshot())
                    self._assert_scores()

    def _snapshot(self):
        """Return all figures but the scores."""
        names = [name for name in FIGURES if name not in (*SCORES, "rfm_group")]
        rows = self.metrics.search([], order="company_id, partner_id")
        self.assertTrue(rows)
        return [
            {name: value for name, value in row.items() if name != "id"}
            for row in rows.read(["partner_id", "company_id", *names], load=False)
        ]

    def _assert_scores(self):
        """The scores are what the thresholds say, computed in Python."""
        for row in self.metrics.search([("total_orders", ">", 0)]):
            rules = self.env["marketing.rfm.threshold"].search(
                [("company_id", "=", row.company_id.id)]
            )
            expected = [
                1 + sum(row[name] > rule[name] for rule in rules) if rules else 0
                for name in ("last_order_date", "total_orders", "total_revenue")
            ]
            self.assertEqual([row[name] for name in SCORES], expected)
            self.assertEqual(
                row.rfm_group or None, rfm_groups.get_group(*expected), expected
            )

    # === CONTACTS ===#

    def test_figures_on_contacts(self):
        self._order(self.customer, 30.0)
        self.metrics._refresh_changed()
        self.assertRecordValues(
            self.customer | self._create_customer("Bo", "bo@example.com"),
            [
                {
                    "marketing_total_orders": orders,
                    "marketing_total_revenue": revenue,
                    "marketing_last_order_date": last,
                    "marketing_rfm_group": False,
                }
                for orders, revenue, last in (
                    (1, 30.0, NOW - timedelta(days=1)),
                    (0, 0.0, False),
                )
            ],
        )

    def test_carts_of_a_customer_in_words(self):
        """Under whatever contact they were left; one that was excluded is none."""
        self.assertEqual(self.customer._get_carts_sentence(), "")
        bought = create_recovered_cart(self, self.customer.email)
        twin = bought.partner_id
        self.assertNotEqual(twin, self.customer)
        back, gone, excluded = (
            self._abandon(partner)
            for partner in (self.customer, twin, self._create_customer("X", "x@x.org"))
        )
        back.returned_at = NOW
        excluded.write({"partner_id": twin.id, "state": "excluded"})
        sentence = "3 left behind, came back to 2, bought 1"
        for partner in (self.customer, twin):
            self.assertEqual(partner._get_carts_sentence(), sentence)
            self.assertIn(sentence, partner.marketing_metrics_html)
        self.assertEqual(gone.state, "abandoned")
        company_b, _website = create_other_shop(self)
        elsewhere = self.customer.with_company(company_b)
        self.assertEqual(elsewhere._get_carts_sentence(), "")

    def test_contacts_are_found_by_their_figures(self):
        """As plain Python finds them, those without any figures included."""
        lamps = self.env["product.public.category"].create({"name": "Lamps"})
        self.product.public_categ_ids = lamps
        people = self._create_people([1, 1, 2, 3, 4, 5, 6])
        self._create_customer("Nobody", "nobody@example.com")
        self.metrics._refresh_all()
        partners = self.env["res.partner"].search([])
        values = {
            "total_orders": [0, 1, 3, 100],
            "total_revenue": [0, 10.0, 35.5],
            "average_order": [0, 10.0],
            "frequency_score": [0, 1, 3, 5],
            "recency_score": [0, 4],
            "last_order_date": [NOW - timedelta(days=95), "-93d", False],
            "next_order_date": [TODAY, False],
            "last_click_at": [NOW, False],
        }
        conditions = [
            (f"marketing_{name}", operator, value)
            for name, given in values.items()
            for value in given
            for operator in ("=", "!=", "<", "<=", ">", ">=")
            if value is not False or operator in ("=", "!=")
        ]
        conditions += [
            ("marketing_rfm_group", "=", "champions"),
            ("marketing_rfm_group", "!=", "champions"),
            ("marketing_rfm_group", "=", False),
            ("marketing_rfm_group", "!=", False),
            ("marketing_rfm_group", "in", ["lost", "loyal"]),
            ("marketing_rfm_group", "not in", ["lost", "loyal"]),
            ("marketing_favourite_category_id", "=", lamps.id),
            ("marketing_favourite_category_id", "!=", lamps.id),
            ("marketing_favourite_category_id", "=", False),
            ("marketing_favourite_category_id", "ilike", "lam"),
            ("marketing_favourite_category_id", "not ilike", "lam"),
        ]
        chance = random.Random(7)
        domains = [Domain(*one) for one in conditions]
        for _count in range(100):
            left, right = chance.sample(domains[: len(conditions)], 2)
            domains.append(
                chance.choice((left & right, left | ~right, ~(left & right)))
            )
        for domain in domains:
            with self.subTest(domain=domain):
                self.assertEqual(
                    self.env["res.partner"].search(domain),
                    partners.filtered_domain(domain),
                )
        found = self.env["res.partner"].search([("marketing_total_orders", ">", 0)])
        self.assertEqual(found, people.sorted(lambda one: found.ids.index(one.id)))


class RandomShop:
    """A shop where anything may happen next."""

    def __init__(self, case, chance):
        self.case, self.chance = case, chance
        self.orders = case.env["sale.order"]
        self.partners = case.env["res.partner"]
        self.number = 0

    def step(self):
        """Let one thing happen."""
        steps = [self.join, self.buy, self.buy, self.buy]
        if self.orders:
            steps += [self.cancel, self.change_price, self.move, self.give_back]
        if self.partners:
            steps += [self.change_address, self.click]
        self.chance.choice(steps)()

    def join(self):
        self.number += 1
        address = f"x{self.chance.randint(1, 8)}@example.com"
        self.partners |= self.case._create_customer(
            f"X{self.number}", self.chance.choice((address, address, False))
        )

    def buy(self):
        if not self.partners:
            self.join()
        self.orders |= self.case._order(
            self.chance.choice(self.partners),
            self.chance.randint(1, 5000) / 100,
            days=self.chance.choice((1, 8, 15, 22, 29, 36, 60, 100)),
        )

    def cancel(self):
        self.chance.choice(self.orders)._action_cancel()

    def change_price(self):
        line = self.chance.choice(self.orders).order_line[0]
        if line.order_id.state == "sale" and not line.qty_invoiced:
            line.price_unit = self.chance.randint(1, 5000) / 100

    def move(self):
        order = self.chance.choice(self.orders)
        if not order.invoice_ids:
            order.partner_id = self.chance.choice(self.partners)

    def give_back(self):
        order = self.chance.choice(self.orders)
        if order.state == "sale" and not order.invoice_ids:
            self.case._refund(order, [self.chance.choice((0.3, 1.0))])

    def change_address(self):
        self.chance.choice(
            self.partners
        ).email = f"x{self.chance.randint(1, 8)}@example.com"

    def click(self):
        self.number += 1
        message = self.case._sent_message(
            self.chance.choice(self.partners), f"random-{self.number}"
        )
        self.case.env["marketing.engagement"]._record(message.token, "click")
