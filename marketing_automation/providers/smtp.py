"""Hand emails over to an SMTP server, knowing at each fault what it means.

The commands are sent one by one instead of with ``smtplib.SMTP.send_message``,
because what a lost connection means depends on when it was lost: until the server
has answered DATA with 354 it has no content and another attempt is safe, from then
on until the final reply it may have taken the message (RFC 5321 4.2.5 and 6.1,
RFC 1047).
"""

import logging
import re
import smtplib
import ssl
import time

from .address import InvalidAddress, parse_mailbox
from .base import (
    ACCEPTED,
    NOT_REACHED,
    REJECTED,
    RETRY,
    UNCERTAIN,
    Check,
    Provider,
    SendResult,
)
from .mime import InvalidHeader, compose, needs_smtputf8, set_mailbox, to_bytes

_logger = logging.getLogger(__name__)

TIMEOUT = 30.0
QUIT_TIMEOUT = 5.0
# So many lost connections in a row, and the rest of the batch waits.
MAX_FAULTS = 3
MAX_DETAIL = 250

# What a reply refuses, by the command it answers. 4xx: retry, 5xx: rejected.
REFUSALS = {
    "MAIL": "sender_refused",
    "RCPT": "recipient_refused",
    "DATA": "content_refused",
    "content": "content_refused",
}
# RFC 5321 3.8: the server closes the connection, whatever the command was.
CLOSING = 421
# RFC 4954 6: the account has to log in or to log in otherwise.
AUTHENTICATION = {530, 534, 535, 538}
# What in a reply to AUTH may be the credentials in base64.
_OPAQUE = re.compile(
    r"(?=[A-Za-z0-9+/]*[0-9=])[A-Za-z0-9+/]{8,}={0,2}|[A-Za-z0-9+/]{20,}={0,2}"
)


class _Fault(Exception):
    """An email that was not accepted.

    :param lost: the connection cannot be used any more
    :param slow: because there was no reply in time
    """

    def __init__(self, status, reason, detail="", lost=False, slow=False):
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = _clean(detail)
        self.lost = lost
        self.slow = slow


class _Stale(_Fault):
    """A used connection had ended before this email began."""


class _Outage(_Fault):
    """The account does not work now; other emails need not be tried."""


