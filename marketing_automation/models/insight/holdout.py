"""What recovery adds: those who are written to beside those who get nothing."""

from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ...tools import statistics
from ...tools.statistics import Sample

# The difference of shares that is worth waiting for, where none has shown yet.
WORTH_SEEING = 0.01


class Group(NamedTuple):
    """People of one group.

    :param count: number of people
    :param bought: how many of them bought
    :param amounts: what they spent, of those who bought nothing too
    """

    count: int
    bought: int
    amounts: Sample

    @property
    def share(self):
        """Share of the group that bought."""
        return self.bought / self.count if self.count else 0.0

    def describe(self):
        """Return plain values for the screen.

        :rtype: dict
        """
        return {
            "count": self.count,
            "bought": self.bought,
            "share": self.share,
            "revenue": self.amounts.mean * self.count,
        }


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def get_holdout(self, options=None):
        """Return what those who were written to bought more than those who were not.

        Each person counts once, with the first recovery of the period: people differ by
        chance alone, several carts of one person do not. Sequences count as long as
        they had a control group.

        :param dict options: as of ``get_data``
        :return: ``state`` (``off``: no sequence has a control group; ``waiting``: there
            is nobody in it yet; ``early``: too few people to say anything; ``unclear``:
            it may be chance; ``clear``), and where there are people ``treated`` and
            ``control`` (people, who bought, their share, revenue) and ``missing``: how
            many more carts it takes to see the difference, None if there are enough.
            For ``unclear`` and ``clear`` the intervals ``difference`` (of the shares),
            ``orders`` and ``revenue`` (what recovery added), each estimate, low, high
        :rtype: dict
        """
        self._check_rights()
        report = self._read_options(options)
        groups = self._get_groups(report)
        if not groups:
            return {"state": "waiting" if self._has_control_group() else "off"}
        treated, control = groups
        is_early = not all(
            statistics.is_enough(group.bought, group.count) for group in groups
        )
        result = {
            "treated": treated.describe(),
            "control": control.describe(),
            "missing": _get_missing(treated, control),
        }
        if is_early:
            return {"state": "early", **result}
        return {**result, **_compare(treated, control)}

    @api.model
    def _has_control_group(self):
        return bool(
            self.env["marketing.sequence"].search_count(
                [
                    ("holdout_percent", ">", 0),
                    ("company_id", "in", [False, *self._get_companies().ids]),
                ],
                limit=1,
            )
        )

    @api.model
    def _get_groups(self, report):
        """Count the people of both groups.

        :param Report report: what is reported
        :return: the treated ones and the control group; None where either is empty
        :rtype: tuple[Group, Group] | None
        """
        self.env.flush_all()
        groups = {
            is_holdout: Group(count, bought, Sample(count, mean, variance))
            for is_holdout, count, bought, mean, variance in self.env.execute_query(
                SQL(
                    """SELECT p.is_holdout, count(*), count(*) FILTER (WHERE p.bought),
                              avg(p.amount)::float,
                              COALESCE(var_samp(p.amount), 0)::float
                         FROM (%s) p GROUP BY 1""",
                    self._sql_people(report),
                )
            )
        }
        return (groups[False], groups[True]) if len(groups) == 2 else None

    @api.model
    def _sql_people(self, report):
        """Return a query of each person's first recovery in the period."""
        return SQL(
            """WITH begun AS MATERIALIZED (
                   SELECT run.id, run.company_id, run.sequence_id, run.started_at,
                          COALESCE(run.is_holdout, FALSE) AS is_holdout,
                          COALESCE(run.email_normalized, run.id::varchar) AS person,
                          run.abandoned_cart_id
                     FROM marketing_enrollment run
                    WHERE %(within)s),
               -- As long as there is a control group, and no longer.
               spans AS (
                   SELECT begun.company_id, begun.sequence_id,
                          min(begun.started_at) AS since, max(begun.started_at) AS until
                     FROM begun WHERE begun.is_holdout GROUP BY 1, 2)
               SELECT DISTINCT ON (begun.company_id, begun.person)
                      begun.is_holdout, cart.state = 'recovered' AS bought,
                      CASE WHEN cart.state = 'recovered'
                           THEN COALESCE(cart.recovered_amount_company, 0)
                           ELSE 0 END AS amount
                 FROM begun
                 JOIN spans ON spans.company_id = begun.company_id
                           AND spans.sequence_id = begun.sequence_id
                           AND begun.started_at BETWEEN spans.since AND spans.until
                 JOIN abandoned_cart cart ON cart.id = begun.abandoned_cart_id
                WHERE %(website)s AND %(kind)s
                ORDER BY begun.company_id, begun.person, begun.started_at, begun.id""",
            within=self._sql_begun(report),
            website=SQL("cart.website_id = %s", report.website)
            if report.website
            else SQL("TRUE"),
            kind=SQL("cart.kind = %s", report.kind) if report.kind else SQL("TRUE"),
        )

    @api.model
    def _sql_begun(self, report):
        """Return the condition of runs that began within the days of their company."""
        moments = self.env["marketing.daily.figure"]._get_moments(
            report.companies, *report.period
        )
        return SQL(
            "(%s)",
            SQL(" OR ").join(
                SQL(
                    """(run.company_id = %s AND run.started_at >= %s
                        AND run.started_at < %s)""",
                    company_id,
                    begin,
                    end,
                )
                for company_id, (begin, end) in moments.items()
            ),
        )


def _compare(treated, control):
    """Return the intervals of what recovery added."""
    difference = statistics.newcombe(
        treated.bought, treated.count, control.bought, control.count
    )
    revenue = statistics.welch(treated.amounts, control.amounts)
    return {
        "state": "clear" if difference.is_clear else "unclear",
        "difference": list(difference),
        "orders": list(difference.scale(treated.count)),
        "revenue": list(revenue.scale(treated.count)),
    }


def _get_missing(treated, control):
    """Return how many more carts it takes, in both groups together.

    To see the difference that shows now, or one that is worth seeing.

    :return: None if there are enough
    :rtype: int | None
    """
    effect = treated.share - control.share
    if abs(effect) < WORTH_SEEING:
        effect = WORTH_SEEING
    ratio = treated.count / control.count
    expected = min(max(control.share + effect, 0.0), 1.0)
    needed = statistics.needed_control(expected, control.share, ratio)
    missing = max((needed or 0), statistics.FEWEST) - control.count
    return round(missing * (1 + ratio)) if missing > 0 else None
