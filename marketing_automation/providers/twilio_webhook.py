"""Requests that Twilio makes to us: status reports and replies."""

import re
from datetime import datetime, timezone
from urllib.parse import parse_qs, parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from ..tools.objections import START, STOP, read_request
from ..tools.replies import says_automatic
from ..tools.sms import MAX_CHARACTERS
from .base import DeliveryEvent, InvalidWebhook
from .twilio_codes import meaning_of_report

SIGNATURE = "x-twilio-signature"
MAX_FIELDS = 200

# Statuses that tell something; before "sent" there is no news. A part of a message is
# no delivery, but it has left.
# https://www.twilio.com/docs/messaging/api/message-resource
_STATUSES = {
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
# https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
_OPT_OUT_TYPES = {"STOP": STOP, "START": START}
_E164 = re.compile(r"\+[1-9][0-9]{4,14}")


class Form(dict):
    """The fields of a form, name -> all its values; ``form(name)`` is the first."""

    def getlist(self, name):
        """All values, as the official validator asks for them."""
        return self[name]

    def __call__(self, name):
        return self.get(name, [""])[0]


def read_form(auth_token, headers, raw_body, url):
    """Return the fields of a request that Twilio has signed.

    :param str auth_token: of the account; without one nothing can be proven
    :param headers: of the request, names in any case
    :param bytes raw_body: ``application/x-www-form-urlencoded``
    :param str url: as Twilio called it; a default port may be there or not
    :raise InvalidWebhook: not signed with this token (403), no form (400)
    :rtype: Form
    """
    signature = next((v for k, v in headers.items() if k.lower() == SIGNATURE), "")
    if not auth_token or not signature:
        raise InvalidWebhook("no auth token is set, or the request is not signed")
    form = _parse(raw_body)
    try:
        valid = RequestValidator(auth_token).validate(url, form, signature)
    except ValueError:  # a port that is no number, half of a surrogate pair
        valid = False
    if not valid:
        raise InvalidWebhook("the signature does not match")
    return form


def read_events(form, url):
    """Return the events of a request; see :meth:`.base.Provider.parse_webhook`.

    :param Form form: see :func:`read_form`
    :raise InvalidWebhook: neither a status report nor a message (400)
    :rtype: list[DeliveryEvent]
    """
    sid = form("MessageSid") or form("SmsSid")
    if sid and "MessageStatus" in form:
        return _read_status(form, sid, url)
    if sid and "Body" in form and "From" in form:
        # Telephones answer by themselves, too: that is no news of anybody.
        return [] if says_automatic(form("Body")) else [_read_reply(form, sid)]
    raise InvalidWebhook("neither a status report nor a message", status=400)


def _parse(raw_body):
    try:
        text = raw_body.decode("utf-8")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise InvalidWebhook("the form cannot be read", status=400) from error
    form = Form()
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _read_status(form, sid, url):
    status = form("MessageStatus").lower()
    kind = _STATUSES.get(status)
    if kind is None:
        return []
    reason, detail, suppress = "", "", False
    if kind == "failed":
        code = form("ErrorCode")
        meaning, detail = meaning_of_report(int(code) if code.isdecimal() else None)
        kind, reason = meaning.kind, meaning.outcome
        suppress = meaning.suppress
    event = DeliveryEvent(
        kind,
        _now(),
        uuid=parse_qs(urlsplit(url).query).get("m", [""])[0],
        ref=sid,
        address=_number(form("To")),
        external_id=f"{sid}:{status}",
        reason=reason,
        detail=detail,
        suppress=suppress,
    )
    return [event]


def _read_reply(form, sid):
    text = form("Body")
    # Where Twilio itself keeps the opt-outs, its own words for them decide.
    asked = form("OptOutType").upper()
    keyword = _OPT_OUT_TYPES.get(asked, "")
    if not asked:
        keyword = read_request(text, is_sms=True)
    kind = {STOP: "unsubscribe", START: "resubscribe"}.get(keyword, "reply")
    return DeliveryEvent(
        kind,
        _now(),
        address=_number(form("From")),
        external_id=sid,
        reason="opted_out" if keyword == STOP else "",
        suppress=keyword == STOP,
        text=text[:MAX_CHARACTERS],
    )


def _number(value):
    """The E.164 number; senders of other kinds are nobody we could write to."""
    return value if _E164.fullmatch(value) else ""


def _now():
    """Twilio reports within seconds. Its ``RawDlrDoneDate`` is the carrier's local
    time in whole minutes, without a zone: hours off, and so of no use.

    https://www.twilio.com/en-us/changelog/addition-of-rawdlrdonedate-to-delivered-and-undelivered-status-webhooks
    """
    return datetime.now(timezone.utc).replace(tzinfo=None)
