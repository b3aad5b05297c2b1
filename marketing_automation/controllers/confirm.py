from odoo.http import Controller, request, route

from ..models.audience.preference_page import mask_address
from ..tools.links import is_token
from .personal_page import (
    BUTTON,
    PAGE,
    get_other_website_url,
    is_post,
    render_personal_page,
)


class Confirm(Controller):
    """Where the owner of a mailbox agrees to what was ticked with their address."""

    @route("/marketing/confirm/<string:token>", **PAGE)
    def confirm_page(self, token, **_kwargs):
        """Show what would be agreed to. Link scanners open this page too, so it agrees
        to nothing."""
        asked = self._find_request(token)
        if not asked:
            return self._render_page(asked, "unknown")
        path = asked._get_confirm_path()
        if elsewhere := get_other_website_url(asked, path):
            return request.redirect(elsewhere, code=302, local=False)
        return self._render_page(asked, asked._get_status())

    @route("/marketing/confirm/<string:token>", **BUTTON)
    def confirm(self, token, action=None, **_kwargs):
        """Do what the page's button says.

        :param str token: of a request
        :param str action: ``confirm`` or ``again``; anything else does nothing
        """
        asked = self._find_request(token)
        if not asked or get_other_website_url(asked, "/"):
            return self._render_page(asked.browse(), "unknown")
        ip = request.httprequest.remote_addr
        if not is_post():
            action = None
        if action == "confirm":
            asked._confirm(ip)
        elif action == "again" and asked._get_status() == "expired":
            asked._request_again(ip)
            return self._render_page(asked, "sent")
        return self._render_page(asked, asked._get_status())

    # === HELPERS ===#

    def _find_request(self, token):
        requests = request.env["marketing.opt.in"].sudo()
        if not is_token(token):
            return requests
        return requests.search([("token", "=", token)])

    def _render_page(self, asked, state):
        """Show the page; it never says whose address it is about."""
        return render_personal_page(
            "marketing_automation.confirm_page",
            {
                "state": state,
                "asked": asked,
                "address": asked and mask_address(asked.address),
                "preferences_path": asked and self._get_preferences_path(asked),
            },
            status={"unknown": 404, "expired": 410}.get(state, 200),
        )

    def _get_preferences_path(self, asked):
        """Return where the person can change their mind, in this same website."""
        message = asked.message_ids.sorted("id")[-1:]
        return message and f"/marketing/preferences/{message.token}"
