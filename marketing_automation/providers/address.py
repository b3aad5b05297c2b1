"""Mailboxes: one name and one address, checked and ready for the wire."""

import re
from dataclasses import dataclass, replace
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header

from ..tools.mailbox import LOCAL, MAX_LOCAL, UNSAFE, encode_domain

MAX_NAME = 128
MAX_MAILBOX = 900
# RFC 5322 2.1.1: characters of a line, without its end.
MAX_LINE = 998

_MAILBOX = re.compile(
    r"""
    (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<phrase>[^"<>,;:@()\[\]\\]*) )
    \s* <(?P<angle>[^<>\s]+)>
    | (?P<bare>[^<>\s]+)
    """,
    re.VERBOSE,
)


class InvalidAddress(ValueError):
    """The value is not exactly one usable mailbox."""


@dataclass(frozen=True)
class Mailbox:
    """A checked mailbox.

    :param name: decoded display name, may be empty
    :param local: local part; not ASCII only if the address needs SMTPUTF8
    :param domain: ASCII domain (IDNA, RFC 5890)
    """

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """``local@domain``, as the envelope wants it."""
        return f"{self.local}@{self.domain}"

    @property
    def text(self) -> str:
        """The mailbox for people and for parsers, in Unicode."""
        if not self.name:
            return self.address
        return f"{_quote(self.name)} <{self.address}>"

    @property
    def wire(self) -> str:
        """The header value to transmit, folded with ``\\n`` where it is long.

        A name outside ASCII becomes encoded words (RFC 2047). So does one that
        looks like an encoded word, which readers would decode otherwise.
        """
        if self.name.isascii() and "=?" not in self.name:
            return self.text
        name = Header(self.name, "utf-8", header_name="Reply-To").encode()
        return f"{name} <{self.address}>"


def parse_mailbox(value: str) -> Mailbox:
    """Read exactly one mailbox.

    :param value: ``local@domain`` or ``Name <local@domain>``; the name plain,
        quoted (RFC 5322 3.2.4) or in encoded words (RFC 2047)
    :raises InvalidAddress: nothing, several addresses, line breaks, other control
        characters, or no address a server could take
    """
    value = (value or "").strip(" ")
    if len(value) > MAX_MAILBOX or UNSAFE.search(value):
        raise InvalidAddress("line break, control character or too long")
    match = _MAILBOX.fullmatch(value)
    if not match:
        raise InvalidAddress("not exactly one address")
    local, _at, domain = (match["angle"] or match["bare"]).rpartition("@")
    return Mailbox(_name(match), _check_local(local), _check_domain(domain))


def format_mailbox(name: str, address: str) -> str:
    """Write a name and an address as :func:`parse_mailbox` reads them.

    :param name: any text, also hostile; control characters become blanks and
        it is cut after 128 characters
    :param address: ``local@domain``, not checked here
    """
    name = UNSAFE.sub(" ", name or "").strip()[:MAX_NAME].strip()
    return f"{_quote(name)} <{address}>" if name else address


def _quote(name):
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}"'


def _name(match):
    if match["quoted"] is not None:
        return re.sub(r"\\(.)", r"\1", match["quoted"]).strip()
    phrase = (match["phrase"] or "").strip()
    if "=?" not in phrase:
        return phrase
    try:
        decoded = str(make_header(decode_header(phrase)))
    except (HeaderParseError, LookupError, UnicodeError):
        return phrase
    return UNSAFE.sub(" ", decoded).strip()


def _check_local(local):
    if not LOCAL.fullmatch(local) or len(local.encode()) > MAX_LOCAL:
        raise InvalidAddress("no usable local part before the @")
    return local


def _check_domain(domain):
    try:
        return encode_domain(domain)
    except ValueError as error:  # idna.IDNAError is one
        raise InvalidAddress(f"no valid domain after the @: {error}") from error


def rename_sender(sender, name):
    """Return a mailbox under another display name.

    :param str sender: a mailbox; may be empty
    :param str name: empty: it stays as it is
    :rtype: str
    """
    if not sender or not name:
        return sender
    return replace(parse_mailbox(sender), name=UNSAFE.sub(" ", name)[:MAX_NAME]).text