class SmtpProvider(Provider):
    """An account at an SMTP server; not to be shared between threads.

    :param connect: ``connect(email_from) -> smtplib.SMTP``: opens an authenticated
        session for a From header, or raises. Called again for each other From,
        since a session may be bound to its sender, and after a lost connection.
    :param prepare: ``prepare(message, session) -> (envelope_from, [envelope_to],
        message)``: may replace From, and redirect the email to others. The
        recipients it reads out of a display name are not used. It raises
        ``AssertionError`` if the addresses cannot be used.
    :param timeout: seconds to wait for each reply. RFC 5321 4.5.3.2 proposes
        minutes: too short makes ``uncertain`` out of slow servers.
    """

    def __init__(self, connect, prepare, *, timeout=TIMEOUT):
        self._connect = connect
        self._prepare = prepare
        self._timeout = timeout
        self._session = None
        self._session_from = None
        self._uses = 0
        self._dirty = False

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
        results = [None] * len(batch)
        outage, faults = None, 0
        for index in _by_sender(batch):
            email = batch[index]
            if deadline is not None and time.monotonic() >= deadline:
                outage = _Outage(RETRY, NOT_REACHED)
            fault = outage or self._deliver(email)
            results[index] = _result(email, fault)
            faults = faults + fault.lost if fault else 0
            if isinstance(fault, _Outage):
                outage = fault
            elif faults >= MAX_FAULTS:
                detail = f"the connection keeps breaking: {fault.detail}"
                outage = _Outage(RETRY, "connect_failed", detail)
        return results

    def check(self):
        """Log in and out again; see :meth:`Provider.check`."""
        try:
            self._open("")
        except _Outage as outage:
            return [Check("problem", "Mail server", outage.detail)]
        self.close()
        return [Check("ok", "Mail server", "")]

    def close(self):
        """Say QUIT and close the connection, if there is one."""
        session = self._session
        if session is None:
            return
        try:
            if session.sock:
                session.sock.settimeout(min(QUIT_TIMEOUT, self._timeout))
                session.quit()
        except Exception as error:  # noqa: BLE001 - all mail is settled by now
            _logger.debug("SMTP session ended without QUIT: %s", error)
        self._drop()

    # ------------------------------------------------------------
    # ONE EMAIL
    # ------------------------------------------------------------

    def _deliver(self, email):
        """Return the fault, or None when the server has accepted the email."""
        try:
            try:
                self._attempt(email)
            except _Stale:
                self._attempt(email)
        except _Fault as fault:
            self._reset()
            return fault
        except Exception:
            # Faults of the content stage never get here: see _transmit.
            _logger.exception("Email %s could not be handed over", email.uuid)
            self._drop()
            return _Fault(RETRY, "provider_error", "internal error, see the log")
        return None

    def _attempt(self, email):
        try:
            message, recipient = compose(email)
        except InvalidAddress as error:
            raise _Fault(REJECTED, "invalid_address", str(error)) from error
        except InvalidHeader as error:
            raise _Fault(REJECTED, "content_refused", str(error)) from error
        self._open(str(message["From"]))
        sender, recipients, message = self._envelope(message, recipient)
        content = to_bytes(message)
        options = self._mail_options(message, [sender, *recipients], content)
        self._begin(sender, options)
        for address in recipients:
            self._ask("RCPT", self._session.rcpt, address)
        self._ask("DATA", self._session.docmd, "DATA")
        self._transmit(content)
        self._uses += 1
        self._dirty = False

    def _envelope(self, message, recipient):
        try:
            sender, offered, message = self._prepare(message, self._session)
            sender = parse_mailbox(sender).address
            if not offered:
                raise InvalidAddress("no recipient is left")
            set_mailbox(message, "From", parse_mailbox(str(message["From"])))
        except (AssertionError, InvalidAddress) as error:
            detail = str(error.args[-1]) if error.args else ""
            raise _Fault(REJECTED, "invalid_address", detail) from error
        # RFC 5321 4.4: only the final server adds a Return-Path.
        del message["Return-Path"]
        # A name like "a@b.c" looks like a recipient to who searches the header.
        own = recipient.address.lower() in map(str.lower, offered)
        return sender, [recipient.address] if own else list(offered), message

    def _mail_options(self, message, addresses, content):
        session = self._session
        options = []
        if session.has_extn("size"):
            options.append(f"SIZE={len(content)}")
        if needs_smtputf8(message) or not "".join(addresses).isascii():
            if not session.has_extn("smtputf8"):
                detail = "the server takes ASCII addresses only (no SMTPUTF8)"
                raise _Fault(REJECTED, "invalid_address", detail)
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        return options

    # ------------------------------------------------------------
    # THE DIALOGUE
    # ------------------------------------------------------------

    def _begin(self, sender, options):
        """MAIL. Servers end connections that idle or had their share of messages:
        on a used one that shows here, with nothing transmitted yet."""
        used = self._uses
        self._dirty = True
        try:
            self._ask("MAIL", self._session.mail, sender, options)
        except _Fault as fault:
            if used and fault.lost and not fault.slow:
                raise _Stale(fault.status, fault.reason) from fault
            raise

    def _ask(self, command, method, *args):
        """Send a command before the content; raise unless it is granted."""
        try:
            code, text = method(*args)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise _lost(RETRY, command, error) from error
        granted = code == 354 if command == "DATA" else 200 <= code < 300
        if not granted:
            raise self._refusal(command, code, _reply(code, text))

    def _transmit(self, content):
        """Send the content. Only a proper final reply tells what came of it."""
        try:
            session = self._session
            # RFC 5321 4.5.2: a leading dot is doubled, a lone one ends.
            session.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
            code, text = session.getreply()
        except Exception as error:  # noqa: BLE001 - whatever it is, do not resend
            self._drop()
            raise _lost(UNCERTAIN, "content", error) from error
        if not 200 <= code < 300:
            raise self._refusal("content", code, _reply(code, text))

    def _refusal(self, command, code, detail):
        if code in AUTHENTICATION:
            self._drop()
            return _Outage(RETRY, "auth_failed", _OPAQUE.sub("…", detail))
        if code == CLOSING:
            self._drop()
            return _Fault(RETRY, "temporary_failure", detail, lost=True)
        if 400 <= code < 600:
            status = RETRY if code < 500 else REJECTED
            return _Fault(status, REFUSALS[command], detail)
        # Not a final reply of SMTP: the two sides disagree about where they are.
        self._drop()
        status = UNCERTAIN if command == "content" else RETRY
        detail = f"unexpected reply to {command}: {detail}"
        return _Fault(status, "connection_lost", detail, lost=True)

    # ------------------------------------------------------------
    # THE CONNECTION
    # ------------------------------------------------------------

    def _open(self, email_from):
        if self._session is not None and self._session_from == email_from:
            return
        self.close()
        try:
            self._session = session = self._connect(email_from)
            if session is None:
                raise _Outage(RETRY, "connect_failed", "no session was opened")
            session.timeout = self._timeout
            session.sock.settimeout(self._timeout)
            session.ehlo_or_helo_if_needed()
        except _Outage:
            raise
        except Exception as error:
            self._drop()
            outage = _connect_fault(error)
            _logger.info("No SMTP session: %s %s", outage.reason, outage.detail)
            raise outage from error
        self._session_from = email_from

    def _reset(self):
        """Leave no half of an email behind for the next one."""
        if self._session is None or not self._dirty:
            return
        try:
            if self._session.rset()[0] != 250:
                self._drop()
        except (smtplib.SMTPException, OSError):
            self._drop()
        self._dirty = False

    def _drop(self):
        if self._session is not None:
            self._session.close()
        self._session = self._session_from = None
        self._uses, self._dirty = 0, False


