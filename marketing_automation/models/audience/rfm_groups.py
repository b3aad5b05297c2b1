"""The named groups of customers: one table for the database, the screens and people.

Scores are fifths of a company's customers: 5 for recency means that at least four
fifths of them have waited longer since their last order. The first group whose ranges
hold all three scores is the customer's; together they leave no score out.
"""

import itertools
from typing import NamedTuple

from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

SCORES = (1, 2, 3, 4, 5)
ANY = (1, 5)


class RfmGroup(NamedTuple):
    """A group, with the lowest and highest score it takes of each kind."""

    key: str
    label: str
    recency: tuple
    frequency: tuple
    monetary: tuple
    meaning: str

    def holds(self, *scores):
        """Whether somebody with these scores fits in: recency, frequency, money."""
        ranges = (self.recency, self.frequency, self.monetary)
        return all(
            low <= score <= high
            for score, (low, high) in zip(scores, ranges, strict=True)
        )


RFM_GROUPS = (
    RfmGroup(
        *("champions", "Champions", (4, 5), (4, 5), (4, 5)),
        _lt("Ordered lately, order often and spend the most."),
    ),
    RfmGroup(
        *("loyal", "Loyal", (3, 5), (4, 5), ANY),
        _lt("Order often, and not long ago."),
    ),
    RfmGroup(
        *("potential", "Potential Loyalists", (4, 5), (2, 3), ANY),
        _lt("Ordered lately, and more than once: on their way to being loyal."),
    ),
    RfmGroup(
        *("new", "New", (5, 5), (1, 1), ANY),
        _lt("Ordered just now, for the first time or seldom before."),
    ),
    RfmGroup(
        *("promising", "Promising", (3, 4), (1, 1), ANY),
        _lt("Ordered not long ago; a second order is what they need."),
    ),
    RfmGroup(
        *("attention", "Need Attention", (3, 3), (2, 3), ANY),
        _lt("Average customers about to slip away."),
    ),
    RfmGroup(
        *("cannot_lose", "Can't Lose Them", (1, 2), (4, 5), (4, 5)),
        _lt("Were among the best, and have not ordered for long."),
    ),
    RfmGroup(
        *("at_risk", "At Risk", (1, 2), (3, 5), ANY),
        _lt("Ordered often, and have not ordered for long."),
    ),
    RfmGroup(
        *("hibernating", "Hibernating", (2, 2), (1, 2), ANY),
        _lt("Ordered seldom, and not for long."),
    ),
    RfmGroup(
        *("lost", "Lost", (1, 1), (1, 2), ANY),
        _lt("Ordered seldom, and longest ago of all."),
    ),
)
RFM_GROUP_SELECTION = [(group.key, group.label) for group in RFM_GROUPS]


def get_group(recency, frequency, monetary):
    """Return the key of the group of a customer, None without scores.

    :param int recency: 1 to 5, 0 without scores
    :param int frequency: 1 to 5
    :param int monetary: 1 to 5
    :rtype: str | None
    """
    for group in RFM_GROUPS:
        if group.holds(recency, frequency, monetary):
            return group.key
    return None


def sql_group(recency, frequency, monetary):
    """The same in SQL.

    :param SQL recency: expression of the score
    :param SQL frequency: expression of the score
    :param SQL monetary: expression of the score
    :return: an expression of the group's key, NULL without scores
    :rtype: SQL
    """
    groups = [get_group(*scores) for scores in itertools.product(SCORES, repeat=3)]
    # A place in the list of all scores; there is none if they are 0.
    return SQL(
        "(%s::varchar[])[25 * %s + 5 * %s + %s - 30]",
        groups,
        recency,
        frequency,
        monetary,
    )
