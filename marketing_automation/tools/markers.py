"""Markers that stand in a shared body for a person's own values.

The same value looks different in each place, so each place has its own marker:
``@@ma-1f2e3d4c-customer-first_name-t@@`` in a text, ``-h@@`` in HTML, ``-a@@`` in an
attribute. The digits are new in each process: nothing holds a marker by accident or by
design. They survive everything done to a body, being words for CSS inlining, for making
a text, for encodings.
"""

import re
import secrets
from html import escape
from urllib.parse import quote

PREFIX = f"@@ma-{secrets.token_hex(4)}-"

# What writes HTML (css-inline, by the HTML standard's section 13.3) escapes in a
# text, and in an attribute, which it always puts into double quotes.
ESCAPES = {
    "t": str,
    "h": lambda value: escape(value, quote=False),
    "a": lambda value: value.replace("&", "&amp;").replace('"', "&quot;"),
}

# Attributes that change nothing but themselves, whatever their value is.
_SAFE_ATTRIBUTES = {"href", "src", "alt", "title", "aria-label"}
# What follows other rules than the rest of a document.
_ODD_ELEMENTS = re.compile(
    r"<(?:iframe|math|no(?:embed|frames|script)|plaintext|select|svg|template|textarea"
    r"|xmp)\b",
    re.IGNORECASE,
)
_STYLE = re.compile(r"<style\b.*?(?:</style|\Z)", re.IGNORECASE | re.DOTALL)
# No markup, then tags; what lies between is text.
_QUOTED = r"""[^>=]*(?:=\s*(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))?[^>=]*)*"""
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script)(?=[\s/>]).*?(?:(?=</\1[\s/>])|\Z)"
    rf"|<(?:[!?]|/(?![a-z]))[^>]*|<(?P<tag>/?[a-z]{_QUOTED})(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""\s([^\s=/>"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.DOTALL)
# The value could become part of a tag, or of an entity.
_UNFINISHED = re.compile(r"(?:<[/!?]?|&#?\w*)\Z")


def make_marker(name: str, place: str) -> str:
    """The marker of a value.

    :param name: dotted name, such as ``customer.first_name``
    :param place: ``t`` where it stands as it is: in a text, a subject, a header;
        ``h`` in HTML, ``a`` in an attribute
    """
    return f"{PREFIX}{name.replace('.', '-')}-{place}@@"


def are_exchangeable(html: str) -> bool:
    """Whether every marker stands where a value changes nothing around it.

    :param html: as rendered, before CSS is inlined or after
    """
    if PREFIX not in html:
        return True
    if _ODD_ELEMENTS.search(html):
        return False
    texts, position, in_attributes = [], 0, False
    for match in _TOKEN.finditer(html):
        texts.append(html[position : match.start()])
        position = match.end()
        if PREFIX in match[0]:
            if match[0].count(PREFIX) != _count_in_attributes(match["tag"] or ""):
                return False
            in_attributes = True
    texts.append(html[position:])
    # A rule may ask for the value of an attribute: a[href^="https"].
    asked = in_attributes and any("[" in style for style in _STYLE.findall(html))
    # An entity that is begun in front of a tag goes on behind it, once tags are gone.
    return not asked and _is_text_fine("".join(texts))


def set_places(html: str, names) -> str:
    """Replace the markers for HTML in attributes by those for attributes.

    :param html: as written by css-inline, with a marker ``h`` for each value
    :param names: dotted names of the values
    """
    pairs = [(make_marker(name, "h"), make_marker(name, "a")) for name in names]

    def replace(match):
        token = match[0]
        if match["tag"] and PREFIX in token:
            for marker, in_attribute in pairs:
                token = token.replace(marker, in_attribute)
        return token

    return _TOKEN.sub(replace, html) if pairs else html


def are_kept(before: str, after: str, names) -> bool:
    """Whether a change of finished HTML has left all markers as they were.

    One that is put into an address is lost: it gets encoded, and may be signed.
    """
    if quote(PREFIX, safe="") in after:
        return False
    own = [make_marker(name, place) for name in names for place in ESCAPES]
    return all(before.count(marker) == after.count(marker) for marker in own)


def _is_text_fine(text):
    return not any(map(_UNFINISHED.search, text.split(PREFIX)[:-1]))


def _count_in_attributes(tag):
    count = 0
    for name, *values in _ATTRIBUTE.findall(tag):
        value = "".join(values)
        if name.lower() in _SAFE_ATTRIBUTES and _is_text_fine(value):
            count += value.count(PREFIX)
    return count
