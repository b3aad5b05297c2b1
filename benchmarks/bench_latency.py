"""From due to handed over, with an idle queue.

A real Odoo server with its scheduler on the database. Messages are queued by another
process, as a web request or another host would: half of them due now, half due some
seconds ahead. The delay ends when the mail server has the whole email.

BENCH_LATENCY=N: how many messages.
"""

import math
import os
import random
import sys
import time
from datetime import datetime, timedelta, timezone

from common import environment, finish, make_customers
from newsletter import (
    enable_smtp,
    make_mail_server,
    make_products,
    make_template,
    queue,
)
from servers import Inbox, OdooServer, wait_until

MESSAGES = int(os.environ.get("BENCH_LATENCY", "40"))
PAUSE_SECONDS = (1.0, 3.0)
AHEAD_SECONDS = (3, 10)
LONGEST_WAIT = 90
P95_LIMIT = 2.0


def queue_one(env, template, partner_id, seconds_ahead):
    """Queue a message.

    :param int seconds_ahead: when it is due; 0: now
    :return: when it was due and committed, as ``time.time()``
    :rtype: float
    """
    due = None
    if seconds_ahead:
        # Times of the database are whole seconds.
        due = datetime.now(timezone.utc) + timedelta(seconds=seconds_ahead)
        due = due.replace(microsecond=0)
    queue(
        env,
        template,
        range(partner_id, partner_id + 1),
        due and due.replace(tzinfo=None),
    )
    return max(due.timestamp() if due else 0, time.time())


def run(env, template, inbox, first):
    """Queue all messages over a minute or so, and wait for them.

    :param int first: id of the first recipient
    :return: delays in seconds, of those due at once and of those due ahead
    :rtype: tuple[list, list]
    """
    # The scheduler's first round, with all that Odoo has to do on a new database.
    queue_one(env, template, first, 0)
    wait_until(lambda: inbox.received, LONGEST_WAIT)
    time.sleep(5)
    due = {}
    for number in range(1, MESSAGES + 1):
        ahead = random.randint(*AHEAD_SECONDS) if number % 2 else 0
        due[f"customer{number + 1}@example.com"] = (
            queue_one(env, template, first + number, ahead),
            ahead,
        )
        time.sleep(random.uniform(*PAUSE_SECONDS))
    wait_until(lambda: len(inbox.received) > MESSAGES, LONGEST_WAIT)
    delays = ([], [])
    for received_at, [recipient], _content in inbox.received[1:]:
        due_at, ahead = due[recipient]
        delays[bool(ahead)].append(received_at - due_at)
    return delays


def percentile(values, share):
    """The smallest value that so many are not above (nearest rank)."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def main():
    database = sys.argv[1]
    with environment(database) as env, Inbox() as inbox:
        first = make_customers(env, MESSAGES + 1) + 1
        template = make_template(env, make_products(env))
        enable_smtp(env, make_mail_server(env, inbox.port))
        env.cr.commit()
        with OdooServer(database, crons=None):
            delays = run(env, template, inbox, first)
    for name, values in zip(("due now", "due ahead"), delays, strict=True):
        if values:
            print(
                f"{name:10} {len(values):3} messages  median"
                f" {percentile(values, 0.5):5.2f} s  p95"
                f" {percentile(values, 0.95):5.2f} s  longest {max(values):5.2f} s"
            )
    together = delays[0] + delays[1]
    print(f"bound: p95 below {P95_LIMIT} s")
    problems = []
    if len(together) != MESSAGES:
        problems.append(f"{len(together)} of {MESSAGES} messages arrived")
    if together and min(together) < 0:
        problems.append(f"one left {-min(together):.2f} s before it was due")
    for values in filter(None, delays):
        p95 = percentile(values, 0.95)
        if p95 >= P95_LIMIT:
            problems.append(f"p95 is {p95:.2f} s")
    finish(problems)


if __name__ == "__main__":
    main()
