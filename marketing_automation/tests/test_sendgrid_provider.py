"""The SendGrid adapter against a real HTTP server: what went over the wire, what it
reports, and what it believes of SendGrid's webhook."""

import base64
import json
import logging
import threading
import time
from datetime import datetime
from unittest.mock import patch

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..providers import OutgoingEmail, SendGridProvider, http_session
from ..providers import sendgrid as adapter
from ..providers.base import InvalidWebhook
from ..providers.sendgrid_events import MAX_AGE
from .http_server import CLOSE, GARBAGE, HANG, RESET, ApiServer, Reply
from .moments import PATIENCE, DeadlineAfter

KEY = "SG.aZ09_-abcdefghijklmno.pQrStUvWxYz0123456789_-abcdefghijklmnopqrstu"
SHOP = '"The Shop; Gifts, more" <shop@example.com>'
ONE_CLICK = "<https://shop.example.com/marketing/unsubscribe/" + "aZ09" * 40 + ">"
# What becomes of the emails after one whose fault is its own.
GOES_ON = ("accepted", "")
ACCEPTED = Reply(202, headers={"X-Message-Id": "LRzXl_NHStOGhQ4kofSm_A"})
LOGGER = "odoo.addons.marketing_automation.providers.sendgrid"


def outgoing(number=1, **values):
    """An :class:`OutgoingEmail` to customer<number>@example.com."""
    return OutgoingEmail(
        **{
            "uuid": f"uuid-{number}",
            "email_from": SHOP,
            "email_to": f"customer{number}@example.com",
            "reply_to": "Help <help@example.com>",
            "subject": "Your cart",
            "html": "<p>Grüße 😀</p>",
            "text": "Grüße",
            "headers": {
                "List-Unsubscribe": ONE_CLICK,
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Return-Path": "bounce@example.com",
            },
            "message_id": f"<{number}@shop.example.com>",
            "categories": ["marketing"],
            **values,
        }
    )


def shared(number, **values):
    """An email that shares its content with the others of its kind."""
    return outgoing(
        number,
        **{
            "subject": "For %name%",
            "html": "<p>Dear %name%, <a href='%link%'>x</a></p>",
            "headers": {"List-Unsubscribe": "<%link%>"},
            "substitutions": {
                "%name%": f"Ann {number}",
                "%link%": f"https://shop.example.com/{number}",
            },
            **values,
        },
    )


def refusal(status, message, field=None):
    """An error as SendGrid answers it."""
    return Reply(status, {"errors": [{"message": message, "field": field}]})


class SendGridCase(BaseCase):
    def start(self, answer=(), default=ACCEPTED, **values):
        """Start a server, return it and a provider that talks to it."""
        server = self.enterContext(ApiServer(answer, default))
        return server, self.provider(server.url, **values)

    def provider(self, url, **values):
        values = {"base_url": url, "connections": 1, "timeout": 5, **values}
        provider = SendGridProvider(KEY, **values)
        self.addCleanup(provider.close)
        return provider

    def assertResult(self, result, status, reason="", detail=""):
        self.assertEqual((result.status, result.reason), (status, reason), result)
        self.assertIn(detail, result.detail)
        self.assertLessEqual(len(result.detail), 250)
        self.assertNotIn(KEY, repr(result))

    def keys(self, request):
        """Our keys of the messages in a request."""
        persons = request.json["personalizations"]
        return [person["custom_args"]["message"] for person in persons]


