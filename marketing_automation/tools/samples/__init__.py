"""Made-up values to check and show templates with, in the languages that are shipped.

What they are about is the same in each language; names, prices and addresses are what a
shop there would have. The words of the blocks are those of real messages: they come
from the addon's translations.
"""

import functools
from pathlib import Path

import polib

from . import en, hu, tr
from .shape import make_samples

I18N = Path(__file__).parent.parent.parent / "i18n"
_WORDS = {"en": en.WORDS, "hu": hu.WORDS, "tr": tr.WORDS}


@functools.cache
def get_samples(lang: str = "en") -> dict[str, dict]:
    """Return a context for each kind of template.

    :param lang: code of a language (``hu_HU``); others than the shipped get English
    :return: values by kind: ``cart``, ``contact``, ``opt_in``, ``product``, ``order``
    """
    language = (lang or "en").partition("_")[0]
    if language not in _WORDS:
        language = "en"
    return make_samples(language, _WORDS[language], _get_translator(language))


def _get_translator(language):
    """Return a function that translates the addon's own texts."""
    if language == "en":
        return str
    catalogue = {
        entry.msgid: entry.msgstr
        for entry in polib.pofile(str(I18N / f"{language}.po"))
        if entry.msgstr
    }
    return catalogue.__getitem__
