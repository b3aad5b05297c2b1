"""Removing the addon from a large shop, and installing it into one that is open.

The addon is removed from an empty shop and installed again, each in a process of its
own. Then there are orders, carts and an outbox, and both are done once more; while it
is installed, a customer goes on changing carts. What is there may make it slower by
half, and nothing may fail.

BENCH_REMOVAL=N: messages, and half as many carts and orders.
"""

import os
import random
import subprocess
import sys
import threading
import time

from bench_detection import make_carts, make_shop
from bench_triggers import fill
from common import environment, finish

MESSAGES = int(os.environ.get("BENCH_REMOVAL", "200000"))
ADDON = "marketing_automation"
MOST_OF_EMPTY = 1.5


def run_odoo(*args):
    """Run a command of Odoo's; return how many seconds it took."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "odoo", *args],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def remove(database):
    """Remove the addon, as its button in the Apps menu does."""
    return run_odoo("module", "uninstall", "-d", database, ADDON)


def install(database):
    """Install the addon."""
    return run_odoo("-d", database, "-i", ADDON, "--stop-after-init", "--no-http")


class Customer(threading.Thread):
    """Changes a cart every tenth of a second, and remembers the longest wait."""

    def __init__(self, database, prefix):
        super().__init__(daemon=True)
        self.longest = 0
        self.is_over = threading.Event()
        self._database, self._prefix = database, prefix

    def run(self):
        from odoo.sql_db import db_connect

        with db_connect(self._database).cursor() as cr:
            cr.execute(
                "SELECT id FROM sale_order WHERE name LIKE %s", [self._prefix + "%"]
            )
            ids = [order_id for (order_id,) in cr.fetchall()]
            cr.commit()
            while not self.is_over.wait(0.1):
                start = time.perf_counter()
                cr.execute(
                    "UPDATE sale_order SET note = note WHERE id = %s",
                    [random.choice(ids)],
                )
                cr.commit()
                self.longest = max(self.longest, time.perf_counter() - start)


def main():
    database = sys.argv[1]
    empty = {"removal": remove(database), "installation": install(database)}
    with environment(database) as env:
        make_carts(env, make_shop(env), MESSAGES // 2, "W", "n * interval '1 minute'")
        fill(env, MESSAGES)
    large = {"removal": remove(database)}
    customer = Customer(database, "W")
    customer.start()
    large["installation"] = install(database)
    customer.is_over.set()
    customer.join()
    problems = []
    for name, seconds in large.items():
        ratio = seconds / empty[name]
        print(
            f"{name:13} {seconds:6.1f} s, of an empty shop {empty[name]:6.1f} s: "
            f"{ratio:.2f}    (at most {MOST_OF_EMPTY})"
        )
        if ratio > MOST_OF_EMPTY:
            problems.append(f"{name}: {ratio:.2f} times as long as in an empty shop")
    print(f"a customer waited {customer.longest:.1f} s at most while it was installed")
    finish(problems)


if __name__ == "__main__":
    main()
