"""What coupons took off the orders they were used for."""

from odoo import api, models
from odoo.tools import SQL

from ..large_index import LargeIndex
from .totals import BEFORE, NOW


class LoyaltyCard(models.Model):
    _inherit = "loyalty.card"

    _marketing_redeemed_idx = LargeIndex(
        "(marketing_redeemed_at) WHERE marketing_redeemed_at IS NOT NULL"
    )


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def _put_discounts(self, report, totals):
        """Add the coupons that were used, and what they cost.

        Few enough to be counted live: one a recovered cart at most.
        """
        for when, period in ((NOW, report.period), (BEFORE, report.previous)):
            domain = self._get_domain(report._replace(period=period), "discounts", {})
            cards = self.env["loyalty.card"].sudo()._search(domain)
            amount = SQL.identifier(cards.table, "marketing_discount_company")
            [(count, value)] = self.env.execute_query(
                cards.select(SQL("count(*)"), SQL("sum(%s)", amount))
            )
            totals.put("redeemed", when, float(count))
            totals.put("discounts", when, float(value or 0))
