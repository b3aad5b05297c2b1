"""What an incoming email says about one of ours: bounced, delayed, delivered, reported
as spam, or answered (``replies.py``).

Most reports of mail servers follow RFC 3464, their codes RFC 3463. Some servers write
prose instead, which is read only where a server has written it. Whatever comes from
outside is cut to size before any expression looks at it.
"""

import email
import re
from dataclasses import dataclass
from email.policy import SMTP

from .bounce_codes import HARD as HARD
from .bounce_codes import (
    REPLY_CODE,
    STATUS,
    classify,
    says_no_such_address,
    speaks_of_something_else,
)
from .bounce_codes import SOFT as SOFT
from .mail_text import MAX_COPY, get_body_text, get_headers, get_text, limit
from .mailbox_words import (
    ADDRESS,
    decode_xtext,
    find_addresses,
    mentions,
    to_mailbox,
)
from .replies import is_answer as is_answer
from .replies import is_automatic as is_automatic
from .replies import read_reply as read_reply

DELAYED = "deferred"
DELIVERED = "delivered"
COMPLAINT = "complaint"

MAX_DETAIL = 250
# Recipients that a report may speak of: ours are one at a time.
MAX_BLOCKS = 50

_KEY = r"[0-9]{1,19}-[0-9a-fA-F]{16}"
_KEY_ID = re.compile(rf"<({_KEY})@[^<>@\s]+>")
_KEY_ADDRESS = re.compile(
    rf"([^\s<>()+@:;,\"]{{1,64}})\+({_KEY})(@[^\s<>()@:;,\"]{{1,255}})"
)
# Where the envelope's recipient may be found; there is no one header for it.
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_LISTED = re.compile(
    rf"^[ \t>*-]{{0,20}}[\"'“„«<]{{0,2}}({ADDRESS.pattern})[\"'”“»>]{{0,2}}"
    r"[ \t]?[:;,.]?[ \t]{0,20}$",
    re.IGNORECASE | re.MULTILINE,
)
# What follows is the email that came back.
_COPY = re.compile(
    r"^(?:-{1,80} .{0,80}(?:copy of|original) |(?:Return-Path|Received|Message-ID):)",
    re.IGNORECASE | re.MULTILINE,
)
_STILL_TRYING = re.compile(
    r"\b(delayed|not yet been delivered|will (?:be retried|keep trying|continue)|"
    r"you do not need to (?:do anything|resend))\b",
    re.IGNORECASE,
)
# Who is named in reports to be written to, not as somebody who was not reached.
_KEEPERS = {"postmaster", "mailer-daemon", "abuse", "hostmaster", "support", "helpdesk"}
_ACTIONS = {
    "delayed": DELAYED,
    "delivered": DELIVERED,
    "relayed": DELIVERED,
    "expanded": DELIVERED,
}


@dataclass(frozen=True)
class Report:
    """What became of an email, as a server says.

    :param kind: ``deferred``, ``delivered``, ``bounced_soft``, ``bounced_hard`` or
        ``complaint``
    :param addresses: whom it is about, as :func:`.mailbox_words.to_mailbox` writes
        them: the final recipient, who is another one if somebody forwards; empty when
        not said
    :param detail: what the server said, at most 250 characters
    """

    kind: str
    addresses: tuple = ()
    detail: str = ""


def find_reported_keys(message):
    """Find our keys in a report: in the address that it was sent to, and in the headers
    of the email that came back.

    :param email.message.EmailMessage message: a report
    :return: keys, nobody has checked their signature yet
    :rtype: list[str]
    """
    keys = [key for _address, key in find_bounce_addresses(message)]
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            keys += _KEY_ID.findall(_message_ids(part))
        elif kind.startswith("text/"):
            # Headers as text (text/rfc822-headers), or a copy below the prose.
            text = limit(get_text(part), MAX_COPY)
            ids = re.findall(
                r"(?im)^[> ]{0,20}message-id:[ \t]{0,9}\s?[ \t]{0,9}(<[^<>\n]{1,250}>)",
                text,
            )
            keys += _KEY_ID.findall(" ".join(ids))
    return _unique([*keys, *find_reply_keys(message)])


def find_bounce_addresses(message):
    """Find whom an email was sent to where that has one of our keys in it.

    :return: pairs: the address without the key, and the key
    :rtype: list[tuple[str, str]]
    """
    values = [v for name in _RECIPIENT_HEADERS for v in get_headers(message, name)]
    found = [match for value in values for match in _KEY_ADDRESS.finditer(value)]
    return [((m[1] + m[3]).lower(), m[2].lower()) for m in found]


def find_reply_keys(message):
    """Find our keys in what an email answers to.

    :param email.message.EmailMessage message: any incoming email
    :return: keys, the latest first; nobody has checked their signature yet
    :rtype: list[str]
    """
    names = ("References", "In-Reply-To")
    values = [v for name in names for v in get_headers(message, name, last=True)]
    keys = _KEY_ID.findall(" ".join(values))
    return _unique(reversed(keys))


def read_reports(message, address=""):
    """Read what a report says; nothing when it is none.

    :param email.message.EmailMessage message: any incoming email
    :param str address: whom we wrote to, to be found in prose however it is spelled
    :return: one per recipient it speaks of
    :rtype: list[Report]
    """
    parts = {part.get_content_type(): part for part in message.walk()}
    for kind in ("message/delivery-status", "message/global-delivery-status"):
        if kind in parts:
            if blocks := _recipient_blocks(parts[kind]):
                return [_read_block(block) for block in blocks[:MAX_BLOCKS]]
    if "message/feedback-report" in parts:
        return _read_feedback(parts["message/feedback-report"])
    return _read_prose(message, address)


