"""The Twilio adapter: the official client against a real server, and webhooks."""

import base64
import logging
import os
import socket
import time
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode

from twilio.request_validator import RequestValidator

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..providers import http_session
from ..providers.base import InvalidWebhook, OutgoingSms
from ..providers.twilio import TwilioProvider
from ..providers.twilio_codes import CODES
from ..providers.twilio_webhook import read_form
from .http_server import CLOSE, GARBAGE, HANG, RESET, ApiServer, Reply
from .moments import PATIENCE, DeadlineAfter

SID = "AC" + "0a" * 16
TOKEN = "5ecre7" * 5 + "ff"
CREDENTIALS = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"
CALLBACK = "https://shop.example.com/marketing/webhook/abc?m=7-0123456789abcdef"
LOGGER = "odoo.addons.marketing_automation.providers.twilio"


def outgoing(number=1, **values):
    """An :class:`OutgoingSms` to +3630111000<number>."""
    return OutgoingSms(
        **{
            "uuid": f"uuid-{number}",
            "phone_to": f"+3630111000{number}",
            "body": f"Hi {number}",
            **values,
        }
    )


def accept(request):
    """Answer as Twilio does, with a SID made of the recipient."""
    number = parse_qs(request.body.decode())["To"][0]
    body = {"sid": f"SM{number[1:]}", "status": "queued", "num_segments": "1"}
    return Reply(201, body)


def refuse(status, code=None, message="No"):
    body = {"code": code, "message": message, "status": status, "more_info": ""}
    if code is None:
        del body["code"]
    return Reply(status, body)


class TwilioCase(BaseCase):
    def start(self, answer=accept, **options):
        """Start a server, return it and a provider that talks to it."""
        server = self.enterContext(ApiServer(answer, default=Reply(599)))
        options = {"sender": "+15005550006", "base_url": server.url, **options}
        provider = TwilioProvider(SID, TOKEN, **options)
        self.addCleanup(provider.close)
        return server, provider

    def first(self, answer):
        """Answers for one connection: this one first, then acceptance."""
        answers = [answer]
        return lambda request: answers.pop() if answers else accept(request)

    def assertResult(self, result, status, reason="", detail=""):
        self.assertEqual((result.status, result.reason), (status, reason), result)
        self.assertIn(detail, result.detail)
        self.assertLessEqual(len(result.detail), 250)
        self.assertEqual(bool(result.ref), status == "accepted", result)


