"""What is wrong with the sources of a template, found by rendering samples."""

from odoo import models

from ...tools import rendering
from ...tools.html_text import names_all
from .marketing_template import FIELDS_BY_PART, PARTS, SOURCES


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _check_renders(self, sources):
        """Check sources and render them with sample values.

        :param dict sources: source by field name
        :return: what came of it
        :rtype: rendering.Rendered
        :raise rendering.RenderError: with the part and the line
        """
        known_names = [tag.name for tag in self._get_merge_tags()]
        if self.channel == "sms":
            return self._check_renders_sms(sources["body_sms"] or "", known_names)
        for name, part in PARTS.items():
            try:
                rendering.check_source(sources[name] or "", known_names, part == "html")
            except rendering.RenderError as error:
                error.part = part
                raise
        context = self._get_sample_context()
        rendered = rendering.render(self._make_templates(sources), context)
        if self.category == "marketing":
            self._check_footer(rendered.html, context)
        return rendered

    def _check_footer(self, html, context):
        """Refuse a marketing email that does not say who is writing, or that cannot be
        stopped (CAN-SPAM Act, 15 U.S.C. 7704(a)(5); Directive 2002/58/EC, article
        13(4)).
        """
        company = context["company"]
        if context["unsubscribe_url"] not in html:
            raise rendering.RenderError(
                self.env._(
                    "there is no link to unsubscribe. Put %s at its end.",
                    '{% include "footer" %}',
                ),
                part="html",
            )
        own = self.company_id or self.env.company
        if not any(
            names_all(html, identity)
            for identity in (
                (company["name"], company["street"], company["city"]),
                # Typed by hand.
                (own.name, own.street or "-", own.city or "-"),
            )
        ):
            raise rendering.RenderError(
                self.env._(
                    "it does not say who is writing, with a postal address. Put %s at "
                    "its end.",
                    '{% include "footer" %}',
                ),
                part="html",
            )

    def _check_renders_sms(self, source, known_names):
        try:
            rendering.check_source(source, known_names, autoescape=False)
            text = self._render_sms_source(source, self._get_sample_context())
        except rendering.RenderError as error:
            error.part = "sms"
            raise
        return rendering.Rendered("", "", text)

    def _get_sources_by_lang(self):
        """Return the sources as stored, one entry for each different translation.

        :rtype: dict[str, dict]
        """
        names = SOURCES[self.channel]
        stored = {
            name: self._fields[name]._get_stored_translations(self) or {}
            for name in names
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
