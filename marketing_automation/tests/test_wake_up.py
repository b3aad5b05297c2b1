import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..models.delivery import wake_up
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestWakeUp(MarketingCase):
    """What is due in a moment is handed over then, not with the run of the minute."""

    def setUp(self):
        super().setUp()
        self.calls = []
        self.startPatcher(patch.object(wake_up, "_call_scheduler", self.calls.append))
        self.startPatcher(patch.object(wake_up, "_timers", {}))

    def _wait_for_calls(self, count):
        end = time.monotonic() + 5
        while len(self.calls) < count and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(len(self.calls), count)

    def test_soonest_call_stays(self):
        begun = time.monotonic()
        wake_up._set_timer("db", "key", 30)
        wake_up._set_timer("db", "key", 0.3)
        wake_up._set_timer("db", "key", 20)
        self._wait_for_calls(1)
        self.assertLess(time.monotonic() - begun, 2)
        time.sleep(0.2)
        self.assertEqual(self.calls, ["db"])

    def test_call_that_is_under_way_does_not_swallow_the_next(self):
        def call_slowly(database):
            self.calls.append(database)
            time.sleep(1)

        with patch.object(wake_up, "_call_scheduler", call_slowly):
            wake_up._set_timer("db", "key", 0.1)
            self._wait_for_calls(1)
            wake_up._set_timer("db", "key", 0.2)
            self._wait_for_calls(2)

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
