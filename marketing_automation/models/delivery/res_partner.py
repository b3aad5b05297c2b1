from odoo import fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    """Why did Anna not get it? Her contact leads to every decision about her."""

    _inherit = "res.partner"

    marketing_decision_count = fields.Integer(
        string="Marketing",
        compute="_compute_marketing_decision_count",
        groups="marketing_automation.group_marketing_user",
    )

    def _compute_marketing_decision_count(self):
        for partner in self:
            partner.marketing_decision_count = self.env[
                "marketing.decision"
            ].search_count(partner._get_marketing_decision_domain())

    def _get_marketing_decision_domain(self):
        """Return which decisions are about this person, under whatever contact: each
        checkout of a guest creates a contact of its own.

        :rtype: Domain
        """
        self.ensure_one()
        domain = Domain("partner_id", "in", self.ids)
        if self.email_normalized:
            domain |= Domain("email_normalized", "=", self.email_normalized)
        return domain

    def action_view_marketing_decisions(self):
        """Open every decision about writing to this person, with its reason.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_decision"
        )
        return {
            **action,
            "display_name": self.env._("Marketing: %s", self.display_name),
            "domain": list(self._get_marketing_decision_domain()),
            "context": {},
        }
