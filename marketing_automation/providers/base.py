"""What every provider takes and gives back: plain values, no ORM."""

import functools
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..tools import stopping

ACCEPTED = "accepted"
RETRY = "retry"
REJECTED = "rejected"
UNCERTAIN = "uncertain"

# Reason of what was not even begun when the time of a batch was over (``retry``).
NOT_REACHED = "not_reached"

# What providers report later, see DeliveryEvent.
EVENT_KINDS = (
    *("sent", "deferred", "delivered", "failed", "bounced_soft", "bounced_hard"),
    *("open", "click", "complaint", "unsubscribe", "resubscribe", "reply"),
)


@dataclass(frozen=True)
class OutgoingEmail:
    """One finished email to one person.

    :param uuid: our own public key of the message; results and events carry it back
    :param email_from: one mailbox, ``"Name" <local@domain>`` or ``local@domain``
    :param email_to: one mailbox, same form; exactly this person receives the email
    :param reply_to: one mailbox, or an empty string for no ``Reply-To`` header
    :param subject: plain text; line breaks in it become blanks
    :param html: the HTML body, may be empty
    :param text: the plain text body
    :param headers: further headers, name -> value, such as ``List-Unsubscribe``.
        ``Return-Path`` asks for an envelope sender and is not transmitted.
    :param message_id: the ``Message-ID`` with its angle brackets, unique for ever
    :param categories: names of what it belongs to, for the provider's own statistics;
        no personal data
    :param substitutions: where emails share one body: what stands in ``subject``,
        ``html``, ``text`` and the values of ``headers`` for each person's own text,
        marker -> text, as it is to appear there. Emails of the same content differ in
        nothing but this, ``uuid``, ``email_to`` and ``message_id``. See :meth:`filled`.
    """

    uuid: str
    email_from: str
    email_to: str
    reply_to: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)
    message_id: str = ""
    categories: Sequence[str] = ()
    substitutions: Mapping[str, str] = field(default_factory=dict)

    def filled(self) -> "OutgoingEmail":
        """The same email with every marker replaced, for providers that send each
        email by itself.

        :rtype: OutgoingEmail
        """
        if not self.substitutions:
            return self
        markers = tuple(self.substitutions)

        def fill(text):
            # In one go: what looks like a marker in a value is the person's own text.
            pieces = list(_cut_at_markers(text, markers))
            pieces[1::2] = [self.substitutions[marker] for marker in pieces[1::2]]
            return "".join(pieces)

        return replace(
            self,
            subject=fill(self.subject),
            html=fill(self.html),
            text=fill(self.text),
            headers={name: fill(value) for name, value in self.headers.items()},
            substitutions={},
        )


# Thousands of emails share their texts and markers.
@functools.lru_cache(maxsize=64)
def _cut_at_markers(text, markers):
    """The text in pieces, every second one a marker.

    :rtype: tuple[str]
    """
    longest_first = sorted(markers, key=len, reverse=True)
    expression = "|".join(map(re.escape, longest_first))
    return tuple(re.split(f"({expression})", text))


@dataclass(frozen=True)
class OutgoingSms:
    """One finished text message to one person.

    :param uuid: our own public key of the message; results and events carry it back
    :param phone_to: E.164, such as ``+36301234567``
    :param body: the text, at most 1,600 characters
    :param status_callback: where the provider reports what became of it, may be empty
    """

    uuid: str
    phone_to: str
    body: str
    status_callback: str = ""


@dataclass(frozen=True)
class DeliveryEvent:
    """What a provider reports about a message after it was handed over.

    :param kind: one of ``EVENT_KINDS``. ``failed``: given up without a bounce (dropped,
        undelivered). ``bounced_soft``: the receiving side refused for now (full, say);
        ``bounced_hard``: the address does not exist, it must not be used again.
        ``deferred`` changes nothing; ``resubscribe`` takes an opt-out back.
    :param occurred_at: when, naive, UTC
    :param uuid: our key of the message, as handed over; empty when not known
    :param ref: the provider's key of the message; empty when not known
    :param address: email or E.164 number of the person; empty when not known
    :param external_id: the provider's key of the event, for those that report an event
        more than once; empty when it has none
    :param reason: short technical code of ours, a key of ``marketing.message.reason``
    :param detail: at most 250 characters for people, never a secret
    :param suppress: the address must not be written to again on this channel
    :param url: the link of a click
    :param text: what a person replied, at most 1,600 characters
    :param is_machine: the provider knows that no person did it
    """

    kind: str
    occurred_at: datetime
    uuid: str = ""
    ref: str = ""
    address: str = ""
    external_id: str = ""
    reason: str = ""
    detail: str = ""
    suppress: bool = False
    url: str = ""
    user_agent: str = ""
    ip: str = ""
    text: str = ""
    is_machine: bool = False


