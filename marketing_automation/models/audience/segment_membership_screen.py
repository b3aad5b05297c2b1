from odoo import models


class SegmentMembership(models.Model):
    """Members are taken out where they are listed."""

    _inherit = "segment.membership"

    def action_remove(self):
        """Take these members out of their static segments.

        :raises UserError: if one of the segments is dynamic
        """
        for segment, members in self.grouped("segment_id").items():
            segment.remove_contacts(members.partner_id.ids)

    def action_open_contact(self):
        """Open the contact, or the segment where the contact is where one comes from.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        if self.env.context.get("of_contact"):
            return self.segment_id._get_records_action()
        return self.partner_id._get_records_action()
