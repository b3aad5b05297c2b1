"""SendGrid's Mail Send API on 127.0.0.1, as it is when all goes well and when not.

What an answer means is documented at
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors: 202 queued, the
other ones of the API itself not queued. A gateway's 502 says nothing either way.
"""

import contextlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from struct import pack

from weather import Weather

API_KEY = "SG.test-chaos.0000000000000000"
ROUGH = {
    "CONNECT": {"drop": 0.04, "stall": 0.03},
    # Before the body was read.
    "REQUEST": {"drop": 0.02},
    # Not taken.
    "REFUSE": {
        "drop": 0.03,
        "stall": 0.04,
        "429": 0.06,
        "500": 0.06,
        "503": 0.03,
        "502": 0.02,
    },
    # Taken, and the client does not learn of it.
    "TAKEN": {"drop": 0.03, "stall": 0.03, "502": 0.02},
}
OUTAGE = {"CONNECT": {"drop": 0.3}, "REFUSE": {"401": 0.5, "403": 0.5}}
# Answers from which nobody learns whether the emails were taken.
SILENT = {"502"}


class ApiServer(ThreadingHTTPServer):
    """Listens at once; :meth:`serve_forever` belongs into a process of its own.

    :param Journal journal: what happens is written to
    :param int batch_size: how many emails a request has at most
    :param seed: see Weather
    :param storm: shared flag, see Weather
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, journal, batch_size, seed, storm):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.journal = journal
        self.batch_size = batch_size
        self.weather = Weather(seed, ROUGH, OUTAGE, storm)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that was killed is what this is about."""


class _Leave(Exception):
    """The connection is over."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def handle(self):
        try:
            self.meet("CONNECT")
        except _Leave:
            # Whether the client had written its request by then it does not know.
            self.server.journal.write("unanswered", self.server.batch_size)
            return
        with contextlib.suppress(_Leave, OSError):
            super().handle()

    def log_message(self, *args):
        """Silence: the journal has what matters."""

    def do_POST(self):
        people, answered = self.server.batch_size, False
        try:
            if self.meet("REQUEST") is None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                persons = json.loads(body)["personalizations"]
                addresses = [person["to"][0]["email"] for person in persons]
                people = len(addresses)
                answered = self.receive(addresses)
        finally:
            if not answered:
                self.server.journal.write("unanswered", people)

    def receive(self, addresses):
        """Take the emails of a request, or not, and answer, or not.

        :return: whether the client knows what became of them
        """
        if self.headers["Authorization"] != f"Bearer {API_KEY}":
            return self.answer(401)
        if status := self.meet("REFUSE"):
            return self.answer(int(status))
        refused = [n for n, to in enumerate(addresses) if to.startswith("refused")]
        if refused:
            return self.answer(400, [f"personalizations.{n}.to" for n in refused])
        for address in addresses:
            self.server.journal.write("accepted", to=address)
        return self.answer(int(self.meet("TAKEN") or 202))

    def answer(self, status, fields=()):
        errors = [{"message": "not now", "field": field} for field in fields or [None]]
        content = b"" if status == 202 else json.dumps({"errors": errors}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status == 202:
            self.send_header("X-Message-Id", f"chaos-{time.monotonic_ns()}")
        if status == 429:
            self.send_header("X-RateLimit-Reset", str(int(time.time()) + 1))
        self.end_headers()
        self.wfile.write(content)
        return str(status) not in SILENT

    def meet(self, stage):
        """Show the fault that is due at a stage, if any.

        :return: the status to answer with, or None
        """
        fault = self.server.weather.choose(stage)
        if not fault:
            return None
        self.server.journal.write(f"{stage} {fault}")
        if fault == "drop":
            # With a reset, as when a server dies, rather than an orderly end.
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            raise _Leave
        if fault == "stall":
            self.server.weather.stall()
            return None
        return fault
