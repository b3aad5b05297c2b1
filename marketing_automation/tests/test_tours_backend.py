from odoo.tests import HttpCase, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestToursBackend(MarketingCase, HttpCase):
    """What the shop's people see, in a real browser."""

    def test_cart_form(self):
        cart = self._abandon(
            partner=self._create_customer("Tess Tour", "tess@example.com"),
            products=[(self._create_product("Tour lamp", 49.0), 2)],
        )
        self._process_steps()
        # The test server's registry is in test mode already.
        self.env.ref("marketing_automation.ir_cron_dispatch").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(cart.message_ids.state, "sent")
        self.start_tour(
            "/odoo/abandoned-carts", "marketing_automation_cart_form", login="admin"
        )
        self.env.invalidate_all()
        self.assertEqual(cart.enrollment_ids.state, "stopped")
        self.assertEqual(cart.enrollment_ids.stop_reason, "cancelled")

    def test_settings(self):
        url = "/odoo/action-marketing_automation.action_marketing_settings"
        # The settings open for the first website of the administrator's company.
        website = self.env["website"].search(
            [("company_id", "=", self.env.ref("base.user_admin").company_id.id)],
            limit=1,
        )
        website.cart_recovery_enabled = True
        self.start_tour(url, "marketing_automation_settings_off", login="admin")
        self.env.invalidate_all()
        self.assertFalse(website.cart_recovery_enabled)
        self.assertFalse(website.send_abandoned_cart_email)

        website.send_abandoned_cart_email = True
        self.start_tour(url, "marketing_automation_settings_on", login="admin")
        self.env.invalidate_all()
        self.assertTrue(website.cart_recovery_enabled)
        self.assertEqual(website.cart_idle_minutes, 45)
        self.assertFalse(website.send_abandoned_cart_email)
