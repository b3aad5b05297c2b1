"""The recovery link brings the coupon along, and the shop greets who comes back."""

from odoo import models
from odoo.http import request
from odoo.tools import format_date

# What a recovery link leaves in the session, until the greeting is closed.
GREETING_KEY = "marketing_greeting"
# Where the greeting is shown: while somebody looks around and fills the cart.
GREETED_PATHS = ("/shop",)
QUIET_PATHS = ("/shop/payment", "/shop/confirmation")
# So many products are named, the others are counted.
NAMED = 3


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _use_marketing_card(self, card):
        """Put somebody's coupon into their cart, the way typing its code does.

        :param loyalty.card card: a coupon of ours (sudo)
        :return: why not, for the customer to read; empty: it is in the cart
        :rtype: str
        """
        self.ensure_one()
        if card in self.order_line.coupon_id:
            return ""
        status = self._try_apply_code(card.code)
        if "error" not in status and card in status:
            result = self._apply_program_reward(status[card][:1], card)
            status = result or status
        if "error" in status:
            if card not in self.order_line.coupon_id:
                self._remove_coupon(card)
            return status["error"]
        self._update_programs_and_rewards()
        if card in self.order_line.coupon_id:
            return ""
        return self.env._("There is nothing in this cart that it takes something off.")


class Website(models.Model):
    _inherit = "website"

    def _get_greeting(self):
        """Return what to say to a visitor who came back through a recovery link.

        Nobody else is greeted: whoever logs in as another person, or comes to another
        shop, sees nothing of it.

        :return: ``restored``: names of products, ``more``: how many others, ``dropped``
            and ``reduced`` as in the notice of the cart, ``coupon``: a sentence, or
            empty; None for anybody else
        :rtype: dict | None
        """
        kept = request and request.session.get(GREETING_KEY)
        if not kept or not _is_greeted(request.httprequest.path):
            return None
        cart = self.env["abandoned.cart"].sudo().browse(kept["cart_id"]).exists()
        user = request.env.user
        if (
            not cart
            or cart.website_id != self
            or cart._get_link_status() != "open"
            or not (user._is_public() or cart._belongs_to(user))
        ):
            return None
        return {
            "restored": kept["restored"][:NAMED],
            "more": max(len(kept["restored"]) - NAMED, 0),
            "dropped": kept["dropped"],
            "reduced": kept["reduced"],
            "coupon": self._describe_coupon(cart),
        }

    def _describe_coupon(self, cart):
        """Say what becomes of the coupon of a cart, as it is at this moment.

        :rtype: str
        """
        card = cart._get_newest_card()
        order = request.cart
        if not card or not order:
            return ""
        values = {
            "discount": card._format_discount(),
            "date": format_date(self.env, card.expiration_date),
        }
        if card in order.sudo().order_line.coupon_id:
            if order._is_coupon_limited():
                return self.env._(
                    "Your coupon is in the cart: %(discount)s off, less where a "
                    "product is near its lowest price. It is good until %(date)s.",
                    **values,
                )
            return self.env._(
                "Your coupon is in the cart: %(discount)s off. It is good until "
                "%(date)s.",
                **values,
            )
        refusal = order._get_coupon_refusal(card)
        if not refusal:
            return self.env._(
                "You have a coupon for %(discount)s off, good until %(date)s. It is "
                "not in the cart at the moment.",
                **values,
            )
        return self.env._(
            "Your coupon for %(discount)s off could not be put into the cart. "
            "%(refusal)s",
            refusal=refusal,
            **values,
        )


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    def _get_newest_card(self):
        """Return the newest coupon for this cart that can still be used.

        :rtype: loyalty.card
        """
        return self.sudo().enrollment_ids._get_newest_card()

    def _put_coupon_into(self, order):
        """Put the newest coupon for this cart into the visitor's own one.

        :param sale.order order: the visitor's cart (sudo)
        """
        if card := self._get_newest_card():
            order._use_marketing_card(card)


def _is_greeted(path):
    return (path == "/shop" or path.startswith("/shop/")) and not path.startswith(
        QUIET_PATHS
    )
