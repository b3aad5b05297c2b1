"""What an incoming email says about one of ours: bounced, delayed, delivered, reported
as spam, answered by a machine or by a person.

Most reports of mail servers follow RFC 3464, their codes RFC 3463. Some servers write
prose instead, which is read only where a server has written it.
"""

import email
import re
from dataclasses import dataclass
from email.policy import SMTP
from email.utils import getaddresses

from .html_text import html_to_text

DELAYED = "deferred"
DELIVERED = "delivered"
SOFT = "bounced_soft"
HARD = "bounced_hard"
COMPLAINT = "complaint"

MAX_TEXT = 1600
MAX_DETAIL = 250

_KEY = r"[0-9]{1,19}-[0-9a-fA-F]{16}"
_KEY_ID = re.compile(rf"<({_KEY})@[^<>@\s]+>")
_KEY_ADDRESS = re.compile(rf"([^+\s]+)\+({_KEY})(@[^@\s]+)")
# Where the envelope's recipient may be found; there is no one header for it.
_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To")

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\d|\.\d)")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_ADDRESS = re.compile(r"[^\s<>;:,\"()]+@[^\s<>;:,\"()]+")
# What follows is the email that came back.
_COPY = re.compile(
    r"^(?:-+ .*(?:copy of|original) .*|(?:Return-Path|Received|Message-ID):.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_STILL_TRYING = re.compile(
    r"\b(delayed|not yet been delivered|will (?:be retried|keep trying|continue)|"
    r"you do not need to (?:do anything|resend))\b",
    re.IGNORECASE,
)
_ACTIONS = {
    "delayed": DELAYED,
    "delivered": DELIVERED,
    "relayed": DELIVERED,
    "expanded": DELIVERED,
}

