"""The templates the addon ships: one file each in ``data/library``, in three languages.

A file has a head (``name: Welcome``), a line of dashes before each source
(``--- html``, ``--- text``, ``--- sms``), and in the sources ``[[…]]`` around what
people read. English is what stands between the brackets; the other languages are
ordinary gettext catalogues beside the templates (``hu.po``), by that text with its
blanks collapsed. So a template's frame exists once, its words once for each language,
and its HTML and text say the same.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import polib

LIBRARY = Path(__file__).parent.parent / "data" / "library"
# What stands in the head and is read by people.
WORDS = ("description", "subject", "preheader")
FIELDS = {"html": "body_html", "text": "body_text", "sms": "body_sms"}
_MARKED = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_SECTION = re.compile(r"^--- (html|text|sms)\n", re.MULTILINE)


@dataclass(frozen=True)
class Shipped:
    """One template as it is shipped.

    :ivar key: name of its file, such as ``welcome``
    :ivar head: values of fields that nobody translates
    :ivar marked: source by field name, with the marks in it
    """

    key: str
    head: dict
    marked: dict

    @property
    def channel(self) -> str:
        return "sms" if "body_sms" in self.marked else "email"

    @property
    def vals(self) -> dict:
        """Values of a new record, in English."""
        return {**self.head, "channel": self.channel, **self.translate("en")}

    def translate(self, language: str) -> dict:
        """The sources, and what it is for, in a language.

        :param language: such as ``hu``; ``en`` is always there
        :return: text by field name
        :raise KeyError: the catalogue of the language has no such text
        """
        catalogue = None if language == "en" else load_catalogue(language)

        def put(match):
            return catalogue[get_msgid(match[1])] if catalogue else match[1]

        return {name: _MARKED.sub(put, text) for name, text in self.marked.items()}

    def get_msgids(self) -> list[str]:
        """Every text of it that is translated, in the order of the file."""
        return [
            get_msgid(text)
            for source in self.marked.values()
            for text in _MARKED.findall(source)
        ]


def get_languages() -> list[str]:
    """Codes of the languages that templates are shipped in, English first."""
    return ["en", *sorted(path.stem for path in LIBRARY.glob("*.po"))]


@functools.cache
def load_library() -> dict[str, Shipped]:
    """Read all shipped templates.

    :return: template by key
    """
    return {
        path.stem: _parse(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted(LIBRARY.glob("*.jinja"))
    }


@functools.cache
def load_catalogue(language: str) -> dict[str, str]:
    """Read the words of a language.

    :return: translation by English text
    """
    entries = polib.pofile(str(LIBRARY / f"{language}.po"))
    return {entry.msgid: entry.msgstr for entry in entries if entry.msgstr}


def get_msgid(text: str) -> str:
    """The text by which a catalogue knows a marked one: lines may break anywhere."""
    return " ".join(text.split())


def _parse(key: str, text: str) -> Shipped:
    head, *sections = _SECTION.split(text)
    values = dict(line.split(": ", 1) for line in head.strip().splitlines())
    marked = {name: f"[[{values.pop(name)}]]" for name in WORDS if name in values}
    for kind, source in zip(sections[::2], sections[1::2], strict=True):
        # An SMS has no last line end.
        marked[FIELDS[kind]] = source.rstrip("\n") if kind == "sms" else source
    return Shipped(key, values, marked)
