"""The elements of a piece of HTML, one after the other, with what surrounds them."""

from dataclasses import dataclass
from html.parser import HTMLParser

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)


@dataclass(frozen=True)
class Element:
    """One element.

    :ivar name: in lower case
    :ivar attributes: by name in lower case; without a value it is an empty text
    :ivar ancestors: what it is in, outermost first
    :ivar has_text: whether text stands directly in it
    """

    name: str
    attributes: dict[str, str]
    ancestors: tuple["Element", ...]
    has_text: bool = False


def find_elements(html: str) -> list[Element]:
    """Return all elements of a document or fragment, however broken.

    :return: in the order in which they begin
    """
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return [
        Element(name, attributes, ancestors, name_id in parser.with_text)
        for name_id, (name, attributes, ancestors) in enumerate(parser.found)
    ]


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.open, self.with_text = [], [], set()

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in reversed(attrs)}
        ancestors = tuple(element for _number, element in self.open)
        self.found.append((tag, attributes, ancestors))
        if tag not in VOID:
            element = Element(tag, attributes, ancestors)
            self.open.append((len(self.found) - 1, element))

    def handle_endtag(self, tag):
        # What was never closed is closed by what is around it.
        for position in range(len(self.open) - 1, -1, -1):
            if self.open[position][1].name == tag:
                del self.open[position:]
                return

    def handle_data(self, data):
        if self.open and data.strip():
            self.with_text.add(self.open[-1][0])
