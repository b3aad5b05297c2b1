from odoo import fields, models


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    about = fields.Json(
        readonly=True,
        groups="base.group_system",
        help="The records a message speaks of: "
        '{"products": [{"id": 5, "price_before": 20.0, "currency_id": 1}]} or '
        '{"order_id": 7}. The price, as the website shows prices, is the one from '
        "before it changed; without it the price is not what the message is about.",
    )

    def _find_mentioned(self, names):
        """Return which of these merge tags the messages may use: values that nobody
        mentions need not be looked for.

        :param names: names of merge tags
        :rtype: set[str]
        """
        sources = [
            source or ""
            for template in self.template_id
            for by_name in template._get_sources_by_lang().values()
            for source in by_name.values()
        ]
        # All messages of a campaign, variant and language say the same instead.
        alike = self.grouped(lambda m: (m.campaign_id, m.variant_id, m.lang))
        sources += {
            value
            for messages in alike.values()
            for value in messages[0]._get_overrides().values()
            if isinstance(value, str)
        }
        return {name for name in names if any(name in source for source in sources)}
