"""What a request tells about who sent it."""

from odoo.http import request


def is_prefetch():
    """Whether a browser fetches a page ahead, for a person who may never look at it.

    :rtype: bool
    """
    headers = request.httprequest.headers
    purpose = headers.get("Sec-Purpose") or headers.get("Purpose") or ""
    return "prefetch" in purpose.lower()


def is_machine():
    """Whether a request comes from a link scanner, preview or robot, not a person.

    HEAD asks only whether a page is there; ``Sec-Purpose``/``Purpose`` mark prefetching
    (WHATWG Fetch); the rest is Odoo's own list of known agents.

    :rtype: bool
    """
    http = request.httprequest
    return (
        http.method == "HEAD"
        or is_prefetch()
        or not http.user_agent.string
        or request.env["ir.http"].is_a_bot()
    )
