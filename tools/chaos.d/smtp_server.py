"""A mail server on 127.0.0.1 that takes mail, or fails in every way mail servers do."""

import socketserver
import time

from weather import Weather

# Every reply may come late, be a refusal, or not come at all. Faults of the stages:
# BODY is when the first of the content has arrived, CONTENT when all of it has and
# was not taken, TAKEN when it was.
ROUGH = {
    "GREETING": {"drop": 0.06, "stall": 0.04, "421": 0.04},
    "EHLO": {"drop": 0.03},
    "MAIL": {"drop": 0.01, "stall": 0.01, "421": 0.01, "451": 0.03},
    "RCPT": {"drop": 0.01, "stall": 0.01, "421": 0.01, "451": 0.03, "550": 0.005},
    "DATA": {"drop": 0.01, "stall": 0.01, "451": 0.02},
    "BODY": {"drop": 0.02, "stall": 0.01},
    "CONTENT": {"drop": 0.02, "stall": 0.01, "421": 0.01, "451": 0.03, "550": 0.005},
    "TAKEN": {"drop": 0.02, "stall": 0.02},
}
OUTAGE = {"GREETING": {"drop": 0.5, "421": 0.5}, "MAIL": {"421": 0.7}}
REPLIES = {"GREETING": "220 chaos ESMTP", "DATA": "354 go on", "QUIT": "221 bye"}


class SmtpServer(socketserver.ThreadingTCPServer):
    """Listens at once; :meth:`serve_forever` belongs into a process of its own.

    :param Journal journal: what happens is written to
    :param seed: see Weather
    :param storm: shared flag, see Weather
    :param float slow: seconds it takes for each email
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, journal, seed, storm, slow=0.0):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.journal = journal
        self.slow = slow
        self.weather = Weather(seed, ROUGH, OUTAGE, storm)

    @property
    def port(self):
        return self.server_address[1]

    def handle_error(self, request, client_address):
        """A client that was killed is what this is about."""


class _Leave(Exception):
    """The connection is over."""


class _Conversation(socketserver.StreamRequestHandler):
    timeout = 60

    def handle(self):
        self.recipient = ""
        # Clients take another way when commands may come in one go.
        pipelining = self.server.weather.toss()
        self.ehlo = "250-chaos\r\n250 PIPELINING" if pipelining else "250 chaos"
        try:
            self.answer("GREETING")
            while line := self.rfile.readline():
                self.command(line.decode("ascii", "replace").strip())
        except (_Leave, OSError):
            return

    def command(self, line):
        verb = line[:4].upper()
        if verb == "EHLO":
            self.answer("EHLO", self.ehlo)
        elif verb == "MAIL":
            self.recipient = ""
            self.answer("MAIL")
        elif verb == "RCPT":
            self.receive_recipient(line.partition("<")[2].partition(">")[0])
        elif verb == "DATA" and not self.recipient:
            self.send("503 no recipient")
        elif verb == "DATA":
            if self.answer("DATA"):
                self.receive_content()
        else:
            self.send(REPLIES.get(verb, "250 OK"))
            if verb == "QUIT":
                raise _Leave

    def receive_recipient(self, address):
        if address.startswith("refused"):
            self.send("550 no such mailbox")
        elif self.answer("RCPT"):
            self.recipient = address

    def receive_content(self):
        """Read the content. Whoever goes away before the reply to it, server or client,
        leaves the other one in doubt."""
        journal, answered = self.server.journal, False
        try:
            line = self.rfile.readline()
            self.meet("BODY")
            while line not in (b".\r\n", b""):
                line = self.rfile.readline()
            if not line:
                raise _Leave
            refusal = self.meet("CONTENT")
            if not refusal:
                # Taken: from here on the message is the server's, whatever follows.
                time.sleep(self.server.slow)
                journal.write("accepted", to=self.recipient)
                self.meet("TAKEN")
            self.send(refusal or "250 OK taken")
            answered = True
        finally:
            if not answered:
                journal.write("unanswered")
        self.recipient = ""
        if refusal and refusal.startswith("421"):
            raise _Leave

    def answer(self, stage, reply=None):
        """Reply to a stage, well or otherwise.

        :return: whether the reply was a good one
        """
        refusal = self.meet(stage)
        self.send(refusal or reply or REPLIES.get(stage, "250 OK"))
        if refusal and refusal.startswith("421"):
            raise _Leave
        return not refusal

    def meet(self, stage):
        """Show the fault that is due at a stage, if any.

        :return: the refusal to reply with, or None
        """
        fault = self.server.weather.choose(stage)
        if not fault:
            return None
        self.server.journal.write(f"{stage} {fault}")
        if fault == "drop":
            raise _Leave
        if fault == "stall":
            self.server.weather.stall()
            return None
        return f"{fault} {stage} not now"

    def send(self, reply):
        self.wfile.write(reply.encode() + b"\r\n")