@tagged("-at_install", "post_install")
class TestSendGridRequest(SendGridCase):
    """What goes over the wire."""

    def test_individual(self):
        server, provider = self.start()
        results = provider.send([outgoing(1), outgoing(2)])
        for result in results:
            self.assertResult(result, "accepted")
            self.assertEqual(result.ref, "LRzXl_NHStOGhQ4kofSm_A")
        self.assertEqual([r.uuid for r in results], ["uuid-1", "uuid-2"])
        self.assertEqual(server.connections, 1, "the connection is kept")
        first = server.requests[0]
        self.assertEqual((first.method, first.path), ("POST", "/v3/mail/send"))
        self.assertEqual(first.headers["Authorization"], f"Bearer {KEY}")
        self.assertEqual(first.headers["Content-Type"], "application/json")
        self.assertEqual(
            first.json,
            {
                "from": {"email": "shop@example.com", "name": "The Shop Gifts more"},
                "reply_to": {"email": "help@example.com", "name": "Help"},
                "subject": "Your cart",
                "content": [
                    {"type": "text/plain", "value": "Grüße"},
                    {"type": "text/html", "value": "<p>Grüße 😀</p>"},
                ],
                "categories": ["marketing"],
                "tracking_settings": {
                    "click_tracking": {"enable": False, "enable_text": False},
                    "open_tracking": {"enable": False},
                    "subscription_tracking": {"enable": False},
                },
                "personalizations": [
                    {
                        "to": [{"email": "customer1@example.com"}],
                        "headers": {
                            "Message-ID": "<1@shop.example.com>",
                            "List-Unsubscribe": ONE_CLICK,
                            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                        },
                        "custom_args": {"message": "uuid-1"},
                    }
                ],
            },
        )

    def test_thousand_share_a_request(self):
        server, provider = self.start()
        results = provider.send([shared(n) for n in range(2001)])
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual([r.uuid for r in results[:2]], ["uuid-0", "uuid-1"])
        sizes = [len(r.json["personalizations"]) for r in server.requests]
        self.assertEqual(sizes, [1000, 1000, 1])
        body = server.requests[0].json
        self.assertEqual(body["subject"], "For %name%")
        self.assertIn("%link%", body["content"][1]["value"])
        self.assertNotIn("headers", body)
        self.assertNotIn("custom_args", body)
        self.assertEqual(
            body["personalizations"][7],
            {
                "to": [{"email": "customer7@example.com"}],
                "headers": {
                    "Message-ID": "<7@shop.example.com>",
                    "List-Unsubscribe": "<https://shop.example.com/7>",
                },
                "substitutions": {
                    "%name%": "Ann 7",
                    "%link%": "https://shop.example.com/7",
                },
                "custom_args": {"message": "uuid-7"},
            },
        )
        self.assertEqual(
            self.keys(server.requests[1]), [f"uuid-{n}" for n in range(1000, 2000)]
        )

    def test_what_may_not_share(self):
        server, provider = self.start()
        batch = [
            shared(1),
            shared(2, text="another body"),
            shared(3, categories=["other"]),
            shared(4),
            # An address once per request, however it is written.
            shared(5, email_to='"Ann" <CUSTOMER1@example.com>'),
            # More substitutions than SendGrid takes.
            shared(6, substitutions={"%name%": "ü" * 5000, "%link%": "x"}),
            # What SendGrid's order of replacing might spoil.
            shared(7, substitutions={"%name%": "I am %link%", "%link%": "x"}),
            # A line break in a header.
            shared(8, substitutions={"%name%": "A\r\nBcc: b@c.d", "%link%": "x"}),
        ]
        results = provider.send(batch)
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual([r.uuid for r in results], [e.uuid for e in batch])
        self.assertEqual(
            [self.keys(r) for r in server.requests],
            [["uuid-1", "uuid-4"], *([f"uuid-{n}"] for n in (2, 3, 5, 6, 7, 8))],
        )
        by_key = {self.keys(r)[0]: r.json for r in server.requests}
        for key in ("uuid-6", "uuid-7", "uuid-8"):
            self.assertNotIn("substitutions", by_key[key]["personalizations"][0])
        self.assertEqual(by_key["uuid-7"]["subject"], "For I am %link%")
        self.assertEqual(by_key["uuid-8"]["subject"], "For A Bcc: b@c.d")
        self.assertEqual(
            by_key["uuid-6"]["personalizations"][0]["headers"]["List-Unsubscribe"],
            "<x>",
        )

    def test_limits_of_a_request(self):
        server, provider = self.start()
        names = ["a" * 300, *(f"c{n}" for n in range(8)), "c1", "", "last", "too many"]
        provider.send([outgoing(categories=names, text="", reply_to="")])
        body = server.requests[0].json
        kept = ["a" * 255, *(f"c{n}" for n in range(8)), "last"]
        self.assertEqual(body["categories"], kept)
        self.assertEqual([c["type"] for c in body["content"]], ["text/html"])
        self.assertNotIn("reply_to", body)
        with patch.object(adapter, "MAX_REQUEST", 3000):
            results = provider.send([shared(n) for n in range(20)])
            self.assertEqual({r.status for r in results}, {"accepted"})
            sizes = [len(r.body) for r in server.requests[1:]]
            self.assertGreater(len(sizes), 2)
            self.assertLessEqual(max(sizes), 3000)
            keys = [key for r in server.requests[1:] for key in self.keys(r)]
            self.assertEqual(keys, [f"uuid-{n}" for n in range(20)])
            result = provider.send([outgoing(text="x" * 4000)])[0]
            self.assertResult(result, "rejected", "content_refused", "30 MB")

    def test_refused_here(self):
        server, provider = self.start()
        cases = [
            ({"email_to": "no address"}, "invalid_address"),
            ({"email_from": "a@b.c, d@e.f"}, "invalid_address"),
            ({"headers": {"Subject": "x"}}, "content_refused"),
            ({"headers": {"X-Evil": "a\r\nBcc: b@c.d"}}, "content_refused"),
            ({"headers": {"X Y": "z"}}, "content_refused"),
            ({"text": "SG.abc.def is our key"}, "content_refused"),
        ]
        batch = [outgoing(n, **values) for n, (values, _r) in enumerate(cases)]
        results = provider.send([*batch, outgoing(9)])
        for result, (_values, reason) in zip(results, cases, strict=False):
            self.assertResult(result, "rejected", reason)
        self.assertResult(results[-1], "accepted")
        self.assertEqual(len(server.requests), 1)
        # One bad address in a shared request does not stop the others.
        results = provider.send([shared(1), shared(2, email_to="nobody"), shared(3)])
        self.assertEqual(
            [r.status for r in results], ["accepted", "rejected", "accepted"]
        )

    def test_sandbox_mode(self):
        server, provider = self.start(default=Reply(200), sandbox_mode=True)
        self.assertResult(provider.send([outgoing()])[0], "accepted")
        settings = server.requests[0].json["mail_settings"]
        self.assertEqual(settings, {"sandbox_mode": {"enable": True}})

    def test_header_outside_ascii(self):
        server, provider = self.start()
        provider.send([outgoing(headers={"X-Campaign": "Frühling " * 20})])
        value = server.requests[0].json["personalizations"][0]["headers"]["X-Campaign"]
        self.assertTrue(value.isascii())
        self.assertNotIn("\n", value)


