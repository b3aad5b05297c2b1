"""What becomes of coupons when an order is confirmed, or cancelled again."""

import logging

from psycopg2 import OperationalError

from odoo import fields, models
from odoo.tools import SQL, mute_logger

from ...tools.trusted_context import say
from ..large_index import LargeIndex
from .coupon_check import CONFIRMING
from .loyalty_card import MANAGED

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def action_confirm(self):
        """Confirm these orders; whoever paid gets theirs, whatever became of a coupon.

        :return: as Odoo's own
        """
        orders = self.with_context(**{CONFIRMING: say()})
        orders._prepare_redemption()
        return super(SaleOrder, orders).action_confirm()

    def _action_confirm(self):
        cards = self.sudo()._get_marketing_cards() & self.sudo().order_line.coupon_id
        # Before the runs end: they take back what was not used.
        cards._settle_redemption()
        res = super()._action_confirm()
        self.sudo()._free_other_carts(cards)
        return res

    def _action_cancel(self):
        cards = self.sudo()._get_marketing_cards()
        res = super()._action_cancel()
        cards._settle_redemption()
        return res

    def _prepare_redemption(self):
        """See to it that who has paid gets their order, at the price they paid.

        Somebody may have paid with a coupon that was used for another order meanwhile:
        a payment that came in long after it was begun. The order is confirmed, and the
        second use is noted for the shop.
        """
        for order in self.sudo().filtered(lambda order: order.state != "sale"):
            cards = order._get_marketing_cards()
            if not cards:
                continue
            cards._lock_for_use()
            if not order._is_price_agreed():
                continue  # Odoo refuses what cannot be had; nobody has paid.
            for card in cards & order.order_line.coupon_id:
                missing = -order._get_real_points_for_coupon(card)
                if missing > 0:
                    order._note_second_use(card)
                    card.with_context(**MANAGED).points += missing

    def _note_second_use(self, card):
        _logger.warning(
            "Coupon %s of order %s was paid with, though it could not be used any more",
            card.id,
            self.name,
        )
        earlier = card.marketing_redeemed_order_id.name
        note = self.env._(
            "This order was paid with the coupon %(code)s after it had been used for "
            "%(order)s. The payment counts, so the discount was given twice.",
            code=card.code,
            order=earlier,
        )
        if not earlier:
            note = self.env._(
                "This order was paid with the coupon %(code)s after it had been taken "
                "back. The payment counts, so the discount was given.",
                code=card.code,
            )
        self.message_post(body=note)

    def _free_other_carts(self, cards):
        """Take coupons that were used off all other carts at once.

        :param loyalty.card cards: used by these orders
        """
        if not cards:
            return
        holders = self.search(
            [
                ("id", "not in", self.ids),
                ("state", "in", ("draft", "sent")),
                "|",
                ("applied_coupon_ids", "in", cards.ids),
                ("order_line", "any", [("coupon_id", "in", cards.ids)]),
            ]
        ).filtered(lambda order: not order._is_price_agreed())
        for order in holders._lock_what_is_free():
            for card in order._get_marketing_cards() & cards:
                order._drop_coupon(card, order._get_coupon_refusal(card))

    def _lock_what_is_free(self):
        """Return those of these carts that nobody is changing; the others see for
        themselves when they are looked at next."""
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                return self.try_lock_for_update(allow_referencing=True)
        except OperationalError:
            return self.browse()


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    _coupon_idx = LargeIndex("(coupon_id) WHERE coupon_id IS NOT NULL")

    def _get_company_amount(self, amount):
        """Return an amount of this line in the company's currency."""
        company = self.company_id
        return self.currency_id._convert(
            amount, company.currency_id, company, self.order_id.date_order
        )


class LoyaltyCard(models.Model):
    _inherit = "loyalty.card"

    def _settle_redemption(self):
        """Write down what these cards were used for, by the confirmed orders there are.

        A card whose order was cancelled can be used again until it expires.
        """
        lines = self.env["sale.order.line"].sudo()
        for card in self.sudo().with_context(**MANAGED):
            used = lines.search(
                [("coupon_id", "=", card.id), ("state", "=", "sale")], order="id"
            )
            if used or card.marketing_redeemed_at:
                card.write(card._prepare_redemption_values(used))

    def _prepare_redemption_values(self, used):
        """Return what is kept of the use of a card.

        :param sale.order.line used: its discounts on confirmed orders
        :rtype: dict
        """
        orders = used.order_id
        vals = {
            "marketing_redeemed_order_id": orders[:1].id,
            "marketing_discount_company": -sum(
                line._get_company_amount(line.price_total) for line in used
            ),
            "marketing_revenue_company": sum(
                order._get_marketing_revenue() for order in orders
            ),
        }
        if not orders:
            return {
                **vals,
                "marketing_redeemed_at": False,
                "marketing_reserved_order_id": False,
            }
        if not self.marketing_redeemed_at:
            vals["marketing_redeemed_at"] = fields.Datetime.now()
        # Of two orders that used it one was cancelled: the other still has it.
        return {**vals, "points": 0} if self.points > 0 else vals

    def _give_back_emptied(self):
        """Let a card count again that was taken back with an emptied cart."""
        if any(card.marketing_revoke_reason == "emptied" for card in self):
            self._give_back(SQL("card.id = ANY(%s)", self.ids))
