"""DKIM (RFC 6376): the public keys that signatures are verified with."""

import base64
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ...providers.base import Check
from .client import CouldNotAsk
from .tags import read_tags

# RFC 8301 3.2: receivers must not accept less; signers should have more.
MIN_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
_SELECTOR = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.IGNORECASE)


def check_dkim(client, domain, selectors):
    """Check the keys of a domain.

    :param DnsClient client: whom to ask
    :param str domain: ASCII
    :param selectors: names of keys
    :return: a finding per selector, or one that says that there is none
    :rtype: list[Check]
    """
    selectors = [selector.strip() for selector in selectors if selector.strip()]
    if not selectors:
        detail = (
            "Could not check: a key can only be looked up by its selector. It is the "
            "s= of the DKIM-Signature header in an email received from this domain; "
            "enter it here."
        )
        return [Check("unknown", "DKIM", detail)]
    return [_check_selector(client, domain, selector) for selector in selectors]


def _check_selector(client, domain, selector):
    subject = f"DKIM {selector}"
    if not _SELECTOR.fullmatch(selector):
        return Check("problem", subject, "This is not a selector: letters and digits.")
    name = f"{selector}._domainkey.{domain}"
    try:
        texts = client.texts(name)
    except CouldNotAsk as fault:
        return Check("unknown", subject, str(fault))
    fault = _key_fault(texts, name)
    if fault:
        return Check("problem", subject, fault)
    detail = f"There is a key at {name}."
    tags = read_tags(texts[0])
    if tags.get("k", "rsa") == "rsa" and _load_key(tags).key_size < GOOD_RSA_BITS:
        detail += f" One with {GOOD_RSA_BITS} bits is recommended (RFC 8301)."
    return Check("ok", subject, detail)


def _key_fault(texts, name):
    """What is wrong with the key records of a selector, in words, or nothing."""
    if not texts:
        return (
            f"There is no key at {name}. Add the TXT or CNAME record for it that the "
            "sending service or mail server shows."
        )
    if len(texts) > 1:
        return (
            f"{name} has {len(texts)} TXT records, receivers may take any of them (RFC "
            "6376 3.6.2.2). Leave the one that the sending service shows."
        )
    tags = read_tags(texts[0])
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return f"The TXT record at {name} is no DKIM key. Copy it again, completely."
    if not tags["p"]:
        return f"The key at {name} is revoked (p= is empty). Publish the present one."
    if "y" in re.split(r"\s*:\s*", tags.get("t", "")):
        return (
            "The key is marked as a test (t=y), so receivers treat your mail as "
            f"unsigned. Take t=y out of the TXT record at {name}."
        )
    return _weakness(tags, name)


def _weakness(tags, name):
    kind = tags.get("k", "rsa")
    if kind not in ("rsa", "ed25519"):
        return f"Receivers do not know keys of the kind “{kind}”, at {name}. Use rsa."
    if kind == "ed25519":  # RFC 8463 4.2: the 32 bytes themselves
        whole = _decode(tags) is not None and len(_decode(tags)) == 32
        return "" if whole else _broken(name)
    key = _load_key(tags)
    if key is None:
        return _broken(name)
    if key.key_size < MIN_RSA_BITS:
        return (
            f"The key at {name} has {key.key_size} bits; receivers refuse less than "
            f"{MIN_RSA_BITS} (RFC 8301). Make one with {GOOD_RSA_BITS}."
        )
    return ""


def _broken(name):
    return f"The key at {name} is damaged. Copy it again, completely."


def _decode(tags):
    try:
        return base64.b64decode(re.sub(r"\s", "", tags["p"]), validate=True)
    except ValueError:
        return None


def _load_key(tags):
    """The RSA key of a record, None if it is damaged or of another kind."""
    try:
        key = load_der_public_key(_decode(tags) or b"")
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if hasattr(key, "key_size") else None