@tagged("-at_install", "post_install")
class TestSendGridAnswers(SendGridCase):
    """What each answer, and each fault, means for the emails."""

    def check(self, answer, status, reason, rest, detail="", **values):
        """Send three emails; the first one gets the answer.

        :param rest: status and reason of the others
        """
        server, provider = self.start([answer], **values)
        results = provider.send([outgoing(1), outgoing(2), outgoing(3)])
        self.assertResult(results[0], status, reason, detail)
        for result in results[1:]:
            self.assertResult(result, *rest)
        reached = 3 if rest[0] == "accepted" else 1
        self.assertEqual(len(server.requests), reached - (answer == RESET))
        return server, results

    def test_statuses(self):
        for status, expected in {
            400: ("rejected", "content_refused", GOES_ON),
            408: ("retry", "temporary_failure", GOES_ON),
            413: ("rejected", "content_refused", GOES_ON),
            500: ("retry", "temporary_failure", GOES_ON),
            503: ("retry", "temporary_failure", GOES_ON),
            502: ("uncertain", "connection_lost", GOES_ON),
            504: ("uncertain", "connection_lost", GOES_ON),
            200: ("uncertain", "connection_lost", GOES_ON),
            401: ("retry", "auth_failed", ("retry", "auth_failed")),
            403: ("retry", "account_refused", ("retry", "account_refused")),
            404: ("retry", "account_refused", ("retry", "account_refused")),
            422: ("retry", "account_refused", ("retry", "account_refused")),
            307: ("retry", "account_refused", ("retry", "account_refused")),
            429: ("retry", "rate_limited", ("retry", "rate_limited")),
        }.items():
            with self.subTest(status=status):
                self.check(refusal(status, "why"), *expected, detail=f"{status} why")

    def test_credits(self):
        rest = ("retry", "account_refused")
        answer = refusal(401, "Maximum credits exceeded")
        self.check(answer, "retry", "account_refused", rest)

    def test_malformed_errors(self):
        for body in ("", "<html>", "[" * 100_000, '{"errors": 3}', '{"errors": [3]}'):
            with self.subTest(body=body[:20]):
                self.check(Reply(400, body), "rejected", "content_refused", GOES_ON)

    def test_redirect_is_not_followed(self):
        other, _provider = self.start()
        answer = Reply(307, headers={"Location": other.url})
        rest = ("retry", "account_refused")
        self.check(answer, "retry", "account_refused", rest)
        self.assertFalse(other.requests)

    def test_rate_limit(self):
        for reset, seconds in (
            (int(time.time()) + 60, 60),
            (int(time.time()) - 60, 5),
            (int(time.time()) + 10**6, 5),
            ("soon", 5),
        ):
            with self.subTest(reset=reset):
                headers = {"X-RateLimit-Reset": reset}
                server, provider = self.start([Reply(429, headers=headers)])
                provider.send([outgoing()])
                now = time.monotonic()
                with patch.object(adapter.time, "monotonic", lambda t=now: t + 3):
                    result = provider.send([outgoing()])[0]
                    self.assertResult(result, "retry", "rate_limited")
                later = now + seconds + 1
                with patch.object(adapter.time, "monotonic", lambda t=later: t):
                    self.assertResult(provider.send([outgoing()])[0], "accepted")
                self.assertEqual(len(server.requests), 2)

    def test_one_of_a_shared_request(self):
        answer = refusal(
            400, "Does not contain a valid address.", "personalizations.1.to.0.email"
        )
        server, provider = self.start([answer])
        results = provider.send([shared(n) for n in range(5)])
        self.assertResult(results[1], "rejected", "invalid_address", "valid address")
        self.assertEqual([r.status for r in results].count("accepted"), 4)
        self.assertEqual(
            self.keys(server.requests[1]), ["uuid-0", "uuid-2", "uuid-3", "uuid-4"]
        )

    def test_halves(self):
        def answer(request):
            bad = "uuid-5" in self.keys(request)
            return refusal(400, "Bad Request") if bad else ACCEPTED

        server, provider = self.start(answer)
        results = provider.send([shared(n) for n in range(8)])
        self.assertResult(results[5], "rejected", "content_refused")
        self.assertEqual([r.status for r in results].count("accepted"), 7)
        taken = [k for r in server.requests for k in self.keys(r)]
        self.assertEqual(len(server.requests), 7)
        self.assertEqual(taken.count("uuid-0"), 2)

    def test_shared_content_refused(self):
        for field, reason in (
            ("subject", "content_refused"),
            ("from.email", "sender_refused"),
        ):
            with self.subTest(field=field):
                server, provider = self.start([refusal(400, "no", field)])
                results = provider.send([shared(n) for n in range(8)])
                self.assertEqual({r.reason for r in results}, {reason})
                self.assertEqual(len(server.requests), 1)

    def test_faults_after_the_request(self):
        for fault in (CLOSE, GARBAGE, Reply(202, cut=10)):
            with self.subTest(fault=fault):
                self.check(fault, "uncertain", "connection_lost", GOES_ON)

    def test_slow(self):
        detail = "no answer in time"
        for fault in (HANG, Reply(202, delay=PATIENCE)):
            with self.subTest(fault=fault):
                server, results = self.check(
                    *(fault, "uncertain", "connection_lost", GOES_ON, detail),
                    timeout=1,
                )
                self.assertEqual(server.connections, 2)

    def test_fault_while_the_request_is_written(self):
        server, provider = self.start([RESET])
        results = provider.send([outgoing(1, text="x" * 9_000_000), outgoing(2)])
        self.assertResult(results[0], "retry", "connection_lost")
        self.assertResult(results[1], "accepted")
        self.assertEqual([self.keys(r) for r in server.requests], [["uuid-2"]])

    def test_answer_that_ends_early(self):
        headers = {"X-Message-Id": "abc"}
        cut = Reply(202, b"x" * 1000, headers, cut=200)
        _server, results = self.check(cut, "accepted", "", GOES_ON)
        self.assertEqual(results[0].ref, "abc")
        # The status has arrived, and is final; the rest of the headers has not.
        cut = Reply(202, headers=headers, cut=45)
        # urllib3 1.26 and 2 say so in different places.
        with mute_logger("urllib3.connectionpool", "urllib3.connection"):
            _server, results = self.check(cut, "accepted", "", GOES_ON)
        self.assertEqual(results[0].ref, "")

    def test_keeps_failing(self):
        server, provider = self.start(default=CLOSE)
        results = provider.send([outgoing(n) for n in range(9)])
        for result in results[:3]:
            self.assertResult(result, "uncertain", "connection_lost")
        for result in results[3:]:
            self.assertResult(result, "retry", "connect_failed", "keeps failing")
        self.assertEqual(len(server.requests), 3)

    def test_no_connection(self):
        server, _provider = self.start()
        for url in (
            "http://127.0.0.1:1",
            server.url.replace("http:", "https:"),  # TLS with who speaks none
        ):
            with self.subTest(url=url), mute_logger(LOGGER):
                results = self.provider(url).send([outgoing(1), outgoing(2)])
                for result in results:
                    self.assertResult(result, "retry", "connect_failed")
        self.assertFalse(server.requests)

    def test_connection_closed_while_idle(self):
        server, provider = self.start([Reply(202, leave=True)])
        self.assertResult(provider.send([outgoing(1)])[0], "accepted")
        self.assertTrue(server.wait_for_closed(1))
        self.assertResult(provider.send([outgoing(2)])[0], "accepted")
        self.assertEqual(server.connections, 2)

    def test_connection_idle_for_long(self):
        server, provider = self.start()
        provider.send([outgoing(1)])
        provider.send([outgoing(2)])
        self.assertEqual(server.connections, 1)
        with patch.object(http_session, "MAX_IDLE", 0):
            provider.send([outgoing(3)])
        self.assertEqual(server.connections, 2)
        provider.close()
        provider.close()
        self.assertResult(provider.send([outgoing(4)])[0], "accepted")

    def test_several_connections(self):
        """Four at once, which end in another order than they began in."""
        at_once = threading.Barrier(4)
        answered = [threading.Event() for _n in range(13)]

        def answer(request):
            number = int(self.keys(request)[0][5:])
            at_once.wait(PATIENCE)
            # The last of each four is the first to be answered.
            if number % 4 != 3:
                answered[number + 1].wait(PATIENCE)
            answered[number].set()
            return Reply(202, headers={"X-Message-Id": f"ref-{number}"})

        server, provider = self.start(answer, connections=4, timeout=PATIENCE)
        results = provider.send([outgoing(n) for n in range(12)])
        self.assertFalse(at_once.broken, "they did not come four at once")
        self.assertEqual([r.uuid for r in results], [f"uuid-{n}" for n in range(12)])
        self.assertEqual([r.ref for r in results], [f"ref-{n}" for n in range(12)])
        self.assertEqual(server.connections, 4)

    def test_deadline(self):
        server, provider = self.start()
        deadline = DeadlineAfter(lambda: len(server.requests) >= 2)
        results = provider.send([outgoing(n) for n in range(5)], deadline)
        for result in results[:2]:
            self.assertResult(result, "accepted")
        for result in results[2:]:
            self.assertResult(result, "retry", "not_reached")
        self.assertEqual(len(server.requests), 2)
        results = provider.send([shared(n) for n in range(5)], time.monotonic())
        self.assertEqual({r.reason for r in results}, {"not_reached"})
        self.assertEqual(provider.send([]), [])


