from odoo.http import Controller, request, route

from .personal_page import BUTTON, PAGE, find_message, is_post, render_personal_page


class Unsubscribe(Controller):
    @route("/marketing/unsubscribe/<string:token>", **PAGE)
    def unsubscribe_page(self, token, **_kwargs):
        """Ask before anything changes: link scanners open this page too (RFC 8058)."""
        message = find_message(token)
        return self._render_page("ask" if message else "unknown", message)

    @route("/marketing/unsubscribe/<string:token>", **BUTTON)
    def unsubscribe(self, token, **_kwargs):
        """Put the address on Odoo's blacklist; all our messages to it end at once."""
        message = find_message(token)
        if not message:
            return self._render_page("unknown", message)
        if not is_post():
            return self._render_page("ask", message)
        message._unsubscribe(
            request.httprequest.user_agent.string, request.httprequest.remote_addr
        )
        return self._render_page("done", message)

    def _render_page(self, state, message):
        """Show the page; it never says whose address it is about."""
        return render_personal_page(
            "marketing_automation.unsubscribe_page",
            {
                "state": state,
                "preferences_path": f"/marketing/preferences/{message.token}",
            },
            status=404 if state == "unknown" else 200,
        )
