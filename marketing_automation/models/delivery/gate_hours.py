from odoo import api, models

from ...tools.phone_zones import timezone_of_phone
from ...tools.quiet_hours import SendWindow, next_allowed, timezone_of_person
from .marketing_gate import Decision


class MarketingGate(models.AbstractModel):
    """The hours of the day: when it is quiet where people live, when steps send."""

    _inherit = "marketing.gate"

    @api.model
    def _judge_hours(self, facts, now):
        """Say whether it is the time of day to write to the person, where they live:
        not in their quiet hours, and in the hours of the step.

        :param dict facts: a row of :meth:`_fetch_facts`
        :param datetime now: naive, UTC
        :rtype: Decision | None
        """
        if not (facts["has_quiet_hours"] or facts["has_window"]):
            return None
        company = self.env["res.company"].sudo().browse(facts["company_id"])
        zone = self._get_timezone(facts, company)
        quiet = (
            (company.quiet_hours_from, company.quiet_hours_until)
            if facts["has_quiet_hours"]
            else (0, 0)
        )
        window = SendWindow(
            facts["window_from"] or 0.0,
            facts["window_until"] or 0.0,
            bool(facts["weekdays_only"]),
        )
        until = next_allowed(now, zone, *quiet, window)
        if until <= now:
            return None
        is_quiet = next_allowed(now, zone, *quiet) > now
        return Decision("quiet_hours" if is_quiet else "send_window", until)

    @api.model
    def _get_timezone(self, facts, company):
        """Return where the person lives.

        :return: name of a time zone
        :rtype: str
        """
        by_number = facts["channel"] == "sms" and timezone_of_phone(
            facts["phone_sanitized"]
        )
        return timezone_of_person(
            facts["country"],
            facts["state"],
            by_number,
            facts["tz"],
            company.partner_id.tz or "UTC",
        )
