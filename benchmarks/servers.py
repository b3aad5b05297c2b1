"""Servers on 127.0.0.1 that benchmarks talk to; each ends with its ``with`` block.

Each also ends by itself after a quarter of an hour, should this process be killed.
"""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from aiosmtpd.controller import Controller

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIFETIME_SECONDS = "900"
START_SECONDS = 120


class ServerFailed(Exception):
    """A server did not start, or not do what it is for."""


def free_port():
    """Return a TCP port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Whether anything listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _Process:
    """A program in a process group of its own."""

    command = ()
    output = subprocess.DEVNULL

    def __init__(self):
        self.port = free_port()

    def __enter__(self):
        self._process = subprocess.Popen(
            [
                # A server that is told to end twice ends at once, in the middle of what
                # it does: in the foreground, only the program itself is told.
                *("timeout", "--foreground", "--kill-after=60", LIFETIME_SECONDS),
                *self._get_command(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exc_info):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _get_command(self):
        raise NotImplementedError

    def _is_ready(self):
        return answers(self.port)

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self._get_command()[0]} did not start")
            if self._is_ready():
                return
            time.sleep(0.1)
        raise ServerFailed(f"{self._get_command()[0]} does not answer")


class SmtpSink(_Process):
    """Postfix's ``smtp-sink``: takes mail, throws it away, and counts it.

    >>> with SmtpSink() as sink:
    ...     send_mail_to(sink.port)
    ...     sink.count()
    """

    def __enter__(self):
        # Not a pipe: a sink that cannot print would wait for who reads it.
        with tempfile.TemporaryFile() as self.output:
            super().__enter__()
            self._counters = os.dup(self.output.fileno())
        return self

    def __exit__(self, *exc_info):
        super().__exit__(*exc_info)
        os.close(self._counters)

    def _get_command(self):
        program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            raise ServerFailed("there is no smtp-sink: run this by tools/bench")
        # It refuses to go on as root.
        user = ["-u", pwd.getpwnam("nobody").pw_name] if os.getuid() == 0 else []
        return [program, *user, "-c", f"127.0.0.1:{self.port}", "100"]

    def count(self):
        """Return how many messages were received in full since it was started.

        :rtype: int
        """
        size = os.fstat(self._counters).st_size
        printed = os.pread(self._counters, 200, max(0, size - 200))
        # "sess=1 quit=1 mesg=3", each over the one before.
        counts = re.findall(rb"mesg=(\d+)\r", printed)
        return int(counts[-1]) if counts else 0

    def watch(self, total, seconds):
        """Wait until so many messages were received, and look for pauses meanwhile.

        :param int total: how many since the sink was started
        :param float seconds: how long at most
        :return: seconds from the first message seen to the last, and the longest time
            in which none came
        :rtype: tuple[float, float]
        """
        started, seen = time.monotonic(), self.count()
        first = last = None
        longest = 0.0
        while seen < total and time.monotonic() < started + seconds:
            time.sleep(0.01)
            now, counted = time.monotonic(), self.count()
            if counted > seen:
                if last is not None:
                    longest = max(longest, now - last)
                first, last, seen = first or now, now, counted
        if first is None:
            return 0.0, seconds
        return last - first, longest


class OdooServer(_Process):
    """An Odoo server on a database.

    :param str database: its name
    :param int crons: number of threads or processes for scheduled actions; None: as
        many as Odoo has by itself
    :param int workers: number of processes for requests; 0: one process with threads
    """

    def __init__(self, database, crons=0, workers=0):
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database = database
        self._crons = crons
        self._workers = workers

    def _get_command(self):
        return [
            *(str(ROOT / "tools" / "odoo"), "-d", self._database),
            *("--db-filter", f"^{self._database}$"),
            *("--http-interface", "127.0.0.1", "--http-port", str(self.port)),
            *("--gevent-port", str(free_port()), "--log-level", "warn"),
            *("--workers", str(self._workers)),
            *(() if self._crons is None else ("--max-cron-threads", str(self._crons))),
        ]

    def get_cpu_seconds(self):
        """Return how long the server has computed, in all its threads.

        :rtype: float
        """
        starter = self._process.pid  # ``timeout``
        children = pathlib.Path(f"/proc/{starter}/task/{starter}/children").read_text()
        stat = pathlib.Path(f"/proc/{children.split()[0]}/stat").read_text()
        # Behind the name in brackets: utime and stime, see proc(5).
        ticks = stat.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/web/health", timeout=5):
                return True
        except OSError:
            return False


class Inbox:
    """A mail server that keeps what it gets, and when it got it.

    :ivar list received: triples (``time.time()``, recipients, content as bytes)
    """

    def __init__(self):
        self.received = []
        self._server = Controller(self, hostname="127.0.0.1", port=free_port())
        self.port = self._server.port

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_exc_info):
        self._server.stop()

    async def handle_DATA(self, _server, _session, envelope):
        self.received.append(
            (time.time(), envelope.rcpt_tos, envelope.original_content)
        )
        return "250 OK"


def wait_until(condition, seconds):
    """Wait until ``condition()`` holds, at most so long.

    :return: whether it holds
    :rtype: bool
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
