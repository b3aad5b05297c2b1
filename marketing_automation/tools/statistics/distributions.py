"""Student's distribution and chi-square's, as exact as floating point allows."""

import math

# From here on Stirling's series is exact to the last digit.
STIRLING_FROM = 20
# The fraction below takes more steps the more degrees of freedom there are; what
# needs more than this is not met with less than a billion people.
MOST_STEPS = 100_000
TINY = 1e-300


def chi_square_tail(value, freedom):
    """Return the probability of more than ``value`` by chance.

    M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 26.4.4 and
    26.4.5: sums with an end, as degrees of freedom are whole numbers.

    :param float value: not negative
    :param int freedom: degrees of freedom, at least 1
    :rtype: float
    """
    is_odd = freedom % 2
    term = math.exp(-value / 2)
    tail = 0.0
    if is_odd:
        term *= math.sqrt(2 * value / math.pi)
        tail = math.erfc(math.sqrt(value / 2))
    for step in range(2 + is_odd, freedom + 1, 2):
        tail += term
        term *= value / step
    return tail


def student_tails(value, freedom):
    """Return the probability of being at least as far from zero by chance.

    Abramowitz and Stegun, 26.7.1.

    :param float value: on either side of zero
    :param float freedom: degrees of freedom, above 0
    :return: of both tails together
    :rtype: float
    """
    square = value * value
    whole = freedom + square
    # Both parts are given: the smaller would be lost in the difference to 1.
    return incomplete_beta(freedom / whole, freedom / 2, 0.5, square / whole)


def student_quantile(probability, freedom):
    """Return the quantile of Student's t distribution.

    :param float probability: between 0 and 1
    :param float freedom: degrees of freedom, above 0
    :rtype: float
    """
    if probability < 0.5:
        return -student_quantile(1 - probability, freedom)
    tails = 2 * (1 - probability)
    low, high = 0.0, 1.0
    while student_tails(high, freedom) > tails:
        low, high = high, high * 2
    for _step in range(80):
        middle = (low + high) / 2
        if student_tails(middle, freedom) > tails:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x, a, b, rest=None):
    """Return the regularized incomplete beta function.

    The continued fraction 26.5.8 of Abramowitz and Stegun, worked out by the method of
    W. J. Lentz, "Generating Bessel functions in Mie scattering calculations using
    continued fractions", Applied Optics 15 (1976), 668-671.

    :param float x: between 0 and 1
    :param float a: above 0
    :param float b: above 0
    :param float rest: 1 - x, if it is known better than the difference
    :rtype: float
    """
    rest = 1 - x if rest is None else rest
    if x == 0 or rest == 0:
        return float(x)
    # The fraction converges fast below the mean of the distribution.
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(rest, b, a, x)
    factor = math.exp(a * _log(x, rest) + b * _log(rest, x) - _log_beta(a, b))
    return factor / (a * _fraction(x, a, b))


def _log(value, rest):
    """Logarithm of a share of 1, of which the rest is known as well."""
    return math.log(value) if value < rest else math.log1p(-rest)


def _log_beta(a, b):
    """Logarithm of the beta function.

    With large parameters the logarithms of gamma are so large themselves that what is
    left of their difference has few digits. So it is taken of Stirling's series
    (Abramowitz and Stegun, 6.1.40), where the large parts cancel by themselves.
    """
    a, b = max(a, b), min(a, b)
    if a < STIRLING_FROM:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    rise = (
        (a + b - 0.5) * math.log1p(b / a)
        + b * math.log(a)
        - b
        + _stirling_rest(a + b)
        - _stirling_rest(a)
    )
    return math.lgamma(b) - rise


def _stirling_rest(value):
    square = value * value
    return (1 - (1 - (2 / 7 - 3 / (14 * square)) / square) / (30 * square)) / (
        12 * value
    )


def _fraction(x, a, b):
    """The continued fraction 1 + d1/(1 + d2/(1 + …)) of the function above."""
    value, above, below = 1.0, 1.0, 0.0
    for step in range(1, MOST_STEPS):
        half = step // 2
        if step % 2:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + step))
        else:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        below = 1 / ((1 + term * below) or TINY)
        above = (1 + term / above) or TINY
        change = above * below
        value *= change
        if abs(change - 1) < 1e-15:
            return value
    raise ArithmeticError(f"No limit of the fraction at {x}, {a}, {b}")
