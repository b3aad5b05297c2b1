"""One conversation with an SMTP server, knowing at each fault what it means.

The commands are sent here instead of with ``smtplib.SMTP.send_message``, because what
a lost connection means depends on when it was lost: until the server has answered DATA
with 354 and content was begun it has nothing and another attempt is safe, from then on
until the final reply it may have taken the message (RFC 5321 4.2.5 and 6.1, RFC 1047).
"""

import logging
import re
import smtplib
import socket
from contextlib import suppress
from dataclasses import dataclass

from .base import REJECTED, RETRY, UNCERTAIN

_logger = logging.getLogger(__name__)

QUIT_TIMEOUT = 5.0
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
_LEADING_DOT = re.compile(rb"(?m)^\.")


class Fault(Exception):
    """An email that was not accepted.

    :param status: ``retry``, ``rejected`` or ``uncertain``, see SendResult
    :param reason: key of ``marketing.message.reason``
    :param detail: what was said, for people
    :param lost: the connection cannot be used any more
    :param slow: because there was no reply in time
    """

    def __init__(self, status, reason, detail="", lost=False, slow=False):
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = clean(detail)
        self.lost = lost
        self.slow = slow


class Stale(Fault):
    """A used connection had ended before this email began."""


class Outage(Fault):
    """The account does not work now; other emails need not be tried."""


@dataclass(frozen=True)
class Letter:
    """An email in its envelope, ready for the wire.

    :param sender: address for MAIL
    :param recipients: addresses for RCPT, all of them checked
    :param content: the message with CRLF line ends, not yet dot-stuffed
    :param options: of MAIL, such as ``SIZE=2048``
    """

    sender: str
    recipients: list
    content: bytes
    options: list

    def commands(self):
        """What has to be granted before the content, as pairs of verb and line."""
        options = "".join(f" {option}" for option in self.options)
        yield "MAIL", f"MAIL FROM:<{self.sender}>{options}\r\n"
        for address in self.recipients:
            yield "RCPT", f"RCPT TO:<{address}>\r\n"
        yield "DATA", "DATA\r\n"


