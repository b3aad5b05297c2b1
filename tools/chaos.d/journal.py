"""What the servers saw, on disk: it outlives whoever wrote it."""

import json
import os
import threading
import time
from collections import Counter


class Journal:
    """An append-only file of one server, a line of JSON an event.

    :param path: where it is
    """

    def __init__(self, path):
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lock = threading.Lock()

    def write(self, event, count=1, **details):
        """Record an event; it is with the system when this returns.

        :param str event: ``accepted`` (with ``to``, the address), ``unanswered`` (the
            client cannot know what became of ``count`` emails) or a fault
        """
        line = json.dumps(
            {"at": time.time(), "event": event, "count": count, **details}
        )
        with self._lock:
            os.write(self._file, line.encode() + b"\n")

    def read(self):
        """Return the events so far, oldest first.

        :rtype: list[dict]
        """
        with open(self.path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def accepted(events):
    """Return how often each address was accepted.

    :rtype: Counter
    """
    return Counter(event["to"] for event in events if event["event"] == "accepted")


def total(events, name):
    """Return the sum of the counts of the events of a name."""
    return sum(event["count"] for event in events if event["event"] == name)