@tagged("-at_install", "post_install")
class TestTwilioWire(TwilioCase):
    """What goes over the wire, and in which order."""

    def test_request(self):
        server, provider = self.start()
        body = "Szia „Anna” 😀 & [x]=1\nhttps://shop.example.com/c/1"
        (result,) = provider.send([outgoing(body=body, status_callback=CALLBACK)])
        self.assertResult(result, "accepted")
        self.assertEqual((result.uuid, result.ref), ("uuid-1", "SM36301110001"))
        (request,) = server.requests
        self.assertEqual((request.method, request.path), ("POST", PATH))
        self.assertEqual(request.headers["Authorization"], f"Basic {CREDENTIALS}")
        self.assertEqual(
            request.headers["Content-Type"], "application/x-www-form-urlencoded"
        )
        self.assertIn("twilio-python/", request.headers["User-Agent"])
        self.assertTrue(request.body.isascii())
        expected = {
            "To": ["+36301110001"],
            "From": ["+15005550006"],
            "Body": [body],
            "StatusCallback": [CALLBACK],
        }
        self.assertEqual(parse_qs(request.body.decode()), expected)

    def test_messaging_service(self):
        server, provider = self.start(messaging_service_sid="MG" + "1" * 32)
        provider.send([outgoing()])
        form = parse_qs(server.requests[0].body.decode())
        self.assertEqual(form["MessagingServiceSid"], ["MG" + "1" * 32])
        self.assertNotIn("From", form)

    def test_callback_that_twilio_refuses_is_left_out(self):
        server, provider = self.start(connections=1)
        bad = ["https://my_shop.example.com/w", "ftp://example.com/", "no", "http://[x"]
        results = provider.send([outgoing(status_callback=url) for url in ["", *bad]])
        self.assertEqual({r.status for r in results}, {"accepted"})
        for request in server.requests:
            self.assertNotIn(b"StatusCallback", request.body)

    def test_side_by_side_in_batch_order(self):
        def answer(request):
            reply = accept(request)
            return Reply(
                reply.status, reply.body, delay=0.2 if b"0001" in request.body else 0
            )

        server, provider = self.start(answer, connections=3)
        batch = [outgoing(number) for number in range(1, 9)]
        results = provider.send(iter(batch))
        self.assertEqual([r.uuid for r in results], [m.uuid for m in batch])
        for message, result in zip(batch, results, strict=True):
            self.assertEqual(result.ref, f"SM{message.phone_to[1:]}")
        self.assertEqual(len(server.requests), 8)
        self.assertLessEqual(server.connections, 3)
        self.assertGreater(server.connections, 1)

    def test_connections_are_kept(self):
        server, provider = self.start(connections=1)
        for number in (1, 2, 3):
            self.assertResult(provider.send([outgoing(number)])[0], "accepted")
        self.assertEqual(server.connections, 1)
        provider.close()
        provider.close()
        self.assertResult(provider.send([outgoing(4)])[0], "accepted")
        self.assertEqual(server.connections, 2)
        with patch.object(http_session, "MAX_IDLE", 0):
            provider.send([outgoing(5)])
        self.assertEqual(server.connections, 3, "idle ones are not trusted")

    def test_closed_while_idle(self):
        """A server that hangs up between two batches makes nothing uncertain."""

        def answer(request):
            reply = accept(request)
            return Reply(reply.status, reply.body, leave=True)

        server, provider = self.start(answer, connections=1)
        for number in (1, 2, 3):
            self.assertResult(provider.send([outgoing(number)])[0], "accepted")
            self.assertTrue(server.wait_for_closed(number))
        self.assertEqual((len(server.requests), server.connections), (3, 3))

    def test_empty_batch(self):
        server, provider = self.start()
        self.assertEqual(provider.send([]), [])
        self.assertEqual(server.connections, 0)

    def test_deadline(self):
        server, provider = self.start(connections=1)
        past = time.monotonic() - 1
        for result in provider.send([outgoing(1), outgoing(2)], deadline=past):
            self.assertResult(result, "retry", "not_reached")
        self.assertEqual(server.connections, 0)

    def test_deadline_within_a_batch(self):
        server, provider = self.start(connections=1)
        deadline = DeadlineAfter(lambda: server.requests)
        results = provider.send([outgoing(1), outgoing(2)], deadline=deadline)
        self.assertResult(results[0], "accepted")
        self.assertResult(results[1], "retry", "not_reached")
        self.assertEqual(len(server.requests), 1)

    def test_environment_of_the_process_is_not_used(self):
        variables = {
            "TWILIO_ACCOUNT_SID": "ACother",
            "TWILIO_AUTH_TOKEN": "other",
            "TWILIO_REGION": "ie1",
            "TWILIO_EDGE": "dublin",
        }
        with patch.dict(os.environ, variables):
            server, provider = self.start()
            self.assertResult(provider.send([outgoing()])[0], "accepted")
            provider._auth_token = ""
            self.assertResult(provider.send([outgoing()])[0], "retry", "auth_failed")
        self.assertEqual(server.requests[0].path, PATH)
        self.assertEqual(len(server.requests), 1)


