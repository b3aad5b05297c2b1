"""What a request tells about who sent it."""

from odoo.http import request


def is_machine():
    """Whether a request comes from a link scanner, preview or robot, not a person.

    HEAD asks only whether a page is there; ``Sec-Purpose``/``Purpose`` mark prefetching
    (WHATWG Fetch); the rest is Odoo's own list of known agents.

    :rtype: bool
    """
    http = request.httprequest
    purpose = http.headers.get("Sec-Purpose") or http.headers.get("Purpose") or ""
    return (
        http.method == "HEAD"
        or "prefetch" in purpose
        or not http.user_agent.string
        or request.env["ir.http"].is_a_bot()
    )
