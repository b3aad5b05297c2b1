"""Headers and texts of incoming email, cut to size: whoever has an address of ours can
send what they like, and no expression gets to see more than this."""

from email.errors import HeaderParseError
from email.header import decode_header, make_header

from .html_text import html_to_text

# Characters of a header, of a text, of a line; of a text in which a copy of an email
# of ours is looked for; of HTML that is read.
MAX_HEADER = 2000
MAX_TEXT = 20000
MAX_LINE = 2000
MAX_COPY = 200000
MAX_HTML = 200000


def get_headers(message, name, last=False):
    """Return the values of a header, decoded (RFC 2047).

    Read from the source: the standard library's own parser of headers takes minutes for
    a long one.

    :param email.message.Message message: an email, or a part of it
    :param str name: of the header, in any case
    :param bool last: keep the end of long ones, not their beginning
    :rtype: list[str]
    """
    name = name.lower()
    values = []
    for other, raw in message.raw_items():
        if other.lower() == name and len(values) < 20:
            raw = raw[-MAX_HEADER:] if last else raw[:MAX_HEADER]
            values.append(_decode(" ".join(raw.split())))
    return values


def get_header(message, name):
    """Return the first value of a header, '' if there is none.

    :rtype: str
    """
    return next(iter(get_headers(message, name)), "")


def get_text(part):
    """Return what a part of an email says.

    :rtype: str
    """
    try:
        return part.get_content()
    except (KeyError, LookupError, ValueError, AttributeError):
        # No content manager for it, or no such charset.
        return (part.get_payload(decode=True) or b"").decode("utf-8", "replace")


def get_body_text(message, until=None):
    """Return the text of an email, of one in HTML as well.

    :param re.Pattern until: where HTML is cut off
    :return: at most 20,000 characters in lines of at most 2,000
    :rtype: str
    """
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    text = get_text(body)
    if not isinstance(text, str):
        return ""
    if body.get_content_subtype() == "html":
        text = text[:MAX_HTML]
        text = html_to_text(until.split(text, maxsplit=1)[0] if until else text)
    return limit(text)


def limit(text, length=MAX_TEXT):
    """Cut a text, and each of its lines.

    :param str text: of any length
    :param int length: characters to keep
    :rtype: str
    """
    if not isinstance(text, str):
        return ""
    lines = text[:length].replace("\r\n", "\n").split("\n")
    return "\n".join(line[:MAX_LINE] for line in lines)


def _decode(value):
    # Bytes that are not ASCII, as the parser of emails keeps them: UTF-8 today.
    value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value
