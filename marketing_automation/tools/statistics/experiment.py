"""Which of several variants is better than the control, if any: looked at once."""

from typing import NamedTuple

from .constants import CONFIDENCE, FEWEST_OUTCOMES
from .intervals import Sample, mean_interval, newcombe, welch, wilson
from .significance import (
    FEWEST_EXPECTED,
    chi_square,
    compare_means,
    compare_shares,
    holm,
)

# Variants that lost different shares of their people before sending are not compared:
# what tilted them is not chance. The level is that of R. Kohavi, D. Tang and Y. Xu,
# "Trustworthy Online Controlled Experiments", Cambridge 2020, chapter 21.
UNEVEN_LEVEL = 0.001


class Group(NamedTuple):
    """What came of one variant.

    :param count: people it was sent to
    :param successes: how many of them did it
    :param amounts: what they spent, of those who bought nothing too; None where shares
        are compared
    """

    count: int
    successes: int
    amounts: Sample | None = None

    def get_interval(self, confidence=CONFIDENCE):
        """Return the share, or the amount per person, with its interval.

        :param float confidence: of 1, two-sided
        :return: None where there is nobody to say it of
        :rtype: Interval | None
        """
        if self.amounts:
            return mean_interval(self.amounts, confidence) if self.count > 1 else None
        return wilson(self.successes, self.count, confidence) if self.count else None

    @property
    def value(self):
        """Share, or amount per person; 0 of nobody."""
        if self.amounts:
            return self.amounts.mean
        return self.successes / self.count if self.count else 0.0


class Comparison(NamedTuple):
    """A variant beside the control.

    :param method: ``chi_square``, ``fisher``, ``welch``, or ``too_few``: not compared
    :param p_value: how often chance makes as much, corrected for several variants
    """

    method: str
    p_value: float


class Verdict(NamedTuple):
    """What an experiment says.

    :param comparisons: one a group, None for the control itself
    :param winner: place of the group that is surely better, None if none is
    :param best: place of the group that did best, sure or not
    """

    comparisons: list
    winner: int | None
    best: int


def judge(groups, control=0, confidence=CONFIDENCE):
    """Compare variants with the control.

    A variant wins if it is significantly better than the control, of several the one
    that did best; the control wins if all others are significantly worse. With no
    difference at all, any wins with the probability ``1 - confidence`` at most: Holm's
    correction holds it for all comparisons together.

    :param list[Group] groups: two or more
    :param int control: place of the control
    :param float confidence: of 1
    :rtype: Verdict
    """
    others = [place for place in range(len(groups)) if place != control]
    methods, p_values = zip(
        *(_compare(groups[place], groups[control]) for place in others), strict=True
    )
    comparisons = [None] * len(groups)
    for place, *found in zip(others, methods, holm(p_values), strict=True):
        comparisons[place] = Comparison(*found)
    # Where nothing speaks for another one it is the control.
    best = max([control, *others], key=lambda place: groups[place].value)
    return Verdict(
        comparisons, _get_winner(groups, comparisons, control, confidence), best
    )


def get_differences(groups, control=0, confidence=CONFIDENCE):
    """Return how much each variant differs from the control.

    The intervals of all variants hold together (C. E. Bonferroni, 1936).

    :param list[Group] groups: two or more
    :param int control: place of the control
    :param float confidence: of 1
    :return: one a group; None for the control and for what can't be compared
    :rtype: list[Interval | None]
    """
    each = 1 - (1 - confidence) / (len(groups) - 1)
    return [
        _get_difference(group, groups[control], each) if place != control else None
        for place, group in enumerate(groups)
    ]


def _compare(group, control):
    """The method, and the probability of the difference by chance."""
    if not _is_comparable(group, control):
        return "too_few", 1.0
    if group.amounts:
        return "welch", compare_means(group.amounts, control.amounts)
    return compare_shares(
        group.successes, group.count, control.successes, control.count
    )


def _is_comparable(group, control):
    people = min(group.count, control.count)
    if group.amounts:
        buyers = min(group.successes, control.successes)
        return people >= 2 and buyers >= FEWEST_OUTCOMES
    return bool(people)


def _get_difference(group, control, confidence):
    if not _is_comparable(group, control):
        return None
    if group.amounts:
        return welch(group.amounts, control.amounts, confidence)
    return newcombe(
        group.successes, group.count, control.successes, control.count, confidence
    )


def _get_winner(groups, comparisons, control, confidence):
    level = 1 - confidence
    sure = [
        place
        for place, comparison in enumerate(comparisons)
        if comparison and comparison.p_value <= level
    ]
    better = [p for p in sure if groups[p].value > groups[control].value]
    if better:
        return max(better, key=lambda place: groups[place].value)
    return control if len(sure) == len(groups) - 1 else None


def lost_unevenly(assigned, sent):
    """Whether variants lost different shares of their people before sending.

    :param list[int] assigned: people by variant
    :param list[int] sent: to how many of them it was sent
    :rtype: bool
    """
    people, reached = sum(assigned), sum(sent)
    if not people:
        return False
    fewest = min(reached, people - reached) * min(assigned) / people
    # So few tilt nothing.
    if fewest < FEWEST_EXPECTED:
        return False
    return chi_square(list(zip(sent, assigned, strict=True)))[1] < UNEVEN_LEVEL
