from unittest.mock import patch

from lxml import etree

from odoo.tests import TransactionCase, tagged

from odoo.addons.marketing_automation.models.content.merge_tags import (
    CART_TAGS,
    SAMPLE_CART_CONTEXT,
)
from odoo.addons.marketing_automation.tools import rendering
from odoo.addons.marketing_automation.tools.html_text import html_to_text
from odoo.addons.marketing_automation.tools.rendering import (
    RenderError,
    Templates,
    TemplateSourceError,
    check_source,
    render,
)

from .moments import assert_grows_in_step

KNOWN_NAMES = [tag.name for tag in CART_TAGS]

# The ways out of a sandbox that templates are attacked with.
ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ customer['__class__'] }}",
    "{{ customer.update({'name': 'x'}) }}",
    "{{ cart.lines.append(1) }}",
    "{{ button.__globals__ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__.os }}",
    "{{ self.__init__.__globals__ }}",
    "{{ '{0.__class__}'.format(year) }}",
    "{{ ['{0.__class__}'.format] }}",
    "{{ '{a.__class__}'.format_map(customer) }}",
    "{{ ''|attr('__class__') }}",
    "{{ [customer]|map(attribute='__class__')|list }}",
    "{% include '../../__manifest__.py' %}",
    "{% include '/etc/passwd' %}",
]
# Source, and its text: what browsers make of markup that nobody should write.
ODD_HTML = [
    ("", ""),
    ("<!-- nothing -->", ""),
    ("x<!-- never closed", "x"),
    ("x<!--[if mso]><p>Outlook</p><![endif]-->y", "xy"),
    ("<p>open <b>and 😀 נועה", "open and 😀 נועה"),
    ("I <3 you", "I <3 you"),
    ("x<p", "x"),
    ('x<p title="never closed', "x"),
    ('<p title="a>b">x</p>', "x"),
    ("<a href='/x>y'>link</a> z", "link: /x>y z"),
    ("<A HREF=https://example.com/Y>Z</A>", "Z: https://example.com/Y"),
    ('<a name="q">a</a> <a href="">b</a> <a href="#c">c</a>', "a b c"),
    ('<a href="/a">one <a href="/b">two', "one: /atwo: /b"),
    ("<STYLE>p > b { x: '<p>' }</Style ><p>x", "x"),
    ("<script>if (a<b) x('</p>')</script>t", "t"),
    ("<svg><svg><text>x</text></svg>y</svg>z", "z"),
    ("a<div HIDDEN>b<div>c</div>d</div>e", "ae"),
    ("<p style='color: red; DISPLAY :none'>x<p>y", "y"),
    ("<div hidden>never closed", "never closed"),
    ("<p style='overflow: hidden'>x", "x"),
    ("<ul><li><p>a</p></li><li></li><li>b</ul>", "- a\n\n- b"),
    ("<p>a<br><br><br>b</p>", "a\n\nb"),
    ("&amp;lt; a&nbsp;b &#65;&#x42;&#1; &foo;", "&lt; a\xa0b AB &foo;"),
    ('<a href="/?a=1&copy=2&amp;b=3">x</a>', "x: /?a=1&copy=2&b=3"),
    ("\1\5a\7 \0b", "a \0b"),
]
# A fifth of a megabyte each: what makes careless expressions try again and again.
HOSTILE_HTML = [
    *("<", "<a ", "<a '", '<a href="', "<a href=x>", "<!--", "<p a= ", "<svg>", "&#"),
    *("<style>", "</style", "<style </style ", "<p hidden>", "<div hidden></p>", "\n "),
    *("<a x='\">", "=\"'<p>", "<br>", "a=", "hidden ", "\5", "<a href=x></a> "),
]
# What would keep a worker busy or fill its memory.
EXCESSES = [
    "{{ range(100000)|list }}",
    "{{ 'a' * 10000000 }}",
    "{{ [1] * 10000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% for a in range(1000) %}{% for b in range(1000) %}12{% endfor %}{% endfor %}",
    "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}",
]


def render_html(html, **values):
    return render(Templates("", html), {**SAMPLE_CART_CONTEXT, **values}).html


def parse(html):
    return etree.fromstring(html, etree.HTMLParser())


def make_customer(name):
    return {"name": name, "first_name": name, "email": "someone@example.com"}


