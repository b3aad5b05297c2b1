"""Coupons at checkout: looked at again before somebody pays, and the greeting."""

from urllib.parse import urlsplit

from odoo.http import Controller, request, route

from odoo.addons.website_sale.controllers.main import WebsiteSale

from ..models.coupon.coupon_recovery import GREETING_KEY


class CouponCheckout(WebsiteSale):
    @route()
    def shop_address_submit(self, *args, **kwargs):
        res = super().shop_address_submit(*args, **kwargs)
        # Now it is known who they are, and whose coupon it is.
        request.cart._drop_refused_coupons()
        return res

    @route()
    def process_express_checkout(self, *args, **kwargs):
        res = super().process_express_checkout(*args, **kwargs)
        request.cart._drop_refused_coupons()
        return res

    @route()
    def shop_payment_validate(self, sale_order_id=None, **post):
        """Who pays nothing begins no payment: the coupon is taken here."""
        cart = request.cart
        if cart and not cart.amount_total and not cart._claim_coupons():
            return request.redirect("/shop/payment")
        return super().shop_payment_validate(sale_order_id=sale_order_id, **post)


class Greeting(Controller):
    @route(
        "/shop/greeting/close",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def close_greeting(self, **_kwargs):
        """Greet this visitor no more, and go on with the page they were on."""
        request.session.pop(GREETING_KEY, None)
        referrer = urlsplit(request.httprequest.referrer or "")
        own = referrer.netloc == request.httprequest.host
        path = referrer.path if own and referrer.path.startswith("/shop") else "/shop"
        return request.redirect(path, code=303)
