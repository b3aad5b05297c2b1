"""The SMTP adapter against real servers: what it reports and what they received."""

import re
import smtplib
import socket
import ssl
import threading
import time
import unittest
from collections import Counter
from email import message_from_bytes
from email.header import decode_header, make_header
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import BaseCase, TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..providers import (
    OutgoingEmail,
    SandboxProvider,
    SmtpProvider,
    format_mailbox,
    smtp_batch,
)
from ..providers.address import InvalidAddress, parse_mailbox
from .moments import DeadlineAfter, Together
from .smtp_server import (
    CLOSE,
    HANG,
    HOST,
    STALL,
    Controller,
    FaultySmtpServer,
    RecordingSmtpServer,
)

SHOP = '"The Shop" <shop@example.com>'
LONG_URL = "https://shop.example.com/marketing/unsubscribe/" + "aZ09-_" * 30


def outgoing(number=1, **values):
    """An :class:`OutgoingEmail` to customer<number>@example.com."""
    return OutgoingEmail(
        **{
            "uuid": f"uuid-{number}",
            "email_from": SHOP,
            "email_to": f"customer{number}@example.com",
            "reply_to": "",
            "subject": "Your cart",
            "html": "<p>Grüße</p>",
            "text": "Grüße\n.\nend",
            "headers": {},
            "message_id": f"<{number}@shop.example.com>",
            **values,
        }
    )


def prepare(message, session):
    """The simplest ``prepare``: the addresses of the headers."""
    sender = parse_mailbox(str(message["From"])).address
    return sender, [parse_mailbox(str(message["To"])).address], message


class SmtpProviderCase(BaseCase):
    timeout = 5
    pipelining = False

    def start(self, server, connect=None, prepare=prepare, **options):
        """Start a server, return it and a provider that talks to it."""
        self.enterContext(server)

        def plain(email_from):
            return smtplib.SMTP(HOST, server.port, "localhost", timeout=5)

        options = {"timeout": self.timeout, **options}
        provider = SmtpProvider(connect or plain, prepare, **options)
        self.addCleanup(provider.close)
        return server, provider

    def assertResult(self, result, status, reason="", detail=""):
        self.assertEqual((result.status, result.reason), (status, reason), result)
        self.assertIn(detail, result.detail)
        self.assertLessEqual(len(result.detail), 250)

    def check(self, script, status, reason, received, connections=2, detail=""):
        """Send two emails while the script spoils the first one.

        :param received: how often the server has got the first email completely
        """
        server = FaultySmtpServer([script], pipelining=self.pipelining)
        server, provider = self.start(server)
        results = provider.send([outgoing(1), outgoing(2)])
        self.assertResult(results[0], status, reason, detail)
        expected = "<1@shop.example.com>" if status == "uncertain" else ""
        self.assertEqual(results[0].ref, expected)
        self.assertResult(results[1], "accepted")
        self.assertEqual(server.recipients.count("customer1@example.com"), received)
        self.assertEqual(server.recipients.count("customer2@example.com"), 1)
        self.assertEqual(server.connections, connections)
        return server


