"""What there is to say of a template before many people get what it makes."""

from odoo import models

from ...tools import content_checks, rendering, sms
from ...tools.dark_mode import find_hazards
from ...tools.shop_url import get_shop_url
from .marketing_template import FIELDS_BY_PART, PARTS, SOURCES


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _get_checks(self, record=None, lang=None, overrides=None):
        """Check what this template makes, with advice.

        :param record: whom it is written for: a record of what
            :meth:`_get_preview_model` names; made-up values if there is none
        :param str lang: code of the language; the recipient's own if there is none
        :param dict overrides: sources in place of the template's, by field name: a
            campaign's own ``subject``, say. Empty ones are left aside.
        :return: dicts with ``key`` (str), ``level`` (``ok``, ``advice``, ``must``) and
            ``message`` (in the language of the environment); what must be done first.
            A source that cannot be rendered is the only finding there is: ``error``.
        :rtype: list[dict]
        """
        self.ensure_one()
        lang = self._get_preview_lang(record, lang)
        sources = self._get_sources(lang) | {
            name: source for name, source in (overrides or {}).items() if source
        }
        errors = self._find_errors(sources)
        if errors:
            return [self._format_check("error", "must", e["message"]) for e in errors]
        context = self._prepare_preview_context(record, lang)
        try:
            return self._check_content(sources, context)
        except rendering.RenderError as error:
            message = self._format_source_error(error)
            return [self._format_check("error", "must", message)]

    def _get_sources(self, lang):
        template = self.with_context(lang=lang)
        return {name: template[name] or "" for name in SOURCES[self.channel]}

    # === WHAT IS WRONG ===#

    def _find_errors(self, sources):
        """Find what keeps sources from being saved.

        :return: dicts with ``field`` (name of the source), ``line`` (from 1; 0 when
            there is none) and ``message``; one for each source at most
        :rtype: list[dict]
        """
        errors = self._find_source_errors(sources)
        if not errors:
            try:
                self._check_renders(sources)
            except rendering.RenderError as error:
                errors.append(error)
        return [self._describe_error(error) for error in errors]

    def _describe_error(self, error):
        return {
            "field": FIELDS_BY_PART.get(error.part, "body_html"),
            "line": error.line,
            "message": self._format_source_error(error),
        }

    def _find_source_errors(self, sources):
        known_names = [tag.name for tag in self._get_merge_tags()]
        errors = []
        for name, source in sources.items():
            part = PARTS.get(name, "sms")
            try:
                rendering.check_source(source or "", known_names, part == "html")
            except rendering.RenderError as error:
                error.part = part
                errors.append(error)
        return errors

    def _check_renders(self, sources):
        """What is cut off by mail programs is not saved."""
        rendered = super()._check_renders(sources)
        size = content_checks.get_size(rendered.html)
        if size > content_checks.MAX_HTML:
            [finding] = content_checks.check_size(
                content_checks.Content(html=rendered.html)
            )
            raise rendering.RenderError(self._describe_finding(finding), part="html")
        return rendered

    # === WHAT IS TO BE SAID ===#

    def _check_content(self, sources, context):
        """Check what sources make of these values.

        :param dict sources: source by field name, of this template's channel
        :param dict context: plain values, see :meth:`_prepare_preview_context`
        :rtype: list[dict]
        :raise rendering.RenderError: they make nothing
        """
        if self.channel == "sms":
            findings = self._check_sms_content(sources, context)
        else:
            findings = self._check_email_content(sources, context)
        return [
            self._format_check(
                finding.key, finding.level, self._describe_finding(finding)
            )
            for finding in findings
        ]

    def _check_email_content(self, sources, context):
        rendered = rendering.render_sources(self._make_templates(sources), context)
        email = rendering.finish(rendered)
        content = self._make_content(
            context,
            subject=email.subject,
            preheader=rendered.preheader,
            html=email.html,
            text=email.text,
        )
        return content_checks.check_email(
            content, self._find_dead_links(content), find_hazards(rendered.html)
        )

    def _check_sms_content(self, sources, context):
        text = self._render_sms_source(sources["body_sms"], context)
        content = self._make_content(context, text=text)
        segments = sms.analyse(text).segments
        return content_checks.check_sms(
            content, segments, self._find_dead_links(content)
        )

    def _make_content(self, context, **parts):
        company, own = context["company"], self.company_id or self.env.company
        return content_checks.Content(
            **parts,
            is_marketing=self.category == "marketing",
            unsubscribe_url=context.get("unsubscribe_url") or "",
            identities=(
                (company["name"], company["street"], company["city"]),
                (own.name, own.street or "-", own.city or "-"),
            ),
            samples=frozenset(_iter_texts(context)),
        )

    def _find_dead_links(self, content):
        """Links to our own shop that it does not answer.

        Those that come from values are left aside: they were made for this recipient.
        """
        website = self._get_preview_website()
        bases = [website.get_base_url(), get_shop_url(website)] if website else []
        paths = content_checks.find_own_paths(content, bases)
        dead = website._find_dead_paths(set(paths.values())) if paths else set()
        return [link for link, path in paths.items() if path in dead]

    def _format_check(self, key, level, message):
        return {"key": key, "level": level, "message": message}


def _iter_texts(value):
    """All texts in nested values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _iter_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _iter_texts(item)
