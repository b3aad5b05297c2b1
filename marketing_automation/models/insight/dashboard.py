"""The dashboard: what recovery does and earns, in numbers that can be explained."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools import periods
from ..cart.abandoned_cart import CART_KINDS
from .figures import FIGURES
from .totals import BEFORE, NOW, Totals, share

KPIS = (
    *("recovered_revenue", "recovered", "recovery_rate", "stake_value"),
    *("left", "returned", "sent", "click_rate"),
    *("credited_revenue", "credited_margin", "discounts", "message_cost", "net"),
)
# Scheduled actions behind what is shown.
JOBS = (
    *("detect_carts", "process_enrollments", "campaigns", "dispatch"),
    "refresh_figures",
)
FUNNEL = ("left", "reachable", "written", "clicked", "came_back", "bought")
CHART = ("recovered_revenue", "recovered", "left", "left_value", "sent", "returned")


class Report(NamedTuple):
    """What is asked for.

    :param companies: whose figures; all of one currency
    :param key: the period's name
    :param period: its days
    :param previous: the days it is compared with
    :param website: id, None for all
    :param kind: of carts, None for all
    """

    companies: models.BaseModel
    key: str
    period: periods.Period
    previous: periods.Period
    website: int | None
    kind: str | None


class MarketingDashboard(models.AbstractModel):
    """Figures of the recovery of carts, for the screen and its exports.

    Everything is of the user's current companies. Marketing users see all sums, also of
    orders that they may not open.
    """

    _name = "marketing.dashboard"
    _description = "Marketing Dashboard"

    @api.model
    def get_data(self, options=None):
        """Return everything on the dashboard but the control group.

        :param dict options: all optional: ``period`` (``last_7``, ``last_30``,
            ``last_90``, ``month``, ``year``, ``custom``), with ``custom`` the days
            ``first`` and ``last`` (ISO dates), ``website`` (id), ``kind`` (of carts)
        :return: plain values: amounts are in the currency of the company, shares of 1,
            days ISO dates; ``previous`` and the changes are None where there is nothing
            to compare with
        :rtype: dict
        :raise AccessError: the user is no marketing user
        :raise UserError: options that do not exist
        """
        self._check_rights()
        report = self._read_options(options)
        totals, points = self._get_totals(report)
        return {
            **self._describe(report),
            "is_empty": not self._has_anything(report.companies),
            "setup": self._get_setup(report.companies),
            "warnings": self.env["marketing.health"]
            .sudo()
            ._get_warnings(JOBS, report.companies, ("email", "sms")),
            "kpis": self._compare_all(KPIS, totals),
            "funnel": self._compare_all(FUNNEL, totals),
            "details": {
                figure: totals.get(figure)
                for figure in ("stake", "sandbox", "bought_of_left", "bought")
            },
            **self._get_tables(totals),
            "chart": self._get_chart(points, totals),
        }

    # === OPTIONS ===#

    @api.model
    def _check_rights(self):
        """Figures are summed up by SQL, past the rights of each record."""
        self.env["abandoned.cart"].check_access("read")

    @api.model
    def _read_options(self, options):
        """Return what is asked for.

        :param dict options: see ``get_data``
        :rtype: Report
        :raise UserError: something that does not exist
        """
        options = options or {}
        key = options.get("period") or periods.DEFAULT
        kind = options.get("kind") or None
        website = options.get("website") or None
        if (kind and kind not in dict(CART_KINDS)) or not isinstance(
            website, int | None
        ):
            raise UserError(
                self.env._("There is no such filter. Open the dashboard anew.")
            )
        period = self._read_period(key, options)
        previous = periods.previous(key, period)
        return Report(self._get_companies(), key, period, previous, website, kind)

    @api.model
    def _read_period(self, key, options):
        try:
            first, last = (
                fields.Date.to_date(options.get(name) or None)
                for name in ("first", "last")
            )
            return periods.resolve(key, self._get_today(), first, last)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "These days make no period. Choose a first day that is not after "
                    "the last one, at most ten years apart."
                )
            ) from error

    @api.model
    def _get_companies(self):
        """Return the current companies; only the first if they count different money.

        :rtype: res.company
        """
        companies = self.env.companies
        return companies if len(companies.currency_id) == 1 else self.env.company

    @api.model
    def _get_today(self):
        zone = self.env.company.sudo().figures_timezone
        now = fields.Datetime.now()
        return fields.Datetime.context_timestamp(self.with_context(tz=zone), now).date()

    @api.model
    def _describe(self, report):
        """Return what the figures are about, and what else could be chosen."""
        companies = report.companies
        websites = self.env["website"].sudo()
        kinds = self.env["abandoned.cart"]._fields["kind"]
        return {
            "options": {
                "period": report.key,
                "first": str(report.period.first),
                "last": str(report.period.last),
                "website": report.website or False,
                "kind": report.kind or False,
            },
            "previous": [str(day) for day in report.previous],
            "currency_id": self.env.company.currency_id.id,
            "companies": companies.mapped("name"),
            "other_companies": (self.env.companies - companies).mapped("name"),
            "timezone": self.env.company.sudo().figures_timezone,
            "websites": [
                [website.id, website.name]
                for website in websites.search([("company_id", "in", companies.ids)])
            ],
            "kinds": [list(kind) for kind in kinds._description_selection(self.env)],
        }

    @api.model
    def _has_anything(self, companies):
        carts = self.env["abandoned.cart"].sudo()
        return bool(carts.search_count([("company_id", "in", companies.ids)], limit=1))

    # === FIGURES ===#

    @api.model
    def _get_totals(self, report):
        """Count everything of the period and of the one before.

        :return: the totals; the points of both periods
        :rtype: tuple[Totals, tuple]
        """
        unit = periods.get_unit(report.period)
        now, before = (
            periods.split(period, unit) for period in (report.period, report.previous)
        )
        rows = self.env["marketing.daily.figure"]._sum_up(
            report.companies, [*now, *before], report.website, report.kind
        )
        totals = Totals(rows, len(now))
        for when in (NOW, BEFORE):
            self._work_out(totals, when)
        self._put_stake(report, totals)
        self._put_discounts(report, totals)
        return totals, (unit, now, before)

    @api.model
    def _work_out(self, totals, when):
        """Add the figures that are made of others."""
        excluded = totals.split("excluded", ("key",), when)
        reachable = (
            totals.get("left", when)
            - totals.get("excluded", when)
            # Whoever ordered and took it back could be written to, and who bought in
            # another way.
            + excluded.get(("order_cancelled",), 0)
            + excluded.get(("bought_elsewhere",), 0)
        )
        bought = totals.split("left", ("key",), when).get(("recovered",), 0)
        cost = self._get_message_cost(totals, when)
        for figure, value in {
            "reachable": reachable,
            "bought_of_left": bought,
            "recovery_rate": share(bought, reachable),
            "click_rate": share(
                totals.get("message_clicked", when), totals.get("sent", when)
            ),
            "message_cost": cost,
            "net": None if cost is None else totals.get("credited_margin", when) - cost,
        }.items():
            totals.put(figure, when, value)

    @api.model
    def _get_message_cost(self, totals, when):
        """Return what the messages cost, in the company's currency.

        :return: None if no account that sent any has a price
        :rtype: float | None
        """
        segments = totals.split("segments", ("key",), when)
        providers = (
            self.env["marketing.provider"]
            .sudo()
            .browse(int(provider) for (provider,) in segments if provider)
        )
        priced = providers.exists().filtered("segment_price")
        if not priced:
            return None
        company = self.env.company
        return sum(
            provider.currency_id._convert(
                segments[str(provider.id),] * provider.segment_price,
                company.currency_id,
                company,
                fields.Date.today(),
            )
            for provider in priced
        )

    @api.model
    def _put_stake(self, report, totals):
        """Add what can still be recovered, as of now."""
        domain = self._get_domain(report, "stake", {})
        [(count, value)] = (
            self.env["abandoned.cart"]
            .sudo()
            ._read_group(domain, [], ["__count", "amount_company:sum"])
        )
        totals.put("stake", NOW, count)
        totals.put("stake_value", NOW, value or 0.0)

    @api.model
    def _compare_all(self, names, totals):
        return [
            self._compare(name, totals)
            for name in names
            if totals.get(name) is not None or FIGURES[name].unit == "share"
        ]

    @api.model
    def _compare(self, name, totals):
        """Return a figure with what it was before, and what it means."""
        figure = FIGURES[name]
        value, previous = totals.get(name), None
        if totals.has_previous and figure.moment or not figure.model:
            previous = totals.get(name, BEFORE)
        can_compare = None not in (value, previous)
        change = value - previous if can_compare else None
        return {
            **self._explain(name),
            "value": value,
            "previous": previous,
            "change": change,
            # Of shares the difference says more.
            "change_rate": share(change, abs(previous))
            if can_compare and figure.unit != "share"
            else None,
            "good": figure.good,
            "can_open": self._can_open(figure),
            "is_now": bool(figure.model and not figure.moment),
        }

    @api.model
    def _can_open(self, figure):
        return bool(figure.model) and self.env[figure.model].has_access("read")

    @api.model
    def _explain(self, name):
        """Return what a figure is called and means.

        :param str name: one of ``FIGURES``
        :rtype: dict[str, str]
        """
        figure = FIGURES[name]
        return {
            "name": name,
            "label": self.env._(figure.label),
            "help": self.env._(figure.help),
            "unit": figure.unit,
        }

    @api.model
    def _get_chart(self, points, totals):
        unit, now, before = points
        count = len(now) + len(before)
        series = {name: totals.get_series(name, count) for name in CHART}
        return {
            "unit": unit,
            "points": [[str(day) for day in point] for point in now],
            "previous_points": [[str(day) for day in point] for point in before],
            "has_previous": totals.has_previous,
            "figures": [
                {
                    **self._explain(name),
                    "values": series[name][: len(now)],
                    "previous": series[name][len(now) :],
                }
                for name in CHART
            ],
        }
