from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import get_lang

from ...tools import rendering
from ...tools.samples import get_samples
from ..audience.purposes import PURPOSES
from ..channels import CHANNELS
from .merge_tags import (
    CART_TAGS,
    CONTACT_TAGS,
    OPT_IN_TAGS,
    ORDER_TAGS,
    PRODUCT_TAGS,
)

# Which source field makes which part of an email.
PARTS = {
    "subject": "subject",
    "preheader": "preheader",
    "body_html": "html",
    "body_text": "text",
}
# Which source fields a template of each channel has.
SOURCES = {"email": tuple(PARTS), "sms": ("body_sms",)}
REQUIRED_SOURCES = {"email": ("subject", "body_html"), "sms": ("body_sms",)}
# What a new template starts with.
SKELETON = """{% extends "layout" %}
{% block content %}

<h1>Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}</h1>
<p>…</p>

{% include "cart_items" %}

{{ button("Back to my cart", cart.recovery_url) }}

{% endblock %}
"""
FIELDS_BY_PART = {part: name for name, part in PARTS.items()} | {"sms": "body_sms"}
# What each kind of template can say.
TAGS_BY_CONTEXT = {
    "cart": CART_TAGS,
    "contact": CONTACT_TAGS,
    "opt_in": OPT_IN_TAGS,
    "product": PRODUCT_TAGS,
    "order": ORDER_TAGS,
}
# What a template is about where nobody says anything else.
DEFAULT_PURPOSES = {"product": "product_updates", "order": "product_updates"}
# What Twilio takes at most in one message.
MAX_SMS_LENGTH = 1600


