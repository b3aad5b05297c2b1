"""SMTP servers on 127.0.0.1 that tests talk to."""

import logging
import select
import socket
import socketserver
import threading
from copy import deepcopy
from email import message_from_bytes
from email.policy import default as default_policy

try:
    from aiosmtpd.controller import Controller
except ImportError:  # a development requirement
    Controller = None

HOST = "127.0.0.1"
# What FaultySmtpServer can do instead of replying.
CLOSE = "close the connection"
HANG = "say nothing until the client leaves"
STALL = "neither read nor say anything until the client leaves"

# aiosmtpd warns about what it does itself, and tells about each connection.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class Received:
    """What a server took: ``(mail_from, rcpt_tos, content)``, content in bytes."""

    def __init__(self):
        self.messages = []
        self.connections = 0

    def parsed(self, index=-1):
        """A message as a mail program reads it (``email.message.EmailMessage``)."""
        return message_from_bytes(self.messages[index][2], policy=default_policy)

    @property
    def recipients(self):
        """The recipients of all messages, in the order of arrival."""
        return [address for message in self.messages for address in message[1]]


class RecordingSmtpServer(Received):
    """A well-behaved server (aiosmtpd) that records what it accepts.

    :param replies: ``(command, address) -> reply`` that refuses something, such as
        ``{("RCPT", "a@b.c"): "550 no such user"}``; None as the address stands for
        all. Commands: MAIL, RCPT and DATA, the last one meaning the final reply
        after the content, for the first recipient.
    :param smtputf8: whether the server offers SMTPUTF8
    """

    def __init__(self, replies=None, smtputf8=False):
        super().__init__()
        self.replies = dict(replies or {})
        self._controller = _controller(self, enable_SMTPUTF8=smtputf8)

    @property
    def port(self):
        return self._controller.port

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *exc_info):
        self._controller.stop()

    def _refusal(self, command, address):
        return self.replies.get((command, address)) or self.replies.get((command, None))

    # aiosmtpd's hooks

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if refusal := self._refusal("MAIL", address):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if refusal := self._refusal("RCPT", address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if refusal := self._refusal("DATA", envelope.rcpt_tos[0]):
            return refusal
        content = envelope.original_content
        self.messages.append((envelope.mail_from, list(envelope.rcpt_tos), content))
        return "250 OK queued as 4F2A"


def _controller(handler, **kwargs):
    class LocalController(Controller):
        def _create_server(self):
            sock = socket.create_server((HOST, 0))
            self.port = sock.getsockname()[1]
            return self.loop.create_server(self._factory_invoker, sock=sock)

    return LocalController(handler, hostname=HOST, port=0, **kwargs)


class FaultySmtpServer(Received):
    """A server that does what its script says, to the byte.

    :param script: one dict per connection, stage -> a reply, CLOSE, HANG or STALL;
        further connections are served well. Stages: GREETING, EHLO, AUTH, MAIL,
        RCPT, DATA (the command), BODY (as soon as the first of the content has
        arrived), CONTENT (after the final dot), EMPTY (after the dot of a message
        without recipients), RSET, QUIT. A stage that occurs more than once in a
        connection may have a list of these, None for a good reply.
    :param pipelining: whether the server offers PIPELINING
    :param meanwhile: called, without arguments, before a content is answered

    Content that arrived complete is in ``messages`` whatever the reply was, unless
    the script refuses it; ``commands`` holds the verbs per connection.
    """

    REPLIES = {
        "GREETING": "220 test ESMTP",
        "EHLO": "250-test\r\n250 AUTH PLAIN LOGIN",
        "DATA": "354 go on",
        "EMPTY": "554 no valid recipients",
        "QUIT": "221 bye",
    }

    PIPELINING = "250-test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN"

    def __init__(self, script=(), pipelining=False, meanwhile=None):
        super().__init__()
        self.script = deepcopy(list(script))
        self.replies = dict(self.REPLIES)
        if pipelining:
            self.replies["EHLO"] = self.PIPELINING
        self.meanwhile = meanwhile
        self.commands = []
        self._server = _Server((HOST, 0), _Conversation)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self):
        return self._server.server_address[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # joins the threads of the connections


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    block_on_close = True


class _Leave(Exception):
    """The connection is over."""


class _Conversation(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        owner = self.server.owner
        number = owner.connections
        owner.connections += 1
        self.stages = owner.script[number] if number < len(owner.script) else {}
        self.commands = []
        owner.commands.append(self.commands)
        try:
            self.reply("GREETING")
            while line := self.rfile.readline():
                self.command(line.decode("utf-8", "replace").strip())
        except (_Leave, OSError):
            return

    def command(self, line):
        verb = line[:4].upper()
        self.commands.append(verb)
        if verb == "MAIL":
            self.sender, self.recipients = _address(line), []
        code = self.reply(verb)
        if verb == "QUIT":
            raise _Leave
        if verb == "RCPT" and code < 300:
            self.recipients.append(_address(line))
        if verb == "DATA" and code == 354:
            self.content()

    def content(self):
        lines = [self.rfile.readline()]
        if "BODY" in self.stages:
            self.reply("BODY")
        while lines[-1] not in (b".\r\n", b""):
            lines.append(self.rfile.readline())
        if lines.pop() != b".\r\n":
            raise _Leave
        if not self.recipients:
            self.commands.append("EMPTY")
            return self.reply("EMPTY")
        if self.server.owner.meanwhile:
            self.server.owner.meanwhile()
        if not str(self.stages.get("CONTENT", "")).startswith(("4", "5")):
            message = (self.sender, self.recipients, b"".join(lines))
            self.server.owner.messages.append(message)
        self.reply("CONTENT")

    def reply(self, stage):
        action = self.stages.get(stage)
        if isinstance(action, list):
            action = action.pop(0) if action else None
        action = action or self.server.owner.replies.get(stage, "250 OK")
        if action == CLOSE:
            raise _Leave
        if action == STALL:
            # Without reading: the client finds no room for what it has to say.
            left = select.poll()
            left.register(self.connection, select.POLLRDHUP)
            left.poll(self.timeout * 1000)
            raise _Leave
        if action == HANG:
            self.rfile.read()
            raise _Leave
        self.wfile.write(action.encode() + b"\r\n")
        return int(action[:3])


def _address(line):
    return line.partition("<")[2].partition(">")[0]
