from odoo import api, fields, models

from ...tools import rendering
from .marketing_template import PARTS, SOURCES


class MarketingTemplate(models.Model):
    """A template as it is saved, with sample values: what lists and steps show."""

    _inherit = "marketing.template"

    preview_subject = fields.Char(compute="_compute_preview")
    # Shown in a sandboxed frame only, where scripts do not run.
    preview_html = fields.Html(compute="_compute_preview", sanitize=False)
    preview_text = fields.Text(compute="_compute_preview")
    preview_error = fields.Char(compute="_compute_preview")

    @api.depends("channel", "context", "body_sms", *PARTS)
    @api.depends_context("lang")
    def _compute_preview(self):
        for template in self:
            template.update(template._prepare_preview_values())

    def _prepare_preview_values(self):
        values = dict.fromkeys(
            ("preview_subject", "preview_html", "preview_text", "preview_error"), False
        )
        try:
            rendered = self._check_renders(
                {name: self[name] for name in SOURCES[self.channel or "email"]}
            )
        except rendering.RenderError as error:
            values["preview_error"] = self._format_source_error(error)
            return values
        values["preview_subject"] = rendered.subject
        values["preview_html"] = rendered.html
        values["preview_text"] = rendered.text
        return values
