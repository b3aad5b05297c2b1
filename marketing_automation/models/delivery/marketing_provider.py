from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import email_normalize

from ...providers.address import format_mailbox
from ...providers.sandbox import SandboxProvider
from ...providers.smtp import SmtpProvider


class MarketingProvider(models.Model):
    """An account through which messages leave, or the sandbox, where they stay."""

    _name = "marketing.provider"
    _description = "Message Provider"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        string="Priority", default=10, help="The first enabled provider is used."
    )
    kind = fields.Selection(
        [("sandbox", "Sandbox"), ("smtp", "Outgoing mail server (SMTP)")],
        required=True,
        default="smtp",
        help="The sandbox keeps messages inside Odoo: nobody receives them.",
    )
    channel = fields.Selection(
        [("email", "Email")], required=True, default="email", readonly=True
    )
    state = fields.Selection(
        [("disabled", "Disabled"), ("enabled", "Enabled")],
        required=True,
        readonly=True,
        copy=False,
        default="disabled",
    )
    company_id = fields.Many2one(
        "res.company", help="Leave empty to use it for every company."
    )
    mail_server_id = fields.Many2one(
        "ir.mail_server",
        ondelete="restrict",
        groups="base.group_system",
        help="Leave empty to let Odoo choose by the sender's address, as it does for "
        "all other mail.",
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
    last_error = fields.Char(
        readonly=True, copy=False, help="What went wrong when it was last used."
    )
    message_count = fields.Integer(string="Sent", compute="_compute_message_count")

    # === COMPUTE METHODS ===#

    def _compute_message_count(self):
        counts = dict(
            self.env["marketing.message"]._read_group(
                [
                    ("provider_id", "in", self.ids),
                    ("state", "in", ("sent", "delivered", "bounced")),
                ],
                ["provider_id"],
                ["__count"],
            )
        )
        for provider in self:
            provider.message_count = counts.get(provider, 0)

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
        # What decides whether mail leaves the database is for administrators alone.
        guarded = {"state", "kind", "mail_server_id"}
        if any(guarded & vals.keys() for vals in vals_list) and not (
            self.env.su or self.env.user.has_group("base.group_system")
        ):
            raise AccessError(
                self.env._("Only an administrator may decide where messages leave.")
            )

    # === ACTION METHODS ===#

    def action_enable(self):
        """Let messages leave through this provider from now on."""
        for provider in self:
            company = provider.company_id or self.env.company
            if provider.kind != "sandbox" and not provider._get_sender(company):
                raise UserError(
                    self.env._(
                        "There is no sender address. Enter one here, or set the email "
                        "address of %s.",
                        company.name,
                    )
                )
        self.write({"state": "enabled", "last_error": False})

    def action_disable(self):
        """Stop using this provider; messages go to the next one, or the sandbox."""
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

    # === BUSINESS METHODS ===#

    @api.model
    def _select(self, company, channel):
        """Return the provider for a company's messages: the sandbox if none is enabled.

        :param res.company company: whose messages
        :param str channel: key of ``channel``
        :rtype: marketing.provider
        """
        candidates = self.search(
            [("channel", "=", channel), ("company_id", "in", (company.id, False))]
        )
        enabled = candidates.filtered(
            lambda provider: provider.state == "enabled" and provider.kind != "sandbox"
        )
        return enabled[:1] or self._get_sandbox(channel)

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

    def _get_adapter(self):
        """Return the plain-Python adapter that speaks with this provider.

        :rtype: odoo.addons.marketing_automation.providers.base.Provider
        """
        self.ensure_one()
        if self.kind == "sandbox":
            return SandboxProvider()
        mail_server = self.env["ir.mail_server"].sudo()
        server_id = self.sudo().mail_server_id.id

        def connect(email_from):
            return mail_server._connect__(
                mail_server_id=server_id or None, smtp_from=email_from
            )

        return SmtpProvider(
            connect=connect, prepare=mail_server._prepare_email_message__
        )
