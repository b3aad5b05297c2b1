from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import MarketingCase
from .world import GROUP_MANAGER, GROUP_USER


@tagged("post_install", "-at_install")
class TestSandbox(MarketingCase):
    """What the buttons of the sandbox inbox do is what webhooks do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, "ma_sandbox", groups=GROUP_MANAGER)

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.message = self.cart.message_ids.with_user(self.user)
        self.assertEqual((self.message.state, self.message.is_sandbox), ("sent", True))

    def _is_suppressed(self, email="anna@example.com"):
        return bool(self.env["mail.blacklist"].search_count([("email", "=", email)]))

    def test_delivered(self):
        self.message.action_simulate_delivered()
        self.assertEqual(self.message.state, "delivered")
        self.assertFalse(self._is_suppressed())

    def test_bounced(self):
        self.message.action_simulate_bounced()
        self.assertEqual(
            (self.message.state, self.message.reason), ("bounced", "bounced_hard")
        )
        self.assertTrue(self._is_suppressed())
        self.assertEqual(self.cart.enrollment_ids.state, "stopped")

    def test_opened_and_clicked_by_a_person(self):
        self.message.action_simulate_opened()
        self.message.action_simulate_clicked()
        self.assertEqual((self.message.open_count, self.message.click_count), (1, 1))
        click = self.message.engagement_ids.filtered(lambda one: one.kind == "click")
        self.assertFalse(click.is_machine)
        self.assertEqual(click.device, "mobile")
        self.assertIn("/shop/cart/recover/preview", click.url)

    def test_open_as_recipient(self):
        """Administrators get the link that is not shown; nobody else does."""
        admin = self.env.ref("base.user_admin")
        action = self.message.with_user(admin).action_open_as_recipient()
        self.assertTrue(action["url"].endswith(self.cart._get_recovery_path()))
        user = new_test_user(
            self.env, "mu", groups="marketing_automation.group_marketing_manager"
        )
        with self.assertRaises(AccessError):
            self.message.with_user(user).action_open_as_recipient()
        self.message.sudo().is_sandbox = False
        with self.assertRaises(UserError):
            self.message.with_user(admin).action_open_as_recipient()

    def test_machines_do_not_count_as_opens(self):
        self.env["marketing.engagement"]._record(
            self.message.sudo().token, "open", machine_reason="prefetch"
        )
        self.assertEqual(self.message.open_count, 0)

    def test_complained_and_unsubscribed(self):
        for action, kind in (
            ("action_simulate_complained", "complaint"),
            ("action_simulate_unsubscribed", "unsubscribe"),
        ):
            self.env["mail.blacklist"].search([]).unlink()
            getattr(self.message, action)()
            self.assertIn(kind, self.message.engagement_ids.mapped("kind"))
            self.assertTrue(self._is_suppressed(), kind)

    def test_complained_after_coming_off_the_blacklist(self):
        """Odoo keeps the row, and would leave it as it is."""
        self.message.action_simulate_complained()
        self.env["mail.blacklist"]._remove(self.customer.email)
        self.assertFalse(self._is_suppressed())
        self.message.action_simulate_complained()
        self.assertTrue(self._is_suppressed())

    def test_text_messages(self):
        self.customer.write(
            {"phone": "+1 650-555-0111", "country_id": self.env.ref("base.us").id}
        )
        template = self.env["marketing.template"].create(
            {"name": "S", "channel": "sms", "context": "contact", "body_sms": "Hi"}
        )
        self.company.quiet_hours_sms = False
        first, second = (
            self._queue_to(self.customer, template, source, priority=0)
            for source in ("one", "two")
        )
        self._run_cron("ir_cron_dispatch")
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        first.with_user(self.user).action_simulate_undelivered()
        self.assertEqual((first.state, first.reason), ("failed", "undelivered"))
        second.with_user(self.user).action_simulate_stop()
        self.assertEqual(second.engagement_ids.detail, "STOP")
        self.assertTrue(
            self.env["phone.blacklist"].search_count([("number", "=", "+16505550111")])
        )

    def test_real_messages_are_left_alone(self):
        self.message.sudo().is_sandbox = False
        with self.assertRaises(UserError):
            self.message.action_simulate_bounced()
        self.assertEqual(self.message.state, "sent")
        self.assertFalse(self._is_suppressed())

    def test_only_marketing_users(self):
        employee = new_test_user(self.env, "ma_other", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.message.with_user(employee).action_simulate_bounced()

    def test_users_suppress_nobody(self):
        """The address is somebody's: what is tried out on it is for managers."""
        user = new_test_user(self.env, "ma_sandbox_user", groups=GROUP_USER)
        message = self.message.with_user(user)
        for name in ("bounced", "complained", "unsubscribed", "stop"):
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(message, f"action_simulate_{name}")()
        self.assertFalse(self._is_suppressed())
        message.action_simulate_opened()
        self.assertEqual(message.engagement_ids.mapped("kind"), ["open"])
