from urllib.parse import urlsplit

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime

from ...tools import masking, message_key
from ...tools.shop_url import get_shop_url
from ..channels import CHANNELS
from .states import STATES

# Who goes first where the frequency cap lets only one message through.
PRIORITIES = {"test": 0, "transactional": 10, "cart": 20, "broadcast": 50}
# Messages of each campaign are a queue of their own, so that it can be paused; all
# others, and tests, are one.
SOURCE = "CASE WHEN priority = 0 THEN 0 ELSE COALESCE(campaign_id, 0) END"


class MarketingMessage(models.Model):
    """The outbox: one row per person, source and step, sent or not, with the reason.

    It knows no campaign logic: nullable links say where a message came from.
    """

    _name = "marketing.message"
    _inherit = ["marketing.person.search"]
    _description = "Marketing Message"
    _order = "id desc"
    _rec_name = "subject"
    _number_field = "phone_sanitized"

    state = fields.Selection(STATES, required=True, readonly=True, default="queued")
    state_changed_at = fields.Datetime(string="Since", readonly=True)
    reason = fields.Selection(
        [
            # Why somebody is not written to (the gate)
            ("no_email", "No email address"),
            ("no_phone", "No telephone number"),
            ("invalid_address", "Invalid email address"),
            ("number_kind", "A number that gets no text messages"),
            ("number_country", "A stranger's number of another country"),
            ("too_many_strangers", "Enough text messages to strangers for this hour"),
            ("archived", "Contact was archived"),
            ("contact_deleted", "Contact was deleted"),
            ("repeated", "Has the same message under another contact"),
            ("opted_out", "Opted out"),
            ("withdrawn", "Withdrew the consent to this"),
            ("left_list", "Unsubscribed from a mailing list"),
            ("no_consent", "Never agreed to this"),
            ("purchased", "Bought already"),
            ("emptied", "Cart was emptied or cancelled"),
            ("expired", "Cart expired"),
            ("returned", "Customer is in the shop right now"),
            ("nothing_available", "Nothing it is about can be had any more"),
            ("max_messages", "Enough messages sent for this cart"),
            ("condition", "A condition of the step does not hold"),
            ("no_coupon", "No coupon to remind of"),
            ("holdout", "In the control group, which gets nothing"),
            ("replied", "Customer replied"),
            ("cancelled", "Stopped by hand"),
            # Why somebody is written to later (the gate, the limits of an account)
            ("frequency_cap", "Had another message shortly before"),
            ("quiet_hours", "Quiet hours where the customer lives"),
            ("send_window", "Outside the hours of the step"),
            ("less_often", "Asked to hear less often"),
            ("paused", "Asked for a pause"),
            ("campaign_paused", "The campaign is paused"),
            ("no_identity", "Your company's postal address is missing"),
            ("too_late", "Too late to be sent unasked"),
            ("domain_throttled", "Enough messages for this mail domain for now"),
            # What went wrong
            ("rendering_error", "The template could not be rendered"),
            ("not_prepared", "It could not be made ready; Odoo's log says more"),
            ("no_sender", "No sender address is set"),
            ("connect_failed", "The provider could not be reached"),
            ("auth_failed", "The provider refused the login"),
            ("account_refused", "The provider refuses this account or its settings"),
            ("rate_limited", "The provider takes no more messages for now"),
            ("recipient_refused", "The provider refused the address"),
            ("sender_refused", "The provider refused the sender"),
            ("content_refused", "The provider refused the message"),
            ("temporary_failure", "The provider asked to try later"),
            ("not_reached", "Its turn did not come in time"),
            ("too_many_attempts", "Too many attempts"),
            ("connection_lost", "The connection was lost while handing over"),
            ("worker_lost", "The process that was sending it died"),
            ("provider_error", "The provider failed"),
            # What was reported later
            ("bounced_hard", "The address does not exist"),
            ("bounced_soft", "The mailbox did not take it"),
            ("dropped", "The provider did not pass it on"),
            ("undelivered", "It could not be delivered"),
            # What a person found out
            ("settled", "Settled by hand"),
            ("sent_again", "Sent again by hand"),
        ],
        readonly=True,
        help="Why the message is in its state.",
    )
    reason_detail = fields.Char(string="Details", readonly=True)
    history = fields.Json(
        readonly=True, help="Every change of state with its time and reason."
    )
    history_html = fields.Html(
        string="What Happened", compute="_compute_history_html", sanitize=False
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    priority = fields.Integer(
        readonly=True,
        default=PRIORITIES["cart"],
        help="Where somebody may get one message only, the lowest number goes first.",
    )
    dedupe_key = fields.Char(required=True, readonly=True, copy=False)
    token = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="In the links of this message alone; made with the claim at the latest.",
    )

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    website_id = fields.Many2one("website", readonly=True, ondelete="set null")
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index="btree_not_null"
    )
    email = fields.Char(string="To", readonly=True)
    email_normalized = fields.Char(readonly=True, index="btree_not_null")
    phone_sanitized = fields.Char(
        string="Telephone",
        readonly=True,
        index="btree_not_null",
        help="International form (E.164), of text messages.",
    )
    recipient = fields.Char(compute="_compute_recipient")
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
        string="Provider's Reference",
        readonly=True,
        index="btree_not_null",
        help="What the provider calls the message: the Message-ID of an email.",
    )
    subject = fields.Char(readonly=True)
    content_id = fields.Many2one(
        "marketing.content",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    content_values = fields.Json(
        readonly=True,
        groups="base.group_system",
        help="This person's own text in a content that many received.",
    )
    # Whoever has the links in them is the recipient: users see them without tokens.
    body_html = fields.Html(compute="_compute_body", sanitize=False)
    body_text = fields.Text(compute="_compute_body")
    segment_count = fields.Integer(
        string="Segments", readonly=True, help="Parts a text message is billed as."
    )

    engagement_ids = fields.One2many("marketing.engagement", "message_id")
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
    _token_uniq = models.UniqueIndex(
        "(token) WHERE token IS NOT NULL", "A message token is used once."
    )
    _queue_idx = models.Index(
        f"(company_id, channel, ({SOURCE}), scheduled_at, id) WHERE state = 'queued'"
    )
    _in_flight_idx = models.Index("(sending_at) WHERE state = 'sending'")
    # Nobody has two messages of a channel in flight: the frequency cap and the last
    # look at the person cannot be overtaken by another worker.
    _email_in_flight_uniq = models.UniqueIndex(
        "(email_normalized) WHERE state = 'sending' AND channel = 'email'",
        "This person is being written to already.",
    )
    _phone_in_flight_uniq = models.UniqueIndex(
        "(phone_sanitized) WHERE state = 'sending' AND channel = 'sms'",
        "This person is being written to already.",
    )
    _provider_idx = models.Index(
        "(provider_id, sending_at) WHERE provider_id IS NOT NULL"
    )

    # === COMPUTE METHODS ===#

    @api.depends("email", "subject")
    def _compute_display_name(self):
        for message in self:
            message.display_name = message.subject or message.email or message.id

    @api.depends("channel", "email", "phone_sanitized")
    def _compute_recipient(self):
        for message in self:
            message.recipient = (
                message.phone_sanitized if message.channel == "sms" else message.email
            )

    @api.depends("content_id", "content_values")
    @api.depends_context("uid")
    def _compute_body(self):
        for message, kept in zip(self, self.sudo(), strict=True):
            filled = kept.content_id._fill(kept.content_values)
            html, text = filled.get("html"), filled.get("text")
            if not self.env.su:
                tokens = kept._get_secrets()
                html = masking.mask_body(html, tokens)
                text = masking.mask_tokens(text, tokens)
            message.body_html, message.body_text = html, text

    @api.depends("history")
    def _compute_history_html(self):
        states = dict(self._fields["state"]._description_selection(self.env))
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        for message in self:
            entries = [
                {"at": message.create_date, "state": "queued"},
                *(message.history or []),
            ]
            message.history_html = Markup(
                "<table class='table table-sm'>%s</table>"
            ) % (
                Markup().join(
                    message._format_history_entry(entry, states, reasons)
                    for entry in entries
                )
            )

    def _format_history_entry(self, entry, states, reasons):
        at = (
            fields.Datetime.to_datetime(entry["at"][:19].replace("T", " "))
            if isinstance(entry["at"], str)
            else entry["at"]
        )
        return Markup(
            "<tr><td class='text-nowrap'>%s</td><td>%s</td><td>%s</td>"
            "<td class='text-muted'>%s</td></tr>"
        ) % (
            format_datetime(self.env, at) if at else "",
            states.get(entry["state"], entry["state"]),
            reasons.get(entry.get("reason"), ""),
            entry.get("detail") or "",
        )

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

    def action_open_cart(self):
        """Open the cart this message is about.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.abandoned_cart_id._get_records_action()

    # === FEEDBACK ===#

    def _unsubscribe(self, user_agent=None, ip=None):
        """The recipient wants no more of this: suppress the address everywhere.

        :param str user_agent: what the browser or mail program says it is
        :param str ip: where the request came from
        """
        self.ensure_one()
        self.env["marketing.preference"].sudo()._withdraw_all(
            self.company_id, self.channel, self._get_address(), "unsubscribe_link", ip
        )
        self.env["marketing.engagement"]._record(
            self.sudo().token, "unsubscribe", user_agent=user_agent
        )

    def _get_secrets(self):
        """Return what lets people act as the recipient of this message.

        :rtype: list[str]
        """
        self.ensure_one()
        message = self.sudo()
        owners = (message, message.abandoned_cart_id, message.opt_in_id)
        return [owner.token for owner in owners if owner.token]

    def _get_address(self):
        """Return the address of the person on this message's channel.

        :return: normalized email, or number in E.164
        :rtype: str
        """
        self.ensure_one()
        return self.phone_sanitized if self.channel == "sms" else self.email_normalized

    # === KEYS ===#

    def _get_key(self):
        """Return the public key of this message, see :mod:`...tools.message_key`.

        :rtype: str
        """
        self.ensure_one()
        return message_key.make_key(self._get_key_secret(), self.id)

    @api.model
    def _find_by_keys(self, keys):
        """Find messages by what providers, bounces and replies carry back.

        :param keys: public keys, also forged ones
        :return: the messages there are, by key
        :rtype: dict[str, marketing.message]
        """
        secret = self._get_key_secret()
        ids = {key: message_key.read_key(secret, key) for key in keys}
        # Iterated over, so that what is read of one is read of all.
        known = {
            message.id: message
            for message in self.browse(filter(None, ids.values())).exists()
        }
        return {
            key: known[message_id]
            for key, message_id in ids.items()
            if message_id in known
        }

    @api.model
    def _get_key_secret(self):
        return self.env["marketing.engagement"]._get_link_secret()

    # === LINKS ===#

    def _get_lang_code(self):
        """Return the code of the language this message is written in.

        :rtype: str
        """
        self.ensure_one()
        # Asked for each message of a batch, and nearly all have one that is known.
        if self.lang and self.env["res.lang"]._get_data(code=self.lang):
            return self.lang
        contexts = self.env["marketing.template.context"]
        return contexts._get_message_lang(self, contexts._get_website(self)).code

    def _get_base_url(self):
        """Return the address of the shop this message speaks for, without slash.

        :rtype: str
        """
        self.ensure_one()
        website = self.website_id or self.company_id.website_id
        return get_shop_url(website or self.env["website"])

    def _get_unsubscribe_url(self):
        """Return the address that ends these messages in one click (RFC 8058).

        :rtype: str
        """
        self.ensure_one()
        return f"{self._get_base_url()}/marketing/unsubscribe/{self.sudo().token}"

    def _get_preferences_url(self):
        """Return the address where the recipient chooses what to receive.

        :rtype: str
        """
        self.ensure_one()
        return f"{self._get_base_url()}/marketing/preferences/{self.sudo().token}"

    def _get_overrides(self):
        """Return what the source of a message says in place of template and account.

        :return: empty, or ``subject`` and ``preheader`` (Jinja2; empty: as the
            template), ``from_name`` and ``reply_to`` (empty: as the account), and
            whether to ``track_opens`` and ``track_clicks``
        :rtype: dict
        """
        self.ensure_one()
        return {}

    def _get_utm_parameters(self):
        """Return what marks links to our own shop, so that Odoo's reports of sources
        agree with ours.

        :return: hosts of our own, and source, medium and campaign
        :rtype: tuple[set[str], dict[str, str]]
        """
        self.ensure_one()
        hosts = {urlsplit(self._get_base_url()).netloc.lower()}
        source = self.step_id.name or self.template_id.name
        return hosts, {
            "source": source or "",
            "medium": dict(CHANNELS)[self.channel],
            "campaign": self.sequence_id.name or source or "",
        }

    def _get_categories(self):
        """Return what a message belongs to, for statistics at the provider.

        :rtype: list[str]
        """
        self.ensure_one()
        names = (self.sequence_id.name, self.step_id.name or self.template_id.name)
        return [name for name in names if name]

    def _get_bounce_address(self, key):
        """Return the envelope sender that brings bounces of this message back to Odoo.

        :param str key: public key of the message
        :return: ``bounce+KEY@domain``; '' where Odoo receives no bounces
        :rtype: str
        """
        self.ensure_one()
        domain = self.company_id.alias_domain_id
        if not domain.bounce_alias:
            return ""
        return f"{domain.bounce_alias}+{key}@{domain.name}"
