"""The messages of a campaign, in the outbox."""

from odoo import fields, models
from odoo.tools import SQL


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    def _queue(self):
        """Write a message for each recipient into the outbox, in one pass (K4).

        Who may not be written to gets a row, too: the gate skips it with the reason.

        :return: number of messages
        :rtype: int
        """
        self.ensure_one()
        return self.env["marketing.message"]._queue_slots(
            self.channel,
            self._sql_queue(self._fix_recipients()),
            self.company_id,
            f"campaign:{self.id}",
            website=self.website_id,
            campaign=self,
        )

    def _get_entered_since(self):
        """Return since when people have to be in its segments; None: at any time.

        :rtype: datetime | None
        """
        return None

    def _fix_recipients(self):
        """Find out who gets it, once for all that is asked about them.

        :return: a query as of :meth:`_sql_recipients`
        :rtype: SQL
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """DROP TABLE IF EXISTS campaign_recipients;
                   CREATE TEMPORARY TABLE campaign_recipients ON COMMIT DROP AS %s;
                   ANALYZE campaign_recipients""",
                self._sql_recipients(self._get_entered_since()),
            )
        )
        return SQL("SELECT partner_id, address FROM campaign_recipients")

    def _sql_queue(self, recipients):
        """Return who gets a message, when, in which variant, and of which template.

        :param SQL recipients: as of :meth:`_sql_recipients`
        :return: a query as ``marketing.message._queue_slots`` wants it
        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """SELECT s.partner_id, s.scheduled_at, NULL::int AS variant_id,
                      %s AS template_id FROM (%s) s""",
            self.template_id.id,
            self._sql_slots(recipients),
        )

    def _reschedule_waiting(self):
        """Give the messages that wait the times of the campaign as it is now.

        Nobody takes any meanwhile: see :meth:`_sql_open_sources` of the outbox.
        """
        self.ensure_one()
        self.env.flush_all()
        waiting = SQL(
            """SELECT m.partner_id, m.id FROM marketing_message m
                WHERE m.campaign_id = %s AND m.state = 'queued' AND m.priority > 0
                  AND m.scheduled_at IS NOT NULL AND m.partner_id IS NOT NULL""",
            self.id,
        )
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message m
                      SET scheduled_at = slot.scheduled_at, reason = NULL
                     FROM (%s) slot
                    WHERE m.campaign_id = %s AND m.partner_id = slot.partner_id
                      AND m.state = 'queued' AND m.priority > 0
                      AND m.scheduled_at IS NOT NULL""",
                self._sql_slots(waiting),
                self.id,
            )
        )
        self.env.invalidate_all(flush=False)
        self.is_rescheduling = False
        self.env["marketing.dispatcher"]._wake_up(
            max(self.starts_at, fields.Datetime.now())
        )
