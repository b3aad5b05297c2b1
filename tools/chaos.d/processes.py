"""Processes that end when this one does, however that happens."""

import ctypes
import multiprocessing
import os
import signal

PR_SET_PDEATHSIG = 1  # linux/prctl.h
FORK = multiprocessing.get_context("fork")


def follow_parent(signal_number):
    """Have the system send this process a signal when its parent ends (Linux)."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it has ended in between
        os.kill(os.getpid(), signal_number)


def start(function, *args):
    """Run a function in a process of its own, which cannot outlive this one.

    :rtype: multiprocessing.Process
    """
    process = FORK.Process(target=_run, args=(os.getpid(), function, args), daemon=True)
    process.start()
    return process


def _run(parent, function, args):
    # Ctrl-C reaches all processes of a terminal; the parent decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    follow_parent(signal.SIGKILL)
    if os.getppid() == parent:
        function(*args)


class Herd:
    """Worker processes, each replaced when it ends.

    :param function: what a worker runs: ``function(number)``
    :param int size: how many at a time

    ``killed``: how many got SIGKILL; ``exits``: exit codes of those that ended
    by themselves.
    """

    def __init__(self, function, size):
        self._function = function
        self._size = size
        self._started = 0
        self.workers = []
        self.killed = 0
        self.exits = []

    def __enter__(self):
        self.fill()
        return self

    def __exit__(self, *exc_info):
        for worker in self.workers:
            worker.kill()
        for worker in self.workers:
            worker.join()

    def fill(self):
        """Replace those that have ended."""
        for worker in [one for one in self.workers if not one.is_alive()]:
            worker.join()
            self.exits.append(worker.exitcode)
            self.workers.remove(worker)
        while len(self.workers) < self._size:
            self._started += 1
            self.workers.append(start(self._function, self._started))

    def kill(self, worker):
        """Send SIGKILL to a worker."""
        self.workers.remove(worker)
        worker.kill()
        worker.join()
        if worker.exitcode == -signal.SIGKILL:
            self.killed += 1
        else:  # it was faster
            self.exits.append(worker.exitcode)

    def kill_all(self):
        """Send SIGKILL to all of them, at once, and start no others."""
        for worker in self.workers:
            os.kill(worker.pid, signal.SIGKILL)
        for worker in list(self.workers):
            self.kill(worker)
