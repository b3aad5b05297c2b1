"""SPF (RFC 7208): which servers may send for a domain."""

import ipaddress
import re

from ...providers.base import Check
from .client import CouldNotAsk

# RFC 7208 4.6.4: terms that ask the DNS; receivers give up (permerror) after ten.
MAX_LOOKUPS = 10
_LOOKUPS = {"include", "a", "mx", "ptr", "exists", "redirect"}
_MECHANISMS = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"}
_TERM = re.compile(
    r"(?P<qualifier>[-+?~]?)(?P<name>[a-z][a-z0-9_.-]*)"
    r"((?P<mark>[:=])(?P<value>.*?))?(?P<prefix>/[0-9/]+)?",
    re.IGNORECASE,
)


def check_spf(client, domain, expected=()):
    """Check the SPF record of a domain, and those that it includes.

    :param DnsClient client: whom to ask
    :param str domain: ASCII
    :param expected: terms that have to be in it, such as ``include:sendgrid.net``
    :return: the findings, at least one
    :rtype: list[Check]
    """
    try:
        records = spf_records(client, domain)
    except CouldNotAsk as fault:
        return [Check("unknown", "SPF", str(fault))]
    if not records:
        terms = " ".join(("v=spf1", *expected, "~all"))
        more = "" if expected else ", with the servers that send for you before ~all"
        return [
            _problem(f"There is none. Add a TXT record at {domain}: “{terms}”{more}.")
        ]
    if len(records) > 1:
        return [
            _problem(
                f"{domain} has {len(records)} SPF records, so receivers heed none of "
                "them (RFC 7208 4.5). Merge them into one TXT record."
            )
        ]
    walk = _Walk(client)
    walk.follow(domain, records[0])
    return _findings(domain, records[0], walk, expected)


def spf_records(client, name):
    """The records that RFC 7208 4.5 selects.

    :rtype: list[str]
    :raise CouldNotAsk: there was no answer
    """
    return [
        text
        for text in client.texts(name)
        if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
    ]


class _Walk:
    """Goes through a record and what it includes, as far as a receiver would have to.

    :ivar lookups: terms that ask the DNS
    :ivar terms: every term seen, lower case
    :ivar faults: what makes receivers give up, in words
    :ivar unasked: what the DNS did not answer, in words
    """

    def __init__(self, client):
        self.client = client
        self.lookups = 0
        self.terms = set()
        self.faults = []
        self.unasked = []

    def follow(self, domain, record):
        matches = [(term, _TERM.fullmatch(term)) for term in record.split()[1:]]
        has_all = any(match and match["name"].lower() == "all" for _, match in matches)
        for term, match in matches:
            if self.lookups > MAX_LOOKUPS:
                return
            self.terms.add(term.lower().lstrip("+"))
            if not match or not _is_valid(match):
                self.faults.append(f"“{term}” at {domain} is not valid")
                continue
            name = match["name"].lower()
            if name == "all":
                return  # what follows is never reached (5.1)
            if name == "redirect" and has_all:
                continue  # 6.1
            self.lookups += name in _LOOKUPS
            if name in ("include", "redirect"):
                self._enter(term, match["value"])

    def _enter(self, term, target):
        if "%" in target:  # a macro, whose value depends on the message (7)
            return
        try:
            records = spf_records(self.client, target)
        except CouldNotAsk as fault:
            self.unasked.append(str(fault))
            return
        if len(records) == 1:
            self.follow(target, records[0])
        else:  # 5.2, 6.1
            count = len(records) or "no"
            self.faults.append(f"“{term}” leads to {count} SPF records instead of one")


def _is_valid(match):
    name, value = match["name"].lower(), match["value"]
    if match["mark"] == "=":
        # Unknown modifiers are ignored (6), those without effect here too.
        return not match["qualifier"] and bool(value or name != "redirect")
    if name not in _MECHANISMS:
        return False
    if name in ("ip4", "ip6"):
        try:
            network = ipaddress.ip_network(
                f"{value}{match['prefix'] or ''}", strict=False
            )
        except ValueError:
            return False
        return network.version == int(name[-1])
    if name in ("include", "exists"):
        return bool(value)
    return name != "all" or not (match["mark"] or match["prefix"])


def _findings(domain, record, walk, expected):
    problems = []
    if "all" in walk.terms:
        problems.append(
            "“+all” lets everybody send in your name. Write “~all” or “-all”."
        )
    for fault in walk.faults:
        problems.append(
            f"{fault}: receivers give up, as if there were no record. Correct the TXT "
            f"record of {domain}."
        )
    if walk.lookups > MAX_LOOKUPS:
        problems.append(
            f"It takes more than {MAX_LOOKUPS} DNS lookups, where receivers give up "
            "(RFC 7208 4.6.4). Remove “include:” of services that you no longer use."
        )
    missing = [term for term in expected if term.lower() not in walk.terms]
    if missing and not walk.unasked:
        problems.append(
            f"“{' '.join(missing)}” is missing. Add it to the TXT record of {domain}, "
            "before “all”."
        )
    if problems:
        return [_problem(text) for text in problems]
    if walk.unasked:
        return [Check("unknown", "SPF", walk.unasked[0])]
    return [Check("ok", "SPF", _praise(record, walk))]


def _praise(record, walk):
    words = f"“{record}”, {walk.lookups} of at most {MAX_LOOKUPS} lookups."
    own = record.lower().split()
    if not any(term in ("-all", "~all") or "redirect=" in term for term in own):
        words += " End it with “~all” or “-all”: now other servers are let through."
    return words


def _problem(detail):
    return Check("problem", "SPF", detail)
