"""Where visitors are asked for their consent: checkout and sign-up."""

import json

from odoo.http import request, route

from odoo.addons.auth_signup.controllers.main import AuthSignupHome
from odoo.addons.website_sale.controllers.main import WebsiteSale


class CheckoutConsent(WebsiteSale):
    @route()
    def shop_address_submit(self, *args, **kwargs):
        response = super().shop_address_submit(*args, **kwargs)
        # What is wrong with an address is corrected first.
        if "invalid_fields" not in json.loads(response.get_data()):
            partner = request.cart.partner_id
            if partner != request.website.user_id.sudo().partner_id:
                _accept("checkout", partner)
        return response

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
