"""Hand emails over to SendGrid's v3 Mail Send API.

An answer is final: 202 means that SendGrid has queued the emails, any other status
that it documents means that it has not
(https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors).
"""

import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sendgrid.helpers.mail.exceptions import ApiKeyIncludedException

from .address import InvalidAddress
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
from .http_session import Lost, NotSent, exchange, open_session
from .mime import InvalidHeader
from .sendgrid_events import check_public_key, parse_events, verify
from .sendgrid_request import MAX_REQUEST, build, group

_logger = logging.getLogger(__name__)

GLOBAL_URL = "https://api.sendgrid.com"
# For subusers of the region EU; keys of one host are unknown at the other.
EU_URL = "https://api.eu.sendgrid.com"

# So many faults in a row that may not be an email's own, and the rest waits.
MAX_FAULTS = 3
MAX_DETAIL = 250
# Seconds: what to wait after 429 when SendGrid does not say, and at most.
RATE_PAUSE = 5
MAX_RATE_PAUSE = 300

# HTTP header values cannot hold anything else; no key of SendGrid's does.
_KEY = re.compile(r"[!-~]+")
_ANY_KEY = re.compile(r"SG\.[\w-]{8,}(\.[\w-]+)?")
_PERSONS = "personalizations"
_PERSON = re.compile(rf"{_PERSONS}[.\[](?P<index>\d{{1,4}})")


@dataclass(frozen=True)
class _Outcome:
    """What became of a request.

    :param stops: the account's fault: other requests need not be tried
    :param blamed: numbers of the persons in it that SendGrid refuses
    :param shared: refused for what all of its emails have in common
    """

    status: str
    reason: str = ""
    detail: str = ""
    ref: str = ""
    stops: bool = False
    blamed: frozenset = frozenset()
    shared: bool = False

    @property
    def strange(self):
        """Whether it may be due to the connection or to SendGrid, not the email."""
        return self.status == UNCERTAIN or self.reason in (
            "temporary_failure",
            "connection_lost",
        )


# What an answer means: status and reason of the result, whether it is the account's
# fault.
ANSWERS = {
    202: (ACCEPTED, "", False),
    400: (REJECTED, "content_refused", False),
    401: (RETRY, "auth_failed", True),
    403: (RETRY, "account_refused", True),
    # Not the Mail Send API: the host is wrong.
    **dict.fromkeys((301, 302, 303, 307, 308), (RETRY, "account_refused", True)),
    **dict.fromkeys((404, 405, 415), (RETRY, "account_refused", True)),
    408: (RETRY, "temporary_failure", False),
    413: (REJECTED, "content_refused", False),
    429: (RETRY, "rate_limited", True),
    # Answers of the API itself: "an error occurred on a SendGrid server", "the v3 Web
    # API is not available". What it has queued it answers with 202.
    500: (RETRY, "temporary_failure", False),
    503: (RETRY, "temporary_failure", False),
}
# Not documented. Other 4xx: the server will not do it (RFC 9110 15.5).
REFUSED_ANSWER = (RETRY, "account_refused", True)
# The rest, 502 and 504 above all: a gateway heard nothing from the server behind it,
# which may have queued the emails.
UNKNOWN_ANSWER = (UNCERTAIN, "connection_lost", False)
# 200, "your message is valid, but it is not queued to be delivered".
SANDBOX_ANSWER = (ACCEPTED, "", False)


