"""Moments that tests bring about, instead of waiting for them."""

import threading
import time

# How long something may take that takes no time at all, on the busiest machine.
PATIENCE = 30


class DeadlineAfter:
    """A deadline that is over as soon as something has happened.

    :param happened: called without arguments whenever somebody looks at the clock
    """

    def __init__(self, happened):
        self.happened = happened

    def __le__(self, now):
        """Whether it is over: what ``now >= deadline`` asks."""
        return bool(self.happened())


class Together:
    """Holds whoever calls it until so many are there at the same time.

    :param int number: how many
    :param int after: how many calls go through first
    """

    def __init__(self, number, after=0):
        self.number = number
        self.after = after
        self.here = 0
        self.met = threading.Event()
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            if self.after:
                self.after -= 1
                return
            self.here += 1
            if self.here == self.number:
                self.met.set()
        self.met.wait(PATIENCE)
        with self._lock:
            self.here -= 1


def assert_grows_in_step(case, function, size):
    """Assert that four times as much takes about four times as long, not sixteen times.

    The time of this thread is looked at: what else the machine does is not in it.

    :param case: the test case
    :param function: called with a size
    :param int size: the smaller one, big enough for some milliseconds
    """

    def seconds(of):
        begin = time.thread_time()
        function(of)
        return time.thread_time() - begin

    small = min(seconds(size) for _time in range(3))
    # A large one in pieces below what a clock shows is no proof of anything.
    large = min(seconds(4 * size) for _time in range(2))
    case.assertLess(large, 10 * max(small, 0.002))
