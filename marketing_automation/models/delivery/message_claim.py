"""How messages are taken out of the outbox to be sent: by one worker each."""

from datetime import datetime, timedelta, timezone

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

from ..cart.cart_detection import RANDOM_TOKEN
from .marketing_message import SOURCE


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    @api.model
    def _sql_sources(self):
        """Return where messages come from that may leave now: campaigns that are being
        sent, and everything else together (source 0).

        Messages of a campaign that is paused, or too late, stand in the queue, and
        nobody passes them by: each source is a range of the index of its own.

        :return: a query of ``company_id``, ``channel`` and ``source``
        :rtype: SQL
        """
        return SQL(
            """SELECT c.id AS company_id, lane.channel, 0 AS source
                 FROM res_company c
                CROSS JOIN (VALUES ('email'), ('sms')) AS lane (channel)
                UNION ALL
               SELECT campaign.company_id, lane.channel, campaign.id
                 FROM email_campaign campaign
                 JOIN (VALUES ('email'), ('sms')) AS lane (channel)
                   ON lane.channel = campaign.channel
                   -- Sequences have steps of any channel.
                   OR campaign.sends = 'sequence'
                WHERE campaign.state = 'running'
                  AND campaign.is_rescheduling IS NOT TRUE
                  AND NOT %s""",
            self.env["email.campaign"]._sql_is_late(),
        )

    @api.model
    def _get_due_lanes(self):
        """Return the pairs of company and channel for which something is due.

        :return: pairs (res.company, channel)
        :rtype: list
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT s.company_id, s.channel
                     FROM (%s) s
                    WHERE EXISTS (
                          SELECT FROM marketing_message m
                           WHERE m.state = 'queued' AND m.company_id = s.company_id
                             AND m.channel = s.channel
                             AND %s = s.source
                             AND m.scheduled_at <= %s)
                    ORDER BY s.company_id, s.channel""",
                self._sql_sources(),
                SQL(SOURCE),
                fields.Datetime.now(),
            )
        )
        return [
            (self.env["res.company"].browse(company_id), channel)
            for company_id, channel in rows
        ]

    @api.model
    def _get_oldest_due(self, companies):
        """Return since when the message is due that has waited longest.

        :param res.company companies: whose messages
        :return: naive, UTC; None when nothing is due
        :rtype: datetime | None
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT min(lane.scheduled_at)
                     FROM (%s) s
                    CROSS JOIN LATERAL (
                          SELECT m.scheduled_at FROM marketing_message m
                           WHERE m.state = 'queued' AND m.company_id = s.company_id
                             AND m.channel = s.channel
                             AND %s = s.source
                             AND m.scheduled_at <= %s
                           ORDER BY m.scheduled_at LIMIT 1) lane
                    WHERE s.company_id = ANY(%s)""",
                self._sql_sources(),
                SQL(SOURCE),
                fields.Datetime.now(),
                companies.ids,
            )
        )
        return rows[0][0]

    @api.model
    def _claim(self, limit, company, channel, throttle=None):
        """Take up to ``limit`` due messages for sending; nobody else gets them.

        What one person did (a cart, a request) goes before what goes to many.

        Nobody has two messages of a channel in flight: of several to one person the one
        that matters most is taken, the others wait for their turn. The caller commits
        at once: what is ``sending`` is never sent by anybody else.

        :param int limit: number of messages
        :param res.company company: whose messages
        :param str channel: key of ``channel``
        :param dict throttle: how many may go to a mail domain now, by domain
        :return: the claimed messages, now ``sending``
        :rtype: marketing.message
        """
        self.flush_model()
        now = fields.Datetime.now()
        # Two claims of a message never have the same time.
        claimed_at = datetime.now(timezone.utc).replace(tzinfo=None)
        # Who is busy is read once, not for each row: their index is small, but full of
        # what was in flight a moment ago.
        person = SQL("phone_sanitized" if channel == "sms" else "email_normalized")
        rows = self.env.execute_query(
            SQL(
                """
                WITH due AS MATERIALIZED (
                    SELECT m.id, m.priority, m.scheduled_at,
                           COALESCE(m.%(person)s, m.id::varchar) AS person
                      FROM (%(sources)s) s
                     CROSS JOIN LATERAL (
                           SELECT * FROM marketing_message
                            WHERE state = 'queued' AND company_id = s.company_id
                              AND channel = s.channel
                              AND %(source)s = s.source
                              AND scheduled_at <= %(now)s
                              AND (%(person)s IS NULL OR %(person)s NOT IN (
                                  SELECT busy.%(person)s FROM marketing_message busy
                                   WHERE busy.state = 'sending'
                                     AND busy.channel = %(channel)s
                                     AND busy.%(person)s IS NOT NULL))
                            ORDER BY scheduled_at, id LIMIT %(limit)s
                              FOR UPDATE SKIP LOCKED) m
                     WHERE s.company_id = %(company_id)s AND s.channel = %(channel)s
                     ORDER BY s.source > 0, m.scheduled_at, m.id LIMIT %(limit)s),
                first AS (
                    SELECT DISTINCT ON (person) id, scheduled_at,
                           split_part(person, '@', 2) AS domain
                      FROM due ORDER BY person, priority, scheduled_at, id),
                counted AS (
                    SELECT id, domain, row_number() OVER (
                               PARTITION BY domain ORDER BY scheduled_at, id) AS place
                      FROM first)
                UPDATE marketing_message m
                   SET state = 'sending', sending_at = %(claimed_at)s,
                       state_changed_at = %(now)s, reason = NULL, reason_detail = NULL,
                       token = COALESCE(m.token, %(token)s),
                       history = COALESCE(history, '[]') || jsonb_build_array(
                           jsonb_build_object('at', %(now)s::timestamp,
                                              'state', 'sending'))
                  FROM counted
                  LEFT JOIN jsonb_each_text(%(throttle)s) AS room (domain, count)
                         ON room.domain = counted.domain
                 WHERE m.id = counted.id
                   AND (room.count IS NULL OR counted.place <= room.count::int)
                RETURNING m.id
                """,
                sources=self._sql_sources(),
                source=SQL(SOURCE),
                person=person,
                now=now,
                claimed_at=claimed_at,
                company_id=company.id,
                channel=channel,
                limit=limit,
                token=RANDOM_TOKEN,
                throttle=Json(throttle or {}),
            )
        )
        messages = self.browse(sorted(message_id for (message_id,) in rows))
        messages.invalidate_recordset()
        return messages

    @api.model
    def _settle_lost(self, older_than_minutes=15):
        """Mark what was in flight when a worker died as uncertain, where nothing says
        how far it got; never send it again.

        :param int older_than_minutes: how long a hand-over may take at most; a batch
            has less than two minutes
        """
        self.search(
            [
                ("state", "=", "sending"),
                (
                    "sending_at",
                    "<",
                    fields.Datetime.now() - timedelta(minutes=older_than_minutes),
                ),
            ]
        )._set_state("uncertain", "worker_lost")
