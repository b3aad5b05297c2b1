from odoo import fields, models


class EmailCampaignSchedule(models.TransientModel):
    """Give a campaign another time, also while it is being sent."""

    _name = "email.campaign.schedule"
    _inherit = ["marketing.guard"]
    _description = "Change of a Campaign's Schedule"

    campaign_id = fields.Many2one("email.campaign", required=True, ondelete="cascade")
    campaign_state = fields.Selection(related="campaign_id.state")
    scheduled_at = fields.Datetime(
        string="Leaves On", required=True, default=fields.Datetime.now
    )
    is_local_time = fields.Boolean(string="At Each Recipient's Local Time")
    spread_hours = fields.Float(string="Spread Over")

    def action_apply(self):
        """Change the schedule; who has the message already keeps it.

        :raise UserError: the campaign has ended meanwhile
        """
        self.ensure_one()
        self.campaign_id.check_access("write")
        self.campaign_id._expect("scheduled", "running", "paused")
        self.campaign_id.write(
            {
                "scheduled_at": self.scheduled_at,
                "is_local_time": self.is_local_time,
                "spread_hours": self.spread_hours,
            }
        )
        return {"type": "ir.actions.act_window_close"}
