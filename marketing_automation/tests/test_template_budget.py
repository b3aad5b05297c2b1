import resource

from odoo.tests import TransactionCase, tagged

from ..tools import rendering, template_budget
from ..tools.rendering import CostlyError, RenderError, render_text
from .common import MarketingCase

# Of what grows: nobody's message needs it, and a server has no room for it.
GROWING = [
    # Padding and repeating.
    *("{{ 'a'|center(900000000) }}", "{{ 'x'|center(40000000) }}"),
    *("{{ 'a'.ljust(900000000) }}", "{{ 'a'.rjust(900000000) }}"),
    *("{{ 'a'.zfill(900000000) }}", "{{ 'a'.center(900000000) }}"),
    *("{{ '%900000000d'|format(1) }}", "{{ '%*d'|format(900000000, 1) }}"),
    *("{{ '%.900000000f'|format(1) }}", "{{ '%900000000d' % 1 }}"),
    *("{{ 'a'|indent(900000000) }}", "{{ 'a'|indent('a' ~ 'b' * 9) }}"),
    *("{{ [1]|batch(900000000, 'x')|list }}", "{{ [1]|slice(900000000)|list }}"),
    *("{{ '\t'.expandtabs(900000000) }}", "{{ (5).to_bytes(900000000) }}"),
    *("{{ ['a']|map('center', 900000000)|list }}", "{{ 1.5|round(900000000) }}"),
    "{% filter center(900000000) %}a{% endfilter %}",
    "{{ 1|round(900000000, 'ceil') }}",
    "{{ [1]|tojson(900000000) }}",
    "{{ [1]|tojson(indent=900000000) }}",
    "{{ text|wordwrap(1, True, text) }}",
    "{{ text|wordwrap(1, wrapstring=text) }}",
    "{{ ('%(a)s' ~ '%(a)s' * 1)|format(a=text) }}",
    "{{ ('%(a)s' | replace('s', 's' ~ '%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s'"
    " ~ '%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s%(a)s'))"
    "|format(a=hostile) }}",
]
# Twice as much each time.
DOUBLING = [
    *("ns.s ~ ns.s", "ns.s + ns.s", "[ns.s, ns.s]|join", "','.join([ns.s, ns.s])"),
    *("ns.s.replace('', ns.s)", "[ns.s, ns.s]"),
    *("dict(a=ns.s, b=ns.s)", "(ns.s, ns.s)", "{'a': ns.s, 'b': ns.s}"),
    *("ns.s|replace('', ns.s)", "namespace(a=ns.s, b=ns.s)"),
]
# Without an end, or with one that nobody waits for.
ENDLESS = [
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
    "{{ f(60) }}",
    "{% macro f(n) %}{% if n %}{% set a = f(n - 1) %}{% set a = f(n - 1) %}{% endif %}"
    "{% endmacro %}{{ f(60) }}",
    "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "{% set ns = namespace(n=3) %}{% for i in range(999) %}"
    "{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}",
    "{% for a in text %}{% for b in text %}{% for c in text %}{% endfor %}{% endfor %}"
    "{% endfor %}",
    "{% set c = cycler('a', 'b') %}{% for a in text %}{% for b in text %}"
    "{{ c.next() }}{% endfor %}{% endfor %}",
    "{% for a in text %}{% for b in text %}"
    + "{% if 1 < 2 %}{% endif %}" * 300
    + "{% endfor %}{% endfor %}",
    "{{ hostile|striptags }}",
    "{{ hostile|urlize }}",
    "{{ hostile|wordwrap(1) }}",
    "{{ (text ~ text)|list|map('replace', 'a', text)|join }}",
]
# What messages do say; each with what comes of it.
USUAL = {
    "{{ name|upper|replace('B', 'p')|truncate(9) }}": "pOp",
    "{{ [1, 2]|join(', ') }}": "1, 2",
    "{{ '%s: %.2f'|format(name, 2.5) }}": "bob: 2.50",
    "{{ 'a' ~ 1 ~ name }}": "a1bob",
    "{{ 7 // 2 + 7 % 2 - -3 }}": "7",
    "{{ nobody|default('friend') }}": "friend",
    "{{ name.replace('b', 'p').title() }}": "Pop",
    "{% for row in [1, 2, 3]|batch(2) %}{{ row|length }}{% endfor %}": "21",
    "{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}": "x1",
    "{% set ns = namespace(n=0) %}{% for i in range(5) %}"
    "{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}": "10",
    "{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(3) }}": "[3]",
    "{{ [3, 1]|sort|map('string')|join('-') }}": "1-3",
    "{{ lines|sum(attribute='n') }}": "3",
    "{{ 'a\nb'|indent(2) }}": "a\n  b",
    "{{ 'a'|center(5) }}|": "  a  |",
}


