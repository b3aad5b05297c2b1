import random
from datetime import datetime, timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..models.insight.figures import FIGURES, KEY_FIELDS
from .common import MarketingCase
from .world import create_other_shop

# Figures that are counted in records, by the name of what the dashboard calls them.
COUNTED = [name for name, figure in FIGURES.items() if figure.model]
STATES = ("abandoned", "recovery_started", "recovered", "expired", "excluded")
REASONS = ("no_contact", "below_minimum", "order_cancelled")
MESSAGE_STATES = (
    *("queued", "sent", "sent", "delivered", "bounced", "skipped", "failed"),
    *("cancelled", "uncertain"),
)
NOW = datetime(2026, 3, 15, 10, 30)


class DashboardCase(MarketingCase):
    """A shop of random carts, written past the machinery that usually fills it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env["marketing.dashboard"]
        cls.figures = cls.env["marketing.daily.figure"]
        cls.steps = cls.sequence.step_ids
        cls.dice = random.Random(20260315)

    @classmethod
    def _create_world(cls, website, carts):
        for _number in range(carts):
            cls._create_random_cart(website)
        cls.env.flush_all()

    @classmethod
    def _past(cls, days=70):
        """A moment in the last weeks."""
        return NOW - timedelta(seconds=cls.dice.randrange(days * 86400))

    @classmethod
    def _create_random_cart(cls, website):
        dice = cls.dice
        state = dice.choice(STATES)
        left = cls._past()
        cart = cls.env["abandoned.cart"].create(
            {
                "name": "S",
                "state": state,
                "kind": dice.choice(("cart", "cart", "payment_failed")),
                "exclusion_reason": dice.choice(REASONS)
                if state == "excluded"
                else False,
                "website_id": website.id,
                "company_id": website.company_id.id,
                "amount_company": dice.randrange(1, 90000) / 100,
                "abandoned_at": left,
                "returned_at": cls._past() if dice.random() < 0.3 else False,
            }
        )
        messages = [
            cls._create_random_message(cart) for _i in range(dice.choice((0, 1, 1, 3)))
        ]
        if state == "recovered":
            cls._recover(cart, dice.choice(messages) if messages else None)
        return cart

    @classmethod
    def _create_random_message(cls, cart):
        dice = cls.dice
        state = dice.choice(MESSAGE_STATES)
        is_sent = state in ("sent", "delivered", "bounced")
        step = dice.choice(cls.steps)
        message = cls.env["marketing.message"].create(
            {
                "state": state,
                "state_changed_at": cls._past(),
                "reason": "returned" if state == "skipped" else False,
                "channel": dice.choice(("email", "sms")),
                "dedupe_key": f"random:{dice.random()}",
                "company_id": cart.company_id.id,
                "website_id": cart.website_id.id,
                "sequence_id": step.sequence_id.id,
                "step_id": step.id,
                "abandoned_cart_id": cart.id,
                "sent_at": cls._past() if is_sent else False,
                "is_sandbox": dice.random() < 0.2,
            }
        )
        for kind in ("open", "click", "click", "bounce"):
            if is_sent and dice.random() < 0.4:
                cls._engage(message, kind)
        return message

    @classmethod
    def _engage(cls, message, kind):
        cls.env["marketing.engagement"]._record_events(
            [
                {
                    "message_id": message.id,
                    "kind": kind,
                    "occurred_at": cls._past(),
                    "is_machine": cls.dice.random() < 0.3,
                }
            ]
        )

    @classmethod
    def _recover(cls, cart, message):
        order = cls._create_cart(
            products=[(cls.product, cls.dice.randrange(1, 9))],
            website_id=cart.website_id.id,
        )
        order.action_confirm()
        order.attributed_message_id = message
        cart.write(
            {
                "recovered_at": cls._past(),
                "recovered_order_id": order.id,
                "recovered_amount": order.amount_total,
                "recovered_message_id": message and message.id,
            }
        )

    # === ANOTHER WAY OF COUNTING ===#

    def _report(self, **options):
        return self.dashboard._read_options(options)

    def _count(self, report, name, **narrowed):
        """What the list behind a figure comes to, by the ORM alone."""
        figure = FIGURES[name]
        records = self.env[figure.model].search(
            self.dashboard._get_domain(report, name, narrowed)
        )
        if not figure.measure:
            return len(records)
        return sum(records.mapped(figure.measure))

    def _assert_agrees(self, **options):
        """Every figure is what its list comes to."""
        report = self._report(**options)
        totals, _points = self.dashboard._get_totals(report)
        for name in COUNTED:
            with self.subTest(figure=name, **options):
                self.assertAlmostEqual(totals.get(name), self._count(report, name), 2)
            if name in KEY_FIELDS:
                for (key,), value in totals.split(name, ("key",)).items():
                    with self.subTest(figure=name, key=key, **options):
                        self.assertAlmostEqual(
                            value, self._count(report, name, key=key), 2
                        )
        return totals


@tagged("post_install", "-at_install")
class TestDashboardFigures(DashboardCase):
    """Figures of days against the records themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b, cls.website_b = create_other_shop(cls)
        cls.outlet = cls.env["website"].create(
            {"name": "Outlet", "company_id": cls.company.id}
        )
        for website in (cls.website, cls.outlet, cls.website_b):
            cls._create_world(website, 50)

    def setUp(self):
        super().setUp()
        self.enterContext(self._at(NOW))

    def _assert_all_agree(self):
        for options in (
            {},
            {"period": "last_7"},
            {"period": "last_90"},
            {"period": "month"},
            {"period": "year"},
            {"period": "custom", "first": "2026-02-01", "last": "2026-02-01"},
            {"website": self.outlet.id},
            {"kind": "payment_failed"},
            {"website": self.website.id, "kind": "cart", "period": "last_90"},
        ):
            self._assert_agrees(**options)

    def test_live_and_stored(self):
        """Whether counted just now, stored, or some of each: the same."""
        self._assert_all_agree()
        self.assertTrue(self.env["marketing.daily.change"].search_count([]))
        self._store_all()
        self.assertFalse(self.env["marketing.daily.change"].search_count([]))
        self._assert_all_agree()
        self._change_at_random()
        self._assert_all_agree()
        self._store_all()
        self._assert_all_agree()

    def _store_all(self):
        while self.figures._refresh_batch(7):
            pass

    def _change_at_random(self):
        """What happens to carts and messages, in the ways it happens."""
        carts = self.env["abandoned.cart"].search([])
        for cart in self.dice.sample(carts, 40):
            match self.dice.randrange(6):
                case 0:
                    cart.unlink()
                case 1:
                    cart.abandoned_at = self._past()
                case 2:
                    cart.kind = "quotation"
                case 3:
                    cart.message_ids[:1].write({"state": "sent", "sent_at": NOW})
                case 4:
                    for message in cart.message_ids:
                        self._engage(message, "click")
                case 5:
                    cart.recovered_order_id._action_cancel()
        self.env["marketing.engagement"].search([], limit=9).unlink()
        self.env["marketing.message"].search([], limit=9).unlink()
        self.env.cr.execute(
            "UPDATE marketing_engagement SET is_machine = TRUE WHERE id % 5 = 0"
        )
        self._create_world(self.website, 5)

    def test_what_does_not_count_is_not_noted(self):
        self._store_all()
        cart = self.env["abandoned.cart"].search([], limit=1)
        cart.write({"content": "Another mug", "phone": "1"})
        cart.message_ids.write({"subject": "x"})
        self.env.flush_all()
        self.assertFalse(self.env["marketing.daily.change"].search_count([]))

    def test_companies_do_not_mix(self):
        self._store_all()
        groups = (self.company, self.company_b, self.company | self.company_b)
        values = []
        for companies in groups:
            dashboard = self.dashboard.with_context(allowed_company_ids=companies.ids)
            totals, _points = dashboard._get_totals(dashboard._read_options({}))
            values.append(totals.get("left"))
        carts = self.env["abandoned.cart"]
        begin = datetime(2026, 2, 14)
        within = [("abandoned_at", ">=", begin), ("abandoned_at", "<=", NOW)]
        for company, value in zip((self.company, self.company_b), values, strict=False):
            expected = carts.search_count([*within, ("company_id", "=", company.id)])
            self.assertEqual(value, expected, company.name)
        self.assertEqual(values[2], values[0] + values[1])

    def test_days_are_those_of_the_company(self):
        """A day in Istanbul begins at nine in the evening in UTC."""
        self._store_all()
        self.company.partner_id.tz = "Europe/Istanbul"
        self.figures._adopt_timezones()
        self.env.flush_all()
        cart = self._create_random_cart(self.website)
        for moment, day in (
            (datetime(2026, 3, 3, 20, 59), "2026-03-03"),
            (datetime(2026, 3, 3, 21, 0), "2026-03-04"),
        ):
            cart.abandoned_at = moment
            options = {"period": "custom", "first": day, "last": day}
            listed = self.env["abandoned.cart"].search(
                self.dashboard._get_domain(self._report(**options), "left", {})
            )
            self.assertIn(cart, listed)
            self._assert_agrees(**options)
        self._assert_all_agree()
        self._store_all()
        self._assert_all_agree()

    def test_series_add_up(self):
        for options in ({}, {"period": "last_90"}, {"period": "year"}):
            data = self.dashboard.get_data(options)
            kpis = {kpi["name"]: kpi for kpi in data["kpis"]}
            for series in data["chart"]["figures"]:
                if series["name"] in kpis:
                    self.assertAlmostEqual(
                        sum(series["values"]), kpis[series["name"]]["value"], 2
                    )
            for name in ("sent", "credited_revenue"):
                self.assertAlmostEqual(
                    sum(row["values"][name]["value"] for row in data["steps"]),
                    kpis[name]["value"],
                    2,
                )