@unittest.skipUnless(Controller, "aiosmtpd is not installed")
@tagged("-at_install", "post_install")
class TestSmtpProvider(SmtpProviderCase):
    """A server that works, and refuses what it is told to refuse."""

    def test_accepted(self):
        server, provider = self.start(RecordingSmtpServer())
        results = provider.send([outgoing(1), outgoing(2), outgoing(3)])
        self.assertEqual([r.uuid for r in results], ["uuid-1", "uuid-2", "uuid-3"])
        for number, result in enumerate(results, 1):
            self.assertResult(result, "accepted")
            self.assertEqual(result.ref, f"<{number}@shop.example.com>")
        self.assertEqual(server.recipients, [f"customer{n}@example.com" for n in "123"])
        self.assertEqual(server.connections, 1, "one connection for the batch")
        provider.close()
        provider.close()
        self.assertResult(provider.send([outgoing(4)])[0], "accepted")
        self.assertEqual(server.connections, 2)

    def test_empty_batch(self):
        server, provider = self.start(RecordingSmtpServer())
        self.assertEqual(provider.send([]), [])
        self.assertEqual(server.connections, 0)

    def test_message(self):
        server, provider = self.start(RecordingSmtpServer())
        html = "<p>Grüße 😀</p>\n" * 1500
        provider.send([outgoing(reply_to="Help <help@example.com>", html=html)])
        mail_from, rcpt_tos, content = server.messages[0]
        self.assertEqual(mail_from, "shop@example.com")
        self.assertEqual(rcpt_tos, ["customer1@example.com"])
        self.assertTrue(content.isascii())
        self.assertNotIn(b"\n", content.replace(b"\r\n", b""))
        message = server.parsed()
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        text, rich = message.iter_parts()
        self.assertEqual(text.get_content_type(), "text/plain")
        self.assertEqual(text.get_content(), "Grüße\r\n.\r\nend")
        self.assertEqual(rich.get_content_type(), "text/html")
        self.assertEqual(rich.get_content(), html.replace("\n", "\r\n"))
        self.assertIn(f"From: {SHOP}\r\n".encode(), content)
        self.assertEqual(message["To"], "customer1@example.com")
        self.assertEqual(message["Reply-To"], "Help <help@example.com>")
        self.assertEqual(message["Subject"], "Your cart")
        self.assertEqual(message["Message-ID"], "<1@shop.example.com>")
        self.assertTrue(message["Date"].datetime)
        self.assertFalse(message.defects)

    def test_without_html(self):
        server, provider = self.start(RecordingSmtpServer())
        provider.send([outgoing(html="")])
        (part,) = server.parsed().iter_parts()
        self.assertEqual(part.get_content_type(), "text/plain")

    def test_recipient_refused(self):
        for code, status in (("550", "rejected"), ("450", "retry")):
            refusal = f"{code} 5.1.1 no such user"
            replies = {("RCPT", "customer2@example.com"): refusal}
            server, provider = self.start(RecordingSmtpServer(replies))
            results = provider.send([outgoing(1), outgoing(2), outgoing(3)])
            self.assertResult(results[0], "accepted")
            self.assertResult(results[1], status, "recipient_refused", refusal)
            self.assertEqual(results[1].ref, "")
            self.assertResult(results[2], "accepted")
            expected = ["customer1@example.com", "customer3@example.com"]
            self.assertEqual(server.recipients, expected)
            self.assertEqual(server.connections, 1)

    def test_sender_refused(self):
        for code, status in (("553", "rejected"), ("451", "retry")):
            replies = {("MAIL", "shop@example.com"): f"{code} not you"}
            server, provider = self.start(RecordingSmtpServer(replies))
            other = outgoing(2, email_from="other@example.com")
            results = provider.send([outgoing(1), other])
            self.assertResult(results[0], status, "sender_refused", f"{code} not you")
            self.assertResult(results[1], "accepted")
            self.assertEqual(server.recipients, ["customer2@example.com"])

    def test_content_refused(self):
        for code, status in (("554", "rejected"), ("452", "retry")):
            replies = {("DATA", "customer1@example.com"): f"{code} no " + "x" * 300}
            server, provider = self.start(RecordingSmtpServer(replies))
            results = provider.send([outgoing(1), outgoing(2)])
            self.assertResult(results[0], status, "content_refused", f"{code} no")
            self.assertEqual(len(results[0].detail), 250)
            self.assertResult(results[1], "accepted")
            self.assertEqual(server.recipients, ["customer2@example.com"])
            self.assertEqual(server.connections, 1)

    def test_each_sender_has_its_session(self):
        seen = []
        server = RecordingSmtpServer()

        def connect(email_from):
            seen.append(email_from)
            return smtplib.SMTP(HOST, server.port, "localhost", timeout=5)

        server, provider = self.start(server, connect)
        other = "Other <other@example.com>"
        batch = [
            outgoing(1),
            outgoing(2, email_from=other),
            outgoing(3),
            outgoing(4, email_from=other),
        ]
        results = provider.send(batch)
        self.assertEqual([r.uuid for r in results], [e.uuid for e in batch])
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual(seen, [SHOP, '"Other" <other@example.com>'])
        self.assertEqual(server.connections, 2)

    # HEADERS

    def test_list_unsubscribe_on_the_wire(self):
        server, provider = self.start(RecordingSmtpServer())
        urls = ["https://s.example/u/1", LONG_URL, LONG_URL + "b" * 700]
        for url in urls:
            with self.subTest(length=len(url)):
                headers = {
                    "List-Unsubscribe": f"<{url}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                }
                self.assertResult(
                    provider.send([outgoing(headers=headers)])[0], "accepted"
                )
                lines = server.messages[-1][2].split(b"\r\n")
                self.assertIn(f"List-Unsubscribe: <{url}>".encode(), lines)
                self.assertIn(
                    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", lines
                )

    def test_long_message_id_on_the_wire(self):
        server, provider = self.start(RecordingSmtpServer())
        message_id = f"<{'a1b2' * 40}@shop.example.com>"
        result = provider.send([outgoing(message_id=message_id)])[0]
        self.assertEqual(result.ref, message_id)
        self.assertIn(f"\r\nMessage-ID: {message_id}\r\n".encode(), self.wire(server))

    def wire(self, server):
        return server.messages[-1][2]

    def name(self, server, header):
        """The name in a header, decoded; Python's parser of addresses puts blanks
        between encoded words (RFC 2047 6.2), so it is not used."""
        raw = message_from_bytes(self.wire(server))[header]
        phrase = raw.rpartition(" <")[0]
        if phrase.startswith('"'):
            return re.sub(r"\\(.)", r"\1", phrase[1:-1])
        return str(make_header(decode_header(phrase)))

    def test_names(self):
        server, provider = self.start(RecordingSmtpServer())
        names = (
            "{{ 7*7 }}<script>",
            '"Quote, Comma" ;',
            "back\\slash (comment) <x@y.z>, Bcc: evil@example.com",
            "evil@example.com",
            "Ünï, Çödé; \"Ltd\" 'x'",
            "Жанна д’Арк " * 9,
            "😀👩‍👩‍👧‍👦",
            "=?utf-8?q?not=20encoded?=",
            "%s ${x} %(y)s",
        )
        for name in names:
            with self.subTest(name=name):
                sender = format_mailbox(name, "shop@example.com")
                to = format_mailbox(name, "customer1@example.com")
                email = outgoing(email_from=sender, email_to=to, reply_to=sender)
                self.assertResult(provider.send([email])[0], "accepted")
                self.assertTrue(self.wire(server).isascii())
                self.assertEqual(server.messages[-1][1], ["customer1@example.com"])
                self.assertEqual(server.messages[-1][0], "shop@example.com")
                message = server.parsed()
                for header in ("From", "To", "Reply-To"):
                    self.assertEqual(len(message[header].addresses), 1)
                    self.assertEqual(self.name(server, header), name.strip())
                self.assertEqual(
                    message["To"].addresses[0].addr_spec, "customer1@example.com"
                )
                self.assertEqual(len(server.messages[-1][1]), 1)

    def test_subjects(self):
        server, provider = self.start(RecordingSmtpServer())
        subjects = (
            "Your cart {{ 7*7 }} <script>",
            "Ça vous plaît ? 😀 " * 20,
            "=?utf-8?q?as=20it=20is?=",
            "word " * 300,
            "x" * 1500,
            "",
        )
        for subject in subjects:
            with self.subTest(subject=subject):
                result = provider.send([outgoing(subject=subject)])[0]
                self.assertResult(result, "accepted")
                self.assertEqual(server.parsed()["Subject"], subject.strip())
                lines = self.wire(server).split(b"\r\n")
                self.assertLessEqual(max(map(len, lines)), 998)

    def test_injection(self):
        server, provider = self.start(RecordingSmtpServer())
        evil = "x\r\nBcc: evil@example.com"
        cases = {
            "email_from": (f'"{evil}" <shop@example.com>', "invalid_address"),
            "email_to": (f"customer1@example.com{evil}", "invalid_address"),
            "reply_to": ("a@example.com\nBcc: evil@example.com", "invalid_address"),
            "message_id": ("<a@b.c>\r\nBcc: evil@example.com", "content_refused"),
        }
        for field, (value, reason) in cases.items():
            with self.subTest(field=field):
                result = provider.send([outgoing(**{field: value})])[0]
                self.assertResult(result, "rejected", reason)
        for headers in (
            {"X-Test": evil},
            {"X-Test": "a\rb"},
            {"X-Test": "a\u2028b"},
            {"X-Test\r\nBcc": "evil@example.com"},
            {"X-Test: a": "b"},
            {"Bcc": "evil@example.com"},
            {"cc": "evil@example.com"},
            {"Subject": "twice"},
            {"Content-Type": "text/plain"},
            {"X-Test": "a", "x-test": "b"},
            {"X-Test": "a" * 1000},
        ):
            with self.subTest(headers=headers):
                result = provider.send([outgoing(headers=headers)])[0]
                self.assertResult(result, "rejected", "content_refused")
        self.assertEqual(server.connections, 0, "nothing of this needs the server")
        self.assertEqual(server.messages, [])

    def test_injection_neutralised(self):
        server, provider = self.start(RecordingSmtpServer())
        evil = "x\r\nBcc: evil@example.com\r\n\r\nbody"
        to = format_mailbox(evil, "customer1@example.com")
        email = outgoing(subject=evil, email_to=to, text=evil, html=evil)
        self.assertResult(provider.send([email])[0], "accepted")
        message = server.parsed()
        self.assertNotIn("Bcc", message)
        self.assertEqual(message["Subject"], "x Bcc: evil@example.com body")
        self.assertEqual(server.recipients, ["customer1@example.com"])

    def test_smuggling(self):
        """Line ends in the bodies cannot end the message early."""
        server, provider = self.start(RecordingSmtpServer())
        for end in ("\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n"):
            evil = f"a{end}MAIL FROM:<evil@example.com>\r\n"
            provider.send([outgoing(text=evil, html=evil)])
        self.assertEqual(server.recipients, ["customer1@example.com"] * 4)
        self.assertEqual({m[0] for m in server.messages}, {"shop@example.com"})

    def test_other_headers(self):
        server, provider = self.start(RecordingSmtpServer())
        headers = {
            "X-Test": "Été",
            "Auto-Submitted": "auto-generated",
            "Return-Path": "bounce+1@example.com",
        }
        provider.send([outgoing(headers=headers)])
        message = server.parsed()
        self.assertEqual(message["X-Test"], "Été")
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertNotIn("Return-Path", message, "RFC 5321 4.4")

    # ADDRESSES

    def test_invalid_addresses(self):
        server, provider = self.start(RecordingSmtpServer())
        addresses = (
            *("", " ", "nobody", "@example.com", "a@", "a@b@c.d", "a@-b.c", "a@b..c"),
            *("a@b.c,d@e.f", "a@b.c d@e.f", "<a@b.c> <d@e.f>", "a@b.c; d@e.f"),
            *("a@b.c\n", "a\0@b.c", "x@y.z <a@b.c>", "a@[127.0.0.1]", "a@\udce9.fr"),
            *('"a b"@c.d', "group: a@b.c;", "a" * 65 + "@b.c", "a@" + "b" * 64 + ".c"),
            *("<>", '"name" <>', "a@b.c>", "a@\u2028b.c", "a@xn--\u0661.\u200b"),
        )
        results = provider.send([outgoing(1, email_to=a) for a in addresses])
        for address, result in zip(addresses, results, strict=True):
            with self.subTest(address=address):
                self.assertResult(result, "rejected", "invalid_address")
        self.assertEqual(server.connections, 0)
        with self.assertRaises(InvalidAddress):
            parse_mailbox(None)

    def test_international_domain(self):
        server, provider = self.start(RecordingSmtpServer())
        result = provider.send([outgoing(email_to="Jörg <j@Müller.example>")])[0]
        self.assertResult(result, "accepted")
        self.assertEqual(server.recipients, ["j@xn--mller-kva.example"])
        self.assertTrue(self.wire(server).isascii())

    def test_international_local_part(self):
        email = outgoing(email_to="Jörg <jörg@müller.example>")
        server, provider = self.start(RecordingSmtpServer())
        results = provider.send([email, outgoing(2)])
        self.assertResult(results[0], "rejected", "invalid_address", "SMTPUTF8")
        self.assertResult(results[1], "accepted")
        self.assertEqual(server.recipients, ["customer2@example.com"])

        server, provider = self.start(RecordingSmtpServer(smtputf8=True))
        results = provider.send([email, outgoing(2)])
        self.assertEqual([r.status for r in results], ["accepted", "accepted"])
        expected = ["jörg@xn--mller-kva.example", "customer2@example.com"]
        self.assertEqual(server.recipients, expected)
        self.assertIn("<jörg@xn--mller-kva.example>".encode(), server.messages[0][2])
        self.assertTrue(server.messages[1][2].isascii())

    def test_substitutions(self):
        server, provider = self.start(RecordingSmtpServer())
        headers = {"List-Unsubscribe": "<https://shop.example.com/u/-token->"}
        email = outgoing(
            subject="Hello -name-",
            text="Dear -name-",
            headers=headers,
            substitutions={"-name-": "Anna", "-token-": "t0k3n"},
        )
        self.assertResult(provider.send([email])[0], "accepted")
        message = server.parsed()
        self.assertEqual(message["Subject"], "Hello Anna")
        self.assertIn(b"<https://shop.example.com/u/t0k3n>", self.wire(server))
        self.assertEqual(next(message.iter_parts()).get_content(), "Dear Anna")

    # WHAT PREPARE MAY DO

    def test_prepare_changes_the_sender(self):
        def prepare(message, session):
            message.replace_header("From", '"Ünï, Shop" <notify@example.com>')
            return "bounce@example.com", ["customer1@example.com"], message

        server, provider = self.start(RecordingSmtpServer(), prepare=prepare)
        self.assertResult(provider.send([outgoing()])[0], "accepted")
        self.assertEqual(server.messages[0][0], "bounce@example.com")
        (address,) = server.parsed()["From"].addresses
        self.assertEqual(address.display_name, "Ünï, Shop")
        self.assertEqual(address.addr_spec, "notify@example.com")

    def test_prepare_redirects(self):
        def prepare(message, session):
            return "shop@example.com", ["test1@example.com", "t2@example.com"], message

        server, provider = self.start(RecordingSmtpServer(), prepare=prepare)
        self.assertResult(provider.send([outgoing()])[0], "accepted")
        self.assertEqual(server.recipients, ["test1@example.com", "t2@example.com"])
        self.assertEqual(len(server.messages), 1)

    def test_prepare_adds_content(self):
        """A message that others changed is transmitted as they left it."""

        def attach(message, session):
            message.make_mixed()
            message.add_attachment("été\n" * 3, filename="note.txt")
            message.add_attachment(".\n..dots\n.\n", filename="dots.txt", cte="7bit")
            message.add_attachment(b"\x00\xff", "application", "x-test")
            return "shop@example.com", ["customer1@example.com"], message

        server, provider = self.start(RecordingSmtpServer(), prepare=attach)
        self.assertResult(provider.send([outgoing()])[0], "accepted")
        body, note, dots, binary = server.parsed().iter_parts()
        self.assertEqual(body.get_content_type(), "multipart/alternative")
        self.assertEqual(note.get_content().split(), ["été"] * 3)
        self.assertEqual(dots.get_content().split(), [".", "..dots", "."])
        self.assertEqual(binary.get_content(), b"\x00\xff")

    def test_prepare_fails(self):
        def prepare(message, session):
            number = message["Message-ID"][1]
            if number == "1":
                raise AssertionError("No valid From", "Malformed address")
            if number == "2":
                return "shop@example.com", [], message
            if number == "3":
                raise KeyError("a bug")
            return "shop@example.com", ["customer4@example.com"], message

        server, provider = self.start(RecordingSmtpServer(), prepare=prepare)
        with mute_logger("odoo.addons.marketing_automation.providers.smtp_batch"):
            results = provider.send([outgoing(n) for n in (1, 2, 3, 4)])
        self.assertResult(results[0], "rejected", "invalid_address", "Malformed")
        self.assertResult(results[1], "rejected", "invalid_address")
        self.assertResult(results[2], "retry", "not_prepared")
        self.assertResult(results[3], "accepted")
        self.assertEqual(server.recipients, ["customer4@example.com"])


@tagged("-at_install", "post_install")
class TestSmtpProviderFaults(SmtpProviderCase):
    """A server that fails: what is safe to send again, and what is not."""

    def test_lost_before_the_content(self):
        for command in ("MAIL", "RCPT", "DATA"):
            with self.subTest(command=command):
                self.check({command: CLOSE}, "retry", "connection_lost", 0)

    def test_lost_in_the_middle_of_the_content(self):
        self.check({"BODY": CLOSE}, "uncertain", "connection_lost", 0)

    def test_lost_after_the_content(self):
        self.check({"CONTENT": CLOSE}, "uncertain", "connection_lost", 1)

    def test_nonsense_after_the_content(self):
        for reply in ("354 what", "-01 what", "199 what", "250" + " " * 9000):
            with self.subTest(reply=reply[:10]):
                server, provider = self.start(FaultySmtpServer([{"CONTENT": reply}]))
                result = provider.send([outgoing(1)])[0]
                self.assertEqual(result.status, "uncertain")
                self.assertEqual(len(server.messages), 1)

    def test_nonsense_before_the_content(self):
        for stage in ("MAIL", "RCPT", "DATA"):
            with self.subTest(stage=stage):
                script = {stage: "199 what"}
                self.check(script, "retry", "connection_lost", 0, detail="unexpected")
        self.check(
            {"DATA": "250 what"}, "retry", "connection_lost", 0, detail="unexpected"
        )

    def test_closing_421(self):
        for stage in ("MAIL", "RCPT", "DATA", "CONTENT"):
            with self.subTest(stage=stage):
                script = {stage: "421 too busy"}
                self.check(script, "retry", "temporary_failure", 0, detail="too busy")

    def test_refused_data_command(self):
        script = {"DATA": ["451 later", None]}
        self.check(script, "retry", "content_refused", 0, connections=1)
        script = {"DATA": ["554 never", None]}
        server = self.check(script, "rejected", "content_refused", 0, connections=1)
        self.assertIn("RSET", server.commands[0])

    def test_refused_reset(self):
        for reply in ("500 what", CLOSE):
            script = {"RCPT": ["550 nobody", None], "RSET": reply}
            self.check(script, "rejected", "recipient_refused", 0)

    def test_used_connection_has_ended(self):
        """A server that ends a used connection costs no email its attempt."""
        for end in (CLOSE, "421 your share is used up"):
            script = {"MAIL": [None, end]}
            server, provider = self.start(FaultySmtpServer([script]))
            results = provider.send([outgoing(1), outgoing(2)])
            self.assertEqual([r.status for r in results], ["accepted"] * 2)
            expected = ["customer1@example.com", "customer2@example.com"]
            self.assertEqual(server.recipients, expected)
            self.assertEqual(server.connections, 2)

    def test_connections_keep_breaking(self):
        """Three lost connections in a row end the batch."""
        script = [{"RCPT": CLOSE}] * 9
        server, provider = self.start(FaultySmtpServer(script))
        results = provider.send([outgoing(n) for n in range(9)])
        for result in results[:3]:
            self.assertResult(result, "retry", "connection_lost")
        for result in results[3:]:
            self.assertResult(result, "retry", "connect_failed", "RCPT")
        self.assertEqual(server.connections, 3)
        self.assertEqual(server.messages, [])

    def test_contents_keep_breaking(self):
        server, provider = self.start(FaultySmtpServer([{"CONTENT": CLOSE}] * 9))
        results = provider.send([outgoing(n) for n in range(9)])
        expected = ["uncertain"] * 3 + ["retry"] * 6
        self.assertEqual([r.status for r in results], expected)
        self.assertEqual(len(server.messages), 3)

    # CONNECTING

    def check_outage(self, script, reason, detail="", connect=None):
        server, provider = self.start(FaultySmtpServer([script] * 3), connect)
        results = provider.send([outgoing(n) for n in range(5)])
        for result in results:
            self.assertResult(result, "retry", reason, detail)
            self.assertNotIn("secret", result.detail)
        self.assertEqual(server.connections, 1, "one attempt for the batch")
        self.assertEqual(server.messages, [])
        return results

    def test_greeting(self):
        self.check_outage({"GREETING": "421 closed"}, "connect_failed", "421 closed")
        self.check_outage({"GREETING": "554 go away"}, "connect_failed", "554 go away")
        self.check_outage({"GREETING": CLOSE}, "connect_failed")

    def test_hello_refused(self):
        script = {"EHLO": "500 what", "HELO": "550 not you"}
        self.check_outage(script, "connect_failed", "550 not you")

    def test_nobody_listens(self):
        server = FaultySmtpServer()
        with server:
            port = server.port
        calls = []

        def connect(email_from):
            calls.append(email_from)
            return smtplib.SMTP(HOST, port, "localhost", timeout=5)

        with SmtpProvider(connect, prepare) as provider:
            results = provider.send([outgoing(n) for n in range(5)])
        for result in results:
            self.assertResult(result, "retry", "connect_failed", "refused")
        self.assertEqual(len(calls), 1)

    def test_connecting_is_not_possible(self):
        for connect in (lambda email_from: None, lambda email_from: {}["server"]):
            provider = SmtpProvider(connect, prepare)
            results = provider.send([outgoing(1), outgoing(2, email_to="x")])
            self.assertResult(results[0], "retry", "connect_failed")

    def test_tls(self):
        server = FaultySmtpServer([{}])

        def connect(email_from):
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                HOST, server.port, "localhost", timeout=5, context=context
            )

        server, provider = self.start(server, connect)
        results = provider.send([outgoing(n) for n in range(3)])
        for result in results:
            self.assertResult(result, "retry", "connect_failed", "TLS")
        self.assertEqual(server.connections, 1)

    def test_authentication(self):
        connections = []

        def connect(email_from):
            session = smtplib.SMTP(HOST, self.port, "localhost", timeout=5)
            connections.append(session)
            session.login("user", "secretpassword")
            return session

        # The credentials, as a careless server may repeat them.
        echo = "AHVzZXIAc2VjcmV0cGFzc3dvcmQ="
        script = {"AUTH": [f"535 5.7.8 Authentication failed: {echo}"] * 2}
        server = FaultySmtpServer([script] * 3)
        self.port = server.port
        server, provider = self.start(server, connect)
        results = provider.send([outgoing(n) for n in range(3)])
        connections[0].close()
        for result in results:
            self.assertResult(
                result, "retry", "auth_failed", "535 5.7.8 Authentication failed"
            )
            self.assertNotIn(echo[:8], result.detail)
        self.assertEqual(server.connections, 1)

    def test_authentication_required(self):
        for stage in ("MAIL", "RCPT", "DATA"):
            script = {stage: "530 5.7.0 Authentication required"}
            self.check_outage(script, "auth_failed", "530 5.7.0")

    def test_close(self):
        for end in ("221 bye", "500 what", CLOSE):
            server, provider = self.start(FaultySmtpServer([{"QUIT": end}]))
            provider.send([outgoing(1)])
            provider.close()
            self.assertEqual(server.commands[0][-1], "QUIT")


