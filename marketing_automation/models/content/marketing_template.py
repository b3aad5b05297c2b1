from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import get_lang

from ...tools import rendering
from .template_context import (
    BLOCKS,
    CART_LINE_TAGS,
    CART_TAGS,
    SAMPLE_CART_CONTEXT,
    get_sample,
)

# Which source field makes which part of the email.
PARTS = {
    "subject": "subject",
    "preheader": "preheader",
    "body_html": "html",
    "body_text": "text",
}
# What a new template starts with.
SKELETON = """{% extends "layout" %}
{% block content %}

<h1>Hello{% if customer.first_name %} {{ customer.first_name }}{% endif %}</h1>
<p>…</p>

{% include "cart_items" %}

{{ button("Back to my cart", cart.recovery_url) }}

{% endblock %}
"""
FIELDS_BY_PART = {part: name for name, part in PARTS.items()}


class MarketingTemplate(models.Model):
    """What a message says: Jinja2 sources, rendered with plain values."""

    _name = "marketing.template"
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
    channel = fields.Selection([("email", "Email")], required=True, default="email")
    context = fields.Selection(
        [("cart", "Abandoned cart")],
        string="Used For",
        required=True,
        default="cart",
        help="Decides which merge tags there are.",
    )
    company_id = fields.Many2one("res.company", help="Leave empty for all companies.")

    subject = fields.Char(required=True, translate=True)
    preheader = fields.Char(
        string="Preview Line",
        translate=True,
        help="What inboxes show after the subject. It is not visible in the email.",
    )
    body_html = fields.Text(
        string="HTML",
        required=True,
        translate=True,
        default=SKELETON,
    )
    body_text = fields.Text(
        string="Plain Text",
        translate=True,
        help="For mail programs without HTML. Leave empty to derive it from the HTML.",
    )

    preview_subject = fields.Char(compute="_compute_preview")
    # Shown in a sandboxed frame only, where scripts do not run.
    preview_html = fields.Html(compute="_compute_preview", sanitize=False)
    preview_text = fields.Text(compute="_compute_preview")
    preview_error = fields.Char(compute="_compute_preview")
    merge_tags_help = fields.Html(compute="_compute_merge_tags_help", sanitize=False)

    # === COMPUTE METHODS ===#

    @api.depends("context", *PARTS)
    @api.depends_context("lang")
    def _compute_preview(self):
        for template in self:
            template.update(template._prepare_preview_values())

    @api.depends("context")
    @api.depends_context("lang")
    def _compute_merge_tags_help(self):
        for template in self:
            template.merge_tags_help = template._format_merge_tags()

    # === CONSTRAINT METHODS ===#

    @api.constrains("context", *PARTS)
    def _check_sources(self):
        """Refuse sources that cannot be sent, in any of their languages."""
        for template in self:
            for lang, sources in template._get_sources_by_lang().items():
                try:
                    template._check_renders(sources)
                except rendering.RenderError as error:
                    raise ValidationError(
                        template._format_source_error(error, lang)
                    ) from error

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", template.name)}
            for template, vals in zip(self, vals_list, strict=True)
        ]

    # === BUSINESS METHODS ===#

    def _render(self, context):
        """Render an email in the language of the environment.

        :param dict context: plain values, as ``marketing.template.context`` builds them
        :return: subject, HTML with inlined CSS, and text
        :rtype: rendering.Rendered
        :raise rendering.RenderError: the template does not work with these values
        """
        self.ensure_one()
        # A recipient's language may have been uninstalled since.
        lang = get_lang(self.env, self.env.context.get("lang"))
        return rendering.render(
            self.with_context(lang=lang.code)._get_templates(), context
        )

    def _get_templates(self):
        return self._make_templates({name: self[name] for name in PARTS})

    def _make_templates(self, sources):
        return rendering.Templates(
            **{part: sources[name] or "" for name, part in PARTS.items()}
        )

    def _get_merge_tags(self):
        """Return the merge tags templates of this kind can use.

        :rtype: list[MergeTag]
        """
        return list(CART_TAGS)

    def _get_sample_context(self):
        """Return made-up values to check and preview templates of this kind with.

        :rtype: dict
        """
        return SAMPLE_CART_CONTEXT

    # === CHECKS ===#

    def _check_renders(self, sources):
        """Check sources and render them with sample values.

        :param dict sources: source by field name
        :return: what came of it
        :rtype: rendering.Rendered
        :raise rendering.RenderError: with the part and the line
        """
        known_names = [tag.name for tag in self._get_merge_tags()]
        for name, part in PARTS.items():
            try:
                rendering.check_source(sources[name] or "", known_names, part == "html")
            except rendering.RenderError as error:
                error.part = part
                raise
        return rendering.render(
            self._make_templates(sources), self._get_sample_context()
        )

    def _get_sources_by_lang(self):
        """Return the sources as stored, one entry for each different translation.

        :rtype: dict[str, dict]
        """
        stored = {
            name: self._fields[name]._get_stored_translations(self) or {}
            for name in PARTS
        }
        langs = {"en_US", *(lang for values in stored.values() for lang in values)}
        sources_by_lang = {}
        for lang in sorted(langs, key=lambda lang: (lang != "en_US", lang)):
            sources = {
                name: values.get(lang) or values.get("en_US") or ""
                for name, values in stored.items()
            }
            if sources not in sources_by_lang.values():
                sources_by_lang[lang] = sources
        return sources_by_lang

    def _format_source_error(self, error, lang=None):
        """Say which field is wrong, in which language and line, and why."""
        place = self._fields[FIELDS_BY_PART.get(error.part, "body_html")]
        place = place._description_string(self.env)
        if lang and lang != "en_US":
            place = f"{place} ({lang})"
        if not error.line:
            return f"{place}: {error.message}"
        return self.env._(
            "%(field)s, line %(line)s: %(message)s",
            field=place,
            line=error.line,
            message=error.message,
        )

    # === PREVIEW ===#

    def _prepare_preview_values(self):
        values = dict.fromkeys(
            ("preview_subject", "preview_html", "preview_text", "preview_error"), False
        )
        try:
            rendered = self._check_renders({name: self[name] for name in PARTS})
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
            for tag in (*self._get_merge_tags(), *CART_LINE_TAGS)
        ]
        blocks = [(block.name, self.env._(block.meaning), "") for block in BLOCKS]
        return self._format_table(tags + blocks)

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