@tagged("-at_install", "post_install")
class TestSendGridAccount(SendGridCase):
    """The connection test, and what is kept secret."""

    def assertFinding(self, provider, status, subject, detail=""):
        finding = provider.check()[0]
        self.assertEqual((finding.status, finding.subject), (status, subject), finding)
        self.assertIn(detail, finding.detail)
        self.assertNotIn(KEY, finding.detail)

    def test_check(self):
        scopes = Reply(200, {"scopes": ["alerts.read", "mail.send"]})
        server, provider = self.start([scopes])
        self.assertFinding(provider, "ok", "API key")
        request = server.requests[0]
        self.assertEqual((request.method, request.path), ("GET", "/v3/scopes"))
        self.assertEqual(request.headers["Authorization"], f"Bearer {KEY}")
        for answer, status, subject, detail in (
            (
                Reply(200, {"scopes": ["alerts.read"]}),
                "problem",
                "API key",
                "Mail Send",
            ),
            (refusal(401, "authorization required"), "problem", "API key", "EU"),
            (refusal(403, "access forbidden"), "problem", "API key", "forbidden"),
            (Reply(404), "problem", "Connection", "404"),
            (Reply(200, "<html>"), "problem", "Connection", "does not answer"),
            (Reply(200, "[]"), "problem", "Connection", "does not answer"),
            (Reply(429), "unknown", "API key", "429"),
            (Reply(500), "unknown", "API key", "500"),
            (CLOSE, "problem", "Connection", "could not be reached"),
        ):
            with self.subTest(answer=answer):
                _server, provider = self.start([answer])
                self.assertFinding(provider, status, subject, detail)
        provider = self.provider("http://127.0.0.1:1")
        self.assertFinding(provider, "problem", "Connection", "refused")

    def test_check_without_a_key(self):
        server, _provider = self.start()
        for key in ("", None, "SG.wrong\nkey", "SG.schlüssel"):
            provider = SendGridProvider(key, base_url=server.url)
            self.assertFinding(provider, "problem", "API key", "no API key")
            result = provider.send([outgoing()])[0]
            self.assertResult(result, "retry", "auth_failed")
        self.assertFalse(server.requests)

    def test_check_webhook_and_sandbox(self):
        for key, status in (
            ("", "unknown"),
            ("not a key", "problem"),
            (VECTOR_KEY, "ok"),
            (
                f"-----BEGIN PUBLIC KEY-----\n{VECTOR_KEY}\n-----END PUBLIC KEY-----",
                "ok",
            ),
        ):
            _server, provider = self.start(webhook_public_key=key, sandbox_mode=True)
            findings = {f.subject: f.status for f in provider.check()}
            self.assertEqual(findings["Event webhook"], status)
            self.assertEqual(findings["Sandbox mode"], "unknown")

    def test_the_key_is_nowhere(self):
        """Not in results, findings, logs or representations, whatever goes wrong."""
        echo = refusal(400, f"Bearer {KEY}", f"x{KEY}")
        seen = []
        for answer in (
            *(echo, refusal(401, KEY), refusal(403, KEY), refusal(500, KEY)),
            *(Reply(502, KEY), Reply(400, KEY), refusal(429, KEY), CLOSE, HANG),
            *(GARBAGE, RESET, Reply(307, headers={"Location": f"http://x/{KEY}"})),
        ):
            with self.assertLogs(level=logging.DEBUG) as logs:
                logging.getLogger(LOGGER).debug("something for assertLogs")
                _server, provider = self.start([answer, answer], timeout=1)
                email = outgoing(text=f"x{'y' * 500_000}")
                seen += provider.send([email])
                seen += provider.check()
            seen += [provider, vars(provider)["_session"], logs.output]
        with self.assertLogs(LOGGER, logging.ERROR) as logs:
            with patch.object(adapter, "exchange", side_effect=KeyError(KEY)):
                seen += self.start()[1].send([outgoing()])
        seen += [logs.output, self.provider(f"http://127.0.0.1:1/{KEY}").check()]
        self.assertNotIn(KEY, repr(seen))
        self.assertNotIn(KEY.split(".")[2], repr(seen))

    def test_fault_in_here(self):
        _server, provider = self.start()
        with patch.object(adapter, "exchange", side_effect=KeyError("x")):
            with mute_logger(LOGGER):
                result = provider.send([outgoing()])[0]
        self.assertResult(result, "uncertain", "connection_lost")
        with patch.object(adapter, "build", side_effect=KeyError("x")):
            with mute_logger(LOGGER):
                result = provider.send([outgoing()])[0]
        self.assertResult(result, "retry", "not_prepared")


