import logging
from datetime import timedelta

from psycopg2 import InterfaceError, OperationalError
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from .marketing_enrollment import SOURCE

_logger = logging.getLogger(__name__)

BATCH_SIZE = 5000
# How long a run waits that could not go on: others do not, and somebody may mend it.
FAILED_PAUSE = timedelta(hours=1)


def reached_by(runs):
    """Return a query for how far runs got: the place of the last step, in the order of
    today, that each had a message of, sent or not.

    Steps in front of it are behind the person, wherever they were when they were due.

    :param SQL runs: what the ids of the runs are, to stand behind ``enrollment_id``
    :return: a query for ``enrollment_id`` and ``place``
    :rtype: SQL
    """
    # OFFSET 0: messages are to be found by their run, not by their step, of which
    # there may be a million.
    return SQL(
        """SELECT had.enrollment_id, max(ARRAY[step.sequence, step.id]) AS place
             FROM (SELECT enrollment_id, step_id FROM marketing_message
                    WHERE enrollment_id %s OFFSET 0) had
             JOIN marketing_sequence_step step ON step.id = had.step_id AND step.active
            GROUP BY had.enrollment_id""",
        runs,
    )


class MarketingEnrollment(models.Model):
    """What makes runs go on: the steps that are due become messages."""

    _inherit = "marketing.enrollment"

    # === CRON METHODS ===#

    @api.model
    def _cron_process_due(self):
        """Turn the steps that are due into messages of the outbox, in batches."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=1)
        # A batch that meets a customer who is just coming back is done again.
        while count := retrying(self._process_due_batch, self.env):
            if not cron._commit_progress(count, remaining=1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_process_enrollments"
                )
        cron._commit_progress(remaining=0)
        self._wake_up_next()

    # === BUSINESS METHODS ===#

    @api.model
    def _sql_sources(self):
        """Return where runs come from that may go on now: campaigns that are running,
        and everything else together (source 0).

        Runs of a campaign that is paused stay where they are, and nobody passes them
        by: each source is a range of the index of its own.

        :return: a query of ``source``
        :rtype: SQL
        """
        return SQL(
            """SELECT 0 AS source
                UNION ALL
               SELECT campaign.id FROM email_campaign campaign
                WHERE campaign.state = 'running' AND campaign.sends = 'sequence'
                  AND campaign.is_rescheduling IS NOT TRUE"""
        )

    @api.model
    def _process_due_batch(self, limit=BATCH_SIZE):
        """Queue the messages of up to ``limit`` steps that are due.

        Every person considered leaves a message, queued or skipped with the reason.
        Several workers may do it at once: each takes runs that nobody else has.

        :param int limit: number of steps
        :return: number of steps processed; 0 when nothing is due
        :rtype: int
        """
        self.env.flush_all()
        # Compiling these statements takes PostgreSQL longer than running them.
        self.env.cr.execute("SET LOCAL jit = off")
        due = self._lock_due(limit)
        due._process_apart()
        return len(due)

    def _process_apart(self):
        """Go on with these runs. What fails for one of them is looked for by halves:
        the others go on, and it is tried again later."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._process_together()
        except (InterfaceError, OperationalError, UniqueViolation):
            raise  # Somebody else was in the way: the batch is done again.
        except Exception:
            self.env.invalidate_all(flush=False)
            if len(self) == 1:
                _logger.exception("Enrollment %s cannot go on", self.id)
                self.next_at = fields.Datetime.now() + FAILED_PAUSE
                return
            half = len(self) // 2
            self[:half]._process_apart()
            self[half:]._process_apart()

    def _process_together(self):
        """Queue what these runs say next, all or none of it."""
        going_on = self - self._stop_archived()
        going_on -= going_on._follow_contacts()
        messages = self.env["marketing.message"]._queue_sequence_steps(going_on)
        messages._skip_blocked()
        going_on._advance()
        self._announce_waiting(messages)

    @api.model
    def _lock_due(self, limit):
        """Lock runs whose next step is due; those another worker holds are left to it.

        :rtype: marketing.enrollment
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT run.id FROM (%s) s
                    CROSS JOIN LATERAL (
                          SELECT id FROM marketing_enrollment
                           WHERE state = 'active' AND %s = s.source AND next_at <= %s
                           ORDER BY next_at, id
                           LIMIT %s FOR NO KEY UPDATE SKIP LOCKED) run
                    LIMIT %s""",
                self._sql_sources(),
                SQL(SOURCE),
                fields.Datetime.now(),
                limit,
                limit,
            )
        )
        return self.browse(run_id for (run_id,) in rows)

    @api.model
    def _announce_waiting(self, messages):
        """Of the messages that were not skipped, recoveries have begun, and the
        dispatcher is to be there when the first one is due.

        :param marketing.message messages: what was just queued
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT abandoned_cart_id, scheduled_at FROM marketing_message
                    WHERE id = ANY(%s) AND state = 'queued'""",
                messages.ids,
            )
        )
        if rows:
            cart_ids = [cart_id for cart_id, _at in rows if cart_id]
            self.env["abandoned.cart"].browse(cart_ids)._start_recovery()
            # What is too late waits for somebody to decide, at no time.
            if due := [at for _id, at in rows if at]:
                self.env["marketing.dispatcher"]._wake_up(min(due))

    def _advance(self):
        """Go on to the step behind the one that was just done, or complete the run.

        The pause between two steps is kept even when a step came late: nobody gets
        the reminders of three days within minutes. Runs that have ended meanwhile
        stay as they are.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH runs AS MATERIALIZED (
                    SELECT id, sequence_id, abandoned_cart_id, next_step_id, started_at
                      FROM marketing_enrollment
                     WHERE id = ANY(%(run_ids)s) AND state = 'active'),
                reached AS MATERIALIZED (%(reached)s)
                UPDATE marketing_enrollment run
                   SET last_step_id = COALESCE(runs.next_step_id, run.last_step_id),
                       next_step_id = following.id,
                       next_at = CASE WHEN following.id IS NOT NULL THEN GREATEST(
                           COALESCE(cart.abandoned_at, runs.started_at)
                           + following.offset_seconds * interval '1 second',
                           %(now)s::timestamp + interval '1 second' * GREATEST(
                               following.offset_seconds
                               - COALESCE(done.offset_seconds, 0), 0)) END,
                       state = CASE WHEN following.id IS NULL THEN 'completed'
                                    ELSE run.state END,
                       ended_at = CASE WHEN following.id IS NULL
                                       THEN %(now)s::timestamp END
                  FROM runs
                  LEFT JOIN abandoned_cart cart ON cart.id = runs.abandoned_cart_id
                  LEFT JOIN marketing_sequence_step done ON done.id = runs.next_step_id
                  LEFT JOIN reached ON reached.enrollment_id = runs.id
                  LEFT JOIN LATERAL (
                       SELECT step.id, step.offset_seconds
                         FROM marketing_sequence_step step
                        WHERE step.sequence_id = runs.sequence_id AND step.active
                          AND (reached.place IS NULL
                               OR ARRAY[step.sequence, step.id] > reached.place)
                        ORDER BY step.sequence, step.id LIMIT 1) following ON TRUE
                 WHERE run.id = runs.id
                """,
                run_ids=self.ids,
                now=fields.Datetime.now(),
                reached=reached_by(SQL("= ANY(%s)", self.ids)),
            )
        )
        self.env.invalidate_all(flush=False)
