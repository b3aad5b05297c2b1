"""What each kind of account needs: credentials, and the adapter that speaks with it."""

import os

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...providers.base import InvalidWebhook
from ...providers.sandbox import SandboxProvider
from ...providers.sendgrid import EU_URL, GLOBAL_URL, SendGridProvider
from ...providers.smtp import SmtpProvider
from ...providers.twilio import TwilioProvider
from ...tools.shop_url import get_shop_url

# A credential may name an environment variable in place of holding the secret.
ENVIRONMENT_PREFIX = "env:"
SECRET_FIELDS = {"sendgrid_api_key", "twilio_auth_token", "webhook_token"}
# Which credentials an account cannot do without.
REQUIRED_FIELDS = {
    "sendgrid": ("sendgrid_api_key",),
    "twilio": ("twilio_account_sid", "twilio_auth_token"),
}


def secret(string, **kwargs):
    """A credential: administrators only, never copied, exported or shown to others."""
    return fields.Char(
        string,
        groups="base.group_system",
        copy=False,
        exportable=False,
        help="The secret itself, or env:NAME to read it from the environment variable "
        "NAME of the server.",
        **kwargs,
    )


class MarketingProvider(models.Model):
    _inherit = "marketing.provider"

    # SMTP
    mail_server_id = fields.Many2one(
        "ir.mail_server",
        ondelete="restrict",
        groups="base.group_system",
        help="Leave empty to let Odoo choose by the sender's address, as it does for "
        "all other mail.",
    )
    # SendGrid
    sendgrid_api_key = secret("API Key")
    sendgrid_host = fields.Selection(
        [("global", "Global"), ("eu", "European Union")],
        string="Data Region",
        default="global",
        help="Accounts of the European Union have a host of their own.",
    )
    sendgrid_sandbox_mode = fields.Boolean(
        string="SendGrid's Sandbox Mode",
        help="SendGrid checks every message and delivers none.",
    )
    sendgrid_webhook_key = fields.Char(
        string="Webhook Verification Key",
        groups="base.group_system",
        copy=False,
        help="The public key that SendGrid shows when the signature of the event "
        "webhook is switched on. Without it the webhook is closed.",
    )
    # Twilio
    twilio_account_sid = fields.Char("Account SID", groups="base.group_system")
    twilio_auth_token = secret("Auth Token")
    twilio_sender = fields.Char(
        "Sender",
        groups="base.group_system",
        help="A number such as +15550100, or a name where the country allows one.",
    )
    twilio_messaging_service_sid = fields.Char(
        "Messaging Service SID",
        groups="base.group_system",
        help="In place of a sender: Twilio chooses a number of this service.",
    )
    segment_price = fields.Float(
        string="Price of a Segment",
        digits=(16, 5),
        help="What one part of a text message costs; shown while writing.",
    )
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    # Reports of the provider
    webhook_token = fields.Char(
        groups="base.group_system",
        copy=False,
        exportable=False,
        readonly=True,
        default=lambda self: os.urandom(16).hex(),
    )
    webhook_url = fields.Char(
        compute="_compute_webhook_url",
        groups="base.group_system",
        help="Enter this address at the provider, so that it reports what became of "
        "the messages.",
    )
    base_url = fields.Char(
        string="API Address",
        groups="base.group_system",
        help="Only to reach the provider through a proxy. Empty: its own address.",
    )

    _webhook_token_uniq = models.UniqueIndex(
        "(webhook_token)", "A webhook belongs to one account."
    )

    @api.model
    def _get_guarded_fields(self):
        return super()._get_guarded_fields() | {
            *SECRET_FIELDS,
            "mail_server_id",
            "sendgrid_host",
            "sendgrid_webhook_key",
            "sendgrid_sandbox_mode",
            "twilio_account_sid",
            "twilio_sender",
            "twilio_messaging_service_sid",
            "base_url",
        }

    @api.depends("webhook_token", "kind", "company_id")
    def _compute_webhook_url(self):
        for provider in self:
            base_url = get_shop_url(provider.company_id.website_id or provider)
            provider.webhook_url = (
                f"{base_url}/marketing/webhook/{provider.webhook_token}"
                if provider.webhook_token and provider.kind in ("sendgrid", "twilio")
                else False
            )

    def _check_can_send(self, company):
        res = super()._check_can_send(company)
        provider = self.sudo()
        for name in REQUIRED_FIELDS.get(self.kind, ()):
            if not provider[name]:
                field = self._fields[name]._description_string(self.env)
                raise UserError(self.env._("Enter the %s first.", field))
        if self.kind == "twilio" and not (
            provider.twilio_sender or provider.twilio_messaging_service_sid
        ):
            raise UserError(
                self.env._("Enter a sender or a messaging service that sends for you.")
            )
        return res

    def _get_secret(self, name):
        """Return a credential, from its field or the environment variable it names.

        :param str name: one of ``SECRET_FIELDS``
        :return: the secret, '' if there is none
        :rtype: str
        """
        value = (self.sudo()[name] or "").strip()
        if value.startswith(ENVIRONMENT_PREFIX):
            return os.environ.get(value.removeprefix(ENVIRONMENT_PREFIX), "").strip()
        return value

    # === WEBHOOK ===#

    def _open_webhook(self):
        """Give the account an address for reports; a copied database has none."""
        if not self.sudo().webhook_token:
            self.sudo().webhook_token = os.urandom(16).hex()

    def _parse_webhook(self, headers, raw_body, url):
        """Verify and read what the provider posted.

        :param dict headers: of the request
        :param bytes raw_body: exactly what was received
        :param str url: the address as the provider called it
        :rtype: list[DeliveryEvent]
        :raise InvalidWebhook: not proven to come from the provider, or malformed
        """
        # Behind a proxy the address may look different here from outside.
        _path, mark, query = url.partition("?")
        outside = f"{self.webhook_url}{mark}{query}"
        adapter = self._get_adapter()
        try:
            try:
                return adapter.parse_webhook(headers, raw_body, outside)
            except InvalidWebhook:
                return adapter.parse_webhook(headers, raw_body, url)
        finally:
            adapter.close()

    # === ADAPTERS ===#

    def _get_adapter(self):
        """Return the plain-Python adapter that speaks with this account.

        :rtype: odoo.addons.marketing_automation.providers.base.Provider
        """
        self.ensure_one()
        return getattr(self.sudo(), f"_make_{self.kind}")()

    def _make_sandbox(self):
        return SandboxProvider()

    def _make_smtp(self):
        mail_server = self.env["ir.mail_server"].sudo()
        server_id = self.mail_server_id.id

        def connect(email_from):
            return mail_server._connect__(
                mail_server_id=server_id or None, smtp_from=email_from
            )

        return SmtpProvider(
            connect=connect, prepare=mail_server._prepare_email_message__
        )

    def _make_sendgrid(self):
        host = EU_URL if self.sendgrid_host == "eu" else GLOBAL_URL
        return SendGridProvider(
            self._get_secret("sendgrid_api_key"),
            base_url=self.base_url or host,
            sandbox_mode=self.sendgrid_sandbox_mode,
            webhook_public_key=self.sendgrid_webhook_key or "",
        )

    def _make_twilio(self):
        return TwilioProvider(
            self.twilio_account_sid or "",
            self._get_secret("twilio_auth_token"),
            sender=self.twilio_sender or "",
            messaging_service_sid=self.twilio_messaging_service_sid or "",
            **({"base_url": self.base_url} if self.base_url else {}),
        )
