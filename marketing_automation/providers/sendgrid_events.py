"""What SendGrid's Event Webhook reports.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and, for the
signature, .../getting-started-event-webhook-security-features. Events come in batches,
more than once and in any order; their ``sg_event_id`` tells them apart.
"""

import json
import logging
import re
import time
from datetime import datetime, timezone

from cryptography.exceptions import UnsupportedAlgorithm
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from ..tools.bounce_codes import HARD, classify, speaks_of_something_else
from .address import UNSAFE
from .base import Check, DeliveryEvent, InvalidWebhook
from .sendgrid_request import MESSAGE_ARGUMENT

_logger = logging.getLogger(__name__)

# Seconds that a signature may be old. SendGrid repeats a request for up to 24 hours and
# does not say whether it signs it anew, so less would lose events after our own outage.
# What is replayed within that time was seen before, and changes nothing.
MAX_AGE = 48 * 3600
MAX_DETAIL = 250

# event -> kind, reason, whether the address must not be used again. ``bounce`` and
# ``dropped`` depend on more, see _bounce and _drop.
KINDS = {
    "processed": ("sent", "", False),
    "deferred": ("deferred", "", False),
    "delivered": ("delivered", "", False),
    "open": ("open", "", False),
    "click": ("click", "", False),
    "spamreport": ("complaint", "complained", True),
    "unsubscribe": ("unsubscribe", "", True),
    "group_unsubscribe": ("unsubscribe", "", True),
    "group_resubscribe": ("resubscribe", "", False),
}
# Dropped for what SendGrid knows of the address. The others are about the email; and
# "Bounced Address" only says that it refused something before, as full mailboxes do.
_BAD_ADDRESS = re.compile(
    r"(unsubscribed|spam reporting|invalid) address|invalid", re.IGNORECASE
)
# SendGrid's classes of bounces that are not about the address.
# https://www.twilio.com/docs/sendgrid/ui/analytics-and-reporting/bounce-and-block-classifications
_NOT_THE_ADDRESS = {
    *("reputation", "content", "technical", "technical failure", "mailbox full"),
    *("frequency or volume too high", "frequency/volume too high"),
}
# Those a person does; the address in ``ip`` is the person's, not SendGrid's own.
_BY_PERSON = {"open", "click", "unsubscribe", "complaint", "resubscribe"}
_ARMOUR = re.compile(r"-----[A-Z ]+-----|\s+")


def verify(public_key, headers, raw_body):
    """Make sure that a request comes from SendGrid.

    :param str public_key: in base64, as SendGrid shows it, or PEM
    :param headers: names in any case
    :param bytes raw_body: exactly as received
    :return: the body as text
    :raise InvalidWebhook: not proven (403), or not text (400)
    """
    verifier = _verifier(public_key)
    if verifier is None:
        raise InvalidWebhook("no usable public key is set for this account")
    lower = {name.lower(): value for name, value in headers.items()}
    signature = lower.get(EventWebhookHeader.SIGNATURE.lower()) or ""
    timestamp = lower.get(EventWebhookHeader.TIMESTAMP.lower()) or ""
    # Digits, and then the bracket of the body: nobody can move the border.
    if not re.fullmatch("[0-9]{1,12}", timestamp):
        raise InvalidWebhook("no timestamp")
    try:
        text = raw_body.decode()
    except UnicodeDecodeError as error:
        raise InvalidWebhook("the body is not UTF-8", 400) from error
    try:
        valid = verifier.verify_signature(text, signature, timestamp)
    except (ValueError, TypeError) as error:  # not base64; a key of another kind
        raise InvalidWebhook("malformed signature") from error
    if not valid:
        raise InvalidWebhook("wrong signature")
    if abs(time.time() - int(timestamp)) > MAX_AGE:
        raise InvalidWebhook("the signature is too old")
    return text


