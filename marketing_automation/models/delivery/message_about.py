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
