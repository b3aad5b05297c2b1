"""What Twilio's error codes mean for a message: the one table.

Each code is explained at ``https://www.twilio.com/docs/api/errors/<code>``. Twilio
splits codes up now and then, so one that is missing here must not do harm: the message
waits.
"""

from dataclasses import dataclass

from .base import REJECTED, RETRY, UNCERTAIN


@dataclass(frozen=True)
class Meaning:
    """What follows from a code.

    :param status: of the ``SendResult`` when it answers our request
    :param reason: of that result
    :param kind: of the ``DeliveryEvent`` when it is reported later
    :param outcome: reason of that event
    :param stop: it concerns every message of the account: do not try others now
    :param suppress: the number must not be written to again
    """

    status: str
    reason: str
    kind: str = "failed"
    outcome: str = "undelivered"
    stop: bool = False
    suppress: bool = False


UNUSABLE = Meaning(
    REJECTED, "recipient_refused", "bounced_hard", "bounced_hard", suppress=True
)
OPTED_OUT = Meaning(REJECTED, "opted_out", outcome="opted_out", suppress=True)
REFUSED = Meaning(REJECTED, "content_refused", outcome="content_refused")
UNREACHED = Meaning(RETRY, "temporary_failure", "bounced_soft", "bounced_soft")
BUSY = Meaning(RETRY, "rate_limited", outcome="rate_limited", stop=True)
DOWN = Meaning(RETRY, "temporary_failure", stop=True)
CREDENTIALS = Meaning(RETRY, "auth_failed", outcome="auth_failed", stop=True)
ACCOUNT = Meaning(RETRY, "account_refused", outcome="account_refused", stop=True)
# Of the account, too, but it may be about this destination only.
ROUTE = Meaning(RETRY, "account_refused", outcome="account_refused")
BLOCKED = Meaning(REJECTED, "undelivered")
UNKNOWN = Meaning(RETRY, "provider_error")
UNSURE = Meaning(UNCERTAIN, "provider_error")

CODES = {
    # The number
    21211: (UNUSABLE, "the number is not valid"),
    21265: (UNUSABLE, "the number is a short code"),
    21614: (UNUSABLE, "the number is not a mobile number"),
    21635: (UNUSABLE, "the number is a landline"),
    30005: (UNUSABLE, "the number is unknown or not in use any more"),
    30006: (UNUSABLE, "the number is a landline, or its carrier cannot be reached"),
    21610: (OPTED_OUT, "the person has replied STOP to this sender"),
    30003: (UNREACHED, "the phone is switched off or out of reach"),
    30008: (UNREACHED, "not delivered, the carrier gave no reason"),
    30004: (BLOCKED, "the number is blocked from receiving this message"),
    # The text
    21602: (REFUSED, "the text is empty"),
    21605: (REFUSED, "the text is too long"),
    21617: (REFUSED, "the text is longer than 1,600 characters"),
    21619: (REFUSED, "the text is empty"),
    30007: (REFUSED, "filtered by Twilio or the carrier as spam"),
    # Too much at once. 20429: "never processed and always safe to retry"
    20429: (BUSY, "too many requests at once"),
    21611: (BUSY, "the sender has more messages waiting than it can send in time"),
    30001: (BUSY, "the sender's queue is full"),
    30022: (BUSY, "the sender's rate limit is exceeded"),
    # Not now. 20500 is not like 20503: "it is possible for a customer to receive
    # multiple messages" if that request is made again.
    20503: (DOWN, "the service is unavailable for the moment"),
    21730: (DOWN, "the service is being maintained"),
    20500: (UNSURE, "internal error, the message may have been sent"),
    # The account
    20003: (CREDENTIALS, "wrong account SID or auth token"),
    10001: (ACCOUNT, "the account is not active: look at its balance"),
    20005: (ACCOUNT, "the account is not active: look at its balance"),
    30002: (ACCOUNT, "the account is suspended"),
    21603: (ACCOUNT, "no sender is given"),
    21609: (ACCOUNT, "the address for status reports is not valid"),
    21660: (ACCOUNT, "the sender belongs to another account"),
    21661: (ACCOUNT, "the sender cannot send text messages"),
    21703: (ACCOUNT, "the messaging service has no sender"),
    # Sender and destination together
    21212: (ROUTE, "the sender is not valid"),
    21266: (ROUTE, "the number is the sender's own"),
    21267: (ROUTE, "a trial account cannot use a sender with letters"),
    21408: (ROUTE, "sending to this country is switched off (geo permissions)"),
    21606: (ROUTE, "the sender cannot send to this destination, or is not yours"),
    21608: (ROUTE, "a trial account can send to verified numbers only"),
    21612: (ROUTE, "this sender cannot reach the number"),
    21659: (ROUTE, "the sender is not a Twilio number, or of another country"),
    21704: (ROUTE, "the messaging service has no sender for this destination"),
}

# Answers without a code that we know. 408 (RFC 9110 15.5.9): the request did not
# arrive completely. 5xx is missing on purpose: nobody says that it was not taken.
HTTP = {
    401: CREDENTIALS,
    403: ACCOUNT,
    404: ACCOUNT,
    407: ACCOUNT,
    408: DOWN,
    429: BUSY,
}


def meaning_of_answer(status, code):
    """Return what an answer other than success means.

    :param int status: of HTTP
    :param int | None code: of Twilio
    :rtype: Meaning
    """
    if code in CODES:
        return CODES[code][0]
    if status in HTTP:
        return HTTP[status]
    if 300 <= status < 400:
        return ACCOUNT  # Twilio does not redirect: it is the wrong host
    return UNKNOWN if 400 <= status < 500 else UNSURE


def meaning_of_report(code):
    """Return what a code in a status callback means, with words for it.

    :param int | None code: of Twilio
    :rtype: tuple[Meaning, str]
    """
    meaning, words = CODES.get(code, (UNKNOWN, ""))
    if not code:
        return meaning, ""
    return meaning, f"{code}: {words}" if words else f"Twilio error {code}"