@tagged("post_install", "-at_install")
class TestRevenue(DashboardCase):
    """The revenue of the dashboard is that of the orders."""

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.message = self.cart.message_ids
        self._click(self.message)
        self.order = self.cart.order_id
        self.order.action_confirm()

    def _get_revenue(self):
        data = self.dashboard.get_data({})
        kpis = {kpi["name"]: kpi["value"] for kpi in data["kpis"]}
        self.assertEqual(kpis["recovered_revenue"], kpis["credited_revenue"])
        self.assertEqual(kpis["recovered_revenue"], self.order._get_marketing_revenue())
        return kpis["recovered_revenue"]

    def _invoice(self):
        self.order.order_line.qty_delivered = 2
        invoice = self.order._create_invoices()
        invoice.action_post()
        return invoice

    def test_order(self):
        self.assertEqual(self._get_revenue(), 40.0)

    def test_order_that_grows(self):
        self.order.order_line.product_uom_qty = 3
        self.assertEqual(self._get_revenue(), 60.0)

    def test_refund(self):
        invoice = self._invoice()
        refund = invoice._reverse_moves(
            [{"invoice_date": fields.Date.today(), "date": fields.Date.today()}]
        )
        refund.invoice_line_ids.quantity = 1
        self.assertEqual(self._get_revenue(), 40.0)
        refund.action_post()
        self.assertEqual(self._get_revenue(), 20.0)
        refund.button_draft()
        self.assertEqual(self._get_revenue(), 40.0)

    def test_margin(self):
        kpis = {kpi["name"]: kpi for kpi in self.dashboard.get_data({})["kpis"]}
        self.assertEqual(kpis["credited_margin"]["value"], 40.0, "no cost is known")
        self.product.standard_price = 5.0
        invoice = self._invoice()
        refund = invoice._reverse_moves(
            [{"invoice_date": fields.Date.today(), "date": fields.Date.today()}]
        )
        refund.invoice_line_ids.quantity = 1
        refund.action_post()
        kpis = {kpi["name"]: kpi for kpi in self.dashboard.get_data({})["kpis"]}
        self.assertEqual(kpis["credited_margin"]["value"], 15.0, "of what was kept")

    def test_cancelled_order(self):
        self.order._action_cancel()
        self.assertEqual(self._get_revenue(), 0.0)
        self.assertFalse(self.message.attributed_order_count)

    def test_two_carts_of_one_order(self):
        """One order, whatever it closes."""
        other = self._create_cart(products=[(self.product, 1)])
        self._detect()
        self.assertEqual(other.abandoned_cart_id.state, "abandoned")
        third = self._create_cart(products=[(self.product, 3)], idle_minutes=0)
        third.write({"order_line": [Command.create({"product_id": self.product.id})]})
        third.action_confirm()
        kpis = {
            kpi["name"]: kpi["value"] for kpi in self.dashboard.get_data({})["kpis"]
        }
        self.assertEqual(kpis["recovered"], 2)
        self.assertEqual(
            kpis["recovered_revenue"], 40.0 + third._get_marketing_revenue()
        )
