"""The messages of a campaign, in the outbox."""

from odoo import fields, models
from odoo.tools import SQL

from ...tools.temporary_table import TemporaryTable


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
        table = self._fix(
            "marketing_campaign_recipients",
            self._sql_recipients(self._get_entered_since()),
        )
        return SQL("SELECT partner_id, address FROM %s", table)

    def _fix_waiting(self, condition):
        """Find out whose message waits, once for all that is asked about them.

        :param SQL condition: over a message ``m``
        :return: a query of ``id`` (of the message) and ``partner_id``
        :rtype: SQL
        """
        waiting = SQL(
            """SELECT m.id, m.partner_id FROM marketing_message m
                WHERE m.campaign_id = %s AND m.state = 'queued'
                  AND m.priority > 0 AND %s""",
            self.id,
            condition,
        )
        table = self._fix("marketing_campaign_waiting", waiting)
        return SQL("SELECT id, partner_id FROM %s", table)

    def _fix(self, name, query):
        """Keep what a query finds until the end of the transaction.

        With its size known, PostgreSQL joins a million rows in one go: what it knows of
        large tables may be from before they were there.

        :param str name: of the table
        :return: how it is written in a statement
        :rtype: SQL
        """
        self.env.flush_all()
        self.env["customer.segment"]._prepare_planner()
        return TemporaryTable(name).fill(self.env.cr, query)

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

        Nobody takes any meanwhile: see :meth:`_sql_sources` of the outbox.
        """
        self.ensure_one()
        waiting = self._fix_waiting(SQL("m.scheduled_at IS NOT NULL"))
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_message m
                      SET scheduled_at = slot.scheduled_at, reason = NULL
                     FROM (%s) waiting
                     JOIN (%s) slot ON slot.partner_id = waiting.partner_id
                    WHERE m.id = waiting.id""",
                waiting,
                self._sql_slots(waiting),
            )
        )
        self.env.invalidate_all(flush=False)
        self.is_rescheduling = False
        self.env["marketing.dispatcher"]._wake_up(
            max(self.starts_at, fields.Datetime.now())
        )
