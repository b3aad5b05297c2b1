"""Render once for many people, and fill in what is each person's own.

A campaign's email differs from person to person in a name and a link. Rendering it
takes a hundred times as long as exchanging these, and providers take one body for a
thousand people. So it is rendered with markers in place of the personal values, once
for each combination of values that are there and missing.

The outcome is, sign for sign, that of rendering it for each person alone. Where that
cannot be known, that is what happens: for a template that does more with a value than
print and test it (see :mod:`.personal_values`), for a value that is no plain line of
text, for a value in an odd place (see :mod:`.markers`).
"""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2

from . import markers
from .html_text import find_links, format_link
from .personal_values import NotShareable, find_personal_values
from .rendering import (
    MAX_OUTPUT,
    RenderError,
    Templates,
    finish,
    has_css_inliner,
    render,
    render_sources,
)
from .template_sandbox import get_environment

# Missing values: six of them make 64 combinations.
MAX_VARIANTS = 64
# Signs of a value, and bytes of all of one person. SendGrid takes 10,000 bytes of
# substitutions; the difference is left to the caller (Mail Send API, limitations).
MAX_VALUE = 1_000
MAX_SUBSTITUTIONS = 8_000


@dataclass(frozen=True)
class Shared:
    """One person's email.

    :ivar variant: which values are there; emails of a renderer with the same one have
        the same ``subject``, ``html`` and ``text`` (the same objects). None when it
        was rendered for this person alone.
    :ivar substitutions: marker -> what it stands for, in ``subject``, ``html`` and
        ``text``. All of them have to be replaced in one go.
    """

    variant: tuple[bool, ...] | None
    subject: str
    html: str
    text: str
    substitutions: Mapping[str, str] = field(default_factory=dict)


class SharedRenderer:
    """Renders one template for many people in the same language.

    :param templates: the sources
    :param personal: dotted names of the values in the contexts that differ from person
        to person. Everything else the sources use has to be the same in all contexts;
        a context that differs in it is rendered alone.
    :param finish_html: called with finished HTML and the context it was rendered with,
        once for each variant and each person rendered alone; may wrap links and put in
        markers of its own, see :func:`.markers.make_marker`. For a variant, both hold
        markers for personal values. A personal link it must leave alone: in a variant
        that is no web address. What it makes of a personal value otherwise (a part of a
        signed address, say) is noticed, and the variant is not shared.
    """

    def __init__(
        self,
        templates: Templates,
        personal: Collection[str],
        finish_html: Callable[[str, Mapping], str] = lambda html, context: html,
    ):
        self._templates = templates
        self._finish_html = finish_html
        self._use = _analyse(templates, frozenset(personal))
        self._variants: dict[tuple[bool, ...], _Variant | None] = {}
        self._common: dict[str, Any] | None = None

    @property
    def is_shareable(self) -> bool:
        """Whether the sources do nothing with personal values that forbids it."""
        return not self._use.obstacle

    @property
    def obstacle(self) -> str:
        """Why they do: a technical sentence for logs, or empty."""
        return self._use.obstacle

    def render(self, context: Mapping[str, Any]) -> Shared:
        """Render for one person.

        :param context: as for :func:`.rendering.render`
        :return: what differs from :func:`.rendering.render` in nothing, once it is
            filled in and ``finish_html`` left aside
        :raise RenderError: as there
        """
        values = self._get_values(context)
        if values is not None:
            key = tuple(map(bool, values.values()))
            variant = self._get_variant(key, values, context)
            if variant and (shared := variant.fill(key, values)):
                return shared
        rendered = render(self._templates, context)
        html = self._finish_html(rendered.html, context)
        return Shared(None, rendered.subject, html, rendered.text)

    def _get_values(self, context):
        """The personal values used, None when they cannot be shared."""
        if self._use.obstacle:
            return None
        common = {name: context.get(name) for name in self._use.common}
        if self._common is None:
            self._common = common
        if common != self._common:
            return None
        values = {}
        for name in self._use.personal:
            value = _get_value(context, name)
            if not _is_plain(value):
                return None
            values[name] = value or ""
        return values

    def _get_variant(self, key, values, context):
        if key in self._variants:
            return self._variants[key]
        if len(self._variants) >= MAX_VARIANTS:
            return None
        marked = context
        for name, value in values.items():
            if value:
                marked = _put_value(marked, name, markers.make_marker(name, "h"))
        names = [name for name, value in values.items() if value]
        variant = _make_variant(self._templates, marked, names, self._finish_html)
        self._variants[key] = variant
        return variant


