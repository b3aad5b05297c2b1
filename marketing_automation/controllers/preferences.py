from odoo.http import Controller, request, route

from ..models.audience.preference_page import Wanted
from .personal_page import (
    BUTTON,
    PAGE,
    find_message,
    get_other_website_url,
    is_post,
    render_personal_page,
)


class Preferences(Controller):
    """What somebody wants to hear of, how, how often: behind the link of a message."""

    @route("/marketing/preferences/<string:token>", **PAGE)
    def preference_page(self, token, **_kwargs):
        """Show what is so; link scanners open this page too."""
        message = self._find_reachable(token)
        if not message:
            return self._render_unknown()
        path = f"/marketing/preferences/{token}"
        if elsewhere := get_other_website_url(message, path):
            return request.redirect(elsewhere, code=302, local=False)
        return self._render_page(message, "")

    @route("/marketing/preferences/<string:token>", **BUTTON)
    def save_preferences(self, token, action=None, **_kwargs):
        """Do what one of the page's two buttons says.

        :param str token: of a message
        :param str action: ``save`` or ``unsubscribe``; anything else does nothing
        """
        message = self._find_reachable(token)
        if not message or get_other_website_url(message, "/"):
            return self._render_unknown()
        http, page = request.httprequest, request.env["marketing.preference.page"]
        if not is_post():
            action = None
        if action == "save":
            page._save(message, self._read_form(http.form), http.remote_addr)
        elif action == "unsubscribe":
            page._unsubscribe(message, http.user_agent.string, http.remote_addr)
        return self._render_page(message, action)

    # === HELPERS ===#

    def _find_reachable(self, token):
        """Return the message of a link; none where nothing is left of the person."""
        return find_message(token).filtered(lambda message: message._get_address())

    def _read_form(self, form):
        """Return what was chosen; of channels that were not shown, nothing was."""
        return Wanted(
            channels=frozenset(form.getlist("channel")),
            keys=frozenset(form.getlist("choice")),
            frequency=form.get("frequency", ""),
            is_paused="pause" in form,
            lang=form.get("lang"),
        )

    def _render_page(self, message, done):
        values = request.env["marketing.preference.page"]._prepare_values(message)
        return render_personal_page(
            "marketing_automation.preference_page",
            {
                **values,
                "done": done,
                "unsubscribe_path": f"/marketing/unsubscribe/{message.token}",
            },
        )

    def _render_unknown(self):
        return render_personal_page(
            "marketing_automation.unsubscribe_page", {"state": "unknown"}, status=404
        )
