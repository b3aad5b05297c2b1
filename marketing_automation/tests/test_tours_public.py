from odoo.tests import HttpCase, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestToursPublic(MarketingCase, HttpCase):
    """What a customer sees, in a real browser with an empty session."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.lamp = self._create_product("Old lamp", 35.0)
        self.cart = self._abandon(products=[(self.product, 2), (self.lamp, 1)])
        self._process_steps()

    def test_recovery_link(self):
        self.lamp.is_published = False
        self.start_tour(
            self.cart._get_recovery_path(), "marketing_automation.recovery_link"
        )
        self.env.invalidate_all()
        self.assertTrue(self.cart.returned_at)
        self.assertEqual(self.cart.enrollment_ids.state, "paused")

    def test_unsubscribe(self):
        message = self.cart.message_ids
        self.start_tour(
            f"/marketing/unsubscribe/{message.token}",
            "marketing_automation.unsubscribe",
        )
        self.env.invalidate_all()
        self.assertEqual(self.cart.enrollment_ids.stop_reason, "opted_out")

    def test_preferences(self):
        self.company.consent_policy = "opt_in"
        self.start_tour(
            f"/marketing/preferences/{self.cart.message_ids.token}",
            "marketing_automation.preferences",
        )
        self.env.invalidate_all()
        preference = self.env["marketing.preference"].search([])
        self.assertEqual((preference.purpose, preference.state), ("offers", "given"))
        self.assertEqual(
            self.env["marketing.recipient"].search([]).frequency, "monthly"
        )

    def test_confirm(self):
        requests = self.env["marketing.opt.in"]
        requests._request(self.company, "zoe@example.com", ["newsletter"], "sign_up")
        asked = requests.search([], limit=1)
        self.start_tour(asked._get_confirm_path(), "marketing_automation.confirm")
        self.env.invalidate_all()
        self.assertEqual(asked.state, "confirmed")
