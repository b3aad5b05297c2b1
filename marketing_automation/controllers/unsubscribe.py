from odoo.http import Controller, request, route

from ..tools.links import is_token


class Unsubscribe(Controller):
    @route(
        "/marketing/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def unsubscribe_page(self, token, **_kwargs):
        """Ask before anything changes: link scanners open this page too (RFC 8058)."""
        return self._render_page("ask" if self._find_message(token) else "unknown")

    @route(
        "/marketing/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
        multilang=False,
        # Mail programs post here for the person, without cookie or session (RFC 8058,
        # section 3.2); the token is the proof.
        csrf=False,
        save_session=False,
    )
    def unsubscribe(self, token, **_kwargs):
        """Put the address on Odoo's blacklist; all our messages to it end at once."""
        message = self._find_message(token)
        if not message:
            return self._render_page("unknown")
        message._unsubscribe(
            request.httprequest.user_agent.string, request.httprequest.remote_addr
        )
        return self._render_page("done")

    def _find_message(self, token):
        messages = request.env["marketing.message"].sudo()
        if not is_token(token):
            return messages
        return messages.search([("token", "=", token)])

    def _render_page(self, state):
        """Show the page; it never says whose address it is about."""
        return request.render(
            "marketing_automation.unsubscribe_page",
            {"state": state},
            status=404 if state == "unknown" else 200,
            headers={
                "X-Robots-Tag": "noindex",
                "Cache-Control": "no-store",
                # The address is the key: it goes to no other site.
                "Referrer-Policy": "same-origin",
            },
        )