# Permanent for the message, not for the address. Only an address that does not exist
# must never be used again; mailboxes are emptied, blocks are lifted, systems repaired.
_SOFT = re.compile(
    r"5\.(?:"
    r"1\.[78]|"  # the sender's address is bad
    r"2\.[23]|"  # mailbox full, message too long
    r"3\.\d+|"  # the receiving system: out of space, not capable
    r"4\.(?:[567]|300|316)|"  # congestion, loop, time expired (the long ones: Exchange)
    r"[567]\.\d+"  # protocol; content; policy, blocked, spam
    r")"
)
# These say no more than "permanent": the words have to say that it is the address.
_VAGUE = re.compile(r"5\.[0234]\.0")
_NO_SUCH_ADDRESS = re.compile(
    r"unknown|no such|not exist|doesn't exist|not found|no mailbox|unrouteable|"
    r"disabled|(?:invalid|not like|bad) (?:recipient|address|mailbox|user)|"
    r"(?:recipient|address|mailbox|user) (?:invalid|rejected|unavailable)|not a valid",
    re.IGNORECASE,
)
_NOT_THE_ADDRESS = re.compile(
    r"spam|block|black ?list|polic|reputation|quota|\bfull\b|too (?:large|big|many)|"
    r"grey ?list|dmarc|\bspf\b|dkim|virus|content",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Report:
    """What became of an email, as a server says.

    :param kind: ``deferred``, ``delivered``, ``bounced_soft``, ``bounced_hard`` or
        ``complaint``
    :param addresses: whom it is about, lower case: the original recipient, and the
        final one if somebody forwards; empty when not said
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
            ids = re.findall(r"(?im)^[> ]*message-id:\s*(<[^>]+>)", _text_of(part))
            keys += _KEY_ID.findall(" ".join(ids))
    return _unique([*keys, *find_reply_keys(message)])


def find_bounce_addresses(message):
    """Find whom an email was sent to where that has one of our keys in it.

    :return: pairs: the address without the key, and the key
    :rtype: list[tuple[str, str]]
    """
    values = [str(v) for name in _RECIPIENT_HEADERS for v in message.get_all(name, [])]
    found = [_KEY_ADDRESS.fullmatch(a.strip()) for _name, a in getaddresses(values)]
    return [((m[1] + m[3]).lower(), m[2].lower()) for m in found if m]


def find_reply_keys(message):
    """Find our keys in what an email answers to.

    :param email.message.EmailMessage message: any incoming email
    :return: keys, the latest first; nobody has checked their signature yet
    :rtype: list[str]
    """
    names = ("References", "In-Reply-To")
    values = [str(v) for name in names for v in message.get_all(name, [])]
    keys = _KEY_ID.findall(" ".join(values))
    return _unique(reversed(keys))


def is_automatic(message):
    """Whether a machine answered (RFC 3834), such as an out-of-office notice.

    :rtype: bool
    """
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    return (
        submitted not in ("", "no")
        or precedence in ("auto_reply", "bulk", "junk", "list")
        or any(name in message for name in ("X-Autoreply", "X-Autorespond"))
        or str(message.get("Return-Path", "")).strip() == "<>"
    )


def read_reports(message):
    """Read what a report says; nothing when it is none.

    :param email.message.EmailMessage message: any incoming email
    :return: one per recipient it speaks of
    :rtype: list[Report]
    """
    parts = {part.get_content_type(): part for part in message.walk()}
    for kind in ("message/delivery-status", "message/global-delivery-status"):
        if kind in parts:
            if blocks := _recipient_blocks(parts[kind]):
                return [_read_block(block) for block in blocks]
    if "message/feedback-report" in parts:
        return _read_feedback(parts["message/feedback-report"])
    return _read_prose(message)


def classify(status, detail=""):
    """Tell a hard bounce from a soft one.

    :param str status: RFC 3463, such as ``5.1.1``; may be empty
    :param str detail: what the server said
    :return: ``bounced_hard`` only where the address itself is the reason
    :rtype: str
    """
    found = _STATUS.search(detail)
    if found and (not status or status.endswith(".0.0")):
        status = found[0]
    if not status:
        code = _REPLY_CODE.search(detail)
        status = f"{code[1]}.0.0" if code else "4.0.0"
    if not status.startswith("5") or _SOFT.fullmatch(status):
        return SOFT
    if not _VAGUE.fullmatch(status):
        return HARD
    says_so = _NO_SUCH_ADDRESS.search(detail) and not _NOT_THE_ADDRESS.search(detail)
    return HARD if says_so else SOFT


def read_reply(message):
    """Return what a person wrote, without what they quote.

    :param email.message.EmailMessage message: an answer
    :return: plain text, at most 1,600 characters
    :rtype: str
    """
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    text = _text_of(body)
    if body.get_content_subtype() == "html":
        text = html_to_text(text)
    lines = []
    for line in text.splitlines():
        if _QUOTE.match(line):
            break
        if not line.startswith(">"):
            lines.append(line.rstrip())
    return "\n".join(lines).strip()[:MAX_TEXT]


# What mail programs write above the email that is answered; signatures (RFC 3676 4.3).
_QUOTE = re.compile(
    r"-- ?$|_{20,}|(?:from|von|de|feladó|gönderen|kimden):\s|"
    r"-{3,} ?(?:original|forwarded|eredeti|özgün)|"
    r"(?:on|am|le|el|il|op) .{5,150}(?:wrote|schrieb|écrit|escribió|scritto|schreef)"
    r".{0,40}:\s*$|.{5,150}(?:ezt írta|şunu yazdı|tarihinde).{0,80}:\s*$",
    re.IGNORECASE,
)


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
            chunks = re.split(r"\r?\n\r?\n", body.strip())
            blocks += [
                email.message_from_string(chunk, policy=SMTP) for chunk in chunks
            ]
    return [block for block in blocks if "Action" in block or "Status" in block]


def _read_block(block):
    status = _STATUS.search(str(block.get("Status", "")))
    status = status[0] if status else ""
    detail = str(block.get("Diagnostic-Code", ""))
    detail = detail.partition(";")[2].strip() or detail
    action = str(block.get("Action", "")).strip().lower()
    kind = _ACTIONS.get(action)
    if kind is None:
        kind = DELIVERED if status[:1] == "2" else classify(status, detail)
    addresses = [
        address
        for name in ("Original-Recipient", "Final-Recipient")
        for address in _ADDRESS.findall(str(block.get(name, "")))
    ]
    return Report(kind, _lower(addresses), _clean(f"{status} {detail}"))


def _read_feedback(part):
    """A complaint by way of a feedback loop (RFC 5965)."""
    block = next(iter(_subparts(part)), {})
    if str(block.get("Feedback-Type", "")).strip().lower() != "abuse":
        return []
    recipients = " ".join(str(v) for v in block.get_all("Original-Rcpt-To", []))
    return [Report(COMPLAINT, _lower(_ADDRESS.findall(recipients)))]


def _read_prose(message):
    """A report in words (qmail, older Exim and others)."""
    failed = ", ".join(map(str, message.get_all("X-Failed-Recipients", [])))
    if not failed and not _is_by_a_server(message):
        return []
    body = message.get_body(("plain", "html"))
    text = _text_of(body) if body is not None else ""
    if body is not None and body.get_content_subtype() == "html":
        text = html_to_text(text)
    text = _COPY.split(text, maxsplit=1)[0]
    status, code = _STATUS.search(text), _REPLY_CODE.search(text)
    if _STILL_TRYING.search(f"{message.get('Subject', '')}\n{text}"):
        return [Report(DELAYED, _lower(_ADDRESS.findall(failed)))]
    if not (status or code):
        return []
    detail = text[min(match.start() for match in (status, code) if match) :]
    addresses = _ADDRESS.findall(failed) or _listed_addresses(text)
    kind = classify(status[0] if status else "", detail)
    return [Report(kind, _lower(addresses), _clean(detail))]


def _is_by_a_server(message):
    senders = getaddresses([str(message.get("From", ""))])
    names = {address.partition("@")[0].lower() for _name, address in senders}
    return bool(names & {"mailer-daemon", "postmaster"})


def _listed_addresses(text):
    """Addresses that stand at the start of a line, as reports in words have them."""
    return re.findall(r"(?m)^[ \t]*<?([^\s<>:]+@[^\s<>:]+)>?:?[ \t]*$", text)


# ------------------------------------------------------------
# TEXT
# ------------------------------------------------------------


def _message_ids(part):
    """The Message-ID of an email within another one."""
    ids = [v for sub in _subparts(part) for v in sub.get_all("Message-ID", [])]
    return " ".join(map(str, ids))


def _subparts(part):
    payload = part.get_payload()
    return payload if isinstance(payload, list) else []


def _text_of(part):
    try:
        return part.get_content()
    except (KeyError, LookupError, ValueError):
        # No content manager for it, or no such charset.
        return (part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def _lower(addresses):
    return tuple(_unique(address.lower() for address in addresses))


def _unique(values):
    return list(dict.fromkeys(value.lower() for value in values))


def _clean(text):
    return " ".join(text.split())[:MAX_DETAIL]
