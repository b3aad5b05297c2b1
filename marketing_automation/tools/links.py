"""Links of a rendered body: counted through a redirect that only we can sign.

The signature covers the target and the link's place in the body, so the redirect takes
nobody to an address that we did not put into a body (no open redirect, OWASP
"Unvalidated Redirects and Forwards"). It does not cover the message: bodies that
thousands share are rendered and signed once, and differ in the token alone.
"""

import hashlib
import hmac
import json
import re
from html import escape, unescape
from urllib.parse import quote, urlencode, urlsplit

from .shop_url import tidy_host

MAX_LABEL = 80

_TOKEN = re.compile(r"[0-9a-f]{32}")
# Only web links: mailto:, tel: and anchors have nothing to redirect to.
# What is broken is looked at so far and no further: each tag that never ends would be
# looked through to the end of the source otherwise.
HREF = re.compile(
    r"(<a\s(?:[^<>]{0,4000}?\s)?href\s*=\s*)(\"|')(\s{0,99}https?://.{0,8000}?)\2",
    re.IGNORECASE | re.DOTALL,
)
# The rest of the opening tag, then what the link shows.
_CONTENT = re.compile(r"[^<>]{0,4000}>(.{0,4000}?)</a\b", re.IGNORECASE | re.DOTALL)
_ALT = re.compile(
    r"<img\b[^<>]*?\salt\s*=\s*(\"|')([^<>]*?)\1", re.IGNORECASE | re.DOTALL
)
_MARKUP = re.compile(r"<[^<>]*>")
# What the URL standard drops from an address (WHATWG URL, 4.4), header lines above all.
_DROPPED = re.compile(r"[\t\r\n]")
_TEXT_URL = re.compile(r"https?://[\w\[][^\s<>\"]*", re.IGNORECASE)
_PUNCTUATION = ".,;:!?'\u2019\u201d\u00bb\u2026"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def is_token(value):
    """Whether ``value`` looks like a token of ours: 128 bits as hexadecimal digits.

    What stands in an address may be anything, also what a database refuses.

    :rtype: bool
    """
    return bool(_TOKEN.fullmatch(value or ""))


# === REDIRECT ===#


def sign_link(secret, url, label="", position=""):
    """Sign a link.

    :param str secret: key of this database
    :param str url: the target
    :param str label: what the link shows
    :param position: its place in the body, from 1
    :type position: int or str
    :return: HMAC-SHA256, 64 hexadecimal digits
    :rtype: str
    """
    return _digest(secret, json.dumps([url, label, str(position)]))


def verify_link(secret, url, label, position, signature):
    """Whether ``signature`` was made by us for this link.

    :param str position: as it stands in the address, character by character
    :rtype: bool
    """
    return _is_digest(signature, sign_link(secret, url, label, position))


def verify_message_link(secret, token, url, signature):
    """Whether ``signature`` was made by us for this target in this one message.

    The form of links up to version 19.0.1.0.0, without label and position. Mails with
    them lie in inboxes for years.

    :rtype: bool
    """
    return _is_digest(signature, _digest(secret, f"{token}\n{url}"))


def wrap_links(html, redirect_url, secret, skip=(), utm=None, own_hosts=()):
    """Send every web link of a body through the redirect.

    :param str html: rendered HTML body
    :param str redirect_url: address of the redirect; its last part is the message's
        token, or what will be replaced by the token of each message
    :param str secret: key of this database
    :param skip: addresses that stay as they are (unsubscribing must never depend on
        a redirect). So do those that hold the message's token: they are each person's
        own, and cannot be signed for all.
    :param dict utm: see :func:`add_utm`
    :param own_hosts: see :func:`add_utm`
    :return: the body with wrapped links
    :rtype: str
    """
    token = redirect_url.rpartition("/")[2]
    untouched = set(skip)
    position = 0

    def wrap(match):
        nonlocal position
        position += 1
        before, mark, target = match.groups()
        url = _DROPPED.sub("", unescape(target)).strip()
        if url in untouched or token in url:
            return match.group(0)
        url = add_utm(url, own_hosts, utm or {})
        query = {"u": url, "l": _get_label(html, match.end()), "p": position}
        query["s"] = sign_link(secret, url, query["l"], position)
        wrapped = f"{redirect_url}?{urlencode(query, quote_via=quote, safe='')}"
        return f"{before}{mark}{escape(wrapped)}{mark}"

    return HREF.sub(wrap, html)


