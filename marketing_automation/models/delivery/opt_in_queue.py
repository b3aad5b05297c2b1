"""The emails that ask for a confirmation: how many, when, to whom."""

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..cart.cart_detection import RANDOM_TOKEN
from .marketing_message import PRIORITIES

_logger = logging.getLogger(__name__)

# Emails to one mailbox, under whatever of its addresses. Who is on a blacklist may have
# been put up to it by somebody else: they get less of it.
MAILS_A_DAY = 3
MAILS_A_DAY_SUPPRESSED = 1
MINUTES_BETWEEN = 2


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    opt_in_id = fields.Many2one(
        "marketing.opt.in",
        string="Request for Consent",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )

    @api.model
    def _queue_opt_in(self, request):
        """Write the email that asks for a confirmation into the outbox, within limits.

        The key of the message is the mailbox and its number of that day: of requests
        that come at once, only one can write it.

        :param marketing.opt.in request: an open one
        """
        self.env.flush_all()
        number, due = self._plan_opt_in(request)
        template = self._get_opt_in_template(request.company_id)
        if not template:
            _logger.error(
                "No confirmation is sent: there is no template for it. Make one that "
                "is used for “Confirmation of consent”."
            )
        if not number or not template:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO marketing_message (
                    create_date, dedupe_key, state, state_changed_at, scheduled_at,
                    attempts, channel, priority, company_id, website_id, partner_id,
                    email, email_normalized, lang, template_id, token, opt_in_id)
                SELECT %(now)s, %(key)s, 'queued', %(now)s, %(due)s, 0, 'email',
                       %(priority)s, asked.company_id, asked.website_id,
                       asked.partner_id, asked.address, asked.address, asked.lang,
                       %(template_id)s, %(token)s, asked.id
                  FROM marketing_opt_in asked
                 WHERE asked.id = %(request_id)s
                    ON CONFLICT (dedupe_key) DO NOTHING
                """,
                now=fields.Datetime.now(),
                key=self._make_opt_in_key(request.folded_address, number),
                due=due,
                priority=PRIORITIES["transactional"],
                template_id=template.id,
                token=RANDOM_TOKEN,
                request_id=request.id,
            )
        )
        self.env.invalidate_all(flush=False)
        self.env["marketing.dispatcher"]._wake_up(due)

    @api.model
    def _plan_opt_in(self, request):
        """Say whether a confirmation may be sent, and when.

        :return: which one of this day it is, 0 for none; when it is due
        :rtype: tuple
        """
        now = fields.Datetime.now()
        [(in_a_day, today, last_due, last_id)] = self.env.execute_query(
            SQL(
                """SELECT count(*), count(*) FILTER (WHERE create_date >= %(today)s),
                          max(scheduled_at),
                          (array_agg(opt_in_id ORDER BY id DESC))[1]
                     FROM (SELECT m.id, m.create_date, m.scheduled_at, m.opt_in_id
                             FROM marketing_opt_in asked
                             JOIN marketing_message m ON m.opt_in_id = asked.id
                            WHERE asked.folded_address = %(mailbox)s
                              AND m.create_date > %(yesterday)s) m""",
                mailbox=request.folded_address,
                today=now.replace(hour=0, minute=0, second=0),
                yesterday=now - timedelta(days=1),
            )
        )
        suppressed = self.env["marketing.preference"]._find_suppressed(
            "email", [request.address]
        )
        if in_a_day >= (MAILS_A_DAY_SUPPRESSED if suppressed else MAILS_A_DAY):
            return 0, None
        next_at = last_due and last_due + timedelta(minutes=MINUTES_BETWEEN)
        if not next_at or next_at <= now:
            return today + 1, now
        # The same link is on its way; another one follows it.
        return (0, None) if last_id == request.id else (today + 1, next_at)

    @api.model
    def _make_opt_in_key(self, mailbox, number):
        [digest] = self.env["marketing.suppression"]._hash([mailbox])
        return f"opt-in:{digest}:{fields.Date.today()}:{number}"

    @api.model
    def _get_opt_in_template(self, company):
        """Return what the email says: the company's own template before the shared one,
        an archived one rather than none.

        :rtype: marketing.template
        """
        templates = self.env["marketing.template"].with_context(active_test=False)
        return templates.search(
            [
                ("context", "=", "opt_in"),
                ("channel", "=", "email"),
                ("company_id", "in", (False, company.id)),
            ],
            order="active desc, company_id, id",
            limit=1,
        )
