"""What the screen asks while somebody writes a template."""

from odoo import api, models
from odoo.tools.misc import get_lang

from ...tools import rendering, sms
from ...tools.content_checks import get_size
from .marketing_template import SOURCES
from .merge_tags import CART_LINE_TAGS, ORDER_LINE_TAGS, get_sample

# What the screen tells of a template that is not saved (yet).
DRAFT_FIELDS = ("channel", "context", "category", "company_id")
# In loops over the lines of these.
LINE_TAGS = {"cart": CART_LINE_TAGS, "order": ORDER_LINE_TAGS}


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    @api.model
    def get_preview(self, question):
        """Make the message of a template as it stands on a screen.

        :param dict question: ``template_id`` if it is saved; ``channel``, ``context``,
            ``category`` and ``company_id``; ``sources`` by field name; ``lang``: code
            of the language, the recipient's if empty; ``record_id``: whom it is shown
            for, see :meth:`find_recipients`
        :return: ``errors`` (dicts with ``field``, ``line``, ``message``); ``subject``,
            ``preheader``, ``html``, ``text`` and ``size`` (bytes) if there are none;
            ``checks`` (see :meth:`_get_checks`); ``lang``; ``is_saved``: whether the
            texts are those that are saved, in another language than the screen's
        :rtype: dict
        """
        draft, origin = self._from_question(question)
        record = draft._get_preview_record(self._read_id(question, "record_id"))
        lang = draft._get_preview_lang(record, question.get("lang"))
        sources = draft._get_sources_on_screen(question, origin, lang)
        answer = {
            "errors": draft._find_errors(sources),
            "checks": [],
            "lang": lang,
            "is_saved": bool(origin) and sources != question.get("sources"),
        }
        if not answer["errors"]:
            try:
                answer |= draft._make_preview(sources, record, lang)
            except rendering.RenderError as error:
                answer["errors"] = [draft._describe_error(error)]
        return answer

    @api.model
    def find_recipients(self, question, search=""):
        """Find whom a template can be shown for.

        :param dict question: as for :meth:`get_preview`
        :param str search: part of a name or an address
        :return: dicts with ``id`` and ``label``
        :rtype: list[dict]
        """
        draft, _origin = self._from_question(question)
        return draft._find_preview_records(search)

    @api.model
    def get_studio(self, question):
        """Say what a screen has to offer for templates of this kind.

        :param dict question: as for :meth:`get_preview`
        :return: ``tags`` (dicts with ``code``, ``name``, ``meaning``, ``sample``);
            ``blocks``, ``conditions``, ``targets``, ``segments`` (see
            :meth:`_list_blocks`);
            ``languages`` (pairs of code and name); ``recipients``: what it can be shown
            for, empty where there is nothing to choose from
        :rtype: dict
        """
        draft, _origin = self._from_question(question)
        return {
            "tags": draft._list_merge_tags(),
            "blocks": draft._list_blocks(),
            "conditions": draft._list_conditions(),
            "targets": draft._list_targets(),
            "segments": draft._list_segments(),
            "languages": self.env["res.lang"].get_installed(),
            "recipients": draft._get_preview_model(),
        }

    # === THE QUESTION ===#

    def _from_question(self, question):
        """Return the template as it stands on the screen, and the saved one.

        :raise AccessError: whoever asks may not see it
        :raise ValidationError: its id is none
        """
        self.check_access("read")
        origin = self.browse(self._read_id(question, "template_id") or []).exists()
        origin.check_access("read")
        vals = {name: question[name] for name in DRAFT_FIELDS if question.get(name)}
        company = self.env.companies.filtered_domain(
            [("id", "=", vals.get("company_id", False))]
        )
        return self.new({**vals, "company_id": company.id}, origin=origin), origin

    def _get_sources_on_screen(self, question, origin, lang):
        """Return the sources in a language: those on the screen if they are in it, or
        stand in for it; else the saved ones.

        Whoever may not change templates sees them as they are saved.
        """
        sources = question.get("sources") or {}
        if not self.env["marketing.template"].has_access("write"):
            sources = {}
        names = SOURCES[self.channel]
        own_lang = get_lang(self.env).code
        saved = {name: origin.with_context(lang=lang)[name] or "" for name in names}
        if not origin or lang == own_lang:
            return saved | {n: sources[n] or "" for n in names if n in sources}
        if own_lang == "en_US":
            # English is what is sent where nothing was translated.
            saved |= {
                name: sources[name] or ""
                for name in names
                if name in sources
                and lang not in (self._get_translations_of(origin, name))
            }
        return saved

    def _get_translations_of(self, origin, name):
        return self._fields[name]._get_stored_translations(origin) or {}

    # === THE ANSWER ===#

    def _make_preview(self, sources, record, lang):
        context = self._prepare_preview_context(record, lang)
        checks = self._check_content(sources, context)
        if self.channel == "sms":
            text = self._render_sms_source(sources["body_sms"], context)
            segments = sms.analyse(text).segments
            return {"text": text, "segments": segments, "checks": checks}
        rendered = rendering.render_sources(self._make_templates(sources), context)
        email = rendering.finish(rendered)
        return {
            "subject": email.subject,
            "preheader": rendered.preheader,
            "html": email.html,
            "text": email.text,
            "size": get_size(email.html),
            "checks": checks,
        }

    def _list_merge_tags(self):
        context = self._get_sample_context()
        return [
            {
                "code": f"{{{{ {tag.name} }}}}",
                "name": tag.name,
                "meaning": self.env._(tag.meaning),
                "sample": self._format_sample(get_sample(tag.name, context)),
            }
            for tag in (*self._get_merge_tags(), *self._get_line_tags())
        ]

    def _get_line_tags(self):
        return LINE_TAGS.get(self.context or "cart", ())

    def _format_sample(self, value):
        return "…" if isinstance(value, dict | list) else str(value)
