"""One mailbox, one spelling: the one that goes on the wire.

What keys anything by an address (who objected, who had a message) compares the result
of these functions, and what is sent goes to it: so no second spelling gets around an
objection, and none reaches another mailbox than the one that was asked about.
"""

import re
import unicodedata
from urllib.parse import unquote

import idna

# RFC 5321 4.5.3.1: octets of a local part, of a domain.
MAX_LOCAL = 64
MAX_DOMAIN = 255
# Longer texts are no addresses, with whatever name in front.
MAX_TEXT = 1_000

# Control characters, the Unicode line separators, halves of surrogate pairs.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
LOCAL = re.compile(r'[^\s"(),:;<>@\[\]\\]+')
DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
# Nearly all addresses are on the wire as they are. The database asks the same:
# ``PLAIN_SQL``.
_PLAIN_LOCAL = r"[a-z0-9!#$%&*+/=?^_`{|}~.-]['a-z0-9!#$%&*+/=?^_`{|}~.-]{0,63}"
_PLAIN_DOMAIN = r"[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63})*"
_PLAIN = re.compile(f"{_PLAIN_LOCAL}@{_PLAIN_DOMAIN}")
PLAIN_SQL = f"^{_PLAIN_LOCAL}@{_PLAIN_DOMAIN}$"

_SCHEME = re.compile(r"\bmailto:", re.IGNORECASE)
# What an address in a link says besides (RFC 6068): subject, copies.
_QUERY = re.compile(r"(@[^\s<>,;?@]+)\?[^\s<>]*")
# Not seen, and no format characters by the letter of Unicode.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# In domains they tell words apart (RFC 5892, appendix A); elsewhere they are not seen.
_JOINERS = str.maketrans(dict.fromkeys("\u200c\u200d"))
# Signs of East Asian keyboards, and the at sign of narrow fonts.
_HALF_WIDTH = {0xFF01 + n: 0x21 + n for n in range(0x5E)} | {0xFE6B: 0x40}


def is_plain(text):
    """Whether a text is an address in the one spelling, at first sight.

    :rtype: bool
    """
    return bool(_PLAIN.fullmatch(text)) and len(text) <= MAX_DOMAIN


def clean_typed(text):
    """Take off what is not seen, or belongs to a link, around one address or several.

    :param str text: as somebody entered it, or a file has it
    :return: the text, still with whatever name is in it; '' where a line break or
        another control character hides a second address
    :rtype: str
    """
    if not text or len(text) > MAX_TEXT:
        return ""
    text = "".join(_show(sign) for sign in text).translate(_HALF_WIDTH).strip()
    if UNSAFE.search(text):
        return ""
    if _SCHEME.search(text):
        text = unquote(_SCHEME.sub("", text))
        if UNSAFE.search(text):
            return ""
    text = _QUERY.sub(r"\1", text)
    if len(text) > 2 and text[0] == text[-1] == "'":
        text = text[1:-1]
    return text


def to_wire(address):
    """Return one address as it goes on the wire.

    :param str address: ``local@domain`` and nothing else
    :return: local part and domain in lower case, the domain in ASCII (IDNA, UTS #46);
        '' if no server could take it
    :rtype: str
    """
    local, _at, domain = address.rpartition("@")
    local = unicodedata.normalize("NFC", local.translate(_JOINERS).lower())
    if not LOCAL.fullmatch(local) or len(local.encode()) > MAX_LOCAL:
        return ""
    try:
        domain = encode_domain(domain)
    except ValueError:
        return ""
    return f"{local}@{domain}"


def encode_domain(domain):
    """Return a domain as it goes on the wire.

    By UTS #46, not transitional: ``ß`` is itself. Symbols, which were registered under
    older rules, are encoded as browsers do it.

    :param str domain: in any spelling
    :return: in ASCII and lower case, without a dot at its end
    :rtype: str
    :raises ValueError: it is no domain
    """
    if not domain.isascii():
        # In capitals it is mapped to "ss" by older tables, to itself by newer ones.
        mapped = idna.uts46_remap(domain.replace("ẞ", "ß"), std3_rules=False)
        domain = ".".join(map(_encode_label, mapped.split(".")))
    domain = domain.lower().rstrip(".")
    if not DOMAIN.fullmatch(domain) or len(domain) > MAX_DOMAIN:
        raise ValueError("no valid domain")
    return domain


def fold_mailbox(address):
    """Return what addresses have in common that most likely lead into one mailbox.

    Only to count by: providers differ in what they ignore (RFC 5233 for ``+``, Gmail
    for dots), and two people may share a fold.

    :param str address: in its one spelling
    :rtype: str
    """
    local, _at, domain = address.rpartition("@")
    folded = local.partition("+")[0].replace(".", "") or local
    domain = "gmail.com" if domain == "googlemail.com" else domain
    return f"{folded}@{domain}"


def list_former_spellings(address):
    """Return how else an address was spelled in digests made before 19.0.1.6.0.

    :param str address: in its one spelling
    :return: with the domain in letters, for internationalized ones
    :rtype: list[str]
    """
    local, _at, domain = address.rpartition("@")
    if not re.search(r"(?:^|\.)xn--", domain):
        return []
    try:
        return [f"{local}@{idna.decode(domain)}"]
    except UnicodeError:
        return []


def _encode_label(label):
    if label.isascii():
        return label
    try:
        return idna.alabel(label).decode("ascii")
    except UnicodeError:
        # Not where they tell words apart, so they only hide there.
        label = label.translate(_JOINERS)
    if label.isascii():
        return label
    if label[2:4] != "--" and any(unicodedata.category(sign) == "So" for sign in label):
        return f"xn--{label.encode('punycode').decode('ascii')}"
    return idna.alabel(label).decode("ascii")


def _show(sign):
    """One sign of what was typed: a blank for any blank, nothing for what is not seen.

    A line end stays, and is refused.
    """
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category == "Zs":
        return " "
    if category == "Cf" and ord(sign) not in _JOINERS or sign in _UNSEEN:
        return ""
    return "" if "\ufe00" <= sign <= "\ufe0f" else sign