@tagged("-at_install", "post_install")
class TestSmtpProviderPipelining(SmtpProviderCase):
    """MAIL, RCPT and DATA in one go (RFC 2920): each reply counts for its command."""

    pipelining = True

    def test_one_write_for_three_commands(self):
        server, provider = self.start(FaultySmtpServer(pipelining=True))
        with patch.object(
            smtplib.SMTP, "send", autospec=True, side_effect=smtplib.SMTP.send
        ) as send:
            results = provider.send([outgoing(1), outgoing(2)])
        self.assertEqual([r.status for r in results], ["accepted"] * 2)
        written = [call.args[1] for call in send.mock_calls]
        expected = (
            b"MAIL FROM:<shop@example.com>\r\n"
            b"RCPT TO:<customer1@example.com>\r\nDATA\r\n"
        )
        self.assertEqual(written[-4], expected)
        self.assertEqual(
            server.commands, [["EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"]]
        )

    def test_lost(self):
        for stage in ("MAIL", "RCPT", "DATA"):
            with self.subTest(stage=stage):
                self.check({stage: CLOSE}, "retry", "connection_lost", 0)
        self.check({"BODY": CLOSE}, "uncertain", "connection_lost", 0)
        self.check({"CONTENT": CLOSE}, "uncertain", "connection_lost", 1)

    def test_nonsense(self):
        for stage, reply in (("MAIL", "199 what"), ("RCPT", "x"), ("DATA", "250 no")):
            with self.subTest(stage=stage):
                self.check({stage: reply}, "retry", "connection_lost", 0)
        self.check({"CONTENT": "354 what"}, "uncertain", "connection_lost", 1)

    def test_closing_421(self):
        for stage in ("MAIL", "RCPT", "DATA", "CONTENT"):
            with self.subTest(stage=stage):
                script = {stage: "421 too busy"}
                self.check(script, "retry", "temporary_failure", 0, detail="too busy")

    def test_refused_recipient(self):
        """The usual server refuses DATA too, and the connection goes on."""
        for code, status in (("550", "rejected"), ("450", "retry")):
            script = {
                "RCPT": [f"{code} 5.1.1 nobody", None],
                "DATA": ["503 no recipients", None],
            }
            server = self.check(
                script, status, "recipient_refused", 0, connections=1, detail="nobody"
            )
            self.assertIn("RSET", server.commands[0])

    def test_refused_recipient_and_granted_data(self):
        """A lone dot ends the message that nobody gets."""
        script = {"RCPT": ["550 5.1.1 nobody", None]}
        server = self.check(script, "rejected", "recipient_refused", 0, connections=1)
        self.assertEqual(server.commands[0][4:6], ["EMPTY", "RSET"])
        for reply in (CLOSE, "421 bye", "199 what"):
            with self.subTest(reply=reply):
                spoilt = {**script, "EMPTY": reply}
                self.check(spoilt, "rejected", "recipient_refused", 0)
        accepted = {**script, "EMPTY": "250 fine"}
        self.check(accepted, "rejected", "recipient_refused", 0, connections=1)

    def test_refused_sender(self):
        script = {
            "MAIL": ["553 not you", None],
            "RCPT": ["503 no sender", None],
            "DATA": ["503 no sender", None],
        }
        self.check(script, "rejected", "sender_refused", 0, connections=1)

    def test_refused_sender_and_granted_data(self):
        """A server in such a state gets no dot: it might deliver an empty message."""
        server = self.check({"MAIL": "451 later"}, "retry", "sender_refused", 0)
        self.assertEqual(server.commands[0], ["EHLO", "MAIL", "RCPT", "DATA"])
        self.assertEqual(server.recipients, ["customer2@example.com"])

    def test_refused_then_lost(self):
        """What was refused before the connection ended stays refused."""
        for stage in ("RCPT", "DATA"):
            script = {"MAIL": "553 not you", stage: CLOSE}
            self.check(script, "rejected", "sender_refused", 0)

    def test_refused_data(self):
        script = {"DATA": ["554 never", None]}
        self.check(script, "rejected", "content_refused", 0, connections=1)

    def test_used_connection_has_ended(self):
        for end in (CLOSE, "421 your share is used up"):
            script = {"MAIL": [None, end]}
            server = FaultySmtpServer([script], pipelining=True)
            server, provider = self.start(server)
            results = provider.send([outgoing(1), outgoing(2)])
            self.assertEqual([r.status for r in results], ["accepted"] * 2)
            self.assertEqual(len(server.recipients), 2)
            self.assertEqual(server.connections, 2)

    def test_several_recipients(self):
        """Where one of several is refused nobody gets anything."""

        def redirect(message, session):
            return "shop@example.com", ["t1@example.com", "t2@example.com"], message

        for script in (
            {"RCPT": [None, "550 nobody"]},
            {"RCPT": ["550 nobody"]},
        ):
            server = FaultySmtpServer([script], pipelining=True)
            server, provider = self.start(server, prepare=redirect)
            results = provider.send([outgoing(1), outgoing(2)])
            self.assertResult(results[0], "rejected", "recipient_refused")
            self.assertResult(results[1], "accepted")
            self.assertEqual(server.recipients, ["t1@example.com", "t2@example.com"])
            self.assertEqual(
                server.commands[0],
                ["EHLO", *["MAIL", "RCPT", "RCPT", "RSET"]]
                + ["MAIL", "RCPT", "RCPT", "DATA"],
            )

    def test_authentication_required(self):
        script = {"MAIL": "530 5.7.0 Authentication required"}
        server = FaultySmtpServer([script] * 3, pipelining=True)
        server, provider = self.start(server)
        results = provider.send([outgoing(n) for n in range(5)])
        self.assertEqual({r.reason for r in results}, {"auth_failed"})
        self.assertEqual(server.connections, 1)


