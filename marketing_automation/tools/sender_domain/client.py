"""Questions to the DNS, within a time limit, that tell "no" from "no answer"."""

import time

import dns.exception
import dns.name
import dns.resolver

QUESTION_SECONDS = 3
TOTAL_SECONDS = 10


class CouldNotAsk(Exception):
    """The DNS gave no answer: nothing is known. The text is for people."""


class DnsClient:
    """Asks each question once, all of them within ``TOTAL_SECONDS``.

    :param dns.resolver.Resolver resolver: None for the machine's name servers
    """

    def __init__(self, resolver=None):
        self._resolver = resolver
        self._deadline = time.monotonic() + TOTAL_SECONDS
        self._answers = {}
        self._missing = set()

    def ask(self, name, rdtype):
        """Look up the records of a name.

        :param str name: absolute, ASCII, with or without its final dot
        :param str rdtype: such as ``TXT``
        :return: the records, none if the name or records of this type do not exist
        :rtype: list[dns.rdata.Rdata]
        :raise CouldNotAsk: there was no answer; this says nothing about the records
        """
        question = (name.rstrip(".").lower(), rdtype)
        if question not in self._answers:
            self._answers[question] = self._ask(*question)
        answer = self._answers[question]
        if isinstance(answer, CouldNotAsk):
            raise answer
        return answer

    def texts(self, name):
        """Look up the TXT records of a name, the strings of each joined without a
        blank (RFC 7208 3.3, RFC 6376 3.6.2.2)."""
        return [
            b"".join(record.strings).decode("utf-8", "replace")
            for record in self.ask(name, "TXT")
        ]

    def may_exist(self, name):
        """Whether nobody has said that a name, and so all below it (RFC 8020), does not
        exist."""
        try:
            self.ask(name, "TXT")
        except CouldNotAsk:
            return True
        return (name, "TXT") not in self._missing

    def _ask(self, name, rdtype):
        left = self._deadline - time.monotonic()
        if left <= 0:
            return _could_not(name, rdtype, "the DNS answers too slowly")
        try:
            resolver = self._get_resolver()
            # Absolute: the search list of this machine is nobody else's.
            answer = resolver.resolve(
                dns.name.from_text(f"{name}."),
                rdtype,
                raise_on_no_answer=False,
                lifetime=min(left, resolver.lifetime),
                search=False,
            )
        except dns.resolver.NXDOMAIN:
            self._missing.add((name, rdtype))
            return []
        except dns.exception.Timeout:
            return _could_not(name, rdtype, "no name server answered in time")
        except dns.resolver.NoNameservers:
            return _could_not(name, rdtype, "the name servers answered with a fault")
        except dns.resolver.NoResolverConfiguration:
            return _could_not(name, rdtype, "this machine has no name server")
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return _could_not(name, rdtype, type(error).__name__)
        return list(answer)

    def _get_resolver(self):
        if self._resolver is None:
            self._resolver = dns.resolver.Resolver()
            self._resolver.lifetime = QUESTION_SECONDS
            # Enough for a second server when the first one is silent.
            self._resolver.timeout = QUESTION_SECONDS / 2
        return self._resolver


def _could_not(name, rdtype, why):
    return CouldNotAsk(f"Could not check the {rdtype} record of {name}: {why}.")