class SendGridProvider(Provider):
    """An account at SendGrid. ``send`` uses threads; it is not to be called by several.

    :param str api_key: with the permission "Mail Send"
    :param str base_url: ``GLOBAL_URL`` or ``EU_URL``
    :param bool sandbox_mode: SendGrid checks the emails and delivers none
    :param str webhook_public_key: of the Signed Event Webhook; without it events are
        refused
    :param int connections: requests at once
    :param float timeout: seconds to wait for an answer: too short makes ``uncertain``
        out of slow ones
    """

    notes_what_it_begins = True

    def __init__(
        self,
        api_key,
        *,
        base_url=GLOBAL_URL,
        sandbox_mode=False,
        webhook_public_key="",
        connections=4,
        timeout=30.0,
    ):
        self._api_key = (api_key or "").strip()
        self._base_url = base_url.rstrip("/")
        self._sandbox_mode = sandbox_mode
        self._public_key = webhook_public_key or ""
        self._connections = max(1, connections)
        self._session = open_session(self._connections, timeout, self._sign)
        self._not_before = 0.0

    def __repr__(self):
        return f"<SendGridProvider {self._base_url}>"

    def send(self, batch, deadline=None):
        """Hand over a batch; see :meth:`Provider.send`.

        Emails with the same content and ``substitutions`` share a request. ``ref`` is
        SendGrid's ``X-Message-Id``, the same for all emails of a request. Reasons of
        one email: ``invalid_address``, ``sender_refused``, ``content_refused``,
        ``temporary_failure``, ``connection_lost``, ``provider_error`` (a fault in
        here, its traceback is in the log). Reasons of the account, then given for the
        rest of the batch: ``connect_failed``, ``auth_failed``, ``account_refused``,
        ``rate_limited``.
        """
        batch = list(batch)
        run = _Run(batch, deadline, self._standing_fault(), self.note_result)
        requests = group(batch)
        threads = min(self._connections, len(requests))
        if threads <= 1:
            for request in requests:
                self._hand_over(run, request)
        else:
            with ThreadPoolExecutor(threads, "sendgrid") as pool:
                list(pool.map(lambda request: self._hand_over(run, request), requests))
        return run.results

    def check(self):
        """Ask SendGrid what the key may do; see :meth:`Provider.check`."""
        findings = [self._check_key()]
        if self._sandbox_mode:
            detail = "SendGrid checks the emails and delivers none of them."
            findings.append(Check("unknown", "Sandbox mode", detail))
        findings.append(check_public_key(self._public_key))
        return findings

    def parse_webhook(self, headers, raw_body, url):
        """Read a request of the Event Webhook; see :meth:`Provider.parse_webhook`."""
        return parse_events(verify(self._public_key, headers, raw_body))

    def close(self):
        """Close the connections."""
        self._session.close()

    # ------------------------------------------------------------
    # EMAILS
    # ------------------------------------------------------------

    def _hand_over(self, run, indexes):
        """Hand over emails that share a request, apart where it is refused.

        What SendGrid refuses it has not sent, so trying the others again is safe.
        """
        pending = [indexes]
        while pending:
            indexes = pending.pop()
            outcome = run.halted() or self._attempt(run.emails(indexes))
            run.count(outcome)
            if outcome.status != REJECTED or outcome.shared or len(indexes) == 1:
                run.settle(indexes, outcome)
                continue
            blamed = [i for n, i in enumerate(indexes) if n in outcome.blamed]
            run.settle(blamed, outcome)
            others = [i for i in indexes if i not in set(blamed)]
            for email in run.emails(others):
                self.note_result(SendResult(email.uuid, RETRY, "", NOT_REACHED))
            if blamed:
                pending += [others] if others else []
            else:
                half = len(others) // 2
                pending += [others[half:], others[:half]]

    def _attempt(self, emails):
        """Make one request. Never raises."""
        try:
            body = build(emails, self._sandbox_mode)
        except InvalidAddress as error:
            return self._outcome(REJECTED, "invalid_address", error)
        except InvalidHeader as error:
            return self._outcome(REJECTED, "content_refused", error)
        except ApiKeyIncludedException:
            detail = "the text begins with an API key"
            return self._outcome(REJECTED, "content_refused", detail, shared=True)
        except Exception:
            _logger.exception("Email %s could not be built", emails[0].uuid)
            return self._outcome(RETRY, "not_prepared", "internal error, see the log")
        if len(body) > MAX_REQUEST:
            detail = f"{len(body)} bytes, SendGrid takes less than 30 MB"
            return self._outcome(REJECTED, "content_refused", detail)
        self.note_begun(*(email.uuid for email in emails))
        try:
            return self._transmit(body)
        except Exception as error:  # noqa: BLE001 - whatever it is, do not resend
            # No traceback: its last line might show the key.
            _logger.error("Request to SendGrid: %s", self._clean(repr(error)))
            return self._outcome(UNCERTAIN, "connection_lost", type(error).__name__)

    def _transmit(self, body):
        headers = {"Content-Type": "application/json"}
        url = f"{self._base_url}/v3/mail/send"
        try:
            answer = exchange(self._session, "POST", url, data=body, headers=headers)
        except NotSent as error:
            if error.connected:
                return self._outcome(RETRY, "connection_lost", error)
            _logger.info("No connection to SendGrid: %s", self._clean(error))
            return self._outcome(RETRY, "connect_failed", error, stops=True)
        except Lost as error:
            return self._outcome(UNCERTAIN, "connection_lost", error)
        return self._read(answer)

    def _read(self, answer):
        status, reason, stops = self._meaning(answer.status)
        ref = answer.headers.get("X-Message-Id", "")
        if status == ACCEPTED:
            return _Outcome(ACCEPTED, ref=ref)
        errors = _errors(answer.body)
        detail = " ".join([str(answer.status), *(_sentence(e) for e in errors)])
        if answer.status == 429:
            detail += f" (wait {self._pause(answer):.0f} s)"
        if answer.status == 401 and "credit" in detail.lower():
            reason = "account_refused"  # "Maximum credits exceeded": the key is right
        blamed, shared = frozenset(), False
        if answer.status == 400:
            reason, blamed, shared = _blame(errors)
        return self._outcome(
            status, reason, detail, stops=stops, blamed=blamed, shared=shared
        )

    def _meaning(self, status):
        if status == 200 and self._sandbox_mode:
            return SANDBOX_ANSWER
        refused = REFUSED_ANSWER if 400 <= status < 500 else UNKNOWN_ANSWER
        return ANSWERS.get(status, refused)

    def _pause(self, answer):
        """Remember until when SendGrid wants no requests; return the seconds."""
        try:
            reset = int(answer.headers.get("X-RateLimit-Reset", ""))
        except ValueError:
            reset = 0
        seconds = reset - time.time()  # the clocks may differ
        if not 0 < seconds <= MAX_RATE_PAUSE:
            seconds = RATE_PAUSE
        self._not_before = time.monotonic() + seconds
        return seconds

    def _standing_fault(self):
        """What makes any request useless now, or None."""
        if not _KEY.fullmatch(self._api_key):
            detail = "there is no API key, or it has characters that no key has"
            return self._outcome(RETRY, "auth_failed", detail, stops=True)
        seconds = self._not_before - time.monotonic()
        if seconds > 0:
            detail = f"SendGrid asked to wait another {seconds:.0f} s"
            return self._outcome(RETRY, "rate_limited", detail, stops=True)
        return None

    # ------------------------------------------------------------
    # THE ACCOUNT
    # ------------------------------------------------------------

    def _check_key(self):
        if fault := self._standing_fault():
            status = "unknown" if fault.reason == "rate_limited" else "problem"
            return Check(status, "API key", fault.detail)
        try:
            answer = exchange(self._session, "GET", f"{self._base_url}/v3/scopes")
        except (NotSent, Lost) as error:
            detail = self._clean(f"{self._base_url} could not be reached: {error}")
            return Check("problem", "Connection", detail)
        if answer.status == 200:
            return self._check_scopes(answer)
        said = " ".join(_sentence(e) for e in _errors(answer.body))
        detail = self._clean(f"{answer.status} {said}")
        if answer.status in (401, 403):
            return _problem(f"SendGrid refuses the API key ({detail}). {self._hint()}")
        if answer.status == 429 or answer.status >= 500:
            return Check("unknown", "API key", f"SendGrid could not say: {detail}")
        detail = f"{self._base_url} does not answer as SendGrid does: {detail}"
        return Check("problem", "Connection", detail)

    def _check_scopes(self, answer):
        try:
            scopes = json.loads(answer.body)["scopes"]
            allowed = "mail.send" in scopes
        except (ValueError, KeyError, TypeError):
            detail = f"{self._base_url} does not answer as SendGrid does."
            return Check("problem", "Connection", detail)
        if allowed:
            return Check("ok", "API key", f"{self._base_url} lets this key send.")
        return _problem(
            "This API key may not send. In SendGrid, Settings, API Keys, give it full"
            ' access to "Mail Send".'
        )

    def _hint(self):
        own, other = ("EU", "global") if self._base_url == EU_URL else ("global", "EU")
        other_url = GLOBAL_URL if other == "global" else EU_URL
        return (
            "Copy it again: it is shown only once, when it is made. Keys of the"
            f" {other} region work at {other_url} only, and this is the {own} one."
            " With IP Access Management, SendGrid must know this server's address."
        )

    def _sign(self, request):
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request

    def _outcome(self, status, reason, detail, **values):
        return _Outcome(status, reason, self._clean(detail), **values)

    def _clean(self, text):
        """Text from elsewhere in one short line, without anything like a key."""
        text = str(text)
        if self._api_key:
            text = text.replace(self._api_key, "…")
        return " ".join(_ANY_KEY.sub("…", text).split())[:MAX_DETAIL]


