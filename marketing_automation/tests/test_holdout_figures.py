from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..tools import statistics
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestHoldoutFigures(MarketingCase):
    """What recovery adds, beside those who got nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env["marketing.dashboard"]
        cls.now = fields.Datetime.now()
        cls.number = 0

    def _create_runs(self, count, bought, is_holdout, **vals):
        """Let people go through the sequence, of whom some buy for 100."""
        for index in range(count):
            self._create_run(index < bought, is_holdout, **vals)
        self.env.flush_all()

    def _create_run(self, has_bought, is_holdout, email=None, days=1, sequence=None):
        type(self).number += 1
        email = email or f"run{self.number}@example.com"
        moment = self.now - timedelta(days=days)
        cart = self.env["abandoned.cart"].create(
            {
                "name": "S",
                "state": "recovered" if has_bought else "recovery_started",
                "company_id": self.company.id,
                "website_id": self.website.id,
                "abandoned_at": moment,
                "recovered_amount": 100.0 if has_bought else 0.0,
            }
        )
        cart.flush_recordset()
        # No order is there to work it out from.
        cart.recovered_amount_company = 100.0 if has_bought else 0.0
        return self.env["marketing.enrollment"].create(
            {
                "sequence_id": (sequence or self.sequence).id,
                "abandoned_cart_id": cart.id,
                "company_id": self.company.id,
                "email_normalized": email,
                "state": "completed",
                "started_at": moment,
                "is_holdout": is_holdout,
            }
        )

    def _get(self, **options):
        return self.dashboard.get_holdout(options)

    def test_no_control_group(self):
        self.env["marketing.sequence"].search([]).holdout_percent = 0
        self._create_runs(10, 2, False)
        self.assertEqual(self._get(), {"state": "off"})
        self.sequence.holdout_percent = 10
        self.assertEqual(self._get(), {"state": "waiting"})

    def test_too_few(self):
        self._create_runs(1, 0, True, days=2)
        self._create_runs(30, 8, False)
        self._create_runs(9, 1, True)
        data = self._get()
        self.assertEqual(data["state"], "early")
        self.assertEqual(data["control"]["count"], 10)
        self.assertGreater(data["missing"], 50)
        self.assertNotIn("orders", data)

    def test_clear(self):
        self._create_runs(1, 0, True, days=2)
        self._create_runs(300, 120, False)
        self._create_runs(99, 15, True)
        data = self._get()
        self.assertEqual(data["state"], "clear")
        self.assertEqual(data["treated"]["share"], 0.4)
        self.assertEqual(data["control"]["share"], 0.15)
        self.assertEqual(data["treated"]["revenue"], 12000.0)
        expected = statistics.newcombe(120, 300, 15, 100)
        self.assertEqual(data["difference"], list(expected))
        self.assertAlmostEqual(data["orders"][0], 75.0)
        self.assertAlmostEqual(data["orders"][1], expected.low * 300)
        # Everybody spends the same here: revenue is a hundred times the orders.
        self.assertAlmostEqual(data["revenue"][0], 7500.0)
        self.assertGreater(data["revenue"][1], 0)

    def test_may_be_chance(self):
        self._create_runs(1, 0, True, days=2)
        self._create_runs(100, 22, False)
        self._create_runs(59, 11, True)
        data = self._get()
        self.assertEqual(data["state"], "unclear")
        self.assertLess(data["orders"][1], 0)
        self.assertGreater(data["missing"], 100)

    def test_each_person_counts_once(self):
        """Whoever leaves three carts says no more than whoever leaves one."""
        self._create_runs(1, 0, True, days=5)
        for days in (4, 3, 2):
            self._create_run(days == 3, False, "often@example.com", days)
        self._create_run(True, True)
        data = self._get()
        self.assertEqual(data["treated"]["count"], 1)
        self.assertEqual(data["treated"]["bought"], 0, "The first one counts")
        self.assertEqual(data["control"]["count"], 2)

    def test_people_without_address_are_different_ones(self):
        self._create_runs(1, 0, True, days=5)
        for days in (4, 3):
            self._create_run(False, False, days=days).email_normalized = False
        self._create_run(False, True)
        self.assertEqual(self._get()["treated"]["count"], 2)

    def test_as_long_as_there_is_a_control_group(self):
        """Before it was switched on other people came, in another season."""
        other = self.sequence.copy()
        self._create_runs(50, 40, False, days=20)
        self._create_runs(1, 0, True, days=10)
        self._create_runs(7, 3, False, days=5)
        self._create_runs(1, 1, True, days=2)
        self._create_runs(9, 9, False, days=5, sequence=other)
        data = self._get()
        self.assertEqual(data["treated"]["count"], 7)
        self.assertEqual(data["control"]["count"], 2)

    def test_within_the_period_and_the_shop(self):
        self._create_runs(5, 2, False, days=3)
        self._create_runs(5, 2, True, days=3)
        self._create_runs(5, 2, True, days=4)
        outlet = self.env["website"].create(
            {"name": "Outlet", "company_id": self.company.id}
        )
        self.env["marketing.sequence"].search([]).holdout_percent = 0
        self.assertEqual(self._get(website=outlet.id), {"state": "off"})
        day = str((self.now - timedelta(days=3)).date())
        data = self._get(period="custom", first=day, last=day)
        self.assertEqual(data["control"]["count"], 5)
