"""The decision of an A/B test: taken once, when the planned time is over."""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools import statistics

_logger = logging.getLogger(__name__)


class AbTest(models.Model):
    _inherit = "ab.test"

    # === COURSE ===#

    def _start(self):
        """The recipients have their variants: from here on nothing can be changed."""
        self.ensure_one()
        now = fields.Datetime.now()
        last_due = self._get_last("scheduled_at", SQL("TRUE")) or now
        self.sudo().write(
            {
                "state": "running",
                "started_at": now,
                "counted_until": max(last_due, now) + self._get_window(),
            }
        )

    def _extend(self):
        """The messages of the test leave later than was planned: they count as well."""
        for test in self.filtered(lambda test: test.state == "running"):
            last_due = test._get_last("scheduled_at", SQL("m.state = 'queued'"))
            if last_due:
                until = max(last_due, fields.Datetime.now()) + test._get_window()
                test.sudo().counted_until = max(test.counted_until, until)

    def _cancel(self):
        """The campaign is cancelled: nobody is left to decide for."""
        self.filtered(
            lambda test: test.state in ("draft", "running", "undecided")
        ).sudo().state = "cancelled"

    def _get_window(self):
        return timedelta(hours=self.duration_hours)

    def _get_last(self, column, condition):
        """Return the latest time in a column of the messages of the test."""
        self.env["marketing.message"].flush_model()
        [(latest,)] = self.env.execute_query(
            SQL(
                """SELECT max(m.%s) FROM marketing_message m
                    WHERE m.variant_id IN %s AND m.priority > 0 AND %s""",
                SQL.identifier(column),
                tuple(self.variant_ids.ids),
                condition,
            )
        )
        return latest

    def _get_due_at(self):
        """Return when the time of the last one who counts is over.

        :return: naive, UTC; None while people wait for their message
        :rtype: datetime | None
        """
        self.ensure_one()
        waiting = self._get_last("id", SQL("m.state IN ('queued', 'sending')"))
        if waiting and fields.Datetime.now() < self.counted_until:
            return None
        last_sent = self._get_last(
            "sent_at", SQL("m.sent_at <= %s", self.counted_until)
        )
        # It reached nobody: there is nothing to wait for.
        return last_sent + self._get_window() if last_sent else self.started_at

    @api.model
    def _cron_decide(self):
        """Decide the tests whose time is over; one that fails holds up no other."""
        # While a campaign is paused people wait. One that reached all of them with
        # the test itself is completed before that is decided.
        domain = Domain("state", "=", "running") & Domain(
            "campaign_id.state", "in", ("running", "completed")
        )
        cron = self.env["ir.cron"]
        tests = self.search(domain)
        cron._commit_progress(remaining=len(tests))
        for test in tests:
            test._decide_alone(domain)
            if not cron._commit_progress(1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_ab_decide"
                )

    def _decide_alone(self, domain):
        """Decide one test if it is due, unless somebody else is at it."""
        try:
            with self.env.cr.savepoint():
                test = self.try_lock_for_update(allow_referencing=True)
                test.filtered_domain(domain)._decide_if_due()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # A worker was in the way: nobody's fault, and done again at once.
            self.env.invalidate_all(flush=False)
            self.env["marketing.dispatcher"]._trigger_at(
                "marketing_automation.ir_cron_ab_decide", fields.Datetime.now()
            )
        except Exception:
            self.env.invalidate_all(flush=False)
            _logger.exception("A/B test %s could not be decided", self.id)

    def _decide_if_due(self):
        if not self:
            return
        due_at = self._get_due_at()
        if due_at and due_at <= fields.Datetime.now():
            self._decide()

    # === DECISION ===#

    def _decide(self):
        """Say what came out, and send the winner to the rest, or what was chosen for
        the case that there is none."""
        self.ensure_one()
        figures = self._count()
        variants = list(self.variant_ids)
        verdict = statistics.judge(
            self._get_groups(figures),
            variants.index(self._get_control()),
            self.confidence / 100,
        )
        reason = self._get_reason(figures, verdict)
        best = variants[verdict.best]
        winner = {
            "control": self._get_control(),
            "best": best,
            "ask": self.env["ab.test.variant"],
        }[self.fallback]
        if reason == "significant":
            winner = variants[verdict.winner]
        self.sudo().decision = {
            "reason": reason,
            "best": best.id,
            "rest": self._count_rest(),
            "variants": self._get_findings(figures, verdict),
        }
        if winner:
            self._release(winner)
        else:
            self.sudo().state = "undecided"
            self._notify_undecided()

    def _get_reason(self, figures, verdict):
        """Return why it is decided that way: a key of the words in ``ab_words``."""
        assigned, sent = (
            [found[name] for found in figures.values()] for name in ("assigned", "sent")
        )
        if sum(sent) < self.minimum_sample:
            return "too_few"
        if statistics.lost_unevenly(assigned, sent):
            return "uneven"
        if verdict.winner is not None:
            return "significant"
        methods = {found.method for found in verdict.comparisons if found}
        return "too_few_done" if methods == {"too_few"} else "unclear"

    def _get_findings(self, figures, verdict):
        """Return what is kept of each variant, as it was when it was decided."""
        findings = []
        confidence = self.confidence / 100
        control = list(self.variant_ids).index(self._get_control())
        groups = self._get_groups(figures)
        differences = statistics.get_differences(groups, control, confidence)
        for variant, group, compared, difference in zip(
            self.variant_ids, groups, verdict.comparisons, differences, strict=True
        ):
            finding = {"id": variant.id, **figures[variant.id]}
            finding["interval"] = group.get_interval(confidence)
            finding["difference"] = difference
            findings.append(finding | (compared._asdict() if compared else {}))
        return findings

    def _count_rest(self):
        """Return how many wait for the decision."""
        [(count,)] = self.env.execute_query(
            SQL(
                """SELECT count(*) FROM marketing_message m
                    WHERE m.campaign_id = %s AND m.variant_id IS NULL
                      AND m.state = 'queued' AND m.priority > 0""",
                self.campaign_id.id,
            )
        )
        return count

    def _release(self, variant):
        """Send a variant to the rest.

        :param ab.test.variant variant: one of this test
        """
        self.ensure_one()
        self.sudo().write(
            {
                "state": "decided",
                "winner_id": variant.id,
                "decided_at": fields.Datetime.now(),
            }
        )
        self.campaign_id.sudo()._release_rest(variant)

    def _notify_undecided(self):
        """Tell whoever made the test that it waits for them."""
        self.env["mail.thread"].sudo().message_notify(
            partner_ids=self.create_uid.partner_id.ids,
            subject=self.env._("A/B test of %s", self.campaign_id.name),
            body=self.env._(
                "No variant of the A/B test of “%s” is surely better. Open it and "
                "choose what the others get.",
                self.campaign_id.name,
            ),
        )


class AbTestVariant(models.Model):
    _inherit = "ab.test.variant"

    def action_send_to_rest(self):
        """Send this variant to all who wait, where the test leaves it to a person.

        :raise UserError: the test is not waiting for anybody
        """
        self.ensure_one()
        self.check_access("write")
        test = self.test_id.try_lock_for_update(allow_referencing=True)
        if test.state != "undecided":
            raise UserError(
                self.env._(
                    "This test is not waiting for you. Reload the page to see how it "
                    "stands."
                )
            )
        test.sudo().decision = {**test.decision, "chosen_by": self.env.user.name}
        test._release(self)
