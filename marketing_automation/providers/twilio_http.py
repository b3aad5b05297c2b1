"""HTTP for the official Twilio client, that knows what may have arrived.

The client's own transport repeats nothing either, but neither does it tell a request
that never left from one whose answer was lost; and only the first may be made again.
"""

import io
import logging
import socket
import ssl
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient
from twilio.http.response import Response

_logger = logging.getLogger(__name__)

API = "https://api.twilio.com"

# The first that is found among an error and its causes says what happened.
_WORDS = (
    (requests.Timeout, "no answer in time"),
    (TimeoutError, "no answer in time"),
    (socket.gaierror, "the name of the host cannot be resolved"),
    (ConnectionRefusedError, "the host refuses connections"),
    (requests.exceptions.ProxyError, "the proxy does not let it through"),
)


class NotSent(Exception):
    """The request certainly did not arrive, for a reason in words."""


class Lost(Exception):
    """The request may have arrived, its answer did not."""


class Exchange(HttpClient):
    """One request of the official client.

    :param session: see :func:`open_session`
    :param base_url: what stands in for ``https://api.twilio.com``, no slash at its end

    ``begun`` tells whether any of the body was handed to the connection, ``status`` is
    that of the answer, 0 before there is one.
    """

    def __init__(self, session, base_url):
        super().__init__(_logger, False)
        self._session = session
        self._base_url = base_url
        self._body = None
        self.status = 0

    @property
    def begun(self):
        return self._body is not None and self._body.begun

    def request(
        self,
        method,
        url,
        params=None,
        data=None,
        headers=None,
        auth=None,
        timeout=None,
        allow_redirects=False,
    ):
        """Make the request; see :meth:`twilio.http.HttpClient.request`.

        The time-outs are those of the session. Redirects are never followed: they
        would take the credentials elsewhere.

        :raise NotSent: it did not arrive
        :raise Lost: there is no complete answer
        """
        try:
            if data:
                self._body = _Body(urlencode(data, doseq=True).encode())
            response = self._send(method, url, params, headers, auth)
            self.status = response.status_code
            return Response(response.status_code, response.text, response.headers)
        except Exception as error:  # noqa: BLE001 - only how far it got counts
            raise (Lost if self.begun else NotSent)(_words(error)) from error

    def _send(self, method, url, params, headers, auth):
        url = self._base_url + url.removeprefix(API)
        request = self._session.prepare_request(
            requests.Request(
                method, url, headers, data=self._body, params=params, auth=auth
            )
        )
        settings = self._session.merge_environment_settings(
            request.url, {}, None, None, None
        )
        return self._session.send(request, allow_redirects=False, **settings)


class _Body(io.BytesIO):
    """A body that knows whether the connection has asked for it.

    Before that there was only a connection being opened and headers being written: no
    server can have acted on the request.
    """

    begun = False

    def read(self, *args):
        self.begun = True
        return super().read(*args)


class _Adapter(HTTPAdapter):
    """Pooled connections with time-outs that hold for every request."""

    def __init__(self, timeout, connections):
        self._timeout = timeout
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def send(self, request, timeout=None, **options):
        return super().send(request, timeout=self._timeout, **options)


def open_session(timeout, connections):
    """Return a session to share between threads, without cookies.

    :param float timeout: seconds to wait for a connection, and for each part of an
        answer
    :param int connections: to keep open
    :rtype: requests.Session
    """
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(timeout, connections))
    return session


def _words(error):
    """Say what happened without quoting the request, which has the credentials."""
    causes = list(_causes(error))
    for kind, words in _WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or cause.strerror or type(cause).__name__}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return f"the connection broke ({type(error).__name__})"


def _causes(error):
    """The error and what it was raised from, however requests wrapped it."""
    seen, todo = set(), [error]
    while todo:
        current = todo.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [*current.args, getattr(current, "reason", None)]
        todo += [current.__cause__, current.__context__]
