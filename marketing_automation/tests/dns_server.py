"""A DNS server on 127.0.0.1 that tests ask."""

import socketserver
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset

HOST = "127.0.0.1"
# What a name can do instead of answering with its records.
SILENT = "do not answer"
SERVFAIL = "answer that the lookup failed"
REFUSED = "answer that this server does not tell"
GARBAGE = "answer with bytes that are no DNS message"
TRUNCATED = "answer that it is too long for UDP; nobody listens on TCP"


class DnsServer:
    """A name server for every name.

    :param zone: ``name -> {type: [records in presentation format]}``, or one of the
        faults above; names without a final dot. Every other name does not exist, but
        names above those of the zone do. ``"*"`` stands for all names not listed.

    ``questions`` holds what was asked, ``(name, type)``. Ends with the ``with`` block.
    """

    def __init__(self, zone):
        self.zone = zone
        self.questions = []
        self._server = socketserver.UDPServer((HOST, 0), _Question)
        self._server.owner = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def resolver(self, lifetime=2.0):
        """A resolver that asks this server.

        :param float lifetime: seconds for a question
        """
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [HOST]
        resolver.port = self._server.server_address[1]
        resolver.lifetime = resolver.timeout = lifetime
        return resolver

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, wire):
        """The bytes to send back, None for none."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, rdtype))
        found = self.zone.get(name, self.zone.get("*"))
        if found == SILENT:
            return None
        if found == GARBAGE:
            return wire[:2] + b"\xff" * 20
        response = dns.message.make_response(query)
        if found == SERVFAIL:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif found == REFUSED:
            response.set_rcode(dns.rcode.REFUSED)
        elif found == TRUNCATED:
            response.flags |= dns.flags.TC
        elif found is not None:
            self._fill(response, question.name, found, rdtype)
        elif not any(known.endswith(f".{name}") for known in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    def _fill(self, response, name, found, rdtype):
        if "CNAME" in found and rdtype != "CNAME":
            response.answer.append(
                dns.rrset.from_text_list(name, 60, "IN", "CNAME", found["CNAME"])
            )
            target = found["CNAME"][0].rstrip(".")
            name, found = dns.name.from_text(target), self.zone.get(target, {})
        if records := found.get(rdtype):
            response.answer.append(
                dns.rrset.from_text_list(name, 60, "IN", rdtype, records)
            )


class _Question(socketserver.BaseRequestHandler):
    def handle(self):
        wire, socket = self.request
        answer = self.server.owner.answer(wire)
        if answer is not None:
            socket.sendto(answer, self.client_address)
