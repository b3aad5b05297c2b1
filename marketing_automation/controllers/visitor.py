"""What a request tells about who sent it."""

from odoo.http import request

from ..tools.clients import get_machine_agent

# See `static/src/interactions/cart_person.js`.
PERSON_COOKIE = "cart_person"


def is_prefetch():
    """Whether a browser fetches a page ahead, for a person who may never look at it.

    ``Sec-Purpose`` (WHATWG Fetch), and what browsers sent before it existed.

    :rtype: bool
    """
    headers = request.httprequest.headers
    return any(
        word in headers.get(name, "").lower()
        for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
        for word in ("prefetch", "prerender", "preview")
    )


def get_machine_reason():
    """Return why a request comes from a link scanner, preview or robot, not a person.

    HEAD asks only whether a page is there; agents are Odoo's own list and ours.

    :return: key of ``marketing.engagement.machine_reason``, None for a person
    :rtype: str | None
    """
    http = request.httprequest
    if http.method == "HEAD":
        return "head"
    if is_prefetch():
        return "prefetch"
    if request.env["ir.http"].is_a_bot():
        return "agent"
    return get_machine_agent(http.user_agent.string)


def is_machine():
    """Whether a request comes from a machine, see :func:`get_machine_reason`.

    :rtype: bool
    """
    return get_machine_reason() is not None


def get_human_signal():
    """Return how it is known that a person is behind a request.

    The cookie is set by the first movement, touch or key that a browser vouches for
    (``event.isTrusted``). It names nobody.

    :return: key of ``sale.order.human_signal``, None if it is not known
    :rtype: str | None
    """
    if not request.env.user._is_public():
        return "login"
    return "event" if request.cookies.get(PERSON_COOKIE) else None


def get_country_code():
    """Return where a request comes from, None if that cannot be told.

    :return: ISO 3166-1 code of two letters
    :rtype: str | None
    """
    try:
        return request.geoip.country.iso_code
    except ValueError:  # a proxy called the visitor "unknown" instead of an address
        return None