# The vector that SendGrid publishes with its libraries (sendgrid-python,
# test/unit/test_eventwebhook.py).
VECTOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpV"
    "KS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
VECTOR_SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqH"
    "h89M15TluLtEZtM="
)
VECTOR_TIME = 1600112502
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-'
    b'5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",'
    b'"timestamp":1600112492}]\r\n'
)
URL = "https://shop.example.com/marketing/webhook/x"


class WebhookCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        der = self.private_key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        self.public_key = base64.b64encode(der).decode()
        self.adapter = SendGridProvider(KEY, webhook_public_key=self.public_key)

    def signed(self, body, timestamp=None):
        """The headers of a request with this body, signed with our own key."""
        timestamp = str(timestamp or int(time.time()))
        signature = self.private_key.sign(
            timestamp.encode() + body, ec.ECDSA(hashes.SHA256())
        )
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(
                signature
            ).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }

    def parse(self, *items):
        """The events of a proper request with these items."""
        body = json.dumps(items).encode() + b"\r\n"
        return self.adapter.parse_webhook(self.signed(body), body, URL)

    def assertInvalid(self, status, provider, headers, body):
        with self.assertRaises(InvalidWebhook) as caught:
            provider.parse_webhook(headers, body, URL)
        self.assertEqual(caught.exception.status, status)


