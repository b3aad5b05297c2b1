"""The text part of an email, made from its HTML.

People read it on watches, in terminals and through screen readers, and spam filters
compare it with the HTML: words and links stay, layout and pictures go.

This runs for every email that is sent, so tags are not made into a tree: one pass of
a regular expression cuts the source at its tags, each tag becomes one sign that says
how a browser would break the line there, and runs of these signs become line ends.
No expression here can fail after it has begun to match a tag, and so none backtracks:
the time is linear in the length, whatever the source looks like.
"""

import re
from html import unescape
from html.entities import html5

_PARAGRAPH, _LINE, _BREAK, _ITEM, _LINK, _LABEL, _LINK_END = MARKS = "\1\2\3\4\5\6\7"

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PARAGRAPHS = (*_HEADINGS, "p", "ul", "ol", "table", "blockquote")
_LINES = ("div", "tr", "hr", "section", "header", "footer", "article")
_CELLS = ("td", "th")
# Other frequent ones: they break nothing.
_NEUTRAL = (
    *("html", "head", "meta", "body", "center", "tbody", "img", "span", "font"),
    *("b", "strong", "i", "em", "u", "small"),
)
_DROPPED = {b"svg", b"template"}
_VOID = set(b"area br col embed hr img input link meta wbr".split())

# Comments, and elements whose content is no markup: where they begin and end. What is
# never closed goes on to the end of the source, as in a browser.
_RAW = {
    b"<!--": b"-->",
    b"<style": b"</style",
    b"<script": b"</script",
    b"<title": b"</title",
}
# A tag of any kind. Of a link, the group holds the attributes as well.
_TAG = rb"<(?:(/?(?:[aA](?=[\s/>])%s|[a-zA-Z]\w*))%s|[!?/]%s)(?:>|\Z)"
_PLAIN_TAG = re.compile(_TAG % ((b"[^>]*",) * 3))
# The same where a quoted value may hold the sign that ends a tag: twice as slow.
_QUOTED = rb"""[^>=]*(?:=\s*(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))?[^>=]*)*"""
_QUOTED_TAG = re.compile(_TAG % (_QUOTED, _QUOTED, b"[^>]*"))
_ELEMENT = re.compile(rb"<(/?)([a-zA-Z]\w*)(%s)(?:>|\Z)" % _QUOTED)
_ATTRIBUTE = re.compile(
    rb"""(?<![^\s"'/])([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)|'([^']*)|([^\s>]*)))?"""
)
_HIDING = re.compile(rb"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\w{1,8}|(\w{1,32}));")
_WHOLE_LINK = re.compile(
    f"{_LINK}([^{_LABEL}]*){_LABEL}([^{_LINK}{_LINK_END}]*){_LINK_END}?"
)
_LINE_ENDS = re.compile("([\1-\4][\1-\4 ]*)")
_TO_BLANKS = str.maketrans(dict.fromkeys(MARKS, " "))


def html_to_text(html: str) -> str:
    """Convert HTML to plain text.

    :param html: a document or a fragment, however broken
    :return: paragraphs divided by an empty line; a link reads ``label: address``, or
        the address alone when that is its label; pictures and hidden parts are left
        out
    """
    text = _WHOLE_LINK.sub(
        lambda match: format_link(match[2], match[1]), _mark_tags(html)
    )
    text = _collapse_blanks(text.replace(_LINK_END, ""))
    parts = _LINE_ENDS.split(text)
    parts[1::2] = map(_LineEnds().__getitem__, parts[1::2])
    return tidy_text("".join(parts))


def find_links(html: str) -> list[tuple[str, str]]:
    """The links as :func:`html_to_text` sees them: arguments of :func:`format_link`."""
    return [(label, href) for href, label in _WHOLE_LINK.findall(_mark_tags(html))]


def format_link(label: str, href: str) -> str:
    """How a link reads in a text.

    :param label: what stands in the link, without tags
    :param href: its target
    """
    label = " ".join(label.translate(_TO_BLANKS).split())
    href = href.strip()
    address = href.removeprefix("mailto:").removeprefix("tel:")
    if not label or not address or href.startswith("#"):
        return label
    return label if label == address else f"{label}: {address}"


def tidy_text(text: str) -> str:
    """Remove blanks at line ends and more than one empty line in a row."""
    text = "\n".join([line.rstrip() for line in text.splitlines()]).strip()
    return re.sub(r"\n{3,}", "\n\n", text) if "\n\n\n" in text else text


def _mark_tags(html: str) -> str:
    """Put a sign of ours in place of each tag, and decode entities."""
    # As bytes, lower case has the length of the original.
    source = html.encode("utf-8", "replace").translate(None, MARKS.encode())
    source = _drop_raw(source)
    if _may_hide(source.lower()):
        source = _drop_hidden(source)
    tag = _QUOTED_TAG if _has_quoted_tag_end(source) else _PLAIN_TAG
    parts = tag.split(source)
    parts[1::2] = map(_MARK_OF_TAG.__getitem__, parts[1::2])
    text = b"".join(parts).decode()
    return _ENTITY.sub(_decode, text) if "&" in text else text


