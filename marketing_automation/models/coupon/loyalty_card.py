from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..large_index import LargeIndex

# A payment that was begun and not finished keeps the card for its order this long.
PAYMENT_MINUTES = 30
# Nothing was bought with the card, it was not taken back, and it has not run out.
IS_OPEN = SQL(
    """card.marketing_coupon_id IS NOT NULL AND card.points >= 1
       AND card.marketing_redeemed_at IS NULL AND card.marketing_revoked_at IS NULL"""
)
MANAGED = {"loyalty_no_mail": True, "tracking_disable": True}


class LoyaltyCard(models.Model):
    """A coupon of ours is a card of Odoo's with a person and a few promises on it."""

    _inherit = "loyalty.card"

    marketing_coupon_id = fields.Many2one(
        "marketing.coupon",
        string="Coupon Rule",
        readonly=True,
        copy=False,
        ondelete="restrict",
        groups="marketing_automation.group_marketing_user",
    )
    marketing_enrollment_id = fields.Many2one(
        "marketing.enrollment",
        string="Recovery",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups="marketing_automation.group_marketing_user",
    )
    marketing_email = fields.Char(
        string="Only For",
        readonly=True,
        copy=False,
        help="The person this coupon was made for, by normalized address.",
    )
    marketing_currency_id = fields.Many2one(
        "res.currency", string="Currency of the Cart", readonly=True, copy=False
    )
    marketing_minimum_amount = fields.Monetary(
        string="Smallest Order",
        readonly=True,
        copy=False,
        currency_field="marketing_currency_id",
        help="Value of the products, as the shop shows prices.",
    )
    marketing_minimum_untaxed = fields.Monetary(
        string="Smallest Order Without Tax",
        readonly=True,
        copy=False,
        currency_field="marketing_currency_id",
        help="What an order is compared with: the same products reach it whatever "
        "taxes their customer pays. Empty for older coupons: the amount with tax "
        "counts.",
    )
    marketing_revoked_at = fields.Datetime(
        string="Taken Back", readonly=True, copy=False
    )
    marketing_revoke_reason = fields.Char(
        string="Why Taken Back", readonly=True, copy=False
    )
    marketing_redeemed_at = fields.Datetime(string="Used", readonly=True, copy=False)
    marketing_redeemed_order_id = fields.Many2one(
        "sale.order",
        string="Used For",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    marketing_reserved_order_id = fields.Many2one(
        "sale.order",
        string="Being Paid",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose payment began last with this coupon: no other order can be paid "
        "with it until that one failed.",
    )
    marketing_discount_company = fields.Monetary(
        string="Discount Given",
        readonly=True,
        copy=False,
        currency_field="currency_id",
        help="What the coupon took off the confirmed order, with tax, in the company's "
        "currency.",
    )
    marketing_revenue_company = fields.Monetary(
        string="Order Value",
        readonly=True,
        copy=False,
        currency_field="currency_id",
        help="Total of the confirmed order, with tax, in the company's currency.",
    )

    _marketing_coupon_idx = LargeIndex(
        "(marketing_coupon_id) WHERE marketing_coupon_id IS NOT NULL"
    )
    _marketing_enrollment_idx = LargeIndex(
        "(marketing_enrollment_id) WHERE marketing_enrollment_id IS NOT NULL"
    )
    _marketing_email_idx = LargeIndex(
        "(marketing_email) WHERE marketing_email IS NOT NULL"
    )
    _marketing_redeemed_order_idx = LargeIndex(
        "(marketing_redeemed_order_id) WHERE marketing_redeemed_order_id IS NOT NULL"
    )
    _marketing_reserved_order_idx = LargeIndex(
        "(marketing_reserved_order_id) WHERE marketing_reserved_order_id IS NOT NULL"
    )
    _marketing_open_idx = LargeIndex(
        "(expiration_date) WHERE marketing_coupon_id IS NOT NULL "
        "AND marketing_redeemed_at IS NULL AND marketing_revoked_at IS NULL"
    )

    # === STATE ===#

    @api.model
    def _get_open_domain(self):
        """Return a domain for cards that can still be used.

        :rtype: Domain
        """
        return (
            Domain("marketing_coupon_id", "!=", False)
            & Domain("points", ">=", 1)
            & Domain("marketing_redeemed_at", "=", False)
            & Domain("marketing_revoked_at", "=", False)
            & Domain("expiration_date", ">=", fields.Date.today())
        )

    def _is_open(self):
        """Whether this card can still be used.

        :rtype: bool
        """
        return bool(self.filtered_domain(self._get_open_domain()))

    def _get_paying_order(self):
        """Return the order that is being paid with this card at the moment.

        :rtype: sale.order
        """
        self.ensure_one()
        order = self.sudo().marketing_reserved_order_id
        return order if order._has_live_payment() else order.browse()

    def _lock_for_use(self):
        """Wait until nobody else is deciding who uses these cards.

        Whoever waited here for somebody who took a card begins again (the database
        refuses to go on from before), and sees that it is taken.
        """
        self.env.cr.execute(
            SQL(
                "SELECT FROM loyalty_card WHERE id = ANY(%s) ORDER BY id"
                " FOR NO KEY UPDATE",
                self.ids,
            )
        )

    # === TAKING BACK ===#

    @api.model
    def _revoke(self, runs, reason):
        """Take back the unused cards of runs, in one statement.

        A card somebody is paying with stays: nobody's discount goes away between the
        payment and the order.

        :param marketing.enrollment runs: whose cards
        :param str reason: key of ``marketing.enrollment.stop_reason``
        :return: number of cards
        :rtype: int
        """
        return self._revoke_where(
            SQL("card.marketing_enrollment_id = ANY(%s)", runs.ids), reason
        )

    @api.model
    def _revoke_where(self, condition, reason):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE loyalty_card card
                      SET points = 0, marketing_revoked_at = %s,
                          marketing_revoke_reason = %s
                    WHERE %s AND %s AND card.expiration_date >= %s AND NOT %s""",
                fields.Datetime.now(),
                reason,
                condition,
                IS_OPEN,
                fields.Date.today(),
                self._get_being_paid(),
            )
        )
        count = self.env.cr.rowcount
        if count:
            self.invalidate_model()
        return count

    @api.model
    def _get_being_paid(self):
        """Return SQL: somebody pays with the card ``card`` at this moment, or has paid
        and waits for the order. See ``sale.order._has_live_payment``.

        :rtype: SQL
        """
        return SQL(
            """EXISTS (
                   SELECT FROM sale_order_transaction_rel rel
                     JOIN payment_transaction tx ON tx.id = rel.transaction_id
                    WHERE rel.sale_order_id = card.marketing_reserved_order_id
                      AND (tx.state IN ('pending', 'authorized', 'done')
                           OR tx.state = 'draft' AND tx.create_date > %s))""",
            self._get_payment_limit(),
        )

    @api.model
    def _get_payment_limit(self):
        """Return since when payments were begun that may still be finished.

        :rtype: datetime
        """
        return fields.Datetime.now() - timedelta(minutes=PAYMENT_MINUTES)

    @api.model
    def _give_back(self, condition):
        """Let cards count again that were taken back because a cart was emptied.

        :param SQL condition: which of the cards ``card``
        """
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE loyalty_card card
                      SET points = 1, marketing_revoked_at = NULL,
                          marketing_revoke_reason = NULL
                    WHERE %s AND card.marketing_revoke_reason = 'emptied'
                      AND card.expiration_date >= %s""",
                condition,
                fields.Date.today(),
            )
        )
        if self.env.cr.rowcount:
            self.invalidate_model()