def parse_events(text):
    """Read the body of a verified request.

    :param str text: a JSON array; items that make no sense are left out
    :rtype: list[DeliveryEvent]
    :raise InvalidWebhook: 400, no JSON array
    """
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidWebhook("the body is not JSON", 400) from error
    if not isinstance(items, list):
        raise InvalidWebhook("the body is not a list of events", 400)
    events = [event for item in items if (event := _event(item))]
    if len(events) < len(items):
        ignored = len(items) - len(events)
        _logger.info("SendGrid: %s of %s events ignored", ignored, len(items))
    return events


def check_public_key(public_key):
    """Return a Check: whether events can be verified with this key."""
    if not public_key:
        detail = (
            "No public key: what SendGrid reports (delivered, bounced, complained) is"
            " refused. In SendGrid, Settings, Mail Settings, Event Webhooks, turn on"
            " Signature Verification and copy the key."
        )
        return Check("unknown", "Event webhook", detail)
    if _verifier(public_key) is None:
        detail = "The public key cannot be read. Copy it from SendGrid again."
        return Check("problem", "Event webhook", detail)
    return Check("ok", "Event webhook", "Events are accepted when signed by SendGrid.")


def _verifier(public_key):
    try:
        return EventWebhook(_ARMOUR.sub("", public_key)) if public_key else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _event(item):
    """A DeliveryEvent, or None for what says nothing."""
    if not isinstance(item, dict):
        return None
    occurred_at = _time(item.get("timestamp"))
    name = _text(item, "event", 40)
    if name == "bounce":
        kind, reason, suppress = _bounce(item)
    elif name == "dropped":
        kind, reason, suppress = _drop(item)
    else:
        kind, reason, suppress = KINDS.get(name, ("", "", False))
    if not kind or not occurred_at:
        return None
    by_person = kind in _BY_PERSON
    return DeliveryEvent(
        kind=kind,
        occurred_at=occurred_at,
        uuid=_text(item, MESSAGE_ARGUMENT, 64),
        # X-Message-Id, and behind the dot what SendGrid made of it.
        ref=_text(item, "sg_message_id", 250).partition(".")[0],
        address=_text(item, "email", 320),
        external_id=_text(item, "sg_event_id", 250),
        reason=reason,
        detail=_text(item, "reason", MAX_DETAIL) or _text(item, "response", MAX_DETAIL),
        suppress=suppress,
        url=_text(item, "url", 2048) if kind == "click" else "",
        user_agent=_text(item, "useragent", 512) if by_person else "",
        ip=_text(item, "ip", 45) if by_person else "",
        is_machine=item.get("sg_machine_open") is True,
    )


def _bounce(item):
    if _is_hard(item):
        return "bounced_hard", "bounced_hard", True
    return "bounced_soft", "bounced_soft", False


def _is_hard(item):
    """Whether a bounce says that the address does not exist; SendGrid calls every
    permanent refusal a bounce."""
    # "blocked": refused for now, by what the server thinks of the sender or the email.
    if _text(item, "type", 40).lower() == "blocked":
        return False
    sort = _text(item, "bounce_classification", 60).lower()
    status, reason = _text(item, "status", 20), _text(item, "reason", 1000)
    if sort in _NOT_THE_ADDRESS or speaks_of_something_else(reason):
        return False
    if sort == "invalid address":
        # The words may be of a kind that we do not know; a clear code is clear.
        return not _is_clearly_soft(status)
    if not (status or reason or sort):
        return True
    return classify(status, reason) == HARD


def _is_clearly_soft(status):
    """Whether a code speaks of something else than the address: RFC 3463's mailbox full
    and the like, the systems between, protocol, content, policy."""
    return bool(re.fullmatch(r"4\..*|5\.(?:2\.[2-4]|[34567]\.[1-9]\d*)", status))


def _drop(item):
    reason = _text(item, "reason", MAX_DETAIL)
    return "failed", "dropped", bool(_BAD_ADDRESS.fullmatch(reason))


def _text(item, name, length):
    """A value as text without control characters, which databases do not take."""
    value = item.get(name)
    if not isinstance(value, str):
        return ""
    return UNSAFE.sub(" ", value).strip()[:length]


def _time(value):
    """Seconds since 1970 as a naive datetime in UTC, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        moment = datetime.fromtimestamp(float(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=None, microsecond=0)
