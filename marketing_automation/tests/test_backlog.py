from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.base.models import ir_cron

from ..models.delivery import wake_up
from .common import MarketingCase

# Scheduled actions that work in batches: what does a batch, and what it returns while
# there is more and when there is none.
ACTIONS = {
    "ir_cron_dispatch": ("marketing.dispatcher", "_dispatch_batch", 250, 0),
    "ir_cron_process_enrollments": (
        "marketing.enrollment",
        "_process_due_batch",
        1000,
        0,
    ),
    "ir_cron_detect_carts": ("abandoned.cart", "_detect_batch", 1000, 0),
    "ir_cron_refresh_figures": ("marketing.daily.figure", "_refresh_batch", 40, 0),
    "ir_cron_remind_coupons": ("marketing.coupon", "_queue_reminders", 1000, 0),
    "ir_cron_enforce_periods": ("marketing.privacy", "_try_batch", 5000, 0),
}


@tagged("post_install", "-at_install")
class TestBacklog(MarketingCase):
    """Scheduled actions whose turn is over before their work is."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(wake_up, "_set_timer"))
        # The turn is over after the first batch.
        self.startPatcher(patch.object(ir_cron, "MIN_TIME_PER_JOB", 0))

    def _count_triggers(self, name):
        """Count the calls of an action that are due; there are none from now on."""
        due = self.env["ir.cron.trigger"].search(
            [
                ("cron_id", "=", self.env.ref(f"marketing_automation.{name}").id),
                ("call_at", "<=", fields.Datetime.now()),
            ]
        )
        count = len(due)
        due.unlink()
        return count

    def _run(self, name, results):
        """Run an action whose batches have these results.

        :return: how many batches it did, and how often it is called again
        """
        model, method, *_results = ACTIONS[name]
        self._count_triggers(name)
        with patch.object(
            self.env.registry[model], method, side_effect=results
        ) as batch:
            self._run_cron(name)
        return batch.call_count, self._count_triggers(name)

    def test_goes_on_at_once_when_its_turn_is_over(self):
        for name, (_model, _method, more, _none) in ACTIONS.items():
            with self.subTest(name):
                self.assertEqual(self._run(name, [more] * 20), (1, 1))

    def test_waits_for_its_time_when_nothing_is_left(self):
        for name, (_model, _method, _more, none) in ACTIONS.items():
            with self.subTest(name):
                _batches, calls = self._run(name, [none] * 200)
                self.assertEqual(calls, 0)

    def test_free_workers_are_called_once_more_behind_the_run(self):
        with patch.object(self.env.registry["ir.cron"], "_commit_progress"):
            self.env["marketing.dispatcher"]._run_again(
                "marketing_automation.ir_cron_dispatch"
            )
        self.env.cr.postcommit.run()
        wake_up._set_timer.assert_called_once_with(
            self.env.cr.dbname,
            "marketing_automation.ir_cron_dispatch again",
            wake_up.AGAIN_SECONDS,
        )

    def test_handing_over_comes_before_other_work(self):
        crons = self.env["ir.cron"].search(
            [("cron_name", "like", "Marketing Automation:")], order="priority, id"
        )
        self.assertEqual(
            crons[0], self.env.ref("marketing_automation.ir_cron_dispatch")
        )
