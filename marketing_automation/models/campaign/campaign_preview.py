from odoo import api, fields, models

from ...tools import rendering
from ...tools.rendering import RenderError


class EmailCampaign(models.Model):
    """What the recipients will see, beside what is being chosen."""

    _inherit = "email.campaign"

    # Nobody needs to remember for whom somebody looked at it.
    preview_partner_id = fields.Many2one(
        "res.partner",
        string="As Seen By",
        store=False,
        help="Show what this customer would get. Empty: made-up values.",
    )
    preview_subject = fields.Char(compute="_compute_preview", compute_sudo=True)
    preview_html = fields.Text(compute="_compute_preview", compute_sudo=True)
    preview_text = fields.Text(compute="_compute_preview", compute_sudo=True)
    preview_error = fields.Char(compute="_compute_preview", compute_sudo=True)

    @api.depends(
        *("template_id", "subject", "preheader", "builder_step", "state", "sends"),
        "preview_partner_id",
    )
    def _compute_preview(self):
        for campaign in self:
            values = {"subject": False, "html": False, "text": False, "error": False}
            if (
                campaign.sends == "message"
                and campaign.template_id
                and campaign.state == "draft"
            ):
                try:
                    values |= campaign._render_preview()
                except RenderError as error:
                    values["error"] = campaign.template_id._format_source_error(error)
            campaign.preview_subject = values["subject"]
            campaign.preview_html = values["html"]
            campaign.preview_text = values["text"]
            campaign.preview_error = values["error"]

    def _render_preview(self):
        """Render as somebody would get it, or with made-up values.

        :return: ``subject``, ``html`` and ``text``, as far as the channel has them
        :rtype: dict
        :raise RenderError: the template does not work with them
        """
        partner = self.preview_partner_id._origin or None
        lang = self.template_id._get_preview_lang(partner)
        template = self.template_id.with_context(lang=lang)
        context = template._prepare_preview_context(partner, lang)
        if self.channel == "sms":
            return {"text": template._render_sms(context)}
        localized = self.with_context(lang=lang)
        sources = template._get_templates(localized._get_sources())
        rendered = rendering.render(sources, context)
        return {
            "subject": rendered.subject,
            "html": rendered.html,
            "text": rendered.text,
        }

    def _get_sources(self):
        """Return the sources that take the place of the template's."""
        self.ensure_one()
        return {"subject": self.subject, "preheader": self.preheader}
