"""One coupon pays for one order, however many carts it is in."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.trusted_context import say
from ..large_index import LargeIndex
from .coupon_check import CONFIRMING
from .loyalty_card import MANAGED

# Money is under way: the price was agreed on.
AGREED_STATES = ("pending", "authorized", "done")


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    marketing_card_id = fields.Many2one(
        "loyalty.card",
        string="Coupon",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="The coupon that was in the price when this payment began.",
    )

    _marketing_card_idx = LargeIndex(
        "(marketing_card_id) WHERE marketing_card_id IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Take the coupons for whoever begins to pay, on whatever page."""
        transactions = super().create(vals_list)
        for transaction in transactions.sudo().filtered("sale_order_ids"):
            cards = transaction.sale_order_ids._reserve_coupons()
            transaction.marketing_card_id = cards[:1]
        return transactions

    def _post_process(self):
        """Money that comes late was still paid at the price that was shown."""
        for transaction in self.filtered(
            lambda tx: tx.marketing_card_id and tx.state in AGREED_STATES
        ):
            transaction.sale_order_ids._keep_paid_price(transaction)
        return super()._post_process()


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _reserve_coupons(self):
        """Keep the coupons of these orders from being used by others while they pay.

        The first one to get here has it, until the payment failed or was given up.

        :return: the coupons
        :rtype: loyalty.card
        :raise ValidationError: somebody else has it, or it cannot be used any more;
            nothing was charged
        """
        reserved = self.env["loyalty.card"].sudo()
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
            reserved |= cards
        return reserved

    def _keep_paid_price(self, transaction):
        """Put back the coupon that was in a price which somebody has paid by now.

        It was taken off meanwhile because the payment seemed to be given up. Where the
        customer has changed the cart since, the price is another one anyway.

        :param payment.transaction transaction: it has come to something
        """
        for order in self.sudo().with_context(**{CONFIRMING: say()}):
            card = transaction.marketing_card_id
            if (
                order.state not in ("draft", "sent")
                or card in order.order_line.coupon_id
                or order.currency_id.compare_amounts(
                    order.amount_total, transaction.amount
                )
                <= 0
            ):
                continue
            card._lock_for_use()
            if card.points < 1:
                order._note_second_use(card)
                card.with_context(**MANAGED).points = 1
            order.applied_coupon_ids |= card
            order._apply_program_reward(card.program_id.reward_ids[:1], card)

    def _claim_coupons(self):
        """Take the coupons of an order that costs nothing, just before it is confirmed.

        :return: whether the order still costs what it did; its customer is told if not
        :rtype: bool
        """
        self.ensure_one()
        cards = self._get_marketing_cards()
        if not cards or self.state not in ("draft", "sent"):
            return True
        cards._lock_for_use()
        before = self.amount_total
        for card in cards & self.sudo().order_line.coupon_id:
            if refusal := self._get_coupon_refusal(card, is_paying=True):
                self._drop_coupon(card, refusal)
        return not self.currency_id.compare_amounts(before, self.amount_total)

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
