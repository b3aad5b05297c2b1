from odoo import api, fields, models


class SegmentAdd(models.TransientModel):
    """Put contacts into a segment by hand: from the segment, or from the contacts."""

    _name = "customer.segment.add"
    _inherit = ["marketing.guard"]
    _description = "Add Contacts to a Segment"

    segment_id = fields.Many2one(
        "customer.segment",
        required=True,
        ondelete="cascade",
        domain=[("kind", "=", "static")],
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Contacts",
        default=lambda self: self._default_partner_ids(),
    )

    @api.model
    def _default_partner_ids(self):
        """Return the contacts that were selected, if it was opened from there."""
        if self.env.context.get("active_model") != "res.partner":
            return False
        return self.env["res.partner"].browse(self.env.context.get("active_ids", []))

    def action_add(self):
        """Put the contacts in, and say how many were new.

        :return: a notification
        :rtype: dict
        """
        self.ensure_one()
        self.segment_id.check_access("write")
        result = self.segment_id.add_contacts(self.partner_ids.ids, "manual")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self._describe(result),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _describe(self, result):
        """Say what became of the contacts.

        :param dict result: see :meth:`customer.segment.add_contacts`
        :rtype: str
        """
        parts = [
            self.env._(
                "Added to “%(segment)s”: %(added)s.",
                segment=self.segment_id.name,
                added=result["added"],
            )
        ]
        if result["already_there"]:
            parts.append(self.env._("In it before: %s.", result["already_there"]))
        if result["refused"]:
            parts.append(
                self.env._(
                    "Left out, because they are archived or of another company: %s.",
                    result["refused"],
                )
            )
        return " ".join(parts)
