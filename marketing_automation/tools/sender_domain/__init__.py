"""What the DNS says about a domain that mail is sent from.

Gmail, Yahoo and Microsoft want SPF, DKIM and DMARC from whoever writes to many
(https://support.google.com/a/answer/81126, https://senders.yahooinc.com/best-practices).
"""

import re

import idna

from ...providers.base import Check
from .client import CouldNotAsk, DnsClient
from .dkim import check_dkim
from .dmarc import check_dmarc
from .spf import check_spf

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def check_sender_domain(domain, *, resolver=None, dkim_selectors=(), expected_spf=()):
    """Look up whether mail from a domain can prove where it comes from.

    :param str domain: what stands after the @ of the sender, Unicode or ASCII
    :param dns.resolver.Resolver resolver: whom to ask, with its time-outs; by default
        the machine's name servers, three seconds a question. Ten seconds in all.
    :param dkim_selectors: names of the keys that sign, such as ``s1`` and ``s2`` for
        SendGrid. No way leads from a domain to them (RFC 6376 3.1).
    :param expected_spf: terms that the sending needs in SPF, such as
        ``include:sendgrid.net``
    :return: the findings. ``unknown`` is what could not be looked up, and never means
        that something is wrong; does not raise.
    :rtype: list[Check]
    """
    name = _ascii(domain)
    if name is None:
        detail = f"“{domain}” is not a domain that mail can come from."
        return [Check("problem", "Domain", detail)]
    client = DnsClient(resolver)
    if not client.may_exist(name):
        detail = (
            f"{name} does not exist in the DNS. Register it, or correct the sender's "
            "address."
        )
        return [Check("problem", "Domain", detail)]
    return [
        *check_spf(client, name, expected_spf),
        *check_dkim(client, name, dkim_selectors),
        check_dmarc(client, name),
        _check_mx(client, name),
    ]


def _ascii(domain):
    """The domain as it stands in the DNS (IDNA, RFC 5891), None if it is none."""
    domain = (domain or "").strip().rstrip(".").lower()
    try:
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return None
    labels = domain.split(".")
    # 253 characters leave room for _dmarc. within the 255 octets of RFC 1035 2.3.4.
    if len(labels) < 2 or len(domain) > 245:
        return None
    return domain if all(map(_LABEL.fullmatch, labels)) else None


def _check_mx(client, domain):
    """Whether replies and bounces find a server (RFC 5321 5.1, RFC 7505)."""
    try:
        exchanges = [str(answer.exchange) for answer in client.ask(domain, "MX")]
        has_host = bool(exchanges) or bool(
            client.ask(domain, "A") or client.ask(domain, "AAAA")
        )
    except CouldNotAsk as fault:
        return Check("unknown", "MX", str(fault))
    if exchanges == ["."]:
        detail = (
            f"{domain} says that it takes no mail (null MX), so replies and bounces "
            "are lost. Let its MX record name your mail server."
        )
        return Check("problem", "MX", detail)
    if exchanges:
        hosts = ", ".join(sorted(host.rstrip(".") for host in exchanges))
        return Check("ok", "MX", f"Replies and bounces go to {hosts}.")
    if has_host:
        detail = (
            f"{domain} has no MX record. Replies and bounces go to the server at its "
            "own address; whether that takes mail could not be checked. Add an "
            "MX record."
        )
        return Check("unknown", "MX", detail)
    detail = (
        f"{domain} takes no mail, so replies and bounces are lost. Add an MX record "
        "that names your mail server."
    )
    return Check("problem", "MX", detail)