@tagged("-at_install", "post_install")
class TestSmtpProviderConnections(SmtpProviderCase):
    """A server far away, or one that takes its time: several connections at once."""

    def setUp(self):
        super().setUp()
        # Each email takes a second, as far as anybody measures it.
        self.startPatcher(
            patch.object(
                smtp_batch, "_timed", lambda function, *args: (function(*args), 1.0)
            )
        )

    def slow_server(self, script=(), meanwhile=None):
        return FaultySmtpServer(script, pipelining=True, meanwhile=meanwhile)

    def test_four_at_once(self):
        # The first ones are measured, one by one.
        together = Together(4, after=smtp_batch.SAMPLES)
        server, provider = self.start(self.slow_server(meanwhile=together))
        results = provider.send([outgoing(n) for n in range(60)])
        self.assertTrue(together.met.is_set(), "they did not come four at once")
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual([r.uuid for r in results], [f"uuid-{n}" for n in range(60)])
        expected = sorted(f"customer{n}@example.com" for n in range(60))
        self.assertEqual(sorted(server.recipients), expected, "each one once")
        self.assertEqual(server.connections, 4)

    def test_one_for_a_fast_server(self):
        server, provider = self.start(FaultySmtpServer(pipelining=True))
        with patch.object(smtp_batch, "SLOW", 5.0):
            provider.send([outgoing(n) for n in range(50)])
        self.assertEqual(server.connections, 1)

    def test_one_for_few_emails(self):
        server, provider = self.start(self.slow_server())
        provider.send([outgoing(n) for n in range(4)])
        self.assertEqual(server.connections, 1)

    def test_orm_stays_in_its_thread(self):
        """What uses the cursor runs in the calling thread, one call at a time."""
        threads = set()
        server = self.slow_server()

        def connect(email_from):
            threads.add(threading.get_ident())
            return smtplib.SMTP(HOST, server.port, "localhost", timeout=5)

        def preparing(message, session):
            threads.add(threading.get_ident())
            return prepare(message, session)

        server, provider = self.start(server, connect, preparing)
        provider.send([outgoing(n) for n in range(40)])
        self.assertEqual(threads, {threading.get_ident()})
        self.assertEqual(server.connections, 4)
        self.assertFalse([t for t in threading.enumerate() if t.name[:5] == "smtp_"])

    def test_connections_are_kept(self):
        server, provider = self.start(self.slow_server())
        for _batch in range(2):
            provider.send([outgoing(n) for n in range(40)])
        self.assertEqual(server.connections, 4)
        provider.close()
        self.assertEqual([c[-1] for c in server.commands], ["QUIT"] * 4)

    def test_server_that_allows_two(self):
        full = {"GREETING": "421 too many connections"}
        server, provider = self.start(self.slow_server([{}, {}, full]))
        results = provider.send([outgoing(n) for n in range(40)])
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual(server.connections, 3)

    def test_one_of_them_breaks(self):
        script = [{}, {"CONTENT": [None, CLOSE]}, {"RCPT": [None, "550 nobody"]}]
        server, provider = self.start(self.slow_server(script))
        batch = [outgoing(n) for n in range(40)]
        results = provider.send(batch)
        found = Counter((r.status, r.reason) for r in results)
        self.assertEqual(found.pop(("uncertain", "connection_lost")), 1)
        self.assertEqual(found.pop(("rejected", "recipient_refused")), 1)
        self.assertEqual(found, {("accepted", ""): 38})
        refused = next(
            e for e, r in zip(batch, results, strict=True) if r.status == "rejected"
        )
        expected = Counter(e.email_to for e in batch if e is not refused)
        self.assertEqual(Counter(server.recipients), expected)

    def test_all_break(self):
        """Three in a row end the batch; what is on its way by then counts too."""
        broken = {"CONTENT": [None] * 4 + [CLOSE] * 9}
        server, provider = self.start(self.slow_server([broken] * 9))
        results = provider.send([outgoing(n) for n in range(60)])
        found = Counter(r.status for r in results)
        self.assertEqual(found["accepted"] + found["uncertain"], len(server.messages))
        # What another connection still gets through begins the count anew.
        self.assertIn(found["uncertain"], range(3, 10))
        self.assertLessEqual(found["uncertain"], server.connections)
        self.assertEqual(len(server.recipients), len(set(server.recipients)))
        self.assertEqual(results[-1].reason, "connect_failed")

    def test_each_sender_has_its_sessions(self):
        seen = []
        server = self.slow_server()

        def connect(email_from):
            seen.append(email_from)
            return smtplib.SMTP(HOST, server.port, "localhost", timeout=5)

        server, provider = self.start(server, connect)
        senders = ["a@example.com", "b@example.com"]
        batch = [outgoing(n, email_from=senders[n % 2]) for n in range(60)]
        results = provider.send(batch)
        self.assertEqual({r.status for r in results}, {"accepted"})
        self.assertEqual(set(seen), set(senders))
        by_recipient = {m[1][0]: m[0] for m in server.messages}
        for email in batch:
            self.assertEqual(by_recipient[email.email_to], email.email_from)

    # TIME

    def test_deadline(self):
        server, provider = self.start(self.slow_server())
        batch = [outgoing(n) for n in range(100)]
        deadline = DeadlineAfter(lambda: len(server.messages) >= 20)
        results = provider.send(batch, deadline)
        found = Counter((r.status, r.reason) for r in results)
        self.assertEqual(found[("accepted", "")], len(server.messages))
        # Those that were on their way by then came to their end.
        self.assertIn(len(server.messages), range(20, 25))
        self.assertEqual(found[("retry", "not_reached")], 100 - len(server.messages))

    def test_deadline_is_over(self):
        server, provider = self.start(self.slow_server())
        results = provider.send([outgoing(1), outgoing(2)], time.monotonic())
        for result in results:
            self.assertResult(result, "retry", "not_reached")
        self.assertEqual(server.connections, 0)


