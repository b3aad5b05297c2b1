from odoo import fields, models
from odoo.exceptions import AccessError

from .figures import FIGURES

GROUP = "marketing_automation.group_marketing_user"
DASHBOARD = "marketing_automation.action_marketing_dashboard"


class DigestDigest(models.Model):
    """Recovery in the periodic mail: figures of the dashboard, by the same rules."""

    _inherit = "digest.digest"

    kpi_marketing_recovered_revenue = fields.Boolean("Recovered Revenue")
    kpi_marketing_recovered_revenue_value = fields.Monetary(
        compute="_compute_kpi_marketing_recovered_revenue_value"
    )
    kpi_marketing_recovered = fields.Boolean("Carts Recovered")
    kpi_marketing_recovered_value = fields.Integer(
        compute="_compute_kpi_marketing_recovered_value"
    )
    kpi_marketing_left = fields.Boolean("Carts Left Behind")
    kpi_marketing_left_value = fields.Integer(
        compute="_compute_kpi_marketing_left_value"
    )
    kpi_marketing_sent = fields.Boolean("Recovery Messages Sent")
    kpi_marketing_sent_value = fields.Integer(
        compute="_compute_kpi_marketing_sent_value"
    )

    def _compute_kpi_marketing_recovered_revenue_value(self):
        self._put_marketing_kpi("recovered_revenue")

    def _compute_kpi_marketing_recovered_value(self):
        self._put_marketing_kpi("recovered")

    def _compute_kpi_marketing_left_value(self):
        self._put_marketing_kpi("left")

    def _compute_kpi_marketing_sent_value(self):
        self._put_marketing_kpi("sent")

    def _put_marketing_kpi(self, name):
        """Count a figure of the dashboard within the hours the mail speaks of.

        :param str name: of the figure
        :raise AccessError: the reader is no marketing user; Odoo leaves the figure out
        """
        if not self.env.user.has_group(GROUP):
            raise AccessError(
                self.env._("These figures are for marketing users: left out.")
            )
        figure = FIGURES[name]
        self._calculate_company_based_kpi(
            figure.model,
            f"kpi_marketing_{name}_value",
            date_field=figure.moment,
            additional_domain=list(figure.domain),
            sum_field=figure.measure,
        )

    def _compute_kpis_actions(self, company, user):
        res = super()._compute_kpis_actions(company, user)
        menu = self.env.ref("marketing_automation.menu_marketing_automation_root").id
        return {
            **res,
            **{
                f"kpi_marketing_{name}": f"{DASHBOARD}?menu_id={menu}"
                for name in ("recovered_revenue", "recovered", "left", "sent")
            },
        }
