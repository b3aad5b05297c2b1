from odoo import fields, models


class MarketingMessage(models.Model):
    """A message of a campaign says what the campaign says."""

    _inherit = "marketing.message"

    campaign_id = fields.Many2one(
        "email.campaign", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    def _get_overrides(self):
        campaign = self.campaign_id
        if not campaign:
            return super()._get_overrides()
        localized = campaign.with_context(lang=self._get_lang_code())
        return {
            **localized._get_sources(),
            "from_name": campaign.from_name,
            "reply_to": campaign.reply_to,
            "track_opens": campaign.track_opens,
            "track_clicks": campaign.track_clicks,
        }

    def _get_utm_parameters(self):
        hosts, marks = super()._get_utm_parameters()
        campaign = self.campaign_id
        if campaign:
            name = campaign.utm_campaign_id.title or campaign.name
            marks = {**marks, "source": campaign.name, "campaign": name}
        return hosts, marks

    def _get_categories(self):
        if self.campaign_id:
            return [self.campaign_id.name]
        return super()._get_categories()
