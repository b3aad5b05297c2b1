"""From emails to the JSON of SendGrid's ``POST /v3/mail/send``, and which of them may
share a request.

Rules: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations and
twilio/sendgrid-oai, ``tsg_mail_v3.json``.
"""

import json
import re
from email.header import Header as EncodedHeader

from sendgrid.helpers.mail import (
    Category,
    ClickTracking,
    Content,
    CustomArg,
    From,
    Header,
    Mail,
    MailSettings,
    MimeType,
    OpenTracking,
    Personalization,
    ReplyTo,
    SandBoxMode,
    Subject,
    SubscriptionTracking,
    Substitution,
    To,
    TrackingSettings,
)

from .address import UNSAFE, parse_mailbox
from .mime import InvalidHeader

MAX_PERSONALIZATIONS = 1000
# Bytes of all substitutions of one person.
MAX_SUBSTITUTIONS = 10_000
# Bytes of a request. SendGrid says 30 MB and not how it counts.
MAX_REQUEST = 29_000_000
MAX_CATEGORIES = 10
MAX_CATEGORY = 255

# The custom argument that carries our key; events bring it back.
MESSAGE_ARGUMENT = "message"

_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}")
# What SendGrid refuses to take from us, and what other fields of the email decide.
_RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type"),
    *("content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc"),
    *("date", "message-id", "mime-version"),
}
# The envelope sender, which SendGrid sets itself to get the bounces.
_IGNORED = {"return-path"}


def group(emails):
    """Divide emails among requests.

    Only emails with ``substitutions`` share one: up to 1,000 with the same content,
    none of them to the same address.

    :param emails: list of OutgoingEmail
    :return: a list of requests, each a list of indexes of emails, in the order in
        which each one's first email stands
    """
    requests, unfilled = [], {}
    for index, email in enumerate(emails):
        if not _may_share(email):
            requests.append([index])
            continue
        address = email.email_to.rpartition("<")[2].rstrip(">").lower()
        candidates = unfilled.setdefault(_content_key(email), [])
        # Address -> index; an address a second time starts or joins another request.
        members = next((c for c in candidates if address not in c), None)
        if members is None:
            members = {}
            candidates.append(members)
            requests.append(members)
        members[address] = index
        if len(members) == MAX_PERSONALIZATIONS:
            candidates[:] = [c for c in candidates if c is not members]
    return [list(r.values()) if isinstance(r, dict) else r for r in requests]


def build(emails, sandbox_mode=False):
    """Build the body of a request.

    :param emails: one email, or several that :func:`group` put together
    :return: JSON, bytes
    :raises InvalidAddress: in From, To or Reply-To
    :raises InvalidHeader: in the other headers
    :raises ApiKeyIncludedException: SendGrid's builder found a key in the content
    """
    if len(emails) == 1:
        emails = [emails[0].filled()]
    mail = _shared(emails[0])
    for index, email in enumerate(emails):
        mail.add_personalization(_personalization(email), index)
    if sandbox_mode:
        mail.mail_settings = MailSettings(sandbox_mode=SandBoxMode(True))
    return json.dumps(mail.get(), ensure_ascii=False).encode("utf-8", "replace")


def _content_key(email):
    return (
        *(email.email_from, email.reply_to, email.subject, email.html, email.text),
        *(tuple(email.categories), tuple(sorted(email.headers.items()))),
    )


def _may_share(email):
    """Whether SendGrid's substitutions give what ``filled()`` would."""
    substitutions = email.substitutions
    if not substitutions or _too_large(substitutions):
        return False
    for marker, value in substitutions.items():
        # It replaces in an order of its own.
        if any(marker in text for text in substitutions.values()):
            return False
        if any(marker in other for other in substitutions if other != marker):
            return False
        if marker in email.subject and UNSAFE.search(value):
            return False
    return True


def _too_large(substitutions):
    # With the quotes and colons of JSON: rather a few bytes too early.
    size = len(json.dumps(dict(substitutions), ensure_ascii=False).encode())
    return size > MAX_SUBSTITUTIONS


def _shared(email):
    """What all the persons of a request have in common."""
    mail = Mail()
    mail.from_email = _mailbox(From, email.email_from)
    if email.reply_to:
        mail.reply_to = _mailbox(ReplyTo, email.reply_to)
    mail.subject = Subject(UNSAFE.sub(" ", email.subject).strip())
    for mime_type, content in (
        (MimeType.text, email.text),
        (MimeType.html, email.html),
    ):
        if content:  # SendGrid refuses an empty part
            mail.add_content(Content(mime_type, content))
    for category in reversed(_categories(email.categories)):
        mail.add_category(Category(category))  # puts it at the beginning
    # Whatever the account's settings are: ours counts, and links stay as they are.
    mail.tracking_settings = TrackingSettings(
        click_tracking=ClickTracking(False, False),
        open_tracking=OpenTracking(False),
        subscription_tracking=SubscriptionTracking(False),
    )
    return mail


def _personalization(email):
    person = Personalization()
    person.add_email(_mailbox(To, email.email_to))
    for header in _headers(email):
        person.add_header(header)
    for marker, text in email.substitutions.items():
        person.add_substitution(Substitution(marker, text))
    person.add_custom_arg(CustomArg(MESSAGE_ARGUMENT, email.uuid))
    return person


def _headers(email):
    """All headers, each person's own: SendGrid does not say whether those of a person
    add to those of the request, and puts substitutions into subject, Reply-To and
    content only."""
    if email.message_id:
        yield Header("Message-ID", _header_value("Message-ID", email.message_id))
    own = email.filled().headers if email.substitutions else email.headers
    for name, value in own.items():
        if name.lower() in _IGNORED:
            continue
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidHeader("header name with forbidden characters")
        if name.lower() in _RESERVED:
            raise InvalidHeader(f"header {name} is set elsewhere")
        yield Header(name, _header_value(name, value))


def _header_value(name, value):
    if UNSAFE.search(value):
        raise InvalidHeader(f"line break or control character in {name}")
    if value.isascii():
        return value
    return EncodedHeader(value, "utf-8", header_name=name).encode(linesep="")


def _mailbox(kind, value):
    mailbox = parse_mailbox(value)
    # SendGrid allows neither ; nor , in names.
    name = re.sub(r"[;,\s]+", " ", mailbox.name).strip()
    # Not through the constructor, which parses an address that comes without a name.
    result = kind()
    result.email = mailbox.address
    result.name = name or None
    return result


def _categories(names):
    """At most ten, each once, none longer than SendGrid takes."""
    cut = (UNSAFE.sub(" ", name).strip()[:MAX_CATEGORY] for name in names)
    return list(dict.fromkeys(filter(None, cut)))[:MAX_CATEGORIES]
