from odoo import api, fields, models


class MarketingMessage(models.Model):
    """What people did with a message; what machines did does not count."""

    _inherit = "marketing.message"

    open_count = fields.Integer(
        string="Opens",
        compute="_compute_engagement",
        help="By people. Mail programs that fetch pictures ahead are left out, and "
        "those that show none are not counted: clicks say more.",
    )
    click_count = fields.Integer(
        string="Clicks", compute="_compute_engagement", search="_search_click_count"
    )

    @api.depends("engagement_ids")
    def _compute_engagement(self):
        counts = {
            # What was repeated at once is counted on one row.
            (message, kind): count + (repeated or 0)
            for message, kind, count, repeated in (
                self.env["marketing.engagement"]._read_group(
                    [("message_id", "in", self.ids), ("is_machine", "=", False)],
                    ["message_id", "kind"],
                    ["__count", "repeat_count:sum"],
                )
            )
        }
        for message in self:
            message.open_count = counts.get((message, "open"), 0)
            message.click_count = counts.get((message, "click"), 0)

    @api.model
    def _search_click_count(self, operator, value):
        # "clicked" and "not clicked" are what the filters ask for.
        if (operator, value) not in ((">", 0), ("=", 0)):
            return NotImplemented
        clicks = [("kind", "=", "click"), ("is_machine", "=", False)]
        clicked = self.env["marketing.engagement"]._search(clicks)
        domain = fields.Domain("engagement_ids", "in", clicked)
        return domain if operator == ">" else ~domain
