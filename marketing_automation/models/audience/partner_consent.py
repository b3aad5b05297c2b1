from odoo import fields, models


class ResPartner(models.Model):
    """What this person agreed to, under whatever contact."""

    _inherit = "res.partner"

    marketing_consent_count = fields.Integer(
        string="Consent",
        compute="_compute_marketing_consent_count",
        groups="marketing_automation.group_marketing_user",
        help="Purposes and channels this person agreed to.",
    )

    def _compute_marketing_consent_count(self):
        preferences = self.env["marketing.preference"]
        addresses = {partner: partner._get_marketing_addresses() for partner in self}
        counts = dict(
            preferences._read_group(
                [
                    ("state", "=", "given"),
                    ("address", "in", list(set().union(*addresses.values()))),
                ],
                ["address"],
                ["__count"],
            )
        )
        for partner in self:
            partner.marketing_consent_count = sum(
                counts.get(address, 0) for address in addresses[partner]
            )

    def _get_marketing_addresses(self):
        """Return under which addresses this person is written to.

        :return: the normalized email, and the number in E.164
        :rtype: set[str]
        """
        self.ensure_one()
        return set(filter(None, (self.email_normalized, self.phone_sanitized)))

    def action_view_marketing_consent(self):
        """Show what this person agreed to and what they refused.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_preference"
        )
        return {
            **action,
            "display_name": self.env._("Consent: %s", self.display_name),
            "domain": [("address", "in", sorted(self._get_marketing_addresses()))],
            "context": {"active_ids": self.ids},
        }