@unittest.skipUnless(Controller, "aiosmtpd is not installed")
@tagged("-at_install", "post_install")
class TestSmtpProviderCheck(SmtpProviderCase):
    """The connection test says in words what is wrong."""

    def findings(self, connect):
        return [
            (check.status, check.subject, check.detail)
            for check in SmtpProvider(connect, prepare, timeout=1).check()
        ]

    def assertProblem(self, connect, subject, words):
        ((status, found, detail),) = self.findings(connect)
        self.assertEqual((status, found), ("problem", subject), detail)
        self.assertIn(words, detail)

    def raising(self, error):
        def connect(email_from):
            raise error

        return connect

    def test_works(self):
        server, provider = self.start(RecordingSmtpServer(smtputf8=True))
        found = {c.subject: (c.status, c.detail) for c in provider.check()}
        self.assertEqual({s for s, _detail in found.values()}, {"ok"})
        self.assertIn("33 MB", found["Offers"][1])
        self.assertIn("SMTPUTF8", found["Offers"][1])
        self.assertIn("Not encrypted", found["TLS"][1])
        self.assertEqual(server.messages, [])
        server, provider = self.start(FaultySmtpServer(pipelining=True))
        self.assertIn("PIPELINING", provider.check()[-1].detail)
        self.assertEqual(server.commands[0], ["EHLO", "QUIT"])

    def test_starttls_is_offered(self):
        server = FaultySmtpServer([{"EHLO": "250-test\r\n250 STARTTLS"}])
        server, provider = self.start(server)
        found = {c.subject: (c.status, c.detail) for c in provider.check()}
        self.assertEqual(found["TLS"][0], "problem")

    def test_host(self):
        with FaultySmtpServer() as server:
            port = server.port
        self.assertProblem(
            lambda email_from: smtplib.SMTP(HOST, port, timeout=1),
            *("Host", "nothing answers at this port"),
        )
        unknown = socket.gaierror(-2, "Name or service not known")
        self.assertProblem(self.raising(unknown), "Host", "No server has this name")
        self.assertProblem(self.raising(TimeoutError()), "Host", "No answer in time")

    def test_tls(self):
        server, _provider = self.start(FaultySmtpServer())
        self.assertProblem(
            lambda email_from: smtplib.SMTP_SSL(HOST, server.port, timeout=1),
            *("TLS", "do not belong together"),
        )
        server, _provider = self.start(FaultySmtpServer())

        def starttls(email_from):
            session = smtplib.SMTP(HOST, server.port, timeout=1)
            self.addCleanup(session.close)
            session.starttls()

        self.assertProblem(starttls, "TLS", "does not offer")

    def test_login(self):
        echo = "AHVzZXIAc2VjcmV0cGFzc3dvcmQ="
        script = {"AUTH": [f"535 5.7.8 Bad credentials {echo}"] * 2}
        server, _provider = self.start(FaultySmtpServer([script]))

        def login(email_from):
            session = smtplib.SMTP(HOST, server.port, "localhost", timeout=1)
            self.addCleanup(session.close)
            session.login("user", "secretpassword")

        ((status, subject, detail),) = self.findings(login)
        self.assertEqual((status, subject), ("problem", "Login"))
        self.assertIn("535 5.7.8", detail)
        self.assertNotIn(echo[:8], detail)

    def test_refused(self):
        server, provider = self.start(FaultySmtpServer([{"GREETING": "554 go away"}]))
        (check,) = provider.check()
        self.assertEqual((check.status, check.subject), ("problem", "Connection"))
        self.assertIn("554 go away", check.detail)

    def test_odoo(self):
        error = UserError("The server cannot be used because it is archived.")
        self.assertProblem(self.raising(error), "Connection", "it is archived")
        self.assertProblem(lambda email_from: None, "Connection", "switched off")


