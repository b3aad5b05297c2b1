"""Who has a coupon that runs out soon and was not used is told once."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..cart.cart_detection import RANDOM_TOKEN
from ..delivery.marketing_message import PRIORITIES
from .loyalty_card import IS_OPEN

BATCH_SIZE = 1000


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    @api.model
    def _cron_remind(self):
        """Queue the reminders of coupons that expire soon, batch by batch."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=1)
        while count := self._queue_reminders():
            if not cron._commit_progress(count, remaining=1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_remind_coupons"
                )
        cron._commit_progress(remaining=0)

    @api.model
    def _queue_reminders(self, limit=BATCH_SIZE):
        """Write up to ``limit`` reminders into the outbox, one a card at most.

        Only of the newest coupon of a run, and not to who was written to in the last
        day about it. The gate says, as of any message, who gets theirs: who has bought
        meanwhile does not.

        :param int limit: number of messages
        :return: number of messages
        :rtype: int
        """
        self.env.flush_all()
        now, today = fields.Datetime.now(), fields.Date.today()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO marketing_message (
                    create_date, write_date, token, dedupe_key, state,
                    state_changed_at, scheduled_at, attempts, channel, priority,
                    company_id, website_id, partner_id, email, email_normalized,
                    phone_sanitized, lang, template_id, abandoned_cart_id,
                    coupon_card_id)
                SELECT %(now)s, %(now)s, %(token)s, 'coupon:' || card.id || ':reminder',
                       'queued', %(now)s, %(now)s, 0, tpl.channel, %(priority)s,
                       cart.company_id, cart.website_id, person.id, cart.email,
                       cart.email_normalized,
                       CASE WHEN tpl.channel = 'sms' THEN who.phone END,
                       COALESCE(wished.lang, cart.lang), tpl.id, cart.id, card.id
                  FROM loyalty_card card
                  JOIN marketing_coupon rule ON rule.id = card.marketing_coupon_id
                  JOIN marketing_template tpl ON tpl.id = rule.reminder_template_id
                  JOIN marketing_enrollment run ON run.coupon_card_id = card.id
                  JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                  LEFT JOIN res_partner person
                         ON person.id = cart.partner_id AND cart.is_typed IS NOT TRUE
                 CROSS JOIN LATERAL (
                       SELECT COALESCE(person.phone_sanitized, cart.phone_sanitized)
                              AS phone) who
                  LEFT JOIN marketing_recipient wished
                         ON wished.company_id = cart.company_id
                        AND wished.address = CASE tpl.channel
                            WHEN 'sms' THEN who.phone
                            ELSE cart.email_normalized END
                 WHERE %(is_open)s AND rule.reminder_days > 0
                   AND card.expiration_date >= %(today)s
                   AND card.expiration_date <= %(today)s + rule.reminder_days
                   AND card.create_date < %(yesterday)s
                   AND NOT EXISTS (
                       SELECT FROM marketing_message known
                        WHERE known.dedupe_key = 'coupon:' || card.id || ':reminder')
                 ORDER BY card.expiration_date, card.id LIMIT %(limit)s
                    ON CONFLICT (dedupe_key) DO NOTHING
                RETURNING id
                """,
                now=now,
                today=today,
                yesterday=now - timedelta(days=1),
                token=RANDOM_TOKEN,
                priority=PRIORITIES["cart"],
                is_open=IS_OPEN,
                limit=limit,
            )
        )
        self.env.invalidate_all(flush=False)
        if rows:
            self.env["marketing.dispatcher"]._wake_up(now)
        return len(rows)
