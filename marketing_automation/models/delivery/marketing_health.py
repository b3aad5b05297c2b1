"""What keeps things from happening, in sentences for the screens that depend on it.

Whoever looks at a campaign that does not leave is told why: scheduled actions that do
not run, accounts that do not work, limits that are used up.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

# A scheduled action that is so late does not run, or the server does not keep up.
LATE_AFTER = timedelta(minutes=15)
# Due messages are nothing to speak of until nothing has left for so long.
STUCK_AFTER = timedelta(minutes=15)


class MarketingHealth(models.AbstractModel):
    """Looks at what all sending depends on."""

    _name = "marketing.health"
    _description = "Health of Sending"

    @api.model
    def _get_warnings(self, jobs, companies=None, channels=()):
        """Return what is wrong with what a screen depends on.

        :param jobs: scheduled actions: parts of their external ids, such as
            ``dispatch`` for ``ir_cron_dispatch``
        :param res.company companies: whose messages are waited for; empty: nobody's
        :param channels: keys of the channels they leave on
        :return: sentences, the gravest first
        :rtype: list[str]
        """
        warnings = [warning for job in jobs if (warning := self._check_job(job))]
        for company in companies or ():
            for channel in channels:
                warnings += self._check_accounts(company, channel)
        if companies and "dispatch" in jobs:
            warnings += self._check_queue(companies)
        return list(dict.fromkeys(warnings))

    # === SCHEDULED ACTIONS ===#

    @api.model
    def _check_job(self, job):
        """Return what is wrong with a scheduled action, '' if nothing.

        :rtype: str
        """
        cron = self.env.ref(
            f"marketing_automation.ir_cron_{job}", raise_if_not_found=False
        )
        if not cron:
            return self.env._(
                "A scheduled action of Marketing Automation was deleted. Upgrade the "
                "app to have it again."
            )
        cron = cron.sudo()
        name = cron.name.removeprefix("Marketing Automation: ")
        if not cron.active:
            return self.env._(
                "The scheduled action “%s” is switched off: what it does does not "
                "happen until an administrator switches it on.",
                name,
            )
        now = fields.Datetime.now()
        days = {"days": 1, "weeks": 7, "months": 31}
        interval = (
            timedelta(days=days[cron.interval_type])
            if cron.interval_type in days
            else timedelta(**{cron.interval_type: 1})
        ) * cron.interval_number
        if cron.nextcall < now - LATE_AFTER:
            return self.env._(
                "The scheduled action “%(name)s” should have run at %(time)s and has "
                "not. Scheduled actions do not run on this server, or it cannot keep "
                "up: ask your administrator.",
                name=name,
                time=self._format(cron.nextcall),
            )
        if cron.nextcall > now + 2 * interval + LATE_AFTER:
            return self.env._(
                "The scheduled action “%(name)s” is planned for %(time)s and not "
                "before.",
                name=name,
                time=self._format(cron.nextcall),
            )
        if cron.failure_count:
            return self.env._(
                "The scheduled action “%(name)s” has failed %(count)s times in a row. "
                "Odoo's log says why.",
                name=name,
                count=cron.failure_count,
            )
        return ""

    # === ACCOUNTS ===#

    @api.model
    def _check_accounts(self, company, channel):
        """Return what is wrong with the accounts of a company's channel.

        :rtype: list[str]
        """
        accounts = (
            self.env["marketing.provider"]
            .sudo()
            .search(
                [
                    ("channel", "=", channel),
                    ("company_id", "in", (company.id, False)),
                    ("kind", "!=", "sandbox"),
                    ("state", "in", ("enabled", "paused")),
                ]
            )
        )
        failing = accounts.filtered(
            lambda account: account.state == "paused" or account._is_resting()
        )
        warnings = [self._describe_account(account) for account in failing]
        if failing and failing == accounts:
            warnings.append(
                self.env._("Until one of its accounts works, messages wait.")
                if len(failing) > 1
                else self.env._("Until it works, messages wait.")
            )
        return warnings

    @api.model
    def _describe_account(self, account):
        error = account.last_error or ""
        if account.state == "paused":
            return self.env._(
                "The account “%(account)s” is paused: %(error)s",
                account=account.name,
                error=error or self.env._("an administrator can enable it again."),
            )
        if account.errors_in_a_row:
            return self.env._(
                "The account “%(account)s” does not work and is tried again at "
                "%(time)s: %(error)s",
                account=account.name,
                time=self._format(account.rest_until),
                error=error,
            )
        return self.env._(
            "The account “%(account)s” was given more than it takes, and goes on at "
            "%(time)s.",
            account=account.name,
            time=self._format(account.rest_until),
        )

    # === THE QUEUE ===#

    @api.model
    def _check_queue(self, companies):
        """Say so when messages are due and nothing leaves.

        :rtype: list[str]
        """
        now = fields.Datetime.now()
        due_at = self.env["marketing.message"]._get_oldest_due(companies)
        if not due_at or due_at > now - STUCK_AFTER:
            return []
        sent_at = self._get_last_sent(companies)
        if sent_at and sent_at > now - STUCK_AFTER:
            return []
        if used_up := self._find_used_up():
            return [
                self.env._(
                    "Messages wait that were due at %(time)s: today's limit of "
                    "“%(account)s” is used up.",
                    time=self._format(due_at),
                    account=used_up.name,
                )
            ]
        if not sent_at:
            return [
                self.env._(
                    "Nothing has left yet, although messages were due at %s.",
                    self._format(due_at),
                )
            ]
        return [
            self.env._(
                "Nothing has left since %(sent)s, although messages were due at "
                "%(due)s.",
                sent=self._format(sent_at),
                due=self._format(due_at),
            )
        ]

    @api.model
    def _get_last_sent(self, companies):
        """Return when a message of these companies left the last time."""
        self.env["marketing.message"].flush_model(["company_id", "sent_at"])
        rows = self.env.execute_query(
            SQL(
                """SELECT max(latest.sent_at)
                     FROM unnest(%s) AS company (id)
                    CROSS JOIN LATERAL (
                          SELECT sent_at FROM marketing_message
                           WHERE company_id = company.id AND sent_at IS NOT NULL
                           ORDER BY sent_at DESC LIMIT 1) latest""",
                companies.ids,
            )
        )
        return rows[0][0]

    @api.model
    def _find_used_up(self):
        """Return an account that may send nothing more today, if there is one."""
        accounts = self.env["marketing.provider"].sudo()
        enabled = accounts.search(
            [("state", "=", "enabled"), ("kind", "!=", "sandbox")]
        )
        return enabled.filtered(
            lambda account: (
                (limit := account._get_daily_limit()) and account.today_count >= limit
            )
        )[:1]

    @api.model
    def _format(self, moment):
        return format_datetime(self.env, moment, dt_format="short")

    @api.model
    def _render(self, warnings):
        """Return warnings as they stand in a form, False without any.

        :rtype: markupsafe.Markup | bool
        """
        if not warnings:
            return False
        return self.env["ir.qweb"]._render(
            "marketing_automation.operation_warnings", {"warnings": warnings}
        )
