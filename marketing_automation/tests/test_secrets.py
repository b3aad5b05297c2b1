import logging
import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import MarketingCase
from .http_server import ApiServer, Reply

SECRETS = {
    "sendgrid_api_key": "SG.very-secret-key-000111222333",
    "twilio_auth_token": "deadbeefdeadbeefdeadbeefdeadbeef",
}


@tagged("post_install", "-at_install")
class TestSecrets(MarketingCase):
    """Credentials: for administrators alone, and never in anything that is written."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sendgrid = cls.env["marketing.provider"].create(
            {
                "name": "SendGrid",
                "kind": "sendgrid",
                "sequence": 1,
                "sendgrid_api_key": SECRETS["sendgrid_api_key"],
            }
        )
        cls.twilio = cls.env["marketing.provider"].create(
            {
                "name": "Twilio",
                "kind": "twilio",
                "twilio_account_sid": "AC00000000000000000000000000000000",
                "twilio_auth_token": SECRETS["twilio_auth_token"],
                "twilio_sender": "+15005550006",
            }
        )
        cls.accounts = cls.sendgrid | cls.twilio

    def test_nobody_but_administrators_reads_them(self):
        manager = new_test_user(
            self.env, "sm", groups="marketing_automation.group_marketing_manager"
        )
        for account in self.accounts.with_user(manager):
            for name in (*SECRETS, "webhook_token", "sendgrid_webhook_key"):
                with self.subTest(name), self.assertRaises(AccessError):
                    account.read([name])
            self.assertFalse(
                SECRETS.keys() & account.fields_get().keys(), "not even the names"
            )

    def test_they_are_not_copied_and_not_exported(self):
        for account in self.accounts:
            copy = account.copy()
            for name in SECRETS:
                self.assertFalse(copy[name])
            self.assertNotEqual(copy.webhook_token, account.webhook_token)
        for name in (*SECRETS, "webhook_token"):
            self.assertFalse(self.accounts._fields[name].exportable)

    def test_environment_variable(self):
        self.sendgrid.sendgrid_api_key = "env:MARKETING_TEST_KEY"
        with patch.dict(os.environ, {"MARKETING_TEST_KEY": "SG.from-outside"}):
            self.assertEqual(
                self.sendgrid._get_secret("sendgrid_api_key"), "SG.from-outside"
            )
        self.assertEqual(self.sendgrid._get_secret("sendgrid_api_key"), "")

    def _everything_written(self):
        """Return all text the addon and Odoo's chatter keep about what happened."""
        self.env.flush_all()
        texts = []
        for table, columns in (
            ("marketing_message", "reason_detail, history::text, message_ref"),
            ("marketing_provider", "last_error"),
            ("mail_message", "body, subject"),
            ("mail_tracking_value", "old_value_char, new_value_char"),
            ("ir_logging", "message"),
        ):
            self.env.cr.execute(f"SELECT concat_ws(' ', {columns}) FROM {table}")
            texts += [text for (text,) in self.env.cr.fetchall()]
        return "\n".join(texts)

    def test_no_error_tells_them(self):
        """Providers that repeat the credentials in every answer, and are refused."""
        for account in self.accounts:
            account.action_enable()
        self.company.quiet_hours_sms = False
        partner = self._create_customer(
            "A", "a@example.com", phone="+36 30 123 4567", country_id=False
        )
        templates = self._create_contact_template() | self._create_contact_template(
            channel="sms", body_sms="Hi"
        )

        def echo(request):
            headers = " ".join(f"{name}: {value}" for name, value in request.headers)
            body = '{"message": "%s", "errors": [{"message": "%s"}], "code": 20003}'
            secrets = " ".join(SECRETS.values())
            return Reply(
                echo.status, (body % (secrets, headers.replace('"', ""))).encode()
            )

        with self.assertLogs(level=logging.DEBUG) as logs, ApiServer(echo) as server:
            logging.getLogger("urllib3").setLevel(logging.DEBUG)
            self.accounts.base_url = server.url
            for echo.status in (400, 401, 403, 429, 500, 502):
                for template in templates:
                    message = self._queue_to(partner, template, priority=0)
                    self._run_cron("ir_cron_dispatch")
                    self.env.invalidate_all()
                    message._set_state("cancelled")
                self.accounts.filtered(
                    lambda account: account.state == "paused"
                ).action_enable()
            for account in self.accounts:
                checks = account._get_adapter().check()
                logging.getLogger(__name__).info(
                    "%s %s", checks, account._get_adapter()
                )
        self.assertGreaterEqual(len(server.requests), 12)
        written = self._everything_written() + "\n".join(logs.output)
        for name, secret in SECRETS.items():
            self.assertNotIn(secret, written, name)
        self.assertNotIn(SECRETS["sendgrid_api_key"].split("-")[-1], written)
