"""One coupon pays for one order, however many carts it is in."""

from odoo import api, models
from odoo.exceptions import ValidationError

# Money is under way: the price was agreed on.
AGREED_STATES = ("pending", "authorized", "done")


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """Take the coupons for whoever begins to pay, on whatever page."""
        transactions = super().create(vals_list)
        transactions.sudo().sale_order_ids._reserve_coupons()
        return transactions


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _reserve_coupons(self):
        """Keep the coupons of these orders from being used by others while they pay.

        The first one to get here has it, until the payment failed or was given up.

        :raise ValidationError: somebody else has it, or it cannot be used any more;
            nothing was charged
        """
        for order in self.filtered(lambda order: order.state in ("draft", "sent")):
            cards = order._get_marketing_cards() & order.sudo().order_line.coupon_id
            if not cards:
                continue
            cards._lock_for_use()
            for card in cards:
                if refusal := order._get_coupon_refusal(card, is_paying=True):
                    raise ValidationError(
                        self.env._(
                            "%(refusal)s Nothing was charged. Reload this page to see "
                            "the price without it.",
                            refusal=refusal,
                        )
                    )
            cards.marketing_reserved_order_id = order

    def _get_live_transactions(self):
        """Return the payments of these orders that may still come to something.

        :rtype: payment.transaction
        """
        limit = self.env["loyalty.card"]._get_payment_limit()
        return self.sudo().transaction_ids.filtered(
            lambda tx: (
                tx.state in AGREED_STATES
                or (tx.state == "draft" and tx.create_date > limit)
            )
        )

    def _has_live_payment(self):
        """Whether somebody is paying one of these orders, or has paid it.

        :rtype: bool
        """
        return bool(self._get_live_transactions())

    def _is_price_agreed(self):
        """Whether money is under way for this order, at the price it has now.

        :rtype: bool
        """
        self.ensure_one()
        return any(tx.state in AGREED_STATES for tx in self.sudo().transaction_ids)

    def _get_confirmed_tx_create_date(self):
        """A coupon counts on the day somebody paid with it, also when the money comes
        later (bank transfer)."""
        self.ensure_one()
        date = super()._get_confirmed_tx_create_date()
        if not self._get_marketing_cards():
            return date
        begun = [
            tx.create_date.date()
            for tx in self.sudo().transaction_ids
            if tx.state in AGREED_STATES
        ]
        return min([date, *begun])
