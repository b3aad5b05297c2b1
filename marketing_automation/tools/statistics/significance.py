"""How often chance alone makes as large a difference (p-values)."""

import math
from fractions import Fraction

from .distributions import chi_square_tail, student_tails
from .intervals import standard_error

# Below this many expected in any cell the distribution of chi-square is no description
# any more (W. G. Cochran, "Some Methods for Strengthening the Common Chi-Square
# Tests", Biometrics 10 (1954), 417-451).
FEWEST_EXPECTED = 5


def chi_square(groups):
    """Test whether groups differ in a share: Pearson's chi-square, uncorrected.

    K. Pearson, Philosophical Magazine 50 (1900), 157-175, with the degrees of freedom
    of R. A. Fisher, Journal of the Royal Statistical Society 85 (1922), 87-94. Yates's
    correction is left out: it makes the test miss more than chance requires.

    :param list groups: pairs (how many did it, of how many), at least two
    :return: chi-square, and the probability of so much by chance
    :rtype: tuple[float, float]
    """
    successes = sum(done for done, _count in groups)
    people = sum(count for _done, count in groups)
    failures = people - successes
    if not successes or not failures:
        return 0.0, 1.0
    # Both cells of a group are off by the same number of people.
    value = sum(
        (done * people - count * successes) ** 2 / count for done, count in groups
    ) / (successes * failures)
    return value, chi_square_tail(value, len(groups) - 1)


def fisher(successes, count, other_successes, other_count):
    """Test whether two groups differ in a share: Fisher's exact test, two-sided.

    R. A. Fisher, Journal of the Royal Statistical Society 98 (1935), 39-54. Counted are
    all tables with the same sums that are no more probable than the one there is, in
    whole numbers: what is equally probable is found to be so.

    :param int successes: in the first group
    :param int count: size of the first group
    :param int other_successes: in the second group
    :param int other_count: size of the second group
    :rtype: float
    """
    done, people = successes + other_successes, count + other_count
    cells = [
        [successes, other_successes],
        [count - successes, other_count - other_successes],
    ]
    # The table is turned so that its smallest sum is counted through.
    if people - done < done:
        cells.reverse()
    if other_count < count:
        cells = [row[::-1] for row in cells]
    rows, columns = (
        [sum(row) for row in cells],
        [sum(c) for c in zip(*cells, strict=True)],
    )
    if columns[0] < rows[0]:
        rows, columns = columns, rows
    ways = _ways(rows[0], columns)
    seen = ways[cells[0][0]]
    return float(Fraction(sum(way for way in ways if way <= seen), sum(ways)))


def _ways(chosen, columns):
    """In how many ways 0, 1, 2 … of the chosen ones fall into the first column."""
    first, second = columns
    ways = [math.comb(second, chosen)]
    for inside in range(chosen):
        outside = chosen - inside
        ways.append(
            ways[-1]
            * ((first - inside) * outside)
            // ((inside + 1) * (second - outside + 1))
        )
    return ways


def compare_shares(successes, count, other_successes, other_count):
    """Test whether two groups differ in a share, by the method that suits them.

    :param int successes: in the first group
    :param int count: size of the first group, at least 1
    :param int other_successes: in the second group
    :param int other_count: size of the second group, at least 1
    :return: ``chi_square`` or ``fisher``, and the probability of so much by chance
    :rtype: tuple[str, float]
    """
    done, people = successes + other_successes, count + other_count
    expected = min(done, people - done) * min(count, other_count) / people
    if expected < FEWEST_EXPECTED:
        return "fisher", fisher(successes, count, other_successes, other_count)
    groups = [(successes, count), (other_successes, other_count)]
    return "chi_square", chi_square(groups)[1]


def compare_means(first, second):
    """Test whether two groups differ in their mean: Welch's t-test, two-sided.

    B. L. Welch, Biometrika 34 (1947), 28-35, see :func:`.intervals.welch`.

    :param Sample first: at least 2 people
    :param Sample second: at least 2 people
    :return: the probability of so much by chance
    :rtype: float
    """
    error, freedom = standard_error(first, second)
    difference = first.mean - second.mean
    if not error:
        return 0.0 if difference else 1.0
    return student_tails(difference / error, freedom)


def holm(p_values):
    """Correct for looking at several differences at once.

    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
    Journal of Statistics 6 (1979), 65-70: the probability that chance makes any
    of them stays below the level, whatever they have to do with each other.

    :param list p_values: one a comparison
    :return: the corrected ones, in the same order
    :rtype: list[float]
    """
    corrected = [0.0] * len(p_values)
    worst = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for place, index in enumerate(order):
        worst = max(worst, (len(p_values) - place) * p_values[index])
        corrected[index] = min(worst, 1.0)
    return corrected
