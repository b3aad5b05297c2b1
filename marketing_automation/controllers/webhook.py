import logging
from urllib.parse import urlencode

from werkzeug.exceptions import BadRequest, Forbidden, RequestEntityTooLarge

from odoo.http import Controller, Response, request, route

from ..providers.base import InvalidWebhook
from ..tools.links import is_token

_logger = logging.getLogger(__name__)

# SendGrid sends batches of less than 1 MB; nobody sends more.
MAX_BODY = 8 * 2**20


class Webhook(Controller):
    @route(
        "/marketing/webhook/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        sitemap=False,
        # The provider signs what it posts; it has no session.
        csrf=False,
        save_session=False,
    )
    def receive(self, token, **_kwargs):
        """Take in what a provider reports about messages.

        Closed for accounts without the secret or public key that proves who is calling:
        a wrong address, a missing and a false signature all get the same answer.

        :param str token: the account
        """
        http = request.httprequest
        if (http.content_length or 0) > MAX_BODY:
            raise RequestEntityTooLarge()
        provider = self._find_provider(token)
        if not provider:
            raise Forbidden()
        try:
            events = provider._parse_webhook(
                http.headers, self._get_raw_body(), self._get_public_url()
            )
        except InvalidWebhook as error:
            _logger.info("Webhook of account %s refused: %s", provider.id, error)
            raise (Forbidden() if error.status == 403 else BadRequest()) from error
        request.env["marketing.message"].sudo()._apply_events(events, provider)
        return Response(status=204)

    def _find_provider(self, token):
        providers = request.env["marketing.provider"].sudo()
        if not is_token(token):
            return providers
        # Reports come in for accounts that are paused or archived as well.
        return providers.with_context(active_test=False).search(
            [("webhook_token", "=", token)]
        )

    def _get_raw_body(self):
        """Return what was posted; Odoo has read forms by now, which are put together
        again (Twilio signs their values, not their bytes).

        :rtype: bytes
        """
        http = request.httprequest
        form = urlencode(list(http.form.items(multi=True))).encode()
        return http.get_data() or form

    def _get_public_url(self):
        """Return the address that was called, with its query: Twilio signs it, too.

        :rtype: str
        """
        http = request.httprequest
        query = f"?{http.query_string.decode('latin-1')}" if http.query_string else ""
        return f"{http.host_url.rstrip('/')}{http.path}{query}"
