"""Clicks make customers' figures change: noted in their transaction."""

from odoo import api, models
from odoo.tools import SQL


class MarketingEngagement(models.Model):
    _inherit = "marketing.engagement"

    @api.model
    def _record(self, token, kind, *args, **kwargs):
        recorded = super()._record(token, kind, *args, **kwargs)
        if recorded and kind == "click":
            self._add_metrics_tasks(SQL("m.token = %s", token))
        return recorded

    @api.model
    def _record_events(self, rows):
        new_ids = super()._record_events(rows)
        if new_ids and any(row["kind"] == "click" for row in rows):
            self._add_metrics_tasks(
                SQL(
                    """m.id IN (SELECT message_id FROM marketing_engagement
                                 WHERE id = ANY(%s) AND kind = 'click')""",
                    new_ids,
                )
            )
        return new_ids

    @api.model
    def _mark_bursts(self, since, message_id=None):
        res = super()._mark_bursts(since, message_id)
        if not message_id:
            self._add_metrics_tasks(
                SQL(
                    """m.id IN (SELECT message_id FROM marketing_engagement
                                 WHERE kind = 'click' AND occurred_at >= %s
                                   AND machine_reason = 'burst')""",
                    since,
                )
            )
        return res

    @api.model
    def _add_metrics_tasks(self, messages):
        """Have the figures of the recipients of messages computed soon.

        :param SQL messages: a condition for ``marketing_message m``
        """
        self.env["marketing.metrics.task"]._add_contacts(
            SQL(
                """SELECT m.company_id, m.partner_id FROM marketing_message m
                    WHERE %(messages)s AND m.partner_id IS NOT NULL
                    UNION
                   SELECT m.company_id, p.id FROM marketing_message m
                     JOIN res_partner p ON p.email_normalized = m.email_normalized
                    WHERE %(messages)s AND m.partner_id IS NULL""",
                messages=messages,
            )
        )