def add_pixel(html, pixel_url):
    """Put the picture at the end of a body that tells us of its opening.

    :param str html: rendered HTML body
    :param str pixel_url: address of the picture
    :rtype: str
    """
    pixel = (
        f'<img src="{escape(pixel_url)}" width="1" height="1" alt=""'
        ' style="border:0;height:1px;width:1px">'
    )
    # Behind the last paragraph, but within the document.
    end = html.lower().rfind("</body>")
    return f"{html}{pixel}" if end < 0 else f"{html[:end]}{pixel}{html[end:]}"


def _get_label(html, start):
    """Return what the link shows whose ``href`` ends at ``start``."""
    content = _CONTENT.match(html, start)
    if not content:
        return ""
    first, *others = content.group(1).split("<!--")
    inside = first + "".join(other.partition("-->")[2] for other in others)
    texts = [_MARKUP.sub(" ", inside), *(alt for _mark, alt in _ALT.findall(inside))]
    labels = (" ".join(unescape(text).split()) for text in texts)
    return next(filter(None, labels), "")[:MAX_LABEL].strip()


def _digest(secret, content):
    # `replace`: what cannot be encoded was never signed, and is no reason to fail.
    data = content.encode("utf-8", "replace")
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def _is_digest(signature, expected):
    given = (signature or "").encode("utf-8", "replace")
    return hmac.compare_digest(expected.encode(), given)


# === SOURCE MARKS ===#


def add_utm(url, hosts, params):
    """Mark a link to our own shop with where its visitors come from.

    The rest of the address stays as it is, character by character.

    :param str url: any address
    :param hosts: our own hosts in lower case, with the port if it is in their addresses
    :param dict params: ``source``, ``medium``, ``campaign`` ...; the empty ones are
        left out
    :return: the marked address; the same one if it leads elsewhere or has marks already
    :rtype: str
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed bracket in the host
        return url
    marks = urlencode({f"utm_{name}": text for name, text in params.items() if text})
    if (
        not marks
        or parts.scheme not in ("http", "https")
        or tidy_host(parts.netloc) not in hosts
        or re.search(r"(?:^|&)utm_", parts.query)
    ):
        return url
    address, mark, fragment = url.partition("#")
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{marks}{mark}{fragment}"


# === PLAIN TEXT ===#


def find_urls(text):
    """Return the web addresses in a plain text, without the sentence's punctuation.

    :param str text: such as the body of a text message
    :return: each address once, in the order of the text
    :rtype: list[str]
    """
    return list(dict.fromkeys(_trim(url) for url in _TEXT_URL.findall(text)))


def find_own_urls(text, sources):
    """Return the web addresses of a plain text that we put there ourselves.

    What others typed, and a template repeats, is none of them: who makes a short link
    of it vouches for it.

    :param str text: such as the body of a text message
    :param sources: addresses of ours, or how they begin; the host is complete
    :return: as :func:`find_urls` does
    :rtype: list[str]
    """
    sources = set(sources)
    return [url for url in find_urls(text) if any(_begins(url, own) for own in sources)]


def find_literal_urls(source):
    """Return the web addresses in the source of a template, each up to its first value.

    :param str source: Jinja2 source of a plain text
    :rtype: list[str]
    """
    return find_urls(re.sub(r"[{}]+", " ", source or ""))


def find_values_urls(values):
    """Return the web addresses in the values of a template: what is called ``url``,
    or something with ``_url`` at its end.

    :param values: dicts and lists of plain values
    :rtype: list[str]
    """
    if isinstance(values, dict):
        own = [
            value
            for name, value in values.items()
            if isinstance(value, str) and (name == "url" or name.endswith("_url"))
        ]
        return [*filter(None, own), *find_values_urls(list(values.values()))]
    if isinstance(values, list):
        return [url for value in values for url in find_values_urls(value)]
    return []


def _begins(url, own):
    """Whether ``url`` is ``own``, or goes on behind it on the same host."""
    if not url.startswith(own):
        return False
    _scheme, _mark, rest = own.partition("://")
    has_path = bool(re.search(r"[/?#]", rest))
    return bool(rest) and (has_path or url[len(own) : len(own) + 1] in ("", *"/?#"))


def replace_urls(text, mapping):
    """Replace web addresses in a plain text.

    :param str text: such as the body of a text message
    :param dict mapping: address as found by :func:`find_urls` -> what to put there
    :return: the text; addresses that are not in ``mapping`` stay
    :rtype: str
    """

    def replace(match):
        url = _trim(match.group(0))
        return mapping.get(url, url) + match.group(0)[len(url) :]

    return _TEXT_URL.sub(replace, text)


def _trim(url):
    """Take off what belongs to the sentence: ``(see https://example.com/a_(b)).``"""
    while url[-1] in _PUNCTUATION or (
        url[-1] in _BRACKETS and url.count(url[-1]) > url.count(_BRACKETS[url[-1]])
    ):
        url = url[:-1]
    return url
