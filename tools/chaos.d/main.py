"""The crash test: see `make chaos`.

Worker processes send through a mail server and an HTTP API while they are killed and
the servers fail; afterwards the outbox is compared with what the servers have taken.
"""

import os
import pathlib
import random
import shutil
import signal
import sys
import time
from collections import Counter
from functools import partial

import campaigns
import outbox
import restarts
from api_server import ApiServer
from journal import Journal
from processes import FORK, Herd, follow_parent, start
from smtp_server import SmtpServer
from verdict import Verdict

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", 5000))
SECONDS = float(os.environ.get("CHAOS_SECONDS", 120))
# Whether real servers are stopped in all ways, or in two of them.
LONG = SECONDS >= 60
WORKERS = int(os.environ.get("CHAOS_WORKERS", 4))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
# Campaigns are met in the middle of it; the storm has the sizes that are shipped.
BATCH_SIZE = 10
# What is above this rate leaves through the other account, so that both are used.
API_PER_SECOND = 30
# Mean times between two of them, in seconds.
KILL_EVERY, CUT_EVERY = 1.5, 5.0
LOOK_EVERY = 0.5
DRAIN_SECONDS = 120
# The second phase.
PER_SECOND, DAILY_LIMIT, LIMITED_MESSAGES = 25, 100, 140


class Servers:
    """The servers of both providers, each a process of its own.

    :param pathlib.Path folder: for their journals
    """

    def __init__(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._storm = FORK.Value("b", 1)
        self.journals = {
            name: Journal(folder / name) for name in ("SMTP", "HTTP", "limited")
        }
        self.smtp = SmtpServer(self.journals["SMTP"], f"{SEED} SMTP", self._storm)
        # The rate of its account is what a request has at most.
        self.api = ApiServer(
            self.journals["HTTP"], API_PER_SECOND, f"{SEED} HTTP", self._storm
        )
        self.limited = SmtpServer(self.journals["limited"], f"{SEED}", self._storm)

    def start(self):
        for server in (self.smtp, self.api, self.limited):
            start(server.serve_forever)
            server.socket.close()  # it is the other process's now

    def calm_down(self):
        """Show no faults from now on."""
        self._storm.value = 0

    def read(self):
        """Return the events of both."""
        return self.journals["SMTP"].read() + self.journals["HTTP"].read()


class Timetable:
    """Random moments at which something is due.

    :param float mean: seconds between two of them
    """

    def __init__(self, dice, mean):
        self._dice, self._mean = dice, mean
        self._plan()

    def is_due(self):
        if time.monotonic() < self._at:
            return False
        self._plan()
        return True

    def _plan(self):
        self._at = time.monotonic() + self._dice.expovariate(1 / self._mean)


def rage(database, herd, verdict):
    """Kill workers, cut their connections and repair accounts, until the time is over
    or nothing is left to send."""
    dice = random.Random(SEED)
    kills, cuts = Timetable(dice, KILL_EVERY), Timetable(dice, CUT_EVERY)
    looks = Timetable(dice, LOOK_EVERY)
    cut = repaired = 0
    started = time.monotonic()
    while time.monotonic() < started + SECONDS:
        herd.fill()
        if kills.is_due():
            herd.kill(dice.choice(herd.workers))
        if cuts.is_due():
            cut += outbox.patiently(database, outbox.cut_connection)
        if looks.is_due():
            repaired += outbox.patiently(database, tend)
            if not outbox.patiently(database, outbox.count_open)[0]:
                break
        time.sleep(0.01)
    herd.kill_all()
    verdict.count("seconds in the storm", f"{time.monotonic() - started:.0f}")
    verdict.count("workers killed", herd.killed)
    verdict.count("connections to PostgreSQL cut", cut)
    verdict.count("rests of accounts that were cut short", repaired)
    by_themselves = Counter(herd.exits)
    verdict.check("no worker ended by itself", by_themselves.total() - by_themselves[3])


def tend(env):
    return outbox.let_time_pass(env)


def drain(database, herd):
    """Let workers finish in peace.

    :return: number of messages that are still open
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    with herd:
        while True:
            herd.fill()
            outbox.patiently(database, tend)
            left = sum(outbox.patiently(database, outbox.count_open))
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.2)


def play_storm(database, servers, verdict):
    """Send in the storm, then the rest in peace, then compare."""
    work = partial(outbox.work, database, None)
    with outbox.environment(database) as env:
        outbox.prepare(env, servers.smtp.port, servers.api.url, API_PER_SECOND)
        queued = outbox.queue(env, "person", MESSAGES)
        env.cr.commit()
    verdict.count("messages queued", queued)
    with Herd(work, WORKERS) as herd:
        rage(database, herd, verdict)
    servers.calm_down()
    verdict.judge_database(database)
    lost = outbox.patiently(database, settle)
    peaceful = Herd(work, WORKERS)
    left = drain(database, peaceful)
    events = servers.read()
    for name, book in servers.journals.items():
        report(verdict, name, book.read())
    with outbox.environment(database) as env:
        rows = outbox.read_messages(env, "person")
        for reason, count in outbox.count_retries(env).items():
            verdict.count(f"tried again: {reason}", count)
    verdict.judge_messages(rows, queued, events)
    deaths = herd.killed + len(herd.exits)
    verdict.judge_doubt(rows, events, lost, deaths, API_PER_SECOND)
    verdict.check("in peace the rest was done in time", left or peaceful.exits)


def settle(env):
    lost = outbox.settle_lost(env)
    env.cr.commit()
    return lost


def report(verdict, name, events):
    """Print what one server did."""
    faults = Counter(event["event"] for event in events)
    taken = faults.pop("accepted", 0)
    faults.pop("unanswered", None)
    if taken or faults:
        verdict.count(f"{name} server: emails accepted", taken)
        verdict.count(f"{name} server: faults shown", faults.total())


def play_limits(database, servers, verdict):
    """See from the other side whether several workers keep the limits of an account."""
    with outbox.environment(database) as env:
        outbox.limit(env, servers.limited.port, PER_SECOND, DAILY_LIMIT)
        outbox.queue(env, "limit", LIMITED_MESSAGES, odd=False)
        env.cr.commit()
    started_at = time.time()
    book = servers.journals["limited"]
    with Herd(partial(outbox.work, database, BATCH_SIZE), WORKERS) as herd:
        deadline = started_at + DAILY_LIMIT / PER_SECOND + 15
        while time.time() < deadline and len(book.read()) < DAILY_LIMIT:
            time.sleep(0.1)
        time.sleep(1.5)  # time enough to send too many
        herd.fill()
    verdict.check("no worker ended by itself", herd.exits)
    verdict.judge_limits(book.read(), started_at, PER_SECOND, DAILY_LIMIT)


def main(database, folder):
    """Run all phases.

    :param str database: with the addon installed, and nothing else going on
    :param str folder: for what the servers saw and what Odoo said
    """
    follow_parent(signal.SIGTERM)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: sys.exit("ended"))
    print(f"{MESSAGES} messages, {WORKERS} workers, seed {SEED}", flush=True)
    folder = pathlib.Path(folder)
    verdict = Verdict()
    servers = Servers(folder)
    servers.start()
    outbox.load(database, folder / "odoo.log")
    play_storm(database, servers, verdict)
    play_limits(database, servers, verdict)
    restarts.play(database, folder, verdict, LONG)
    campaigns.play(
        *(database, servers.smtp.port, servers.journals["SMTP"], verdict),
        *(BATCH_SIZE, WORKERS),
    )
    for violation in verdict.violations:
        print(f"VIOLATED  {violation}", flush=True)
    print(f"logs: {folder}")
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
