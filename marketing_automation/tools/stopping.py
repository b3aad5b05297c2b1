"""Whether this process is being stopped, and the work it finishes before it ends."""

import signal
import threading
import time
from contextlib import contextmanager

# How long the end of the server waits at most. A connection has begun one message, and
# a reply that does not come is waited for this long.
FINISH_SECONDS = 60.0
_STEP_SECONDS = 0.05

_stop = threading.Event()
_lock = threading.Lock()
_unfinished = 0


def is_stopping():
    """Return whether nothing new should be begun in this process.

    A threaded server says so by calling :func:`finish`. A worker process of Odoo's is
    told by a signal to end after what it does now, and remembers that.

    :rtype: bool
    """
    if _stop.is_set():
        return True
    worker = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return not getattr(worker, "alive", True)


@contextmanager
def unfinished():
    """Have the end of the server wait until this block is left."""
    global _unfinished
    with _lock:
        _unfinished += 1
    try:
        yield
    finally:
        with _lock:
            _unfinished -= 1


def finish(seconds=FINISH_SECONDS):
    """Begin nothing more in this process, and wait for what was begun.

    :param float seconds: how long at most
    :return: whether everything was finished
    :rtype: bool
    """
    _stop.set()
    give_up_at = time.monotonic() + seconds
    # In steps: a second signal is to end the server at once.
    while _unfinished and time.monotonic() < give_up_at:
        time.sleep(_STEP_SECONDS)
    return not _unfinished
