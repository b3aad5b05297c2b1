from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestHealth(MarketingCase):
    """Whoever looks at what does not happen is told why."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.health = cls.env["marketing.health"]
        # When the database was made is none of these tests' business.
        cls.env["ir.cron"].search([]).write(
            {"nextcall": fields.Datetime.now(), "failure_count": 0}
        )
        cls.dispatch = cls.env.ref("marketing_automation.ir_cron_dispatch")
        cls.smtp.action_enable()

    def _get(self, jobs=("dispatch",), channels=("email",)):
        return self.health._get_warnings(jobs, self.company, channels)

    def test_nothing_to_say(self):
        self.assertEqual(self._get(), [])

    def test_scheduled_action_is_switched_off(self):
        self.dispatch.active = False
        [warning] = self._get()
        self.assertIn("hand over messages", warning)
        self.assertIn("switched off", warning)

    def test_scheduled_action_does_not_run(self):
        self.dispatch.nextcall = fields.Datetime.now() - timedelta(minutes=14)
        self.assertEqual(self._get(), [])
        self.dispatch.nextcall = fields.Datetime.now() - timedelta(minutes=16)
        [warning] = self._get()
        self.assertIn("should have run", warning)

    def test_scheduled_action_is_put_off(self):
        self.dispatch.nextcall = fields.Datetime.now() + timedelta(days=30)
        [warning] = self._get()
        self.assertIn("not before", warning)
        daily = self.env.ref("marketing_automation.ir_cron_enforce_periods")
        daily.nextcall = fields.Datetime.now() + timedelta(hours=23)
        self.assertEqual(self._get(["enforce_periods"]), [])

    def test_scheduled_action_fails(self):
        self.dispatch.failure_count = 3
        [warning] = self._get()
        self.assertIn("3 times", warning)

    def test_account_rests(self):
        self.smtp._note_fault("connect_failed", "[Errno 111] Connection refused")
        failing, waiting = self._get()
        self.assertIn("Connection refused", failing)
        self.assertIn(self.smtp.name, failing)
        self.assertIn("wait", waiting)

    def test_account_is_paused_and_another_one_works(self):
        self.smtp.copy({"name": "Second"}).action_enable()
        self.smtp.write({"state": "paused", "last_error": "535 no"})
        [warning] = self._get()
        self.assertIn("535 no", warning)

    def test_nothing_leaves(self):
        message = self._queue_to(self.customer, self._create_contact_template())
        message.scheduled_at = fields.Datetime.now() - timedelta(minutes=20)
        self.env.cr.execute(
            "UPDATE marketing_message SET sent_at = NULL WHERE company_id = %s",
            [self.company.id],
        )
        [warning] = self._get()
        self.assertIn("Nothing has left yet", warning)
        other = self._queue_to(
            self._create_customer("Ben", "ben@example.com"), message.template_id
        )
        other.sent_at = fields.Datetime.now() - timedelta(minutes=16)
        [warning] = self._get()
        self.assertIn("Nothing has left since", warning)
        other.sent_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEqual(self._get(), [], "it only takes its time")

    def test_a_used_up_day_is_named(self):
        message = self._queue_to(self.customer, self._create_contact_template())
        message.scheduled_at = fields.Datetime.now() - timedelta(minutes=20)
        self.smtp.daily_limit = 5
        self.env["marketing.provider.usage"].create(
            {
                "provider_id": self.smtp.id,
                "day": fields.Date.today(),
                "domain": "",
                "count": 5,
            }
        )
        [warning] = self._get()
        self.assertIn("today's limit", warning)