@dataclass(frozen=True)
class Check:
    """One finding of a connection test.

    :param status: ``ok``, ``problem``, or ``unknown`` when it could not be checked
    :param subject: what was looked at, one or two words
    :param detail: what is wrong and what to do, in words; never a secret
    """

    status: str
    subject: str
    detail: str = ""


class InvalidWebhook(Exception):
    """A request that is not proven to come from the provider, or makes no sense.

    :ivar int status: HTTP status to answer: 403 not proven, 400 malformed
    """

    def __init__(self, message, status=403):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class SendResult:
    """What became of one message.

    :param uuid: the key of the email
    :param status: ``accepted``: the provider has taken it over;
        ``retry``: it certainly was not taken, another attempt may work;
        ``rejected``: it certainly was not taken, and would not be another time;
        ``uncertain``: it may have been taken, so it must not be sent again
    :param ref: what the provider calls the message; set when accepted or uncertain
    :param reason: short technical code, empty when accepted
    :param detail: at most 250 characters for people, never a secret
    """

    uuid: str
    status: str
    ref: str = ""
    reason: str = ""
    detail: str = ""


def is_over(deadline):
    """Return whether no other message may be begun: the time of a batch is over, or the
    server is being stopped.

    :param float | None deadline: value of ``time.monotonic()``
    :rtype: bool
    """
    if stopping.is_stopping():
        return True
    return deadline is not None and time.monotonic() >= deadline


class Provider(ABC):
    """An account at a provider, able to hand over batches of messages.

    :cvar bool notes_what_it_begins: whether it tells :attr:`journal` of each message
        before it is begun
    :ivar journal: what is told of each message when it is begun and when its fate is
        known, see :class:`...tools.hand_over_journal.Journal`
    """

    notes_what_it_begins = False
    journal = None

    @abstractmethod
    def send(self, batch: Iterable, deadline: float | None = None) -> list[SendResult]:
        """Hand over a batch.

        :param batch: OutgoingEmail or OutgoingSms, most urgent first
        :param deadline: value of ``time.monotonic()`` after which no other message is
            begun, see :func:`is_over`; those left get ``retry`` with the reason
            ``NOT_REACHED``
        :return: exactly one result per message, in the order of the batch. A fault
            is a result; no exception is raised for it.
        """

    @abstractmethod
    def check(self) -> list[Check]:
        """Find out whether messages could be handed over now, without sending one.

        :return: the findings, never raises for what is wrong with the account
        """

    def parse_webhook(
        self, headers: Mapping[str, str], raw_body: bytes, url: str
    ) -> list[DeliveryEvent]:
        """Verify a request of the provider and read it.

        :param headers: of the request, names in any case
        :param raw_body: exactly the bytes received
        :param url: the address as the provider called it, with its query
        :return: what happened; events of kinds that say nothing are left out
        :raise InvalidWebhook: not proven to be the provider's, malformed, or this
            provider has no webhooks
        """
        raise InvalidWebhook("this kind of account has no webhook")

    def note_begun(self, *keys):
        """Tell the journal which messages are begun now."""
        if self.journal is not None:
            self.journal.note_begun(*keys)

    def note_result(self, result):
        """Tell the journal what became of a message.

        :return: the same result
        :rtype: SendResult
        """
        if self.journal is not None:
            self.journal.note_result(result)
        return result

    def close(self) -> None:  # noqa: B027 - optional for providers without state
        """Release connections. May be called more than once, never raises."""

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()
