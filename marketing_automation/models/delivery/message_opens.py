from odoo import api, fields, models


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    open_count = fields.Integer(
        string="Opens",
        compute="_compute_open_count",
        help="By people. Mail programs that fetch pictures ahead are left out, and "
        "those that show none are not counted: clicks say more.",
    )

    @api.depends("engagement_ids")
    def _compute_open_count(self):
        opens = dict(
            self.env["marketing.engagement"]._read_group(
                [
                    ("message_id", "in", self.ids),
                    ("kind", "=", "open"),
                    ("is_machine", "=", False),
                ],
                ["message_id"],
                ["__count"],
            )
        )
        for message in self:
            message.open_count = opens.get(message, 0)
