"""What guests type at checkout, before they send the form."""

from odoo.http import request, route

from odoo.addons.website_sale.controllers.main import WebsiteSale

from ..tools.client_network import get_network
from .visitor import is_machine


class TypedContact(WebsiteSale):
    def _prepare_address_form_values(
        self, partner_sudo, *args, order_sudo=False, **kwargs
    ):
        values = super()._prepare_address_form_values(
            partner_sudo, *args, order_sudo=order_sudo, **kwargs
        )
        if order_sudo and _is_captured(order_sudo):
            website = request.website
            values["typed_contact"] = {
                "notice": website._get_typed_contact_notice(),
                "privacy_url": website._get_privacy_page_url(),
                # Who comes back finds it there, and can empty it.
                "email": order_sudo.typed_email or "",
                "phone": order_sudo.typed_phone or "",
            }
        return values

    @route(
        "/shop/cart/contact",
        type="jsonrpc",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def keep_typed_contact(self, email=None, phone=None, country_id=None):
        """Keep an address or number in the visitor's own cart, or forget it.

        The answer is the same whatever was sent, and whoever has that address.

        :param str email: what stands in the field; empty: forget it; None: not sent
        :param str phone: the same
        :param int country_id: country chosen in the form, for numbers without code
        """
        order = request.cart
        if not order or not _is_captured(order) or is_machine():
            return
        country_id = int(country_id) if str(country_id or "").isdecimal() else 0
        country = request.env["res.country"].sudo().browse(country_id).exists()
        network = get_network(request.httprequest.remote_addr)
        order._capture_typed_contact(email, phone, country, network)


def _is_captured(order):
    return request.website.capture_typed_contact and order._is_nobodys()
