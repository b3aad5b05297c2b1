"""DMARC (RFC 7489): what receivers do with mail that fails SPF and DKIM."""

from ...providers.base import Check
from .client import CouldNotAsk
from .tags import read_tags

_POLICIES = {
    "none": "Receivers deliver what fails the checks and only report it (p=none). This "
    "is enough to send; when the reports look right, go on to p=quarantine.",
    "quarantine": "Receivers put what fails the checks into spam (p=quarantine).",
    "reject": "Receivers refuse what fails the checks (p=reject).",
}


def check_dmarc(client, domain):
    """Check the DMARC policy of a domain, its own or that of a domain above.

    Which of those above is the organizational domain takes a list of public suffixes
    (RFC 7489 3.2). Without it, the nearest one with a policy counts, as in its
    successor's tree walk (draft-ietf-dmarc-dmarcbis 4.10), registries left out.

    :param DnsClient client: whom to ask
    :param str domain: ASCII
    :rtype: Check
    """
    try:
        owner, records = _find(client, domain)
    except CouldNotAsk as fault:
        return Check("unknown", "DMARC", str(fault))
    if not records:
        detail = (
            "There is none. Gmail, Yahoo and Microsoft ask for it from whoever writes "
            f"to many. Add a TXT record at _dmarc.{domain}: “v=DMARC1; p=none”."
        )
        return Check("problem", "DMARC", detail)
    if len(records) > 1:  # 6.6.3
        detail = (
            f"_dmarc.{owner} has {len(records)} DMARC records, so receivers heed none "
            "of them. Leave one TXT record."
        )
        return Check("problem", "DMARC", detail)
    return _judge(records[0], owner, domain)


def _find(client, domain):
    """The nearest domain that has DMARC records, and these."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        owner = ".".join(labels[start:])
        records = [
            text
            for text in client.texts(f"_dmarc.{owner}")
            if text.partition(";")[0].replace(" ", "") == "v=DMARC1"
        ]
        if start and any(_is_registry(text) for text in records):
            break
        if records:
            return owner, records
    return domain, []


def _is_registry(text):
    """A policy of a registry, such as co.uk's, is not that of its customers."""
    return (read_tags(text) or {}).get("psd") == "y"


def _judge(record, owner, domain):
    tags = read_tags(record)
    policy = (tags or {}).get("p", "").lower()
    if policy not in _POLICIES:
        detail = (
            f"The TXT record at _dmarc.{owner} is not valid: “{record[:100]}”. Write "
            "“v=DMARC1; p=none”, or p=quarantine or p=reject."
        )
        return Check("problem", "DMARC", detail)
    if owner == domain:
        return Check("ok", "DMARC", _POLICIES[policy])
    # 6.3: sp= is for the domains below; if it is not valid, p= counts.
    policy = _POLICIES.get(tags.get("sp", "").lower(), _POLICIES[policy])
    return Check("ok", "DMARC", f"From {owner}: {policy}")
