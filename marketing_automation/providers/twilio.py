"""Text messages through Twilio's Programmable Messaging."""

import base64
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from ..tools.sms import MAX_CHARACTERS
from .base import (
    ACCEPTED,
    NOT_REACHED,
    REJECTED,
    RETRY,
    UNCERTAIN,
    Check,
    Provider,
    SendResult,
    is_over,
)
from .http_session import Lost, NotSent, open_session
from .twilio_check import (
    NUMBER,
    check_account_sid,
    check_sender,
    judge_account,
    judge_refusal,
)
from .twilio_codes import CODES, meaning_of_answer
from .twilio_http import API, Transport
from .twilio_webhook import read_events, read_form

_logger = logging.getLogger(__name__)

TIMEOUT = 30.0
CONNECTIONS = 4
# So many faults in a row that may be the account's, and the rest of the batch waits.
MAX_FAULTS = 3
MAX_DETAIL = 250

# What the client puts in front of what the API says.
_PREFIX = re.compile(r"^Unable to (create|fetch) record:? ?")


class _Fault(Exception):
    """A message that was not accepted.

    :param stop: others of the batch need not be tried
    """

    def __init__(self, status, reason, detail="", stop=False):
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.stop = stop


class TwilioProvider(Provider):
    """An account at Twilio; one batch at a time, its messages side by side.

    :param account_sid: ``AC…``
    :param auth_token: proves us to Twilio, and its webhooks to us
    :param sender: an E.164 number or short code of the account, or a name of up to
        eleven letters and digits (people cannot reply to a name)
    :param messaging_service_sid: ``MG…``, which then chooses the sender itself
    :param base_url: of the API, without a slash at its end
    :param connections: messages handed over at the same time
    :param timeout: seconds to wait for a connection, and for the answer. Too short
        makes ``uncertain`` out of slow answers.
    """

    def __init__(
        self,
        account_sid,
        auth_token,
        *,
        sender="",
        messaging_service_sid="",
        base_url=API,
        connections=CONNECTIONS,
        timeout=TIMEOUT,
    ):
        self._account_sid = (account_sid or "").strip()
        self._auth_token = (auth_token or "").strip()
        self._sender = (sender or "").strip()
        self._service_sid = (messaging_service_sid or "").strip()
        self._base_url = (base_url or API).rstrip("/")
        self._connections = max(1, connections)
        auth = (self._account_sid, self._auth_token)
        self._session = open_session(self._connections, timeout, auth)

    def __repr__(self):
        return f"<TwilioProvider {self._account_sid}>"

    def send(self, batch, deadline=None):
        """Hand over a batch; see :meth:`.base.Provider.send`.

        ``ref`` is the message SID; an uncertain message has none, its status report
        names it by our key. Reasons of one message: ``invalid_address``,
        ``recipient_refused`` (no text message ever gets to this number), ``opted_out``,
        ``content_refused``, ``temporary_failure``, ``connection_lost``. Reasons of the
        account, then given for the rest of the batch: ``connect_failed``,
        ``auth_failed``, ``account_refused``, ``no_sender``, ``rate_limited``,
        ``provider_error`` (Twilio gave an answer we cannot make sense of).
        """
        batch = list(batch)
        if not batch:
            return []
        run = _Run(deadline)
        threads = min(self._connections, len(batch))
        with ThreadPoolExecutor(threads, "twilio") as pool:
            return list(pool.map(partial(self._deliver, run), batch))

    def check(self):
        """Look at the account and at the sender; see :meth:`.base.Provider.check`."""
        account = self._check_account()
        detail = self._clean(account.detail)
        sender = check_sender(self._sender, self._service_sid)
        return [replace(account, detail=detail), sender]

    def parse_webhook(self, headers, raw_body, url):
        """Verify and read; see :meth:`.base.Provider.parse_webhook`.

        Status reports carry our key in the parameter ``m`` of the URL. Replies are
        ``unsubscribe``, ``resubscribe`` or ``reply``; they name the person only.
        """
        form = read_form(self._auth_token, headers, raw_body, url)
        return read_events(form, url)

    def close(self):
        """Close the connections; see :meth:`.base.Provider.close`."""
        self._session.close()

    # ------------------------------------------------------------
    # ONE MESSAGE
    # ------------------------------------------------------------

    def _deliver(self, run, sms):
        """Return the result of one message; called in several threads."""
        fault = run.outage()
        if fault is not None:
            return self._result(sms, fault)
        self.note_begun(sms.uuid)
        try:
            sid = self._hand_over(sms)
        except _Fault as error:
            fault = error
        run.note(fault)
        if fault is not None:
            return self.note_result(self._result(sms, fault))
        return self.note_result(SendResult(sms.uuid, ACCEPTED, ref=sid))

    def _hand_over(self, sms):
        """Make the request and return the SID of the message, or raise a fault."""
        self._require_account()
        _require_message(sms)
        transport = Transport(self._session, self._base_url)
        try:
            message = self._client(transport).messages.create(**self._parameters(sms))
        except NotSent as error:
            reason = "connection_lost" if error.connected else "connect_failed"
            stop = not error.connected
            raise _Fault(RETRY, reason, str(error), stop) from error
        except Lost as error:
            raise _Fault(UNCERTAIN, "connection_lost", str(error)) from error
        except TwilioException as error:
            raise _refusal(transport.status, error) from error
        except Exception as error:
            raise self._unexpected(sms, transport.asked, error) from error
        if not message.sid:
            detail = "the answer does not name the message: is this Twilio?"
            raise _Fault(UNCERTAIN, "provider_error", detail)
        return message.sid

    def _unexpected(self, sms, asked, error):
        if not asked:
            _logger.exception("Text message %s was not handed over", sms.uuid)
            return _Fault(RETRY, "not_prepared", "internal error, see the log")
        # No traceback: its last line might quote the answer.
        said = self._clean(repr(error))
        _logger.error("Text message %s: no sense in the answer: %s", sms.uuid, said)
        detail = "the answer makes no sense: is this Twilio?"
        return _Fault(UNCERTAIN, "provider_error", detail)

    def _require_account(self):
        if not self._has_credentials():
            detail = "no account SID or no auth token"
            raise _Fault(RETRY, "auth_failed", detail, stop=True)
        if not self._sender and not self._service_sid:
            detail = "neither a sender nor a messaging service is set"
            raise _Fault(RETRY, "no_sender", detail, stop=True)

    def _has_credentials(self):
        credentials = self._account_sid + self._auth_token
        return bool(self._account_sid and self._auth_token and credentials.isascii())

    def _parameters(self, sms):
        values = {"to": sms.phone_to, "body": sms.body}
        if self._service_sid:
            values["messaging_service_sid"] = self._service_sid
        else:
            values["from_"] = self._sender
        if _is_reachable(sms.status_callback):
            values["status_callback"] = sms.status_callback
        return values

    def _client(self, transport):
        # Without an environment of ours it would complete credentials and region from
        # that of the process.
        return Client(
            self._account_sid,
            self._auth_token,
            http_client=transport,
            environment={"TWILIO": ""},
        )

    def _result(self, sms, fault):
        return SendResult(
            sms.uuid,
            fault.status,
            reason=fault.reason,
            detail=self._clean(fault.detail),
        )

    def _clean(self, text):
        """One line, short, and without the secret should an answer repeat it."""
        text = " ".join(str(text).split())
        if self._auth_token:
            pair = f"{self._account_sid}:{self._auth_token}".encode()
            for secret in (self._auth_token, base64.b64encode(pair).decode()):
                text = text.replace(secret, "…")
        return text[:MAX_DETAIL]

    # ------------------------------------------------------------
    # CONNECTION TEST
    # ------------------------------------------------------------

    def _check_account(self):
        if not self._has_credentials():
            detail = "Enter the account SID and the auth token of the account."
            return Check("problem", "Account", detail)
        if finding := check_account_sid(self._account_sid):
            return finding
        transport = Transport(self._session, self._base_url)
        try:
            accounts = self._client(transport).api.v2010.accounts
            return judge_account(accounts(self._account_sid).fetch())
        except (NotSent, Lost) as error:
            detail = f"{urlsplit(self._base_url).hostname} cannot be reached: {error}."
            return Check("problem", "Account", detail)
        except TwilioException as error:
            fault = _refusal(transport.status, error)
            return judge_refusal(fault.reason, fault.detail)
        except Exception as error:  # noqa: BLE001 - whatever the answer was
            _logger.info("Twilio account: %s", self._clean(repr(error)))
            detail = "The answer is not Twilio's: look at the base URL."
            return Check("problem", "Account", detail)


