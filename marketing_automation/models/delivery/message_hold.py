"""Messages that must not leave now, or not at all."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .marketing_gate import Decision
from .marketing_message import SOURCE


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    def _skip_blocked(self):
        """Ask the gate, and settle the messages that must not be sent now.

        :return: the messages that may go
        :rtype: marketing.message
        """
        skipped, postponed, late = {}, [], []
        for message_id, decision in self.env["marketing.gate"]._decide(self).items():
            if not decision:
                continue
            if decision.is_asking:
                late.append(message_id)
            elif decision.until:
                postponed.append((message_id, decision))
            else:
                skipped.setdefault(decision.reason, []).append(message_id)
        for reason, ids in skipped.items():
            self.browse(ids)._skip(reason)
        self._postpone(postponed)
        self.browse(late)._hold_late()
        held = {message_id for message_id, _decision in postponed}.union(
            late, *skipped.values()
        )
        return self.filtered(lambda message: message.id not in held)

    def _skip(self, reason):
        """Do not send these messages, and tell where they came from.

        :param str reason: key of ``reason``
        """
        self._set_state("skipped", reason)
        # Who wants no text messages may well want the emails of the same run.
        concerned = self.filtered(
            lambda message: message.channel == "email" or reason != "opted_out"
        )
        concerned.enrollment_id._on_message_blocked(reason)

    @api.model
    def _postpone(self, postponed):
        """Hold messages back until later; the reason stays visible meanwhile.

        :param list postponed: pairs (message id, Decision with ``until``)
        """
        if not postponed:
            return
        self._change_states(
            [
                (message_id, {"reason": held.reason, "scheduled_at": held.until})
                for message_id, held in postponed
            ],
            "queued",
        )
        self._reschedule_queued(postponed)

    @api.model
    def _reschedule_queued(self, postponed):
        """The same for messages that were not claimed yet."""
        self.flush_model()
        self._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET reason = v.reason, scheduled_at = v.until,
                          history = CASE WHEN m.reason = v.reason THEN m.history
                              ELSE COALESCE(m.history, '[]') || %s END
                     FROM (SELECT id, reason, until, NULL::varchar AS detail
                             FROM (VALUES %%s) AS r (id, reason, until)) v
                    WHERE m.id = v.id AND m.state = 'queued'
                      AND m.scheduled_at < v.until
                RETURNING m.id""",
                self._get_history_entry(
                    SQL("%s", fields.Datetime.now()), SQL("'queued'")
                ),
            ),
            [(message_id, held.reason, held.until) for message_id, held in postponed],
            "(%s, %s::varchar, %s::timestamp)",
        )
        self.browse(
            message_id for message_id, _held in postponed
        ).invalidate_recordset()

    @api.model
    def _postpone_throttled(self, company, full, now):
        """Give messages to mail domains that had enough for this minute a later one.

        Otherwise they would stand in front of all others again and again.

        :param res.company company: whose messages
        :param dict full: messages a minute, by domain that has no room left in this one
        :param datetime now: naive, UTC
        """
        if not full:
            return
        rows = self.env.execute_query(
            SQL(
                """SELECT id, domain,
                          row_number() OVER (PARTITION BY domain ORDER BY id) - 1
                     FROM (SELECT m.id, split_part(m.email_normalized, '@', 2) AS domain
                             FROM (%s) s
                            CROSS JOIN LATERAL (
                                  SELECT id, email_normalized FROM marketing_message
                                   WHERE state = 'queued' AND company_id = s.company_id
                                     AND channel = s.channel AND %s = s.source
                                     AND scheduled_at <= %s
                                   ORDER BY scheduled_at, id LIMIT 5000) m
                            WHERE s.company_id = %s AND s.channel = 'email') due
                    WHERE domain = ANY(%s)""",
                self._sql_sources(),
                SQL(SOURCE),
                now,
                company.id,
                list(full),
            )
        )
        next_minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        self._reschedule_queued(
            [
                (
                    message_id,
                    Decision(
                        "domain_throttled",
                        next_minute + timedelta(minutes=place // full[domain]),
                    ),
                )
                for message_id, domain, place in rows
            ]
        )
