"""Email, from start to last byte, beside Odoo's Email Marketing.

The same body (20 KB of HTML, two links, a block of products) and the same local SMTP
sink. Ours leave through a real Odoo server with its own scheduled actions and default
settings; Email Marketing is called one batch after the other, without any pause, which
favours it. Rates are compared, in messages that the sink has counted. Email Marketing
sends half of its share before ours and half behind, so that a machine that becomes
slower or faster meanwhile favours nobody.

BENCH_EMAILS=N, BENCH_ODOO_EMAILS=N: how many each sends. BENCH_PROFILE=1: where our
time goes; then ours are sent by this process as well.
"""

import os
import sys
import time

from common import Measure, environment, finish, make_customers
from newsletter import (
    dispatch,
    enable_smtp,
    make_mail_server,
    make_mailing,
    make_products,
    make_template,
    queue,
    send_mailing,
)
from profiling import Stages
from servers import Inbox, OdooServer, SmtpSink

EMAILS = int(os.environ.get("BENCH_EMAILS", "5000"))
ODOOS_EMAILS = int(os.environ.get("BENCH_ODOO_EMAILS", "250"))
PROFILE = os.environ.get("BENCH_PROFILE", "0") != "0"
LOWEST_RATIO = 40
LONGEST_WAIT = 300
FIRST_ROUND_SECONDS = 15


class Contest:
    """Both senders, the sink they send to, and recipients nobody has written to."""

    def __init__(self, env, sink):
        self.env = env
        self.sink = sink
        self.products = make_products(env)
        self.server = make_mail_server(env, sink.port)
        self.template = make_template(env, self.products)
        enable_smtp(env, self.server)
        self._next = make_customers(env, EMAILS + ODOOS_EMAILS + 3) + 1

    def warm_up(self):
        """Send one email each, which is looked at.

        :return: bytes of Email Marketing's and of ours
        :rtype: tuple[int, int]
        """
        with Inbox() as inbox:
            self.server.smtp_port = inbox.port
            self.env.cr.commit()
            self._make_mailing(1)
            send_mailing(self.env)
            self._send_ours(self._take(1))
            self.server.smtp_port = self.sink.port
            self.env.cr.commit()
        odoos, ours = (content for _time, _to, content in inbox.received)
        return len(odoos), len(ours)

    def measure_odoos(self, count):
        """Send by Email Marketing; see :meth:`_measure`."""
        self._make_mailing(count)
        return self._measure(lambda: send_mailing(self.env))

    def measure_ours(self, count):
        """Send by our outbox; see :meth:`_measure`."""
        people = self._take(count)
        if PROFILE:
            return self._measure(lambda: self._send_ours(people))
        with OdooServer(self.env.cr.dbname, crons=None):
            # The scheduler's first round, with all that Odoo has to do on a new
            # database.
            self._have_sent(self._take(1))
            time.sleep(FIRST_ROUND_SECONDS)
            return self._measure(lambda: self._have_sent(people))

    def _have_sent(self, people):
        total = self.sink.count() + len(people)
        queue(self.env, self.template, people)
        self.sink.watch(total, LONGEST_WAIT)

    def count_sent(self):
        """Return how many of our messages are *sent*, as far as the outbox knows."""
        return self.env["marketing.message"].search_count([("state", "=", "sent")])

    def _measure(self, send):
        """Send.

        :return: the measure, and how many emails the sink counted meanwhile
        :rtype: tuple[Measure, int]
        """
        self.env.invalidate_all()
        before = self.sink.count()
        with Measure() as measure:
            send()
        return measure, self.sink.count() - before

    def _take(self, count):
        self._next += count
        return range(self._next - count, self._next)

    def _send_ours(self, people):
        queue(self.env, self.template, people)
        dispatch(self.env)

    def _make_mailing(self, count):
        make_mailing(self.env, self.products, self.server, self._take(count))


def main():
    half = ODOOS_EMAILS // 2
    stages = Stages()
    with environment(sys.argv[1]) as env, SmtpSink() as sink:
        contest = Contest(env, sink)
        odoos_bytes, our_bytes = contest.warm_up()
        first, first_count = contest.measure_odoos(half)
        with stages.measured(env) if PROFILE else stages:
            ours, our_count = contest.measure_ours(EMAILS)
        second, second_count = contest.measure_odoos(ODOOS_EMAILS - half)
        sent_count = contest.count_sent()
    odoos_seconds = first.seconds + second.seconds
    odoos_count = first_count + second_count
    our_rate = our_count / ours.seconds
    odoos_rate = odoos_count / odoos_seconds
    ratio = our_rate / odoos_rate
    print(
        f"ours            {our_count:6} in {ours.seconds:7.2f} s {our_rate:7.1f} /s"
        f"            {our_bytes} bytes each"
    )
    print(
        f"Email Marketing {odoos_count:6} in {odoos_seconds:7.2f} s"
        f" {odoos_rate:7.1f} /s  {second.megabytes:5.0f} MB  {odoos_bytes} bytes each"
    )
    print(f"ratio           {ratio:6.1f}    (at least {LOWEST_RATIO})")
    if PROFILE:
        stages.print(ours.seconds)
    problems = []
    if our_count != EMAILS:
        problems.append(f"{our_count} of our {EMAILS} emails arrived")
    # Some were sent before: one to be looked at, and one for the first round.
    before = 1 if PROFILE else 2
    if sent_count != our_count + before:
        problems.append(f"the outbox says that {sent_count - before} were sent")
    if odoos_count != ODOOS_EMAILS:
        problems.append(f"{odoos_count} of Odoo's {ODOOS_EMAILS} emails arrived")
    if ratio < LOWEST_RATIO:
        problems.append(f"only {ratio:.1f} times as fast as Email Marketing")
    finish(problems)


if __name__ == "__main__":
    main()
