"""Coupons that were handed out, and people who use them."""

from odoo import Command

from .common import MarketingCase


class CouponCase(MarketingCase):
    """A sequence whose first step brings a coupon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule = cls.env.ref("marketing_automation.coupon_10_percent")
        cls.step = cls.sequence.step_ids[0]
        cls._hand_out(cls.step, cls.rule)

    @classmethod
    def _hand_out(cls, step, rule):
        step.write(
            {
                "coupon_use": "new",
                "coupon_id": rule.id,
                "template_id": cls.env.ref(
                    "marketing_automation.template_offer_email"
                ).id,
            }
        )

    @classmethod
    def _create_rule(cls, **vals):
        return cls.env["marketing.coupon"].create({"name": "Rule", **vals})

    @classmethod
    def _create_tiers(cls, *tiers):
        return [
            Command.create({"amount_from": amount, "percent": percent})
            for amount, percent in tiers
        ]

    @classmethod
    def _issue(cls, *args, rule=None, **kwargs):
        """Return the card for a cart that was left behind, as its message brings it."""
        if rule:
            cls.step.coupon_id = rule
        cart = cls._abandon(*args, **kwargs)
        cls._process_steps()
        return cls._issue_for_cart(cart)

    @classmethod
    def _issue_for_cart(cls, cart):
        message = cart.message_ids.sorted("id")[-1:]
        cls.env["marketing.coupon"]._issue_for(message)
        return message.coupon_card_id

    def _complete(self, run):
        """Let the last message of a run have been sent."""
        run.write({"state": "completed", "next_step_id": False, "next_at": False})

    def _apply(self, order, code):
        """Use a code at checkout; return what went wrong, empty if nothing did."""
        status = order._try_apply_code(code)
        if "error" in status:
            return status["error"]
        for card, rewards in status.items():
            result = order._apply_program_reward(rewards[:1], card)
            if "error" in result:
                return result["error"]
        order._update_programs_and_rewards()
        return ""

    def _get_discount(self, order):
        return -sum(order.order_line.filtered("is_reward_line").mapped("price_total"))
