"""How messages get into the outbox, and out of it to be sent."""

import uuid
from datetime import timedelta

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

from ..cart.cart_detection import RANDOM_TOKEN
from .marketing_gate import Decision
from .marketing_message import PRIORITIES, SOURCE


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    # === IN ===#

    @api.model
    def _queue_sequence_steps(self, enrollments):
        """Write the messages of the steps that are due into the outbox.

        :param marketing.enrollment enrollments: runs whose next step is due
        :return: the new messages; a step that has one already gets no second one
        :rtype: marketing.message
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO marketing_message (
                    create_date, write_date, token, dedupe_key,
                    state, state_changed_at, scheduled_at, attempts, channel, priority,
                    company_id, website_id, partner_id, email, email_normalized,
                    phone_sanitized, lang, template_id, sequence_id, step_id,
                    enrollment_id, abandoned_cart_id)
                SELECT %(now)s, %(now)s, %(token)s,
                       'enrollment:' || run.id || ':step:' || step.id,
                       'queued', %(now)s, run.next_at, 0,
                       step.channel, %(priority)s, run.company_id, cart.website_id,
                       cart.partner_id, cart.email, cart.email_normalized,
                       CASE WHEN step.channel = 'sms' THEN number.phone END,
                       COALESCE(wished.lang, cart.lang), step.template_id,
                       run.sequence_id, step.id, run.id, cart.id
                  FROM marketing_enrollment run
                  JOIN marketing_sequence_step step ON step.id = run.next_step_id
                  JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                  LEFT JOIN res_partner person ON person.id = cart.partner_id
                 CROSS JOIN LATERAL (
                       SELECT COALESCE(person.phone_sanitized, cart.phone_sanitized)
                                  AS phone) number
                  LEFT JOIN marketing_recipient wished
                         ON wished.company_id = run.company_id
                        AND wished.address = CASE step.channel
                            WHEN 'sms' THEN number.phone
                            ELSE cart.email_normalized END
                 WHERE run.id = ANY(%(run_ids)s)
                    ON CONFLICT (dedupe_key) DO NOTHING
                RETURNING id
                """,
                now=fields.Datetime.now(),
                token=RANDOM_TOKEN,
                priority=PRIORITIES["cart"],
                run_ids=enrollments.ids,
            )
        )
        enrollments.invalidate_recordset(["message_ids"])
        enrollments.abandoned_cart_id.invalidate_recordset(["message_ids"])
        return self.browse(message_id for (message_id,) in rows)

    # For a million people each column counts. Nobody is the author of these messages,
    # which would be foreign keys to check; their secret token is made with the claim.

    @api.model
    def _queue_partners(
        self,
        template,
        partners,
        company,
        source,
        *,
        website=None,
        scheduled_at=None,
        priority=PRIORITIES["broadcast"],
    ):
        """Write one message for each of many people into the outbox, in one statement.

        :param marketing.template template: what to say; decides the channel
        :param SQL partners: a query for the ids of ``res.partner``
        :param res.company company: who is speaking
        :param str source: key of what these messages come from, such as ``test:7``
        :param website website: whose links and language are used; empty: the company's
        :param datetime scheduled_at: when they are due, naive, UTC; empty: now
        :param int priority: see ``PRIORITIES``
        :return: number of new messages
        :rtype: int
        """
        slots = self._sql_slots_now(template, partners, scheduled_at)
        return self._queue_slots(
            template.channel, slots, company, source, website=website, priority=priority
        )

    @api.model
    def _queue_slots(
        self,
        channel,
        slots,
        company,
        source,
        *,
        website=None,
        campaign=None,
        priority=PRIORITIES["broadcast"],
    ):
        """Write messages to many people into the outbox, each with a time of its own.

        People with the same address get one; so does who is queued again from the same
        source. Those without an address get one too, which the gate skips with that
        reason. The dispatcher asks the gate about each before it leaves.

        :param str channel: key of ``CHANNELS``
        :param SQL slots: a query of ``partner_id``, ``scheduled_at`` (when it is due,
            UTC; NULL: not before somebody says so), ``variant_id`` and ``template_id``
        :param res.company company: who is speaking
        :param str source: key of what these messages come from, such as ``campaign:7``
        :param website website: whose links and language are used; empty: the company's
        :param email.campaign campaign: what they belong to, if to any
        :param int priority: see ``PRIORITIES``
        :return: number of new messages
        :rtype: int
        """
        self.env.flush_all()
        is_sms = channel == "sms"
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO marketing_message (
                    create_date, dedupe_key,
                    state, state_changed_at, scheduled_at, attempts, channel, priority,
                    company_id, website_id, partner_id, email, email_normalized,
                    phone_sanitized, lang, template_id, campaign_id, variant_id)
                SELECT %(now)s,
                       %(source)s || ':' || COALESCE(%(address)s, 'partner-' || p.id),
                       'queued', %(now)s, slot.scheduled_at, 0, %(channel)s,
                       %(priority)s, %(company_id)s, %(website_id)s, p.id, p.email,
                       p.email_normalized, %(phone)s, COALESCE(wished.lang, p.lang),
                       slot.template_id, %(campaign_id)s, slot.variant_id
                  FROM (%(slots)s) slot
                  JOIN res_partner p ON p.id = slot.partner_id
                  LEFT JOIN marketing_recipient wished
                         ON wished.company_id = %(company_id)s
                        AND wished.address = %(address)s
                 ORDER BY p.id
                    ON CONFLICT (dedupe_key) DO NOTHING
                """,
                now=now,
                source=source,
                address=SQL("p.phone_sanitized" if is_sms else "p.email_normalized"),
                channel=channel,
                priority=priority,
                company_id=company.id,
                website_id=website.id if website else None,
                phone=SQL("p.phone_sanitized") if is_sms else SQL("NULL::varchar"),
                campaign_id=campaign.id if campaign else None,
                slots=slots,
            )
        )
        count = self.env.cr.rowcount
        self.env.invalidate_all(flush=False)
        if count:
            self.env["marketing.dispatcher"]._wake_up(now)
        return count

    @api.model
    def _queue_test(self, template, partners, company, campaign=None):
        """Write tests of a template into the outbox; caps do not hold them back.

        :param marketing.template template: what to say
        :param res.partner partners: who gets one
        :param res.company company: who is speaking
        :param email.campaign campaign: what they are a test of
        """
        self._queue_slots(
            template.channel,
            self._sql_slots_now(template, SQL("SELECT unnest(%s)", partners.ids)),
            company,
            f"test:{uuid.uuid4().hex}",
            website=campaign and campaign.website_id,
            campaign=campaign,
            priority=PRIORITIES["test"],
        )

    @api.model
    def _notify_test(self, recipients, **params):
        """Return a notification that says where tests went.

        :param str recipients: names or addresses
        :param params: further parameters of the notification
        :rtype: dict
        """
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "On its way to %s. Without an enabled account it stays in the "
                    "sandbox.",
                    recipients,
                ),
                **params,
            },
        }

    @api.model
    def _sql_slots_now(self, template, partners, scheduled_at=None):
        """Return slots of people who all get the same at the same time.

        :param SQL partners: a query for the ids of ``res.partner``
        :param datetime scheduled_at: naive, UTC; empty: now
        :rtype: SQL
        """
        return SQL(
            """SELECT p.id AS partner_id, %s::timestamp AS scheduled_at,
                      NULL::int AS variant_id, %s AS template_id
                 FROM res_partner p WHERE p.id IN (%s)""",
            scheduled_at or fields.Datetime.now(),
            template.id,
            partners,
        )

    # === HELD BACK ===#

    def _skip_blocked(self):
        """Ask the gate, and settle the messages that must not be sent now.

        :return: the messages that may go
        :rtype: marketing.message
        """
        skipped, postponed = {}, []
        for message_id, decision in self.env["marketing.gate"]._decide(self).items():
            if not decision:
                continue
            if decision.until:
                postponed.append((message_id, decision))
            else:
                skipped.setdefault(decision.reason, []).append(message_id)
        for reason, ids in skipped.items():
            self.browse(ids)._skip(reason)
        self._postpone(postponed)
        held = {message_id for message_id, _decision in postponed}.union(
            *skipped.values()
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
                     FROM (SELECT id, split_part(email_normalized, '@', 2) AS domain
                             FROM marketing_message
                            WHERE state = 'queued' AND company_id = %s
                              AND channel = 'email' AND scheduled_at <= %s
                            ORDER BY scheduled_at, id LIMIT 5000) due
                    WHERE domain = ANY(%s)""",
                company.id,
                now,
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

    # === OUT ===#

    @api.model
    def _sql_sources(self):
        """Return where messages come from that may leave now: campaigns that are being
        sent, and everything else together (source 0).

        Messages of a campaign that is paused stand in the queue, and nobody passes them
        by: each source is a range of the index of its own.

        :return: a query of ``company_id``, ``channel`` and ``source``
        :rtype: SQL
        """
        return SQL(
            """SELECT c.id AS company_id, lane.channel, 0 AS source
                 FROM res_company c
                CROSS JOIN (VALUES ('email'), ('sms')) AS lane (channel)
                UNION ALL
               SELECT campaign.company_id, campaign.channel, campaign.id
                 FROM email_campaign campaign
                WHERE campaign.state = 'running'
                  AND campaign.is_rescheduling IS NOT TRUE"""
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
                   SET state = 'sending', sending_at = %(now)s,
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
        """Mark what was in flight when a worker died as uncertain; never send it again.

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
