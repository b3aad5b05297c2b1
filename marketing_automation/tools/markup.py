"""The elements of a piece of HTML, one after the other, with what surrounds them."""

from collections import Counter
from dataclasses import dataclass, field
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


@dataclass(eq=False)
class Element:
    """One element.

    :ivar name: in lower case
    :ivar attributes: by name in lower case; without a value it is an empty text
    :ivar parent: what it is in, None at the top
    :ivar has_text: whether text stands directly in it
    """

    name: str
    attributes: dict[str, str]
    parent: "Element | None" = field(default=None, repr=False)
    has_text: bool = False


def find_elements(html: str) -> list[Element]:
    """Return all elements of a document or fragment, however broken.

    :return: in the order in which they begin
    """
    parser = _Parser()
    # A tag that never ends is none. The standard library looks for its end from each
    # of them anew.
    end = html.rfind(">") + 1
    parser.feed(html[:end] + html[end:].replace("<", "&lt;"))
    parser.close()
    return parser.found


class _Parser(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.open, self.open_names = [], [], Counter()

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in reversed(attrs)}
        element = Element(tag, attributes, self.open[-1] if self.open else None)
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)
            self.open_names[tag] += 1

    def handle_endtag(self, tag):
        # What was never closed is closed by what is around it.
        while self.open_names[tag]:
            closed = self.open.pop()
            self.open_names[closed.name] -= 1
            if closed.name == tag:
                return

    def handle_data(self, data):
        if self.open and data.strip():
            self.open[-1].has_text = True
