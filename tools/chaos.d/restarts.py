"""The phase of real servers: Odoo's own, with its scheduled actions and default
settings, stopped and killed in the middle of a batch.

What was begun when a server was told to stop is finished, and the rest stands in the
queue. Of what was begun when a process was killed, only the messages its connections
were busy with are uncertain; the others are sent by the next one, once.
"""

import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request
from collections import Counter

import journal
import outbox
import psutil
from journal import Journal
from processes import FORK, follow_parent, start
from smtp_server import SmtpServer
from verdict import CONNECTIONS

ODOO = pathlib.Path(__file__).resolve().parent.parent / "odoo"
PEOPLE = 150
# So many have arrived when something is done to the server.
FIRST = 20
# Seconds the mail server takes for an email: a batch takes several seconds.
SLOW = 0.1
START_SECONDS, SEND_SECONDS, STOP_SECONDS = 120, 120, 60
LOOK_EVERY = 0.02


class Server:
    """An Odoo server of its own.

    :param int workers: number of processes for requests; 0: one process with threads
    """

    def __init__(self, database, log, workers):
        self._port = _free_port()
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [
                    *(ODOO, "-d", database, "--db-filter", f"^{database}$"),
                    *("--http-interface", "127.0.0.1", "--http-port", str(self._port)),
                    *("--gevent-port", str(_free_port()), "--workers", str(workers)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: follow_parent(signal.SIGKILL),
            )

    def __enter__(self):
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.__exit__()
                raise RuntimeError("Odoo did not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_exc_info):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self):
        """Tell it to end, as a restart does.

        :return: whether it has ended in time
        """
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_crons(self):
        """Kill the processes that run scheduled actions: those that are nice."""
        for child in psutil.Process(self.process.pid).children():
            if child.nice():
                child.kill()

    def kill(self):
        """Kill all of it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self):
        try:
            url = f"http://127.0.0.1:{self._port}/web/health"
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            return False


def play(database, folder, verdict, is_long):
    """Run the phase.

    :param pathlib.Path folder: for journal and log
    :param bool is_long: in all ways, or in two of them
    """
    cases = [("stopped", 0), ("killed", 2)]
    if is_long:
        cases += [("stopped", 2), ("killed", 0)]
    book = Journal(folder / "restarts")
    server = SmtpServer(book, "restarts", FORK.Value("b", 0), slow=SLOW)
    start(server.serve_forever)
    server.socket.close()
    outbox.patiently(database, _prepare, server.port)
    for what, workers in cases:
        name = f"{what}-{workers}"
        mode = "with processes" if workers else "with threads"
        print(f"a server {mode} is {what}", flush=True)
        try:
            _play_case(database, folder / f"{name}.log", verdict, book, what, workers)
        finally:
            outbox.patiently(database, _drop_queue)


def _prepare(env, smtp_port):
    env["marketing.provider"].search([("kind", "!=", "sandbox")]).action_disable()
    env["marketing.provider"].create(
        {
            "name": "Restarts",
            "kind": "smtp",
            "mail_server_id": outbox.create_mail_server(env, smtp_port).id,
        }
    ).action_enable()
    # What else Odoo has to do with a new database is not what this is about.
    env["ir.cron"].search([("cron_name", "not like", "Marketing Automation:")]).write(
        {"active": False}
    )
    env.cr.commit()


def _play_case(database, log, verdict, book, what, workers):
    prefix = f"{what}{workers}"
    with Server(database, log, workers) as server:
        outbox.patiently(database, _queue, prefix)
        if not _wait_for(lambda: _count(book, prefix) >= FIRST):
            return verdict.check("messages leave", [_count(book, prefix)])
        if what == "stopped":
            verdict.check("it ends in time", not server.stop())
            _judge_stop(database, verdict, book, prefix)
            return None
        if workers:
            server.kill_crons()
            _send_rest(database, book, prefix)
        else:
            server.kill()
    if not workers:
        with Server(database, log, workers):
            _send_rest(database, book, prefix)
    _judge_kill(database, verdict, book, prefix)
    return None


def _queue(env, prefix):
    outbox.queue(env, prefix, PEOPLE, odd=False)
    env["marketing.dispatcher"]._wake_up(outbox.now())
    env.cr.commit()


def _drop_queue(env):
    env["marketing.message"].search([("state", "=", "queued")])._set_state("cancelled")
    env.cr.commit()


def _send_rest(database, book, prefix):
    """Wait until nothing is left to send."""

    def is_done():
        with outbox.environment(database) as env:
            env["marketing.dispatcher"]._wake_up(outbox.now())
            env.cr.commit()
            rows = outbox.read_messages(env, prefix)
        return not any(row.state in ("queued", "sending") for row in rows)

    _wait_for(is_done, 1.0)


def _count(book, prefix):
    return sum(
        1 for address in journal.accepted(book.read()) if address.startswith(prefix)
    )


def _read(database, book, prefix):
    """Return what the outbox says, and how often each address was accepted."""
    with outbox.environment(database) as env:
        rows = outbox.read_messages(env, prefix)
    counts = journal.accepted(book.read())
    return rows, {row.address: counts[row.address] for row in rows}


def _judge_stop(database, verdict, book, prefix):
    rows, accepted = _read(database, book, prefix)
    states = Counter(row.state for row in rows)
    for state, count in states.most_common():
        verdict.count(f"messages {state}", count)
    verdict.check(
        "what was begun is finished: sent, or back in the queue",
        [row for row in rows if row.state not in ("sent", "queued")],
    )
    verdict.check(
        "what is sent arrived, once, and nothing else",
        [row for row in rows if accepted[row.address] != (row.state == "sent")],
    )
    verdict.check("it did not send the rest first", states["queued"] == 0)


def _judge_kill(database, verdict, book, prefix):
    rows, accepted = _read(database, book, prefix)
    doubtful = [row for row in rows if row.state == "uncertain"]
    verdict.count("messages sent", sum(1 for row in rows if row.state == "sent"))
    verdict.count("messages uncertain", len(doubtful))
    verdict.check(
        "only what connections were busy with is uncertain",
        len(doubtful) > CONNECTIONS and [row.address for row in doubtful],
    )
    verdict.check(
        "everybody else got theirs",
        [row for row in rows if row.state not in ("sent", "uncertain")],
    )
    verdict.check(
        "what is sent arrived, and nobody got it twice",
        [
            row
            for row in rows
            if accepted[row.address] > 1
            or (row.state == "sent" and not accepted[row.address])
        ],
    )


def _wait_for(condition, every=LOOK_EVERY):
    deadline = time.monotonic() + SEND_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
