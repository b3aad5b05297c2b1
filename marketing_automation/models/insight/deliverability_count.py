"""Counting how mail domains take the company's emails, day by day.

Messages belong to the day on which they were sent, whatever becomes of them later. So
the latest days are counted again and again, each in one statement by the index of when
messages were sent. After a month a day stays as it is: addresses are erased some day.
"""

from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from ..campaign.campaign_figures import COUNTED_DAYS, LATER_PAUSE, RECENT, RECENT_PAUSE
from ..delivery.states import REACHED_STATES
from .daily_sql import sql_begin, sql_day
from .email_deliverability_stats import RATES

# Of fewer emails on a day nobody can tell how a domain takes them, and a domain may be
# that of one person: they are added up.
MINIMUM = 5
OTHER = "other"
COUNTS = (
    *("sent_count", "delivered_count", "deferred_count", "bounced_count"),
    *("complained_count", "opened_count", "clicked_count"),
)


class EmailDeliverabilityStats(models.Model):
    _inherit = "email.deliverability.stats"

    @api.model
    def _refresh_due(self):
        """Count the days again that are due, each in a transaction of its own.

        :return: whether there was time for all of them
        :rtype: bool
        """
        cron = self.env["ir.cron"]
        self.env.flush_all()
        for company_id, day in self._find_due():
            retrying(partial(self._count_day, company_id, day), self.env)
            if not cron._commit_progress(1, remaining=1):
                return False
        return True

    @api.model
    def _find_due(self):
        """Return the days whose figures may have changed since they were counted.

        A day without rows is looked up by the index of when messages were sent.

        :return: pairs (company id, day), latest days first
        :rtype: list[tuple]
        """
        now = fields.Datetime.now()
        zone = SQL("c.figures_timezone")
        return self.env.execute_query(
            SQL(
                """SELECT d.company_id, d.day
                     FROM (SELECT c.id AS company_id, age, %(today)s - age AS day,
                                  %(begin)s AS since, %(end)s AS until
                             FROM res_company c
                            CROSS JOIN generate_series(0, %(days)s) age) d
                     LEFT JOIN (
                          SELECT company_id, day, min(counted_at) AS counted_at
                            FROM email_deliverability_stats
                           WHERE day > %(now)s::date - %(days)s - 3
                           GROUP BY 1, 2) kept USING (company_id, day)
                    WHERE CASE
                          WHEN kept.day IS NULL THEN EXISTS (
                               SELECT FROM marketing_message m
                                WHERE m.company_id = d.company_id AND %(counts)s
                                  AND m.sent_at >= d.since AND m.sent_at < d.until)
                          WHEN d.age <= %(recent)s
                               THEN kept.counted_at <= %(before_pause)s
                          ELSE kept.counted_at <= %(before_long_pause)s END
                    ORDER BY 2 DESC, 1""",
                today=sql_day(SQL("%s::timestamp", now), zone),
                begin=sql_begin(
                    SQL("(%s - age)", sql_day(SQL("%s::timestamp", now), zone)), zone
                ),
                end=sql_begin(
                    SQL("(%s - age + 1)", sql_day(SQL("%s::timestamp", now), zone)),
                    zone,
                ),
                days=COUNTED_DAYS,
                now=now,
                counts=COUNTS_HERE,
                recent=RECENT.days,
                before_pause=now - RECENT_PAUSE,
                before_long_pause=now - LATER_PAUSE,
            )
        )

    @api.model
    def _forget_recent(self, companies):
        """Let the days that may still change be counted anew; of the others nobody
        knows any more where every email went.

        :param res.company companies: whose days begin and end at other moments now
        """
        since = fields.Date.today() - timedelta(days=COUNTED_DAYS - 1)
        self.search(
            [("company_id", "in", companies.ids), ("day", ">=", since)]
        ).unlink()

    @api.model
    def _count_all(self):
        """Count every day on which emails were sent, of all companies."""
        self.env.flush_all()
        days = self.env.execute_query(
            SQL(
                """SELECT DISTINCT m.company_id, %s
                     FROM marketing_message m JOIN res_company c ON c.id = m.company_id
                    WHERE %s AND m.sent_at IS NOT NULL""",
                sql_day(SQL("m.sent_at"), SQL("c.figures_timezone")),
                COUNTS_HERE,
            )
        )
        for company_id, day in days:
            self._count_day(company_id, day)

    @api.model
    def _count_day(self, company_id, day):
        """Store the figures of one day of a company, in one statement: domains that
        nothing was sent to any more go, the others become what is counted now.

        :param int company_id: whose emails
        :param date day: on which they were sent, by the clocks of the company
        """
        company = self.env["res.company"].browse(company_id)
        moments = self.env["marketing.daily.figure"]._get_moments(company, day, day)
        self.env.cr.execute(
            SQL(
                """WITH counted AS (%(counted)s),
                        gone AS (DELETE FROM email_deliverability_stats
                                  WHERE company_id = %(company)s AND day = %(day)s
                                    AND domain NOT IN (SELECT domain FROM counted))
                   INSERT INTO email_deliverability_stats (
                          company_id, day, counted_at, domain, %(counts)s, %(rates)s)
                   SELECT %(company)s, %(day)s, %(now)s, domain, %(counts)s, %(shares)s
                     FROM counted
                       ON CONFLICT (company_id, day, domain) DO UPDATE
                          SET %(changes)s""",
                counted=self._sql_domains(company_id, *moments[company_id]),
                company=company_id,
                day=day,
                now=fields.Datetime.now(),
                counts=_sql_names(COUNTS),
                rates=_sql_names(RATES),
                shares=_sql_names(RATES.values(), "100.0 * %(name)s / sent_count"),
                changes=_sql_names(
                    ("counted_at", *COUNTS, *RATES), "%(name)s = EXCLUDED.%(name)s"
                ),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _sql_domains(self, company_id, since, until):
        """Return what became of the emails of a time, by domain.

        :param int company_id: whose emails
        :param datetime since: naive, UTC
        :param datetime until: naive, UTC, not included
        :return: a query of ``domain`` and the figures
        :rtype: SQL
        """
        emails = SQL(
            """m.company_id = %s AND m.sent_at >= %s AND m.sent_at < %s AND %s""",
            company_id,
            since,
            until,
            COUNTS_HERE,
        )
        return SQL(
            """SELECT CASE WHEN one.domain = '' OR one.sent_count < %(minimum)s
                           THEN %(other)s ELSE one.domain END AS domain, %(sums)s
                 FROM (SELECT split_part(COALESCE(m.email_normalized, ''), '@', 2)
                                  AS domain,
                              count(*) AS sent_count,
                              count(*) FILTER (WHERE m.state = 'delivered')
                                  AS delivered_count,
                              count(*) FILTER (WHERE m.attempts > 1 AND m.history @>
                                  '[{"reason": "temporary_failure"}]')
                                  AS deferred_count,
                              count(*) FILTER (WHERE m.state = 'bounced')
                                  AS bounced_count,
                              count(*) FILTER (WHERE did.complained)
                                  AS complained_count,
                              count(*) FILTER (WHERE did.opened) AS opened_count,
                              count(*) FILTER (WHERE did.clicked) AS clicked_count
                         FROM marketing_message m
                         LEFT JOIN (
                              SELECT e.message_id,
                                     bool_or(e.kind IN ('open', 'click')) AS opened,
                                     bool_or(e.kind = 'click') AS clicked,
                                     bool_or(e.kind = 'complaint') AS complained
                                FROM marketing_engagement e
                               WHERE e.is_machine IS NOT TRUE
                                 AND e.kind IN ('open', 'click', 'complaint')
                                 AND e.message_id IN (
                                     SELECT m.id FROM marketing_message m
                                      WHERE %(emails)s)
                               GROUP BY 1) did ON did.message_id = m.id
                        WHERE %(emails)s GROUP BY 1) one
                GROUP BY 1""",
            minimum=MINIMUM,
            other=OTHER,
            sums=_sql_names(COUNTS, "sum(%(name)s) AS %(name)s"),
            emails=emails,
        )


class MarketingDailyFigure(models.Model):
    _inherit = "marketing.daily.figure"

    @api.model
    def _count_anew(self, companies):
        """Campaigns and mail domains have days of the company, too."""
        res = super()._count_anew(companies)
        self.env["email.campaign"]._count_anew(companies)
        self.env["email.deliverability.stats"]._forget_recent(companies)
        return res


def _sql_names(names, pattern="%(name)s"):
    """Return a list of columns, each written as the pattern says."""
    return SQL(", ").join(SQL(pattern, name=SQL.identifier(name)) for name in names)


# Emails that left, or seemed to: no tests, and nothing that stays in the sandbox.
COUNTS_HERE = SQL(
    """m.channel = 'email' AND m.priority > 0 AND m.is_sandbox IS NOT TRUE
       AND m.state = ANY(%s)""",
    list(REACHED_STATES),
)
