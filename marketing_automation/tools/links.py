"""Links of a rendered body: counted through a redirect that only we can sign.

The signature covers the message and the target, so the redirect takes nobody to an
address that we did not put into that very message (no open redirect, OWASP
"Unvalidated Redirects and Forwards").
"""

import hashlib
import hmac
import re
from html import escape, unescape
from urllib.parse import quote

_TOKEN = re.compile(r"[0-9a-f]{32}")
# Only web links: mailto:, tel: and anchors have nothing to redirect to.
_HREF = re.compile(
    r"(<a\b[^>]*?\bhref\s*=\s*)(\"|')(https?://.*?)\2", re.IGNORECASE | re.DOTALL
)


def is_token(value):
    """Whether ``value`` looks like a token of ours: 128 bits as hexadecimal digits.

    What stands in an address may be anything, also what a database refuses.

    :rtype: bool
    """
    return bool(_TOKEN.fullmatch(value or ""))


def sign_link(secret, token, url):
    """Sign the target of a link.

    :param str secret: key of this database
    :param str token: the message the link stands in
    :param str url: the target
    :return: HMAC-SHA256 of message and target, 64 hexadecimal digits
    :rtype: str
    """
    content = f"{token}\n{url}".encode()
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def verify_link(secret, token, url, signature):
    """Whether ``signature`` was made by us for this message and target.

    :rtype: bool
    """
    expected = sign_link(secret, token, url)
    return hmac.compare_digest(expected.encode(), (signature or "").encode())


def wrap_links(html, redirect_url, secret, skip=()):
    """Send every web link of a body through the redirect.

    :param str html: rendered HTML body
    :param str redirect_url: address of the redirect; ends in the message's token
    :param str secret: key of this database
    :param skip: addresses that stay as they are (unsubscribing must never depend on
        a redirect)
    :return: the body with wrapped links
    :rtype: str
    """
    token = redirect_url.rpartition("/")[2]
    untouched = set(skip)

    def wrap(match):
        before, mark, target = match.groups()
        url = unescape(target)
        if url in untouched:
            return match.group(0)
        signature = sign_link(secret, token, url)
        wrapped = f"{redirect_url}?u={quote(url, safe='')}&s={signature}"
        return f"{before}{mark}{escape(wrapped)}{mark}"

    return _HREF.sub(wrap, html)
