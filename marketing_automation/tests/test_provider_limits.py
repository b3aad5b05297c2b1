from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..providers.base import Provider, SendResult
from .common import MarketingCase


class FakeProvider(Provider):
    """Answers as it is told and notes who got something."""

    def __init__(self, status="accepted", reason="", detail=""):
        self.answer = (status, "", reason, detail)
        self.received = []

    def send(self, batch, deadline=None):
        batch = list(batch)
        if self.answer[0] == "accepted":
            self.received += [message.email_to for message in batch]
        return [SendResult(message.uuid, *self.answer) for message in batch]

    def check(self):
        return []


@tagged("post_install", "-at_install")
class TestProviderLimits(MarketingCase):
    """Several accounts: limits, warm-up, throttles, fail-over and pauses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.first = cls.smtp
        cls.second = cls.smtp.copy({"name": "Second", "sequence": 20})
        cls.adapters = {cls.first: FakeProvider(), cls.second: FakeProvider()}

    def setUp(self):
        super().setUp()
        adapters = dict(self.adapters)
        self.startPatcher(
            patch.object(
                type(self.first), "_get_adapter", lambda account: adapters[account]
            )
        )
        self.adapters = adapters
        for account in adapters:
            adapters[account] = FakeProvider()
        (self.first | self.second).action_enable()

    def _queue_many(self, count, domain="example.com"):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@{domain}"} for i in range(count)]
        )
        return self._queue_to(partners, self.template)

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def _received(self, account):
        return len(self.adapters[account].received)

    def _use_up(self, messages):
        """Let messages that wait be due now."""
        messages.filtered(
            lambda message: message.state == "queued"
        ).scheduled_at = fields.Datetime.now()

    # === CHOICE ===#

    def test_first_account_carries_all(self):
        self._queue_many(3)
        self._send()
        self.assertEqual(
            (self._received(self.first), self._received(self.second)), (3, 0)
        )

    def test_next_account_takes_what_is_above_the_daily_limit(self):
        self.first.daily_limit = 4
        messages = self._queue_many(10)
        self._send()
        self.assertEqual(
            (self._received(self.first), self._received(self.second)), (4, 6)
        )
        self.assertEqual(self.first.today_count, 4)
        self.assertEqual(set(messages.mapped("state")), {"sent"})

    def test_messages_wait_when_all_limits_are_used(self):
        (self.first | self.second).daily_limit = 2
        messages = self._queue_many(10)
        self._send()
        states = messages.mapped("state")
        self.assertEqual((states.count("sent"), states.count("queued")), (4, 6))
        self.env["marketing.provider.usage"].search([]).write(
            {"day": fields.Date.today() - timedelta(days=1)}
        )
        self._send()
        self.assertEqual(messages.mapped("state").count("sent"), 8)

    def test_what_the_gate_skips_does_not_use_up_the_day(self):
        self.first.daily_limit = 10
        messages = self._queue_many(5)
        self.env["mail.blacklist"].create({"email": messages[0].email_normalized})
        messages[0].state = "queued"
        self._send()
        self.assertEqual(self.first.today_count, 4)

    def test_sendgrid_is_handed_a_thousand_at_once(self):
        sendgrid = self.env["marketing.provider"].create(
            {
                "name": "SendGrid",
                "kind": "sendgrid",
                "sequence": 1,
                "sendgrid_api_key": "SG.x",
            }
        )
        batches = []

        class Counting(FakeProvider):
            def send(self, batch, deadline=None):
                batches.append(list(batch))
                return FakeProvider.send(self, batches[-1])

        self.adapters[sendgrid] = Counting()
        sendgrid.action_enable()
        self._queue_many(1010)
        self._send()
        self.assertEqual([len(batch) for batch in batches], [1000, 10])
        bodies = {id(email.html) for email in batches[0]}
        self.assertEqual(len(bodies), 1, "one body for all of them")

    # === WARM-UP ===#

    def test_warm_up_plan(self):
        today = fields.Date.today()
        for days, limit, expected in (
            (0, 0, 50),
            (1, 0, 75),
            (2, 0, 112),
            (9, 0, 1922),
            (9, 1000, 1000),
            (61, 0, 0),
            (61, 5000, 5000),
            (-3, 700, 700),
        ):
            self.first.write(
                {"warm_up_from": today - timedelta(days=days), "daily_limit": limit}
            )
            self.assertEqual(self.first._get_daily_limit(), expected, (days, limit))
        self.first.warm_up_from = False
        self.assertEqual(self.first._get_daily_limit(), 700)

    def test_warm_up_leaves_the_rest_to_the_old_account(self):
        self.first.warm_up_from = fields.Date.today()
        self._queue_many(60)
        self._send()
        self.assertEqual(
            (self._received(self.first), self._received(self.second)), (50, 10)
        )

    # === RATE ===#

    def _let_rate_recover(self, seconds):
        """Let so much of the time pass that messages have reserved."""
        self.first.usage_ids.free_at -= timedelta(seconds=seconds)
        self.env.flush_all()

    def test_rate_gives_the_thread_back_and_calls_again(self):
        self.second.action_disable()
        self.first.per_second = 20
        self._queue_many(90)
        dispatcher = type(self.env["marketing.dispatcher"])
        with patch.object(dispatcher, "_wake_up") as wake_up:
            self._send()
        # A second's worth at once, and nothing more in this run.
        self.assertEqual(self._received(self.first), 20)
        now = fields.Datetime.now()
        [(at,)] = [call.args for call in wake_up.call_args_list]
        self.assertLess(at, now + timedelta(seconds=2))
        for sent in (40, 60, 80, 90):
            self._let_rate_recover(1)
            self._send()
            self.assertEqual(self._received(self.first), sent)

    def test_slow_rate_lets_single_messages_through(self):
        self.second.action_disable()
        self.first.per_second = 0.1
        self._queue_many(3)
        for sent in (1, 1, 2):
            self._send()
            self.assertEqual(self._received(self.first), sent)
            self._let_rate_recover(6)

    # === DOMAINS ===#

    def test_domain_throttle_spreads_over_the_minutes(self):
        self.first.throttle_ids = [
            fields.Command.create({"domain": "@Example.org ", "per_minute": 3})
        ]
        slow = self._queue_many(8, "example.org")
        others = self._queue_many(4)
        self._send()
        self.assertEqual(set(others.mapped("state")), {"sent"})
        sent = slow.filtered(lambda message: message.state == "sent")
        self.assertEqual(len(sent), 3)
        waiting = slow - sent
        self.assertEqual(set(waiting.mapped("reason")), {"domain_throttled"})
        minutes = {at.replace(second=0) for at in waiting.mapped("scheduled_at")}
        self.assertEqual(len(minutes), 2, "three in the next minute, two after it")

    # === FAULTS OF THE ACCOUNT ===#

    def test_messages_wait_while_all_accounts_are_paused(self):
        (self.first | self.second).state = "paused"
        messages = self._queue_many(3)
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        self.assertFalse(any(messages.mapped("is_sandbox")), "not into the sandbox")
        self.first.action_enable()
        self._send()
        self.assertEqual(set(messages.mapped("state")), {"sent"})

    def test_faults_of_a_message_do_not_pause_the_account(self):
        self.adapters[self.first] = FakeProvider("rejected", "content_refused", "no")
        for _batch in range(6):
            self._queue_many(1)
            self._send()
            self.env["res.partner"].search([("email", "=", "p0@example.com")]).unlink()
        self.assertEqual(self.first.state, "enabled")

    def test_account_that_works_for_others_gives_a_message_up(self):
        """A country that the account may not write to: not tried for ever."""

        class Picky(FakeProvider):
            def send(self, batch, deadline=None):
                refused = ("retry", "", "account_refused", "21408")
                taken = ("accepted", "", "", "")
                return [
                    SendResult(
                        message.uuid, *(taken if "p1@" in message.email_to else refused)
                    )
                    for message in batch
                ]

        self.adapters[self.first] = Picky()
        refused, taken = self._queue_many(2)
        self._send()
        self.assertEqual((refused.state, refused.attempts), ("queued", 1))
        self.assertEqual(taken.state, "sent")
        self.assertEqual(self.first.errors_in_a_row, 0)

    def test_what_was_not_reached_goes_back_at_once(self):
        self.adapters[self.first] = FakeProvider("retry", "not_reached")
        messages = self._queue_many(2)
        with patch.object(
            type(self.env["marketing.dispatcher"]), "_wake_up_next", lambda _self: None
        ):
            self._dispatch_once()
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        self.assertEqual(set(messages.mapped("attempts")), {0})
        self.assertTrue(
            all(at <= fields.Datetime.now() for at in messages.mapped("scheduled_at"))
        )
        self.assertEqual(self.first.today_count, 0)

    def _dispatch_once(self):
        dispatcher = type(self.env["marketing.dispatcher"])
        original = dispatcher._dispatch_batch
        calls = []

        def once(model, *args, **kwargs):
            calls.append(1)
            return 0 if len(calls) > 1 else original(model, *args, **kwargs)

        with patch.object(dispatcher, "_dispatch_batch", once):
            self._send()

    def test_error_rate_and_complaints(self):
        messages = self._queue_many(4)
        self._send()
        messages[0]._set_state("bounced", "bounced_hard")
        self.env["marketing.engagement"]._record(messages[1].token, "complaint")
        self.env.invalidate_all()
        self.assertEqual(self.first.error_rate, 0.25)
        self.assertEqual(self.first.complaint_rate, 0.25)
