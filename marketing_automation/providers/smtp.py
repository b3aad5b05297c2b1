"""Emails through an SMTP server: over one connection, or several where it is slow."""

import logging
import smtplib
import ssl

from .address import InvalidAddress, parse_mailbox
from .base import (
    ACCEPTED,
    REJECTED,
    RETRY,
    UNCERTAIN,
    Provider,
    SendResult,
)
from .mime import InvalidHeader, compose, needs_smtputf8, set_mailbox, to_bytes
from .smtp_batch import SmtpBatch
from .smtp_check import describe_problem, describe_session
from .smtp_session import Fault, Letter, Outage, SmtpSession, format_reply, redact

_logger = logging.getLogger(__name__)

CONNECTIONS = 4
TIMEOUT = 30.0


class SmtpProvider(Provider):
    """An account at an SMTP server; not to be shared between threads.

    ``connect`` and ``prepare`` are called in the thread that called :meth:`send`, one
    after the other and nowhere else: they use the ORM, whose cursor belongs to that
    thread. Other threads get finished bytes and do nothing but talk to the server.

    :param connect: ``connect(email_from) -> smtplib.SMTP``: opens an authenticated
        session for a From header, or raises. Called again for each other From,
        since a session may be bound to its sender, and after a lost connection.
    :param prepare: ``prepare(message, session) -> (envelope_from, [envelope_to],
        message)``: may replace From, and redirect the email to others. The
        recipients it reads out of a display name are not used. It raises
        ``AssertionError`` if the addresses cannot be used.
    :param connections: how many to use at most; one unless the server is slow
    :param timeout: seconds to wait for each reply. RFC 5321 4.5.3.2 proposes
        minutes: too short makes ``uncertain`` out of slow servers.
    """

    notes_what_it_begins = True

    def __init__(self, connect, prepare, *, connections=CONNECTIONS, timeout=TIMEOUT):
        self._connect = connect
        self._prepare = prepare
        self._timeout = timeout
        self.connections = connections
        self.sessions = []

    def send(self, batch, deadline=None):
        """Hand over a batch; see :meth:`Provider.send`.

        ``ref`` is the Message-ID. Reasons of one email: ``invalid_address``,
        ``sender_refused``, ``recipient_refused``, ``content_refused`` (also for a
        header that cannot be transmitted), ``connection_lost`` (also for no reply
        in time), ``temporary_failure``. Reasons of the account, then given for the
        rest of the batch: ``connect_failed`` (also for TLS), ``auth_failed``.
        ``provider_error``: a fault in here, its traceback is in the log.
        """
        batch = list(batch)
        faults = SmtpBatch(self, batch, deadline).run()
        return [
            self.get_result(email, fault)
            for email, fault in zip(batch, faults, strict=True)
        ]

    def check(self):
        """Log in and out again; see :meth:`Provider.check`."""
        try:
            session = self.open("")
        except Outage as outage:
            return [describe_problem(outage)]
        findings = describe_session(session.connection)
        session.quit()
        return findings

    def close(self):
        """Say QUIT and close the connections, if there are any."""
        while self.sessions:
            self.sessions.pop().quit()

    # ------------------------------------------------------------
    # ONE EMAIL
    # ------------------------------------------------------------

    def compose(self, email):
        """Build the message; see :func:`~.mime.compose`.

        :return: the message and its one recipient
        :raises Fault: the email cannot be transmitted
        """
        try:
            return compose(email.filled())
        except InvalidAddress as error:
            raise Fault(REJECTED, "invalid_address", str(error)) from error
        except InvalidHeader as error:
            raise Fault(REJECTED, "content_refused", str(error)) from error

    def address(self, message, recipient, session):
        """Put a message into its envelope, as the session wants it.

        :param message: of :meth:`compose`, may be changed
        :param Mailbox recipient: of :meth:`compose`
        :param SmtpSession session: that is going to transmit it
        :rtype: Letter
        :raises Fault: the addresses cannot be used
        """
        try:
            sender, offered, message = self._prepare(message, session.connection)
            sender = parse_mailbox(sender).address
            recipients = _recipients(recipient, offered)
            if not hasattr(message["From"], "wire"):  # it was replaced
                set_mailbox(message, "From", parse_mailbox(str(message["From"])))
        except (AssertionError, InvalidAddress) as error:
            detail = str(error.args[-1]) if error.args else ""
            raise Fault(REJECTED, "invalid_address", detail) from error
        # RFC 5321 4.4: only the final server adds a Return-Path.
        del message["Return-Path"]
        content = to_bytes(message)
        options = []
        if session.connection.has_extn("size"):
            options.append(f"SIZE={len(content)}")
        if needs_smtputf8(message) or not "".join([sender, *recipients]).isascii():
            if not session.connection.has_extn("smtputf8"):
                detail = "the server takes ASCII addresses only (no SMTPUTF8)"
                raise Fault(REJECTED, "invalid_address", detail)
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        return Letter(sender, recipients, content, options)

    def get_result(self, email, fault):
        """Return the result of an email.

        :param Fault fault: why it was not accepted; None: it was
        :rtype: SendResult
        """
        if fault is None:
            return SendResult(email.uuid, ACCEPTED, ref=email.message_id)
        ref = email.message_id if fault.status == UNCERTAIN else ""
        return SendResult(email.uuid, fault.status, ref, fault.reason, fault.detail)

    # ------------------------------------------------------------
    # THE CONNECTION
    # ------------------------------------------------------------

    def open(self, email_from):
        """Open a session for a From header.

        :rtype: SmtpSession
        :raises Outage: there is none to be had; caused by what was raised
        """
        connection = None
        try:
            connection = self._connect(email_from)
            if connection is None:
                raise Outage(RETRY, "connect_failed", "no session was opened")
            return SmtpSession(connection, email_from, self._timeout)
        except Outage:
            raise
        except Exception as error:
            if connection is not None:
                connection.close()
            outage = _connect_fault(error)
            _logger.info("No SMTP session: %s %s", outage.reason, outage.detail)
            raise outage from error


def _recipients(recipient, offered):
    """The one recipient, or those to whom ``prepare`` redirects the email."""
    # A name like "a@b.c" looks like a recipient to who searches the header.
    if recipient.address.lower() in map(str.lower, offered):
        return [recipient.address]
    if not offered:
        raise InvalidAddress("no recipient is left")
    return [parse_mailbox(address).address for address in offered]


def _connect_fault(error):
    if isinstance(error, smtplib.SMTPAuthenticationError):
        detail = format_reply(error.smtp_code, error.smtp_error)
        return Outage(RETRY, "auth_failed", redact(detail))
    if isinstance(error, ssl.SSLError):
        return Outage(RETRY, "connect_failed", f"TLS: {error}")
    if isinstance(error, smtplib.SMTPResponseException):
        detail = format_reply(error.smtp_code, error.smtp_error)
        return Outage(RETRY, "connect_failed", detail)
    return Outage(RETRY, "connect_failed", str(error) or type(error).__name__)
