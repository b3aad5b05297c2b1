from odoo.tests import tagged

from .common import MarketingCase
from .smtp_server import RecordingSmtpServer


@tagged("post_install", "-at_install")
class TestRateLimit(MarketingCase):
    """How many messages a second an account takes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.people = cls.env["res.partner"].create(
            [{"name": "Anna", "email": f"anna{n}@example.com"} for n in range(30)]
        )

    def _dispatch(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def test_one_run_sends_a_seconds_worth(self):
        self._queue_to(self.people[:7], self.template)
        self.smtp.per_second = 4
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
            self.assertEqual(len(server.messages), 4)
            self.smtp.usage_ids.free_at = False
            self._dispatch()
        self.assertEqual(len(server.messages), 7)

    def test_what_is_above_the_rate_leaves_through_the_next_account(self):
        messages = self._queue_to(self.people, self.template)
        self.smtp.write({"per_second": 4, "sequence": 1})
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            other = self.smtp.copy({"name": "Other", "sequence": 2, "per_second": 0})
            other.action_enable()
            self._dispatch()
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertEqual(messages.provider_id, self.smtp + other)

    def test_a_used_up_day_is_not_waited_for(self):
        messages = self._queue_to(self.people, self.template)
        self.smtp.write({"per_second": 1000, "daily_limit": 10})
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._dispatch()
        self.assertEqual(len(server.messages), 10)
        self.assertEqual(len(messages.filtered(lambda m: m.state == "queued")), 20)
