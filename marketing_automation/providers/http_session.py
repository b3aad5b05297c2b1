"""Requests over kept connections, knowing at each fault what it means.

Three things ``requests`` does not tell: whether a fault came before the request was
completely written (then the server, which counts ``Content-Length``, cannot act on
it, RFC 9112 6.3 and 8), whether it came while connecting, and that an answer's status
has arrived although the rest of it did not. Nothing is repeated in here: a request
that hands over messages is not idempotent (RFC 9110 9.2.2).
"""

import time
from http.client import HTTPException

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

CONNECT_TIMEOUT = 10.0
# Servers close connections that idle, from 5 s (Apache, Node) on; what is written while
# the end of a connection is on its way is lost, and nobody knows. So do it first.
MAX_IDLE = 4.0
# Bytes of an answer that are read; those to a hand-over have some hundred.
MAX_ANSWER = 256 * 1024


class NotSent(NewConnectionError):
    """The request certainly did not reach the server completely.

    :ivar bool connected: whether there was a connection at all
    """

    connected = False

    def __init__(self, connection, detail):
        super().__init__(connection, detail)
        self.detail = detail

    def __str__(self):
        return self.detail


class NotFinished(NotSent):
    """The connection broke while the request was written."""

    connected = True


class Lost(Exception):
    """The request was written, and there is no answer."""


class Answer:
    """What a server answered.

    :ivar int status: HTTP status
    :ivar headers: names in any case
    :ivar bytes body: may be cut, see ``MAX_ANSWER``, or end early with the connection
    """

    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.body = _read(response)


def open_session(connections, timeout, auth):
    """Return a ``requests.Session`` with kept connections, for use by threads.

    :param int connections: how many at once; further threads wait
    :param float timeout: seconds to wait for each part of an answer
    :param auth: ``callable(prepared_request)``, or a pair for basic authentication.
        It keeps ``requests`` from looking for a password in ``~/.netrc``.
    """
    session = requests.Session()
    session.auth = auth
    adapter = _Adapter(connections, timeout)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def exchange(session, method, url, **kwargs):
    """Make one request and read its answer. Redirects are not followed: they would
    carry the request, and what authenticates it, elsewhere.

    :param kwargs: of ``requests.Session.request``
    :rtype: Answer
    :raise NotSent: certainly not taken
    :raise Lost: taken or not, nobody knows
    """
    try:
        response = session.request(
            method, url, allow_redirects=False, stream=True, **kwargs
        )
    except (requests.RequestException, HTTPError, OSError) as error:
        not_sent = _cause(error, NotSent)
        if not_sent:
            raise not_sent from error
        slow = isinstance(error, requests.Timeout)
        raise Lost("no answer in time" if slow else _innermost(error)) from error
    with response:
        return Answer(response)


class _Connection:
    """Mixed into urllib3's connections: tells faults before the end of the request."""

    written = False
    used_at = 0.0

    def connect(self):
        try:
            result = super().connect()
        except Exception as error:
            # Whatever it is (DNS, refused, TLS, a proxy): nothing was asked yet.
            raise NotSent(self, _innermost(error)) from error
        self.used_at = time.monotonic()
        return result

    def request(self, *args, **kwargs):
        self.written = False
        try:
            result = super().request(*args, **kwargs)
        except BrokenPipeError:
            raise  # the server may have answered early: urllib3 looks
        except OSError as error:
            raise NotFinished(self, _innermost(error)) from error
        self.written = True
        return result

    def getresponse(self, *args, **kwargs):
        try:
            response = super().getresponse(*args, **kwargs)
        except (OSError, HTTPException) as error:
            if self.written:
                raise
            raise NotFinished(self, _innermost(error)) from error
        self.used_at = time.monotonic()
        return response


class _Pool:
    """Mixed into urllib3's pools: connections that have idled are not used again."""

    def _get_conn(self, timeout=None):
        # urllib3 itself drops those whose end has already arrived.
        connection = super()._get_conn(timeout)
        if connection.sock and time.monotonic() - connection.used_at > MAX_IDLE:
            connection.close()
            # A new one: those through a proxy cannot be opened a second time.
            connection = self._new_conn()
        return connection


class _HttpConnection(_Connection, HTTPConnectionPool.ConnectionCls):
    pass


class _HttpsConnection(_Connection, HTTPSConnectionPool.ConnectionCls):
    pass


class _HttpPool(_Pool, HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _Adapter(HTTPAdapter):
    """Our connections, our time-outs, no retries."""

    POOLS = {"http": _HttpPool, "https": _HttpsPool}

    def __init__(self, connections, timeout):
        self._timeout = (min(CONNECT_TIMEOUT, timeout), timeout)
        super().__init__(1, connections, max_retries=0, pool_block=True)

    def init_poolmanager(self, *args, **kwargs):  # pylint: disable=missing-return
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.POOLS

    def proxy_manager_for(self, *args, **kwargs):
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self.POOLS
        return manager

    def send(self, request, stream=False, timeout=None, *args, **kwargs):
        return super().send(request, stream, timeout or self._timeout, *args, **kwargs)


def _read(response):
    try:
        return response.raw.read(MAX_ANSWER, decode_content=True) or b""
    except (HTTPError, HTTPException, OSError):
        return b""  # the status has arrived, and that is what counts


def _cause(error, kind):
    """The error of a kind that led to this one, or None."""
    while error is not None and not isinstance(error, kind):
        error = error.__context__
    return error


def _innermost(error):
    """What happened, without the names of all the layers it came through."""
    found = error
    while error is not None:
        if isinstance(error, OSError | HTTPException):
            found = error
        error = error.__context__
    return str(found) or type(found).__name__