def _by_sender(batch):
    """The indexes of the batch, those of one sender next to each other."""
    groups = {}
    for index, email in enumerate(batch):
        groups.setdefault(email.email_from, []).append(index)
    return [index for group in groups.values() for index in group]


def _result(email, fault):
    if fault is None:
        return SendResult(email.uuid, ACCEPTED, ref=email.message_id)
    ref = email.message_id if fault.status == UNCERTAIN else ""
    return SendResult(email.uuid, fault.status, ref, fault.reason, fault.detail)


def _lost(status, command, error):
    """A connection that ended while waiting for the reply to a command."""
    slow = isinstance(error, TimeoutError) or isinstance(
        error.__context__, TimeoutError
    )
    detail = f"no reply to {command} in time" if slow else f"{command}: {error}"
    return _Fault(status, "connection_lost", detail, lost=True, slow=slow)


def _connect_fault(error):
    if isinstance(error, smtplib.SMTPAuthenticationError):
        detail = _reply(error.smtp_code, error.smtp_error)
        return _Outage(RETRY, "auth_failed", _OPAQUE.sub("…", detail))
    if isinstance(error, ssl.SSLError):
        return _Outage(RETRY, "connect_failed", f"TLS: {error}")
    if isinstance(error, smtplib.SMTPResponseException):
        detail = _reply(error.smtp_code, error.smtp_error)
        return _Outage(RETRY, "connect_failed", detail)
    return _Outage(RETRY, "connect_failed", str(error) or type(error).__name__)


def _reply(code, text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return f"{code} {text}"


def _clean(text):
    return " ".join(str(text).split())[:MAX_DETAIL]
