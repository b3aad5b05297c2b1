"""The figures of each day, counted once: reports over years add up days.

What changed since a day was counted is in ``marketing.daily.change``, written by the
database itself (``daily_watch.py``). Days named there are counted live by whoever reads
them, with the very same queries, until the scheduled action has stored them anew: what
is read is always what is there.
"""

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from ..audience.loose_many2one import LooseMany2one
from ..cart.abandoned_cart import CART_KINDS
from ..channels import CHANNELS
from . import daily_watch
from .daily_sql import COLUMNS, SOURCES, sql_begin, sql_day, sql_figures

XML_ID = "marketing_automation.ir_cron_refresh_figures"
# Days of one source that are counted in one go.
BATCH_SIZE = 40
# From which moments days are noted when all of them are to be counted.
MOMENTS = {
    "carts": ("abandoned_cart", "abandoned_at"),
    "funnel": ("abandoned_cart", "abandoned_at"),
    "recoveries": ("abandoned_cart", "recovered_at"),
    "returns": ("abandoned_cart", "returned_at"),
    "messages": ("marketing_message", "sent_at"),
    "unsent": ("marketing_message", "state_changed_at"),
}


class ResCompany(models.Model):
    _inherit = "res.company"

    figures_timezone = fields.Char(
        string="Days of Reports",
        default="UTC",
        required=True,
        readonly=True,
        help="In this time zone days begin and end in reports: that of the company's "
        "contact, taken over within minutes.",
    )


