"""How messages get into the outbox."""

import uuid

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.table_statistics import note_written
from ..cart.cart_detection import RANDOM_TOKEN
from .marketing_message import PRIORITIES


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

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
                    enrollment_id, abandoned_cart_id, campaign_id)
                SELECT %(now)s, %(now)s, %(token)s,
                       'enrollment:' || run.id || ':step:' || step.id,
                       'queued', %(now)s, run.next_at, 0,
                       step.channel,
                       CASE WHEN cart.id IS NULL THEN %(broadcast)s ELSE %(cart)s END,
                       run.company_id, COALESCE(cart.website_id, campaign.website_id),
                       person.id, who.email, who.email_normalized,
                       CASE WHEN step.channel = 'sms' THEN who.phone END,
                       COALESCE(wished.lang, cart.lang, person.lang), step.template_id,
                       run.sequence_id, step.id, run.id, cart.id, run.campaign_id
                  FROM marketing_enrollment run
                  JOIN marketing_sequence_step step ON step.id = run.next_step_id
                  LEFT JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                  LEFT JOIN email_campaign campaign ON campaign.id = run.campaign_id
                  -- Of who has an address that was only typed, nothing is used.
                  LEFT JOIN res_partner person
                         ON person.id = CASE WHEN cart.is_typed IS NOT TRUE THEN
                            COALESCE(cart.partner_id, run.contact_id) END
                 CROSS JOIN LATERAL (
                       SELECT CASE WHEN cart.id IS NULL THEN person.email
                                   ELSE cart.email END AS email,
                              CASE WHEN cart.id IS NULL THEN person.email_normalized
                                   ELSE cart.email_normalized END AS email_normalized,
                              COALESCE(person.phone_sanitized, cart.phone_sanitized)
                                  AS phone) who
                  LEFT JOIN marketing_recipient wished
                         ON wished.company_id = run.company_id
                        AND wished.address = CASE step.channel
                            WHEN 'sms' THEN who.phone
                            ELSE who.email_normalized END
                 WHERE run.id = ANY(%(run_ids)s)
                    ON CONFLICT (dedupe_key) DO NOTHING
                RETURNING id
                """,
                now=fields.Datetime.now(),
                token=RANDOM_TOKEN,
                cart=PRIORITIES["cart"],
                broadcast=PRIORITIES["broadcast"],
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
        note_written(self.env.cr, "marketing_message", count)
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
            f"{self._get_test_source()}{uuid.uuid4().hex}",
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
