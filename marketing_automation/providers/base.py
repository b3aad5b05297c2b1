"""What every email provider takes and gives back: plain values, no ORM."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ACCEPTED = "accepted"
RETRY = "retry"
REJECTED = "rejected"
UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class OutgoingEmail:
    """One finished email to one person.

    :param uuid: our own key of the message; results carry it back
    :param email_from: one mailbox, ``"Name" <local@domain>`` or ``local@domain``
    :param email_to: one mailbox, same form; exactly this person receives the email
    :param reply_to: one mailbox, or an empty string for no ``Reply-To`` header
    :param subject: plain text; line breaks in it become blanks
    :param html: the HTML body, may be empty
    :param text: the plain text body
    :param headers: further headers, name -> value, such as ``List-Unsubscribe``.
        ``Return-Path`` asks for an envelope sender and is not transmitted.
    :param message_id: the ``Message-ID`` with its angle brackets, unique for ever
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


@dataclass(frozen=True)
class SendResult:
    """What became of one :class:`OutgoingEmail`.

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


class EmailProvider(ABC):
    """An account at a provider, able to hand over batches of emails."""

    @abstractmethod
    def send(self, batch: Iterable[OutgoingEmail]) -> list[SendResult]:
        """Hand over a batch.

        :param batch: the emails, most urgent first
        :return: exactly one result per email, in the order of the batch. A fault
            is a result; no exception is raised for it.
        """

    def close(self) -> None:  # noqa: B027 - optional for providers without state
        """Release connections. May be called more than once, never raises."""

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()