@tagged("standard", "at_install")
class TestTemplateBudget(TransactionCase):
    """No template keeps a server busy or fills its memory."""

    values = {
        "name": "bob",
        "text": "a" * 5000,
        "hostile": "<>" * 200_000,
        "lines": [{"n": 1}, {"n": 2}],
    }

    def _refuse(self, source):
        with self.subTest(source[:70]), self.assertRaises(RenderError):
            render_text(source, self.values)

    def test_what_grows(self):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for source in GROWING:
            self._refuse(source)
        for expression in DOUBLING:
            self._refuse(
                "{% set ns = namespace(s='a') %}{% for i in range(60) %}"
                f"{{% set ns.s = {expression} %}}{{% endfor %}}{{{{ ns.s }}}}"
            )
            self._refuse(
                "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}"
                f"{{% set ns.s = {expression} %}}{{% endfor %}}{{{{ ns.s }}}}"
            )
        self._refuse(
            "{% set ns = namespace(s='a') %}{% for i in range(60) %}"
            "{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}{% endfor %}"
        )
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        self.assertLess(grown, 300_000, "kilobytes")

    def test_what_does_not_end(self):
        for source in ENDLESS:
            self._refuse(source)

    def test_what_messages_say(self):
        for source, expected in USUAL.items():
            with self.subTest(source):
                self.assertEqual(render_text(source, self.values), expected)

    def test_the_same_on_any_machine(self):
        """Steps are counted: a slower clock changes nothing."""
        source = "{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}"
        self.assertEqual(render_text(source, {"text": "a" * 300}), "")
        for _time in range(2):
            with self.assertRaises(CostlyError) as caught:
                render_text(source, {"text": "a" * 5000})
            self.assertIn("too many loops", caught.exception.message)

    def test_one_budget_for_all_parts(self):
        loop = "{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}"
        values = {"text": "a" * 400}
        render_text(loop, values)
        templates = rendering.Templates(loop, loop, loop, loop)
        with self.assertRaises(CostlyError):
            rendering.render_sources(templates, values)
        with template_budget.limited(0.1), self.assertRaises(CostlyError):
            render_text(loop, values)
        render_text(loop, values)

    def test_nothing_is_worked_out_when_it_is_compiled(self):
        """Nor kept: five of these once were 190 MB for good."""
        kept = rendering._Compiled(1000)
        for number in range(300):
            source = f"{{{{ 'x'|center({40_000_000 + number}) }}}}"
            kept.get(source, False)
        self.assertLessEqual(kept._signs, 1000)
        self.assertLess(len(kept._kept), 40)
        source = "a" * 5000
        self.assertIsNot(kept.get(source, False), kept.get(source, False))
        self.assertIs(kept.get("a", False), kept.get("a", False))


@tagged("post_install", "-at_install")
class TestCostlyBatch(MarketingCase):
    """A template that is endless for somebody real holds up nobody else."""

    def test_others_leave(self):
        costly = self._create_contact_template(
            body_html="{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}"
            "{% endif %}{% endmacro %}<p>{% if 'costly' in customer.name|lower %}"
            "{{ f(60) }}{% endif %}Hello {{ customer.first_name }}</p>"
            '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>',
        )
        people = self.env["res.partner"]
        for letter in "abcdef":
            people |= self._create_customer(
                f"Costly {letter}", f"costly-{letter}@example.com"
            )
        people |= self._create_customer("Plain", "plain@example.com")
        messages = self._queue_to(people, costly)
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        states = {
            message.email_normalized: (message.state, message.reason)
            for message in messages
        }
        self.assertEqual(states["plain@example.com"][0], "sent")
        others = set(states.values()) - {states["plain@example.com"]}
        self.assertEqual(others, {("failed", "rendering_error")})
