from contextlib import contextmanager

from odoo import fields, models
from odoo.tools import SQL

from ...tools.sequence_plan import Timing, plan_moves
from ...tools.trusted_context import heard, say
from .enrollment_steps import reached_by
from .marketing_sequence_step import EDITING


class MarketingSequence(models.Model):
    """Editing sequences that people are on their way through."""

    _inherit = "marketing.sequence"

    @contextmanager
    def _editing(self):
        """Let sequences and their steps be changed within, as one edit.

        Afterwards it is checked, those on their way are led on, and the change is kept
        as a version. Edits within another one are part of it.

        :return: these sequences, in the context of the edit
        :rtype: marketing.sequence
        """
        if heard(self.env, EDITING):
            yield self
            return
        self.env.flush_all()
        # Whoever edits sequences cannot write runs, nor see other companies'.
        sequences = self.sudo()
        before = {one: (one._get_timings(), one._get_definition()) for one in sequences}
        yield self.with_context(**{EDITING: say()})
        self.env.flush_all()
        for sequence in sequences.exists():
            timings, definition = before[sequence]
            sequence.step_ids._check_conditions()
            sequence._check_kind()
            if sequence._get_timings() != timings:
                sequence._move_runs(timings)
                sequence._clear_removed_steps()
            sequence._record_version(definition)

    def _get_timings(self):
        """Return when the steps are due, in their order.

        :rtype: list[Timing]
        """
        self.ensure_one()
        return [
            Timing(step.id, step.offset_seconds, step.delay_from == "previous")
            for step in self._get_steps()
        ]

    def _move_runs(self, before):
        """Lead those on their way on to the step that comes for them now.

        :param list before: Timing of the steps before the edit
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                """
                WITH runs AS MATERIALIZED (
                    SELECT id, state, next_step_id, next_at
                      FROM marketing_enrollment
                     WHERE sequence_id = %(sequence_id)s
                       AND state IN ('active', 'paused') AND next_at IS NOT NULL),
                reached AS MATERIALIZED (%(reached)s),
                moves AS MATERIALIZED (%(moves)s),
                moved AS MATERIALIZED (
                    SELECT DISTINCT ON (runs.id) runs.id, moves.step_id,
                           runs.next_at + moves.shift * interval '1 second' AS next_at
                      FROM runs
                      LEFT JOIN reached ON reached.enrollment_id = runs.id
                      LEFT JOIN moves
                             ON moves.awaited_id = runs.next_step_id
                            AND moves.reached_id
                                IS NOT DISTINCT FROM reached.place[2]
                            AND (moves.is_certain OR runs.state = 'paused'
                                 OR runs.next_at + moves.shift * interval '1 second'
                                    >= LEAST(%(now)s::timestamp, runs.next_at))
                     WHERE runs.next_step_id = ANY(%(awaited_ids)s)
                     ORDER BY runs.id, moves.rank)
                UPDATE marketing_enrollment run
                   SET next_step_id = moved.step_id, next_at = moved.next_at,
                       state = CASE WHEN moved.step_id IS NULL THEN 'completed'
                                    ELSE run.state END,
                       ended_at = CASE WHEN moved.step_id IS NULL
                                       THEN %(now)s::timestamp END
                  FROM moved
                 WHERE run.id = moved.id
                   AND (run.next_step_id, run.next_at)
                       IS DISTINCT FROM (moved.step_id, moved.next_at)
                """,
                sequence_id=self.id,
                reached=reached_by(SQL("IN (SELECT id FROM runs)")),
                moves=self._sql_moves(plan_moves(before, self._get_timings())),
                awaited_ids=[timing.step_id for timing in before],
                now=fields.Datetime.now(),
            )
        )
        self.env.invalidate_all(flush=False)

    def _clear_removed_steps(self):
        """Take back what waits in the outbox of steps that were removed; those that
        nobody ever had a message of go for good."""
        removed = self.step_ids.with_context(active_test=False).search(
            [("sequence_id", "=", self.id), ("active", "=", False)]
        )
        messages = self.env["marketing.message"]
        messages.search(
            [("step_id", "in", removed.ids), ("state", "=", "queued")]
        )._set_state("cancelled", "cancelled")
        used = messages._read_group([("step_id", "in", removed.ids)], ["step_id"])
        (removed - self.step_ids.union(*(step for (step,) in used)))._delete()

    def _sql_moves(self, moves):
        columns = list(zip(*moves, strict=True)) or [()] * 6
        types = [SQL("int[]")] * 5 + [SQL("boolean[]")]
        return SQL(
            """SELECT * FROM unnest(%s) AS moves (
                   reached_id, awaited_id, rank, step_id, shift, is_certain)""",
            SQL(", ").join(
                SQL("%s::%s", list(column), kind)
                for column, kind in zip(columns, types, strict=True)
            ),
        )
