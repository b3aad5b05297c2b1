from odoo import fields, models
from odoo.exceptions import UserError


class EmailCampaignTest(models.TransientModel):
    """Send a campaign to a few people to look at."""

    _name = "email.campaign.test"
    _inherit = ["marketing.guard"]
    _description = "Test of a Campaign"

    campaign_id = fields.Many2one("email.campaign", required=True, ondelete="cascade")
    partner_ids = fields.Many2many(
        "res.partner",
        string="To",
        default=lambda self: self.env.user.partner_id,
        help="Each of them gets it with what it would say to them.",
    )

    def action_send(self):
        """Put the tests into the outbox.

        :return: a notification that says where to look
        :rtype: dict
        """
        self.ensure_one()
        self._check_references()
        self.campaign_id.check_access("write")
        column = self.campaign_id._get_address_column()
        without = self.partner_ids.filtered(lambda partner: not partner[column])
        if not self.partner_ids or without:
            raise UserError(
                self.env._(
                    "Choose people with an address for this channel. Without: %s",
                    ", ".join(without.mapped("name")) or "–",
                )
            )
        messages = self.env["marketing.message"]
        messages._check_test(self.campaign_id.channel, self.partner_ids)
        self.campaign_id._queue_test(self.partner_ids)
        return self.env["marketing.message"]._notify_test(
            ", ".join(self.partner_ids.mapped("name")),
            next={"type": "ir.actions.act_window_close"},
        )
