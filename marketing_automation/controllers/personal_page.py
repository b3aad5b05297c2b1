"""Pages behind a link that one person got: its token says whose page it is."""

from urllib.parse import urlsplit

from odoo.http import request

from ..tools.links import is_token
from ..tools.shop_url import get_shop_url, tidy_host

# The page itself. It changes nothing: link scanners open it, too (RFC 8058).
PAGE = {
    "type": "http",
    "auth": "public",
    "methods": ["GET"],
    "website": True,
    "sitemap": False,
}
# Its buttons. Mail programs post for the person, without cookie or session (RFC 8058,
# section 3.2); the token is the proof.
BUTTON = {
    **PAGE,
    "methods": ["POST"],
    "multilang": False,
    "csrf": False,
    "save_session": False,
}


def find_message(token):
    """Return the message whose secret token stands in an address, or none.

    :param str token: what a visitor sent; may be anything
    :rtype: marketing.message
    """
    messages = request.env["marketing.message"].sudo()
    if not is_token(token):
        return messages
    return messages.search([("token", "=", token)])


def is_post():
    """Whether somebody posts. Odoo lets OPTIONS through to every route, and so to those
    that are for POST alone.

    :rtype: bool
    """
    return request.httprequest.method == "POST"


def get_other_website_url(record, path):
    """Return the address of a page on its own website, if that has another one.

    :param record: what the page is about, with ``website_id`` and ``company_id``
    :param str path: of the page
    :return: the address; None when the page belongs here
    :rtype: str | None
    """
    website = record.website_id or record.company_id.website_id
    if not website.domain or website == request.website:
        return None
    base_url = get_shop_url(website)
    if urlsplit(base_url).netloc == tidy_host(request.httprequest.host):
        return None
    return base_url + path


def render_personal_page(template, values, status=200):
    """Show a page that nobody keeps and nobody else learns the address of.

    :param str template: external id
    :param dict values: what it shows
    :param int status: of HTTP
    """
    return request.render(
        template,
        values,
        status=status,
        headers={
            "X-Robots-Tag": "noindex",
            "Cache-Control": "no-store",
            # The address is the key: it goes to no other site.
            "Referrer-Policy": "same-origin",
        },
    )
