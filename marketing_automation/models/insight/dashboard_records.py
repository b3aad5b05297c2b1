"""Behind each figure: exactly the records it counts."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .figures import FIGURES, KEY_FIELDS, PATHS

# Fields by which a figure of messages may be narrowed down.
MESSAGE_FIELDS = ("sequence_id", "step_id", "channel")


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def get_records(self, options, figure, narrowed=None):
        """Return the action that opens the records a figure counts.

        :param dict options: as of ``get_data``
        :param str figure: its name
        :param dict narrowed: ``key`` (a state or reason), ``sequence_id``, ``step_id``,
            ``channel``; only the records with this value, False for those without
        :return: a window action
        :rtype: dict
        :raise UserError: nothing is listed behind this figure, or not for this user
        """
        self._check_rights()
        known = FIGURES.get(figure)
        if not known or not known.model:
            raise UserError(self.env._("There is no list behind this figure."))
        if not self.env[known.model].has_access("read"):
            raise UserError(self.env._("You may see this sum, but not its records."))
        report = self._read_options(options)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._(known.label),
            "res_model": known.model,
            "views": [[False, "list"], [False, "form"]],
            "domain": list(self._get_domain(report, figure, narrowed or {})),
            "context": {"create": False, "active_test": False},
        }

    @api.model
    def _get_domain(self, report, figure, narrowed):
        """Return the domain of the records a figure counts.

        :param Report report: what is reported
        :param str figure: its name
        :param dict narrowed: see ``get_records``
        :rtype: Domain
        """
        known = FIGURES[figure]
        domain = Domain.AND([condition] for condition in known.domain)
        paths = PATHS[known.model]
        domain &= self._get_period_domain(report, known.moment, paths["company"])
        if report.website:
            domain &= Domain(paths["website"], "=", report.website)
        if report.kind:
            domain &= Domain(paths["kind"], "=", report.kind)
        for name, value in narrowed.items():
            field = KEY_FIELDS.get(figure) if name == "key" else name
            if field not in (*KEY_FIELDS.values(), *MESSAGE_FIELDS):
                raise UserError(self.env._("There is no list behind this figure."))
            domain &= Domain(field, "=", value or False)
        return domain

    @api.model
    def _get_period_domain(self, report, moment, company):
        """Return the domain of what happened within the days of each company."""
        companies = report.companies
        if not moment:
            return Domain(company, "in", companies.ids)
        return Domain.OR(
            Domain(company, "=", company_id)
            & Domain(moment, ">=", begin)
            & Domain(moment, "<", end)
            for company_id, (begin, end) in self.env["marketing.daily.figure"]
            ._get_moments(companies, *report.period)
            .items()
        )
