from odoo import fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    """In which segments is Anna, and since when?"""

    _inherit = "res.partner"

    marketing_segment_count = fields.Integer(
        string="Segments",
        compute="_compute_marketing_segment_count",
        groups="marketing_automation.group_marketing_user",
    )

    def _compute_marketing_segment_count(self):
        for partner in self:
            partner.marketing_segment_count = self.env[
                "segment.membership"
            ].search_count(partner._get_segment_membership_domain())

    def _get_segment_membership_domain(self):
        """Return the memberships of this person, under whatever contact: each checkout
        of a guest creates a contact of its own.

        :rtype: Domain
        """
        self.ensure_one()
        domain = Domain("partner_id", "in", self.ids)
        if self.email_normalized:
            domain |= Domain("partner_id.email_normalized", "=", self.email_normalized)
        return domain

    def action_view_marketing_segments(self):
        """Open the segments this person is in, with since when.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_segment_membership"
        )
        return {
            **action,
            "display_name": self.env._("Segments: %s", self.display_name),
            "domain": list(self._get_segment_membership_domain()),
            "context": {"of_contact": True},
        }
