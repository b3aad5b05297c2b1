import random

from odoo.tests import BaseCase, tagged

from odoo.addons.marketing_automation.models.content.merge_tags import (
    SAMPLE_CART_CONTEXT,
)
from odoo.addons.marketing_automation.providers.base import OutgoingEmail
from odoo.addons.marketing_automation.tools import markers, shared_rendering
from odoo.addons.marketing_automation.tools.links import wrap_links
from odoo.addons.marketing_automation.tools.rendering import (
    RenderError,
    Templates,
    render,
)
from odoo.addons.marketing_automation.tools.shared_rendering import SharedRenderer

from .examples import examples

PERSONAL = {
    *("customer.name", "customer.first_name", "customer.email", "unsubscribe_url"),
}
LAYOUT = '{% extends "layout" %}{% block content %}'
GREETING = (
    "{% if customer.first_name %}Hi {{ customer.first_name }}{% else %}Hi{% endif %}"
)
SHAREABLE = [
    Templates("Hello", "<p>Nothing personal</p>"),
    Templates("", "{{ customer.name }}{{ customer.email }}"),
    Templates("{{ customer.name }}", "<p>{{ customer.name }}", "{{ customer.name }}"),
    Templates(
        "A @{{ customer.name }}@ b", "@{{ customer.name }}&amp;{{ customer.email }}"
    ),
    Templates(
        "{{ customer.first_name or 'Friend' }}: {{ 1 if not customer.name else 2 }}",
        f"{LAYOUT}<h1>{GREETING}</h1><p> {{{{ customer.name }}}} </p>"
        '<a href="{{ unsubscribe_url }}" title="{{ customer.name }}">'
        "{{ customer.email }}</a>"
        '<a href="mailto:{{ customer.email }}">{{ customer["email"] }}</a>'
        '<a href="https://shop.example.com/?n={{ customer.name }}">Shop</a>'
        "{% endblock %}",
        preheader="{{ customer.first_name }} {{ cart.total }}",
    ),
    Templates(
        "{% if customer.name and not customer.email %}A{% else %}B{% endif %}",
        f'{LAYOUT}{{{{ super() }}}}{{% include "cart_items" %}}{{% endblock %}}',
        '  {{ customer.name }}  \n\n\n{{ customer.email }}\n{% include "footer" %}',
    ),
    Templates(
        "{{ (customer.name if customer.email) or year }}",
        "<style>.x { color: red }</style><table>{{ customer.name }}<tr><td class='x'>"
        "{{ customer.email }}</td></tr></table><img alt='{{ customer.name }}'>"
        "{% for line in cart.lines %}{{ customer.name }}{{ line.name }}{% endfor %}",
    ),
    Templates(
        "x",
        "<a href='{{ unsubscribe_url }}'>{{ unsubscribe_url }}</a><a href='/x'>"
        "{{ customer.name }}</a><a href='{{ customer.name }}'>{{ customer.email }}</a>",
    ),
]
# What is done to a value there can change anything.
UNSHAREABLE = [
    "{{ customer.name|upper }}",
    "{{ customer.name ~ '!' }}",
    "{{ customer.name == 'Anna' }}",
    "{% if customer.name == 'Anna' %}x{% endif %}",
    "{% if customer.name is defined %}x{% endif %}",
    "{{ customer.name[0] }}",
    "{{ customer.name.title() }}",
    "{{ customer }}",
    "{{ customer.age }}",
    "{{ customer[year] }}",
    "{{ button(customer.name, 'x') }}",
    "{{ cart[customer.name] }}",
    "{% for letter in customer.name %}{{ letter }}{% endfor %}",
    "{% for line in cart.lines if customer.name %}x{% endfor %}",
    "{% set name = customer.name %}{{ name }}",
    "{% set name %}{{ customer.name }}{% endset %}{{ name|upper }}",
    "{% set customer = cart %}{{ customer.name }}",
    "{% for customer in cart.lines %}{{ customer.name }}{% endfor %}",
    "{% with customer = cart %}{{ customer.name }}{% endwith %}",
    "{% macro customer() %}x{% endmacro %}{{ customer() }}",
    "{% macro greet() %}{{ customer.name }}{% endmacro %}{{ greet()|upper }}",
    "{% filter upper %}{{ customer.name }}{% endfilter %}",
    '{% filter upper %}{% include "footer" %}{% endfilter %}',
    "{% block a %}{{ customer.name }}{% endblock %}{{ self.a()|upper }}",
    "{% block a %}{{ super()|upper }}{% endblock %}",
    "{% include customer.name %}",
    "{% include ['footer', customer.name] %}",
    '{% import "button" as customer %}',
    '{% from "button" import button as customer %}',
    "{{ customer.name",
    '{% include "nothing" %}',
    f"{markers.make_marker('customer.name', 'h')} {{{{ customer.name }}}}",
]
# The output is printed where a value can change what is around it.
ODD_PLACES = [
    "<p class='{{ customer.name }}'>x</p>",
    "<p title={{ customer.name }}>x</p>",
    "<p style='color: {{ customer.name }}'>x</p>",
    "<p {{ customer.name }}>x</p>",
    "<{{ customer.name }}>x",
    "</{{ customer.name }}>x",
    "a &am{{ customer.name }}",
    "<a href='/?a&{{ customer.name }}'>x</a>",
    "<!-- {{ customer.name }} -->x",
    "</ {{ customer.name }}>x",
    "a &lt</b>{{ customer.name }}",
    "<!-- '\"<p title=' --><p class='{{ customer.name }}'>",
    "<style>p { color: {{ customer.name }} }</style><p>x</p>",
    "<script>{{ customer.name }}</script>x",
    "<textarea>{{ customer.name }}</textarea>x",
    "<style>a[href^='A'] {color: red}</style><a href='{{ customer.name }}'>x</a>",
]
# Plain ones, hostile ones, and those that are not the same after cleaning.
VALUES = [
    *("Anna", "Tom & <Jerry>", 'O\'Neil "x"', "&amp; &lt;b&gt;", "נועה כהן", "Ünï 😀"),
    *(
        "{{ 7*7 }}",
        "{% raw %}",
        "--",
        "- a",
        "@",
        "@@",
        "@@ma-customer-name-h@@",
        "ma-",
    ),
    *("", None, " ", "  Anna  M ", "a\nb", "a\r\nBcc: x@example.com", "\xa0", "a\xa0b"),
    *(
        "a\u2028b",
        "\x0b",
        "\x00",
        "👩‍👩‍👧",
        "a" * 300,
        "a" * 3000,
        "😀" * 900,
        "0",
        "#x",
    ),
    *("mailto:a@example.com", "/x", "a@example.com", "https://example.com/?a=1&b=2"),
    *("<p style='display:none'>", "display:none", "]]>", "-->", "\\1", "\\g<0>", "%s"),
]


