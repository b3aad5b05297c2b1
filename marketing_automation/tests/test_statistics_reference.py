"""Agreement with scipy and statsmodels, which only the tests need."""

import itertools
import math
import os
import random
from unittest import SkipTest

from odoo.tests import BaseCase, tagged

from ..tools import statistics
from ..tools.statistics import Plan, Sample

SHARES = (0.001, 0.02, 0.2, 0.5, 0.97)
SIZES = (40, 1000, 250_000)
CONFIDENCES = (0.8, 0.95, 0.99)


@tagged("post_install", "-at_install")
class TestStatisticsReference(BaseCase):
    """Every figure agrees to nine digits, however small it is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # One thread: many of them reserve more memory than Odoo allows itself.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        try:
            import numpy
            import scipy.stats
            import statsmodels.stats.api
        except ImportError:
            raise SkipTest("needs scipy and statsmodels")
        cls.numpy = numpy
        cls.scipy = scipy.stats
        cls.statsmodels = statsmodels.stats.api

    def assertAgrees(self, found, expected, scale=0.0):
        """Assert nine digits, or nine digits of a scale for what may be near zero."""
        self.assertTrue(
            math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9 * scale),
            f"{found!r} is not {expected!r}",
        )

    def _get_pairs(self):
        """Two groups, of many sizes and shares."""
        sides = [
            (round(share * size), size)
            for share, size in itertools.product(SHARES, SIZES)
        ]
        return itertools.product(sides, sides)

    def _get_samples(self):
        return [
            Sample(*values)
            for values in itertools.product(
                (2, 30, 999, 1_000_000), (0.0, 0.4, 75.2), (1e-6, 3.0, 90_000.0)
            )
        ]

    # === DISTRIBUTIONS ===#

    def test_chi_square_tail(self):
        for freedom in range(1, 12):
            for value in (0.0, 1e-9, 0.01, 0.5, 1.0, 3.84, 12.0, 77.7, 400.0, 1300.0):
                with self.subTest(freedom=freedom, value=value):
                    self.assertAgrees(
                        statistics.chi_square_tail(value, freedom),
                        self.scipy.chi2.sf(value, freedom),
                    )

    def test_student_tails(self):
        for freedom in (1, 1.7, 5, 19.9, 41, 300.3, 12_345, 2_000_000):
            for value in (0.0, 1e-6, 0.3, 1.0, 1.7, 1.8, 1.96, 4.0, 12.0, 35.0):
                with self.subTest(freedom=freedom, value=value):
                    self.assertAgrees(
                        statistics.student_tails(value, freedom),
                        2 * self.scipy.t.sf(value, freedom),
                    )

    def test_student_quantile(self):
        for freedom in (1, 2.5, 8, 30, 400.5, 1_000_000):
            for probability in (0.01, 0.3, 0.6, 0.9, 0.975, 0.995, 0.9999):
                with self.subTest(freedom=freedom, probability=probability):
                    self.assertAgrees(
                        statistics.student_quantile(probability, freedom),
                        self.scipy.t.ppf(probability, freedom),
                    )

    def test_incomplete_beta(self):
        from scipy.special import betainc

        for a, b in itertools.product((0.5, 1, 3.3, 25, 180), repeat=2):
            for x in (1e-9, 0.01, 0.3, 0.5, 0.9, 0.9999):
                with self.subTest(x=x, a=a, b=b):
                    self.assertAgrees(
                        statistics.incomplete_beta(x, a, b), betainc(a, b, x)
                    )

    # === TESTS ===#

    def test_chi_square(self):
        dice = random.Random(5)
        for count, share in itertools.product((2, 3, 4, 5), SHARES):
            for size in (20, 900, 300_000):
                groups = [
                    (
                        min(max(round(share * size) + dice.randint(-3, 3), 1), size),
                        size + place,
                    )
                    for place in range(count)
                ]
                with self.subTest(groups=groups):
                    expected = self.scipy.chi2_contingency(
                        [[done, people - done] for done, people in groups],
                        correction=False,
                    )
                    value, p_value = statistics.chi_square(groups)
                    self.assertAgrees(value, expected.statistic, 1e-3)
                    self.assertAgrees(p_value, expected.pvalue)

    def test_chi_square_of_two(self):
        for (done, size), (other_done, other_size) in self._get_pairs():
            groups = [(done, size), (other_done, other_size)]
            if not 0 < done + other_done < size + other_size:
                self.assertEqual(statistics.chi_square(groups), (0.0, 1.0))
                continue
            with self.subTest(groups=groups):
                _value, expected, _table = self.statsmodels.proportions_chisquare(
                    [done, other_done], [size, other_size]
                )
                self.assertAgrees(statistics.chi_square(groups)[1], expected)

    def test_fisher(self):
        sizes = (1, 2, 5, 8, 13)
        for size, other_size in itertools.product(sizes, repeat=2):
            for done in range(size + 1):
                for other_done in range(other_size + 1):
                    self._check_fisher(done, size, other_done, other_size)

    def test_fisher_in_large_groups(self):
        for size, other_size in itertools.product((40, 1000, 50_000), repeat=2):
            for done, other_done in ((0, 3), (3, 9), (9, 3), (1, 38), (38, 40)):
                self._check_fisher(done, size, other_done, other_size)

    def _check_fisher(self, *counts):
        done, size, other_done, other_size = counts
        with self.subTest(counts=counts):
            table = [[done, size - done], [other_done, other_size - other_done]]
            self.assertAgrees(
                statistics.fisher(*counts), self.scipy.fisher_exact(table).pvalue
            )

    def test_method_by_what_is_expected(self):
        for counts, method in (
            ((3, 100, 6, 100), "fisher"),
            ((4, 100, 6, 100), "chi_square"),
            ((97, 100, 94, 100), "fisher"),
            ((30, 1000, 0, 10), "fisher"),
        ):
            with self.subTest(counts=counts):
                found, p_value = statistics.compare_shares(*counts)
                self.assertEqual(found, method)
                expected = (
                    statistics.fisher(*counts)
                    if method == "fisher"
                    else statistics.chi_square([counts[:2], counts[2:]])[1]
                )
                self.assertEqual(p_value, expected)

    def test_welch(self):
        for first, second in itertools.product(self._get_samples(), repeat=2):
            with self.subTest(first=first, second=second):
                expected = self.scipy.ttest_ind_from_stats(
                    first.mean,
                    math.sqrt(first.variance),
                    first.count,
                    second.mean,
                    math.sqrt(second.variance),
                    second.count,
                    equal_var=False,
                )
                self.assertAgrees(
                    statistics.compare_means(first, second), expected.pvalue
                )

    def test_holm(self):
        dice = random.Random(7)
        for count in range(1, 5):
            for _trial in range(10):
                p_values = [dice.random() ** 4 for _place in range(count)]
                p_values[-1] = p_values[0]
                expected = self.statsmodels.multipletests(p_values, method="holm")[1]
                for found, value in zip(
                    statistics.holm(p_values), expected, strict=True
                ):
                    self.assertAgrees(found, value)

    # === INTERVALS ===#

    def test_interval_of_a_share(self):
        for share, size, confidence in itertools.product(SHARES, SIZES, CONFIDENCES):
            done = round(share * size)
            with self.subTest(done=done, size=size, confidence=confidence):
                expected = self.statsmodels.proportion_confint(
                    done, size, 1 - confidence, "wilson"
                )
                found = statistics.wilson(done, size, confidence)
                for value, limit in zip(found[1:], expected, strict=True):
                    self.assertAgrees(value, limit, 1e-6)

    def test_interval_of_a_difference_of_shares(self):
        for (first, second), confidence in itertools.product(
            self._get_pairs(), CONFIDENCES
        ):
            with self.subTest(first=first, second=second, confidence=confidence):
                expected = self.statsmodels.confint_proportions_2indep(
                    *first, *second, method="newcomb", alpha=1 - confidence
                )
                found = statistics.newcombe(*first, *second, confidence)
                for value, limit in zip(found[1:], expected, strict=True):
                    self.assertAgrees(value, limit, 1e-3)

    def test_intervals_of_amounts(self):
        dice = random.Random(3)
        for size, other_size, share in itertools.product(
            (12, 400), (30, 900), (0.2, 0.9)
        ):
            amounts, others = (
                [
                    dice.lognormvariate(4, 1.2) if dice.random() < share else 0.0
                    for _person in range(people)
                ]
                for people in (size, other_size)
            )
            first, second = self._describe(amounts), self._describe(others)
            samples = [
                Sample(size, float(d.mean), float(d.var_ddof(1)))
                for size, d in ((size, first), (other_size, second))
            ]
            compared = self.statsmodels.CompareMeans(first, second)
            for confidence in CONFIDENCES:
                with self.subTest(size=size, share=share, confidence=confidence):
                    for found, expected in (
                        (
                            statistics.welch(*samples, confidence),
                            compared.tconfint_diff(1 - confidence, usevar="unequal"),
                        ),
                        (
                            statistics.mean_interval(samples[0], confidence),
                            first.tconfint_mean(1 - confidence),
                        ),
                    ):
                        for value, limit in zip(found[1:], expected, strict=True):
                            self.assertAgrees(value, limit, 1.0)

    def _describe(self, amounts):
        return self.statsmodels.DescrStatsW(self.numpy.array(amounts))

    # === PLANNING ===#

    def test_people_for_a_difference_of_shares(self):
        for share, rise, ratio in itertools.product(
            (0.005, 0.1, 0.6), (0.001, 0.03, -0.004), (0.5, 1.0, 9.0)
        ):
            for confidence, power in ((0.95, 0.8), (0.99, 0.9)):
                with self.subTest(share=share, rise=rise, ratio=ratio):
                    # The reference counts the other group, at the inverse ratio.
                    expected = self.statsmodels.samplesize_proportions_2indep_onetail(
                        -rise,
                        share + rise,
                        power,
                        ratio=ratio,
                        alpha=1 - confidence,
                    )
                    found = statistics.needed_control(
                        share + rise, share, ratio, confidence, power
                    )
                    self.assertEqual(found, math.ceil(expected))

    def test_difference_that_so_many_show(self):
        for share, control, ratio in itertools.product(
            (0.005, 0.1, 0.6), (400, 30_000), (0.5, 1.0, 9.0)
        ):
            plan = Plan(ratio)
            rise = statistics.detectable_share(share, control, plan)
            with self.subTest(share=share, control=control, ratio=ratio):
                needed = statistics.needed_control(share + rise, share, ratio)
                self.assertIn(needed, (control, control + 1))
        self.assertIsNone(statistics.detectable_share(0.5, 3, Plan()))
        self.assertIsNone(statistics.detectable_share(0.5, 0, Plan()))

    def test_people_for_a_difference_of_means(self):
        spread = 40.0
        for effect, ratio in itertools.product((0.02, 0.3), (0.5, 1.0, 4.0)):
            plan = Plan(ratio, 0.95, 0.8)
            with self.subTest(effect=effect, ratio=ratio):
                # One tail: nobody wants to see the difference on the wrong side.
                expected = self.statsmodels.NormalIndPower().solve_power(
                    effect, alpha=0.025, power=0.8, ratio=ratio, alternative="larger"
                )
                needed = statistics.needed_control_mean(effect * spread, spread, plan)
                self.assertEqual(needed, math.ceil(expected))
                shown = statistics.detectable_mean(spread, needed, plan)
                found = self.statsmodels.NormalIndPower().power(
                    shown / spread, needed, 0.025, ratio, "larger"
                )
                self.assertAgrees(found, 0.8)
        self.assertIsNone(statistics.detectable_mean(spread, 0, Plan()))
