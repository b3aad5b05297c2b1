"""The public key of a message: what providers, bounces and replies carry back.

It names the message and proves that we made it, and opens nothing: the secret token of
unsubscribe and tracking links is another.
"""

import hashlib
import hmac
import re

_KEY = re.compile(r"(?P<id>[0-9]{1,19})-(?P<signature>[0-9a-f]{16})")


def make_key(secret, message_id):
    """Return the key of a message.

    :param str secret: key of this database
    :param int message_id: database id of the message
    :return: such as ``1234-0123456789abcdef``: safe in a Message-ID, in the local part
        of an address and in a URL
    :rtype: str
    """
    return f"{message_id}-{_sign(secret, message_id)}"


def read_key(secret, key):
    """Return the id of the message that a key names, None if we did not make it.

    :param str secret: key of this database
    :param str key: what came back, in any case of letters (RFC 5321 lets hosts fold
        local parts)
    :rtype: int | None
    """
    match = _KEY.fullmatch((key or "").strip().lower())
    if not match:
        return None
    expected = _sign(secret, int(match["id"]))
    if not hmac.compare_digest(expected, match["signature"]):
        return None
    return int(match["id"])


def _sign(secret, message_id):
    digest = hmac.new(secret.encode(), f"message:{message_id}".encode(), hashlib.sha256)
    return digest.hexdigest()[:16]