@tagged("-at_install", "post_install")
class TestSmtpProviderSlow(SmtpProviderCase):
    """A server that does not answer in time."""

    timeout = 0.3

    def test_before_the_content(self):
        for command in ("MAIL", "RCPT", "DATA"):
            with self.subTest(command=command):
                self.check(
                    {command: HANG}, "retry", "connection_lost", 0, detail="time"
                )

    def test_after_the_content(self):
        self.check({"CONTENT": HANG}, "uncertain", "connection_lost", 1, detail="time")

    def test_while_transmitting(self):
        """The content does not fit into the buffers, and nobody reads it."""
        server, provider = self.start(FaultySmtpServer([{"BODY": STALL}]))
        html = "<p>x</p>" * 3_000_000
        results = provider.send([outgoing(1, html=html), outgoing(2)])
        self.assertResult(results[0], "uncertain", "connection_lost", "in time")
        self.assertResult(results[1], "accepted")
        self.assertEqual(server.recipients, ["customer2@example.com"])

    def test_time_of_a_batch(self):
        server, provider = self.start(FaultySmtpServer([{"RCPT": HANG}] * 9))
        results = provider.send([outgoing(n) for n in range(50)])
        expected = ["connection_lost"] * 3 + ["connect_failed"] * 47
        self.assertEqual([r.reason for r in results], expected)
        self.assertEqual(server.connections, 3)

    def test_close(self):
        server, provider = self.start(FaultySmtpServer([{"QUIT": HANG}]))
        self.assertResult(provider.send([outgoing(1)])[0], "accepted")
        provider.close()
        self.assertEqual(server.commands[0][-1], "QUIT")