@tagged("-at_install", "post_install")
class TestTwilioRefusals(TwilioCase):
    """Answers other than success."""

    def send_two(self, answer, **options):
        """Send two messages one after the other, the first one gets the answer."""
        server, provider = self.start(self.first(answer), connections=1, **options)
        return server, provider.send([outgoing(1), outgoing(2)])

    def test_codes(self):
        for code, (meaning, words) in CODES.items():
            with self.subTest(code=code):
                server, results = self.send_two(refuse(400, code, "As Twilio says"))
                self.assertResult(results[0], meaning.status, meaning.reason, words)
                self.assertIn(f"{code}: ", results[0].detail)
                self.assertIn("(As Twilio says)", results[0].detail)
                if meaning.stop:
                    self.assertResult(results[1], "retry", meaning.reason, words)
                else:
                    self.assertResult(results[1], "accepted")
                self.assertEqual(len(server.requests), 2 - meaning.stop)

    def test_codes_that_matter(self):
        """Spelled out, so that a slip in the table shows."""
        expected = {
            ("rejected", "recipient_refused"): [21211, 21614, 21635],
            ("rejected", "opted_out"): [21610],
            ("rejected", "content_refused"): [21617],
            ("retry", "rate_limited"): [20429, 21611, 30001, 30022],
            ("retry", "temporary_failure"): [30003, 30008, 20503],
            ("retry", "auth_failed"): [20003],
            ("retry", "account_refused"): [21603, 21606, 21608, 21408, 30002],
            ("uncertain", "provider_error"): [20500],
        }
        for (status, reason), codes in expected.items():
            for code in codes:
                meaning = CODES[code][0]
                self.assertEqual((meaning.status, meaning.reason), (status, reason))

    def test_http_status_without_code(self):
        expected = {
            401: ("retry", "auth_failed", 1),
            403: ("retry", "account_refused", 1),
            404: ("retry", "account_refused", 1),
            408: ("retry", "temporary_failure", 1),
            429: ("retry", "rate_limited", 1),
            302: ("retry", "account_refused", 1),
            400: ("retry", "provider_error", 2),
            418: ("retry", "provider_error", 2),
            500: ("uncertain", "provider_error", 2),
            502: ("uncertain", "provider_error", 2),
            503: ("uncertain", "provider_error", 2),
            504: ("uncertain", "provider_error", 2),
        }
        for status, (outcome, reason, requests) in expected.items():
            for reply in (refuse(status), Reply(status, "<html>gateway</html>")):
                with self.subTest(status=status, body=reply.body):
                    server, results = self.send_two(reply)
                    self.assertResult(results[0], outcome, reason, f"HTTP {status}")
                    self.assertEqual(len(server.requests), requests)

    def test_code_in_other_forms(self):
        problem = {"type": "x", "title": "Bad", "status": 400, "code": 21610}
        for body in (problem, {"code": "21610", "message": "x"}):
            _server, results = self.send_two(Reply(400, body))
            self.assertResult(results[0], "rejected", "opted_out", "21610")
        odd = [
            {"code": [1], "message": {"a": 1}},
            {"code": None},
            [],
            "",
            b"\xff",
            "nul",
        ]
        for body in odd:
            with self.subTest(body=body):
                _server, results = self.send_two(Reply(400, body))
                self.assertResult(results[0], "retry", "provider_error", "HTTP 400")

    def test_unknown_code_does_not_burn_the_list(self):
        server, provider = self.start(lambda request: refuse(400, 29999), connections=1)
        results = provider.send([outgoing(number) for number in range(1, 8)])
        for result in results:
            self.assertResult(result, "retry", "provider_error", "29999: No")
        self.assertEqual(len(server.requests), 3, "three in a row are the account's")

    def test_refused_destination_does_not_stop_the_others(self):
        def answer(request):
            return refuse(400, 21408) if b"%2B44" in request.body else accept(request)

        server, provider = self.start(answer, connections=1)
        phones = ["+36301110001", "+447700900001", "+447700900002", "+36301110002"] * 2
        results = provider.send([outgoing(phone_to=phone) for phone in phones])
        self.assertEqual(
            [r.status for r in results],
            ["accepted", "retry", "retry", "accepted"] * 2,
        )
        self.assertEqual(len(server.requests), 8)

    def test_redirect_is_not_followed(self):
        other = self.enterContext(ApiServer(accept))
        reply = Reply(307, "", {"Location": other.url + PATH})
        _server, results = self.send_two(reply)
        self.assertResult(results[0], "retry", "account_refused", "HTTP 307")
        self.assertEqual(other.connections, 0)

    def test_success_that_makes_no_sense(self):
        with mute_logger(LOGGER):
            for body in (
                "",
                "<html>",
                "[]",
                "null",
                '{"sid": null}',
                '{"sid": "SM',
                "{}",
            ):
                with self.subTest(body=body):
                    server, results = self.send_two(Reply(201, body))
                    self.assertResult(results[0], "uncertain", "provider_error")
                    self.assertResult(results[1], "accepted")
                    self.assertEqual(len(server.requests), 2, "and not made again")

    def test_settled_without_a_request(self):
        server, provider = self.start(connections=1)
        results = provider.send(
            [
                outgoing(phone_to=""),
                outgoing(phone_to="0630111222"),
                outgoing(phone_to="+36 30 111"),
                outgoing(body=" \n"),
                outgoing(body="a" * 1601),
                outgoing(body="ő" * 1600),
            ]
        )
        for result in results[:3]:
            self.assertResult(result, "rejected", "invalid_address")
        for result in results[3:5]:
            self.assertResult(result, "rejected", "content_refused", "1600")
        self.assertResult(results[5], "accepted")
        self.assertEqual(len(server.requests), 1)

    def test_incomplete_account(self):
        for account, token, options, reason in (
            ("", TOKEN, {"sender": "Shop"}, "auth_failed"),
            (SID, "", {"sender": "Shop"}, "auth_failed"),
            (SID, "pässword", {"sender": "Shop"}, "auth_failed"),
            (SID, TOKEN, {}, "no_sender"),
        ):
            provider = TwilioProvider(
                account, token, base_url="http://x.invalid", **options
            )
            for result in provider.send([outgoing(1), outgoing(2)]):
                self.assertResult(result, "retry", reason)


