"""Addresses in what servers and people write: found between other words, and compared
as mailboxes, not letter by letter.

A report may write an address otherwise than we did: its domain in IDNA's form or in its
own script, in capitals, in quotation marks, in the brackets of another script, with the
escapes of RFC 3461 and RFC 6533.
"""

import re
import unicodedata

import idna

from .mailbox import to_wire

# Between what an address cannot have in it, unless it is quoted.
_OUTSIDE = (
    r"\s<>()\[\]{}\"“”„«»‘’‚‹›`（）［］【】〔〕《》〈〉「」『』｢｣:;,@：；，。、…|/\\"
)
ADDRESS = re.compile(
    rf"(?:\"[^\"\r\n]{{1,64}}\"|[^{_OUTSIDE}]{{1,64}})"
    r"@(?:[\w-]{1,63}\.){1,10}(?:xn--[a-z0-9-]{1,59}|[a-z]{2,63}|[^\W\d_a-z]{2,63})",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"(?:\"([^\"]{1,64})\"|([^\s\"<>@]{1,64}))@([\w.-]{1,255})")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
# How much of a text is searched.
MAX_TEXT = 20000
MAX_FOUND = 50


def find_addresses(text):
    """Find the addresses in a text.

    :param str text: a header or a few lines; only the first 20,000 characters count
    :return: at most 50 addresses as they are written, without quotes around them
    :rtype: list[str]
    """
    found = []
    for match in ADDRESS.finditer(_plain(text[:MAX_TEXT])):
        found.append(match[0].strip("'").rstrip("."))
        if len(found) == MAX_FOUND:
            break
    return found


def mentions(text, address):
    """Whether an address stands in a text, however it is spelled.

    :param str text: only its first 20,000 characters count
    :param str address: a mailbox
    :rtype: bool
    """
    spellings = {address.lower(), to_mailbox(address)}
    domain = to_mailbox(address).rpartition("@")[2]
    try:
        unicode = idna.decode(domain)
    except UnicodeError:
        unicode = domain
    local = address.lower().rpartition("@")[0]
    spellings |= {f"{local}@{unicode}", f'"{local}"@{domain}'}
    text = _plain(text[:MAX_TEXT]).lower()
    # Scripts without blanks go on right beside it.
    return any(
        re.search(
            rf"(?<![a-z0-9._%+!#$&*=~-]){re.escape(spelling)}(?![a-z0-9-]|\.[a-z0-9])",
            text,
        )
        for spelling in spellings
        if "@" in spelling
    )


def to_mailbox(address):
    """Write an address in the one form in which mailboxes can be compared.

    :param str address: such as ``"Anna"@Käse.example`` or ``rfc822;anna+2Bx@…``
    :return: as :func:`.mailbox.to_wire` has it; what is no address stays as it is, in
        lower case
    :rtype: str
    """
    plain = _plain(address).strip().strip("'").rstrip(".").lower()
    match = _WHOLE.fullmatch(plain)
    if not match:
        return plain
    plain = f"{match[1] or match[2]}@{match[3].strip('.')}"
    return to_wire(plain) or plain


def decode_xtext(address):
    """Undo the escapes of addresses in reports (RFC 3461 4, RFC 6533 3).

    :param str address: the value of a field, without its type
    :return: each form it may stand for, the plain one first
    :rtype: list[str]
    """
    decoded = _UNITEXT.sub(_decode_hex, address)
    return list(dict.fromkeys([decoded, _XTEXT.sub(_decode_hex, decoded)]))


def _decode_hex(match):
    number = int(match[1], 16)
    return chr(number) if 0x20 < number < 0xD800 or 0xDFFF < number < 0x110000 else ""


def _plain(text):
    """Full-width letters in their usual form, nothing that cannot be seen."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(c for c in text if unicodedata.category(c) != "Cf")
