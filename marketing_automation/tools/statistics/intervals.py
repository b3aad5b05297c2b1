"""Between which values a share, or a difference of two groups, is expected."""

import math
from statistics import NormalDist
from typing import NamedTuple

from .constants import CONFIDENCE
from .distributions import student_quantile


class Interval(NamedTuple):
    """An estimate, and between which values the truth is expected.

    :param estimate: the best guess
    :param low: the lower end
    :param high: the upper end
    """

    estimate: float
    low: float
    high: float

    def scale(self, factor):
        """Return the same of ``factor`` as many.

        :param float factor: not negative
        :rtype: Interval
        """
        return Interval(*(value * factor for value in self))

    @property
    def is_clear(self):
        """Whether all of it lies on one side of zero."""
        return self.low > 0 or self.high < 0


class Sample(NamedTuple):
    """Amounts of a group, as far as they matter here.

    :param count: number of people
    :param mean: of their amounts
    :param variance: of their amounts, with ``count - 1`` in the denominator
    """

    count: int
    mean: float
    variance: float


def wilson(successes, count, confidence=CONFIDENCE):
    """Return the score interval of a share.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
    Inference", Journal of the American Statistical Association 22 (1927), 209-212.

    :param int successes: how many did it
    :param int count: of how many, at least 1
    :param float confidence: of 1, two-sided
    :return: shares of 1
    :rtype: Interval
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / count
    middle = 2 * successes + z * z
    reach = z * math.sqrt(z * z + 4 * successes * (1 - share))
    whole = 2 * (count + z * z)
    low = (middle - reach) / whole if successes else 0.0
    high = (middle + reach) / whole if successes < count else 1.0
    return Interval(share, low, high)


def newcombe(successes, count, other_successes, other_count, confidence=CONFIDENCE):
    """Return the interval of the difference between two independent shares.

    Method 10 (hybrid score) of R. G. Newcombe, "Interval Estimation for the Difference
    Between Independent Proportions: Comparison of Eleven Methods", Statistics in
    Medicine 17 (1998), 873-890. It holds what it promises also of small groups and rare
    outcomes, where the usual one does not.

    :param int successes: in the first group
    :param int count: size of the first group, at least 1
    :param int other_successes: in the second group
    :param int other_count: size of the second group, at least 1
    :param float confidence: of 1, two-sided
    :return: share of the first less that of the second
    :rtype: Interval
    """
    first = wilson(successes, count, confidence)
    second = wilson(other_successes, other_count, confidence)
    difference = first.estimate - second.estimate
    below = math.hypot(first.estimate - first.low, second.high - second.estimate)
    above = math.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(difference, difference - below, difference + above)


def welch(first, second, confidence=CONFIDENCE):
    """Return the interval of the difference between two means.

    B. L. Welch, "The Generalization of Student's Problem when Several Different
    Population Variances are Involved", Biometrika 34 (1947), 28-35: the groups differ
    in size and spread, and nothing is assumed about either. Amounts of orders are far
    from normal (most people spend nothing); with hundreds in each group their means are
    not, which a simulation in the tests shows.

    :param Sample first: at least 2 people
    :param Sample second: at least 2 people
    :param float confidence: of 1, two-sided
    :return: mean of the first less that of the second
    :rtype: Interval
    """
    difference = first.mean - second.mean
    error, freedom = standard_error(first, second)
    if not error:
        return Interval(difference, difference, difference)
    reach = student_quantile((1 + confidence) / 2, freedom) * error
    return Interval(difference, difference - reach, difference + reach)


def standard_error(first, second):
    """Return how much the difference of two means varies by chance.

    F. E. Satterthwaite, "An Approximate Distribution of Estimates of Variance
    Components", Biometrics Bulletin 2 (1946), 110-114.

    :param Sample first: at least 2 people
    :param Sample second: at least 2 people
    :return: standard error, and its degrees of freedom; 0 and None where all are alike
    :rtype: tuple[float, float | None]
    """
    parts = [sample.variance / sample.count for sample in (first, second)]
    spread = sum(parts)
    if not spread:
        return 0.0, None
    # Shares of the spread, so that the smallest amounts have a square as well.
    freedom = 1 / sum(
        (part / spread) ** 2 / (sample.count - 1)
        for part, sample in zip(parts, (first, second), strict=True)
    )
    return math.sqrt(spread), freedom


def mean_interval(sample, confidence=CONFIDENCE):
    """Return the interval of a mean.

    Student, "The Probable Error of a Mean", Biometrika 6 (1908), 1-25.

    :param Sample sample: of at least 2 people
    :param float confidence: of 1, two-sided
    :rtype: Interval
    """
    quantile = student_quantile((1 + confidence) / 2, sample.count - 1)
    reach = quantile * math.sqrt(sample.variance / sample.count)
    return Interval(sample.mean, sample.mean - reach, sample.mean + reach)