@tagged("-at_install", "post_install")
class TestSendGridSignature(WebhookCase):
    def setUp(self):
        super().setUp()
        self.published = SendGridProvider(KEY, webhook_public_key=VECTOR_KEY)
        self.headers = {
            "x-twilio-email-event-webhook-signature": VECTOR_SIGNATURE,
            "X-TWILIO-EMAIL-EVENT-WEBHOOK-TIMESTAMP": str(VECTOR_TIME),
        }

    def at(self, moment):
        return patch("time.time", lambda: moment)

    def test_published_vector(self):
        with self.at(VECTOR_TIME + 5):
            events = self.published.parse_webhook(self.headers, VECTOR_BODY, URL)
        self.assertEqual(len(events), 1)
        event = events[0]
        self.assertEqual((event.kind, event.reason), ("failed", "dropped"))
        # A bounce may have been about a full mailbox.
        self.assertFalse(event.suppress)
        self.assertEqual(event.ref, "LRzXl_NHStOGhQ4kofSm_A")
        self.assertEqual(event.address, "hello@world.com")
        self.assertEqual(event.occurred_at, datetime(2020, 9, 14, 19, 41, 32))
        self.assertEqual(event.detail, "Bounced Address")
        self.assertTrue(event.external_id.startswith("ZHJvcC0x"))

    def test_tampered(self):
        signature, timestamp = self.headers
        for headers, body in (
            (self.headers, VECTOR_BODY.replace(b"dropped", b"deliver")),
            (self.headers, VECTOR_BODY.rstrip()),
            (self.headers, b"2" + VECTOR_BODY),
            ({**self.headers, timestamp: "1600112503"}, VECTOR_BODY),
            # The signed bytes, divided otherwise.
            ({**self.headers, timestamp: "160011250"}, b"2" + VECTOR_BODY),
            ({**self.headers, timestamp: "now"}, VECTOR_BODY),
            ({**self.headers, signature: ""}, VECTOR_BODY),
            ({**self.headers, signature: "not base64"}, VECTOR_BODY),
            ({**self.headers, signature: "MEUCIGHQ"}, VECTOR_BODY),
            ({**self.headers, signature: "schlüssel"}, VECTOR_BODY),
            ({signature: VECTOR_SIGNATURE}, VECTOR_BODY),
            ({timestamp: str(VECTOR_TIME)}, VECTOR_BODY),
            ({}, VECTOR_BODY),
        ):
            with self.subTest(headers=headers, body=body[:20]), self.at(VECTOR_TIME):
                self.assertInvalid(403, self.published, headers, body)

    def test_keys(self):
        for key in ("", "not a key", self.public_key, "AAAA" * 20):
            provider = SendGridProvider(KEY, webhook_public_key=key)
            with self.subTest(key=key), self.at(VECTOR_TIME):
                self.assertInvalid(403, provider, self.headers, VECTOR_BODY)

    def test_replay(self):
        with self.at(VECTOR_TIME + 24 * 3600):
            again = self.published.parse_webhook(self.headers, VECTOR_BODY, URL)
            self.assertEqual(len(again), 1, "SendGrid repeats for a day")
        for moment in (VECTOR_TIME + MAX_AGE + 1, VECTOR_TIME - MAX_AGE - 1):
            with self.at(moment):
                self.assertInvalid(403, self.published, self.headers, VECTOR_BODY)

    def test_malformed_body(self):
        for body in (b"", b"\xff\xfe", b"{}", b"null", b"[1", b"[" * 100_000):
            with self.subTest(body=body[:10]):
                self.assertInvalid(400, self.adapter, self.signed(body), body)


