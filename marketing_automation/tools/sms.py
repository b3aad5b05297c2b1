"""Text messages: how long they are, what makes them longer, what a reply asks for.

``static/src/fields/sms_body/sms_length.js`` computes the same while somebody writes;
both are tested with ``static/tests/sms_length_cases.js``.
"""

import re
import unicodedata
from dataclasses import dataclass

GSM7 = "GSM-7"
UCS2 = "UCS-2"
# What Twilio takes: https://www.twilio.com/docs/glossary/what-sms-character-limit
MAX_CHARACTERS = 1600

# 3GPP TS 23.038 6.2.1: the default alphabet, one septet a character (0x1B, which
# announces the other table, is none).
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 6.2.1.1: the extension table, two septets a character.
_EXTENSION = frozenset("\f^{}\\[~]|€")

# Units of one message, and of each part of a longer one: 140 octets, of which a part
# gives six to the header that joins them (3GPP TS 23.040 9.2.3.24.1).
_ROOM = {GSM7: (160, 153), UCS2: (70, 67)}

# What word processors and the web put in place of what keyboards have.
_PLAIN = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a`\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022", "-"),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f", " "),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    **dict.fromkeys("\u2028\u2029", "\n"),
    "\u2026": "...",
}

# Jinja: expressions, and what decides about text or is left out.
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)

EXACT = "exact"
AT_LEAST = "at_least"
ABOUT = "about"

STOP = "stop"
START = "start"
HELP = "help"
_KEYWORDS = {
    # Twilio's own, https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    **dict.fromkeys(
        ["stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"],
        STOP,
    ),
    **dict.fromkeys(["start", "yes", "unstop"], START),
    **dict.fromkeys(["help", "info"], HELP),
    # Hungarian
    **dict.fromkeys(["leiratkozas", "leiratkozom", "leiratkozok", "allj"], STOP),
    **dict.fromkeys(["feliratkozas", "feliratkozom", "feliratkozok"], START),
    "segitseg": HELP,
    # Turkish
    **dict.fromkeys(["dur", "durdur", "iptal", "ret", "cik"], STOP),
    **dict.fromkeys(["basla", "baslat"], START),
    **dict.fromkeys(["yardim", "bilgi"], HELP),
    # German, French, Spanish, Portuguese, Italian
    **dict.fromkeys(["stopp", "abmelden", "abbestellen", "austragen"], STOP),
    **dict.fromkeys(["arret", "desabonner", "desabonnement", "desinscription"], STOP),
    **dict.fromkeys(["baja", "parar", "cancelar", "sair", "cancellami"], STOP),
    # Dutch, Polish, Czech, Swedish, Russian, Chinese, Japanese
    **dict.fromkeys(["afmelden", "uitschrijven", "wypisz", "odhlasit"], STOP),
    **dict.fromkeys(["avsluta", "стоп", "退订", "退訂", "停止", "配信停止"], STOP),
}


@dataclass(frozen=True)
class SmsLength:
    """How long a text is as a text message.

    :param encoding: ``GSM-7`` or ``UCS-2``
    :param units: septets or UTF-16 code units, without what is lost between segments
    :param segments: messages that it is sent, and charged, as; 0 for no text
    :param remaining: units left in the last segment
    :param unicode_characters: the distinct characters that GSM-7 lacks, in order of
        appearance; each of them alone makes the whole text UCS-2
    """

    encoding: str
    units: int
    segments: int
    remaining: int
    unicode_characters: tuple[str, ...] = ()


def analyse(text: str) -> SmsLength:
    """Measure a finished text.

    A character of two units (extension table, surrogate pair) never lies across two
    segments: what is left of the first one stays empty then.
    """
    missing = tuple(dict.fromkeys(c for c in text if not _is_gsm(c)))
    encoding = UCS2 if missing else GSM7
    sizes = [_size(character, encoding) for character in text]
    single, part = _ROOM[encoding]
    units = sum(sizes)
    if units <= single:
        return SmsLength(encoding, units, int(units > 0), single - units, missing)
    segments, used = 1, 0
    for size in sizes:
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return SmsLength(encoding, units, segments, part - used, missing)


def estimate(source: str) -> tuple[SmsLength, str]:
    """Measure a Jinja source before anything is filled in.

    :return: the length of what stands there literally; and ``exact`` without any tag,
        ``at_least`` with expressions, ``about`` with statements or comments, whose
        text may be left out or repeated
    """
    literal = _STATEMENT.sub("", source)
    accuracy = EXACT if literal == source else ABOUT
    text = _EXPRESSION.sub("", literal)
    if accuracy == EXACT and text != literal:
        accuracy = AT_LEAST
    return analyse(text), accuracy


def plain_replacements(text: str) -> dict[str, str]:
    """Propose what to write instead of characters that force UCS-2.

    :return: character -> plain text, for those that have one; letters have none
    """
    return {c: _PLAIN[c] for c in analyse(text).unicode_characters if c in _PLAIN}


def to_plain(text: str) -> str:
    """Return the text with all :func:`plain_replacements` made."""
    return text.translate(str.maketrans(plain_replacements(text)))


def read_keyword(text: str) -> str:
    """Tell what a reply asks for.

    As at Twilio the word has to stand alone, in any case; accents, blanks, hyphens and
    punctuation do not matter, and nor does which of the languages it is in.

    :return: ``stop``, ``start``, ``help``, or an empty string for any other reply
    """
    decomposed = unicodedata.normalize("NFKD", (text or "").casefold())
    # Turkish: the dotless i; the dot of the dotted one is a combining character.
    letters = [c for c in decomposed.replace("\u0131", "i") if c.isalnum()]
    return _KEYWORDS.get("".join(letters), "")


def _is_gsm(character):
    return character in _BASIC or character in _EXTENSION


def _size(character, encoding):
    if encoding == GSM7:
        return 2 if character in _EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1
