"""What people type into a shop, as a message of the shop may repeat it.

Visitors choose their names, and whoever fills a shop names its products. A text message
and a mail program turn whatever looks like an address into a link, under the shop's own
sender; so nothing of the kind gets into a message.
"""

import re
import unicodedata

# Longer ones are sentences.
MAX_NAME = 40

# What names consist of besides letters and their accents.
_IN_NAMES = frozenset(" .,'&()-\u2019\u02bc\u2018`\u00b4\u2010\u2011\u00b7")
# They hold letters of Persian and of Indian scripts together or apart.
_JOINERS = frozenset("\u200c\u200d")
# A domain needs two letters behind its last dot (RFC 1591); initials are one.
_LIKE_DOMAIN = re.compile(r"\.[^\W\d_]{2}")
_WWW = re.compile(r"\bwww\b", re.IGNORECASE)
# An address in a text, up to the next blank.
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}\s*:\s*[/\\]{2}|\bwww\d?\.)\S*", re.IGNORECASE
)
_GAP = "…"


def clean_name(text):
    """Return a person's name as it can stand in a greeting.

    :param str text: as it was entered; may be anything, or empty
    :return: the name; '' where it holds something that names do not (digits, slashes,
        the beginning of an address, line breaks), or is too long
    :rtype: str
    """
    name = (text or "").strip()
    # Full-width signs and the like are read, and linked, as the plain ones.
    plain = unicodedata.normalize("NFKC", name)
    if (
        not plain
        or max(len(name), len(plain)) > MAX_NAME
        or not all(map(_is_in_name, plain))
        or _LIKE_DOMAIN.search(plain)
        or _WWW.search(plain)
    ):
        return ""
    return " ".join(name.split())


def clean_text(text):
    """Return a text of others, such as the name of a product, without addresses.

    :param str text: may be empty
    :return: one line; in place of each web address a sign that something is missing
    :rtype: str
    """
    if not text:
        return ""
    shown = "".join(filter(None, map(_show, text)))
    if not _ADDRESS.search(unicodedata.normalize("NFKC", shown)):
        return shown
    return _ADDRESS.sub(_GAP, unicodedata.normalize("NFKC", shown))


def clean_address(address):
    """Return an email address as it can stand in a message.

    :param str address: one mailbox, or empty
    :return: the address; '' where its local part reads like a web address
    :rtype: str
    """
    local = (address or "").rpartition("@")[0]
    return "" if "/" in local or _WWW.search(local) else address or ""


def _is_in_name(sign):
    return (
        unicodedata.category(sign)[0] in "LM" or sign in _IN_NAMES or sign in _JOINERS
    )


def _show(sign):
    """One sign of a line: a blank for what breaks it, nothing for what turns it round
    or is not seen, which would hide an address from us and not from others."""
    category = unicodedata.category(sign)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category in ("Cf", "Cs") and sign not in _JOINERS and not _is_flag(sign):
        return ""
    return sign


def _is_flag(sign):
    return "\U000e0020" <= sign <= "\U000e007f"