@dataclass(frozen=True)
class _Use:
    """What a template uses: personal values and names that are common to all."""

    personal: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    obstacle: str = ""


@functools.lru_cache(maxsize=128)
def _analyse(templates, personal):
    if not has_css_inliner():
        return _Use(obstacle="css-inline is not installed")
    found, names = set(), set()
    for part in ("subject", "preheader", "html", "text"):
        source, environment = getattr(templates, part), get_environment(part == "html")
        if markers.PREFIX in source:
            return _Use(obstacle=f"{part}: it has markers of its own")
        try:
            used = find_personal_values(source, environment, personal)
        except (NotShareable, jinja2.TemplateError) as error:
            return _Use(obstacle=f"{part}: {error}")
        found |= used[0]
        names |= used[1]
    roots = {name.partition(".")[0] for name in personal}
    return _Use(tuple(sorted(found)), tuple(sorted(names - roots)))


def _get_value(context, name):
    """The value of a dotted name; a number where there is none, which is not plain."""
    for key in name.split("."):
        if not isinstance(context, Mapping) or key not in context:
            return 0
        context = context[key]
    return context


def _put_value(context, name, value):
    """A copy of the context with another value for a dotted name."""
    key, _dot, rest = name.partition(".")
    return {**context, key: _put_value(context[key], rest, value) if rest else value}


def _is_plain(value):
    """Whether a value looks the same wherever it is printed, apart from escapes.

    That is a line of printable signs, which nothing collapses or strips; nothing at
    all is fine, too. Not a string type of its own, which may know better how it is
    printed (Markup).
    """
    if value is None:
        return True
    return (
        type(value) is str
        and len(value) <= MAX_VALUE
        and value.isprintable()
        and value == " ".join(value.split())
        and markers.PREFIX not in value
    )


@dataclass(frozen=True)
class _Variant:
    """The email for all people with the same values missing."""

    subject: str
    html: str
    text: str
    # (marker, kind of place, name of the value)
    places: tuple
    # Links of the text with markers: (label, address, how they read).
    links: tuple

    def fill(self, key, values) -> Shared | None:
        """The email with these values; None when they need one of their own."""
        substitutions = {
            marker: markers.ESCAPES[place](values[name])
            for marker, place, name in self.places
        }
        size = sum(len(m) + len(v.encode()) for m, v in substitutions.items())
        if size > MAX_SUBSTITUTIONS or not self._keeps_links(values):
            return None
        return Shared(key, self.subject, self.html, self.text, substitutions)

    def _keeps_links(self, values):
        """Whether links read as they would: not if a label now is its address."""
        return all(
            _fill(formatted, values) == format_link(*(_fill(v, values) for v in link))
            for *link, formatted in self.links
        )


def _fill(text, values):
    for name, value in values.items():
        # No value holds a marker, so one after the other is safe.
        text = text.replace(markers.make_marker(name, "h"), value)
    return text


def _make_variant(templates, context, names, finish_html):
    """Render with a marker ``h`` for each name in the context.

    :rtype: _Variant | None
    """
    try:
        sources = render_sources(templates, context)
        rendered = finish(sources)
    except RenderError:
        return None  # with the values, the error says more
    if not _is_exchangeable(sources, names):
        return None
    if not markers.are_exchangeable(rendered.html):
        return None
    placed = markers.set_places(rendered.html, names)
    html = finish_html(placed, context)
    if not markers.are_kept(placed, html, names):
        return None
    subject, text = rendered.subject, rendered.text
    for name in names:
        own = markers.make_marker(name, "h"), markers.make_marker(name, "t")
        subject, text = subject.replace(*own), text.replace(*own)
    places = tuple(
        (marker, place, name)
        for name in names
        for place in markers.ESCAPES
        if (marker := markers.make_marker(name, place)) in subject + html + text
    )
    links = _find_links(sources.html) if sources.text is None else ()
    return _Variant(subject, html, text, places, links)


def _find_links(html):
    return tuple(
        (label, href, format_link(label, href))
        for label, href in find_links(html)
        if markers.PREFIX in label + href
    )


def _is_exchangeable(sources, names):
    parts = (sources.subject, sources.preheader, sources.html, sources.text or "")
    counts = [part.count(markers.PREFIX) for part in parts]
    known = [
        sum(part.count(markers.make_marker(name, "h")) for name in names)
        for part in parts
    ]
    # The longest values, with each sign escaped, must not exceed what is allowed.
    longest = max(map(len, parts)) + max(counts) * MAX_VALUE * 6
    return (
        counts == known
        and longest <= MAX_OUTPUT
        and markers.are_exchangeable(sources.html)
    )
