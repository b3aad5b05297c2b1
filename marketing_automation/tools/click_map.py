"""Drawing on an email how many of its clicks each link got."""

import re
from html import escape

from .links import HREF

_PIXEL = re.compile(r"<img\b[^<>]*/marketing/open/[^<>]*>", re.IGNORECASE)
_END = re.compile(r"</a\s*>", re.IGNORECASE)
_BADGE = (
    '<span style="display:inline-block;margin-left:4px;padding:1px 6px;'
    "border-radius:9px;background:#1f2937;color:#ffffff;"
    'font:bold 12px/16px Arial,sans-serif;vertical-align:middle" title="{title}">'
    "{text}</span>"
)


def draw_click_map(html, clicks):
    """Return an email whose links show their share of all clicks, and lead nowhere.

    :param str html: a body as it was sent
    :param dict clicks: number of clicks by the place of the link in the body, from 1,
        as :func:`links.wrap_links` counts them
    :rtype: str
    """
    total = sum(clicks.values())
    html = _PIXEL.sub("", html)
    pieces, end = [], 0
    for position, match in enumerate(HREF.finditer(html), start=1):
        before, mark, _target = match.groups()
        pieces += [html[end : match.start()], before, mark, "#", mark]
        end = match.end()
        close = clicks.get(position) and _END.search(html, end)
        if close:
            count = clicks[position]
            badge = _BADGE.format(
                title=escape(str(count)), text=f"{count / total:.0%} · {count}"
            )
            pieces += [html[end : close.end()], badge]
            end = close.end()
    return "".join([*pieces, html[end:]])
