import logging
from datetime import timedelta

from odoo import api, fields, models

from .segment_preview import DEFAULT_PURPOSE
from .segment_refresh import CONFLICTS

_logger = logging.getLogger(__name__)

# Up to this size the members are looked at whenever they change. Above, once a day.
MAX_SIZE_AT_ONCE = 20_000
FRESH_HOURS = 20


class CustomerSegment(models.Model):
    """How many members can be written to about offers: kept, for lists and cards.

    The form looks anew, for whatever purpose: see ``segment_preview.py``.
    """

    _inherit = "customer.segment"

    reach_email = fields.Integer(
        string="Reachable by Email",
        readonly=True,
        copy=False,
        aggregator=None,
        help="Members who may get offers by email, as of the last count.",
    )
    reach_sms = fields.Integer(
        string="Reachable by SMS",
        readonly=True,
        copy=False,
        aggregator=None,
        help="Members who may get offers by text message, as of the last count.",
    )
    reach_at = fields.Datetime(string="Reach Counted", readonly=True, copy=False)

    @api.model
    def _cron_count_reach(self):
        """Count again where it was long ago; one segment a transaction."""
        cron = self.env["ir.cron"]
        due = self.search(
            self._get_reach_due_domain(), order="reach_at NULLS FIRST, id"
        )
        cron._commit_progress(remaining=len(due))
        for segment in due:
            segment._count_reach_in_cron()
            if not cron._commit_progress(1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_count_reach"
                )

    def _count_reach_in_cron(self):
        """Count one segment unless somebody does; what fails is tried tomorrow."""
        try:
            with self.env.cr.savepoint():
                if self.try_lock_for_update(allow_referencing=True):
                    self._count_reach()
        except CONFLICTS:
            _logger.info("Segment %s changed meanwhile; it is due again.", self.id)
        except Exception:
            self.env.invalidate_all(flush=False)
            _logger.exception("Reach of segment %s could not be counted.", self.id)
            self.reach_at = fields.Datetime.now()

    def _get_reach_due_domain(self):
        """Return which segments were not counted lately.

        :rtype: odoo.fields.Domain
        """
        since = fields.Datetime.now() - timedelta(hours=FRESH_HOURS)
        return fields.Domain("reach_at", "=", False) | fields.Domain(
            "reach_at", "<", since
        )

    def _count_reach(self):
        """Count which members can be written to."""
        gate = self.env["marketing.gate"]
        for segment in self:
            members = segment._get_member_query()
            counts = {
                f"reach_{channel}": gate._estimate(
                    members, segment.company_id, channel, DEFAULT_PURPOSE
                ).get(None, 0)
                for channel in ("email", "sms")
            }
            segment.write({**counts, "reach_at": fields.Datetime.now()})

    def _settle_size(self, *args):
        """Count at once where that takes no time."""
        result = super()._settle_size(*args)
        self.filtered(lambda segment: segment.size <= MAX_SIZE_AT_ONCE)._count_reach()
        return result