class _Run:
    """What the threads of one batch have to know of each other."""

    def __init__(self, deadline):
        self._deadline = deadline
        self._lock = threading.Lock()
        self._outage = None
        self._faults = 0

    def outage(self):
        """Return why no other message may be begun, or None."""
        with self._lock:
            if is_over(self._deadline) and self._outage is None:
                self._outage = _Fault(RETRY, NOT_REACHED)
            return self._outage

    def note(self, fault):
        """Take in what became of a message."""
        with self._lock:
            if fault is None or fault.reason not in _SUSPICIOUS:
                self._faults = 0
            else:
                self._faults += 1
            if self._outage is None and fault is not None:
                if fault.stop or self._faults >= MAX_FAULTS:
                    reason = _SUSPICIOUS.get(fault.reason, fault.reason)
                    self._outage = _Fault(RETRY, reason, fault.detail)


# What the account rather than the message may be at fault for -> what it is then.
_SUSPICIOUS = {
    "connection_lost": "connect_failed",
    "account_refused": "account_refused",
    "provider_error": "provider_error",
}


def _require_message(sms):
    if not NUMBER.fullmatch(sms.phone_to or ""):
        raise _Fault(REJECTED, "invalid_address", "no number in the form +36301234567")
    if not sms.body.strip() or len(sms.body) > MAX_CHARACTERS:
        detail = f"{len(sms.body)} characters; it has to be 1 to {MAX_CHARACTERS}"
        raise _Fault(REJECTED, "content_refused", detail)


def _is_reachable(url):
    """Whether Twilio takes the address: with a host it does not know how to read, it
    refuses the message (21609)."""
    try:
        parts = urlsplit(url or "")
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "_" not in host


def _refusal(status, error):
    """The fault that an answer other than success stands for.

    :param int status: of HTTP; the client puts it in place of a missing code
    """
    code = int(error.code) if str(error.code).isdecimal() else status
    meaning = meaning_of_answer(status, code)
    texts = (getattr(error, name, "") for name in ("msg", "detail", "title"))
    said = _PREFIX.sub("", str(next(filter(None, texts), "")))
    if code in CODES:
        words = CODES[code][1]
        said = f"{words} ({said})" if said else words
    label = f"HTTP {status}" if code == status else str(code)
    detail = f"{label}: {said}" if said else label
    return _Fault(meaning.status, meaning.reason, detail, meaning.stop)
