"""A strict look at HTML: what a browser would have to guess is an error."""

from html.parser import HTMLParser

VOID = {"br", "hr", "img", "meta", "link", "wbr", "col"}
# Where an element has to be; the others may be anywhere in the body.
PARENTS = {
    "tr": {"table", "tbody", "thead"},
    "td": {"tr"},
    "th": {"tr"},
    "tbody": {"table"},
    "thead": {"table"},
    "li": {"ul", "ol"},
    "head": {"html"},
    "body": {"html"},
    "title": {"head"},
    "meta": {"head"},
    "style": {"head"},
}
# What may stand directly in a table is only what makes its rows.
CHILDREN = {
    "table": {"tbody", "thead", "tr"},
    "tbody": {"tr"},
    "thead": {"tr"},
    "tr": {"td", "th"},
    "html": {"head", "body"},
    # Phrasing content: a browser ends the paragraph in front of anything else.
    "p": {"a", "strong", "b", "em", "i", "span", "br", "img", "s", "small"},
    **dict.fromkeys(
        ("h1", "h2", "h3"), {"a", "strong", "b", "em", "i", "span", "br", "s"}
    ),
}
KNOWN = set().union(*CHILDREN.values(), VOID) | {"html", "table", "div", "p"}
KNOWN |= {"h1", "h2", "h3", "ul", "ol", "li", "title", "style", "s"}


def find_errors(html):
    """Return what is wrong with a document.

    :param str html: rendered, with inlined CSS
    :return: sentences, each with its line
    :rtype: list[str]
    """
    check = _Check()
    check.feed(html)
    check.close()
    if check.open:
        check.add(f"never closed: {', '.join(check.open)}")
    if not html.lstrip().lower().startswith("<!doctype html>"):
        check.add("no doctype")
    return check.errors


class _Check(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.errors, self.open, self.ids = [], [], set()

    def add(self, error):
        self.errors.append(f"line {self.getpos()[0]}: {error}")

    def handle_starttag(self, tag, attrs):
        self._check_place(tag)
        self._check_attributes(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag not in VOID:
            self.add(f"<{tag}/> is not closed in HTML")
        self._check_attributes(tag, attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.add(f"</{tag}> while {self.open[-1:]} is open")
        else:
            self.open.pop()

    def handle_data(self, data):
        parent = self.open[-1] if self.open else ""
        if data.strip() and parent in ("table", "tbody", "tr", "html", "head", ""):
            self.add(f"text in <{parent}>: {data.strip()[:40]!r}")

    def _check_place(self, tag):
        parent = self.open[-1] if self.open else ""
        if tag not in KNOWN:
            self.add(f"<{tag}> is unknown here")
        if tag in PARENTS and parent not in PARENTS[tag]:
            self.add(f"<{tag}> in <{parent}>")
        if parent in CHILDREN and tag not in CHILDREN[parent]:
            self.add(f"<{tag}> in <{parent}>")
        if tag == "a" and "a" in self.open:
            self.add("a link in a link")

    def _check_attributes(self, tag, attrs):
        names = [name for name, _value in attrs]
        if len(names) != len(set(names)):
            self.add(f"<{tag}> has an attribute twice")
        values = dict(attrs)
        if any(name.startswith("on") for name in names):
            self.add(f"<{tag}> has a script")
        if tag == "img" and (not values.get("src") or values.get("alt") is None):
            self.add("a picture without src or alt")
        if tag == "a" and not values.get("href"):
            self.add("a link to nowhere")
        if (values.get("href") or "").strip().lower().startswith("javascript:"):
            self.add("a script as a link")
        if tag == "table" and values.get("role") != "presentation":
            self.add("a table of the layout without role")
        if values.get("id") in self.ids:
            self.add(f"the id {values['id']} twice")
        self.ids |= {values["id"]} if values.get("id") else set()
