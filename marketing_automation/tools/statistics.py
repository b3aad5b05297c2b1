"""What figures of two groups of people can tell, and how sure it is.

Plain Python. Every method names its source; the tests compare with published examples
and count, over simulated shops, how often the intervals hold the truth.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
# How sure one wants to be of seeing a difference that is there.
POWER = 0.8
# Of fewer in either group nothing is said: a normal share is no description of them.
FEWEST = 20
# Fewer of either outcome say as little, however large the group (a rule of thumb for
# the normal approximation; Agresti, "Categorical Data Analysis", 2nd ed., 1.4.1).
FEWEST_OUTCOMES = 5


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
    parts = [sample.variance / sample.count for sample in (first, second)]
    spread = sum(parts)
    if not spread:
        return Interval(difference, difference, difference)
    # Satterthwaite's degrees of freedom.
    freedom = spread**2 / sum(
        part**2 / (sample.count - 1)
        for part, sample in zip(parts, (first, second), strict=True)
    )
    reach = student_quantile((1 + confidence) / 2, freedom) * math.sqrt(spread)
    return Interval(difference, difference - reach, difference + reach)


def needed_control(share, other_share, ratio, confidence=CONFIDENCE, power=POWER):
    """Return how large a control group shows a difference between two shares.

    The normal approximation with groups of different size: J. L. Fleiss, B. Levin and
    M. C. Paik, "Statistical Methods for Rates and Proportions", 3rd ed., 4.2, without
    the correction for continuity.

    :param float share: expected in the treated group
    :param float other_share: expected in the control group
    :param float ratio: how many are treated for each one in the control group
    :param float confidence: of 1, two-sided
    :param float power: how sure one wants to be of seeing it
    :return: people in the control group; None where there is no difference to see
    :rtype: int | None
    """
    difference = abs(share - other_share)
    if not difference:
        return None
    normal = NormalDist()
    z_alpha = normal.inv_cdf((1 + confidence) / 2)
    z_beta = normal.inv_cdf(power)
    pooled = (ratio * share + other_share) / (ratio + 1)
    under_equality = z_alpha * math.sqrt((ratio + 1) * pooled * (1 - pooled) / ratio)
    under_difference = z_beta * math.sqrt(
        share * (1 - share) / ratio + other_share * (1 - other_share)
    )
    return math.ceil(((under_equality + under_difference) / difference) ** 2)


def is_enough(successes, count):
    """Whether a group is large enough to say anything about a share.

    :param int successes: how many did it
    :param int count: of how many
    :rtype: bool
    """
    return count >= FEWEST and min(successes, count - successes) >= FEWEST_OUTCOMES


# === STUDENT'S DISTRIBUTION ===#


def student_quantile(probability, freedom):
    """Return the quantile of Student's t distribution.

    :param float probability: between 0 and 1
    :param float freedom: degrees of freedom, above 0
    :rtype: float
    """
    if probability < 0.5:
        return -student_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while student_cdf(high, freedom) < probability:
        low, high = high, high * 2
    for _step in range(80):
        middle = (low + high) / 2
        if student_cdf(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def student_cdf(value, freedom):
    """Return the probability of at most ``value``.

    M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 26.7.1.

    :param float value: not negative
    :param float freedom: degrees of freedom, above 0
    :rtype: float
    """
    tail = incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5)
    return 1 - tail / 2


def incomplete_beta(x, a, b):
    """Return the regularized incomplete beta function.

    The continued fraction 26.5.8 of Abramowitz and Stegun, worked out by the method of
    W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using
    continued fractions", Applied Optics 15 (1976), 668-671.

    :param float x: between 0 and 1
    :param float a: above 0
    :param float b: above 0
    :rtype: float
    """
    if x in (0, 1):
        return float(x)
    # The fraction converges fast below the mean of the distribution.
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    factor = math.exp(
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
    )
    return factor / (a * _fraction(x, a, b))


def _fraction(x, a, b):
    """The continued fraction 1 + d1/(1 + d2/(1 + …)) of the function above."""
    tiny = 1e-300
    value, above, below = 1.0, 1.0, 0.0
    for step in range(1, 500):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + step))
        else:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        below = 1 / ((1 + term * below) or tiny)
        above = (1 + term / above) or tiny
        change = above * below
        value *= change
        if abs(change - 1) < 1e-14:
            break
    return value
