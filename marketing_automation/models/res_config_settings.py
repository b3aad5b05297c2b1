from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    cart_recovery_enabled = fields.Boolean(
        related="website_id.cart_recovery_enabled", readonly=False
    )
    cart_idle_minutes = fields.Integer(
        related="website_id.cart_idle_minutes", readonly=False
    )
    cart_minimum_amount = fields.Monetary(
        related="company_id.cart_minimum_amount",
        readonly=False,
        currency_field="currency_id",
    )
    cart_expiry_days = fields.Integer(
        related="company_id.cart_expiry_days", readonly=False
    )
    attribution_days = fields.Integer(
        related="company_id.attribution_days", readonly=False
    )
    capture_typed_contact = fields.Boolean(
        related="website_id.capture_typed_contact", readonly=False
    )
    quotation_recovery_enabled = fields.Boolean(
        related="company_id.quotation_recovery_enabled", readonly=False
    )
    quotation_idle_days = fields.Integer(
        related="company_id.quotation_idle_days", readonly=False
    )
    consent_policy = fields.Selection(
        related="company_id.consent_policy", readonly=False
    )
    double_opt_in = fields.Boolean(related="company_id.double_opt_in", readonly=False)
    consent_at_checkout = fields.Boolean(
        related="website_id.consent_at_checkout", readonly=False
    )
    consent_at_sign_up = fields.Boolean(
        related="website_id.consent_at_sign_up", readonly=False
    )
    email_cap_hours = fields.Float(related="company_id.email_cap_hours", readonly=False)
    sms_cap_hours = fields.Float(related="company_id.sms_cap_hours", readonly=False)
    sms_country_ids = fields.Many2many(
        related="company_id.sms_country_ids", readonly=False
    )
    sms_strangers_per_hour = fields.Integer(
        related="company_id.sms_strangers_per_hour", readonly=False
    )
    sms_strangers_per_visitor = fields.Integer(
        related="company_id.sms_strangers_per_visitor", readonly=False
    )
    opt_in_hourly_limit = fields.Integer(
        related="website_id.opt_in_hourly_limit", readonly=False
    )
    late_is_held = fields.Boolean(related="company_id.late_is_held", readonly=False)
    late_hours_campaign = fields.Integer(
        related="company_id.late_hours_campaign", readonly=False
    )
    late_hours_recurring = fields.Integer(
        related="company_id.late_hours_recurring", readonly=False
    )
    late_hours_cart = fields.Integer(
        related="company_id.late_hours_cart", readonly=False
    )
    late_hours_sequence = fields.Integer(
        related="company_id.late_hours_sequence", readonly=False
    )
    late_hours_opt_in = fields.Integer(
        related="company_id.late_hours_opt_in", readonly=False
    )
    quiet_hours_sms = fields.Boolean(
        related="company_id.quiet_hours_sms", readonly=False
    )
    quiet_hours_email = fields.Boolean(
        related="company_id.quiet_hours_email", readonly=False
    )
    quiet_hours_from = fields.Float(
        related="company_id.quiet_hours_from", readonly=False
    )
    quiet_hours_until = fields.Float(
        related="company_id.quiet_hours_until", readonly=False
    )
    marketing_provider_id = fields.Many2one(
        "marketing.provider",
        string="Messages Leave Through",
        compute="_compute_marketing_provider_id",
        help="The provider that is used now.",
    )
    marketing_provider_kind = fields.Selection(related="marketing_provider_id.kind")

    @api.depends("company_id")
    def _compute_marketing_provider_id(self):
        for settings in self:
            settings.marketing_provider_id = self.env["marketing.provider"]._select(
                settings.company_id, "email"
            )

    # Odoo's own reminder and ours never run for the same website.

    @api.onchange("cart_recovery_enabled")
    def _onchange_cart_recovery_enabled(self):
        if self.cart_recovery_enabled:
            self.send_abandoned_cart_email = False

    @api.onchange("send_abandoned_cart_email")
    def _onchange_send_abandoned_cart_email(self):
        if self.send_abandoned_cart_email:
            self.cart_recovery_enabled = False

    def action_edit_consent_texts(self):
        """Open the words with which this website asks for consent.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_website_consent_texts"
        )
        return {**action, "res_id": self.website_id.id}

    def action_edit_typed_contact_notice(self):
        """Open what this website says where guests type their address.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_website_typed_contact_notice"
        )
        return {**action, "res_id": self.website_id.id}

    def action_open_marketing_providers(self):
        """Open the providers, where an administrator decides what leaves.

        :return: a window action
        :rtype: dict
        """
        return self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_provider"
        )