@tagged("-at_install", "post_install")
class TestSendGridEvents(WebhookCase):
    def test_bounces(self):
        """SendGrid calls every permanent refusal a bounce: hard is what says that there
        is no such address."""
        for status, reason, sort, is_hard in (
            ("5.1.1", "550 5.1.1 user unknown", "Invalid Address", True),
            ("5.0.0", "500 unknown recipient", "", True),
            ("", "550 No such user here", "", True),
            ("5.5.0", "550 5.5.0 mailbox unavailable", "Mailbox Unavailable", True),
            ("5.1.1", "", "", True),
            ("", "", "Invalid Address", True),
            ("5.0.0", "550 neznámo co", "Invalid Address", True),
            ("5.2.2", "552 5.2.2 mailbox full", "", False),
            ("5.2.2", "", "Invalid Address", False),
            ("5.2.2", "mailbox is full", "Mailbox Unavailable", False),
            ("5.7.1", "550 5.7.1 blocked", "Reputation", False),
            ("5.1.1", "550 5.1.1 rejected", "Reputation", False),
            ("5.1.1", "550 5.1.1 rejected", "Content", False),
            ("5.0.0", "", "Technical", False),
            ("", "", "Frequency or Volume Too High", False),
            ("5.1.1", "554 5.1.1 your IP is on a blacklist", "Invalid Address", False),
            ("5.0.0", "550 refused", "Unclassified", False),
            ("4.4.7", "delivery time expired", "Unclassified", False),
        ):
            with self.subTest(status=status, reason=reason, sort=sort):
                event = self.event(
                    event="bounce",
                    type="bounce",
                    status=status,
                    reason=reason,
                    bounce_classification=sort,
                )
                kind = "bounced_hard" if is_hard else "bounced_soft"
                expected = (kind, kind, is_hard)
                self.assertEqual((event.kind, event.reason, event.suppress), expected)
        # It refuses for good what was full once.
        event = self.event(event="dropped", reason="Bounced Address")
        self.assertEqual((event.kind, event.suppress), ("failed", False))

    def event(self, **values):
        """One event as SendGrid reports it, and what was understood."""
        item = {
            "email": "ann@example.com",
            "timestamp": 1700000000,
            "message": "12-0123456789abcdef",
            "sg_event_id": "id-1",
            "sg_message_id": "abc_-D.recvd-5f.1",
            "ip": "192.0.2.1",
            **values,
        }
        events = self.parse(item)
        return events[0] if events else None

    def test_kinds(self):
        for values, expected in (
            ({"event": "processed"}, ("sent", "", False)),
            ({"event": "deferred"}, ("deferred", "", False)),
            ({"event": "delivered"}, ("delivered", "", False)),
            ({"event": "bounce", "type": "bounce"}, ("bounced_hard",) * 2 + (True,)),
            ({"event": "bounce", "type": "blocked"}, ("bounced_soft",) * 2 + (False,)),
            (
                {"event": "dropped", "reason": "Unsubscribed Address"},
                ("failed", "dropped", True),
            ),
            (
                {"event": "dropped", "reason": "Spam Reporting Address"},
                ("failed", "dropped", True),
            ),
            ({"event": "dropped", "reason": "Invalid"}, ("failed", "dropped", True)),
            (
                {"event": "dropped", "reason": "Invalid SMTPAPI header"},
                ("failed", "dropped", False),
            ),
            (
                {"event": "dropped", "reason": "Spam Content"},
                ("failed", "dropped", False),
            ),
            ({"event": "open"}, ("open", "", False)),
            ({"event": "click"}, ("click", "", False)),
            ({"event": "spamreport"}, ("complaint", "complained", True)),
            ({"event": "unsubscribe"}, ("unsubscribe", "", True)),
            ({"event": "group_unsubscribe"}, ("unsubscribe", "", True)),
            ({"event": "group_resubscribe"}, ("resubscribe", "", False)),
        ):
            with self.subTest(values=values):
                event = self.event(**values)
                self.assertEqual((event.kind, event.reason, event.suppress), expected)
                self.assertEqual(event.uuid, "12-0123456789abcdef")
                self.assertEqual(event.ref, "abc_-D")
                self.assertEqual(event.external_id, "id-1")
                self.assertEqual(event.address, "ann@example.com")
                self.assertEqual(event.occurred_at, datetime(2023, 11, 14, 22, 13, 20))

    def test_engagement(self):
        agent = "Mozilla/5.0 (Macintosh)"
        click = self.event(event="click", url="https://x.example.com/", useragent=agent)
        self.assertEqual(click.url, "https://x.example.com/")
        self.assertEqual((click.user_agent, click.ip), (agent, "192.0.2.1"))
        self.assertFalse(click.is_machine)
        self.assertTrue(self.event(event="open", sg_machine_open=True).is_machine)
        delivered = self.event(event="delivered", response="250 OK")
        self.assertEqual((delivered.ip, delivered.detail), ("", "250 OK"))

    def test_tolerance(self):
        good = {"event": "delivered", "timestamp": 1700000000}
        events = self.parse(
            *(3, None, [], {}, {"event": "delivered"}, {"timestamp": 1}),
            *({**good, "timestamp": value} for value in (True, "x", 1e300, [], {})),
            *({**good, "event": value} for value in ("account_status_change", 3, None)),
            {**good, "timestamp": "1700000000", "email": 3, "message": {"a": 1}},
            {**good, "email": "a\x00@b.c", "reason": "x" * 9999, "message": "y" * 999},
        )
        self.assertEqual([e.kind for e in events], ["delivered"] * 2)
        self.assertEqual((events[0].address, events[0].uuid), ("", ""))
        self.assertNotIn("\x00", events[1].address)
        self.assertEqual(len(events[1].detail), 250)

    def test_thousand(self):
        item = {"event": "delivered", "timestamp": 1700000000, "email": "a@b.c"}
        items = [{**item, "sg_event_id": str(n)} for n in range(1000)]
        self.assertEqual(len({e.external_id for e in self.parse(*items)}), 1000)
