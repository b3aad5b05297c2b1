"""Whether an account works, in words, and how much it is used, in pictures."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...providers.base import Check
from ...tools.sender_domain import check_sender_domain
from ..mailbox import normalize_address
from .provider_accounts import SECRET_FIELDS

# The names of the keys that SendGrid signs with, where a domain is authenticated.
SENDGRID_SELECTORS = ("s1", "s2")
DAYS_SHOWN = 30
WARM_UP_DAYS_SHOWN = 14


class MarketingProvider(models.Model):
    _inherit = "marketing.provider"

    dkim_selector = fields.Char(
        string="DKIM Selector",
        groups="base.group_system",
        help="The name of the key your mail server signs with: what stands after s= in "
        "the DKIM-Signature header of its emails. It cannot be found out; without it "
        "DKIM is not checked.",
    )
    checks = fields.Json(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="What the last checks of the connection and the sender domain found.",
    )
    check_html = fields.Html(
        string="Last Checks",
        compute="_compute_check_html",
        sanitize=False,
        groups="base.group_system",
    )
    today_usage = fields.Char(
        string="Today", compute="_compute_usage", help="Messages today, and the limit."
    )
    usage_html = fields.Html(
        string="Last 30 Days", compute="_compute_usage", sanitize=False
    )
    warm_up_html = fields.Html(
        string="Warm-Up Plan", compute="_compute_warm_up_html", sanitize=False
    )

    # === COMPUTE METHODS ===#

    @api.depends("checks")
    def _compute_check_html(self):
        titles = {
            "connection": self.env._("Connection"),
            "domain": self.env._("Sender domain"),
        }
        for provider in self:
            groups = [
                {
                    **checked,
                    "title": titles[kind],
                    "at": fields.Datetime.to_datetime(checked["at"]),
                    "advice": kind == "connection"
                    and any(
                        finding["status"] == "problem"
                        for finding in checked["findings"]
                    ),
                }
                for kind, checked in sorted((provider.checks or {}).items())
            ]
            provider.check_html = groups and self.env["ir.qweb"]._render(
                "marketing_automation.provider_checks", {"groups": groups}
            )

    @api.depends("daily_limit", "warm_up_from")
    def _compute_usage(self):
        today = fields.Date.today()
        counts = self._count_usage(today - timedelta(days=DAYS_SHOWN - 1))
        for provider in self:
            used = [
                (day, counts.get((provider._origin.id, day), 0))
                for day in _days(today, DAYS_SHOWN, backwards=True)
            ]
            limit = provider._get_daily_limit()
            provider.today_usage = f"{used[-1][1]} / {limit}" if limit else used[-1][1]
            provider.usage_html = provider._render_bars(used)

    def _count_usage(self, since):
        """Return how many messages left on each day.

        :param date since: the first day
        :rtype: dict[tuple[int, date], int]
        """
        rows = (
            self.env["marketing.provider.usage"]
            .sudo()
            .search_fetch(
                [
                    ("provider_id", "in", self._origin.ids),
                    ("domain", "=", ""),
                    ("day", ">=", since),
                ],
                ["provider_id", "day", "count"],
            )
        )
        return {(row.provider_id.id, row.day): row.count for row in rows}

    @api.depends("daily_limit", "warm_up_from")
    def _compute_warm_up_html(self):
        for provider in self:
            plan = provider._get_warm_up_plan()
            provider.warm_up_html = plan and provider._render_bars(plan)

    def _get_warm_up_plan(self):
        """Return how many messages may leave on the next days of the warm-up.

        :return: days with their limits, from today or the first day of the warm-up to
            the first day without it; empty if there is none
        :rtype: list[tuple[date, int]]
        """
        self.ensure_one()
        if not self.warm_up_from:
            return []
        plan = []
        for day in _days(
            max(fields.Date.today(), self.warm_up_from), WARM_UP_DAYS_SHOWN
        ):
            limit = self._get_daily_limit(day)
            if self.daily_limit and limit >= self.daily_limit:
                return [*plan, (day, self.daily_limit)] if plan else []
            plan.append((day, limit))
        return plan

    def _render_bars(self, values):
        """Draw a bar for each day.

        :param list values: days with their numbers
        :return: HTML; empty when there is nothing to see
        :rtype: Markup | bool
        """
        highest = max(number for _day, number in values)
        return bool(highest) and self.env["ir.qweb"]._render(
            "marketing_automation.provider_bars",
            {"values": values, "highest": highest},
        )

    # === ACTION METHODS ===#

    def action_test_connection(self):
        """Find out whether messages could leave now, and show what is wrong."""
        self.check_access("write")
        for provider in self:
            provider._keep_checks("connection", provider._check_connection())

    def action_check_domain(self):
        """Look up what the DNS says about the domain of the sender address."""
        self.check_access("write")
        for provider in self:
            sender = (
                provider.from_email or (provider.company_id or self.env.company).email
            )
            domain = (normalize_address(sender) or "").rpartition("@")[2]
            if not domain:
                raise UserError(
                    self.env._(
                        "There is no sender address whose domain could be checked. "
                        "Enter one here, or set the email address of your company."
                    )
                )
            checks = check_sender_domain(
                domain, dkim_selectors=provider._get_dkim_selectors()
            )
            if provider.kind == "sendgrid":
                # Its bounces come back to a subdomain of its own (em…), which is where
                # its SPF record stands.
                checks = [
                    check
                    for check in checks
                    if (check.subject, check.status) != ("SPF", "problem")
                ]
            provider._keep_checks("domain", checks, about=domain)

    def action_view_usage(self):
        """Open how much the account was used, day by day.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_provider_usage"
        )
        domain = [("provider_id", "=", self.id), ("domain", "=", "")]
        return {**action, "domain": domain, "display_name": self.display_name}

    # === BUSINESS METHODS ===#

    def _check_connection(self):
        """Ask the provider, and nothing else, whether it takes messages of ours.

        :rtype: list[Check]
        """
        self.ensure_one()
        try:
            with self._get_adapter() as adapter:
                return adapter.check()
        except UserError as error:
            # Of Odoo's mail servers: it says what to do.
            return [Check("problem", self.env._("Settings"), str(error))]

    def _get_dkim_selectors(self):
        if self.kind == "sendgrid":
            return SENDGRID_SELECTORS
        selectors = (self.dkim_selector or "").replace(",", " ").split()
        return tuple(selectors)

    def _keep_checks(self, kind, checks, about=""):
        """Write down what was found, without any secret that slipped into a text.

        :param str kind: ``connection`` or ``domain``
        :param list checks: findings
        :param str about: what was looked at, if it is not the account itself
        """
        found = {
            "at": fields.Datetime.to_string(fields.Datetime.now()),
            "about": about,
            "findings": [
                {
                    "status": check.status,
                    "subject": self._redact(check.subject),
                    "detail": self._redact(check.detail),
                }
                for check in checks
            ],
        }
        self.checks = {**(self.checks or {}), kind: found}

    def _redact(self, text):
        for name in SECRET_FIELDS:
            secret = self._get_secret(name)
            if secret:
                text = text.replace(secret, "•••")
        return text


def _days(first, count, backwards=False):
    """Return ``count`` days from the first on, or up to it."""
    if backwards:
        first -= timedelta(days=count - 1)
    return [first + timedelta(days=number) for number in range(count)]
