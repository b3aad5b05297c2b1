"""Where visitors are asked for their consent: checkout and sign-up."""

import json

from odoo.http import request, route

from odoo.addons.auth_signup.controllers.main import AuthSignupHome
from odoo.addons.website_sale.controllers.main import WebsiteSale

from ..tools.client_network import get_network
from .personal_page import is_post

# What a session knows: that its visitor was asked, and that an answer was just taken.
ASKED_KEY = "marketing_consent_asked"
TAKEN_KEY = "marketing_consent_taken"


class CheckoutConsent(WebsiteSale):
    """Everybody who orders is asked: with the address where they enter one, before the
    payment where they are known, else after it (express checkout)."""

    @route()
    def shop_address_submit(self, *args, **kwargs):
        response = super().shop_address_submit(*args, **kwargs)
        # What is wrong with an address is corrected first.
        if "invalid_fields" not in json.loads(response.get_data()):
            partner = request.cart.partner_id
            if partner != request.website.user_id.sudo().partner_id:
                network = get_network(request.httprequest.remote_addr)
                request.cart._note_contact_client(network)
                _accept("checkout", partner)
                # The form has no boxes for another address of somebody known.
                if "asked_for_consent" in request.params:
                    request.session[ASKED_KEY] = True
        return response

    @route(
        "/shop/consent",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
        multilang=False,
    )
    def shop_consent(self, after=None, **_kwargs):
        """Take the answer of whoever was asked beside the address form.

        :param str after: ``order``, where somebody was asked after they ordered
        """
        partner = self._find_customer(after)
        if partner and is_post():
            _accept("checkout", partner)
            request.session[ASKED_KEY] = request.session[TAKEN_KEY] = True
        return request.redirect(
            "/shop/confirmation" if after == "order" else "/shop/checkout"
        )

    def _find_customer(self, after):
        """Return who orders, or has just ordered, in the visitor's own session."""
        order = request.cart
        if after == "order":
            order_id = request.session.get("sale_last_order_id")
            order = request.env["sale.order"].sudo().browse(order_id or []).exists()
        if not order or order._is_anonymous_cart():
            return None
        return order.partner_id

    def _prepare_checkout_page_values(self, order_sudo, **kwargs):
        values = super()._prepare_checkout_page_values(order_sudo, **kwargs)
        # Others have entered their address just before.
        if not request.env.user._is_public():
            values.update(self._prepare_request(order_sudo))
        return values

    def _prepare_shop_payment_confirmation_values(self, order):
        values = super()._prepare_shop_payment_confirmation_values(order)
        return {**values, **self._prepare_request(order)}

    def _prepare_request(self, order):
        """Return the boxes for somebody who was not asked yet, or the thanks."""
        if request.session.pop(TAKEN_KEY, None):
            return {"consent_taken": True}
        if request.session.get(ASKED_KEY) or not order.partner_id.email:
            return {}
        return {"consent_form": _prepare("checkout", order.partner_id)}

    def _prepare_address_form_values(
        self, partner_sudo, *args, order_sudo=False, **kwargs
    ):
        values = super()._prepare_address_form_values(
            partner_sudo, *args, order_sudo=order_sudo, **kwargs
        )
        # Not asked for with another address for delivery or the invoice.
        if order_sudo and (
            order_sudo._is_anonymous_cart() or partner_sudo == order_sudo.partner_id
        ):
            values["consent_form"] = _prepare("checkout", order_sudo.partner_id)
        return values


class SignUpConsent(AuthSignupHome):
    def get_auth_signup_qcontext(self):
        qcontext = super().get_auth_signup_qcontext()
        qcontext["consent_form"] = _prepare("sign_up", None, request.params)
        return qcontext

    def _signup_with_values(self, token, values, do_login):
        res = super()._signup_with_values(token, values, do_login)
        users = request.env["res.users"].sudo()
        user = users.search(users._get_login_domain(values["login"]), limit=1)
        _accept("sign_up", user.partner_id)
        return res


def _prepare(place, partner, form=None):
    """Return the boxes; what somebody agreed to is told to nobody but them."""
    if not getattr(request, "website", None):
        return {}
    if request.env.user._is_public():
        partner = None
    return request.env["marketing.consent.form"]._prepare(
        request.website, place, partner, form
    )


def _accept(place, partner):
    if not getattr(request, "website", None):
        return
    request.env["marketing.consent.form"]._accept(
        request.website,
        place,
        partner.sudo(),
        request.params,
        request.httprequest.remote_addr,
    )