def _drop_raw(source: bytes) -> bytes:
    lower = source.lower()
    starts = {begin: lower.find(begin) for begin in _RAW}
    kept, position = [], 0
    while found := [(at, begin) for begin, at in starts.items() if at >= 0]:
        start, begin = min(found)
        kept.append(source[position:start])
        position = lower.find(_RAW[begin], start + 2)
        if position < 0:
            return b"".join(kept)
        if begin == b"<!--":  # what closes an element is a tag, and stays
            position += 3
        for at, begin in found:
            if at < position:
                starts[begin] = lower.find(begin, position)
    return b"".join([*kept, source[position:]])


def _has_quoted_tag_end(source: bytes) -> bool:
    """Whether a quoted attribute may hold ``>``; false alarms are fine.

    Cut at its quotes, every second piece of the source is a value; when a quote in
    the text shifts them, every second piece has tags in it.
    """
    values = b"".join(source.split(b'"')[1::2])
    if b">" in values or b"<" in values:
        return True
    return b"'" in source and (b"='" in source or b"= '" in source)


class _MarkOfTag(dict):
    """The sign for a tag, by its name, with a slash in front of an end tag."""

    def __missing__(self, tag):
        if tag is None:  # a declaration
            return b""
        name = tag.lower()
        if name in self:
            return self[name]
        # Attributes only come with links.
        return _link_mark(tag) if name[:1] == b"a" and not name.isalnum() else b""


def _make_marks():
    marks = dict.fromkeys([*_NEUTRAL, *_CELLS], "")
    marks |= dict.fromkeys(_PARAGRAPHS, _PARAGRAPH) | dict.fromkeys(_LINES, _LINE)
    marks |= {f"/{name}": mark for name, mark in marks.items()}
    marks |= {f"/{name}": " " for name in _CELLS}
    marks |= {"br": _BREAK, "li": _LINE + _ITEM, "/li": _LINE}
    marks |= {"a": _LINK + _LABEL, "/a": _LINK_END}
    return _MarkOfTag({name.encode(): mark.encode() for name, mark in marks.items()})


_MARK_OF_TAG = _make_marks()


def _link_mark(tag: bytes) -> bytes:
    href = b""
    for name, *values in _ATTRIBUTE.findall(tag, 1):
        if name.lower() == b"href":
            href = b"".join(values)
            break
    return _LINK.encode() + href + _LABEL.encode()


def _decode(match) -> str:
    # Only what ends in a semicolon: an address such as ?a=1&copy=2 stays. The rules
    # for numbers are the standard library's.
    name = match[1]
    return html5.get(f"{name};", match[0]) if name else unescape(match[0])


def _collapse_blanks(text: str) -> str:
    for blank in "\t\r\n\f":
        text = text.replace(blank, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text


class _LineEnds(dict):
    """Line ends for a run of signs; margins do not add up, breaks do."""

    def __missing__(self, run):
        newlines = 0
        for mark in run:
            if mark == _BREAK:
                newlines += 1
            elif mark != " ":
                newlines = max(newlines, 2 if mark == _PARAGRAPH else 1)
        ends = "\n" * min(newlines, 2) + ("- " if _ITEM in run else "")
        self[run] = ends
        return ends


# === WHAT IS HIDDEN ===#


def _may_hide(lower: bytes) -> bool:
    """Whether the longer look is worth it."""
    if b"<svg" in lower or b"<template" in lower or b"mso-hide" in lower:
        return True
    if b"display" in lower and re.search(rb"display\s*:\s*none", lower):
        return True
    return b"hidden" in lower and bool(re.search(rb"hidden[\s=/>]", lower))


def _drop_hidden(source: bytes) -> bytes:
    """Take out the elements that are not shown, with all that is in them.

    One that is never closed hides nothing: better a line too much than an empty text.
    """
    kept, position, hidden, depth, begin = [], 0, b"", 0, 0
    for match in _ELEMENT.finditer(source):
        end, name = match[1], match[2].lower()
        if not hidden:
            if not end and name not in _VOID and _is_hidden(name, match[3]):
                hidden, depth, begin = name, 1, match.start()
        elif name == hidden:
            depth += -1 if end else name != b"p"  # a paragraph ends the one before
            if not depth or (name == b"p" and not end):
                kept.append(source[position:begin])
                position = match.end() if end else match.start()
                hidden = b""
    return b"".join([*kept, source[position:]])


def _is_hidden(name: bytes, attributes: bytes) -> bool:
    if name in _DROPPED:
        return True
    for attribute, *values in _ATTRIBUTE.findall(attributes):
        attribute = attribute.lower()
        if attribute == b"hidden":
            return True
        if attribute == b"style" and _HIDING.search(b"".join(values)):
            return True
    return False


def names_all(html, texts):
    """Whether a body says all of these texts, whatever characters are escaped in it.

    :param str html: rendered HTML body
    :param texts: plain texts; empty ones are said by any body
    :rtype: bool
    """
    missing = [text for text in texts if text and text not in html]
    return not missing or all(text in unescape(html) for text in missing)