class MarketingTemplate(models.Model):
    """What a message says: Jinja2 sources, rendered with plain values."""

    _name = "marketing.template"
    _inherit = ["marketing.shared"]
    _description = "Marketing Template"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    category = fields.Selection(
        [
            ("marketing", "Marketing"),
            ("transactional", "Transactional"),
            ("notification", "Notification"),
            ("system", "System"),
        ],
        required=True,
        default="marketing",
    )
    channel = fields.Selection(CHANNELS, required=True, default="email")
    context = fields.Selection(
        [
            ("cart", "Abandoned cart"),
            ("contact", "Any contact"),
            ("opt_in", "Confirmation of consent"),
            ("product", "Products"),
            ("order", "Order"),
        ],
        string="Used For",
        required=True,
        default="cart",
        help="Decides which merge tags there are.",
    )
    purpose = fields.Selection(
        PURPOSES,
        required=True,
        compute="_compute_purpose",
        store=True,
        precompute=True,
        readonly=False,
        help="What it is about. It goes to those who agreed to this.",
    )
    company_id = fields.Many2one("res.company", help="Leave empty for all companies.")

    subject = fields.Char(translate=True)
    preheader = fields.Char(
        string="Preview Line",
        translate=True,
        help="What inboxes show after the subject. It is not visible in the email.",
    )
    body_html = fields.Text(
        string="HTML",
        translate=True,
        default=SKELETON,
    )
    body_text = fields.Text(
        string="Plain Text",
        translate=True,
        help="For mail programs without HTML. Leave empty to derive it from the HTML.",
    )

    body_sms = fields.Text(
        string="Text Message",
        translate=True,
        help="Links become short ones of your shop when the message is sent.",
    )
    # What one part of a text message costs, for the count while writing.
    sms_segment_price = fields.Float(
        compute="_compute_sms_price", digits=(16, 5), compute_sudo=True
    )
    sms_currency_symbol = fields.Char(compute="_compute_sms_price", compute_sudo=True)

    # === COMPUTE METHODS ===#

    @api.depends("context")
    def _compute_purpose(self):
        for template in self:
            if template.context == "cart":
                template.purpose = "cart"
            elif template.purpose in (False, "cart"):
                template.purpose = DEFAULT_PURPOSES.get(template.context, "offers")

    @api.depends("channel", "company_id")
    @api.depends_context("company")
    def _compute_sms_price(self):
        providers = self.env["marketing.provider"]
        for template in self:
            company = template.company_id or self.env.company
            account = providers._select(company, "sms")
            template.sms_segment_price = account.segment_price
            template.sms_currency_symbol = account.currency_id.symbol

    # === CONSTRAINT METHODS ===#

    @api.constrains("category", "channel", "context", "body_sms", *PARTS)
    def _check_sources(self):
        """Refuse sources that cannot be sent, in any of their languages."""
        for template in self:
            template._check_complete()
            for lang, sources in template._get_sources_by_lang().items():
                try:
                    template._check_renders(sources)
                except rendering.RenderError as error:
                    raise ValidationError(
                        template._format_source_error(error, lang)
                    ) from error

    def _check_complete(self):
        for name in REQUIRED_SOURCES[self.channel]:
            if not (self[name] or "").strip():
                raise ValidationError(
                    self.env._(
                        "%s is missing: write what the message says.",
                        self._fields[name]._description_string(self.env),
                    )
                )

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", template.name)}
            for template, vals in zip(self, vals_list, strict=True)
        ]

    # === ACTION METHODS ===#

    def action_send_test(self):
        """Send the message with sample values to whoever asks for it.

        It goes through the outbox like any other, only that caps and quiet hours do not
        hold it back.

        :return: a notification that says where to look
        :rtype: dict
        :raises UserError: their own contact has an address that is not theirs, or they
            have sent many of them
        """
        self.ensure_one()
        self.check_access("read")
        partner = self.env.user.partner_id
        address = partner.email_normalized
        if self.channel == "sms":
            address = partner.phone_sanitized
        if not address:
            raise UserError(
                self.env._(
                    "Your own contact has no valid address for this channel. Enter it "
                    "under My Profile."
                )
            )
        self.env["marketing.message"]._check_test(self.channel, partner)
        self.env["marketing.message"].sudo()._queue_test(
            self, partner, self.company_id or self.env.company
        )
        return self.env["marketing.message"]._notify_test(address)

    # === BUSINESS METHODS ===#

    def _render(self, context, overrides=None):
        """Render an email in the language of the environment.

        :param dict context: plain values, as ``marketing.template.context`` builds them
        :param dict overrides: sources in place of the template's, by field name
        :return: subject, HTML with inlined CSS, and text
        :rtype: rendering.Rendered
        :raise rendering.RenderError: the template does not work with these values
        """
        self.ensure_one()
        # A recipient's language may have been uninstalled since.
        lang = get_lang(self.env, self.env.context.get("lang"))
        return rendering.render(
            self.with_context(lang=lang.code)._get_templates(overrides), context
        )

    def _render_sms(self, context):
        """Render a text message in the language of the environment.

        :param dict context: plain values, as ``marketing.template.context`` builds them
        :rtype: str
        :raise rendering.RenderError: the template does not work with these values, or
            the message is longer than a text message can be
        """
        self.ensure_one()
        lang = get_lang(self.env, self.env.context.get("lang"))
        return self._render_sms_source(
            self.with_context(lang=lang.code).body_sms, context
        )

    def _render_sms_source(self, source, context):
        text = rendering.tidy_text(rendering.render_text(source or "", context)).strip()
        if len(text) > MAX_SMS_LENGTH:
            raise rendering.RenderError(
                self.env._(
                    "a text message can have %s characters at most", MAX_SMS_LENGTH
                ),
                part="sms",
            )
        if not text:
            raise rendering.RenderError(self.env._("the text is empty"), part="sms")
        return text

    def _get_templates(self, overrides=None):
        """Return the sources of an email.

        :param dict overrides: sources in place of the template's, by field name
        :rtype: rendering.Templates
        """
        overrides = overrides or {}
        return self._make_templates(
            {name: overrides.get(name) or self[name] for name in PARTS}
        )

    def _make_templates(self, sources):
        return rendering.Templates(
            **{part: sources[name] or "" for name, part in PARTS.items()}
        )

    def _get_merge_tags(self):
        """Return the merge tags templates of this kind can use.

        :rtype: list[MergeTag]
        """
        return list(TAGS_BY_CONTEXT[self.context or "cart"])

    def _get_sample_context(self):
        """Return made-up values to check and preview templates of this kind with, in
        the language of the environment where there are some.

        :rtype: dict
        """
        return get_samples(self.env.lang)[self.context or "cart"]
