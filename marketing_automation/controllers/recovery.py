from urllib.parse import urlsplit

from odoo.http import request, route

from odoo.addons.website_sale.controllers.cart import Cart

from .visitor import is_machine

# What a recovery link leaves in the session: the cart to put back, then what to say.
PENDING_KEY = "marketing_cart_to_restore"
NOTICE_KEY = "marketing_cart_notice"


class CartRecovery(Cart):
    """The recovery link, from the mail to the filled cart.

    Opening the link changes nothing but the visitor's own session. The cart page then
    fills the visitor's own cart, so a scanner that only opens links leaves no trace;
    that the customer is back is known when a person moves (``/shop/cart/returned``) or
    does something to the cart.
    """

    @route(
        "/shop/cart/recover/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def recover_cart(self, token, **_kwargs):
        """Send the visitor to their cart, or show a friendly page and nothing else.

        :param str token: recovery token of an abandoned cart
        """
        cart = request.env["abandoned.cart"]._find_by_token(token)
        status = cart._get_link_status() if cart else "unknown"
        if status == "open" and not self._may_restore(cart):
            status = "unknown"
        if status != "open":
            return self._render_recovery_page(status)
        if elsewhere := self._get_other_website_url(cart):
            return request.redirect(elsewhere, code=302, local=False)
        if cart.website_id != request.website:
            return self._render_recovery_page("unknown")
        if not is_machine():
            request.session[PENDING_KEY] = token
        return request.redirect("/shop/cart")

    @route()
    def cart(self, id=None, access_token=None, revive_method="", **post):
        token = request.session.get(PENDING_KEY)
        if token and not is_machine():
            request.session.pop(PENDING_KEY)
            self._restore_cart(token)
        return super().cart(
            id=id, access_token=access_token, revive_method=revive_method, **post
        )

    def _cart_values(self, **post):
        return {
            **super()._cart_values(**post),
            "recovery_notice": request.session.pop(NOTICE_KEY, None),
        }

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

    def _may_restore(self, cart):
        """Whether this visitor may have the cart: nobody, or the person who left it."""
        user = request.env.user
        return user._is_public() or cart._belongs_to(user)

    def _get_other_website_url(self, cart):
        """Return the link on the cart's own website, if that has another address."""
        domain = cart.website_id.domain
        if not domain or cart.website_id == request.website:
            return None
        base_url = cart.website_id.get_base_url()
        if urlsplit(base_url).netloc == urlsplit(request.httprequest.url).netloc:
            return None
        return base_url + cart._get_recovery_path()

    def _restore_cart(self, token):
        """Fill the visitor's own cart; the owner of a cart simply gets it back."""
        cart = request.env["abandoned.cart"]._find_by_token(token)
        if (
            not cart
            or cart._get_link_status() != "open"
            or not self._may_restore(cart)
            or cart.website_id != request.website
        ):
            return
        order = request.cart
        left = cart.order_id
        if not order and left.state == "draft" and self._is_own_order(left):
            request.session["sale_order_id"] = left.id
            order = request.cart = left
        order = order or self._create_untouched_cart()
        outcome = cart._restore_into(order)
        request.session[NOTICE_KEY] = {
            "dropped": outcome["dropped"],
            "reduced": [
                {"name": name, "wanted": wanted, "available": available}
                for name, wanted, available in outcome["reduced"]
            ],
        }

    def _is_own_order(self, order):
        user = request.env.user
        return not user._is_public() and order.partner_id == user.partner_id

    def _create_untouched_cart(self):
        """Create the visitor's cart without calling it something the customer did."""
        order = request.website._create_cart()
        order.write({"cart_activity_at": False, "cart_activity_pending": False})
        return order

    def _render_recovery_page(self, status):
        """Show why there is nothing to restore; the same page for wrong and foreign."""
        return request.render(
            "marketing_automation.recovery_page",
            {"status": status},
            status={"unknown": 404, "expired": 410}.get(status, 200),
            headers={"X-Robots-Tag": "noindex", "Cache-Control": "no-store"},
        )
