"""The shipped templates: words, HTML, and how they get into a database."""

import re
from collections import Counter

from odoo.tests import TransactionCase, tagged

from odoo.addons.marketing_automation.models.content.marketing_template import (
    SOURCES,
    TAGS_BY_CONTEXT,
)
from odoo.addons.marketing_automation.tools import library, rendering, sms
from odoo.addons.marketing_automation.tools.samples import get_samples

from .html_check import find_errors

JINJA = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{ 7*7 }}{% raw %}",
    "</td></table></body>",
    "Bobby\r\nBcc: all@example.com",
    "W" * 300,
    "نועה 🛒 \u202eevil",
    "100 % & more; &amp; &lt;",
)
# Spec T4: email, and a text message where that makes sense.
WANTED = {
    *("cart_1", "cart_2", "cart_3", "cart_sms", "welcome", "welcome_sms"),
    *("coupon_reminder", "coupon_reminder_sms"),
    *("back_in_stock", "back_in_stock_sms", "price_drop", "price_drop_sms"),
    *("browse_reminder", "win_back", "win_back_sms"),
    *("review_request", "review_request_sms", "birthday", "birthday_sms"),
}


def spoil(value, text):
    """Put a text into every text of a context, but addresses of pages."""
    if isinstance(value, dict):
        return {
            key: item if "url" in key else spoil(item, text)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [spoil(item, text) for item in value]
    return text if isinstance(value, str) else value


@tagged("standard", "at_install")
class TestLibraryWords(TransactionCase):
    """The files, without a database."""

    def _check_each(self, check):
        """Call ``check(shipped, language, words)`` for each template and language."""
        for key, shipped in library.load_library().items():
            for language in library.get_languages():
                with self.subTest(key=key, language=language):
                    check(shipped, language, shipped.translate(language))

    def _render(self, shipped, words, context):
        if shipped.channel == "sms":
            return rendering.Rendered(
                "", "", rendering.render_text(words["body_sms"], context)
            )
        return rendering.render(
            rendering.Templates(
                words["subject"],
                words["body_html"],
                words.get("body_text", ""),
                words["preheader"],
            ),
            context,
        )

    def test_all_are_there(self):
        self.assertLessEqual(WANTED, set(library.load_library()))
        self.assertEqual(library.get_languages(), ["en", "hu", "tr"])

    def test_catalogues_are_complete_and_tidy(self):
        used = {
            msgid
            for shipped in library.load_library().values()
            for msgid in shipped.get_msgids()
        }
        for language in library.get_languages()[1:]:
            catalogue = library.load_catalogue(language)
            self.assertEqual(used - set(catalogue), set(), f"missing in {language}")
            self.assertEqual(set(catalogue) - used, set(), f"unused in {language}")

    def test_translations_use_the_same_values(self):
        """A merge tag that is lost in a translation is a sentence without its point."""
        for language in library.get_languages()[1:]:
            for msgid, msgstr in library.load_catalogue(language).items():
                tags = [
                    Counter(
                        name
                        for tag in JINJA.findall(text)
                        for name in re.findall(r"[a-z_]+\.[a-z_]+|_url", tag)
                    )
                    for text in (msgid, msgstr)
                ]
                with self.subTest(msgid):
                    self.assertEqual(set(tags[0]), set(tags[1]))

    def test_nothing_is_said_outside_the_marks(self):
        for key, shipped in library.load_library().items():
            for name, source in shipped.marked.items():
                rest = re.sub(r"\[\[.*?\]\]", "", source, flags=re.DOTALL)
                rest = re.sub(r"{#.*?#}|<[^>]*>|&\w+;", "", JINJA.sub("", rest))
                with self.subTest(key=key, field=name):
                    self.assertNotRegex(rest, r"\w")

    def test_languages_differ(self):
        def check(shipped, language, words):
            if language != "en":
                english = shipped.translate("en")
                for name in SOURCES[shipped.channel]:
                    if name in words:
                        self.assertNotEqual(words[name], english[name], name)

        self._check_each(check)

    def test_sources_are_sound(self):
        def check(shipped, _language, words):
            names = [tag.name for tag in TAGS_BY_CONTEXT[shipped.head["context"]]]
            for name in SOURCES[shipped.channel]:
                source = words.get(name, "")
                rendering.check_source(source, names, name == "body_html")

        self._check_each(check)

    def test_html_is_valid(self):
        def check(shipped, language, words):
            context = get_samples(language)[shipped.head["context"]]
            rendered = self._render(shipped, words, context)
            if shipped.channel == "sms":
                self.assertLessEqual(sms.analyse(rendered.text).segments, 4)
                return
            self.assertEqual(find_errors(rendered.html), [])
            self.assertLess(len(rendered.html.encode()), 100_000)
            self.assertLessEqual(len(rendered.subject), 70)
            self.assertIn(f'lang="{language}"', rendered.html)
            for value in (context["company"]["address"], context["unsubscribe_url"]):
                self.assertIn(value, rendered.html)
                self.assertIn(value, rendered.text)

        self._check_each(check)

    def test_strangers_are_greeted(self):
        nobody = {"name": "", "first_name": "", "email": "x@example.com"}

        def check(shipped, language, words):
            context = get_samples(language)[shipped.head["context"]]
            if "customer" not in context:
                return
            rendered = self._render(shipped, words, {**context, "customer": nobody})
            for part in (rendered.subject, rendered.text):
                self.assertNotRegex(part, r" [,!]|,,|^[,!]")

        self._check_each(check)

    def test_hostile_names_and_products(self):
        def check(shipped, language, words):
            sample = get_samples(language)[shipped.head["context"]]
            for text in HOSTILE:
                context = {**spoil(sample, text), "direction": "rtl", "language": "en"}
                rendered = self._render(shipped, words, context)
                self.assertNotIn("\n", rendered.subject)
                self.assertNotIn("49", rendered.subject + rendered.text)
                if rendered.html:
                    # An element that came in with a value would be one of them.
                    self.assertEqual(find_errors(rendered.html), [], text)

        self._check_each(check)

    def test_empty_values(self):
        """Nothing recommended, no coupon, no picture, no email of the company."""

        def check(shipped, language, words):
            context = dict(get_samples(language)[shipped.head["context"]])
            for name in ("recommended", "offers", "segments"):
                if name in context:
                    context[name] = []
            if "coupon" in context:
                context["coupon"] = None
            context["company"] = {**context["company"], "email": "", "phone": ""}
            for name in ("cart", "order"):
                if name in context:
                    [line, *_others] = context[name]["lines"]
                    line = {**line, "image_url": "", "url": "", "review_url": ""}
                    context[name] = {**context[name], "lines": [line], "more_count": 2}
            rendered = self._render(shipped, words, context)
            if rendered.html:
                self.assertEqual(find_errors(rendered.html), [])

        self._check_each(check)


@tagged("standard", "at_install")
class TestTemplateLibrary(TransactionCase):
    """The records."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "lang": "en_US"})
        cls.templates = cls.env["marketing.template"]
        cls.welcome = cls.env.ref("marketing_automation.template_welcome")

    def _switch_on(self, code):
        """Switch a language on, as the wizard of the settings does (for all addons)."""
        self.env["res.lang"]._activate_lang(code)
        addon = self.env.ref("base.module_marketing_automation")
        addon._update_translations([code])

    def _get_lang(self, code):
        return (
            self.env["res.lang"]
            .with_context(active_test=False)
            .search([("code", "=", code)])
        )

    def test_all_are_in_the_database(self):
        for key, shipped in library.load_library().items():
            template = self.env.ref(f"marketing_automation.template_{key}")
            self.assertEqual(template.library_key, key)
            self.assertTrue(template.is_library)
            self.assertTrue(template.description)
            self.assertFalse(template.preview_error)
            self.assertEqual(template.channel, shipped.channel)

    def test_missing_ones_are_made(self):
        """As in a database that is upgraded."""
        shipped = library.load_library()["welcome"]
        self.welcome.unlink()
        self.templates._load_library()
        welcome = self.env.ref("marketing_automation.template_welcome")
        self.assertTrue(welcome._is_as_shipped(shipped))
        self.assertEqual(
            (welcome.category, welcome.context, welcome.purpose),
            ("marketing", "contact", "newsletter"),
        )

    def test_update_changes_nothing(self):
        before = self.templates.with_context(active_test=False).search_count([])
        self.welcome.write({"subject": "Ours", "name": "Ours", "active": False})
        self.templates._load_library()
        after = self.templates.with_context(active_test=False).search_count([])
        self.assertEqual(before, after)
        self.assertEqual((self.welcome.subject, self.welcome.name), ("Ours",) * 2)
        self.assertFalse(self.welcome.active)

    def test_templates_from_before_the_library(self):
        """An upgrade gives them their place, and leaves their words alone."""
        self.welcome.write(
            {"library_key": False, "is_library": False, "subject": "Ours"}
        )
        self.templates._load_library()
        self.assertEqual(self.welcome.library_key, "welcome")
        self.assertTrue(self.welcome.is_library)
        self.assertEqual(self.welcome.subject, "Ours")

    def _write_earlier(self):
        """Let the second reminder say what was shipped before it knew of coupons."""
        template = self.env.ref("marketing_automation.template_cart_2")
        offers = '{% include "offers" %}\n\n'
        for name in ("body_html", "body_text"):
            self.assertIn(offers, template[name])
            template[name] = template[name].replace(offers, "")
        return template

    def test_earlier_text_that_nobody_touched(self):
        template = self._write_earlier()
        shipped = library.load_library()["cart_2"]
        self.assertFalse(template._is_as_shipped(shipped))
        self.assertTrue(template._is_as_shipped_earlier())
        template._load_library()
        self.assertTrue(template._is_as_shipped(shipped))

    def test_earlier_text_that_the_shop_touched(self):
        template = self._write_earlier()
        template.subject += "!"
        before = template.read(["subject", "body_html", "body_text"])
        template._load_library()
        self.assertEqual(template.read(["subject", "body_html", "body_text"]), before)

    def test_language_that_is_switched_on_later(self):
        own = self.welcome.copy()
        edited = self.env.ref("marketing_automation.template_win_back")
        edited.subject = "We miss nobody"
        self._switch_on("hu_HU")
        shipped = library.load_library()["welcome"].translate("hu")
        for template in (self.welcome, own):
            hungarian = template.with_context(lang="hu_HU")
            self.assertEqual(hungarian.subject, shipped["subject"])
            self.assertEqual(hungarian.body_html, shipped["body_html"])
            self.assertEqual(template.subject, "Welcome to {{ shop.name }}")
        self.assertEqual(
            edited.with_context(lang="hu_HU").subject,
            "We miss nobody",
            "what the shop changed is not mixed with what we ship",
        )
        self.assertEqual(
            self.welcome.with_context(lang="hu_HU").thumbnail_url,
            "/marketing_automation/static/img/templates/welcome-hu.png",
        )

    def test_the_shop_s_own_translation_stays(self):
        self.env["res.lang"]._activate_lang("tr_TR")
        self.welcome.with_context(lang="tr_TR").subject = "Selam"
        self._switch_on("tr_TR")
        turkish = self.welcome.with_context(lang="tr_TR")
        self.assertEqual(turkish.subject, "Selam")
        self.assertEqual(turkish.body_html, self.welcome.body_html)

    def test_other_languages_get_nothing(self):
        self._switch_on("fr_FR")
        stored = self.welcome._fields["subject"]._get_stored_translations(self.welcome)
        self.assertNotIn("fr_FR", stored)

    def test_words_of_the_blocks_are_translated(self):
        """The samples show what the real messages bring."""
        contexts = self.env["marketing.template.context"]
        for code in ("hu_HU", "tr_TR"):
            self._switch_on(code)
            labels = contexts._prepare_labels(
                get_samples(code)["cart"]["shop"]["name"], self._get_lang(code)
            )
            sample = get_samples(code)["cart"]["labels"]
            self.assertEqual({**labels, "more": ""}, {**sample, "more": ""}, code)
            self.assertNotIn("Unsubscribe", labels.values())

    def test_own_copy(self):
        self._switch_on("hu_HU")
        action = self.welcome.action_make_own()
        own = self.templates.browse(action["res_id"])
        self.assertEqual(own.name, "Welcome (copy)")
        self.assertFalse(own.is_library)
        self.assertFalse(own.description)
        for lang in ("en_US", "hu_HU"):
            self.assertEqual(
                own.with_context(lang=lang).body_html,
                self.welcome.with_context(lang=lang).body_html,
            )
