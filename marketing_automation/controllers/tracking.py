import base64

from odoo.http import Controller, request, route

from ..tools import links
from .visitor import get_country_code, get_machine_reason

# 1 x 1, transparent, 43 bytes
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
NOT_KEPT = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
# No website: that would add a cookie for the language, or send people to its address.
TRACKING = {
    "type": "http",
    "auth": "public",
    "methods": ["GET"],
    "sitemap": False,
    "save_session": False,
}


class Tracking(Controller):
    """What a message's reader does: no session, no cookie, one or two statements."""

    @route("/marketing/open/<string:token>.gif", **TRACKING)
    def open_pixel(self, token, **_kwargs):
        """Count an open. The picture is always the same, and tells nothing.

        :param str token: the message
        """
        if links.is_token(token):
            self._record(token, "open")
        return self._answer(PIXEL, {"Content-Type": "image/gif"})

    @route("/marketing/click/<string:token>", **TRACKING)
    def click(self, token, u="", l="", p="", s="", **_kwargs):  # noqa: E741
        """Count a click and go on to the link's target.

        Only addresses that we signed are followed; anything else is a page that does
        not exist.

        :param str token: the message
        :param str u: the target
        :param str l: what the link shows
        :param str p: the link's place in the message
        :param str s: our signature of these three
        """
        secret = request.env["marketing.engagement"]._get_link_secret()
        if not links.is_token(token):
            return self._answer_unknown()
        if links.verify_link(secret, u, l, p, s):
            self._record(token, "click", url=u, label=l, position=int(p or 0))
        elif links.verify_message_link(secret, token, u, s):
            self._record(token, "click", url=u)
        else:
            return self._answer_unknown()
        return self._go_to(u)

    @route("/m/<string:code>", **TRACKING)
    def short_link(self, code, **_kwargs):
        """Count a click on a link of a text message and go on to its target.

        :param str code: the link
        """
        found = request.env["marketing.short.link"].sudo()._find_target(code)
        if not found:
            return self._answer_unknown()
        token, url, position = found
        self._record(token, "click", url=url, position=position)
        return self._go_to(url)

    # === HELPERS ===#

    def _record(self, token, kind, **values):
        request.env["marketing.engagement"].sudo()._record(
            token,
            kind,
            user_agent=request.httprequest.user_agent.string,
            country_code=get_country_code(),
            machine_reason=get_machine_reason(),
            **values,
        )

    def _go_to(self, url):
        response = request.redirect(url, code=302, local=False)
        response.headers.update(NOT_KEPT)
        return self._without_cookies(response)

    def _answer(self, content, headers=None, status=200):
        return self._without_cookies(
            request.make_response(
                content, [*{**NOT_KEPT, **(headers or {})}.items()], status=status
            )
        )

    def _answer_unknown(self):
        """Show the same friendly page for all links that are not ours."""
        page = request.env["ir.qweb"]._render(
            "marketing_automation.unknown_link", {"lang": request.env.lang}
        )
        return self._answer(page, {"Content-Type": "text/html; charset=utf-8"}, 404)

    def _without_cookies(self, response):
        # Odoo makes cookies of the UTM parameters of any request; those of a link are
        # for its target.
        request.params = {}
        return response
