"""How many people a difference needs, and what difference so many people show.

Normal approximations with groups of different size: J. L. Fleiss, B. Levin and
M. C. Paik, "Statistical Methods for Rates and Proportions", 3rd ed., 4.2 (shares,
without the correction for continuity), and J. Cohen, "Statistical Power Analysis for
the Behavioral Sciences", 2nd ed., 2.4 (means).
"""

import math
from statistics import NormalDist
from typing import NamedTuple

from .constants import CONFIDENCE, POWER


class Plan(NamedTuple):
    """What a comparison is to be sure of.

    :param ratio: how many are treated for each one in the control group
    :param confidence: of 1, two-sided
    :param power: how sure one wants to be of seeing the difference
    """

    ratio: float = 1.0
    confidence: float = CONFIDENCE
    power: float = POWER

    def get_bounds(self):
        """Return the quantiles of the normal distribution for both.

        :rtype: tuple[float, float]
        """
        normal = NormalDist()
        return (normal.inv_cdf((1 + self.confidence) / 2), normal.inv_cdf(self.power))


def needed_control(share, other_share, ratio, confidence=CONFIDENCE, power=POWER):
    """Return how large a control group shows a difference between two shares.

    :param float share: expected in the treated group
    :param float other_share: expected in the control group
    :param float ratio: how many are treated for each one in the control group
    :param float confidence: of 1, two-sided
    :param float power: how sure one wants to be of seeing it
    :return: people in the control group; None where there is no difference to see
    :rtype: int | None
    """
    if share == other_share:
        return None
    return math.ceil(_needed(share, other_share, Plan(ratio, confidence, power)))


def _needed(share, other_share, plan):
    ratio = plan.ratio
    z_alpha, z_beta = plan.get_bounds()
    pooled = (ratio * share + other_share) / (ratio + 1)
    under_equality = z_alpha * math.sqrt((ratio + 1) * pooled * (1 - pooled) / ratio)
    under_difference = z_beta * math.sqrt(
        share * (1 - share) / ratio + other_share * (1 - other_share)
    )
    return ((under_equality + under_difference) / (share - other_share)) ** 2


def detectable_share(control_share, control, plan):
    """Return the smallest rise of a share that such a test sees.

    :param float control_share: expected in the control group, below 1
    :param float control: people in the control group
    :param Plan plan: what the comparison is to be sure of
    :return: difference of shares; None where even everybody would be too few
    :rtype: float | None
    """
    low, high = 0.0, 1.0 - control_share
    if not control or _needed(1.0, control_share, plan) > control:
        return None
    for _step in range(80):
        middle = (low + high) / 2
        if middle and _needed(control_share + middle, control_share, plan) <= control:
            high = middle
        else:
            low = middle
    return high


def needed_control_mean(difference, spread, plan):
    """Return how large a control group shows a difference between two means.

    :param float difference: what is to be seen, not 0
    :param float spread: standard deviation of the amounts, in both groups
    :param Plan plan: what the comparison is to be sure of
    :rtype: int
    """
    reach = sum(plan.get_bounds()) * spread / difference
    return math.ceil((1 + 1 / plan.ratio) * reach**2)


def detectable_mean(spread, control, plan):
    """Return the smallest difference of means that such a test sees.

    :param float spread: standard deviation of the amounts, in both groups
    :param float control: people in the control group
    :param Plan plan: what the comparison is to be sure of
    :return: None without people
    :rtype: float | None
    """
    if not control:
        return None
    return sum(plan.get_bounds()) * spread * math.sqrt((1 + 1 / plan.ratio) / control)
