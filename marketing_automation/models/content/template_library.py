"""The shipped templates in the database.

They are made once and belong to the shop from then on: an upgrade adds what is new and
changes nothing that the shop has touched. A language is added when it is switched on,
to templates that still say what was shipped. One the shop has changed keeps its own
words: our translation would say something else than the shop does.
"""

import hashlib

from odoo import api, fields, models

from ...tools import library
from .marketing_template import SOURCES

MODULE = "marketing_automation"
# What earlier versions shipped under a key and today's does not, by its digest. A
# template that still says so was never touched: it follows. When a shipped text is
# changed, the digest of the one before is added here.
EARLIER = {"cart_2": {"f4d24131566418e0"}}
THUMBNAILS = f"/{MODULE}/static/img/templates"


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    library_key = fields.Char(
        readonly=True, help="The shipped template this one is or was copied from."
    )
    is_library = fields.Boolean(
        string="Of the Library",
        readonly=True,
        copy=False,
        help="Came with the addon; the others are the shop's own.",
    )
    description = fields.Text(string="What It Is For", translate=True)
    thumbnail_url = fields.Char(compute="_compute_thumbnail_url")

    # === COMPUTE METHODS ===#

    @api.depends("library_key", "channel")
    @api.depends_context("lang")
    def _compute_thumbnail_url(self):
        language = (self.env.lang or "en").partition("_")[0]
        if language not in library.get_languages():
            language = "en"
        shipped = library.load_library()
        for template in self:
            key = template.library_key
            template.thumbnail_url = (
                key in shipped
                and template.channel == "email"
                and f"{THUMBNAILS}/{key}-{language}.png"
            )

    # === ACTION METHODS ===#

    def action_make_own(self):
        """Copy a template of the library, with all its languages, to adapt it.

        :return: an action that opens the copy
        :rtype: dict
        """
        self.ensure_one()
        own = self.copy({"description": False})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": own.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS ===#

    @api.model
    def _load_library(self):
        """Make the shipped templates that are not there; called at each update.

        Those that were there before the library get their place in it, and nothing
        else of them is touched.
        """
        for key, shipped in library.load_library().items():
            xml_id = f"{MODULE}.template_{key}"
            template = self.env.ref(xml_id, raise_if_not_found=False)
            own = {"library_key": key, "is_library": True}
            if not template:
                self._load_records(
                    [
                        {
                            "xml_id": xml_id,
                            "noupdate": True,
                            "values": {**shipped.vals, **own},
                        }
                    ]
                )
            elif not template.is_library:
                description = shipped.vals["description"]
                template.write({**own, "description": description})
            if template and template._is_as_shipped_earlier():
                template.with_context(lang="en_US").write(
                    {name: shipped.vals[name] for name in SOURCES[template.channel]}
                )

    @api.model
    def _add_library_languages(self, langs):
        """Add the shipped translations to templates that say what was shipped.

        :param list langs: codes of installed languages, such as ``hu_HU``
        """
        wanted = [
            lang for lang in langs if lang.partition("_")[0] in library.get_languages()
        ]
        shipped = library.load_library()
        templates = self.with_context(active_test=False).search(
            [("library_key", "in", list(shipped))]
        )
        for template in templates:
            for lang in wanted:
                template._add_language(shipped[template.library_key], lang)

    def _add_language(self, shipped, lang):
        """Add a translation, unless there is one or the shop speaks for itself."""
        language = lang.partition("_")[0]
        if language == "en" or not self._is_as_shipped(shipped):
            return
        names = SOURCES[self.channel]
        if any(
            lang in (self._fields[name]._get_stored_translations(self) or {})
            for name in names
        ):
            return
        words = shipped.translate(language)
        vals = {name: words[name] for name in names if name in words}
        if self.is_library:
            vals["description"] = words["description"]
        self.with_context(lang=lang).write(vals)

    def _is_as_shipped(self, shipped):
        """Whether the English sources are those we ship."""
        english = self.with_context(lang="en_US")
        return all(
            (english[name] or "") == shipped.vals.get(name, "")
            for name in SOURCES[self.channel]
        )

    def _is_as_shipped_earlier(self):
        """Whether this says what an earlier version shipped, and nothing besides."""
        names = SOURCES[self.channel]
        if self.library_key not in EARLIER or any(
            set(self._fields[name]._get_stored_translations(self) or {}) - {"en_US"}
            for name in names
        ):
            return False
        english = self.with_context(lang="en_US")
        words = "\0".join((english[name] or "").strip() for name in names)
        digest = hashlib.sha256(words.encode()).hexdigest()[:16]
        return digest in EARLIER[self.library_key]


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    @api.model
    def _load_module_terms(self, modules, langs, overwrite=False):
        """Templates get a language with the addon's own texts: when it is installed or
        updated, and when the language is switched on."""
        res = super()._load_module_terms(modules, langs, overwrite=overwrite)
        if MODULE in modules:
            self.env["marketing.template"]._add_library_languages(langs)
        return res