class MarketingDailyFigure(models.Model):
    """How many, or how much, on one day of one company."""

    _name = "marketing.daily.figure"
    _description = "Figure of a Day"
    _order = "day desc, id"
    _rec_name = "figure"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    day = fields.Date(required=True, readonly=True)
    source = fields.Char(required=True, readonly=True)
    figure = fields.Char(required=True, readonly=True)
    # Who is deleted leaves rows in other tables that change: the day is counted anew.
    website_id = LooseMany2one("website", readonly=True)
    kind = fields.Selection(CART_KINDS, readonly=True)
    sequence_id = LooseMany2one("marketing.sequence", readonly=True)
    step_id = LooseMany2one("marketing.sequence.step", readonly=True)
    channel = fields.Selection(CHANNELS, readonly=True)
    key = fields.Char(readonly=True, help="A state, a reason or a provider.")
    value = fields.Float(digits=(16, 2), readonly=True)

    _day_idx = models.Index("(company_id, day)")

    # === READING ===#

    @api.model
    def _sum_up(self, companies, points, website=None, kind=None):
        """Add up the days of periods, as things stand now.

        Not bound to rights: whose companies it may be is for the caller to say.

        :param res.company companies: whose figures
        :param list points: pairs of dates (first, last), both included
        :param int website: id of a website; None: of all
        :param str kind: of the carts; None: all
        :return: for each figure there is: ``point`` (index in ``points``), ``figure``,
            ``sequence_id``, ``step_id``, ``channel``, ``key`` and ``value``
        :rtype: list[dict]
        """
        if not points:
            return []
        self._prepare()
        stale = self._get_stale(
            companies, min(point[0] for point in points), max(p[1] for p in points)
        )
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT p.point, f.figure, f.sequence_id, f.step_id, f.channel,
                          f.key, sum(f.value) AS value
                     FROM (VALUES %(points)s) p (point, first, last)
                    CROSS JOIN LATERAL generate_series(
                          p.first, p.last, interval '1 day') d (day)
                     JOIN (%(figures)s) f ON f.day = d.day::date
                    WHERE %(website)s AND %(kind)s
                    GROUP BY 1, 2, 3, 4, 5, 6""",
                points=SQL(", ").join(
                    SQL("(%s, %s::date, %s::date)", number, *point)
                    for number, point in enumerate(points)
                ),
                figures=self._sql_figures(companies, points, stale),
                website=SQL("f.website_id = %s", website) if website else SQL("TRUE"),
                kind=SQL("f.kind = %s", kind) if kind else SQL("TRUE"),
            )
        )
        return [{**row, "value": float(row["value"] or 0)} for row in rows]

    @api.model
    def _prepare(self):
        """Get ready to count what is in the database."""
        self.env.flush_all()
        # Compiling these queries takes longer than they do.
        self.env.cr.execute("SET LOCAL jit = off")

    @api.model
    def _get_stale(self, companies, first, last):
        """Return what has changed since it was counted.

        :return: triples (company id, source, day)
        :rtype: list[tuple]
        """
        return self.env.execute_query(
            SQL(
                """SELECT DISTINCT company_id, source, day FROM marketing_daily_change
                    WHERE company_id = ANY(%s) AND day BETWEEN %s AND %s""",
                companies.ids,
                first,
                last,
            )
        )

    @api.model
    def _sql_figures(self, companies, points, stale):
        """Return the query of all figures of some days: stored ones, and live ones of
        the days that are stale."""
        stored = SQL(
            """SELECT %(columns)s FROM marketing_daily_figure
                WHERE company_id = ANY(%(companies)s)
                  AND day BETWEEN %(first)s AND %(last)s AND %(fresh)s""",
            columns=COLUMNS,
            companies=companies.ids,
            first=min(point[0] for point in points),
            last=max(point[1] for point in points),
            fresh=SQL(
                "(company_id, source, day) NOT IN (VALUES %s)", _sql_values(stale)
            )
            if stale
            else SQL("TRUE"),
        )
        live = (
            SQL("(%s)", sql_figures(source, _sql_days(buckets)))
            for source, buckets in _by_source(stale).items()
        )
        return SQL(" UNION ALL ").join([stored, *live])

    # === STORING ===#

    @api.model
    def _cron_refresh(self):
        """Store the figures of the days that changed, in batches; then those of mail
        domains, which have the same days."""
        cron = self.env["ir.cron"]
        retrying(self._adopt_timezones, self.env)
        cron._commit_progress(remaining=1)
        while count := retrying(self._refresh_batch, self.env):
            if not cron._commit_progress(count, remaining=1):
                return self.env["marketing.dispatcher"]._run_again(XML_ID)
        if not self.env["email.deliverability.stats"]._refresh_due():
            return self.env["marketing.dispatcher"]._run_again(XML_ID)
        cron._commit_progress(remaining=0)

    @api.model
    def _refresh_batch(self, limit=BATCH_SIZE):
        """Store the figures of up to ``limit`` days that changed, latest days first.

        A change that is committed meanwhile is not seen here, neither itself nor its
        note: the note remains, and the day is counted once more.

        :param int limit: number of days, each of one source
        :return: number of days stored; 0 when none is left
        :rtype: int
        """
        self._prepare()
        stale = self.env.execute_query(
            SQL(
                """SELECT DISTINCT company_id, source, day FROM marketing_daily_change
                    ORDER BY day DESC, source, company_id LIMIT %s""",
                limit,
            )
        )
        if not stale:
            return 0
        for table in ("marketing_daily_change", "marketing_daily_figure"):
            self.env.cr.execute(
                SQL(
                    """DELETE FROM %s
                        WHERE (company_id, source, day) IN (VALUES %s)""",
                    SQL.identifier(table),
                    _sql_values(stale),
                )
            )
        for source, buckets in _by_source(stale).items():
            self.env.cr.execute(
                SQL(
                    """INSERT INTO marketing_daily_figure (source, %(columns)s)
                       SELECT %(source)s, f.* FROM (%(figures)s) f""",
                    columns=COLUMNS,
                    source=source,
                    figures=sql_figures(source, _sql_days(buckets)),
                )
            )
        self.env.invalidate_all(flush=False)
        return len(stale)

    # === DAYS ===#

    @api.model
    def _adopt_timezones(self):
        """Take over the time zones of companies that changed theirs: all their days
        begin and end at other moments, and are counted anew."""
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        for company in companies.search([("id", "!=", False)]):
            zone = company.partner_id.tz or "UTC"
            if zone != company.figures_timezone:
                company.figures_timezone = zone
                self._count_anew(company)

    @api.model
    def _count_anew(self, companies):
        """Let every day of companies be counted anew.

        :param res.company companies: whose days
        """
        self.env.flush_all()
        for model in ("marketing_daily_figure", "marketing_daily_change"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE company_id = ANY(%s)",
                    SQL.identifier(model),
                    companies.ids,
                )
            )
        for source, (table, column) in MOMENTS.items():
            self.env.cr.execute(
                SQL(
                    """INSERT INTO marketing_daily_change (company_id, source, day)
                       SELECT DISTINCT t.company_id, %(source)s, %(day)s
                         FROM %(table)s t JOIN res_company c ON c.id = t.company_id
                        WHERE t.company_id = ANY(%(companies)s)
                          AND t.%(column)s IS NOT NULL""",
                    source=source,
                    day=sql_day(
                        SQL("t.%s", SQL.identifier(column)), SQL("c.figures_timezone")
                    ),
                    table=SQL.identifier(table),
                    column=SQL.identifier(column),
                    companies=companies.ids,
                )
            )
        self.env.invalidate_all(flush=False)

    @api.model
    def _get_moments(self, companies, first, last):
        """Return when a period begins and ends (UTC), by company.

        :param res.company companies: whose days
        :param date first: first day
        :param date last: last day
        :return: company id: (begin, end), the end not included
        :rtype: dict[int, tuple[datetime, datetime]]
        """
        self.env["res.company"].flush_model(["figures_timezone"])
        zone = SQL("figures_timezone")
        return {
            company_id: (begin, end)
            for company_id, begin, end in self.env.execute_query(
                SQL(
                    "SELECT id, %s, %s FROM res_company WHERE id = ANY(%s)",
                    sql_begin(SQL("%s", first), zone),
                    sql_begin(SQL("(%s::date + 1)", last), zone),
                    companies.ids,
                )
            )
        }


class MarketingDailyChange(models.Model):
    """A day that something changed about since it was counted."""

    _name = "marketing.daily.change"
    _description = "Day to Count Anew"
    _rec_name = "source"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    source = fields.Selection(
        lambda self: [(source, source) for source in SOURCES],
        required=True,
        readonly=True,
    )
    day = fields.Date(required=True, readonly=True)

    _day_idx = models.Index("(company_id, day, source)")

    def init(self):
        """Let the database note changes."""
        res = super().init()
        daily_watch.watch(self.env.cr)
        return res


def _by_source(stale):
    """Return pairs (company id, day) by source."""
    sources = {}
    for company_id, source, day in stale:
        sources.setdefault(source, []).append((company_id, day))
    return sources


def _sql_values(stale):
    return SQL(", ").join(SQL("(%s, %s, %s::date)", *bucket) for bucket in stale)


def _sql_days(buckets):
    """Return the query of days as ``daily_sql.py`` wants them."""
    zone = SQL("c.figures_timezone")
    return SQL(
        """SELECT c.id AS company_id, d.day, %(begin)s AS since, %(end)s AS until
             FROM (VALUES %(buckets)s) d (company_id, day)
             JOIN res_company c ON c.id = d.company_id""",
        begin=sql_begin(SQL("d.day"), zone),
        end=sql_begin(SQL("(d.day + 1)"), zone),
        buckets=SQL(", ").join(SQL("(%s, %s::date)", *bucket) for bucket in buckets),
    )
