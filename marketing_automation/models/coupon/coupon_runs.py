"""Cards and the runs and messages they belong to."""

from odoo import fields, models
from odoo.tools import SQL

# Ends of a run after which there is no need of its coupon any more. Who got all the
# messages there are (max_messages), or answered (replied), keeps it.
NEEDLESS = {"purchased", "opted_out", "emptied", "expired", "cancelled"}


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    coupon_card_id = fields.Many2one(
        "loyalty.card",
        string="Coupon",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        # Reading it asks for rights on cards; marketing users need not have them.
        groups="sales_team.group_sale_salesman",
    )


class MarketingEnrollment(models.Model):
    _inherit = "marketing.enrollment"

    coupon_card_id = fields.Many2one(
        "loyalty.card",
        string="Latest Coupon",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="sales_team.group_sale_salesman",
    )

    def _stop(self, reason):
        """Take back what these runs promised, where nobody needs it any more."""
        res = super()._stop(reason)
        # A contact was promised it for no cart: that holds until it runs out.
        promised = self.sudo().filtered(
            lambda run: run.abandoned_cart_id and run.coupon_card_id
        )
        if promised and reason in NEEDLESS:
            # Also of runs that were complete: who bought does not need it.
            self.env["loyalty.card"].sudo()._revoke(promised, reason)
        return res

    def _resume(self):
        """Who fills an emptied cart again has their coupon again."""
        res = super()._resume()
        going_on = self.filtered(lambda run: run.state == "active")
        if going_on:
            self.env["loyalty.card"].sudo()._give_back(
                SQL("card.marketing_enrollment_id = ANY(%s)", going_on.ids)
            )
        return res

    def _get_newest_card(self):
        """Return the newest coupon of these runs that can still be used.

        :rtype: loyalty.card
        """
        cards = self.env["loyalty.card"].sudo()
        if not self:
            return cards
        return cards.search(
            [("marketing_enrollment_id", "in", self.ids), *cards._get_open_domain()],
            order="id desc",
            limit=1,
        )
