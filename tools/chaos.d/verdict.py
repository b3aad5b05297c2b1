"""What must be true of a crash test afterwards, and the counts it is judged by."""

from collections import Counter

import journal
import outbox

# In these nothing more happens by itself, and nobody was written to.
NOT_SENT = ("failed", "skipped", "cancelled")


# A worker has so many to the mail server at most.
CONNECTIONS = 4


class Verdict:
    """Collects what was counted and what was violated."""

    def __init__(self):
        self.violations = []

    def count(self, label, value):
        """Print a count."""
        print(f"  {label:<58}{value:>9}", flush=True)

    def check(self, label, bad):
        """Print one thing that must hold.

        :param bad: what shows that it does not: anything that is not empty or 0
        """
        print(f"  {'ok  ' if not bad else 'FAIL'}  {label}", flush=True)
        if bad:
            self.violations.append(f"{label}: {_shorten(bad)}")

    def judge_messages(self, rows, queued, events):
        """Compare what the outbox says with what the servers know.

        :param list rows: outbox.Row, one for each message
        :param int queued: how many were put into the outbox
        :param list events: of the servers' journals
        """
        accepted = journal.accepted(events)
        doubtful = [row for row in rows if row.state == "uncertain"]
        arrived = sum(1 for row in doubtful if accepted[row.address])
        for state, count in Counter(row.state for row in rows).most_common():
            self.count(f"messages {state}", count)
        self.count("uncertain ones that in fact arrived", arrived)
        self.count("uncertain ones that did not", len(doubtful) - arrived)
        reasons = Counter(row.reason for row in rows if row.state in NOT_SENT)
        for reason, count in reasons.most_common():
            self.count(f"not sent: {reason}", count)
        self.check("no address received a message twice", _repeated(accepted))
        self.check("no message is lost", queued - len(rows))
        self.check("every message came to an end", _open(rows))
        self.check(
            "what is sent arrived",
            [r for r in rows if r.state == "sent" and not accepted[r.address]],
        )
        self.check(
            "what failed or was skipped did not arrive, and has a reason",
            [
                row
                for row in rows
                if row.state in NOT_SENT and (accepted[row.address] or not row.reason)
            ],
        )
        self.check(
            "broken addresses and texts stopped nothing but themselves",
            [row for row in rows if _is_odd(row) and row.state == "sent"]
            + [r for r in rows if not _is_odd(r) and r.state == "skipped"],
        )

    def judge_doubt(self, rows, events, lost, deaths, request_size):
        """Check that only what connections were busy with is uncertain.

        :param int lost: number of messages in flight that no dead worker wrote down
        :param int deaths: how many workers died
        :param int request_size: how many emails a request to the API has at most
        """
        doubtful = [row for row in rows if row.state == "uncertain"]
        killed = [row for row in doubtful if row.reason == "worker_lost"]
        by_kind = Counter(row.kind for row in killed)
        unanswered = journal.total(events, "unanswered")
        self.count("workers that died", deaths)
        self.count("emails uncertain for that", len(killed))
        self.count("emails servers left without an answer, at most", unanswered)
        self.count("emails uncertain for that", len(doubtful) - len(killed))
        self.check("every dead worker had written down what it had begun", lost)
        self.check(
            "of the mail server, at most what the connections were busy with",
            max(by_kind["smtp"] - CONNECTIONS * deaths, 0),
        )
        self.check(
            "of the API, at most what the requests were about",
            max(by_kind["sendgrid"] - request_size * deaths, 0),
        )
        self.check(
            "nothing else is uncertain but what got no answer",
            max(len(doubtful) - len(killed) - unanswered, 0),
        )

    def judge_database(self, database):
        """Check that dead workers hold nothing in PostgreSQL."""
        sessions = outbox.wait_for_sessions(database)
        self.check("PostgreSQL has no session or lock of a dead worker", sessions)
        with outbox.environment(database) as env:
            self.check("no row is locked", outbox.find_locked_rows(env))

    def judge_limits(self, events, started_at, per_second, daily_limit):
        """Check on the servers' side that the limits of an account were kept.

        :param float started_at: ``time.time()`` when workers began
        """
        times = sorted(event["at"] for event in events if event["event"] == "accepted")
        self.count(f"accepted of an account with {daily_limit} a day", len(times))
        if times:
            self.count("within seconds", f"{times[-1] - started_at:.1f}")
        self.check("the daily limit is used up and kept", len(times) != daily_limit)
        # One second's worth may come at once.
        self.check(
            f"never more than {per_second} a second, with one second's burst",
            [
                number
                for number, at in enumerate(times, 1)
                if number > per_second * (at - started_at + 1)
            ],
        )


def _repeated(accepted):
    return {address: count for address, count in accepted.items() if count > 1}


def _open(rows):
    return [row for row in rows if row.state in ("queued", "sending")]


def _is_odd(row):
    """Whether nobody can be reached at the address."""
    return "@" not in row.address or row.address.startswith("refused")


def _shorten(bad):
    if isinstance(bad, dict):
        bad = list(bad.items())
    if isinstance(bad, list) and len(bad) > 5:
        return f"{len(bad)}, such as {bad[:5]}"
    return bad