def fill(shared, **headers):
    """What a provider that sends each email by itself makes of it."""
    email = OutgoingEmail(
        *("uuid", "a@example.com", "b@example.com", ""),
        *(shared.subject, shared.html, shared.text),
        headers=headers,
        substitutions=shared.substitutions,
    )
    return email.filled()


def make_context(name="Anna", email="anna@example.com", url="https://example.com/u"):
    customer = {"name": name, "first_name": name, "email": email}
    return {**SAMPLE_CART_CONTEXT, "customer": customer, "unsubscribe_url": url}


@tagged("standard", "at_install")
class TestSharedRendering(BaseCase):
    """Every email is, sign for sign, the one rendered for its person alone."""

    def assert_same(self, renderer, templates, context):
        shared = renderer.render(context)
        email, rendered = fill(shared), render(templates, context)
        self.assertEqual(email.subject, rendered.subject)
        self.assertEqual(email.html, rendered.html)
        self.assertEqual(email.text, rendered.text)
        return shared

    def test_same_as_alone(self):
        source = random.Random(19)
        for templates in SHAREABLE:
            renderer = SharedRenderer(templates, PERSONAL)
            self.assertEqual(renderer.obstacle, "")
            self.assertTrue(renderer.is_shareable)
            shared = self.assert_same(renderer, templates, make_context())
            self.assertIsNotNone(shared.variant)
            for value in VALUES:
                with self.subTest(html=templates.html, value=value):
                    context = make_context(value, value, value)
                    self.assert_same(renderer, templates, context)
            for _turn in range(examples(60, 200)):
                values = source.choices(VALUES, k=3)
                with self.subTest(html=templates.html, values=values):
                    self.assert_same(renderer, templates, make_context(*values))

    def test_random_sources(self):
        """Templates put together from pieces that meet each other anywhere."""
        source = random.Random(3)
        prints = [f"{{{{ {name} }}}}" for name in sorted(PERSONAL)]
        tests = [f"{{% if {name} %}}x{{% else %}}y{{% endif %}}" for name in PERSONAL]
        pieces = [
            *(
                "<p>",
                "</p>",
                " ",
                "\n",
                "<br>",
                "&amp;",
                "&",
                "<",
                "@",
                "@@ma",
                "'",
                '"',
            ),
            *("<a href='", "'>", '<a title="', '">', "</a>", "<td>", "<li>", "mailto:"),
            *("<!--", "-->", "<style>", "</style>", "<title>", "</title>", "word", "#"),
        ]
        shared = 0
        for _turn in range(examples(80, 200)):
            html = "".join(source.choices(pieces, k=8) + source.choices(prints, k=3))
            parts = source.choices([*pieces, *prints, *prints, *tests], k=10)
            for templates in (Templates("x", html), Templates("x", "".join(parts))):
                renderer = SharedRenderer(templates, PERSONAL)
                for _person in range(5):
                    values = source.choices(VALUES, k=3)
                    with self.subTest(html=templates.html, values=values):
                        result = self.assert_same(
                            renderer, templates, make_context(*values)
                        )
                        shared += result.variant is not None
        self.assertGreater(shared, 50)

    def test_variants_are_shared(self):
        templates = SHAREABLE[4]
        renderer = SharedRenderer(templates, PERSONAL)
        anna, tom = (renderer.render(make_context(n)) for n in ("Anna", "Tom & Co"))
        nobody = renderer.render(make_context(""))
        self.assertEqual(anna.variant, tom.variant)
        self.assertNotEqual(anna.variant, nobody.variant)
        self.assertIs(anna.subject, tom.subject)
        self.assertIs(anna.html, tom.html)
        self.assertIs(anna.text, tom.text)
        self.assertEqual(list(anna.substitutions), list(tom.substitutions))
        self.assertNotIn("Anna", anna.subject + anna.html + anna.text)
        name = "customer.name"
        self.assertEqual(
            tom.substitutions[markers.make_marker(name, "h")], "Tom &amp; Co"
        )

    def test_unshareable_sources(self):
        for html in UNSHAREABLE:
            with self.subTest(html):
                for templates in (Templates("", html), Templates(html, "x")):
                    renderer = SharedRenderer(templates, PERSONAL)
                    self.assertFalse(renderer.is_shareable)
                    self.assertTrue(renderer.obstacle)

    def test_odd_places(self):
        for html in ODD_PLACES:
            templates = Templates("", html)
            renderer = SharedRenderer(templates, PERSONAL)
            for name in ("Anna", "red", "p;", ";", "'", "x y", ""):
                with self.subTest(html, name=name):
                    context = make_context(name)
                    shared = self.assert_same(renderer, templates, context)
                    self.assertEqual(shared.variant, (False,) if not name else None)

    def test_other_values_differ(self):
        """Not what was promised, but nobody gets the cart of somebody else."""
        templates = Templates("{{ cart.total }}", "{{ customer.name }}")
        renderer = SharedRenderer(templates, PERSONAL)
        first = make_context()
        self.assertTrue(self.assert_same(renderer, templates, first).variant)
        other = {**first, "cart": {**first["cart"], "total": "1"}, "labels": {}}
        self.assertIsNone(self.assert_same(renderer, templates, other).variant)
        # What the template does not use may differ.
        other = {**first, "labels": {}}
        self.assertTrue(self.assert_same(renderer, templates, other).variant)

    def test_missing_value(self):
        renderer = SharedRenderer(Templates("", "{{ customer.name }}"), PERSONAL)
        with self.assertRaises(RenderError):
            renderer.render({"customer": {}})

    def test_error_of_a_variant_is_the_persons(self):
        html = "{% if customer.name %}{{ 1 / 0 }}{% endif %}"
        renderer = SharedRenderer(Templates("", html), PERSONAL)
        with self.assertRaises(RenderError):
            renderer.render(make_context())
        self.assertIsNotNone(renderer.render(make_context("")).variant)

    def test_number_of_variants(self):
        names = [f"name_{number}" for number in range(8)]
        html = "".join(
            f"{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}," for name in names
        )
        templates = Templates("", html)
        renderer = SharedRenderer(templates, names)
        variants = set()
        for number in range(256):
            values = [str(number) if number >> bit & 1 else "" for bit in range(8)]
            context = dict(zip(names, values, strict=True))
            variants.add(self.assert_same(renderer, templates, context).variant)
        self.assertEqual(len(variants), shared_rendering.MAX_VARIANTS + 1)
        self.assertIn(None, variants)

    def test_size_of_substitutions(self):
        names = [f"name_{number}" for number in range(9)]
        html = "".join(f"{{{{ {name} }}}}," for name in names)
        templates = Templates("", html)
        renderer = SharedRenderer(templates, names)
        context = dict.fromkeys(names, "x" * 400)
        shared = self.assert_same(renderer, templates, context)
        size = sum(len(k) + len(v) for k, v in shared.substitutions.items())
        self.assertIsNotNone(shared.variant)
        self.assertLess(size, 10_000)
        context = dict.fromkeys(names, "x" * 999)
        self.assertIsNone(self.assert_same(renderer, templates, context).variant)

    def test_finish_html(self):
        token = markers.make_marker("token", "t")
        calls = []

        def finish_html(html, context):
            calls.append(context["customer"]["name"])
            skip = [context["unsubscribe_url"]]
            return wrap_links(html, f"https://example.com/r/{token}", "secret", skip)

        unsubscribe = "<a href='{{ unsubscribe_url }}'>{{ customer.name }}</a>"
        html = (
            f"<p>{{{{ customer.name }}}}</p><a href='https://a.com'>a</a>{unsubscribe}"
        )
        templates = Templates("", html)
        renderer = SharedRenderer(templates, PERSONAL, finish_html)
        for name in ("Anna", "Tom", "two\nlines"):
            context = make_context(name)
            alone = finish_html(render(templates, context).html, context)
            self.assertIn(token, alone)
            self.assertEqual(fill(renderer.render(context)).html, alone)
        self.assertEqual(calls.count("two\nlines"), 2)
        self.assertEqual(len(calls), 2 + 3, "once for two, and those of the test")

    def test_personal_links_are_wrapped_alone(self):
        """What stands in a signed address cannot be exchanged."""

        def finish_html(html, context):
            return wrap_links(html, "https://example.com/r/token", "secret")

        link = '<a href="https://a.com/{{ customer.name }}">x</a>'
        label = '<a href="https://a.com/">{{ customer.name }}</a>'
        for html in (link, label):
            renderer = SharedRenderer(Templates("", html), PERSONAL, finish_html)
            for name in ("Anna", "Tom"):
                shared = renderer.render(make_context(name))
                self.assertIsNone(shared.variant)
                self.assertIn(name, fill(shared).html)

    def test_filled_in_one_go(self):
        shared = shared_rendering.Shared(
            *((), "@@a@@@@b@@", "<p>@@a@@</p>@@ab@@", "@@@a@@"),
            {"@@a@@": "@@b@@", "@@b@@": "@@a@@", "@@ab@@": "\\1"},
        )
        email = fill(shared, **{"List-Unsubscribe": "<@@b@@>"})
        self.assertEqual(email.subject, "@@b@@@@a@@")
        self.assertEqual(email.html, "<p>@@b@@</p>\\1")
        self.assertEqual(email.text, "@@@b@@")
        self.assertEqual(email.headers, {"List-Unsubscribe": "<@@a@@>"})
        self.assertFalse(email.substitutions)
