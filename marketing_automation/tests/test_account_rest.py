from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..models.delivery import provider_health
from .common import MarketingCase
from .test_provider_limits import FakeProvider


@tagged("post_install", "-at_install")
class TestAccountRest(MarketingCase):
    """An account that does not work rests, tries itself again, and tells staff."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.first = cls.smtp
        cls.first.user_id = cls.env.ref("base.user_admin")
        cls.second = cls.smtp.copy({"name": "Second", "sequence": 20})

    def setUp(self):
        super().setUp()
        self.adapters = {self.first: FakeProvider(), self.second: FakeProvider()}
        self.startPatcher(
            patch.object(
                type(self.first),
                "_get_adapter",
                lambda account: self.adapters[account],
            )
        )
        self.first.action_enable()

    def _queue_many(self, count):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@example.com"} for i in range(count)]
        )
        return self._queue_to(partners, self.template)

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def _break(self, reason="connect_failed"):
        self.adapters[self.first] = FakeProvider("retry", reason, "it says no")

    def _let_rest_pass(self, **since):
        """Let the rest be over, and the trouble have begun earlier."""
        self.first.rest_until = fields.Datetime.now()
        self.first.failing_since -= timedelta(**since)

    def _get_rest(self):
        return self.first.rest_until - fields.Datetime.now()

    def test_seconds_without_the_server_cost_seconds(self):
        messages = self._queue_many(3)
        self._break()
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        self.assertEqual(set(messages.mapped("attempts")), {0})
        self.assertEqual((self.first.state, self.first.is_resting), ("enabled", True))
        self.assertLessEqual(self._get_rest(), timedelta(seconds=30))
        # It is tried again at that time, although nobody does anything.
        trigger = self.env["ir.cron.trigger"].search(
            [("call_at", ">=", self.first.rest_until)], order="id desc", limit=1
        )
        self.assertEqual(
            trigger.cron_id, self.env.ref("marketing_automation.ir_cron_dispatch")
        )
        self.adapters[self.first] = FakeProvider()
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"queued"}, "it still rests")
        self._let_rest_pass()
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertFalse(self.first.rest_until)
        self.assertFalse(self.first.failing_since)
        self.assertFalse(self.first.last_error)

    def test_rests_grow_and_have_a_limit(self):
        self._queue_many(1)
        self._break()
        rests = []
        for _fault in range(9):
            self._send()
            rests.append(round(self._get_rest().total_seconds() / 30))
            self._let_rest_pass()
        self.assertEqual(rests, [1, 2, 4, 8, 16, 32, 60, 60, 60])
        self.assertEqual(self.first.state, "enabled")

    def test_the_next_account_takes_over_at_once(self):
        self.second.action_enable()
        messages = self._queue_many(3)
        self._break()
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertEqual(messages.provider_id, self.second)
        self.assertEqual(len(self.adapters[self.second].received), 3)

    def test_workers_that_meet_the_same_fault_count_once(self):
        for _worker in range(3):
            self.first._note_fault("connect_failed", "refused")
        self.assertEqual(self.first.errors_in_a_row, 1)

    def test_an_outage_pauses_after_hours_and_staff_know_before(self):
        self._queue_many(1)
        self._break()
        self._send()
        self.assertFalse(self.first.activity_ids, "a short outage is not worth a word")
        self._let_rest_pass(minutes=11)
        self._send()
        self.assertEqual(self.first.state, "enabled")
        activity = self.first.activity_ids
        self.assertEqual(activity.user_id, self.env.ref("base.user_admin"))
        self.assertIn("it says no", activity.note)
        self._let_rest_pass(minutes=1)
        self._send()
        self.assertEqual(self.first.activity_ids, activity, "told once")
        self._let_rest_pass(hours=12)
        self._send()
        self.assertEqual(self.first.state, "paused")
        self.assertIn("paused", self.first.activity_ids.summary)

    def test_a_refusal_is_told_at_once_and_pauses_within_the_hour(self):
        for reason in ("auth_failed", "account_refused", "no_sender"):
            with self.subTest(reason):
                self.first.action_enable()
                self.assertFalse(self.first.activity_ids)
                self.first._note_fault(reason, "535 no")
                self._let_rest_pass(seconds=30)
                self.first._note_fault(reason, "535 no")
                self.assertEqual(len(self.first.activity_ids), 1)
                self.assertEqual(self.first.state, "enabled")
                self._let_rest_pass(hours=1)
                self.first._note_fault(reason, "535 no")
                self.assertEqual(self.first.state, "paused")

    def test_what_was_told_is_over_when_it_works_again(self):
        self._queue_many(1)
        self.first._note_fault("auth_failed", "535 no")
        self._let_rest_pass(minutes=2)
        self.first._note_fault("auth_failed", "535 no")
        self.assertEqual(len(self.first.activity_ids), 1)
        self._let_rest_pass()
        self._send()
        self.assertFalse(self.first.activity_ids)

    def test_notification_that_fails_costs_no_result(self):
        messages = self._queue_many(2)
        self._break("auth_failed")
        self._send()
        self._let_rest_pass(minutes=2)
        with (
            patch.object(type(self.first), "message_notify", side_effect=ValueError),
            self.assertLogs(provider_health.__name__, "ERROR"),
        ):
            self._send()
        self.assertEqual(set(messages.mapped("reason")), {"auth_failed"})
        self.assertEqual(self.first.errors_in_a_row, 2)

    def test_too_much_for_the_provider_is_no_fault(self):
        messages = self._queue_many(2)
        self._break("rate_limited")
        self._send()
        self.assertTrue(self.first.is_resting)
        self.assertEqual(self.first.errors_in_a_row, 0)
        self.assertEqual(set(messages.mapped("attempts")), {0})

    def test_a_company_without_an_address_stops_no_other(self):
        other = self.env["res.company"].create({"name": "Other"})
        partner = self._create_customer("Ben", "ben@example.com")
        mine = self._queue_many(1)
        theirs = self._queue_to(partner, self.template, "theirs")
        theirs.company_id = other
        self._give_consent(partner, company=other)
        other.write({"email": False, "street": "1", "city": "X", "country_id": 20})
        other.consent_policy = "soft_opt_in"
        self._send()
        self.assertEqual(mine.state, "sent")
        self.assertEqual((theirs.state, theirs.reason), ("queued", "no_sender"))
        self.assertFalse(self.first.is_resting)
        self.assertEqual(self.first.errors_in_a_row, 0)

    def test_resting_accounts_can_be_found(self):
        accounts = self.env["marketing.provider"]
        self.first._note_fault("connect_failed", "refused")
        resting = accounts.search([("is_resting", "=", True)])
        self.assertEqual(resting, self.first)
        self.assertNotIn(self.first, accounts.search([("is_resting", "=", False)]))
