"""The address of a shop as links in messages begin."""

from urllib.parse import urlsplit

from .mailbox import encode_domain


def get_shop_url(record):
    """Return the address of the shop a record belongs to, as links need it.

    :param record: a website, a company's record, or none of a model: Odoo's own setting
    :return: see :func:`tidy_base_url`
    :rtype: str
    """
    return tidy_base_url(record.get_base_url())


def tidy_base_url(url):
    """Return an address that paths can be put behind.

    Providers and mail programs take headers and links in ASCII only (RFC 3986; RFC
    8058 for the link that unsubscribes).

    :param str url: as somebody entered it, with a slash at its end, in capitals, with
        an international domain; may be empty
    :return: scheme and host in lower case and ASCII, without slash at the end, query
        and fragment; what is no address stays as it is, without blanks around it
    :rtype: str
    """
    url = "".join((url or "").split())
    if url and "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed bracket in the host
        return url
    if not parts.netloc:
        return url
    path = parts.path.rstrip("/")
    return f"{parts.scheme.lower()}://{tidy_host(parts.netloc)}{path}"


def tidy_host(netloc):
    """Return host and port as they stand in an address on the wire.

    :param str netloc: such as ``käse.example:8069``
    :rtype: str
    """
    host, colon, port = netloc.partition(":") if "]" not in netloc else (netloc, "", "")
    try:
        host = host.lower() if host.isascii() else encode_domain(host)
    except ValueError:
        host = host.lower()
    return f"{host}{colon}{port}"