@tagged("-at_install", "post_install")
class TestSandboxProvider(BaseCase):
    def test_accepts_everything(self):
        with patch("socket.socket", side_effect=AssertionError("network")):
            with SandboxProvider() as provider:
                results = provider.send([outgoing(1), outgoing(2, email_to="nobody")])
        self.assertEqual(
            [(r.uuid, r.status, r.ref) for r in results],
            [("uuid-1", "accepted", "sandbox"), ("uuid-2", "accepted", "sandbox")],
        )


@unittest.skipUnless(Controller, "aiosmtpd is not installed")
@tagged("-at_install", "post_install")
class TestSmtpProviderMailServer(TransactionCase):
    """The adapter with the session and the addresses of Odoo's mail servers."""

    def setUp(self):
        super().setUp()
        self.startPatcher(
            patch.object(IrMail_Server, "_disable_send", lambda *a: False)
        )
        self.server = self.enterContext(RecordingSmtpServer())
        self.mail_server = self.env["ir.mail_server"].create(
            {
                "name": "Test",
                "smtp_host": HOST,
                "smtp_port": self.server.port,
                "smtp_encryption": "none",
            }
        )

    def send(self, *batch):
        servers = self.env["ir.mail_server"]

        def connect(email_from):
            return servers._connect__(
                mail_server_id=self.mail_server.id, smtp_from=email_from
            )

        with SmtpProvider(connect, servers._prepare_email_message__) as provider:
            return provider.send(batch)

    def test_accepted(self):
        headers = {
            "List-Unsubscribe": f"<{LONG_URL}>",
            "Return-Path": "bounce@example.com",
        }
        name = 'Ünï "evil@example.com", {{ 7*7 }}'
        sender = format_mailbox(name, "shop@example.com")
        to = format_mailbox(name, "customer1@example.com")
        email = outgoing(email_from=sender, email_to=to, headers=headers)
        other = outgoing(2, email_from="second@example.com")
        results = self.send(email, other)
        self.assertEqual([r.status for r in results], ["accepted"] * 2, results)
        mail_from, rcpt_tos, content = self.server.messages[0]
        self.assertEqual(mail_from, "bounce@example.com")
        self.assertEqual(rcpt_tos, ["customer1@example.com"])
        self.assertIn(f"\r\nList-Unsubscribe: <{LONG_URL}>\r\n".encode(), content)
        message = self.server.parsed(0)
        self.assertEqual(message["From"].addresses[0].display_name, name)
        self.assertNotIn("Return-Path", message)
        self.assertEqual(self.server.parsed(1)["From"], "second@example.com")

    def test_sender_of_the_mail_server(self):
        """Odoo puts its notification address in place of a foreign sender."""
        self.mail_server.from_filter = "example.org"
        servers = self.env["ir.mail_server"].with_context(
            domain_notifications_email="notify@example.org"
        )
        connect = lambda email_from: servers._connect__(  # noqa: E731
            mail_server_id=self.mail_server.id, smtp_from="notify@example.org"
        )
        sender = format_mailbox("Ünï, Shop", "shop@example.com")
        with SmtpProvider(connect, servers._prepare_email_message__) as provider:
            (result,) = provider.send([outgoing(email_from=sender)])
        self.assertEqual(result.status, "accepted", result)
        (address,) = self.server.parsed()["From"].addresses
        self.assertEqual(address.display_name, "Ünï, Shop")
        self.assertEqual(address.addr_spec, "notify@example.org")
        self.assertEqual(self.server.messages[0][0], "notify@example.org")

    def test_archived_mail_server(self):
        self.mail_server.active = False
        (result,) = self.send(outgoing())
        self.assertEqual((result.status, result.reason), ("retry", "connect_failed"))
        self.assertEqual(self.server.connections, 0)

    def test_sending_is_disabled(self):
        with patch.object(IrMail_Server, "_disable_send", lambda *a: True):
            (result,) = self.send(outgoing())
        self.assertEqual((result.status, result.reason), ("retry", "connect_failed"))
        self.assertEqual(self.server.connections, 0)