class SmtpSession:
    """An open connection. It knows nothing of the ORM, so that any thread may use it,
    one at a time.

    :param smtplib.SMTP connection: connected, logged in
    :param email_from: the From header it was opened for
    :param timeout: seconds to wait for each reply
    """

    def __init__(self, connection, email_from, timeout):
        self.connection = connection
        self.email_from = email_from
        self.alive = True
        self._timeout = timeout
        self._uses = 0
        connection.timeout = timeout
        connection.sock.settimeout(timeout)
        connection.ehlo_or_helo_if_needed()
        self._pipelining = connection.has_extn("pipelining")

    def deliver(self, letter):
        """Hand one email over: :meth:`begin` and :meth:`finish` in one."""
        return self.begin(letter) or self.finish()

    def begin(self, letter):
        """Transmit an email. What became of it is known after :meth:`finish` only,
        which has to come before anything else; in between the caller may do other
        things while the server works.

        :param Letter letter: the email
        :return: why it was not accepted; None when all of it is on its way
        :rtype: Fault | None
        """
        try:
            self._ask_permission(letter)
            self._write_content(letter.content)
        except Fault as fault:
            self._reset()
            return fault
        except Exception:
            # Faults of the content stage never get here: see _write_content.
            _logger.exception("An email could not be handed over")
            self.drop()
            return Fault(RETRY, "provider_error", "internal error, see the log")
        return None

    def finish(self):
        """Read the reply to the content: only a proper one tells what came of it.

        :return: why the email was not accepted, None when it was
        :rtype: Fault | None
        """
        try:
            code, text = self.connection.getreply()
            if not 200 <= code < 300:
                raise self._refusal("content", code, format_reply(code, text))
        except Fault as fault:
            self._reset()
            return fault
        except Exception as error:  # noqa: BLE001 - whatever it is, do not resend
            self.drop()
            return _lost(UNCERTAIN, "content", error)
        self._uses += 1
        return None

    def quit(self):
        """Say QUIT and close the connection; never raises."""
        try:
            if self.connection.sock:
                self.connection.sock.settimeout(min(QUIT_TIMEOUT, self._timeout))
                self.connection.quit()
        except Exception as error:  # noqa: BLE001 - all mail is settled by now
            _logger.debug("SMTP session ended without QUIT: %s", error)
        self.drop()

    def drop(self):
        """Close the connection without a word."""
        self.alive = False
        self.connection.close()

    # ------------------------------------------------------------
    # BEFORE THE CONTENT
    # ------------------------------------------------------------

    def _ask_permission(self, letter):
        """MAIL, RCPT and DATA; raise unless all is granted."""
        commands = list(letter.commands())
        if not self._pipelining:
            groups = [[command] for command in commands]
        elif len(letter.recipients) == 1:
            groups = [commands]
        else:
            # Were one of them refused and DATA granted, there would be no way to
            # end the message without sending it to the others.
            groups = [commands[:-1], commands[-1:]]
        for group in groups:
            self._exchange(group)

    def _exchange(self, group):
        """Write commands at once (RFC 2920) and read each one's reply, in order.

        The first one that is not granted decides what became of the email; the
        replies to those behind it say nothing of their own.
        """
        self._write(group)
        refusal, granted = None, set()
        for verb, _line in group:
            try:
                self._read(verb)
                granted.add(verb)
            except Fault as fault:
                refusal = refusal or fault
            if not self.alive:
                break
        if refusal is None:
            return
        if self.alive and "DATA" in granted:
            self._withdraw(has_recipient="RCPT" in granted)
        refusal.lost = refusal.lost or not self.alive
        raise refusal

    def _write(self, group):
        try:
            self.connection.send("".join(line for _verb, line in group).encode())
        except (smtplib.SMTPException, OSError) as error:
            self.drop()
            raise self._before_content(group[0][0], error) from error

    def _read(self, verb):
        """Read the reply to a command; raise unless it is granted."""
        if self._pipelining:
            self._acknowledge()
        try:
            code, text = self.connection.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.drop()
            raise self._before_content(verb, error) from error
        granted = code == 354 if verb == "DATA" else 200 <= code < 300
        if not granted:
            raise self._stale(verb, self._refusal(verb, code, format_reply(code, text)))

    def _acknowledge(self):
        """Have the system confirm each reply at once.

        A server that writes the replies of a group one by one otherwise waits with the
        second one for the confirmation of the first, which Linux gives after 40 ms.
        """
        with suppress(AttributeError, OSError):  # Linux only; not on each TLS socket
            self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _before_content(self, verb, error):
        return self._stale(verb, _lost(RETRY, verb, error))

    def _stale(self, verb, fault):
        """Servers end connections that idle or had their share of messages: on a used
        one that shows as the answer to MAIL, with nothing transmitted yet."""
        if verb == "MAIL" and self._uses and fault.lost and not fault.slow:
            return Stale(fault.status, fault.reason, fault.detail, lost=True)
        return fault

    def _withdraw(self, has_recipient):
        """Take back a DATA that was granted although the email was refused.

        Without any recipient a lone dot ends it (RFC 2920 3.1). With one, that would
        deliver an empty message; a connection that ends before the dot delivers none
        (RFC 5321 4.1.1.4).
        """
        if has_recipient:
            return self.drop()
        try:
            self.connection.send(b".\r\n")
            code, _text = self.connection.getreply()
        except (smtplib.SMTPException, OSError):
            return self.drop()
        if code == CLOSING or not 200 <= code < 600:
            self.drop()

    def _reset(self):
        """Leave no half of an email behind for the next one."""
        if not self.alive:
            return
        try:
            if self.connection.rset()[0] != 250:
                self.drop()
        except (smtplib.SMTPException, OSError):
            self.drop()

    # ------------------------------------------------------------
    # THE CONTENT, AND ANY REFUSAL
    # ------------------------------------------------------------

    def _write_content(self, content):
        try:
            self.connection.send(stuff_dots(content) + b".\r\n")
        except Exception as error:  # noqa: BLE001 - whatever it is, do not resend
            self.drop()
            raise _lost(UNCERTAIN, "content", error) from error

    def _refusal(self, command, code, detail):
        if code in AUTHENTICATION:
            self.drop()
            return Outage(RETRY, "auth_failed", redact(detail))
        if code == CLOSING:
            self.drop()
            return Fault(RETRY, "temporary_failure", detail, lost=True)
        if 400 <= code < 600:
            status = RETRY if code < 500 else REJECTED
            return Fault(status, REFUSALS[command], detail)
        # Not a final reply of SMTP: the two sides disagree about where they are.
        self.drop()
        status = UNCERTAIN if command == "content" else RETRY
        detail = f"unexpected reply to {command}: {detail}"
        return Fault(status, "connection_lost", detail, lost=True)


def stuff_dots(content):
    """Double each dot at the start of a line (RFC 5321 4.5.2)."""
    if content.startswith(b".") or b"\n." in content:
        return _LEADING_DOT.sub(b"..", content)
    return content


def format_reply(code, text):
    """A reply of the server as people know it."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return f"{code} {text}"


def redact(detail):
    """Take out what may be credentials that the server repeats."""
    return _OPAQUE.sub("…", detail)


def clean(text):
    """One line of at most 250 characters."""
    return " ".join(str(text).split())[:MAX_DETAIL]


def _lost(status, command, error):
    """A connection that ended while waiting for the reply to a command."""
    slow = isinstance(error, TimeoutError) or isinstance(
        error.__context__, TimeoutError
    )
    detail = f"no reply to {command} in time" if slow else f"{command}: {error}"
    return Fault(status, "connection_lost", detail, lost=True, slow=slow)
