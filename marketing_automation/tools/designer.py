"""From what Odoo's designer of emails draws to a source that can be sent.

In a design, Jinja stands as text, as people type it. The designer treats it as text:
it escapes signs, breaks words into elements and addresses into percent signs. Here all
of that is undone, and what belongs to Odoo's own mailings becomes what belongs here.
"""

import re
from html import unescape
from urllib.parse import unquote

FRAME = '{{% extends "design" %}}\n{{% block content %}}\n{}\n{{% endblock %}}\n'
# Longer is no expression, but two signs that have nothing to do with each other.
MAX_EXPRESSION = 600

_LENGTH = f"{{0,{MAX_EXPRESSION}}}"
_JINJA = (
    rf"(?:\{{\{{(?:(?!\{{\{{|\}}\}}).){_LENGTH}\}}\}}"
    rf"|\{{%(?:(?!\{{%|%\}}).){_LENGTH}%\}})"
)
_EXPRESSION = re.compile(_JINJA, re.DOTALL)
_ESCAPED = re.compile(r"%7B(?:%7B|%25).{1,600}?(?:%25|%7D)%7D", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_PARAGRAPH = re.compile(
    r"<(?:/(?:p|div|t[dhr]|table|li|section|h\d)|!--)", re.IGNORECASE
)
# A tag with all of its attributes; quoted values may hold any sign. What is not closed
# ends with the next tag, or with the text: nothing is looked through twice.
_START_TAG = re.compile(
    r"<[a-zA-Z](?:[^\"'<>]|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*(?:>|(?=<)|\Z)"
)
_PROTOCOL = re.compile(r"(\b(?:href|src)=[\"'])\s*https?:/*(?=\{\{)", re.IGNORECASE)
_RELATIVE = re.compile(r"(\b(?:href|src|background)=[\"'])(/(?!/))", re.IGNORECASE)
_STYLE_URL = re.compile(r"(url\(\s*(?:&quot;|&#39;|')?)(/(?!/))", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(r"(\bhref=[\"'])[^\"']*/unsubscribe_from_list", re.IGNORECASE)
_VIEW = re.compile(
    r"<a\b[^<>]*\bhref=[\"'][^\"'<>]*/view[\"'][^<>]*>(?:(?!</?a\b).)*</a>", re.DOTALL
)
# The designer's own style sheet: what it says is in the elements already.
_STYLE = re.compile(
    r"<style\b[^<>]*\bid=[\"']design-element[\"'](?:(?!</?style\b).)*</style>",
    re.DOTALL,
)
_QWEB = re.compile(r"\st-[a-z-]+=(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)
# A paragraph with nothing but Jinja: what that becomes may be a table.
_ALONE = re.compile(
    rf"<(p|div)\b[^<>]*>\s*(?:<(?:span|br)\b[^<>]*>\s*)*"
    rf"({_JINJA}(?:\s|<br\s*/?>|{_JINJA})*)(?:</span>\s*)*</\1>",
    re.DOTALL | re.IGNORECASE,
)


class DesignError(Exception):
    """A design uses something that does not exist here: see ``feature``."""

    def __init__(self, feature):
        super().__init__(feature)
        self.feature = feature


def to_source(design: str) -> str:
    """Write the source of an email from a design.

    :param design: what the designer makes, with styles in the elements
    :return: Jinja2 in HTML, framed by ``partials/html/design.jinja``
    :raise DesignError: ``visibility``: a part is shown to some only, by a filter of
        Odoo's mailings
    """
    if re.search(r"\st-(?:if|elif|foreach)=", design):
        raise DesignError("visibility")
    source = _VIEW.sub("", _STYLE.sub("", design))  # A copy on the web there is none.
    source = _START_TAG.sub(lambda tag: _clean_tag(tag[0]), source)
    source = _EXPRESSION.sub(lambda jinja: _clean_expression(jinja[0]), source)
    source = _ALONE.sub(_unwrap, source)
    return FRAME.format(source.strip())


def _unwrap(alone):
    if _PARAGRAPH.search(alone[2]):  # As for _clean_expression.
        return alone[0]
    return f"{_TAG.sub('', alone[2])}\n"


def _clean_tag(tag):
    """Undo what happened to addresses, and make them work outside of the shop."""
    tag = _ESCAPED.sub(lambda escaped: unquote(escaped[0]), tag)
    tag = _UNSUBSCRIBE.sub(r"\1{{ unsubscribe_url }}", tag)
    tag = _PROTOCOL.sub(r"\1", tag)
    tag = _RELATIVE.sub(r"\1{{ shop.url }}\2", tag)
    tag = _STYLE_URL.sub(r"\1{{ shop.url }}\2", tag)
    return _QWEB.sub("", tag)


def _clean_expression(jinja):
    if _PARAGRAPH.search(jinja):  # Never closed: whoever wrote it will be told.
        return jinja
    text = unescape(_TAG.sub("", jinja)).replace("\xa0", " ")
    return text.replace("“", '"').replace("”", '"')
