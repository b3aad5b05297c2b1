from odoo.http import request, route

from odoo.addons.website_sale.controllers.cart import Cart
from odoo.addons.website_sale.controllers.main import WebsiteSale
from odoo.addons.website_sale.models.website import CART_SESSION_CACHE_KEY

from ..models.coupon.coupon_recovery import GREETING_KEY
from .personal_page import PAGE, get_other_website_url, render_personal_page
from .visitor import is_machine, is_prefetch

# What a recovery link leaves in the session: the cart to put back, then what to say.
PENDING_KEY = "marketing_cart_to_restore"
NOTICE_KEY = "marketing_cart_notice"
# Where the visitor wants to go on to, and the pages they can.
NEXT_KEY = "marketing_cart_next"
PAYMENT = "payment"


class CartRecovery(Cart):
    """The recovery link, from the mail to the filled cart.

    Opening the link changes nothing but the visitor's own session. The cart page then
    fills the visitor's own cart, so a scanner that only opens links leaves no trace;
    that the customer is back is known when a person moves (``/shop/cart/returned``) or
    does something to the cart.
    """

    @route("/shop/cart/recover/<string:token>", **PAGE)
    def recover_cart(self, token, to=None, **_kwargs):
        """Send the visitor to their cart, or show a friendly page and nothing else.

        :param str token: recovery token of an abandoned cart
        :param str to: ``payment``: go on to it, if the cart is as it was left
        """
        cart = self._find_visitors_cart(token)
        status = cart._get_link_status() if cart else "unknown"
        if status != "open":
            return self._render_recovery_page(status)
        path = cart._get_recovery_path() + ("?to=payment" if to == PAYMENT else "")
        if elsewhere := get_other_website_url(cart, path):
            return request.redirect(elsewhere, code=302, local=False)
        if cart.kind != "quotation" and cart.website_id != request.website:
            return self._render_recovery_page("unknown")
        if is_prefetch():
            # Anything else would be shown later in place of the real page.
            return request.make_response("", status=503)
        if cart.kind == "quotation":
            return self._redirect_to_quotation(cart.order_id)
        if not is_machine():
            request.session[PENDING_KEY] = token
            request.session[NEXT_KEY] = to if to == PAYMENT else None
        return request.redirect("/shop/cart")

    @route()
    def cart(self, id=None, access_token=None, revive_method="", **post):
        token = request.session.get(PENDING_KEY)
        # A shop for customers only sends strangers to the login first.
        if token and not is_machine() and request.website.has_ecommerce_access():
            request.session.pop(PENDING_KEY)
            self._restore_cart(token)
            if path := self._get_next_step(token):
                return request.redirect(path)
        return super().cart(
            id=id, access_token=access_token, revive_method=revive_method, **post
        )

    def _cart_values(self, **post):
        return {**super()._cart_values(**post), "recovery_notice": _pop_notice()}

    @route(
        "/shop/cart/returned",
        type="jsonrpc",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def cart_returned(self):
        """A person moved on a restored cart's page: the customer is back.

        Speaks of the session's own cart only.

        :return: whether there was something to record
        :rtype: bool
        """
        cart = request.cart
        if not cart.abandoned_cart_id:
            return False
        cart._stamp_cart_activity()
        return True

    # === HELPERS ===#

    def _find_visitors_cart(self, token):
        """Return the cart of a link if this visitor may have it, else nothing.

        A stranger who is logged in learns no more than from a wrong link.
        """
        cart = request.env["abandoned.cart"]._find_by_token(token)
        user = request.env.user
        if cart and not user._is_public() and not cart._belongs_to(user):
            return cart.browse()
        return cart

    def _restore_cart(self, token):
        """Fill the visitor's own cart, and keep what to say about it."""
        cart = self._find_visitors_cart(token)
        if (
            not cart
            or cart._get_link_status() != "open"
            or cart.website_id != request.website
        ):
            return
        order = self._get_visitors_order(cart)
        left = [name for _product, name, *_rest in cart._get_lines_to_restore()]
        outcome = cart._restore_into(order)
        cart._put_coupon_into(order)
        notice = {
            "dropped": outcome["dropped"],
            "reduced": [
                {"name": name, "wanted": wanted, "available": available}
                for name, wanted, available in outcome["reduced"]
            ],
        }
        request.session[NOTICE_KEY] = notice
        request.session[GREETING_KEY] = {
            **notice,
            "cart_id": cart.id,
            "restored": [name for name in left if name not in outcome["dropped"]],
        }

    def _get_next_step(self, token):
        """Return where a visitor goes on to who wants to pay: the payment, or the step
        of the checkout that is missing.

        :return: the path; None where there is something to read in the cart first
        :rtype: str | None
        """
        wanted = request.session.pop(NEXT_KEY, None)
        cart, order = self._find_visitors_cart(token), request.cart
        if wanted != PAYMENT or not order or not cart._is_as_left(order):
            return None
        if order.only_services or order.carrier_id:
            return "/shop/payment"
        return "/shop/checkout?try_skip_step=true"

    def _redirect_to_quotation(self, order):
        """Show a quotation where its customer looks at it, answers, signs and pays.

        What only opens links is not led there: Odoo would tell the sales person that
        the customer looked at it.
        """
        if is_machine():
            return request.redirect("/my")
        return request.redirect(order.get_portal_url())

    def _get_visitors_order(self, cart):
        """Return the order to fill: the one in the session, else the visitor's own.

        Nobody ever gets an order that is not in their session or account already.
        """
        left, user = cart.order_id, request.env.user
        if (
            not request.session.get(CART_SESSION_CACHE_KEY)
            and not user._is_public()
            and left.state == "draft"
            and left.partner_id == user.partner_id
        ):
            # Odoo would take any of their open carts.
            request.session[CART_SESSION_CACHE_KEY] = left.id
            request.cart = request.website._get_and_cache_current_cart()
        if request.cart:
            return request.cart
        cart._make_room_for_copy()
        return self._create_untouched_cart()

    def _create_untouched_cart(self):
        """Create the visitor's cart without calling it something the customer did."""
        # Nobody reads of it in the chatter, either.
        website = request.website.with_context(tracking_disable=True)
        order = website._create_cart()
        order.cart_activity_at = False
        return order

    def _render_recovery_page(self, status):
        """Show why there is nothing to restore; the same page for wrong and foreign."""
        return render_personal_page(
            "marketing_automation.recovery_page",
            {"status": status},
            status={"unknown": 404, "expired": 410}.get(status, 200),
        )


class PaymentRecovery(WebsiteSale):
    def _get_shop_payment_values(self, order, **kwargs):
        """Greet whoever a recovery link led to the payment: the same as in the cart."""
        values = super()._get_shop_payment_values(order, **kwargs)
        return {**values, "recovery_notice": _pop_notice()}


def _pop_notice():
    """Return what to say on the first view after a restore, None on all others."""
    notice = request.session.pop(NOTICE_KEY, None)
    if notice and (greeting := request.website._get_greeting()):
        notice = {**notice, "coupon": greeting["coupon"]}
    return notice
