"""A year of a shop in half an hour: see `make year`.

Customers fill carts, buy, fail to pay, leave, come back, object; products change
prices and run out. All of it goes through the real models at moved times, with the
scheduled actions in between; messages go into the sandbox inbox. At the end of every
day `checks.py` looks for what must not be.
"""

import argparse
import pathlib
import random
import sys
import time
from datetime import datetime, timedelta

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from common import environment  # noqa: E402

# Hours between two runs of the scheduled actions.
TICK_HOURS = 2


def parse_arguments():
    """Return the size of the simulation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--carts", type=int, default=5, help="carts a day")
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument(
        "--start", type=datetime.fromisoformat, default="2026-01-05", help="first day"
    )
    return parser.parse_args()


def work(env):
    """Do what the scheduled actions do."""
    env["abandoned.cart"]._cron_detect()
    env["marketing.enrollment"]._cron_process_due()
    env["marketing.dispatcher"]._cron_dispatch()


def simulate(env, options):
    """Let the days pass.

    :return: what was wrong
    :rtype: list[str]
    """
    from checks import Checks
    from clock import Clock
    from ledger import Ledger
    from shop import Shop
    from shoppers import Shoppers

    draw, ledger, problems = random.Random(options.seed), Ledger(), []
    with Clock(options.start) as clock:
        shop = Shop(env, draw, options.customers)
        shoppers = Shoppers(shop, clock, ledger, draw)
        checks = Checks(shop, ledger, clock)
        for day in range(options.days):
            today = options.start + timedelta(days=day)
            shop.change(ledger)
            shoppers.plan_day(options.carts)
            for hours in range(TICK_HOURS, 25, TICK_HOURS):
                moment = today + timedelta(hours=hours)
                shoppers.act_until(moment)
                clock.go_to(moment)
                work(env)
                shoppers.get_mail()
            found = checks.run()
            env.cr.commit()
            env.invalidate_all()
            problems += [f"{today:%Y-%m-%d}: {problem}" for problem in found]
            report_day(day, today, found)
        report(env, ledger, checks)
    return problems


def report_day(day, today, found):
    """Print what is wrong, and now and then how far it is."""
    for problem in found[:5]:
        print(f"  {today:%Y-%m-%d}  WRONG: {problem}", flush=True)
    if day % 30 == 29:
        print(f"  {today:%Y-%m-%d}  day {day + 1}", flush=True)


def report(env, ledger, checks):
    """Print what happened."""
    for what, count in sorted(ledger.counts.items()):
        print(f"{count:8}  {what}")
    for model, field in (("abandoned.cart", "state"), ("marketing.message", "reason")):
        print(f"{model} by {field}:")
        for key, count in env[model]._read_group([], [field], ["__count"]):
            print(f"{count:8}  {key or '-'}")
    print(f"{checks.looked_at:8}  messages handed over and looked at")


def main():
    """Run it and say how it ended."""
    options, started = parse_arguments(), time.perf_counter()
    with environment(options.database) as env:
        problems = simulate(env, options)
    print(f"{options.days} days in {time.perf_counter() - started:.0f} s")
    print(f"{len(problems)} things that must not be" if problems else "all is well")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
