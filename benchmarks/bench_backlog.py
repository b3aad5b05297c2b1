"""A backlog through real Odoo servers, with their own scheduled actions.

Newsletters of 20 KB wait for a server that runs with Odoo's default settings, once with
threads and once with processes, and the shipped batch sizes. The mail server sees
whether there are pauses.

BENCH_BACKLOG=N: how many messages.
"""

import os
import sys

from common import environment, finish, make_customers
from newsletter import (
    enable_smtp,
    make_mail_server,
    make_products,
    make_template,
    queue,
)
from servers import OdooServer, SmtpSink

MESSAGES = int(os.environ.get("BENCH_BACKLOG", "10000"))
SERVERS = {"threads": 0, "processes": 2}
LONGEST_PAUSE = 1.0
LONGEST_WAIT = 300


def drain(env, sink, template, people, workers):
    """Have a server of its own send messages.

    :param range people: ids of contacts
    :return: seconds from the first to the last, and the longest pause
    :rtype: tuple[float, float]
    """
    with OdooServer(env.cr.dbname, crons=None, workers=workers):
        total = sink.count() + len(people)
        queue(env, template, people)
        return sink.watch(total, LONGEST_WAIT)


def main():
    problems = []
    with environment(sys.argv[1]) as env, SmtpSink() as sink:
        first = make_customers(env, MESSAGES * len(SERVERS)) + 1
        template = make_template(env, make_products(env))
        enable_smtp(env, make_mail_server(env, sink.port))
        env.cr.commit()
        for name, workers in SERVERS.items():
            before = sink.count()
            seconds, pause = drain(
                env, sink, template, range(first, first + MESSAGES), workers
            )
            first += MESSAGES
            count = sink.count() - before
            rate = count / seconds if seconds else 0
            print(
                f"{name:10} {count:6} in {seconds:6.1f} s {rate:7.1f} /s"
                f"  longest pause {pause:5.2f} s"
            )
            if count != MESSAGES:
                problems.append(f"{name}: {count} of {MESSAGES} arrived")
            if pause > LONGEST_PAUSE:
                problems.append(f"{name}: nothing left for {pause:.2f} s")
    print(f"bound: no pause longer than {LONGEST_PAUSE} s")
    finish(problems)


if __name__ == "__main__":
    main()
