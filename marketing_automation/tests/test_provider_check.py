import os
import socket
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..providers.base import Check
from .common import MarketingCase
from .world import GROUP_MANAGER

KEY = "SG.secret-of-ours.0123456789abcdef"
CHECK_DOMAIN = (
    "odoo.addons.marketing_automation.models.delivery.provider_check"
    ".check_sender_domain"
)


def closed_port():
    """Return a port of 127.0.0.1 where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@tagged("post_install", "-at_install")
class TestProviderCheck(MarketingCase):
    """The account screen says what is wrong, and no secret with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.env["marketing.provider"].create(
            {
                "name": "SendGrid",
                "kind": "sendgrid",
                "sendgrid_api_key": KEY,
                "base_url": f"http://127.0.0.1:{closed_port()}",
                "from_email": "shop@example.com",
            }
        )

    def _get_findings(self, kind="connection"):
        return {
            (finding["subject"], finding["status"]): finding["detail"]
            for finding in self.account.checks[kind]["findings"]
        }

    def test_a_refused_connection_in_words(self):
        self.account.action_test_connection()
        findings = self._get_findings()
        self.assertIn("could not be reached", findings["Connection", "problem"])
        self.assertIn("could not be reached", self.account.check_html)
        self.assertIn("fa-times-circle", self.account.check_html)

    def test_missing_mail_server(self):
        self.account.kind = "smtp"
        self.account.action_test_connection()
        self.assertIn(("Connection", "problem"), self._get_findings())

    def test_secrets_do_not_show(self):
        os.environ["MA_TEST_KEY"] = "SG.from-the-environment"
        self.addCleanup(os.environ.pop, "MA_TEST_KEY")
        for value, secret in (
            (KEY, KEY),
            ("env:MA_TEST_KEY", "SG.from-the-environment"),
        ):
            self.account.sendgrid_api_key = value
            checks = [Check("problem", "API key", f"401 for Bearer {secret}")]
            self.account._keep_checks("connection", checks)
            self.assertNotIn(secret, str(self.account.checks))
            self.assertIn("401 for Bearer •••", self.account.check_html)

    def test_markup_of_a_provider_is_text(self):
        self.account._keep_checks("connection", [Check("problem", "x", "<script>")])
        self.assertNotIn("<script>", self.account.check_html)

    def test_sender_domain(self):
        answers = [
            Check("ok", "SPF", "fine"),
            Check("unknown", "DKIM", "Could not check"),
        ]
        with patch(CHECK_DOMAIN, return_value=answers) as check:
            self.account.action_check_domain()
        check.assert_called_once_with("example.com", dkim_selectors=("s1", "s2"))
        self.assertEqual(
            self._get_findings("domain"),
            {("SPF", "ok"): "fine", ("DKIM", "unknown"): "Could not check"},
        )
        self.assertIn("fa-question-circle", self.account.check_html)
        # The other check stays what it was.
        self.account.action_test_connection()
        self.assertEqual(set(self.account.checks), {"connection", "domain"})

    def test_selectors_of_ones_own_server(self):
        self.account.write({"kind": "smtp", "dkim_selector": "mail2026, old"})
        with patch(CHECK_DOMAIN, return_value=[]) as check:
            self.account.action_check_domain()
        check.assert_called_once_with("example.com", dkim_selectors=("mail2026", "old"))

    def test_without_sender(self):
        self.account.from_email = False
        self.company.email = False
        with self.assertRaisesRegex(UserError, "no sender address"):
            self.account.action_check_domain()

    def test_only_administrators_check(self):
        manager = new_test_user(self.env, "ma_checker", groups=GROUP_MANAGER)
        account = self.account.with_user(manager)
        for action in ("action_test_connection", "action_check_domain"):
            with self.assertRaises(AccessError):
                getattr(account, action)()
        self.assertFalse({"checks", "check_html"} & account.fields_get().keys())

    # === LIMITS ===#

    def test_the_plan_is_what_the_dispatcher_keeps(self):
        today = fields.Date.today()
        for age in (0, 1, 3, 8):
            self.account.warm_up_from = today - timedelta(days=age)
            plan = dict(self.account._get_warm_up_plan())
            self.assertEqual(plan[today], self.account._get_daily_limit())

    def test_the_plan_ends_at_the_daily_limit(self):
        self.account.write({"warm_up_from": fields.Date.today(), "daily_limit": 100})
        limits = [limit for _day, limit in self.account._get_warm_up_plan()]
        self.assertEqual(limits, [50, 75, 100])
        self.account.warm_up_from -= timedelta(days=10)
        self.assertFalse(self.account.warm_up_html)

    def test_the_plan_shows_while_it_is_set(self):
        with Form(self.account) as form:
            self.assertFalse(form.warm_up_html)
            form.warm_up_from = fields.Date.today()
            self.assertIn("50", form.warm_up_html)

    def test_usage(self):
        self.account.daily_limit = 500
        self.assertFalse(self.account.usage_html)
        self.env["marketing.provider.usage"].create(
            {
                "provider_id": self.account.id,
                "day": fields.Date.today(),
                "domain": "",
                "count": 120,
            }
        )
        self.account.invalidate_recordset()
        self.assertEqual(self.account.today_usage, "120 / 500")
        self.assertIn("120", self.account.usage_html)
        self.account.daily_limit = 0
        self.assertEqual(self.account.today_usage, "120")
