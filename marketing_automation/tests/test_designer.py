import time

from odoo.tests import BaseCase, Form, tagged

from ..tools import designer, rendering
from .common import MarketingCase
from .moments import assert_grows_in_step

HEAD = '{% extends "design" %}\n{% block content %}\n'
FOOT = "\n{% endblock %}\n"


@tagged("post_install", "-at_install")
class TestDesigner(BaseCase):
    """From what Odoo's designer draws to a source: what it does to Jinja is undone."""

    def _convert(self, design):
        source = designer.to_source(design)
        self.assertTrue(source.startswith(HEAD) and source.endswith(FOOT), source)
        return source[len(HEAD) : -len(FOOT)]

    def test_plain_markup_stays(self):
        design = (
            '<p style="color: red">A &amp; B &lt; C&nbsp;D</p>'
            "<!--[if mso]>x<![endif]-->"
        )
        self.assertEqual(self._convert(design), design)

    def test_a_broken_design_takes_no_longer(self):
        """What is never closed is not looked through again and again."""
        for piece in (
            "<a ",
            '<a href="',
            '<a href="/view">',
            '<style id="design-element"',
            '<style id="design-element">',
            "<p>",
            "{{",
            "a",
        ):
            with self.subTest(piece=piece):
                assert_grows_in_step(
                    self,
                    lambda size, piece=piece: self._convert(
                        "<a" + piece * (size // len(piece))
                    ),
                    12_000,
                )

    def test_expressions(self):
        for design, source in (
            ("<p>Hi {{ a }}!</p>", "<p>Hi {{ a }}!</p>"),
            ("<p>x{{&nbsp;a&nbsp;}}</p>", "<p>x{{ a }}</p>"),
            ("<p>x {{ a<b>b</b> }}</p>", "<p>x {{ ab }}</p>"),
            ("<p>x {% if a &gt;= 3 and b &lt; 2 %}y{% endif %}</p>",)
            + ("<p>x {% if a >= 3 and b < 2 %}y{% endif %}</p>",),
            ("<p>x {{ “a” }}</p>", '<p>x {{ "a" }}</p>'),
            ("<p>{{ never closed</p><p>}}</p>", "<p>{{ never closed</p><p>}}</p>"),
        ):
            with self.subTest(design):
                self.assertEqual(self._convert(design)[: len(source)], source)

    def test_two_expressions_are_two(self):
        design = "<p>x {{ a }} &amp; {{ b }}</p>"
        self.assertEqual(self._convert(design), design)

    def test_addresses(self):
        for design, source in (
            ('<a href="%7B%7B%20shop.url%20%7D%7D/x">', '<a href="{{ shop.url }}/x">'),
            ('<a href="http://{{ shop.url }}">', '<a href="{{ shop.url }}">'),
            ('<a href="https://%7B%7Bshop.url%7D%7D">', '<a href="{{shop.url}}">'),
            ('<a href="/shop">', '<a href="{{ shop.url }}/shop">'),
            ('<a href="//cdn.example.com">', '<a href="//cdn.example.com">'),
            ('<img src="/web/image/7">', '<img src="{{ shop.url }}/web/image/7">'),
            (
                '<a href="https://x.example/a%20b">',
                '<a href="https://x.example/a%20b">',
            ),
            (
                '<td style="background: url(&quot;/web/image/7&quot;)">',
                '<td style="background: url(&quot;{{ shop.url }}/web/image/7&quot;)">',
            ),
            (
                '<a href="/unsubscribe_from_list" class="btn">x</a>',
                '<a href="{{ unsubscribe_url }}" class="btn">x</a>',
            ),
            (
                '<a href="http://shop.example.com/unsubscribe_from_list">x</a>',
                '<a href="{{ unsubscribe_url }}">x</a>',
            ),
            ('<p>a<a href="/view">View Online</a></p>', "<p>a</p>"),
        ):
            with self.subTest(design):
                self.assertEqual(self._convert(design), source)

    def test_addresses_are_not_looked_for_in_text(self):
        design = "<p>Write href=\"/shop\" or src='/x'</p>"
        self.assertEqual(self._convert(design), design)

    def test_blocks_leave_their_paragraph(self):
        for design in (
            '<p>{% include "cart_items" %}</p>',
            '<p style="margin: 0"> {% include "cart_items" %}<br></p>',
            '<div class="o-paragraph"><span>{% include "cart_items" %}</span></div>',
        ):
            with self.subTest(design):
                self.assertEqual(
                    self._convert(design).strip(), '{% include "cart_items" %}'
                )
        design = "<p>Your {{ a }}</p>"
        self.assertEqual(self._convert(design), design)

    def test_what_is_odoos_own(self):
        self.assertEqual(
            self._convert('<a t-att-href="x or \'#\'" class="b">y</a>'),
            '<a class="b">y</a>',
        )
        with self.assertRaises(designer.DesignError) as caught:
            designer.to_source('<p t-if="object.filtered_domain([])">x</p>')
        self.assertEqual(caught.exception.feature, "visibility")
        style = (
            '<style id="design-element" style="a">p { color: var(--x) }</style><p>x</p>'
        )
        self.assertEqual(self._convert(style), "<p>x</p>")

    def test_it_is_rendered_in_its_frame(self):
        source = designer.to_source("<h1>Hi {{ customer.first_name }}</h1>")
        context = {
            "customer": {"first_name": "A & B"},
            "shop": {"name": "Shop"},
            "company": {"name": "Company", "address": "Street 1"},
            "labels": {"reason": "r", "preferences": "p", "unsubscribe": "u"},
            "preferences_url": "https://x.example/p",
            "unsubscribe_url": "https://x.example/u",
            "language": "en",
            "direction": "ltr",
        }
        html = rendering.render(rendering.Templates("s", source), context).html
        self.assertIn("Hi A &amp; B", html)
        self.assertIn("https://x.example/u", html)
        self.assertIn("Street 1", html)


@tagged("post_install", "-at_install")
class TestTemplateDesigner(MarketingCase):
    """Going over from code to the designer and back."""

    DESIGN = "<h1>Hi {{ customer.first_name }}</h1>"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids |= cls.env.ref("mass_mailing.group_mass_mailing_user")
        # What the designer writes, the form does not show.
        names = ("name", "subject", "editor", "body_design", "design_html", "body_html")
        shown = "".join(f'<field name="{name}"/>' for name in names)
        cls.view = cls.env["ir.ui.view"].create(
            {
                "name": "studio.test",
                "model": "marketing.template",
                "arch": f"<form>{shown}</form>",
            }
        )

    def _open(self, template=None):
        return Form(template or self.env["marketing.template"], view=self.view)

    def _design(self, form):
        form.editor = "designer"
        # What the designer hands over: the design, and the same with its styles.
        form.body_design = self.DESIGN
        form.design_html = self.DESIGN

    def _create_designed(self):
        form = self._open()
        form.name = "Designed"
        form.subject = "Hi"
        self._design(form)
        return form.save()

    def test_a_new_template_can_be_designed(self):
        form = self._open()
        form.editor = "designer"
        self.assertIn("o_mail_wrapper", form.body_design)
        template = self._create_designed()
        self.assertEqual(template.body_html, designer.to_source(self.DESIGN))
        context = template._get_sample_context()
        self.assertIn("Hi Anna", template._render(context).html)

    def test_there_and_back_without_loss(self):
        template = self._create_designed()
        source = template.body_html
        with self._open(template) as form:
            form.editor = "code"
            self.assertEqual(form.body_html, source)
        self.assertEqual(template.body_design, self.DESIGN)
        with self._open(template) as form:
            form.editor = "designer"
        self.assertEqual(template.editor, "designer")
        self.assertEqual(template.body_html, source)

    def test_code_is_not_lost(self):
        template = self._create_designed()
        template.editor = "code"
        template.body_html += "<!-- {{ year }} -->"
        code = template.body_html
        with self.assertLogs("odoo.tests.form", "WARNING") as logs:
            with self._open(template) as form:
                form.editor = "designer"
                self.assertEqual(form.editor, "code")
        self.assertIn("1 line(s)", logs.output[0])
        self.assertIn("<!-- {{ year }} -->", logs.output[0])
        self.assertEqual((template.editor, template.body_html), ("code", code))

    def test_code_in_another_language_is_not_lost(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self._create_designed()
        template.editor = "code"
        template.with_context(lang="fr_FR").body_html += "<p>Bonjour</p>"
        with self.assertLogs("odoo.tests.form", "WARNING") as logs:
            with self._open(template) as form:
                form.editor = "designer"
                self.assertEqual(form.editor, "code")
        self.assertIn("<p>Bonjour</p>", logs.output[0])
        self.assertIn("French", logs.output[0])

    def test_a_large_code_is_compared_soon(self):
        lines = [f"<p>Line {number} of many</p>" for number in range(3000)]
        template = self.env["marketing.template"].new(
            {
                "design_html": "".join(f"{line}\n" for line in lines),
                "body_html": "\n".join(line.replace("of", "af") for line in lines),
            }
        )
        begin = time.thread_time()
        self.assertGreater(len(template._get_lost_lines()), 2990)
        # Of this thread alone; line by line with each other it would be minutes.
        self.assertLess(time.thread_time() - begin, 20)

    def test_code_without_a_design_stays(self):
        template = self._create_contact_template()
        with self.assertLogs("odoo.tests.form", "WARNING"):
            with self._open(template) as form:
                form.editor = "designer"
                self.assertEqual(form.editor, "code")
        self.assertFalse(template.body_design)

    def test_what_cannot_be_sent_is_said(self):
        form = self._open()
        form.editor = "designer"
        with self.assertRaisesRegex(Exception, "shown to some customers only"):
            form.design_html = '<p t-if="false">x</p>'

    def test_each_language_has_its_design(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self._create_designed().with_context(lang="fr_FR")
        with self._open(template) as form:
            form.body_design = "<h1>Bonjour</h1>"
            form.design_html = "<h1>Bonjour</h1>"
        self.assertIn("Bonjour", template.body_html)
        english = template.with_context(lang="en_US")
        self.assertEqual(english.body_design, self.DESIGN)
        self.assertIn("Hi {{", english.body_html)
