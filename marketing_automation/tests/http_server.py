"""An HTTP server on 127.0.0.1 that plays a provider's API, with its faults."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET
from struct import pack
from typing import NamedTuple

HOST = "127.0.0.1"

# What ApiServer can do instead of answering.
CLOSE = "close the connection when the request has arrived"
RESET = "close the connection after the headers, with most of the body unread"
HANG = "say nothing until the client leaves"
GARBAGE = "answer with bytes that are not HTTP"


class Request(NamedTuple):
    """A request that has arrived completely.

    :param path: with its query
    :param headers: names in any case
    :param connection: number of its connection, from 0
    """

    method: str
    path: str
    headers: Message
    body: bytes
    connection: int = 0

    @property
    def json(self):
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer.

    :param body: bytes, text, or anything else to send as JSON
    :param delay: seconds to wait before answering
    :param cut: send only so many bytes of the answer (status line and headers
        included) and close the connection
    :param leave: close the connection after the answer without announcing it
    """

    status: int = 200
    body: object = b""
    headers: Mapping = field(default_factory=dict)
    delay: float = 0
    cut: int | None = None
    leave: bool = False

    @property
    def content(self):
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


class ApiServer:
    """A server that answers what it is told to and records what it gets.

    :param answer: a list of answers for one request each, in the order of their
        arrival; or ``callable(request) -> answer``. An answer is a :class:`Reply`,
        ``CLOSE``, ``RESET``, ``HANG`` or ``GARBAGE``.
    :param default: the answer after the last of the list, and for None

    ``requests`` are those that arrived completely, whatever the answer was;
    ``connections`` counts the connections; ``url`` has no slash at its end.
    """

    def __init__(self, answer=(), default=None):
        self.answer = answer if callable(answer) else list(answer)
        self.default = default or Reply()
        self.requests = []
        self.connections = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.closed = threading.Condition(self.lock)
        self.closed_connections = 0
        self.sockets = set()
        self._server = _Server((HOST, 0), _Conversation)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self):
        return f"http://{HOST}:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        with self.lock:
            for sock in self.sockets:
                _hang_up(sock)
        self._server.server_close()  # joins the threads of the connections

    def take(self, request):
        """Record a request and return its answer."""
        with self.lock:
            self.requests.append(request)
            if not callable(self.answer):
                action = self.answer.pop(0) if self.answer else None
                return action or self.default
        return self.answer(request) or self.default

    def wait_for_closed(self, count):
        """Wait until this side has closed so many connections.

        The client's side of a connection within the machine knows it by then.
        """
        with self.closed:
            return self.closed.wait_for(lambda: self.closed_connections >= count, 20)

    def refuses_body(self):
        """Whether the next answer is due before the body has arrived."""
        with self.lock:
            if callable(self.answer) or self.answer[:1] != [RESET]:
                return False
            self.answer.pop(0)
            return True


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def shutdown_request(self, request):  # pylint: disable=missing-return
        super().shutdown_request(request)
        with self.owner.closed:
            self.owner.closed_connections += 1
            self.owner.closed.notify_all()

    def handle_error(self, request, client_address):
        """A client that leaves is what many tests are about."""


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def setup(self):  # pylint: disable=missing-return
        super().setup()
        owner = self.server.owner
        with owner.lock:
            self.number = owner.connections
            owner.connections += 1
            owner.sockets.add(self.connection)

    def finish(self):  # pylint: disable=missing-return
        with self.server.owner.lock:
            self.server.owner.sockets.discard(self.connection)
        super().finish()

    def log_message(self, *args):
        """Silence: what was asked is in ``requests``."""

    def do_POST(self):
        owner = self.server.owner
        if owner.refuses_body():
            self.reset()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, self.headers, body, self.number)
        action = owner.take(request)
        if isinstance(action, Reply):
            owner.ended.wait(action.delay)
            self.reply(action)
        else:
            self.close_connection = True
            if action == HANG:
                self.rfile.read(1)
            elif action == GARBAGE:
                self.wfile.write(b"\x15\x03\x01 this is not HTTP\r\n\r\n")

    do_GET = do_PUT = do_DELETE = do_POST

    def reply(self, reply):
        content = reply.content
        lines = [f"HTTP/1.1 {reply.status} Status", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        answer = "\r\n".join([*lines, "", ""]).encode() + content
        self.wfile.write(answer[: reply.cut])
        self.close_connection = reply.leave or reply.cut is not None

    def reset(self):
        """End the connection so that the client's next bytes meet a reset."""
        self.close_connection = True
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        self.connection.close()


def _hang_up(sock):
    try:
        sock.shutdown(SHUT_RDWR)
    except OSError:
        return
