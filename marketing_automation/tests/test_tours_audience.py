from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestToursAudience(MarketingCase, HttpCase):
    """Segments as the shop's people make them, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.consent_policy = "opt_in"
        # Whoever demo data has, the figures are to speak of the people below.
        cls.env["sale.order"].search([("state", "=", "sale")]).state = "cancel"
        germany, austria = cls.env.ref("base.de"), cls.env.ref("base.at")
        cls.people = {}
        for name, country in (
            ("Greta", germany),
            ("Jonas", germany),
            ("Mia", germany),
            ("Ole", austria),
        ):
            person = cls._create_customer(
                f"{name} Tour",
                f"{name.lower()}.tour@example.com",
                country_id=country.id,
            )
            cls.people[name] = person
            for days in (5, 40):
                cls._buy(person, days)
        cls._buy(cls._create_customer("Once Tour", "once@example.com"), 5)
        cls.env["marketing.preference"]._record(
            cls.company,
            "email",
            ["offers"],
            ["greta.tour@example.com", "jonas.tour@example.com"],
            "given",
            "checkout",
        )
        cls.guests = cls.env["customer.segment"].create(
            {"name": "Tour guests", "kind": "static"}
        )
        cls.guests.add_contacts(cls.people["Jonas"].ids, "manual")

    @classmethod
    def _buy(cls, partner, days_ago):
        order = cls._create_cart(partner)
        order.action_confirm()
        order.date_order = fields.Datetime.now() - timedelta(days=days_ago)

    def test_segment_builder(self):
        self.start_tour(
            "/odoo/marketing-segments",
            "marketing_automation_segment_builder",
            login="admin",
        )
        segment = self.env["customer.segment"].search([("name", "=", "Tour regulars")])
        self.assertEqual(
            segment.condition_ids.mapped("kind"), ["behaviour", "customer", "consent"]
        )
        self.assertEqual(segment.size, 2)
        self.assertEqual(segment.reach_email, 2)

    def test_group_and_json(self):
        self.start_tour(
            "/odoo/marketing-segments/new",
            "marketing_automation_segment_group",
            login="admin",
        )
        segment = self.env["customer.segment"].search([("name", "=", "Tour group")])
        self.assertEqual(segment.condition_ids.domain, "[('city', '=', 'Tourtown')]")

    def test_by_hand(self):
        self.start_tour(
            f"/odoo/marketing-segments/{self.guests.id}",
            "marketing_automation_segment_by_hand",
            login="admin",
        )
        members = self.env["segment.membership"].search(
            [("segment_id", "=", self.guests.id)]
        )
        self.assertEqual(
            members.partner_id, self.people["Greta"] | self.people["Jonas"]
        )
        imported = self.env["res.partner"].search(
            [("email_normalized", "=", "new.tour@example.com")]
        )
        self.assertEqual(imported.name, "New Tour")
