"""Agreement with scipy and statsmodels.

What they say is in `statistics_reference.json`; `tools/statistics-reference` writes it,
by running these tests with the two libraries.
"""

import itertools
import json
import math
import pathlib
import random
from statistics import fmean, variance

from odoo.tests import BaseCase, tagged

from ..tools import statistics
from ..tools.statistics import Plan, Sample

REFERENCE = pathlib.Path(__file__).with_name("statistics_reference.json")
SHARES = (0.001, 0.02, 0.2, 0.5, 0.97)
SIZES = (40, 1000, 250_000)
CONFIDENCES = (0.8, 0.95, 0.99)


class Reference:
    """What the libraries say, as it was written down.

    :param dict values: by name of the question, a list of its arguments and answer
    """

    def __init__(self, values):
        self._answers = {
            self._key(name, arguments): answer
            for name, cases in values.items()
            for arguments, answer in cases
        }

    @classmethod
    def load(cls):
        return cls(json.loads(REFERENCE.read_text()))

    @staticmethod
    def _key(name, arguments):
        return json.dumps([name, *arguments])

    def ask(self, name, *arguments):
        """Return the answer of the libraries.

        :raises AssertionError: if they were never asked this
        """
        try:
            return self._answers[self._key(name, arguments)]
        except KeyError:
            raise AssertionError(
                f"{name}{arguments} is not in {REFERENCE.name}:"
                " run tools/statistics-reference"
            )


def draw_amounts():
    """Return what people of two groups spent, in several pairs of groups.

    :return: by sizes and the share of those who spent anything
    :rtype: dict[tuple, tuple[list, list]]
    """
    dice = random.Random(3)
    return {
        (size, other_size, share): tuple(
            [
                dice.lognormvariate(4, 1.2) if dice.random() < share else 0.0
                for _person in range(people)
            ]
            for people in (size, other_size)
        )
        for size, other_size, share in itertools.product(
            (12, 400), (30, 900), (0.2, 0.9)
        )
    }


@tagged("post_install", "-at_install")
class TestStatisticsReference(BaseCase):
    """Every figure agrees to nine digits, however small it is."""

    # Another one while the answers are written down.
    make_reference = Reference.load

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls.make_reference()

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
                        self.reference.ask("chi-square tail", value, freedom),
                    )

    def test_student_tails(self):
        for freedom in (1, 1.7, 5, 19.9, 41, 300.3, 12_345, 2_000_000):
            for value in (0.0, 1e-6, 0.3, 1.0, 1.7, 1.8, 1.96, 4.0, 12.0, 35.0):
                with self.subTest(freedom=freedom, value=value):
                    self.assertAgrees(
                        statistics.student_tails(value, freedom),
                        self.reference.ask("t tails", value, freedom),
                    )

    def test_student_quantile(self):
        for freedom in (1, 2.5, 8, 30, 400.5, 1_000_000):
            for probability in (0.01, 0.3, 0.6, 0.9, 0.975, 0.995, 0.9999):
                with self.subTest(freedom=freedom, probability=probability):
                    self.assertAgrees(
                        statistics.student_quantile(probability, freedom),
                        self.reference.ask("t quantile", probability, freedom),
                    )

    def test_incomplete_beta(self):
        for a, b in itertools.product((0.5, 1, 3.3, 25, 180), repeat=2):
            for x in (1e-9, 0.01, 0.3, 0.5, 0.9, 0.9999):
                with self.subTest(x=x, a=a, b=b):
                    self.assertAgrees(
                        statistics.incomplete_beta(x, a, b),
                        self.reference.ask("incomplete beta", a, b, x),
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
                    expected = self.reference.ask("chi-square", groups)
                    value, p_value = statistics.chi_square(groups)
                    self.assertAgrees(value, expected[0], 1e-3)
                    self.assertAgrees(p_value, expected[1])

    def test_chi_square_of_two(self):
        for (done, size), (other_done, other_size) in self._get_pairs():
            groups = [(done, size), (other_done, other_size)]
            if not 0 < done + other_done < size + other_size:
                self.assertEqual(statistics.chi_square(groups), (0.0, 1.0))
                continue
            with self.subTest(groups=groups):
                self.assertAgrees(
                    statistics.chi_square(groups)[1],
                    self.reference.ask("chi-square of two", groups),
                )

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
        with self.subTest(counts=counts):
            self.assertAgrees(
                statistics.fisher(*counts), self.reference.ask("fisher", *counts)
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
                self.assertAgrees(
                    statistics.compare_means(first, second),
                    self.reference.ask("welch", list(first), list(second)),
                )

    def test_holm(self):
        dice = random.Random(7)
        for count in range(1, 5):
            for _trial in range(10):
                p_values = [dice.random() ** 4 for _place in range(count)]
                p_values[-1] = p_values[0]
                expected = self.reference.ask("holm", p_values)
                for found, value in zip(
                    statistics.holm(p_values), expected, strict=True
                ):
                    self.assertAgrees(found, value)

    # === INTERVALS ===#

    def test_interval_of_a_share(self):
        for share, size, confidence in itertools.product(SHARES, SIZES, CONFIDENCES):
            done = round(share * size)
            with self.subTest(done=done, size=size, confidence=confidence):
                expected = self.reference.ask("wilson", done, size, confidence)
                found = statistics.wilson(done, size, confidence)
                for value, limit in zip(found[1:], expected, strict=True):
                    self.assertAgrees(value, limit, 1e-6)

    def test_interval_of_a_difference_of_shares(self):
        for (first, second), confidence in itertools.product(
            self._get_pairs(), CONFIDENCES
        ):
            with self.subTest(first=first, second=second, confidence=confidence):
                expected = self.reference.ask("newcombe", *first, *second, confidence)
                found = statistics.newcombe(*first, *second, confidence)
                for value, limit in zip(found[1:], expected, strict=True):
                    self.assertAgrees(value, limit, 1e-3)

    def test_intervals_of_amounts(self):
        for group, amounts in draw_amounts().items():
            samples = [Sample(len(a), fmean(a), variance(a)) for a in amounts]
            for confidence in CONFIDENCES:
                with self.subTest(group=group, confidence=confidence):
                    difference, mean = self.reference.ask(
                        "amounts", list(group), confidence
                    )
                    for found, expected in (
                        (statistics.welch(*samples, confidence), difference),
                        (statistics.mean_interval(samples[0], confidence), mean),
                    ):
                        for value, limit in zip(found[1:], expected, strict=True):
                            self.assertAgrees(value, limit, 1.0)

    # === PLANNING ===#

    def test_people_for_a_difference_of_shares(self):
        for share, rise, ratio in itertools.product(
            (0.005, 0.1, 0.6), (0.001, 0.03, -0.004), (0.5, 1.0, 9.0)
        ):
            for confidence, power in ((0.95, 0.8), (0.99, 0.9)):
                with self.subTest(share=share, rise=rise, ratio=ratio):
                    expected = self.reference.ask(
                        "people for shares", share, rise, ratio, confidence, power
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
                expected = self.reference.ask("people for means", effect, ratio)
                needed = statistics.needed_control_mean(effect * spread, spread, plan)
                self.assertEqual(needed, math.ceil(expected))
                shown = statistics.detectable_mean(spread, needed, plan)
                found = self.reference.ask(
                    "power for means", round(shown / spread, 13), needed, ratio
                )
                self.assertAgrees(found, 0.8)
        self.assertIsNone(statistics.detectable_mean(spread, 0, Plan()))
