from odoo import fields, models


class CampaignDailyStats(models.Model):
    """What happened on one day with the messages of one campaign: kept, so that reports
    over years add up days. They are counted in ``campaign_day_count.py``.

    The days are those of the company. Nothing here is about a person.
    """

    _name = "campaign.daily.stats"
    _description = "Day of a Campaign"
    _order = "day desc, campaign_id desc"
    _rec_name = "campaign_id"
    _log_access = False

    campaign_id = fields.Many2one(
        "email.campaign", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    day = fields.Date(required=True, readonly=True)
    sent_count = fields.Integer(string="Sent", readonly=True)
    delivered_count = fields.Integer(
        string="Delivered", readonly=True, help="Not every account reports it."
    )
    bounced_count = fields.Integer(string="Bounced", readonly=True)
    opened_count = fields.Integer(
        string="Opened",
        readonly=True,
        help="Messages that a person opened or clicked for the first time.",
    )
    clicked_count = fields.Integer(
        string="Clicked",
        readonly=True,
        help="Messages that a person clicked for the first time.",
    )
    unsubscribed_count = fields.Integer(string="Unsubscribed", readonly=True)
    complained_count = fields.Integer(string="Complained", readonly=True)
    order_count = fields.Integer(
        string="Orders", readonly=True, help="Orders of this day that are credited."
    )
    revenue = fields.Monetary(
        string="Credited Revenue",
        readonly=True,
        help="Of the orders of this day, without refunds and cancelled orders.",
    )

    _campaign_day_uniq = models.UniqueIndex(
        "(campaign_id, day)", "A day of a campaign is counted once."
    )
    _day_idx = models.Index("(company_id, day)")

    def action_open_campaign(self):
        """Show the campaign of this day.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "email.campaign",
            "res_id": self.campaign_id.id,
            "view_mode": "form",
        }


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    def action_view_days(self):
        """Show what happened on each day.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_campaign_daily_stats"
        )
        return {
            **action,
            "context": {"search_default_campaign_id": self.id},
        }
