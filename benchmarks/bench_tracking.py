"""Openings and clicks a second, beside Email Marketing's own routes.

Both send the same newsletter to as many people; the addresses are taken out of what
arrived, and each is asked for once, as most are. One real Odoo server, one client with
a few threads, blocks of requests of each in turn, and of an empty request: nobody's
route can be faster on the same server.

BENCH_HITS=N: recipients, and so requests of each kind to each.
"""

import email
import email.policy
import html
import http.client
import itertools
import os
import queue as queues
import re
import sys
import threading
import time
from urllib.parse import urlsplit

from common import environment, finish, make_customers
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
from servers import Inbox, OdooServer

RECIPIENTS = int(os.environ.get("BENCH_HITS", "300"))
# A route of Odoo that needs neither database nor session.
NOTHING = "/web/health"
EMPTY = "an empty request"
ROUNDS = 6
THREADS = 4
# An opening costs hardly more than a request that asks for nothing.
MOST_OF_EMPTY = 1.1
LOWEST_CLICK_RATIO = 4
# What the addresses in the mails begin with.
ROUTES = {
    "pixel": {"ours": "/marketing/open/", "Email Marketing": "/mail/track/"},
    "click": {"ours": "/marketing/click/", "Email Marketing": "/r/"},
}
HEADERS = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


def send_both(env, inbox, base_url):
    """Send the newsletter both ways.

    :return: paths with queries, by sender and mail
    :rtype: dict[str, list[list[str]]]
    """
    parameters = env["ir.config_parameter"]
    parameters.set_param("web.base.url", base_url)
    parameters.set_param("web.base.url.freeze", "True")
    first = make_customers(env, 2 * RECIPIENTS) + 1
    products = make_products(env)
    server = make_mail_server(env, inbox.port)
    enable_smtp(env, server)
    env.cr.commit()
    make_mailing(env, products, server, range(first, first + RECIPIENTS))
    send_mailing(env)
    odoos = inbox.received[:]
    middle = first + RECIPIENTS
    queue(env, make_template(env, products), range(middle, middle + RECIPIENTS))
    dispatch(env)
    ours = inbox.received[len(odoos) :]
    return {
        "ours": [find_paths(content, base_url) for _time, _to, content in ours],
        "Email Marketing": [
            find_paths(content, base_url) for _time, _to, content in odoos
        ],
    }


def find_paths(content, base_url):
    """Return the paths of all addresses of our server in an email's HTML."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("html",)).get_content()
    return [
        html.unescape(address).removeprefix(base_url)
        for address in re.findall(r'(?:href|src)="([^"]+)"', body)
        if html.unescape(address).startswith(base_url)
    ]


def pick(mails, prefix):
    """Return one path of each mail, the first with a prefix."""
    return [next(path for path in paths if path.startswith(prefix)) for paths in mails]


def hit(netloc, paths):
    """Request every path once.

    :return: the statuses that came
    :rtype: set[int]
    """
    work = queues.SimpleQueue()
    for path in paths:
        work.put(path)
    statuses = set()

    def run():
        while True:
            try:
                path = work.get_nowait()
            except queues.Empty:
                return
            # Odoo's threaded server answers one request a connection.
            connection = http.client.HTTPConnection(netloc, timeout=60)
            connection.request("GET", path, headers=HEADERS)
            answer = connection.getresponse()
            answer.read()
            statuses.add(answer.status)
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


class Result:
    """What came of the requests to one sender's route."""

    def __init__(self):
        self.count = 0
        self.seconds = 0
        self.cpu_seconds = 0
        self.statuses = set()

    @property
    def rate(self):
        return self.count / self.seconds

    def run(self, server, paths):
        """Request some more paths."""
        cpu_before = server.get_cpu_seconds()
        start = time.perf_counter()
        self.statuses |= hit(urlsplit(server.url).netloc, paths)
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += server.get_cpu_seconds() - cpu_before
        self.count += len(paths)

    def __str__(self):
        answers = ", ".join(map(str, sorted(self.statuses)))
        cpu = 1000 * self.cpu_seconds / self.count
        return (
            f"{self.rate:7.1f} /s  {cpu:5.2f} ms of the server's CPU each"
            f"  (answered {answers})"
        )


def compete(server, mails, routes):
    """Request the paths of both in turn, some rounds.

    :return: the results by sender
    :rtype: dict[str, Result]
    """
    paths = {name: pick(mails[name], prefix) for name, prefix in routes.items()}
    paths[EMPTY] = [NOTHING] * RECIPIENTS
    for name in paths:  # What is loaded with the first request.
        Result().run(server, paths[name][:1])
    results = {name: Result() for name in paths}
    for number, name in itertools.product(range(ROUNDS), paths):
        results[name].run(server, paths[name][number::ROUNDS])
    return results


def count_hits(env):
    """Return how many openings and clicks were recorded, ours and Odoo's."""
    env.cr.execute(
        """SELECT (SELECT count(*) FROM marketing_engagement WHERE kind = 'open'),
                  (SELECT count(*) FROM marketing_engagement WHERE kind = 'click'),
                  (SELECT count(*) FROM mailing_trace WHERE open_datetime IS NOT NULL),
                  (SELECT count(*) FROM link_tracker_click)"""
    )
    counts = env.cr.fetchone()
    env.cr.commit()
    return counts


def main():
    database = sys.argv[1]
    server = OdooServer(database)
    problems = []
    with environment(database) as env:
        with Inbox() as inbox:
            mails = send_both(env, inbox, server.url)
        with server:
            results = {
                kind: compete(server, mails, routes) for kind, routes in ROUTES.items()
            }
        counts = count_hits(env)
    for kind in ROUTES:
        problems += report(kind, results[kind])
    print(f"as many of both: ratio {compare_together(results):5.2f}")
    print("recorded: {} openings, {} clicks; Odoo: {}, {}".format(*counts))
    if min(counts) < RECIPIENTS:
        problems.append("not every request was recorded")
    finish(problems)


def compare_together(results):
    """Return the ratio for traffic of as many openings as clicks.

    :param dict results: results by sender, by kind
    :rtype: float
    """
    ours, odoos = (
        sum(by_sender[name].seconds for by_sender in results.values())
        for name in ("ours", "Email Marketing")
    )
    return odoos / ours


def report(kind, results):
    """Print the results of both.

    :return: what is wrong with them
    :rtype: list[str]
    """
    problems = []
    for name, result in results.items():
        print(f"{kind} {name:15} {result}")
        if max(result.statuses) >= 400:
            problems.append(f"{kind}, {name}: not every answer was a good one")
    ratio = results["ours"].rate / results["Email Marketing"].rate
    if kind == "click":
        print(f"{kind} ratio {ratio:17.2f}    (at least {LOWEST_CLICK_RATIO})")
        if ratio < LOWEST_CLICK_RATIO:
            problems.append(f"clicks: only {ratio:.2f} times Email Marketing's rate")
        return problems
    cost = results[EMPTY].rate / results["ours"].rate
    print(f"{kind} ratio {ratio:17.2f}")
    print(f"{kind}, of an empty request {cost:5.2f}    (at most {MOST_OF_EMPTY})")
    if cost > MOST_OF_EMPTY:
        problems.append(f"an opening costs {cost:.2f} times an empty request")
    return problems


if __name__ == "__main__":
    main()
