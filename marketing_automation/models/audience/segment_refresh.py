import logging

from psycopg2 import errors

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import SQL

from ...tools.table_statistics import note_written
from .customer_segment import INTERVALS

_logger = logging.getLogger(__name__)

# Another transaction was in the way: nothing is wrong, and it is tried again.
CONFLICTS = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)


class CustomerSegment(models.Model):
    """Who is in a segment: brought in line with its definition by one statement."""

    _inherit = "customer.segment"

    # === CRON METHODS ===#

    @api.model
    def _cron_refresh(self):
        """Refresh the segments that are due, those that others depend on first.

        Each is a transaction of its own; several workers may do so at once. What is
        wrong with a segment is kept in ``last_error`` and stops no other.
        """
        cron = self.env["ir.cron"]
        due = self.search([("next_refresh_at", "<=", fields.Datetime.now())])
        cron._commit_progress(remaining=len(due))
        for segment in due._sort_by_reference():
            segment._refresh_in_cron()
            if not cron._commit_progress(1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_refresh_segments"
                )
        self._note_recent_facts()
        self._refresh_changed()

    def _refresh_in_cron(self):
        """Refresh one segment unless somebody does; keep what went wrong."""
        try:
            with self.env.cr.savepoint():
                if self.try_lock_for_update(allow_referencing=True):
                    self._refresh()
        except CONFLICTS:
            _logger.info("Segment %s changed meanwhile; it is due again.", self.id)
        except UserError as error:
            self.env.invalidate_all(flush=False)
            self._keep_error(str(error))
        except Exception as error:
            self.env.invalidate_all(flush=False)
            _logger.exception("Segment %s could not be refreshed.", self.id)
            self._keep_error(
                self.env._(
                    "The conditions could not be evaluated: %s",
                    str(error).strip().split("\n")[0],
                )
            )

    def _keep_error(self, text):
        """Members stay as they are until the next time."""
        now = fields.Datetime.now()
        pause = INTERVALS.get(self.refresh_interval)
        self.write({"last_error": text, "next_refresh_at": pause and now + pause})

    # === BUSINESS METHODS ===#

    def _refresh_now(self):
        """Refresh by hand.

        :raises UserError: when a condition cannot be evaluated, or another refresh is
            under way
        """
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._(
                    "“%s” is being refreshed right now. Look again in a moment.",
                    self.name,
                )
            ) from None
        for segment in (self._get_unknown_references() | self)._sort_by_reference():
            segment._refresh()

    def _get_unknown_references(self):
        """Return the segments this one depends on that were never refreshed."""
        found, others = self.browse(), self._get_references()
        while others:
            found |= others
            others = others._get_references() - found
        return (found - self).filtered(
            lambda segment: (
                segment.active
                and segment.kind == "dynamic"
                and not segment.refreshed_at
            )
        )

    def _refresh(self):
        """Bring members in line with the definition; entries and exits are recorded.

        :return: number of those who entered, and of those who left
        :rtype: tuple[int, int]
        :raises UserError: when a condition cannot be evaluated
        """
        self.ensure_one()
        entered = left = 0
        if self.kind == "dynamic":
            query = self._get_partner_query()
            entered, left = self._replace_members(query)
        self._settle_size(entered or left)
        self.write({"refreshed_at": fields.Datetime.now(), "last_error": False})
        return entered, left

    def _replace_members(self, query, among=None):
        """Have exactly the contacts of a query as members, in one statement.

        Of two at once the second waits, and has to begin again: see CONFLICTS.

        :param SQL query: the contacts that are to be in
        :param SQL among: only these contacts come or go
        :return: number of those who entered, and of those who left
        :rtype: tuple[int, int]
        """
        self.env.flush_all()
        # A lock that others see, too, whose transactions began earlier.
        self.env.cr.execute(
            SQL("UPDATE customer_segment SET size = size WHERE id = %s", self.id)
        )
        self._prepare_planner()
        [[entered, left]] = self.env.execute_query(
            SQL(
                # EXCEPT sorts or hashes. A join may compare each with each: PostgreSQL
                # does not know yet of the members that came a minute ago.
                """WITH wanted AS MATERIALIZED (%(query)s),
                        entered AS (
                            INSERT INTO segment_membership
                                        (segment_id, partner_id, entered_at, source)
                            SELECT %(segment)s, comes.id, %(now)s, 'rule'
                              FROM (TABLE wanted EXCEPT (%(members)s)) AS comes (id)
                                -- Indexes grow at their end, not everywhere.
                             ORDER BY comes.id
                         RETURNING partner_id),
                        gone AS (
                            DELETE FROM segment_membership
                             WHERE segment_id = %(segment)s
                               AND partner_id = ANY(ARRAY(
                                   %(members)s AND %(among)s EXCEPT TABLE wanted))
                         RETURNING partner_id),
                        recorded AS (
                            INSERT INTO segment_membership_event
                                        (segment_id, partner_id, kind, at, source)
                            SELECT %(segment)s, partner_id, 'entry', %(now)s, 'rule'
                              FROM entered
                             UNION ALL
                            SELECT %(segment)s, partner_id, 'exit', %(now)s, 'rule'
                              FROM gone
                         RETURNING kind)
                   SELECT count(*) FILTER (WHERE kind = 'entry'),
                          count(*) FILTER (WHERE kind = 'exit') FROM recorded""",
                query=query,
                segment=self.id,
                members=self._get_member_query(),
                now=fields.Datetime.now(),
                among=SQL("partner_id IN (%s)", among) if among else SQL("TRUE"),
            )
        )
        note_written(self.env.cr, "segment_membership", entered + left)
        self._forget_members()
        return entered, left

    def _add(self, query, source):
        """Put contacts in by hand.

        :param SQL query: ids of contacts that exist
        :param str source: key of ``segment.membership.source``
        :return: number of those who were not in yet
        :rtype: int
        """
        self.env.flush_all()
        [[changed]] = self.env.execute_query(
            SQL(
                """WITH entered AS (
                       INSERT INTO segment_membership
                                   (segment_id, partner_id, entered_at, source)
                       SELECT DISTINCT %(segment)s, contact.id, %(now)s, %(source)s
                         FROM (%(query)s) AS contact (id)
                           ON CONFLICT (segment_id, partner_id) DO NOTHING
                    RETURNING partner_id),
                        recorded AS (
                   INSERT INTO segment_membership_event
                               (segment_id, partner_id, kind, at, source)
                   SELECT %(segment)s, partner_id, 'entry', %(now)s, %(source)s
                     FROM entered
                RETURNING 1)
                   SELECT count(*) FROM recorded""",
                segment=self.id,
                query=query,
                now=fields.Datetime.now(),
                source=source,
            )
        )
        note_written(self.env.cr, "segment_membership", changed)
        self._forget_members()
        self._settle_size(changed)
        return changed

    def _remove(self, query, source="manual"):
        """Take contacts out by hand.

        :param SQL query: ids of contacts
        :param str source: key of ``segment.membership.source``
        :return: number of those who were in
        :rtype: int
        """
        self.env.flush_all()
        [[changed]] = self.env.execute_query(
            SQL(
                """WITH gone AS (
                       DELETE FROM segment_membership
                        WHERE segment_id = %(segment)s AND partner_id IN (%(query)s)
                    RETURNING partner_id),
                        recorded AS (
                   INSERT INTO segment_membership_event
                               (segment_id, partner_id, kind, at, source)
                   SELECT %(segment)s, partner_id, 'exit', %(now)s, %(source)s FROM gone
                RETURNING 1)
                   SELECT count(*) FROM recorded""",
                segment=self.id,
                query=query,
                now=fields.Datetime.now(),
                source=source,
            )
        )
        self._forget_members()
        self._settle_size(changed)
        return changed

    def _settle_size(self, is_changed):
        """Count the members; whoever depends on them is to be looked at, too.

        :param is_changed: whether somebody came or went
        """
        self._count_members()
        if is_changed:
            self._get_dependents()._request_refresh()

    def _count_members(self):
        """Count the members, and remember the number where it changed."""
        counts = dict(
            self.env.execute_query(
                SQL(
                    """SELECT segment_id, count(*) FROM segment_membership
                        WHERE segment_id = ANY(%s) GROUP BY segment_id""",
                    self.ids,
                )
            )
        )
        sizes = self.env["segment.size"]
        known = sizes._read_group([("segment_id", "in", self.ids)], ["segment_id"])
        for segment in self:
            size = counts.get(segment.id, 0)
            if size != segment.size or (segment,) not in known:
                segment.size = size
                sizes.create(
                    {
                        "segment_id": segment.id,
                        "at": fields.Datetime.now(),
                        "size": size,
                    }
                )

    @api.model
    def _prepare_planner(self):
        """Let PostgreSQL hash a million ids in memory, and compile nothing: that takes
        longer than running it. Until the end of the transaction."""
        self.env.cr.execute("SET LOCAL jit = off")
        self.env.cr.execute("SET LOCAL work_mem = '64MB'")

    @api.model
    def _forget_members(self):
        """Nothing that was read before a statement wrote members is true any more."""
        self.env["segment.membership"].invalidate_model(flush=False)
        self.env["segment.membership.event"].invalidate_model(flush=False)
        self.invalidate_model(["membership_ids"], flush=False)