def is_about(report, address):
    """Whether a report is about a person, however it spells the address.

    :param Report report: what a server says
    :param str address: whom we wrote to
    :rtype: bool
    """
    return to_mailbox(address) in report.addresses


# ------------------------------------------------------------
# REPORTS
# ------------------------------------------------------------


def _recipient_blocks(part):
    """The fields of a delivery status, a block each; the first is about the message."""
    blocks = []
    for block in _subparts(part):
        blocks.append(block)
        # Python does not split message/global-delivery-status: the rest is its body.
        body = block.get_payload()
        if isinstance(body, str):
            chunks = re.split(r"\r?\n\r?\n", body[:MAX_COPY].strip())
            blocks += [
                email.message_from_string(chunk, policy=SMTP)
                for chunk in chunks[: MAX_BLOCKS + 1]
            ]
    return [block for block in blocks if "Action" in block or "Status" in block]


def _read_block(block):
    status = STATUS.search(_field(block, "Status"))
    status = status[0] if status else ""
    detail = _field(block, "Diagnostic-Code")
    detail = detail.partition(";")[2].strip() or detail
    action = _field(block, "Action").lower()
    kind = _ACTIONS.get(action)
    if kind is None:
        kind = DELIVERED if status[:1] == "2" else classify(status, detail)
    return Report(kind, _read_recipient(block), _clean(f"{status} {detail}"))


def _field(block, name):
    return next(iter(get_headers(block, name)), "").strip()


def _read_recipient(block):
    """Whom a block is about: the final recipient, or where that is no email address
    (a name within the system, X.400), the original one."""
    for name in ("Final-Recipient", "Original-Recipient"):
        value = _field(block, name)
        value = value.partition(";")[2] or value
        found = [a for text in decode_xtext(value) for a in find_addresses(text)]
        if found:
            return _mailboxes(found)
    return ()


def _read_feedback(part):
    """A complaint by way of a feedback loop (RFC 5965)."""
    block = next(iter(_subparts(part)), {})
    if not block or _field(block, "Feedback-Type").lower() != "abuse":
        return []
    recipients = " ".join(get_headers(block, "Original-Rcpt-To"))
    return [Report(COMPLAINT, _mailboxes(find_addresses(recipients)))]


def _read_prose(message, address):
    """A report in words (qmail, older Exim and others)."""
    failed = ", ".join(get_headers(message, "X-Failed-Recipients"))
    if not failed and not is_by_a_server(message):
        return []
    text = _COPY.split(get_body_text(message), maxsplit=1)[0]
    subject = next(iter(get_headers(message, "Subject")), "")
    if _STILL_TRYING.search(f"{subject}\n{text}"):
        return [Report(DELAYED, _mailboxes(find_addresses(failed)))]
    addresses = _find_reported(text, failed, message, address)
    status, code = STATUS.search(text), REPLY_CODE.search(text)
    if not (status or code):
        # Some say in words alone that there is nobody of this name.
        if says_no_such_address(text) and not speaks_of_something_else(text):
            return [Report(HARD, addresses, _clean(text))]
        return []
    first = min(match.start() for match in (status, code) if match)
    begin, end = text.rfind("\n\n", 0, first) + 1, text.find("\n\n", first)
    paragraph = text[begin : end if end >= 0 else len(text)].strip()
    detail = text[first:] if len(text[first:end].split()) > 2 else paragraph
    kind = classify(status[0] if status else "", paragraph)
    return [Report(kind, addresses, _clean(detail))]


def _find_reported(text, failed, message, address):
    """Whom a report in words is about: who stands in a header or alone on a line, or
    else anybody it names, but for those who sent, received or keep the mail."""
    found = find_addresses(failed) or [match[1] for match in _LISTED.finditer(text)]
    if not found and address and mentions(text, address):
        found = [address]
    if not found:
        names = (*_RECIPIENT_HEADERS, "From", "Reply-To")
        own = {
            to_mailbox(other)
            for name in names
            for value in get_headers(message, name)
            for other in find_addresses(value)
        }
        found = [
            other
            for other in find_addresses(text)
            if to_mailbox(other) not in own
            and other.partition("@")[0].lower() not in _KEEPERS
        ]
    return _mailboxes(found)


def is_by_a_server(message):
    """Whether a mail server wrote an email, by its sender's name.

    :rtype: bool
    """
    senders = [a for v in get_headers(message, "From") for a in find_addresses(v)]
    senders += get_headers(message, "From")
    names = {re.split("[@ <]", sender.strip(" <"))[0].lower() for sender in senders}
    return bool(names & {"mailer-daemon", "postmaster"})


# ------------------------------------------------------------
# TEXT
# ------------------------------------------------------------


def _message_ids(part):
    """The Message-ID of an email within another one."""
    subparts = _subparts(part)
    return " ".join(v for sub in subparts for v in get_headers(sub, "Message-ID"))


def _subparts(part):
    payload = part.get_payload()
    return payload if isinstance(payload, list) else []


def _mailboxes(addresses):
    return tuple(_unique(map(to_mailbox, addresses)))


def _unique(values):
    return list(dict.fromkeys(value.lower() for value in values))


def _clean(text):
    return " ".join(text[: 20 * MAX_DETAIL].split())[:MAX_DETAIL]
