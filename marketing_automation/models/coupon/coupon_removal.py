"""What becomes of coupons when the addon is removed: promises to customers are kept."""

from odoo import api, models
from odoo.tools import SQL

from .loyalty_card import IS_OPEN


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    @api.model
    def _let_go(self):
        """Leave coupons behind as Odoo's own, where somebody still counts on them.

        Who has a coupon can use it until it expires, by its code alone: whose it is and
        its smallest order, only this addon knows. Their programmes end by themselves on
        the last day of their last coupon. Others are archived if orders refer to them,
        and deleted if nothing does; so are coupons nobody can use or has used.
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """DELETE FROM loyalty_card card
                    WHERE card.marketing_coupon_id IS NOT NULL AND NOT (%s)
                      AND NOT EXISTS (SELECT FROM loyalty_history h
                                       WHERE h.card_id = card.id)
                      AND NOT EXISTS (SELECT FROM sale_order_line sol
                                       WHERE sol.coupon_id = card.id)""",
                self._get_still_good(),
            )
        )
        self.env.invalidate_all(flush=False)
        programs = self.env["loyalty.program"].with_context(active_test=False)
        for program in programs.search([("marketing_coupon_id", "!=", False)]):
            program._let_go()

    @api.model
    def _get_still_good(self):
        today = SQL("(now() AT TIME ZONE 'UTC')::date")
        return SQL("%s AND card.expiration_date >= %s", IS_OPEN, today)


class LoyaltyProgram(models.Model):
    _inherit = "loyalty.program"

    def _let_go(self):
        """Let this programme go on without us as long as somebody needs it."""
        ((last_day,),) = self.env.execute_query(
            SQL(
                """SELECT max(card.expiration_date) FROM loyalty_card card
                    WHERE card.program_id = %s AND %s""",
                self.id,
                self.env["marketing.coupon"]._get_still_good(),
            )
        )
        if last_day:
            self.date_to = last_day
            return
        rewards = self.with_context(active_test=False).reward_ids
        lines = self.env["sale.order.line"]
        self.active = False
        cards = self.env["loyalty.card"]
        if cards.search_count(
            [("program_id", "=", self.id)], limit=1
        ) or lines.search_count([("reward_id", "in", rewards.ids)], limit=1):
            return
        products = rewards.discount_line_product_id
        self.unlink()
        products.product_tmpl_id.unlink()
