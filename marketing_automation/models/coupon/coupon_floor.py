"""The margin floor: no product is sold below its cost and something on top of it."""

from typing import NamedTuple

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import float_round

from ...tools.discount_floor import cap_amount, cap_percent
from ...tools.trusted_context import heard, say
from .stored_value import GOODS_ONLY

CARD = "marketing_floor_card_id"


class Bearing(NamedTuple):
    """What one product of an order bears of a coupon.

    :param line: its ``sale.order.line``
    :param float price: what it comes to without tax, other promotions taken off
    :param float total: the same with tax
    :param float share: what is taken off of it, 0 to 1
    """

    line: object
    price: float
    total: float
    share: float


class LoyaltyCard(models.Model):
    _inherit = "loyalty.card"

    # As promised with the card: the rule may be changed later.
    marketing_has_floor = fields.Boolean(
        string="Keeps a Margin", readonly=True, copy=False
    )
    marketing_min_margin = fields.Float(
        string="On Top of the Cost (%)", readonly=True, copy=False
    )


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    def _prepare_card(self, message, programs):
        coupon = message.step_id.coupon_id
        return {
            **super()._prepare_card(message, programs),
            "marketing_has_floor": coupon.has_floor,
            "marketing_min_margin": coupon.min_margin,
        }


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _apply_program_reward(self, reward, coupon, **kwargs):
        try:
            return super()._apply_program_reward(reward, coupon, **kwargs)
        except UserError:
            if not coupon.sudo().marketing_has_floor:
                raise
            return {
                "error": self.env._(
                    "The products in this cart are at their lowest price already: this "
                    "coupon takes nothing off them. You can use it for others."
                )
            }

    def _update_programs_and_rewards(self):
        """What other promotions take off is known at the end: our own comes last."""
        res = super()._update_programs_and_rewards()
        for order in self:
            lines = order.order_line.filtered(
                lambda line: line.coupon_id.sudo().marketing_has_floor
            )
            if lines and order._get_other_discounts(lines.coupon_id):
                order._recompute_floor_lines(lines)
        return res

    def _recompute_floor_lines(self, lines):
        reward, card = lines.reward_id[:1], lines.coupon_id[:1]
        pool = lines._reset_loyalty()
        try:
            vals_list = self._get_reward_line_values(reward, card)
        except UserError:
            vals_list = []  # Nothing is left to take off.
        self._write_vals_from_reward_vals(vals_list, pool)

    def _get_reward_values_discount(self, reward, coupon, **kwargs):
        if not coupon.sudo().marketing_has_floor:
            return super()._get_reward_values_discount(reward, coupon, **kwargs)
        order = self.with_context(**{CARD: say(coupon.id)})
        vals_list = super(SaleOrder, order)._get_reward_values_discount(
            reward, coupon, **kwargs
        )
        for vals in vals_list:
            # Never a cent more than there is room for.
            vals["price_unit"] = float_round(
                vals["price_unit"],
                precision_rounding=self.currency_id.rounding,
                rounding_method="DOWN",
            )
        return vals_list

    def _discountable_order(self, reward):
        """Leave out gift cards, and what the lines of the order cannot give away."""
        if reward.program_id.sudo().marketing_coupon_id:
            self = self.with_context(**{GOODS_ONLY: say()})
        discountable, per_tax = super()._discountable_order(reward)
        card_id = heard(self.env, CARD)
        if not card_id:
            return discountable, per_tax
        card = self.env["loyalty.card"].sudo().browse(int(card_id))
        plan = self._get_floor_plan(card)
        # Odoo takes its percentage of what is returned here, or the whole amount.
        factor = reward.discount / 100 if reward.discount_mode == "percent" else 1.0
        by_tax = {}
        for bearing in plan:
            by_tax.setdefault(bearing.line._get_discount_taxes(), []).append(bearing)
        return (
            sum(bearing.total * bearing.share for bearing in plan) / factor,
            {
                taxes: base * _get_mean_share(by_tax.get(taxes, [])) / factor
                for taxes, base in per_tax.items()
            },
        )

    def _get_floor_plan(self, card):
        """Say what a coupon takes off each product of this order.

        :param loyalty.card card: a coupon that keeps a margin (sudo)
        :rtype: list[Bearing]
        """
        order = self.with_context(**{GOODS_ONLY: say()})
        lines = (self.order_line - order._get_no_effect_on_threshold_lines()).filtered(
            lambda line: (
                not line.display_type and not line.reward_id and line.price_subtotal > 0
            )
        )
        taken = self._spread_other_discounts(card, lines)
        prices = [max(line.price_subtotal - taken[line], 0.0) for line in lines]
        totals = [
            line.price_total * price / line.price_subtotal
            for line, price in zip(lines, prices, strict=True)
        ]
        rooms = [
            1 - line._get_floor_price(card.marketing_min_margin) / price if price else 0
            for line, price in zip(lines, prices, strict=True)
        ]
        shares = self._cap_shares(card.program_id.reward_ids[:1], totals, rooms)
        return list(map(Bearing, lines, prices, totals, shares))

    def _cap_shares(self, reward, totals, rooms):
        if reward.discount_mode == "percent":
            return cap_percent(reward.discount, rooms)
        return cap_amount(self._get_fixed_discount(reward), totals, rooms)

    def _get_fixed_discount(self, reward):
        return reward.currency_id._convert(
            reward.discount, self.currency_id, self.company_id, fields.Date.today()
        )

    def _get_other_discounts(self, cards):
        """Return the lines with which other promotions take something off."""
        return self.order_line.filtered(
            lambda line: (
                line.reward_id.reward_type == "discount"
                and line.coupon_id not in cards
                and not line.reward_id.program_id.is_payment_program
            )
        )

    def _spread_other_discounts(self, card, lines):
        """Say what other promotions take off these lines, which has to fit as well.

        :return: amounts without tax, by line
        :rtype: dict
        """
        taken = dict.fromkeys(lines, 0.0)
        for other in self._get_other_discounts(card):
            concerned = self._get_promoted_lines(other.reward_id) & lines or lines
            together = sum(concerned.mapped("price_subtotal"))
            for line in concerned:
                taken[line] -= other.price_subtotal * line.price_subtotal / together
        return taken

    def _get_promoted_lines(self, reward):
        if reward.discount_applicability == "specific":
            return self._get_specific_discountable_lines(reward)
        if reward.discount_applicability == "cheapest":
            return self._cheapest_line(reward) or self.order_line
        return self.order_line

    def _is_coupon_limited(self):
        """Whether a coupon in this cart takes less off than it says, to keep a margin.

        :rtype: bool
        """
        self.ensure_one()
        order = self.sudo()
        card = order.order_line.coupon_id.filtered("marketing_has_floor")[:1]
        reward = card.program_id.reward_ids[:1]
        if not reward:
            return False
        plan = order._get_floor_plan(card)
        if reward.discount_mode == "percent":
            return any(bearing.share < reward.discount / 100 for bearing in plan)
        given = sum(bearing.total * bearing.share for bearing in plan)
        wanted = order._get_fixed_discount(reward)
        return order.currency_id.compare_amounts(given, wanted) < 0


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_floor_price(self, margin):
        """Return what this line has to bring in at least.

        :param float margin: percent on top of the cost
        :return: amount without tax, in the order's currency
        :rtype: float
        """
        self.ensure_one()
        company = self.company_id
        product = self.product_id.sudo().with_company(company)
        cost = product.uom_id._compute_price(
            product.standard_price, self.product_uom_id
        )
        cost = product.cost_currency_id._convert(
            cost, self.currency_id, company, fields.Date.today(), round=False
        )
        return cost * self.product_uom_qty * (1 + margin / 100)

    def _get_discount_taxes(self):
        """Return the taxes that a discount on this line has, as Odoo groups them.

        :rtype: account.tax
        """
        taxes = self.tax_ids.flatten_taxes_hierarchy()
        return taxes.filtered(lambda tax: tax.amount_type != "fixed")


def _get_mean_share(plan):
    """Return the share that is taken off products together."""
    together = sum(bearing.price for bearing in plan)
    if not together:
        return 0.0
    return sum(bearing.price * bearing.share for bearing in plan) / together
