"""The official Twilio client over our kept connections.

The client's own transport does not tell a request that never left from one whose answer
was lost; and only the first may be made again.
"""

import logging

from twilio.http import HttpClient
from twilio.http.response import Response

from .http_session import exchange

_logger = logging.getLogger(__name__)

API = "https://api.twilio.com"


class Transport(HttpClient):
    """What the official client makes one request with.

    :param session: see :func:`.http_session.open_session`
    :param base_url: what stands in for ``https://api.twilio.com``, no slash at its end

    :ivar bool asked: whether a request was begun
    :ivar int status: HTTP status of the answer, 0 before there is one
    """

    def __init__(self, session, base_url):
        super().__init__(_logger, False)
        self._session = session
        self._base_url = base_url
        self.asked = False
        self.status = 0

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

        Time-outs are those of the session, and redirects are never followed.

        :raise NotSent: it certainly was not taken
        :raise Lost: taken or not, nobody knows
        """
        self.asked = True
        answer = exchange(
            self._session,
            method.upper(),
            self._base_url + url.removeprefix(API),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
        )
        self.status = answer.status
        return Response(
            answer.status, answer.body.decode("utf-8", "replace"), answer.headers
        )