@tagged("-at_install", "post_install")
class TestTwilioConnection(TwilioCase):
    """Connections that are not opened, break, or stay silent."""

    def test_lost_after_the_request(self):
        cut = Reply(201, {"sid": "SM1"}, cut=0)
        for fault in (CLOSE, GARBAGE, cut):
            with self.subTest(fault=fault):
                server, provider = self.start([fault], connections=1)
                server.default = Reply(201, {"sid": "SM2"})
                results = provider.send([outgoing(1), outgoing(2)])
                self.assertResult(results[0], "uncertain", "connection_lost")
                self.assertResult(results[1], "accepted")
                sent = [r for r in server.requests if b"Hi+1" in r.body]
                self.assertLessEqual(len(sent), 1, "it must not be repeated")

    def test_lost_while_writing(self):
        """Certain or not, depending on how fast the end of the connection arrives."""
        server, provider = self.start([RESET], connections=1)
        server.default = Reply(201, {"sid": "SM2"})
        results = provider.send([outgoing(1), outgoing(2)])
        self.assertEqual(results[0].reason, "connection_lost")
        self.assertIn(results[0].status, ("retry", "uncertain"))
        self.assertResult(results[1], "accepted")
        self.assertEqual(len(server.requests), 1, "the first did not arrive")

    def test_half_an_answer(self):
        head = len(b"HTTP/1.1 201 Status\r\nContent-Length: 14\r\n\r\n")
        reply = Reply(201, {"sid": "SM1"}, cut=head + 9)
        server, provider = self.start(self.first(reply), connections=1)
        with mute_logger(LOGGER):
            results = provider.send([outgoing(1), outgoing(2)])
        self.assertResult(results[0], "uncertain", "provider_error")
        self.assertResult(results[1], "accepted")
        self.assertEqual(len(server.requests), 2)

    def test_too_slow(self):
        for fault in (HANG, Reply(201, {"sid": "SM1"}, delay=PATIENCE)):
            server, provider = self.start([fault], connections=1, timeout=1)
            server.default = Reply(201, {"sid": "SM2"})
            results = provider.send([outgoing(1), outgoing(2)])
            self.assertResult(results[0], "uncertain", "connection_lost", "in time")
            self.assertResult(results[1], "accepted")

    def test_keeps_breaking(self):
        server, provider = self.start(lambda request: CLOSE, connections=1)
        results = provider.send([outgoing(number) for number in range(1, 8)])
        for result in results[:3]:
            self.assertResult(result, "uncertain", "connection_lost")
        for result in results[3:]:
            self.assertResult(result, "retry", "connect_failed")
        self.assertEqual(len(server.requests), 3)

    def test_refused(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        _server, provider = self.start(base_url=url)
        for result in provider.send([outgoing(number) for number in range(1, 7)]):
            self.assertResult(result, "retry", "connect_failed", "refused")

    def test_unknown_host(self):
        _server, provider = self.start(base_url="http://localhost:9")
        error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        with patch.object(socket, "getaddrinfo", side_effect=error):
            (result,) = provider.send([outgoing()])
        self.assertResult(result, "retry", "connect_failed", "not known")

    def test_tls(self):
        server, provider = self.start()
        provider._base_url = server.url.replace("http:", "https:")
        (result,) = provider.send([outgoing()])
        self.assertResult(result, "retry", "connect_failed", "SSL")
        self.assertEqual(server.requests, [])

    def test_fault_in_here(self):
        server, provider = self.start(connections=1)
        create = "twilio.rest.api.v2010.account.message.MessageList.create"
        with patch(create, side_effect=[RuntimeError("oops"), RuntimeError("oops")]):
            with self.assertLogs(LOGGER, "ERROR") as logs:
                results = provider.send([outgoing(1), outgoing(2)])
        for result in results:
            self.assertResult(result, "retry", "not_prepared")
        self.assertEqual(len(logs.records), 2)
        self.assertEqual(server.connections, 0)


@tagged("-at_install", "post_install")
class TestTwilioSecrets(TwilioCase):
    def test_no_secret_leaves(self):
        """Neither details, nor words for people, nor logs, nor repr have the token."""
        told = f"token {TOKEN} in {CREDENTIALS}"
        faults = [
            *(refuse(400, code, told) for code in (None, 20003, 21211, 29999)),
            *(refuse(status, None, told) for status in (401, 404, 429, 500)),
            *(Reply(status, told, {"Location": told}) for status in (201, 302, 400)),
            *(CLOSE, RESET, GARBAGE, HANG),
        ]
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger().debug("at least one")
            said = [text for fault in faults for text in self._provoke(fault)]
            said += self._provoke(CLOSE, base_url="http://127.0.0.1:1")
            with self.assertRaises(InvalidWebhook) as caught:
                headers = {"X-Twilio-Signature": TOKEN}
                read_form(TOKEN, headers, told.encode(), CALLBACK)
            said.append(str(caught.exception))
        self.assertGreater(len(said), 2 * len(faults))
        formatter = logging.Formatter()
        said += [formatter.format(record) for record in logs.records]
        for text in said:
            self.assertNotIn(TOKEN, text)
            self.assertNotIn(CREDENTIALS, text)

    def _provoke(self, fault, **options):
        """What is said about sending and testing when this is the answer to both."""
        options = {"connections": 1, "timeout": 0.2, **options}
        _server, provider = self.start([fault, fault], **options)
        return [
            repr(provider.send([outgoing()])),
            repr(provider.check()),
            repr(provider),
        ]


@tagged("-at_install", "post_install")
class TestTwilioCheck(TwilioCase):
    def check(self, answer, **options):
        """Return the findings about account and sender."""
        server, provider = self.start([answer], **options)
        return (server, *provider.check())

    def account(self, **values):
        return Reply(
            200,
            {"sid": SID, "status": "active", "type": "Full", "friendly_name": "Shop"}
            | values,
        )

    def test_ok(self):
        server, account, sender = self.check(self.account())
        self.assertEqual((account.status, account.detail), ("ok", "Shop"))
        self.assertEqual(sender.status, "ok")
        (request,) = server.requests
        self.assertEqual(
            (request.method, request.path), ("GET", f"/2010-04-01/Accounts/{SID}.json")
        )
        self.assertEqual(request.headers["Authorization"], f"Basic {CREDENTIALS}")

    def test_account(self):
        for answer, status, words in (
            (self.account(status="suspended"), "problem", "suspended"),
            (self.account(status="closed"), "problem", "closed"),
            (self.account(type="Trial"), "problem", "verified numbers only"),
            (refuse(401, 20003, "Authenticate"), "problem", "does not accept"),
            (refuse(403, 20005), "problem", "not active"),
            (refuse(404, 20404), "problem", "refuses"),
            (refuse(429, 20429), "unknown", "could not tell"),
            (Reply(503, "<html>"), "unknown", "HTTP 503"),
            (Reply(200, "<html>"), "problem", "not Twilio's"),
            (Reply(200, "{}"), "problem", "not Twilio's"),
            (CLOSE, "problem", "127.0.0.1 cannot be reached"),
            (GARBAGE, "problem", "cannot be reached"),
        ):
            with self.subTest(answer=answer), mute_logger(LOGGER):
                _server, account, _sender = self.check(answer)
                self.assertEqual(account.status, status, account)
                self.assertIn(words, account.detail)

    def test_unreachable(self):
        provider = TwilioProvider(SID, TOKEN, base_url="http://127.0.0.1:1")
        account, sender = provider.check()
        self.assertIn("127.0.0.1 cannot be reached: [Errno", account.detail)
        self.assertEqual(sender.status, "problem")
        self.assertIn("Set a sender or a messaging service", sender.detail)

    def test_credentials_without_asking(self):
        for account_sid, token in (("", ""), (SID, ""), ("SK" + "1" * 32, TOKEN)):
            provider = TwilioProvider(account_sid, token, base_url="http://127.0.0.1:1")
            self.assertEqual(provider.check()[0].status, "problem")
            self.assertNotIn("reached", provider.check()[0].detail)

    def test_sender(self):
        for options, status, words in (
            ({"sender": "+36301234567"}, "ok", ""),
            ({"sender": "12345"}, "ok", ""),
            ({"sender": "My Shop"}, "ok", "cannot reply"),
            ({"sender": "06 30 123 4567"}, "problem", "Neither"),
            ({"sender": "A name too long"}, "problem", "Neither"),
            ({"messaging_service_sid": "MG" + "f" * 32}, "ok", "service"),
            ({"messaging_service_sid": "my service"}, "problem", "MG"),
        ):
            with self.subTest(options=options):
                _server, _account, sender = self.check(self.account(), **options)
                self.assertEqual(sender.status, status)
                self.assertIn(words, sender.detail)


@tagged("-at_install", "post_install")
class TestTwilioWebhook(BaseCase):
    # https://www.twilio.com/docs/usage/security#validating-requests and the test suites
    # of Twilio's own libraries
    VECTOR_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
    VECTOR = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }

    def setUp(self):
        super().setUp()
        self.provider = TwilioProvider(SID, TOKEN, sender="Shop")

    def post(self, values, url=CALLBACK, token=TOKEN):
        """Parse a request as Twilio would make it."""
        signature = RequestValidator(token).compute_signature(url, values)
        headers = {"X-Twilio-Signature": signature}
        return self.provider.parse_webhook(headers, urlencode(values).encode(), url)

    def assertRefused(self, status, *args):
        with self.assertRaises(InvalidWebhook) as caught:
            self.provider.parse_webhook(*args)
        self.assertEqual(caught.exception.status, status)

    def test_published_vectors(self):
        body = urlencode(self.VECTOR).encode()
        headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
        form = read_form("12345", headers, body, self.VECTOR_URL)
        self.assertEqual(form("Digits"), "1234")
        port = self.VECTOR_URL.replace(".com", ".com:443")
        self.assertEqual(read_form("12345", headers, body, port), form)
        repeated = b"Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234"
        headers = {"X-TWILIO-SIGNATURE": "IK+Dwps556ElfBT0I3Rgjkr1wJU="}
        form = read_form("12345", headers, repeated, self.VECTOR_URL)
        self.assertEqual(form.getlist("Digits"), ["5678", "1234", "1234"])

    def test_not_proven(self):
        body = urlencode(self.VECTOR).encode()
        good = {"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
        self.provider = TwilioProvider(SID, "12345")
        self.assertRefused(400, good, body, self.VECTOR_URL)  # a call, but proven
        self.assertRefused(403, {}, body, self.VECTOR_URL)
        self.assertRefused(403, {"X-Twilio-Signature": ""}, body, self.VECTOR_URL)
        self.assertRefused(403, {"X-Twilio-Signature": "é" * 28}, body, self.VECTOR_URL)
        self.assertRefused(403, good, body + b"&x=1", self.VECTOR_URL)
        self.assertRefused(403, good, body.replace(b"1234", b"9999"), self.VECTOR_URL)
        self.assertRefused(403, good, b"", self.VECTOR_URL)
        for url in (self.VECTOR_URL + "3", "http://mycompany.com/", "https://x:y/", ""):
            self.assertRefused(403, good, body, url)
        for token in ("", None, "12346"):
            self.provider = TwilioProvider(SID, token)
            self.assertRefused(403, good, body, self.VECTOR_URL)

    def test_malformed(self):
        headers = {"X-Twilio-Signature": "x"}
        many = b"&".join(b"a=1" for _number in range(1000))
        for body in (b"\xff=1", b"a=%FF", many):
            self.assertRefused(400, headers, body, CALLBACK)
        for values in ({}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}):
            with self.assertRaises(InvalidWebhook) as caught:
                self.post(values)
            self.assertEqual(caught.exception.status, 400)

    def status(self, status, code=None, **values):
        values = {
            "MessageSid": "SM1",
            "SmsSid": "SM1",
            "MessageStatus": status,
            "SmsStatus": status,
            "To": "+36301110001",
            "From": "+15005550006",
            "AccountSid": SID,
            **values,
        }
        if code:
            values["ErrorCode"] = str(code)
        return self.post(values)

    def test_statuses(self):
        for status, kind in (
            ("sent", "sent"),
            ("delivered", "delivered"),
            ("read", "delivered"),
            ("partially_delivered", "sent"),
            ("undelivered", "failed"),
            ("failed", "failed"),
            ("canceled", "failed"),
        ):
            (event,) = self.status(status, RawDlrDoneDate="0101010101")
            self.assertEqual(event.kind, kind)
            self.assertEqual(event.uuid, "7-0123456789abcdef")
            self.assertEqual(event.ref, "SM1")
            self.assertEqual(event.address, "+36301110001")
            self.assertEqual(event.external_id, f"SM1:{status}")
            self.assertEqual(event.reason, "undelivered" if kind == "failed" else "")
            self.assertFalse(event.suppress)
            self.assertIsNone(event.occurred_at.tzinfo)
            self.assertGreater(event.occurred_at.year, 2024)
        for status in ("accepted", "scheduled", "queued", "sending", "brand_new"):
            self.assertEqual(self.status(status), [])

    def test_error_codes(self):
        for code, kind, reason, suppress in (
            (30005, "bounced_hard", "bounced_hard", True),
            (30006, "bounced_hard", "bounced_hard", True),
            (30003, "bounced_soft", "bounced_soft", False),
            (30008, "bounced_soft", "bounced_soft", False),
            (30007, "failed", "content_refused", False),
            (30002, "failed", "account_refused", False),
            (30004, "failed", "undelivered", False),
            (21610, "failed", "opted_out", True),
            (39999, "failed", "undelivered", False),
        ):
            (event,) = self.status("undelivered", code)
            found = (event.kind, event.reason, event.suppress)
            self.assertEqual(found, (kind, reason, suppress), code)
            self.assertIn(str(code), event.detail)
        (event,) = self.status("delivered", 30005)
        self.assertEqual((event.kind, event.suppress), ("delivered", False))
        (event,) = self.status("failed", "abc")
        self.assertEqual((event.kind, event.detail), ("failed", ""))

    def test_no_key_in_the_url(self):
        values = {"MessageSid": "SM1", "MessageStatus": "sent"}
        (event,) = self.post(values, "https://shop.example.com/marketing/webhook/abc")
        self.assertEqual((event.uuid, event.ref, event.address), ("", "SM1", ""))

    def reply(self, body, **values):
        values = {
            "MessageSid": "SM2",
            "SmsStatus": "received",
            "From": "+36301110001",
            "To": "+15005550006",
            "Body": body,
            **values,
        }
        (event,) = self.post(values, "https://shop.example.com/marketing/webhook/abc")
        self.assertEqual((event.external_id, event.text), ("SM2", body[:1600]))
        return event

    def test_replies(self):
        event = self.reply("Stop.")
        self.assertEqual((event.kind, event.suppress), ("unsubscribe", True))
        self.assertEqual(event.reason, "opted_out")
        self.assertEqual(event.address, "+36301110001")
        event = self.reply("start")
        self.assertEqual((event.kind, event.suppress), ("resubscribe", False))
        for body in ("Köszi, jó lesz 👍", "", "HELP", "a" * 2000):
            event = self.reply(body)
            self.assertEqual(
                (event.kind, event.suppress, event.reason), ("reply", False, "")
            )
        self.assertEqual(self.reply("Hi", From="12345").address, "")

    def test_opt_out_types(self):
        """Advanced Opt-Out has words of its own, and knows better."""
        for asked, body, kind in (
            ("STOP", "Lemondom", "unsubscribe"),
            ("START", "Megint", "resubscribe"),
            ("HELP", "Mi ez", "reply"),
            ("HELP", "stop", "reply"),
        ):
            self.assertEqual(self.reply(body, OptOutType=asked).kind, kind)

    def test_repeated_field(self):
        body = b"MessageSid=SM1&MessageStatus=sent&MessageStatus=failed"
        values = {"MessageSid": "SM1", "MessageStatus": "sent"}
        self.assertRefused(403, self._signed(values), body, CALLBACK)

    def _signed(self, values):
        signature = RequestValidator(TOKEN).compute_signature(CALLBACK, values)
        return {"X-Twilio-Signature": signature}
