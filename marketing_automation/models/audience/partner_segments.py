from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL


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

    def unlink(self):
        """What segments know of a contact goes along; no foreign key takes it."""
        ids = self.ids
        segments = self._get_segments()
        result = super().unlink()
        for table in ("segment_membership", "segment_membership_event"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE partner_id = ANY(%s)",
                    SQL.identifier(table),
                    ids,
                )
            )
        segments._forget_members()
        segments._count_members()
        return result

    def _get_segments(self):
        """Return the segments that one of these contacts is in.

        :rtype: customer.segment
        """
        memberships = self.env["segment.membership"].sudo()
        groups = memberships._read_group(
            [("partner_id", "in", self.ids)], ["segment_id"]
        )
        return memberships.segment_id.concat(*(segment for (segment,) in groups))


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Whom two contacts stood for is one member, since the earlier entry, and goes
        through a sequence once."""
        self.env["marketing.enrollment"]._merge_contacts(src_partners, dst_partner)
        result = super()._update_foreign_keys(src_partners, dst_partner)
        segments = src_partners._get_segments()
        keys = {"ids": src_partners.ids, "into": dst_partner.id}
        for statement in (
            """INSERT INTO segment_membership AS member
                           (segment_id, partner_id, entered_at, source)
               SELECT DISTINCT ON (segment_id) segment_id, %(into)s, entered_at, source
                 FROM segment_membership WHERE partner_id = ANY(%(ids)s)
                ORDER BY segment_id, entered_at
                   ON CONFLICT (segment_id, partner_id) DO UPDATE
                  SET entered_at = LEAST(member.entered_at, EXCLUDED.entered_at)""",
            "DELETE FROM segment_membership WHERE partner_id = ANY(%(ids)s)",
            """UPDATE segment_membership_event SET partner_id = %(into)s
                WHERE partner_id = ANY(%(ids)s)""",
        ):
            self.env.cr.execute(SQL(statement, **keys))
        segments._forget_members()
        segments._count_members()
        return result
