import random

from odoo.tests import BaseCase, tagged

from ..tools import statistics
from ..tools.statistics import Sample

# Newcombe (1998), table II, method 10: two groups, and the 95 % interval.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000)),
]
# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in
# Medicine 17 (1998), 857-872, table I, method 3.
WILSON = [
    ((81, 263), (0.2553, 0.3662)),
    ((15, 148), (0.0624, 0.1605)),
    ((0, 20), (0.0000, 0.1611)),
    ((1, 29), (0.0061, 0.1718)),
]
# Any table of Student's distribution: probability, degrees of freedom, quantile.
STUDENT = [
    (0.975, 1, 12.706),
    (0.95, 2, 2.920),
    (0.995, 7, 3.499),
    (0.975, 10, 2.228),
    (0.975, 30, 2.042),
    (0.975, 120, 1.980),
    (0.025, 10, -2.228),
]
# Fleiss, Levin and Paik, table A.4, without the correction: shares, size of each group.
NEEDED = [((0.25, 0.2), 1094), ((0.6, 0.5), 388)]


@tagged("post_install", "-at_install")
class TestStatistics(BaseCase):
    """Against what was published, and against shops whose truth is known."""

    def test_published_intervals(self):
        for groups, expected in NEWCOMBE:
            with self.subTest(groups=groups):
                found = statistics.newcombe(*groups)
                for value, published in zip(found[1:], expected, strict=True):
                    self.assertAlmostEqual(value, published, 4)
        for group, expected in WILSON:
            with self.subTest(group=group):
                found = statistics.wilson(*group)
                for value, published in zip(found[1:], expected, strict=True):
                    self.assertAlmostEqual(value, published, 4)

    def test_published_quantiles(self):
        for probability, freedom, expected in STUDENT:
            found = statistics.student_quantile(probability, freedom)
            self.assertAlmostEqual(found, expected, 3)

    def test_published_sizes(self):
        for shares, expected in NEEDED:
            self.assertEqual(statistics.needed_control(*shares, 1), expected)
        self.assertIsNone(statistics.needed_control(0.2, 0.2, 1))

    def test_more_who_are_treated_need_fewer_controls(self):
        sizes = [statistics.needed_control(0.2, 0.15, ratio) for ratio in (1, 4, 9)]
        self.assertEqual(sizes, sorted(sizes, reverse=True))

    def test_the_same_the_other_way_round(self):
        there = statistics.newcombe(30, 100, 20, 90)
        back = statistics.newcombe(20, 90, 30, 100)
        self.assertAlmostEqual(there.low, -back.high)
        self.assertAlmostEqual(there.high, -back.low)

    def test_nobody_differs(self):
        same = Sample(10, 5.0, 0.0)
        self.assertEqual(statistics.welch(same, same), (0.0, 0.0, 0.0))

    def _simulate(self, trials, attempt):
        """How often an interval holds the truth."""
        dice = random.Random(1998)
        held = sum(
            low <= truth <= high
            for low, high, truth in (attempt(dice) for _trial in range(trials))
        )
        return held / trials

    def test_coverage_of_shares(self):
        """Nine of ten people written to, few of whom buy: as in a real shop."""

        def attempt(dice):
            treated = sum(dice.random() < 0.14 for _person in range(450))
            control = sum(dice.random() < 0.10 for _person in range(50))
            _estimate, low, high = statistics.newcombe(treated, 450, control, 50)
            return low, high, 0.04

        held = self._simulate(1500, attempt)
        self.assertGreater(held, 0.93)
        self.assertLess(held, 0.98)

    def test_coverage_of_revenue(self):
        """Most people spend nothing, a few a lot: half a normal is far from that."""

        def spend(dice, share, count):
            amounts = [
                dice.lognormvariate(4, 0.8) if dice.random() < share else 0.0
                for _person in range(count)
            ]
            mean = sum(amounts) / count
            spread = sum((amount - mean) ** 2 for amount in amounts) / (count - 1)
            return Sample(count, mean, spread)

        # The mean of a lognormal: exp(mu + sigma² / 2).
        truth = (0.20 - 0.15) * 75.18863

        def attempt(dice):
            interval = statistics.welch(spend(dice, 0.20, 900), spend(dice, 0.15, 300))
            return interval.low, interval.high, truth

        held = self._simulate(400, attempt)
        self.assertGreater(held, 0.92)

    def test_too_few(self):
        self.assertFalse(statistics.is_enough(3, 100))
        self.assertFalse(statistics.is_enough(8, 16))
        self.assertFalse(statistics.is_enough(98, 100))
        self.assertTrue(statistics.is_enough(8, 100))
