"""What customers do to their cart outside ``sale.order``'s own cart methods."""

from odoo.http import request, route

from odoo.addons.website_sale.controllers.cart import Cart
from odoo.addons.website_sale.controllers.delivery import Delivery
from odoo.addons.website_sale.controllers.main import WebsiteSale
from odoo.addons.website_sale.controllers.payment import PaymentPortal

from .visitor import get_human_signal, is_machine


class CartActivity(Cart):
    @route()
    def add_to_cart(self, *args, **kwargs):
        res = super().add_to_cart(*args, **kwargs)
        # Here alone somebody may be a robot: other ways to fill a cart are the shop's.
        request.cart._note_visitor(is_machine())
        _note_person()
        return res

    @route()
    def clear_cart(self):
        cart = request.cart
        res = super().clear_cart()
        cart._stamp_cart_activity()
        return res


class CheckoutActivity(WebsiteSale):
    @route()
    def shop_address_submit(self, *args, **kwargs):
        res = super().shop_address_submit(*args, **kwargs)
        request.cart._stamp_cart_activity()
        _note_person()
        if request.cart and not request.cart._is_nobodys():
            request.cart._forget_typed_contact()
        return res

    @route()
    def shop_update_address(self, *args, **kwargs):
        res = super().shop_update_address(*args, **kwargs)
        request.cart._stamp_cart_activity()
        return res

    @route()
    def process_express_checkout(self, *args, **kwargs):
        res = super().process_express_checkout(*args, **kwargs)
        request.cart._stamp_cart_activity()
        return res


class DeliveryActivity(Delivery):
    @route()
    def shop_set_delivery_method(self, *args, **kwargs):
        res = super().shop_set_delivery_method(*args, **kwargs)
        request.cart._stamp_cart_activity()
        return res


class PaymentActivity(PaymentPortal):
    @route()
    def shop_payment_transaction(self, order_id, access_token, **kwargs):
        # Only after: that the order is this visitor's is checked there. A try that the
        # provider refuses later counts too; one that Odoo refuses is rolled back.
        res = super().shop_payment_transaction(order_id, access_token, **kwargs)
        order = request.env["sale.order"].sudo().browse(order_id)
        order._stamp_cart_activity()
        order._note_person("payment")
        return res


def _note_person():
    if signal := get_human_signal():
        request.cart._note_person(signal)
