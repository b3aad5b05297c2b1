from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, email_normalize

from ...providers.address import format_mailbox
from ..channels import CHANNELS

# Which channel each kind of account serves; the sandbox serves all.
CHANNEL_BY_KIND = {"smtp": "email", "sendgrid": "email", "twilio": "sms"}
# Nothing is wrong with an account.
HEALTHY = {
    "last_error": False,
    "errors_in_a_row": 0,
    "failing_since": False,
    "rest_until": False,
}
# What a warm-up begins with, and by how much each day's limit grows on the last one's.
WARM_UP_FIRST_DAY = 50
WARM_UP_GROWTH = 1.5
# After these the plan is above any account's volume.
WARM_UP_DAYS = 60
# Days the error rate is counted over.
ERROR_RATE_DAYS = 7


class MarketingProvider(models.Model):
    """An account through which messages leave, or the sandbox, where they stay."""

    _name = "marketing.provider"
    _inherit = ["mail.thread", "mail.activity.mixin", "marketing.guard"]
    # States are written by administrators, who alone may write accounts at all.
    _guards_readonly = False
    _description = "Message Provider"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        string="Priority",
        default=10,
        help="The first account that is enabled and has room is used.",
    )
    kind = fields.Selection(
        [
            ("sandbox", "Sandbox"),
            ("smtp", "Outgoing mail server (SMTP)"),
            ("sendgrid", "SendGrid"),
            ("twilio", "Twilio"),
        ],
        required=True,
        default="smtp",
        help="The sandbox keeps messages inside Odoo: nobody receives them.",
    )
    channel = fields.Selection(
        CHANNELS,
        required=True,
        compute="_compute_channel",
        store=True,
        readonly=False,
        precompute=True,
    )
    state = fields.Selection(
        [("disabled", "Disabled"), ("enabled", "Enabled"), ("paused", "Paused")],
        required=True,
        readonly=True,
        copy=False,
        default="disabled",
    )
    company_id = fields.Many2one(
        "res.company", help="Leave empty to use it for every company."
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Who is told when the account does not work.",
    )
    from_name = fields.Char(
        string="Sender Name", translate=True, help="Empty: the company's name."
    )
    from_email = fields.Char(
        string="Sender Address", help="Empty: the company's email address."
    )
    reply_to = fields.Char(
        string="Replies Go To", help="Empty: replies go to the sender address."
    )

    # Limits
    daily_limit = fields.Integer(
        help="Messages a day (UTC), over all workers. 0 sets no limit."
    )
    per_second = fields.Float(
        string="Messages a Second",
        help="On average, over all workers. 0 sets no limit.",
    )
    warm_up_from = fields.Date(
        string="Warm-Up Since",
        help="A new sender's reputation grows with its volume: from this day on the "
        "daily limit begins at 50 and grows by half each day. Empty: no warm-up.",
    )
    throttle_ids = fields.One2many(
        "marketing.provider.throttle", "provider_id", string="Domain Throttles"
    )
    usage_ids = fields.One2many("marketing.provider.usage", "provider_id")

    # How it goes
    message_count = fields.Integer(string="Sent, 7 Days", compute="_compute_statistics")
    today_count = fields.Integer(string="Sent Today", compute="_compute_statistics")
    today_limit = fields.Integer(
        compute="_compute_statistics", help="Today's limit, with the warm-up; 0: none."
    )
    error_rate = fields.Float(
        compute="_compute_statistics",
        help="Share of the messages of the last seven days that failed or bounced.",
    )
    complaint_rate = fields.Float(
        compute="_compute_statistics",
        help="Share of the messages of the last seven days reported as spam. Mailbox "
        "providers ask for less than 0.3 %, better 0.1 %.",
    )

    _limits_positive = models.Constraint(
        "CHECK(daily_limit >= 0 AND per_second >= 0)",
        "A limit cannot be negative. Use 0 for no limit.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("kind")
    def _compute_channel(self):
        for provider in self:
            provider.channel = (
                CHANNEL_BY_KIND.get(provider.kind) or provider.channel or "email"
            )

    @api.depends_context("allowed_company_ids")
    def _compute_statistics(self):
        counts = self._count_messages()
        used = dict(
            self.env["marketing.provider.usage"]
            .sudo()
            ._read_group(
                [
                    ("provider_id", "in", self.ids),
                    ("day", "=", fields.Date.today()),
                    ("domain", "=", ""),
                ],
                ["provider_id"],
                ["count:sum"],
            )
        )
        for provider in self:
            total, recent, bad, complaints = counts.get(provider.id, (0, 0, 0, 0))
            provider.message_count = total
            provider.today_count = used.get(provider, 0)
            provider.today_limit = provider._get_daily_limit()
            provider.error_rate = bad / recent if recent else 0
            provider.complaint_rate = complaints / recent if recent else 0

    def _count_messages(self):
        """Return how many messages went through these accounts in the last days.

        :return: sent; all, failed or bounced, complained about; by id
        :rtype: dict[int, tuple[int, int, int, int]]
        """
        if not self.ids:
            return {}
        self.env["marketing.message"].flush_model()
        since = fields.Datetime.now() - timedelta(days=ERROR_RATE_DAYS)
        rows = self.env.execute_query(
            SQL(
                """SELECT m.provider_id,
                          count(*) FILTER (
                              WHERE m.state IN ('sent', 'delivered', 'bounced')),
                          count(*),
                          count(*) FILTER (WHERE m.state IN ('failed', 'bounced')),
                          count(*) FILTER (WHERE EXISTS (
                              SELECT FROM marketing_engagement e
                               WHERE e.message_id = m.id AND e.kind = 'complaint'))
                     FROM marketing_message m
                    WHERE m.provider_id = ANY(%(ids)s) AND m.sending_at >= %(since)s
                      AND m.state IN ('sent', 'delivered', 'bounced', 'failed')
                      AND m.company_id = ANY(%(company_ids)s)
                    GROUP BY m.provider_id""",
                since=since,
                ids=self.ids,
                company_ids=self.env.companies.ids,
            )
        )
        return {provider_id: tuple(counts) for provider_id, *counts in rows}

    # === CONSTRAINT METHODS ===#

    @api.constrains("from_email", "reply_to")
    def _check_addresses(self):
        for provider in self:
            for value in (provider.from_email, provider.reply_to):
                if value and not email_normalize(value):
                    raise UserError(
                        self.env._(
                            "“%s” is not one valid email address. Enter an address "
                            "like shop@example.com.",
                            value,
                        )
                    )

    @api.constrains("kind", "channel")
    def _check_channel(self):
        for provider in self:
            served = CHANNEL_BY_KIND.get(provider.kind, provider.channel)
            if provider.channel != served:
                raise ValidationError(
                    self.env._("An account of this kind cannot send on this channel.")
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._check_may_change_state(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_may_change_state([vals])
        return super().write(vals)

    @api.model
    def _check_may_change_state(self, vals_list):
        guarded = self._get_guarded_fields()
        if any(guarded & vals.keys() for vals in vals_list) and not (
            self.env.su or self.env.user.has_group("base.group_system")
        ):
            raise AccessError(
                self.env._("Only an administrator may decide where messages leave.")
            )

    @api.model
    def _get_guarded_fields(self):
        """Return the fields that only administrators may write: they decide whether and
        where messages leave.

        :rtype: set[str]
        """
        return {"state", "kind", "channel"}

    # === ACTION METHODS ===#

    def action_enable(self):
        """Let messages leave through these accounts from now on, also after a pause."""
        for provider in self:
            company = provider.company_id or self.env.company
            provider._check_can_send(company)
            provider._open_webhook()
        self.write({"state": "enabled", **HEALTHY})
        self._close_activities()
        self._release_held()

    def action_disable(self):
        """Stop using these accounts; messages go to the next one, or the sandbox."""
        self.write({"state": "disabled"})

    def action_view_messages(self):
        """Open the messages that went through this provider.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_message"
        )
        return {**action, "domain": [("provider_id", "=", self.id)], "context": {}}

    # === CHOICE ===#

    @api.model
    def _get_accounts(self, company, channel):
        """Return the accounts that may carry a company's messages, the first first.

        :param res.company company: whose messages
        :param str channel: key of ``channel``
        :return: enabled accounts, also those that rest; the sandbox if none is enabled;
            nothing while all of them are paused, so that messages wait
        :rtype: marketing.provider
        """
        accounts = self.search(
            [
                ("channel", "=", channel),
                ("company_id", "in", (company.id, False)),
                ("kind", "!=", "sandbox"),
                ("state", "in", ("enabled", "paused")),
            ]
        )
        if not accounts:
            return self._get_sandbox(channel)
        return accounts.filtered(lambda account: account.state == "enabled")

    @api.model
    def _select(self, company, channel):
        """Return the account a company's messages leave through now, if any.

        :param res.company company: whose messages
        :param str channel: key of ``channel``
        :rtype: marketing.provider
        """
        return self._get_accounts(company, channel)[:1]

    @api.model
    def _get_sandbox(self, channel):
        sandbox = self.search(
            [("channel", "=", channel), ("kind", "=", "sandbox")], limit=1
        )
        # Somebody may have deleted it: without one there is nowhere safe to deliver.
        return sandbox or self.create(
            {
                "name": self.env._("Sandbox"),
                "kind": "sandbox",
                "channel": channel,
                "state": "enabled",
            }
        )

    def _get_daily_limit(self, day=None):
        """Return how many messages may leave on a day, with the warm-up; 0: no limit.

        :param date day: the day (UTC); empty: today
        :rtype: int
        """
        self.ensure_one()
        day = day or fields.Date.today()
        days = (day - self.warm_up_from).days if self.warm_up_from else -1
        if not 0 <= days <= WARM_UP_DAYS:
            return self.daily_limit
        planned = round(WARM_UP_FIRST_DAY * WARM_UP_GROWTH**days)
        return min(planned, self.daily_limit) if self.daily_limit else planned

    def _open_webhook(self):
        """Make sure that reports of the provider find this account."""

    # === SENDER ===#

    def _check_can_send(self, company):
        """Refuse to enable an account that lacks what it needs.

        :raise UserError: says what to enter
        """
        self.ensure_one()
        if self.kind == "sandbox" or self.channel != "email":
            return
        if not self._get_sender(company):
            raise UserError(
                self.env._(
                    "There is no sender address. Enter one here, or set the email "
                    "address of %s.",
                    company.name,
                )
            )

    def _get_sender(self, company):
        """Return the From address for a company's messages, '' if there is none.

        :param res.company company: who is speaking
        :return: an address with a name, such as ``"Shop" <shop@example.com>``
        :rtype: str
        """
        self.ensure_one()
        address = email_normalize(self.from_email or company.email or "")
        if not address:
            return ""
        return format_mailbox(self.from_name or company.name, address)
