from markupsafe import Markup

from odoo import api, fields, models

from ...tools import rendering
from .marketing_template import PARTS, SOURCES
from .merge_tags import (
    BLOCKS_BY_CONTEXT,
    CART_LINE_TAGS,
    ORDER_LINE_TAGS,
    get_sample,
    get_sms_blocks,
)

LINE_TAGS = {"cart": CART_LINE_TAGS, "order": ORDER_LINE_TAGS}


class MarketingTemplate(models.Model):
    """What somebody sees who writes a template: the message, made with sample values,
    what is wrong with it, and what else it could say."""

    _inherit = "marketing.template"

    preview_subject = fields.Char(compute="_compute_preview")
    # Shown in a sandboxed frame only, where scripts do not run.
    preview_html = fields.Html(compute="_compute_preview", sanitize=False)
    preview_text = fields.Text(compute="_compute_preview")
    preview_error = fields.Char(compute="_compute_preview")
    merge_tags_help = fields.Html(compute="_compute_merge_tags_help", sanitize=False)

    @api.depends("channel", "context", "body_sms", *PARTS)
    @api.depends_context("lang")
    def _compute_preview(self):
        for template in self:
            template.update(template._prepare_preview_values())

    @api.depends("context")
    @api.depends_context("lang")
    def _compute_merge_tags_help(self):
        for template in self:
            template.merge_tags_help = template._format_merge_tags()

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

    def _format_merge_tags(self):
        """Return what templates can say: merge tags with samples, and blocks."""
        context = self._get_sample_context()
        tags = [
            (
                f"{{{{ {tag.name} }}}}",
                self.env._(tag.meaning),
                self._format_sample(get_sample(tag.name, context)),
            )
            for tag in (*self._get_merge_tags(), *self._get_line_tags())
        ]
        blocks = [
            (block.name, self.env._(block.meaning), "") for block in self._get_blocks()
        ]
        return self._format_table(tags + blocks)

    def _get_line_tags(self):
        return LINE_TAGS.get(self.context, ())

    def _get_blocks(self):
        context = self.context or "cart"
        if self.channel == "sms":
            return get_sms_blocks(context)
        return BLOCKS_BY_CONTEXT[context]

    def _format_table(self, rows):
        head = Markup("<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead>") % (
            self.env._("Write"),
            self.env._("To show"),
            self.env._("For example"),
        )
        row = Markup("<tr><td><code>%s</code></td><td>%s</td><td>%s</td></tr>")
        return Markup('<table class="table table-sm">%s<tbody>%s</tbody></table>') % (
            head,
            Markup().join(row % cells for cells in rows),
        )

    def _format_sample(self, value):
        return "…" if isinstance(value, dict | list) else str(value)
