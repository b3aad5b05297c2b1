"""The text part of an email, made from its HTML.

People read it on watches, in terminals and through screen readers, and spam filters
compare it with the HTML: words and links stay, layout and pictures go.
"""

import re

from lxml import etree

DROPPED = {"head", "style", "script", "title", "template", "img", "svg"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
PARAGRAPHS = HEADINGS | {"p", "ul", "ol", "table", "blockquote"}
LINES = {"div", "tr", "li", "hr", "section", "header", "footer", "article"}
CELLS = {"td", "th"}
HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)


def html_to_text(html: str) -> str:
    """Convert HTML to plain text.

    :param html: a document or a fragment
    :return: paragraphs divided by an empty line; a link reads ``label: address``, or
        the address alone when that is its label; pictures and hidden parts are left
        out
    """
    if not html.strip():
        return ""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True)
    root = etree.fromstring(html.encode("utf-8", "replace"), parser)
    if root is None:
        return ""
    writer = _Writer()
    writer.add(root)
    return tidy_text(writer.text)


def tidy_text(text: str) -> str:
    """Remove blanks at line ends and more than one empty line in a row."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


class _Writer:
    """Writes elements the way a browser breaks lines: margins do not add up."""

    def __init__(self):
        self.text = ""
        self.newlines = 0  # line ends that are due before the next word

    def add(self, element) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in DROPPED or _is_hidden(element):
            return
        if tag == "br":
            self.newlines += 1
        elif tag == "a":
            self._add_words(_link(element))
        else:
            self._add_block(element, tag)

    def add_content(self, element) -> None:
        self._add_words(element.text)
        for child in element:
            self.add(child)
            self._add_words(child.tail)

    def _add_block(self, element, tag: str) -> None:
        margin = 2 if tag in PARAGRAPHS else 1 if tag in LINES else 0
        self._break(margin)
        if tag == "li":
            self._add_words("- ")
        self.add_content(element)
        if tag in CELLS:
            self._add_words(" ")
        self._break(margin)

    def _break(self, newlines: int) -> None:
        self.newlines = max(self.newlines, newlines)

    def _add_words(self, words: str | None) -> None:
        words = re.sub(r"[ \t\r\n\f]+", " ", words or "")
        if self.newlines or not self.text or self.text.endswith(" "):
            words = words.removeprefix(" ")
        if words:
            self.text += "\n" * self.newlines * bool(self.text) + words
            self.newlines = 0


def _link(element) -> str:
    writer = _Writer()
    writer.add_content(element)
    label = " ".join(writer.text.split())
    href = (element.get("href") or "").strip()
    address = href.removeprefix("mailto:").removeprefix("tel:")
    if not label or not address or href.startswith("#"):
        return label
    return label if label == address else f"{label}: {address}"


def _is_hidden(element) -> bool:
    style = element.get("style") or ""
    return element.get("hidden") is not None or bool(HIDDEN.search(style))
