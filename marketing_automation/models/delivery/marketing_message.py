from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import links
from ..cart.cart_detection import RANDOM_TOKEN

STATES = [
    ("queued", "Queued"),
    ("sending", "Sending"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("bounced", "Bounced"),
    ("failed", "Failed"),
    ("skipped", "Skipped"),
    ("cancelled", "Cancelled"),
    ("uncertain", "Uncertain"),
]
# States move forward only: from which states a message may get to each. `queued` after
# `sending` is the one way back, for what the provider has certainly not taken.
ALLOWED_FROM = {
    "queued": ["sending"],
    "sending": ["queued"],
    "sent": ["sending", "uncertain"],
    "delivered": ["sending", "sent", "uncertain"],
    "bounced": ["sending", "sent", "delivered", "uncertain"],
    "failed": ["queued", "sending", "uncertain"],
    "skipped": ["queued", "sending"],
    "cancelled": ["queued"],
    "uncertain": ["sending"],
}
# States of messages that reached the person, as far as anybody knows.
REACHED_STATES = ("sent", "delivered", "bounced")


class MarketingMessage(models.Model):
    """The outbox: one row per person, source and step, sent or not, with the reason.

    It knows no campaign logic: nullable links say where a message came from.
    """

    _name = "marketing.message"
    _description = "Marketing Message"
    _order = "id desc"
    _rec_name = "subject"

    state = fields.Selection(STATES, required=True, readonly=True, default="queued")
    state_changed_at = fields.Datetime(string="Since", readonly=True)
    reason = fields.Selection(
        [
            # Why somebody is not written to (the gate)
            ("no_email", "No email address"),
            ("invalid_address", "Invalid email address"),
            ("opted_out", "Opted out"),
            ("purchased", "Bought already"),
            ("emptied", "Cart was emptied or cancelled"),
            ("expired", "Cart expired"),
            ("returned", "Customer is in the shop right now"),
            ("nothing_available", "Nothing in the cart can be sold any more"),
            ("max_messages", "Enough messages sent for this cart"),
            ("cancelled", "Stopped by hand"),
            # What went wrong
            ("rendering_error", "The template could not be rendered"),
            ("no_sender", "No sender address is set"),
            ("connect_failed", "The mail server could not be reached"),
            ("auth_failed", "The mail server refused the login"),
            ("recipient_refused", "The mail server refused the address"),
            ("sender_refused", "The mail server refused the sender"),
            ("content_refused", "The mail server refused the message"),
            ("temporary_failure", "The mail server asked to try later"),
            ("too_many_attempts", "Too many attempts"),
            ("connection_lost", "The connection was lost while handing over"),
            ("worker_lost", "The process that was sending it died"),
            ("provider_error", "The provider failed"),
            # What a person found out
            ("settled", "Settled by hand"),
        ],
        readonly=True,
        help="Why the message is in its state.",
    )
    reason_detail = fields.Char(string="Details", readonly=True)
    channel = fields.Selection([("email", "Email")], required=True, readonly=True)
    dedupe_key = fields.Char(required=True, readonly=True, copy=False)
    token = fields.Char(
        required=True, readonly=True, copy=False, groups="base.group_system"
    )

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    website_id = fields.Many2one("website", readonly=True, ondelete="set null")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index="btree_not_null"
    )
    email = fields.Char(string="To", readonly=True)
    email_normalized = fields.Char(readonly=True, index="btree_not_null")
    lang = fields.Char(string="Language", readonly=True)

    template_id = fields.Many2one("marketing.template", readonly=True)
    sequence_id = fields.Many2one(
        "marketing.sequence", readonly=True, index="btree_not_null"
    )
    step_id = fields.Many2one(
        "marketing.sequence.step",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    enrollment_id = fields.Many2one(
        "marketing.enrollment",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart", readonly=True, index="btree_not_null", ondelete="cascade"
    )

    scheduled_at = fields.Datetime(
        string="Due", readonly=True, help="Not handed over before this time."
    )
    attempts = fields.Integer(readonly=True)
    sending_at = fields.Datetime(string="Handed Over", readonly=True)
    sent_at = fields.Datetime(string="Sent On", readonly=True)
    provider_id = fields.Many2one("marketing.provider", readonly=True)
    is_sandbox = fields.Boolean(
        string="Sandbox",
        readonly=True,
        help="Delivered into this inbox only; nothing left the database.",
    )
    message_ref = fields.Char(
        string="Message-ID", readonly=True, index="btree_not_null"
    )
    subject = fields.Char(readonly=True)
    body_html = fields.Html(readonly=True, sanitize=False)
    body_text = fields.Text(readonly=True)

    engagement_ids = fields.One2many("marketing.engagement", "message_id")
    click_count = fields.Integer(
        string="Clicks", compute="_compute_clicks", search="_search_click_count"
    )
    last_clicked_at = fields.Datetime(compute="_compute_clicks")
    attributed_order_ids = fields.One2many(
        "sale.order",
        "attributed_message_id",
        string="Credited Orders",
        # Reading it asks for rights on orders; marketing users need not have them.
        groups="sales_team.group_sale_salesman",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    attributed_revenue = fields.Monetary(
        string="Credited Revenue",
        compute="_compute_attributed_revenue",
        help="Orders credited to this message in the company's currency, without "
        "refunds and cancelled orders.",
    )

    _dedupe_key_uniq = models.UniqueIndex(
        "(dedupe_key)", "This message was decided on already."
    )
    _token_uniq = models.UniqueIndex("(token)", "A message token is used once.")
    _queue_idx = models.Index("(scheduled_at, id) WHERE state = 'queued'")
    _in_flight_idx = models.Index("(sending_at) WHERE state = 'sending'")

    # === COMPUTE METHODS ===#

    @api.depends("email", "subject")
    def _compute_display_name(self):
        for message in self:
            message.display_name = message.subject or message.email or message.id

    @api.depends("engagement_ids")
    def _compute_clicks(self):
        clicks = {
            message: (count, last)
            for message, count, last in self.env["marketing.engagement"]._read_group(
                [("message_id", "in", self.ids), *self._get_click_domain()],
                ["message_id"],
                ["__count", "occurred_at:max"],
            )
        }
        for message in self:
            message.click_count, message.last_clicked_at = clicks.get(
                message, (0, False)
            )

    @api.model
    def _search_click_count(self, operator, value):
        # "clicked" and "not clicked" are what the filters ask for.
        if (operator, value) not in ((">", 0), ("=", 0)):
            return NotImplemented
        clicked = self.env["marketing.engagement"]._search(self._get_click_domain())
        domain = fields.Domain("engagement_ids", "in", clicked)
        return domain if operator == ">" else ~domain

    @api.model
    def _get_click_domain(self):
        return [("kind", "=", "click"), ("is_machine", "=", False)]

    @api.depends("attributed_order_ids.state", "attributed_order_ids.amount_total")
    def _compute_attributed_revenue(self):
        for message in self:
            message.attributed_revenue = sum(
                order._get_marketing_revenue()
                for order in message.sudo().attributed_order_ids
            )

    # === ACTION METHODS ===#

    def action_cancel(self):
        """Take these messages back if they have not been handed over yet.

        Users may do this without being able to write anything else on a message.
        """
        self.check_access("read")
        self.sudo()._set_state("cancelled", "cancelled")

    def action_mark_sent(self):
        """Settle uncertain messages: somebody found out that they arrived."""
        self._settle("sent")

    def action_mark_failed(self):
        """Settle uncertain messages: somebody found out that they never left."""
        self._settle("failed")

    def action_open_cart(self):
        """Open the cart this message is about.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.abandoned_cart_id._get_records_action()

    # === QUEUE ===#

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
                    create_uid, create_date, write_uid, write_date, token, dedupe_key,
                    state, state_changed_at, scheduled_at, attempts, channel,
                    company_id, website_id, partner_id, email, email_normalized, lang,
                    template_id, sequence_id, step_id, enrollment_id,
                    abandoned_cart_id)
                SELECT %(uid)s, %(now)s, %(uid)s, %(now)s, %(token)s,
                       'enrollment:' || run.id || ':step:' || step.id,
                       'queued', %(now)s, run.next_at, 0,
                       step.channel, run.company_id, cart.website_id, cart.partner_id,
                       cart.email, cart.email_normalized, cart.lang, step.template_id,
                       run.sequence_id, step.id, run.id, cart.id
                  FROM marketing_enrollment run
                  JOIN marketing_sequence_step step ON step.id = run.next_step_id
                  JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
                 WHERE run.id = ANY(%(run_ids)s)
                    ON CONFLICT (dedupe_key) DO NOTHING
                RETURNING id
                """,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                token=RANDOM_TOKEN,
                run_ids=enrollments.ids,
            )
        )
        enrollments.invalidate_recordset(["message_ids"])
        enrollments.abandoned_cart_id.invalidate_recordset(["message_ids"])
        return self.browse(message_id for (message_id,) in rows)

    def _skip_blocked(self):
        """Ask the gate, and settle the messages that must not be sent now.

        :return: the messages that may go
        :rtype: marketing.message
        """
        blocked = {}
        for message_id, reason in self.env["marketing.gate"]._check(self).items():
            if reason:
                blocked.setdefault(reason, self.browse())
                blocked[reason] |= self.browse(message_id)
        passed = self
        for reason, messages in blocked.items():
            messages._skip(reason)
            passed -= messages
        return passed

    def _skip(self, reason):
        """Do not send these messages, and tell where they came from.

        :param str reason: key of ``reason``
        """
        self._set_state("skipped", reason)
        self.enrollment_id._on_message_blocked(reason)

    @api.model
    def _claim(self, limit):
        """Take up to ``limit`` due messages for sending; nobody else gets them.

        The caller commits at once: what is ``sending`` is never sent by anybody else.

        :param int limit: number of messages
        :return: the claimed messages, now ``sending``
        :rtype: marketing.message
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE marketing_message
                   SET state = 'sending', sending_at = %(now)s,
                       state_changed_at = %(now)s, reason = NULL,
                       reason_detail = NULL
                 WHERE id IN (
                       SELECT id FROM marketing_message
                        WHERE state = 'queued'
                          AND scheduled_at <= %(now)s
                        ORDER BY scheduled_at, id LIMIT %(limit)s
                          FOR UPDATE SKIP LOCKED)
                RETURNING id
                """,
                now=fields.Datetime.now(),
                limit=limit,
            )
        )
        messages = self.browse(sorted(message_id for (message_id,) in rows))
        messages.invalidate_recordset()
        return messages

    @api.model
    def _settle_lost(self, older_than_minutes=60):
        """Mark what was in flight when a worker died as uncertain; never send it again.

        :param int older_than_minutes: how long a hand-over may take at most
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

    # === STATES ===#

    def _set_state(self, state, reason=None, detail=None, **vals):
        """Move messages to ``state``; those that cannot go there stay as they are.

        The only way a message changes its state.

        :param str state: key of ``STATES``
        :param str reason: key of ``reason``
        :param str detail: what the provider or the error said
        :param vals: further values to write on the messages that moved
        :return: the messages that moved
        :rtype: marketing.message
        """
        moving = self.filtered(lambda message: message.state in ALLOWED_FROM[state])
        moving.write(
            {
                "state": state,
                "state_changed_at": fields.Datetime.now(),
                "reason": reason,
                "reason_detail": detail,
                **vals,
            }
        )
        return moving

    # === FEEDBACK ===#

    def _unsubscribe(self, user_agent=None):
        """The recipient wants no more of this: suppress the address everywhere.

        :param str user_agent: what the browser or mail program says it is
        """
        self.ensure_one()
        blacklist = self.env["mail.blacklist"].sudo()
        if not blacklist.search_count([("email", "=", self.email_normalized)]):
            blacklist._add(
                self.email_normalized,
                message=self.env._("Unsubscribed from marketing messages."),
            )
        self.env["marketing.engagement"]._record(
            self.sudo().token, "unsubscribe", user_agent=user_agent
        )

    def _settle(self, state):
        self.check_access("read")
        uncertain = self.sudo().filtered(lambda message: message.state == "uncertain")
        uncertain._set_state(state, "settled")

    # === LINKS ===#

    def _get_base_url(self):
        """Return the address of the shop this message speaks for, without slash.

        :rtype: str
        """
        self.ensure_one()
        return (self.website_id or self.env["website"]).get_base_url()

    def _get_unsubscribe_url(self):
        """Return the address that ends these messages in one click (RFC 8058).

        :rtype: str
        """
        self.ensure_one()
        return f"{self._get_base_url()}/marketing/unsubscribe/{self.sudo().token}"

    def _wrap_links(self, html):
        """Send the links of a rendered body through the signed click redirect.

        :param str html: a rendered HTML body
        :return: the same body with every web link counted, but the unsubscribe link
        :rtype: str
        """
        self.ensure_one()
        return links.wrap_links(
            html,
            f"{self._get_base_url()}/marketing/click/{self.sudo().token}",
            self.env["marketing.engagement"]._get_link_secret(),
            skip=[self._get_unsubscribe_url()],
        )