class _Run:
    """The state of one batch, shared by the threads."""

    def __init__(self, batch, deadline, fault, note_result):
        self.batch = batch
        self.results = [None] * len(batch)
        self._deadline = deadline
        self._fault = fault
        self._note_result = note_result
        self._strange = 0
        self._lock = threading.Lock()

    def emails(self, indexes):
        return [self.batch[index] for index in indexes]

    def halted(self):
        """Why no other request is to be made, or None."""
        if self._fault:
            return self._fault
        if is_over(self._deadline):
            return _Outcome(RETRY, NOT_REACHED, stops=True)
        return None

    def count(self, outcome):
        """Halt after a fault of the account, or too many that may be one."""
        with self._lock:
            self._strange = self._strange + 1 if outcome.strange else 0
            if self._fault:
                return
            if outcome.stops:
                self._fault = outcome
            elif self._strange >= MAX_FAULTS:
                detail = f"SendGrid keeps failing: {outcome.detail}"[:MAX_DETAIL]
                lost = outcome.reason == "connection_lost"
                reason = "connect_failed" if lost else outcome.reason
                self._fault = _Outcome(RETRY, reason, detail, stops=True)

    def settle(self, indexes, outcome):
        for index in indexes:
            self.results[index] = self._note_result(
                SendResult(
                    self.batch[index].uuid,
                    outcome.status,
                    outcome.ref,
                    outcome.reason,
                    outcome.detail,
                )
            )


def _problem(detail):
    return Check("problem", "API key", detail)


def _errors(body):
    """The errors of an answer: ``{"errors": [{"message", "field", "help"}]}``."""
    try:
        errors = json.loads(body)["errors"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    if not isinstance(errors, list):
        return []
    return [error for error in errors if isinstance(error, dict)]


def _sentence(error):
    field, message = error.get("field"), str(error.get("message") or "")
    return f"{field}: {message}" if field not in (None, "", "null") else message


def _blame(errors):
    """Read what a 400 is about.

    :return: reason, the numbers of the persons it names, whether it is about what all
        persons share. Neither: it names nothing that helps.
    """
    fields = [str(error.get("field") or "") for error in errors]
    of_persons = [match for field in fields if (match := _PERSON.match(field))]
    if of_persons:
        addresses = all(".to" in match.string for match in of_persons)
        reason = "invalid_address" if addresses else "content_refused"
        return reason, frozenset(int(match["index"]) for match in of_persons), False
    named = [f for f in fields if f and f != "null" and not f.startswith(_PERSONS)]
    sender = any(field.split(".")[0] == "from" for field in named)
    return "sender_refused" if sender else "content_refused", frozenset(), bool(named)
