from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..models.delivery import wake_up
from .common import MarketingCase


class Timers:
    """Stands for ``threading``: timers that ring when the clock of a test goes on."""

    def __init__(self):
        self.now = 1000.0
        self.waiting = []

    def Timer(self, seconds, function, arguments):
        return _Timer(self, self.now + seconds, function, arguments)

    def go_on(self, seconds):
        """Let time pass, and what becomes due ring at its time."""
        end = self.now + seconds
        while due := [timer for timer in self.waiting if timer.rings_at <= end]:
            timer = min(due, key=lambda t: t.rings_at)
            self.waiting.remove(timer)
            self.now = timer.rings_at
            timer.function(*timer.arguments)
        self.now = end


class _Timer:
    def __init__(self, timers, rings_at, function, arguments):
        self.timers, self.rings_at = timers, rings_at
        self.function, self.arguments = function, arguments

    def start(self):
        self.timers.waiting.append(self)

    def cancel(self):
        if self in self.timers.waiting:
            self.timers.waiting.remove(self)


@tagged("post_install", "-at_install")
class TestWakeUp(MarketingCase):
    """What is due in a moment is handed over then, not with the run of the minute."""

    def setUp(self):
        super().setUp()
        self.calls = []
        self.timers = Timers()
        self.startPatcher(patch.object(wake_up, "_call_scheduler", self.calls.append))
        self.startPatcher(patch.object(wake_up, "_timers", {}))
        self.startPatcher(patch.object(wake_up, "threading", self.timers))
        self.startPatcher(
            patch.object(
                wake_up, "time", SimpleNamespace(monotonic=lambda: self.timers.now)
            )
        )

    def test_soonest_call_stays(self):
        wake_up._set_timer("db", "key", 30)
        wake_up._set_timer("db", "key", 3)
        wake_up._set_timer("db", "key", 20)
        self.timers.go_on(2.9)
        self.assertEqual(self.calls, [])
        self.timers.go_on(0.2)
        self.assertEqual(self.calls, ["db"])
        self.timers.go_on(60)
        self.assertEqual(self.calls, ["db"])

    def test_call_that_is_under_way_does_not_swallow_the_next(self):
        """What is planned while one rings is rung for by itself."""

        def call_and_plan(database):
            self.calls.append(database)
            if len(self.calls) == 1:
                wake_up._set_timer("db", "key", 2)

        with patch.object(wake_up, "_call_scheduler", call_and_plan):
            wake_up._set_timer("db", "key", 1)
            self.timers.go_on(1.5)
            self.assertEqual(self.calls, ["db"])
            self.timers.go_on(2)
            self.assertEqual(self.calls, ["db", "db"])

    def test_each_database_and_key_has_a_timer(self):
        for database, key in (("a", "one"), ("a", "two"), ("b", "one")):
            wake_up._set_timer(database, key, 1)
        self.timers.go_on(2)
        self.assertEqual(sorted(self.calls), ["a", "a", "b"])

    def test_trigger_is_not_earlier_than_the_message(self):
        cron = self.env.ref("marketing_automation.ir_cron_dispatch")
        at = fields.Datetime.now() + timedelta(seconds=20, microseconds=400000)
        self.env["marketing.dispatcher"]._wake_up(at)
        trigger = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", cron.id)], order="id desc", limit=1
        )
        self.assertGreater(trigger.call_at, at)

    def test_what_is_far_ahead_is_left_to_the_run_of_that_minute(self):
        triggers = self.env["ir.cron.trigger"]
        before = triggers.search_count([])
        self.env["marketing.dispatcher"]._wake_up(
            fields.Datetime.now() + timedelta(hours=1)
        )
        self.assertEqual(triggers.search_count([]), before)

    def test_next_message_is_found(self):
        message = self._queue_to(self.customer, self._create_contact_template())
        message.scheduled_at = fields.Datetime.now() + timedelta(seconds=30)
        cron = self.env.ref("marketing_automation.ir_cron_dispatch")
        self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
        self.env["marketing.dispatcher"]._wake_up_next()
        self.assertEqual(
            self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).call_at,
            message.scheduled_at,
        )
