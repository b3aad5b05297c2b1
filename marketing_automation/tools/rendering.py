"""Turn template sources and plain values into the parts of an email.

Three steps, in this order: Jinja2 renders in a sandbox, `css-inline` moves style
rules into the elements, the hidden preview line is put in front. Inlining has to
come second: an inliner takes Jinja's tags for text, moves loops out of tables and
escapes comparison signs.

Values are data. They are escaped in HTML and never looked at as template source, so
a customer called ``{{ 7*7 }}`` is greeted by exactly that name.

What templates can do is limited in ``template_sandbox.py``.
"""

import functools
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import jinja2
from jinja2 import meta, nodes

from .html_text import html_to_text, tidy_text
from .template_budget import BudgetError, limited
from .template_sandbox import Ranges, get_environment

_logger = logging.getLogger(__name__)

MAX_OUTPUT = 1_000_000
# Of sources whose compiled templates are kept; these take about ten times as much.
MAX_KEPT_SIGNS = 4_000_000
# Not seen themselves, they make one picture of several, a flag of letters, and keep
# letters apart in Persian.
_JOINER = re.compile("[\u200c\u200d\U000e0020-\U000e007f]")

# What compiled sources are called in tracebacks: Jinja's name for an unnamed one.
SOURCE_NAME = "<template>"


class RenderError(Exception):
    """A template cannot be rendered. Written for the person who edits it.

    :ivar str message: one sentence
    :ivar int line: line in the source, counted from 1; 0 when there is none
    :ivar str part: which source: subject, preheader, html, text, or empty
    """

    def __init__(self, message: str, line: int = 0, part: str = ""):
        super().__init__(message)
        self.message = message
        self.line = line
        self.part = part

    def __str__(self):
        return f"line {self.line}: {self.message}" if self.line else self.message


class TemplateSourceError(RenderError):
    """The source itself is broken, whatever the values are."""


class CostlyError(RenderError):
    """With these values, rendering takes too long or makes too much."""


@dataclass(frozen=True)
class Templates:
    """The sources of one email. An empty ``text`` is derived from the HTML."""

    subject: str
    html: str
    text: str = ""
    preheader: str = ""


