"""A/A tests: what is judged when all variants are alike, so that any winner is wrong.

Each scenario is a list as large as shops have it, split among two to five variants, and
tried many times. No more of them may find a winner than the confidence leaves to
chance; what is a little more is told from chance by the binomial distribution.

Lists are up to a tenth smaller or larger than it says: counts are whole numbers, so the
true level of a test wobbles with the size (at a share of 50 %, between 4.7 and 5.4 % of
two variants with around 500 people). Nobody chooses the size of a list for that.

BENCH_AB=N: tests a scenario. The dice are the same in every run.
"""

import os
import sys
from typing import NamedTuple

import numpy
from common import Measure, environment, finish

TESTS = int(os.environ.get("BENCH_AB", "10000"))
SEED = 19
CONFIDENCE = 0.95
LIMIT_SECONDS = 120
# A scenario that keeps to the level exceeds its bound once in a thousand runs.
BOUND = 3.09


class Scenario(NamedTuple):
    """An A/A test.

    :param share: of the people who do it: open, click, buy
    :param sizes: people of each variant, more or less
    :param confidence: of 1
    :param spread: of what buyers spend: sigma of its logarithm; None for shares
    """

    share: float
    sizes: tuple
    confidence: float = CONFIDENCE
    spread: float | None = None

    def describe(self):
        kind = "share  " if self.spread is None else f"revenue {self.spread}"
        sizes = " ".join(str(size) for size in self.sizes)
        return f"{kind:<12}{self.share:>6.1%}   {self.confidence:.0%}   {sizes}"


SHARES = [
    Scenario(0.005, (500, 500)),
    Scenario(0.005, (2000, 2000)),
    Scenario(0.005, (20000, 20000)),
    Scenario(0.03, (100, 100)),
    Scenario(0.03, (500, 500)),
    Scenario(0.03, (500, 500, 500, 500, 500)),
    Scenario(0.03, (5000, 5000)),
    Scenario(0.03, (1800, 200)),
    Scenario(0.2, (50, 50)),
    Scenario(0.2, (500, 500)),
    Scenario(0.2, (333, 333, 334)),
    Scenario(0.2, (900, 100)),
    Scenario(0.2, (10000, 10000, 10000)),
    Scenario(0.5, (500, 500)),
    Scenario(0.97, (500, 500)),
    Scenario(0.2, (500, 500), 0.9),
    Scenario(0.2, (500, 500, 500), 0.99),
]
# Most people spend nothing; of those who buy, one in a hundred spends 16 times what
# the middle one does (spread 1.2), or 100 times as much (2.0).
REVENUE = [
    Scenario(0.01, (500, 500), spread=1.2),
    Scenario(0.01, (2000, 2000), spread=1.2),
    Scenario(0.03, (1000, 1000), spread=1.2),
    Scenario(0.03, (1000, 1000), spread=2.0),
    Scenario(0.03, (1000, 1000, 1000, 1000), spread=1.2),
    Scenario(0.1, (5000, 5000), spread=1.2),
]
# What such tests refuse, and why: the smaller variant has the large orders either more
# often than the other, or not at all.
REFUSED = [
    Scenario(0.03, (3000, 1000), spread=1.2),
    Scenario(0.03, (9000, 1000), spread=1.2),
]


def throw(dice, scenario, size):
    """One variant of all tests: how many did it, and mean and variance of amounts.

    :param size: people, one number a test
    """
    done = dice.binomial(size, scenario.share)
    if scenario.spread is None:
        return done, None
    amounts = dice.lognormal(4, scenario.spread, done.sum())
    test = numpy.repeat(numpy.arange(TESTS), done)
    total = numpy.bincount(test, amounts, TESTS)
    squares = numpy.bincount(test, amounts**2, TESTS)
    mean = total / size
    return done, (mean, (squares - total * mean) / (size - 1))


def make_group(statistics, test, size, done, amounts):
    """What the product would have counted of a variant."""
    count = int(size[test])
    sample = amounts and statistics.Sample(
        count, float(amounts[0][test]), float(amounts[1][test])
    )
    return statistics.Group(count, int(done[test]), sample)


def count_winners(statistics, scenario):
    """In how many of the tests somebody won."""
    dice = numpy.random.default_rng(SEED)
    lists = dice.uniform(0.9, 1.1, TESTS)
    sizes = [numpy.rint(size * lists).astype(int) for size in scenario.sizes]
    thrown = [(size, *throw(dice, scenario, size)) for size in sizes]
    wins = 0
    for test in range(TESTS):
        groups = [make_group(statistics, test, *variant) for variant in thrown]
        verdict = statistics.judge(groups, 0, scenario.confidence)
        wins += verdict.winner is not None
    return wins


def try_scenarios(statistics, scenarios):
    """Print one line a scenario; return those with too many winners."""
    problems = []
    for scenario in scenarios:
        level = 1 - scenario.confidence
        bound = level + BOUND * (level * (1 - level) / TESTS) ** 0.5
        found = count_winners(statistics, scenario) / TESTS
        print(f"{scenario.describe():<48}{found:>8.2%}{bound:>8.2%}", flush=True)
        if found > bound:
            problems.append(f"{scenario.describe()}: {found:.2%} false winners")
    return problems


def main():
    with environment(sys.argv[1]):
        from odoo.addons.marketing_automation.tools import statistics

        print(
            f"{TESTS} tests each   share   conf. people               winners   bound"
        )
        with Measure() as measure:
            problems = try_scenarios(statistics, SHARES + REVENUE)
            print("Revenue of variants with unequal weights, which is refused:")
            if not try_scenarios(statistics, REFUSED):
                problems.append("what is refused would do no harm: allow it")
    print(f"{measure.seconds:.0f} s (at most {LIMIT_SECONDS})")
    if measure.seconds > LIMIT_SECONDS:
        problems.append(f"{measure.seconds:.0f} s, more than {LIMIT_SECONDS}")
    finish(problems)


if __name__ == "__main__":
    main()
