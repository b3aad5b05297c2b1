"""Who may use a coupon for which order, and the sentence for whoever may not."""

from odoo import fields, models
from odoo.http import request
from odoo.tools import format_amount, format_date

from ...tools.coupon_codes import tidy_code
from ...tools.trusted_context import heard

# In the context, from our own code alone: the order is being confirmed.
CONFIRMING = "marketing_confirming"
PENDING_CODE = "pending_coupon_code"


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # === ODOO'S OWN WAYS ===#

    def _try_apply_code(self, code):
        """Check a coupon of ours: whose it is, what it is worth, until when.

        Odoo's own method locks the whole programme meanwhile; one person's card is not
        in the way of another's here.
        """
        self.ensure_one()
        card = self._find_marketing_card(code)
        if not card:
            attempts = self.env["marketing.code.attempt"]
            if attempts._is_too_many():
                return {
                    "error": self.env._(
                        "You tried many codes that are not valid. Please try again in "
                        "an hour."
                    )
                }
            status = super()._try_apply_code(code)
            if status.get("not_found"):
                attempts._count_wrong()
            return status
        self._drop_refused_coupons()
        if refusal := self._get_coupon_refusal(card):
            return {"error": refusal}
        return self._apply_marketing_card(card)

    def _apply_program_reward(self, reward, coupon, **kwargs):
        """Check it where a card is offered to click on, too."""
        card = coupon.sudo()
        if card.marketing_coupon_id and not heard(self.env, CONFIRMING):
            if refusal := self._get_coupon_refusal(card):
                return {"error": refusal}
        return super()._apply_program_reward(reward, coupon, **kwargs)

    def _update_programs_and_rewards(self):
        """Look again at the coupons of a cart each time Odoo does."""
        self._drop_refused_coupons()
        return super()._update_programs_and_rewards()

    # === RULES ===#

    def _get_coupon_refusal(self, card, is_paying=False):
        """Say why an order cannot have a coupon, for its customer to read.

        :param loyalty.card card: a coupon of ours (sudo)
        :param bool is_paying: whether this order is being paid with it now
        :return: a sentence; empty: it can
        :rtype: str
        """
        self.ensure_one()
        if card.marketing_redeemed_at:
            return self.env._("This coupon has been used already.")
        if card.expiration_date < self._get_confirmed_tx_create_date():
            return self.env._(
                "This coupon could be used until %s.",
                format_date(self.env, card.expiration_date),
            )
        if card.points < 1 and card.marketing_revoke_reason != "emptied":
            return self.env._(
                "This coupon is not valid any more: it belonged to a cart that is "
                "closed now."
            )
        if not self._is_coupon_holder(card, is_paying):
            return self.env._(
                "This coupon is personal. It works with the email address it was "
                "sent to: follow the link in that message, or log in."
            )
        if card._get_paying_order() - self:
            return self.env._(
                "This coupon is being used right now to pay for another order."
            )
        if self._is_stored_value_only():
            return self.env._(
                "This coupon takes nothing off gift cards. You can use it for other "
                "products."
            )
        return self._get_minimum_refusal(card)

    def _is_coupon_holder(self, card, is_paying):
        """Whether the customer of this order is the person of a card.

        A guest who has not said yet who they are may look what it comes to; it is
        looked at again when they have, and before they pay.
        """
        partner = self.partner_id
        if partner.is_public or partner == self.website_id.user_id.partner_id:
            return not is_paying
        if partner == card.partner_id:
            return True
        return bool(
            card.marketing_email
            and partner.email_normalized == card.marketing_email
            and not self._is_unproven_claim(card)
        )

    def _get_minimum_refusal(self, card):
        """Compare the products of this order with the smallest one for a coupon.

        Without tax: the same products cost a business that is exempt less, and are
        enough all the same.
        """
        value = self._get_products_value()
        shown_minimum = self._convert_minimum(card, card.marketing_minimum_amount)
        if card.marketing_minimum_untaxed:
            untaxed = self._get_products_value_untaxed()
            minimum = self._convert_minimum(card, card.marketing_minimum_untaxed)
            # Tax that is taken out of each price leaves up to a cent a line.
            cents = (
                len(self.order_line) * self.currency_id.rounding
                if card.marketing_minimum_untaxed < card.marketing_minimum_amount
                else 0.0
            )
            is_enough = self.currency_id.compare_amounts(untaxed + cents, minimum) >= 0
            if untaxed:
                # In the prices that this customer sees.
                shown_minimum = self.currency_id.round(minimum * value / untaxed)
        else:
            is_enough = self.currency_id.compare_amounts(value, shown_minimum) >= 0
        if is_enough:
            return ""
        return self.env._(
            "This coupon is for orders from %(minimum)s on. The products in this cart "
            "come to %(value)s.",
            minimum=format_amount(self.env, shown_minimum, self.currency_id),
            value=format_amount(self.env, value, self.currency_id),
        )

    def _convert_minimum(self, card, amount):
        return card.marketing_currency_id._convert(
            amount, self.currency_id, self.company_id, fields.Date.today()
        )

    def _get_products_value(self):
        """Return what the products of an order come to, as the shop shows prices;
        without delivery, discounts, gifts and gift cards.

        :return: in the order's currency
        :rtype: float
        """
        self.ensure_one()
        return sum(line._get_cart_display_price() for line in self._get_goods_lines())

    def _get_products_value_untaxed(self):
        """Return the same without tax.

        :return: in the order's currency
        :rtype: float
        """
        self.ensure_one()
        return sum(
            sum(line._get_lines_with_price().mapped("price_subtotal"))
            for line in self._get_goods_lines()
        )

    def _get_goods_lines(self):
        # Not through filtered(): of a thousand carts the lines are read together.
        return [
            line
            for line in self.order_line
            if line._is_recoverable_line() and not line.product_id.is_stored_value
        ]

    # === CARDS OF AN ORDER ===#

    def _find_marketing_card(self, code):
        """Return the card of ours with this code, if this order could have it at all.

        :param str code: what somebody typed
        :rtype: loyalty.card
        """
        cards = self.env["loyalty.card"].sudo()
        card = cards.search(
            [("code", "=", tidy_code(code)), ("marketing_coupon_id", "!=", False)]
        )
        if card._is_open():
            # What the card was promised with holds, whatever became of its programme.
            program = card.program_id
            program.marketing_coupon_id._keep_in_step(
                program, program._get_marketing_terms()
            )
        return (
            card
            if card.program_id.filtered_domain(self._get_program_domain())
            else cards
        )

    def _apply_marketing_card(self, card):
        """Put a card that was checked into this order.

        :return: as ``_try_apply_code``
        :rtype: dict
        """
        if card in self.order_line.coupon_id:
            return {"error": self.env._("This coupon is in your cart already.")}
        card._give_back_emptied()
        # Another one of the same kind, which brings nothing more.
        for other in self._get_marketing_cards() - card:
            if other.program_id == card.program_id:
                self._remove_coupon(other)
        self.applied_coupon_ids |= card
        status = self._try_apply_program(card.program_id, card)
        if "error" in status:
            self.applied_coupon_ids -= card
            return status
        return self._get_claimable_rewards(forced_coupons=card)

    def _get_marketing_cards(self):
        """Return the coupons of ours that these orders hold.

        :rtype: loyalty.card
        """
        orders = self.sudo()
        cards = orders.applied_coupon_ids | orders.order_line.coupon_id
        return cards.filtered("marketing_coupon_id")

    def _drop_refused_coupons(self):
        """Take coupons off carts that cannot have them any more, and say so there.

        An order that was paid keeps its price: what was agreed on holds.
        """
        if heard(self.env, CONFIRMING):
            return
        for order in self:
            if order.state not in ("draft", "sent"):
                continue
            cards = order._get_marketing_cards()
            if not cards or order._is_price_agreed():
                continue
            for card in cards:
                if refusal := order._get_coupon_refusal(card):
                    order._drop_coupon(card, refusal)

    def _drop_coupon(self, card, refusal):
        """Take a coupon off and leave a note for the customer.

        :param loyalty.card card: a coupon of this order
        :param str refusal: why, see :meth:`_get_coupon_refusal`
        """
        was_used = card in self.sudo().order_line.coupon_id
        self._remove_coupon(card)
        if not was_used:
            return
        self.shop_warning = self.env._(
            "Your coupon was taken off this cart. %s", refusal
        )
        if request and refusal == self._get_minimum_refusal(card):
            # Odoo puts it back by itself once the cart is large enough again.
            request.session[PENDING_CODE] = card.code

    def _remove_coupon(self, card):
        order = self.sudo()
        order.applied_coupon_ids -= card
        order.order_line.filtered(lambda line: line.coupon_id == card).unlink()
