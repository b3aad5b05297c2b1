"""From plain values to a MIME message, and from that to bytes.

Python's header folding turns a long value without blanks, such as the URL in
``List-Unsubscribe``, into encoded words, which one-click unsubscription does not
survive (RFC 2047 forbids them there, RFC 8058 needs the URL). It is also most of
the cost of a message. So each header is written for the wire here, once; the
result still is an ``EmailMessage``, whose headers others may replace.
"""

import binascii
import functools
import re
import secrets
import time
from datetime import datetime, timezone
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from .address import MAX_LINE, UNSAFE, Mailbox, parse_mailbox

BASE64_LINE = 76
# Thousands of emails have the same sender.
_parse_sender = functools.lru_cache(maxsize=64)(parse_mailbox)
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")

# What the fields of OutgoingEmail decide, and what would add recipients.
_RESERVED = {
    *("from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"),
    *("mime-version", "content-type", "content-transfer-encoding"),
}


class InvalidHeader(ValueError):
    """A header that cannot be transmitted as it is."""


class _Policy(EmailPolicy):
    """The standard policy; what it derives from a header's name is kept."""

    def header_max_count(self, name):
        return _header_max_count(name)


@functools.lru_cache(maxsize=256)
def _header_max_count(name):
    return EmailPolicy().header_max_count(name)


POLICY = _Policy(linesep="\r\n")
_POLICY_UTF8 = POLICY.clone(utf8=True)


class WireHeader(str):
    """A header value that knows its form on the wire.

    The email package takes an object with ``name`` and ``fold`` as it is, and
    neither parses nor folds it again.
    """

    name = ""
    wire = ""

    def fold(self, *, policy):
        """The complete header line(s), as the email package asks for them."""
        wire = self.wire.replace("\n", policy.linesep)
        return f"{self.name}: {wire}{policy.linesep}"


def compose(email) -> tuple[EmailMessage, Mailbox]:
    """Build the message.

    :param email: an :class:`~.base.OutgoingEmail`
    :return: the message, multipart/alternative in UTF-8, each part in base64;
        and the one recipient
    :raises InvalidAddress: in From, To, Reply-To or Return-Path
    :raises InvalidHeader: in the other headers
    """
    recipient = parse_mailbox(email.email_to)
    message = EmailMessage(policy=POLICY)
    set_mailbox(message, "From", _parse_sender(email.email_from))
    set_mailbox(message, "To", recipient)
    if email.reply_to:
        set_mailbox(message, "Reply-To", _parse_sender(email.reply_to))
    _set_text(message, "Subject", UNSAFE.sub(" ", email.subject).strip())
    _set(message, "Date", _format_date(int(time.time())))
    _set(message, "Message-ID", _check_message_id(email.message_id))
    for name, value in email.headers.items():
        _set_extra(message, name, value)
    _set_body(message, email.text, email.html)
    return message, recipient


def set_mailbox(message: EmailMessage, name: str, mailbox: Mailbox) -> None:
    """Write one mailbox into a header, in place of what it had."""
    del message[name]
    _set(message, name, mailbox.text, mailbox.wire)


def needs_smtputf8(message: EmailMessage) -> bool:
    """Whether a header has an address outside ASCII (RFC 6532)."""
    return any(not getattr(v, "wire", "").isascii() for v in message.values())


def to_bytes(message: EmailMessage) -> bytes:
    """The message as transmitted: CRLF line ends, headers in ASCII, or in UTF-8
    when an address asks for it."""
    policy = _POLICY_UTF8 if needs_smtputf8(message) else POLICY
    content = _serialize(message, policy)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _set(message, name, value, wire=None):
    header = WireHeader(value)
    header.name = name
    header.wire = value if wire is None else wire
    message[name] = header


def _set_text(message, name, value):
    """Text for people: as it is, or in encoded words when that cannot be read
    back or does not fit into a line."""
    wire = value
    fits = len(name) + 2 + len(value) <= MAX_LINE
    if not value.isascii() or "=?" in value or not fits:
        wire = Header(value, "utf-8", header_name=name).encode()
    _set(message, name, value, wire)


def _set_extra(message, name, value):
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidHeader("header name with forbidden characters")
    if name.lower() in _RESERVED or name in message:
        raise InvalidHeader(f"header {name} is set elsewhere")
    if UNSAFE.search(value):
        raise InvalidHeader(f"line break or control character in {name}")
    if name.lower() == "return-path":
        return _set(message, name, parse_mailbox(value).address)
    if not value.isascii():
        return _set_text(message, name, value)
    if len(name) + 2 + len(value) > MAX_LINE:
        raise InvalidHeader(f"{name} does not fit into a line")
    return _set(message, name, value)


@functools.lru_cache(maxsize=2)
def _format_date(timestamp):
    return format_datetime(datetime.fromtimestamp(timestamp, timezone.utc))


def _check_message_id(value):
    if not _MESSAGE_ID.fullmatch(value) or len(value) > 250:
        raise InvalidHeader("Message-ID is not <left@right>")
    return value


def _set_body(message, text, html):
    _set(message, "MIME-Version", "1.0")
    boundary = f"=_{secrets.token_hex(16)}"  # no base64 line holds an underscore
    _set(message, "Content-Type", f'multipart/alternative; boundary="{boundary}"')
    parts = [_part("plain", text)]
    if html:
        parts.append(_part("html", html))
    message.set_payload(parts)


def _part(subtype, content):
    part = EmailMessage(policy=POLICY)
    _set(part, "Content-Type", f'text/{subtype}; charset="utf-8"')
    _set(part, "Content-Transfer-Encoding", "base64")
    # RFC 2045 6.8: line breaks of text are CRLF before the encoding.
    octets = _crlf(content).encode("utf-8", "replace")
    encoded = binascii.b2a_base64(octets, newline=False).decode("ascii")
    starts = range(0, len(encoded), BASE64_LINE)
    lines = [encoded[start : start + BASE64_LINE] for start in starts]
    part.set_payload("\n".join([*lines, ""]))
    return part


def _crlf(text):
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n")


def _serialize(part, policy):
    """What ``part.as_bytes(policy)`` gives, in a fraction of the time.

    Multipart of text payloads, that is what :func:`compose` builds; anything else
    that somebody has put into the message is left to the email package.
    """
    payload = part.get_payload()
    if isinstance(payload, str) and payload.isascii():
        body = _crlf(payload).encode("ascii")
    elif isinstance(payload, list) and (boundary := part.get_boundary()):
        line = b"--" + boundary.encode("ascii")
        parts = [line + b"\r\n" + _serialize(sub, policy) for sub in payload]
        body = b"\r\n".join([*parts, line + b"--\r\n"])
    else:
        return part.as_bytes(policy=policy)
    headers = [policy.fold_binary(*header) for header in part.items()]
    return b"".join(headers) + b"\r\n" + body
