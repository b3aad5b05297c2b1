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
        self._run_cron("ir_cron_dispatch")
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

    def test_account(self):
        with self.assertLogs("odoo.http", "WARNING") as logs:
            self.start_tour(
                "/odoo/marketing-providers",
                "marketing_automation_account",
                login="admin",
            )
        # The error that was shown, and nothing else.
        [log] = logs.output
        self.assertIn("Enter the API Key first.", log)
        account = self.env["marketing.provider"].search([("name", "=", "Tour account")])
        self.assertEqual((account.kind, account.state), ("sendgrid", "disabled"))
        self.assertEqual(account.daily_limit, 500)

    def test_ledger(self):
        template = self._create_contact_template(name="Spring news")
        for source in ("first", "second"):
            self._queue_to(self.customer, template, source)
            self._run_cron("ir_cron_dispatch")
        self.start_tour(
            f"/odoo/res.partner/{self.customer.id}",
            "marketing_automation_ledger",
            login="admin",
        )

    def test_sandbox(self):
        self._abandon(self._create_customer("Tess Tour", "tess@example.com"))
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.start_tour(
            "/odoo/marketing-sandbox", "marketing_automation_sandbox", login="admin"
        )
        self.assertTrue(
            self.env["mail.blacklist"].search_count(
                [("email", "=", "tess@example.com")]
            )
        )
