"""The emails of one batch on their way: which connection takes which, and when to stop.

With a fast server one connection is busy all the time with what Python does for an
email, and further ones gain nothing. With a slow one nearly all the time goes by
waiting; then further connections are opened, each with a thread that waits for it.
"""

import logging
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from .base import NOT_REACHED, RETRY, SendResult, is_over
from .smtp_session import Fault, Outage, Stale

_logger = logging.getLogger(__name__)

# So many lost connections in a row, and the rest of the batch waits.
MAX_FAULTS = 3
# Seconds an email waits for the server from which on several at once are faster.
SLOW = 0.003
# So many emails are measured first, and how much the latest counts in the average:
# the first one of a connection is often slower than those behind it.
SAMPLES = 3
LATEST = 0.3


class SmtpBatch:
    """One call of :meth:`SmtpProvider.send`; everything but
    :meth:`SmtpSession.deliver` runs in the thread of the caller.

    :param SmtpProvider provider: composes, opens, and keeps the sessions
    :param batch: list of OutgoingEmail
    :param deadline: value of ``time.monotonic()`` or None
    """

    def __init__(self, provider, batch, deadline):
        self._provider = provider
        self._batch = batch
        self._deadline = deadline
        self._limit = max(provider.connections, 1)
        self._queue = deque(_by_sender(batch))
        self._faults = [None] * len(batch)
        self._pending = None  # (index, session, seconds), begun in this thread
        self._running = {}  # future -> (index, session), in others
        self._outage = None
        self._lost_in_a_row = 0
        self._accepted = 0
        self._latency = 0.0
        self._opening = 0.0

    def run(self):
        """Hand over everything.

        :return: for each email why it was not accepted, None when it was
        :rtype: list[Fault | None]
        """
        # Starts threads only when something is submitted to it.
        with ThreadPoolExecutor(self._limit, "smtp") as self._threads:
            while self._queue or self._pending or self._running:
                if self._queue:
                    self._start(self._queue.popleft())
                elif self._pending:
                    self._finish()
                else:
                    self._wait()
        return self._faults

    def _start(self, index):
        """Put one email on its way, while the server is busy with the one before."""
        try:
            session, letter = self._prepare(index)
        except Fault as fault:
            return self._settle(index, fault)
        except Exception:
            _logger.exception("Email %s cannot be sent", self._batch[index].uuid)
            fault = Fault(RETRY, "not_prepared", "internal error, see the log")
            return self._settle(index, fault)
        if not session.alive:  # its end showed with the email before
            self._queue.appendleft(index)
            return None
        self._provider.note_begun(self._batch[index].uuid)
        if self._is_slow():
            future = self._threads.submit(_timed, session.deliver, letter)
            self._running[future] = index, session
        else:
            fault, seconds = _timed(session.begin, letter)
            if fault is None:
                self._pending = index, session, seconds
            else:
                self._settle(index, fault)

    def _prepare(self, index):
        """Make an email ready, and the session it is for.

        :rtype: tuple[SmtpSession, Letter]
        :raises Fault: it cannot be sent, or not now
        """
        self._check_outage()
        message, recipient = self._provider.compose(self._batch[index])
        session = self._get_session(str(message["From"]))
        letter = self._provider.address(message, recipient, session)
        self._finish()
        self._check_outage()
        return session, letter

    def _finish(self):
        """Settle the email that one session was left with, if there is one."""
        if not self._pending:
            return
        index, session, seconds = self._pending
        self._pending = None
        fault, more_seconds = _timed(session.finish)
        self._settle(index, fault, seconds + more_seconds)

    def _check_outage(self):
        """Begin nothing more when the account does not work or the time is over."""
        if is_over(self._deadline):
            self._outage = self._outage or Outage(RETRY, NOT_REACHED)
        if self._outage:
            raise self._outage

    def _is_slow(self):
        # With lost connections one email at a time finds out what is the matter.
        measured = self._accepted >= SAMPLES and self._latency >= SLOW
        return measured and self._limit > 1 and not self._lost_in_a_row

    def _settle(self, index, fault, seconds=0.0):
        """Note what became of an email and what that says about the account."""
        if isinstance(fault, Stale):
            self._queue.appendleft(index)
            key = self._batch[index].uuid
            self._provider.note_result(SendResult(key, RETRY, "", NOT_REACHED))
            return
        self._faults[index] = fault
        self._provider.note_result(self._provider.get_result(self._batch[index], fault))
        if fault is None:
            latest = LATEST if self._accepted else 1.0
            self._accepted += 1
            self._latency += latest * (seconds - self._latency)
            self._lost_in_a_row = 0
        elif isinstance(fault, Outage):
            self._outage = fault
        elif fault.lost:
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= MAX_FAULTS:
                detail = f"the connection keeps breaking: {fault.detail}"
                self._outage = Outage(RETRY, "connect_failed", detail)

    def _wait(self):
        """Settle the emails whose threads are done, at least one."""
        done, _others = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            index, _session = self._running.pop(future)
            self._settle(index, *future.result())

    # ------------------------------------------------------------
    # SESSIONS
    # ------------------------------------------------------------

    def _get_session(self, email_from):
        """Return an idle session for a sender, wait for one or open one."""
        while True:
            sessions = self._provider.sessions
            sessions[:] = [session for session in sessions if session.alive]
            busy = [session for _index, session in self._running.values()]
            idle = [session for session in sessions if session not in busy]
            own = [session for session in sessions if session.email_from == email_from]
            for session in idle:
                if session in own:
                    return session
            if self._pending:
                self._finish()
                self._check_outage()
            elif (session := self._add(email_from, own, idle)) is not None:
                return session
            else:
                self._wait()
                self._check_outage()

    def _add(self, email_from, own, idle):
        """Open a session when that is sensible; None when it is better to wait."""
        if own and not self._is_worth_another(len(own)):
            return None
        sessions = self._provider.sessions
        if sessions and (not own or len(sessions) >= self._limit):
            if not idle:
                return None
            sessions.remove(idle[0])
            idle[0].quit()
        try:
            session = self._open(email_from)
        except Outage:
            if not own:
                raise
            # Many servers allow few connections at once: these work, let it be.
            self._limit = len(sessions)
            return None
        sessions.append(session)
        return session

    def _open(self, email_from):
        started = time.monotonic()
        try:
            return self._provider.open(email_from)
        finally:
            self._opening = time.monotonic() - started

    def _is_worth_another(self, count):
        """Whether what is left takes much longer than opening a session."""
        left = len(self._queue) * self._latency / count
        return count < self._limit and left > 2 * self._opening


def _timed(function, *args):
    """Return the result of a call and how many seconds it took."""
    started = time.monotonic()
    result = function(*args)
    return result, time.monotonic() - started


def _by_sender(batch):
    """The indexes of the batch, those of one sender next to each other."""
    groups = {}
    for index, email in enumerate(batch):
        groups.setdefault(email.email_from, []).append(index)
    return [index for group in groups.values() for index in group]