@dataclass(frozen=True)
class Rendered:
    """One email's content, ready to be sent."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class RenderedSources:
    """What Jinja2 makes of the sources: before CSS is inlined and text derived.

    :ivar text: None when it is to be derived from the HTML
    """

    subject: str
    preheader: str
    html: str
    text: str | None


def check_source(source: str, known_names: Iterable[str], autoescape: bool) -> None:
    """Refuse a source that cannot work, without rendering it.

    :param source: Jinja2 source
    :param known_names: the merge tags there are: ``year``, ``customer.name``. Of a
        dotted one the first two names are checked, wherever the source uses them.
    :param autoescape: whether the source is HTML; decides which blocks it can include
    :raise TemplateSourceError: a syntax error, an unknown merge tag, filter or block
    """
    environment = get_environment(autoescape)
    _compile(source, autoescape)
    tree = environment.parse(source)
    _check_tags(tree, known_names, environment)
    _check_blocks(tree, environment)


def render(templates: Templates, context: Mapping[str, Any]) -> Rendered:
    """Render one email.

    :param templates: the sources
    :param context: plain values only: str, numbers, bool, lists and dicts of them
    :return: a subject of one line, HTML with inlined CSS, and text
    :raise RenderError: rendering failed; its ``part`` names the source. When that
        does not even compile, it is a TemplateSourceError.
    """
    return finish(render_sources(templates, context))


def render_sources(templates: Templates, context: Mapping[str, Any]) -> RenderedSources:
    """The first step of :func:`render`; same parameters and errors."""

    def render_part(part):
        return _render_part(part, getattr(templates, part), context)

    # One budget for all parts of an email.
    with limited():
        return RenderedSources(
            subject=one_line(render_part("subject")),
            preheader=one_line(render_part("preheader")),
            html=render_part("html"),
            text=render_part("text") if templates.text.strip() else None,
        )


def finish(sources: RenderedSources) -> Rendered:
    """The other steps of :func:`render`.

    :raise RenderError: the CSS is broken
    """
    if sources.text is None:
        text = html_to_text(sources.html)
    else:
        text = tidy_text(sources.text)
    html = _with_preheader(inline_css(sources.html), sources.preheader)
    return Rendered(sources.subject, html, text)


def render_text(source: str, context: Mapping[str, Any]) -> str:
    """Render one source without escaping: a subject, a text body."""
    return _render_source(source, context, autoescape=False)


def one_line(value: str) -> str:
    """Make a header value: every run of blanks and line ends becomes one blank.

    A line end in a value (a name, say) would start a new header: RFC 5322, 2.2.
    """
    kept = (c if c.isprintable() or _JOINER.match(c) else " " for c in value)
    return " ".join("".join(kept).split())


def inline_css(html: str) -> str:
    """Copy the rules of ``<style>`` into the elements; the tags stay.

    Many mail programs ignore style tags, the others need them for media queries.
    Nothing is loaded from elsewhere.

    :raise RenderError: the CSS is broken
    """
    inliner = _css_inliner()
    if not inliner:
        return html
    try:
        return inliner.inline(html)
    except ValueError as error:
        raise RenderError(f"the CSS cannot be read: {error}", part="html") from error


def has_css_inliner() -> bool:
    """Whether :func:`inline_css` does anything."""
    return _css_inliner() is not None


def _render_part(part: str, source: str, context: Mapping[str, Any]) -> str:
    try:
        return _render_source(source, context, autoescape=part == "html")
    except RenderError as error:
        error.part = part
        raise


def _render_source(source: str, context: Mapping[str, Any], autoescape: bool) -> str:
    template = _compile(source, autoescape)
    chunks, size = [], 0
    try:
        with limited():
            for chunk in template.generate({**context, "range": Ranges()}):
                size += len(chunk)
                if size > MAX_OUTPUT:
                    raise RenderError(f"the result is longer than {MAX_OUTPUT:,} signs")
                chunks.append(chunk)
    except RenderError:
        raise
    except BudgetError as error:
        raise CostlyError(str(error), _source_line(error)) from error
    # Anything can go wrong in a template, and all of it is the template's fault.
    except Exception as error:
        raise RenderError(_describe(error), _source_line(error)) from error
    return "".join(chunks)


class _Compiled:
    """Templates that were compiled, those used last, up to so many signs of source.

    What does not compile is kept as well: it is asked for again and again.
    """

    def __init__(self, most_signs):
        self._most = most_signs
        self._signs = 0
        self._kept = OrderedDict()
        self._lock = threading.Lock()

    def get(self, source, autoescape):
        """Return a template.

        :raise TemplateSourceError: it does not compile
        """
        key = (source, autoescape)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
        if found is None:
            found = self._compile(source, autoescape)
            self._keep(key, found)
        if isinstance(found, tuple):
            raise TemplateSourceError(*found)
        return found

    def _compile(self, source, autoescape):
        try:
            return get_environment(autoescape).from_string(source)
        except jinja2.TemplateSyntaxError as error:
            return error.message, error.lineno
        # Jinja's depth is limited by Python's stack, that of its loops by 20 blocks.
        except (RecursionError, SyntaxError, MemoryError):
            return ("too many loops, conditions or brackets inside each other",)

    def _keep(self, key, found):
        signs = len(key[0]) + 1
        if signs > self._most // 8:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = found
            self._signs += signs
            while self._signs > self._most:
                (source, _autoescape), _template = self._kept.popitem(last=False)
                self._signs -= len(source) + 1


_compiled = _Compiled(MAX_KEPT_SIGNS)


def _compile(source: str, autoescape: bool) -> jinja2.Template:
    return _compiled.get(source, autoescape)


def _check_tags(tree, known_names, environment) -> None:
    known = set(known_names)
    roots = {name.partition(".")[0] for name in known}
    parents = {name.partition(".")[0] for name in known if "." in name}
    # Names the source defines itself (loops, set) are not merge tags.
    used = meta.find_undeclared_variables(tree) - set(environment.globals)
    for node in tree.find_all((nodes.Name, nodes.Getattr)):
        if isinstance(node, nodes.Name):
            if node.ctx == "load" and node.name in used - roots:
                _refuse_tag(node.name, node.lineno)
        elif isinstance(node.node, nodes.Name) and node.node.name in used & parents:
            name = f"{node.node.name}.{node.attr}"
            if not any(tag == name or tag.startswith(f"{name}.") for tag in known):
                _refuse_tag(name, node.lineno)


def _refuse_tag(name: str, line: int):
    raise TemplateSourceError(f"there is no merge tag “{name}”", line)


def _check_blocks(tree, environment) -> None:
    known = environment.loader.list_templates()
    kinds = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
    for node in tree.find_all(kinds):
        name = getattr(node.template, "value", None)
        if name not in known:
            raise TemplateSourceError(
                f"there is no block “{name or '?'}”; there are: {', '.join(known)}",
                node.lineno,
            )


def _describe(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no block “{error.name}”"
    if isinstance(error, RecursionError):
        return "the template calls itself without end"
    if isinstance(error, MemoryError):
        return "it makes a text that is too long to be kept"
    return str(error) or type(error).__name__


def _source_line(error: Exception) -> int:
    """Line of the author's source in which the error came up."""
    line, traceback = 0, error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == SOURCE_NAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


@functools.cache
def _css_inliner():
    try:
        import css_inline
    except ImportError:
        _logger.warning(
            "css-inline is not installed: emails keep their style tags only, which"
            " some mail programs ignore."
        )
        return None
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def _with_preheader(html: str, preheader: str) -> str:
    """Put the line that inboxes show after the subject in front, out of sight.

    The blanks behind it keep mail programs from filling the line up with the
    beginning of the visible text.
    """
    if not preheader:
        return html
    hidden = (
        '<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;'
        'font-size:1px;line-height:1px;mso-hide:all">'
        f"{escape(preheader, quote=False)}{'&#847;&zwnj;&nbsp;' * 80}</div>"
    )
    body = re.search(r"<body\b[^>]*>", html, re.IGNORECASE)
    position = body.end() if body else 0
    return html[:position] + hidden + html[position:]