@tagged("standard", "at_install")
class TestRendering(TransactionCase):
    """Sources and plain values in, an email out. Nothing here needs the ORM."""

    def assert_refused(self, source, line, words, autoescape=True):
        with self.assertRaises(TemplateSourceError) as caught:
            check_source(source, KNOWN_NAMES, autoescape)
        self.assertEqual(caught.exception.line, line)
        self.assertIn(words, caught.exception.message)

    # === THE SANDBOX ===#

    def test_sandbox_escapes_fail(self):
        for source in ESCAPES:
            with self.subTest(source), self.assertRaises(RenderError):
                render_html(source)
        self.assertNotIn("x", SAMPLE_CART_CONTEXT["customer"])

    def test_excesses_fail(self):
        for source in EXCESSES:
            with self.subTest(source), self.assertRaises(RenderError):
                render_html(source)

    def test_too_deep_is_said(self):
        for source in (
            "{% if year %}" * 300 + "{% endif %}" * 300,
            "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
            "{% for a in [1] %}" * 25 + "{% endfor %}" * 25,
        ):
            with self.subTest(source[:20]):
                self.assert_refused(source, 0, "inside each other")

    def test_joined_signs_stay_joined_in_a_subject(self):
        for subject in (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
            "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ):
            self.assertEqual(rendering.one_line(subject), subject)
        self.assertEqual(rendering.one_line("A\r\nBcc:\u202e b\u2028c"), "A Bcc: b c")

    def test_values_are_never_evaluated(self):
        name = "{{ 7*7 }}{% raw %}<script>alert(1)</script>\"'"
        html = "<p title='{{ customer.name }}'>{{ customer.name }}</p>"
        rendered = render(
            Templates("{{ customer.name }}", html, "{{ customer.name }}"),
            {"customer": make_customer(name)},
        )
        body = parse(rendered.html).find("body")
        self.assertEqual(len(list(body.iter())), 2)
        self.assertEqual(body[0].text, name)
        self.assertEqual(body[0].get("title"), name)
        self.assertEqual(rendered.subject, name)
        self.assertEqual(rendered.text, name)

    def test_a_value_cannot_leave_an_attribute(self):
        name = "x' onload='alert(1)"
        html = render_html(
            "<p title='{{ customer.name }}'>x</p>", customer=make_customer(name)
        )
        (paragraph,) = parse(html).iter("p")
        self.assertEqual(paragraph.attrib, {"title": name})

    def test_subject_is_one_line(self):
        name = "Eve\r\nBcc: all@example.com\u2028\x0bX"
        rendered = render(
            Templates("Hello\n {{ customer.name }}", "x"),
            {"customer": make_customer(name)},
        )
        self.assertEqual(rendered.subject, "Hello Eve Bcc: all@example.com X")

    # === WHAT IS WRONG, AND WHERE ===#

    def test_syntax_error_has_its_line(self):
        self.assert_refused("<p>\n\n{% if cart.count %}\n<p>", 4, "endif")
        self.assert_refused("one\n{{ cart.total", 2, "end of template")

    def test_unknown_filter_has_its_line(self):
        self.assert_refused("one\n{{ cart.total|sparkle }}", 2, "sparkle")

    def test_unknown_tag_has_its_line(self):
        self.assert_refused("one\n\n{{ partner.name }}", 3, "“partner”")
        self.assert_refused("{{ year }}\n{{ customer.nmae }}", 2, "“customer.nmae”")
        # Also where rendering would not find it.
        self.assert_refused("{% if cart.discount %}x{% endif %}", 1, "cart.discount")

    def test_unknown_block_has_its_line(self):
        self.assert_refused('one\n{% include "horoscope" %}', 2, "“horoscope”")
        self.assert_refused('{% extends "layout" %}', 1, "“layout”", autoescape=False)

    def test_own_names_are_no_merge_tags(self):
        source = (
            "{% set greeting = 'Hello' %}{{ greeting }}"
            "{% for line in cart.lines %}{{ loop.index }} {{ line.name }}{% endfor %}"
            "{{ labels.total }}"
        )
        check_source(source, KNOWN_NAMES, True)

    def test_missing_value(self):
        html = "<p>{% if customer.shoe_size %}yes{% else %}no{% endif %}</p>"
        self.assertIn("<p>no</p>", render_html(html))
        self.assertIn("42", render_html("{{ customer.shoe_size|default(42) }}"))
        with self.assertRaises(RenderError) as caught:
            render_html("one\n{{ customer.shoe_size }}")
        self.assertEqual(caught.exception.line, 2)
        self.assertEqual(caught.exception.part, "html")
        self.assertIn("“shoe_size”", caught.exception.message)

    def test_error_inside_the_layout_has_the_authors_line(self):
        source = '{% extends "layout" %}\n{% block content %}\n{{ 1/0 }}{% endblock %}'
        with self.assertRaises(RenderError) as caught:
            render_html(source)
        self.assertEqual(caught.exception.line, 3)

    def test_error_names_its_part(self):
        for part in ("subject", "preheader", "text"):
            sources = {"subject": "x", "html": "x", part: "{{ 1/0 }}"}
            with self.subTest(part), self.assertRaises(RenderError) as caught:
                render(Templates(**sources), SAMPLE_CART_CONTEXT)
            self.assertEqual(caught.exception.part, part)

    # === HTML ===#

    def test_css_is_inlined_after_rendering(self):
        html = render_html(
            "<style>td { color: red } @media print { td { color: blue } }</style>"
            "<table>{% for line in cart.lines if line.quantity < 2 %}"
            "<tr><td>{{ line.name }}</td></tr>{% endfor %}</table>"
        )
        self.assertEqual(html.count('<td style="color: red;">'), 2)
        self.assertIn("@media print", html)

    def test_nothing_is_loaded(self):
        css = '<link rel="stylesheet" href="file:///etc/hostname">'
        self.assertIn("<p>x</p>", render_html(f"{css}<p>x</p>"))

    def test_without_css_inline(self):
        with patch.object(rendering, "_css_inliner", return_value=None):
            html = render_html("<style>p { color: red }</style><p>x</p>")
        self.assertIn("<p>x</p>", html)

    def test_preheader_is_first_and_hidden(self):
        templates = Templates("x", "<body><p>Text</p></body>", "", "{{ year }}")
        rendered = render(templates, {"year": "<Anna>"})
        before, after = rendered.html.split("&lt;Anna&gt;")
        self.assertIn("<body><div", before)
        self.assertIn("display:none", before)
        self.assertIn("<p>Text</p>", after)
        self.assertEqual(rendered.text, "Text")

    def test_cart_without_picture_and_price(self):
        line = SAMPLE_CART_CONTEXT["cart"]["lines"][1]
        line = {**line, "image_url": "", "url": "", "price_subtotal": "$ 0.00"}
        cart = {**SAMPLE_CART_CONTEXT["cart"], "lines": [line]}
        html = render_html('{% include "cart_items" %}', cart=cart)
        self.assertNotIn("<img", html)
        self.assertNotIn('href=""', html)
        self.assertIn("$ 0.00", html)

    def test_two_hundred_lines(self):
        lines = SAMPLE_CART_CONTEXT["cart"]["lines"][:1] * 200
        cart = {**SAMPLE_CART_CONTEXT["cart"], "lines": lines}
        source = '{% extends "layout" %}{% block content %}{% include "cart_items" %}'
        html = render_html(source + "{% endblock %}", cart=cart)
        self.assertEqual(html.count("<img"), 200)

    def test_right_to_left(self):
        source = '{% extends "layout" %}{% block content %}{% include "cart_items" %}'
        source += "<p>{{ customer.name }}</p>{% endblock %}"
        values = {"direction": "rtl", "language": "he"}
        customer = make_customer("נועה כהן 🛒")
        html = render_html(source, customer=customer, **values)
        self.assertIn('dir="rtl"', html)
        self.assertIn("נועה כהן 🛒", html)
        self.assertIn('align="left"', html)

    # === TEXT ===#

    def test_text_is_not_escaped(self):
        rendered = render(
            Templates("x", "x", "{{ customer.name }}\n\n\n\nBye  "),
            {"customer": make_customer("Tom & <Jerry>")},
        )
        self.assertEqual(rendered.text, "Tom & <Jerry>\n\nBye")

    def test_text_from_html(self):
        html = """<html><head><title>T</title><style>p {color: red}</style></head>
            <body><div style="display: none">hidden</div><h1>Hello  you</h1>
            <p>One<br>two &amp; <b>three</b>, <a href="https://example.com/a?b=1&amp;c"
            >a link</a>.</p><img src="x.png" alt="picture">
            <ul><li>first</li><li>second</li></ul>
            <table><tr><td>Mug</td><td>5</td></tr><tr><td>Lamp</td><td>6</td></tr>
            </table><a href="https://example.com">https://example.com</a>
            <a href="mailto:a@example.com">a@example.com</a>
            <a href="https://example.com/logo"><img src="y.png" alt="logo"></a>
            <!-- comment --></body></html>"""
        self.assertEqual(
            html_to_text(html),
            "Hello you\n\nOne\ntwo & three, a link: https://example.com/a?b=1&c.\n\n"
            "- first\n- second\n\nMug 5\nLamp 6\n\n"
            "https://example.com a@example.com",
        )

    def test_text_from_odd_html(self):
        for html, text in ODD_HTML:
            with self.subTest(html):
                self.assertEqual(html_to_text(html), text)

    def test_text_from_hostile_html(self):
        for piece in HOSTILE_HTML:
            with self.subTest(piece):
                assert_grows_in_step(
                    self,
                    lambda size, piece=piece: html_to_text(
                        f"<p title='>'>{piece * (size // len(piece))}"
                    ),
                    50_000,
                )
