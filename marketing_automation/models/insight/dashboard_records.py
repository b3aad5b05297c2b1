"""Behind each figure: exactly the records it counts."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .figures import CART, FIGURES, KEY_FIELDS, MESSAGE

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
        :raise UserError: nothing is listed behind this figure
        """
        self._check_rights()
        known = FIGURES.get(figure)
        if not known or not known.model:
            raise UserError(self.env._("There is no list behind this figure."))
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
        domain &= self._get_period_domain(report, known.moment)
        if report.website:
            domain &= Domain("website_id", "=", report.website)
        if report.kind:
            kind = {CART: "kind", MESSAGE: "abandoned_cart_id.kind"}[known.model]
            domain &= Domain(kind, "=", report.kind)
        for name, value in narrowed.items():
            field = KEY_FIELDS.get(figure) if name == "key" else name
            if field not in (*KEY_FIELDS.values(), *MESSAGE_FIELDS):
                raise UserError(self.env._("There is no list behind this figure."))
            domain &= Domain(field, "=", value or False)
        return domain

    @api.model
    def _get_period_domain(self, report, moment):
        """Return the domain of what happened within the days of each company."""
        companies = report.companies
        if not moment:
            return Domain("company_id", "in", companies.ids)
        return Domain.OR(
            Domain("company_id", "=", company_id)
            & Domain(moment, ">=", begin)
            & Domain(moment, "<", end)
            for company_id, (begin, end) in self.env["marketing.daily.figure"]
            ._get_moments(companies, *report.period)
            .items()
        )
