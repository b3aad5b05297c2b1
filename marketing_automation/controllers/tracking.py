from werkzeug.exceptions import NotFound

from odoo.http import Controller, request, route

from ..tools import links
from .visitor import is_machine


class Tracking(Controller):
    @route(
        "/marketing/click/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        sitemap=False,
        save_session=False,
    )
    def click(self, token, u="", s="", **_kwargs):
        """Count a click and go on to the link's target.

        Only addresses that we signed for this very message are followed; anything else
        is a page that does not exist. Sets no cookie.

        :param str token: the message
        :param str u: the target
        :param str s: our signature of both
        """
        engagement = request.env["marketing.engagement"].sudo()
        if not links.verify_link(engagement._get_link_secret(), token, u, s):
            raise NotFound()
        engagement._record(
            token,
            "click",
            url=u,
            user_agent=request.httprequest.user_agent.string,
            is_machine=is_machine(),
        )
        response = request.redirect(u, code=302, local=False)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        return response
