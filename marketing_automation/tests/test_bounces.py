"""Incoming mail about our messages: what servers report, and what people answer."""

import timeit
from datetime import timedelta
from email import message_from_bytes
from email.header import Header
from email.policy import SMTP
from unittest.mock import patch

from odoo import fields
from odoo.tests import BaseCase, tagged
from odoo.tools import mute_logger

from ..tools import bounces
from . import bounce_words
from .common import MarketingCase

KEY = "1234-0123456789abcdef"

# Each as the mail server it is named after writes it; %-parameters: the key, the
# person, what the server said (status, action, words).

POSTFIX = """\
Return-Path: <>
Delivered-To: bounce+%(key)s@shop.example.com
Date: Fri, 20 Nov 2026 10:00:00 +0000 (UTC)
From: MAILER-DAEMON@mx.shop.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounce+%(key)s@shop.example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Message-Id: <20261120100000.4F2A%(unique)s@mx.shop.example.com>
Content-Type: multipart/report; report-type=delivery-status;
	boundary="4F2A.1/mx.shop.example.com"

--4F2A.1/mx.shop.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.shop.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<%(person)s>: host mx.example.com[192.0.2.7] said: %(words)s
    (in reply to RCPT TO command)

--4F2A.1/mx.shop.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example.com
X-Postfix-Queue-ID: 4F2A
Arrival-Date: Fri, 20 Nov 2026 09:59:58 +0000 (UTC)

Final-Recipient: rfc822; %(person)s
Original-Recipient: rfc822;%(person)s
Action: %(action)s
Status: %(status)s
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; %(words)s

--4F2A.1/mx.shop.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: "Shop" <shop@example.com>
To: %(person)s
Subject: You left something behind
Message-ID: <%(key)s@example.com>
Content-Type: text/plain

Hello
--4F2A.1/mx.shop.example.com--
"""

# Exim: to the From address, the headers as text, no Original-Recipient.
EXIM = """\
Return-path: <>
Envelope-to: shop@example.com
Date: Fri, 20 Nov 2026 10:00:00 +0000
From: Mail Delivery System <Mailer-Daemon@mx.shop.example.com>
To: shop@example.com
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
X-Failed-Recipients: %(person)s
MIME-Version: 1.0
Message-Id: <E1abcd-%(unique)s@mx.shop.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary=1a2b

--1a2b
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  %(person)s
    host mx.example.com [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<%(person)s>:
    %(words)s

--1a2b
Content-type: message/delivery-status

Reporting-MTA: dns; mx.shop.example.com

Action: %(action)s
Final-Recipient: rfc822;%(person)s
Status: %(status)s
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; %(words)s

--1a2b
Content-type: text/rfc822-headers

Return-path: <shop@example.com>
From: "Shop" <shop@example.com>
To: %(person)s
Message-ID: <%(key)s@example.com>

--1a2b--
"""

# Exchange: an HTML part with a tracking table, In-Reply-To, its own sender.
EXCHANGE = """\
From: <postmaster@outlook.example>
To: <bounce+%(key)s@shop.example.com>
Date: Fri, 20 Nov 2026 10:00:00 +0000
Subject: Undeliverable: You left something behind
Message-ID: <c0ffee%(unique)s@EX01.outlook.example>
In-Reply-To: <%(key)s@example.com>
References: <%(key)s@example.com>
X-MS-Exchange-Message-Is-Ndr: 1
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="_000_c0ffee_"

--_000_c0ffee_
Content-Type: multipart/alternative; boundary="_001_c0ffee_"

--_001_c0ffee_
Content-Type: text/html; charset="utf-8"

<html><body><p>Your message to <b>%(person)s</b> couldn't be delivered.</p>
<p>%(words)s</p></body></html>
--_001_c0ffee_--

--_000_c0ffee_
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.outlook.example
Received-From-MTA: dns;mx.shop.example.com
Arrival-Date: Fri, 20 Nov 2026 09:59:58 +0000

Final-Recipient: rfc822;%(person)s
Action: %(action)s
Status: %(status)s
Diagnostic-Code: smtp;%(words)s
X-Display-Name: Anna

--_000_c0ffee_
Content-Type: message/rfc822

From: "Shop" <shop@example.com>
Message-ID: <%(key)s@example.com>
Subject: You left something behind

Hello
--_000_c0ffee_--
"""

# Gmail: mailer-daemon, several parts, References, several lines of a reply in one.
GMAIL = """\
Delivered-To: shop@example.com
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>
To: shop@example.com
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <%(key)s@example.com>
In-Reply-To: <%(key)s@example.com>
Message-ID: <6560f1%(unique)s@mx.google.example>
Date: Fri, 20 Nov 2026 02:00:00 -0800 (PST)
MIME-Version: 1.0
Content-Type: multipart/report; boundary="000000000000b4"; report-type=delivery-status

--000000000000b4
Content-Type: multipart/related; boundary="000000000000b5"

--000000000000b5
Content-Type: text/plain; charset="UTF-8"

** Address not found **
Your message wasn't delivered to %(person)s.
--000000000000b5--

--000000000000b4
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example
Received-From-MTA: dns; shop@example.com
Arrival-Date: Fri, 20 Nov 2026 01:59:58 -0800 (PST)

Final-Recipient: rfc822; %(person)s
Action: %(action)s
Status: %(status)s
Remote-MTA: dns; gmail-smtp-in.example. (192.0.2.8)
Diagnostic-Code: smtp; %(words)s
Last-Attempt-Date: Fri, 20 Nov 2026 02:00:00 -0800 (PST)

--000000000000b4
Content-Type: message/rfc822

From: "Shop" <shop@example.com>
To: %(person)s
Message-ID: <%(key)s@example.com>

Hello
--000000000000b4--
"""

# qmail and its like: prose, and the email that came back below it.
QMAIL = """\
Return-Path: <>
Delivered-To: bounce+%(key)s@shop.example.com
Date: 20 Nov 2026 10:00:00 -0000
From: MAILER-DAEMON@mx.shop.example.com
To: bounce+%(key)s@shop.example.com
Message-ID: <qmail%(unique)s@mx.shop.example.com>
Subject: failure notice

Hi. This is the qmail-send program at mx.shop.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<%(person)s>:
192.0.2.7 does not like recipient.
Remote host said: %(words)s
Giving up on 192.0.2.7.

--- Below this line is a copy of the message.

Return-Path: <bounce+%(key)s@shop.example.com>
From: "Shop" <shop@example.com>
To: %(person)s
Message-ID: <%(key)s@example.com>

Hello, your order 550 5.1.1 is waiting
"""

SERVERS = {
    "Postfix": POSTFIX,
    "Exim": EXIM,
    "Exchange": EXCHANGE,
    "Gmail": GMAIL,
    "qmail": QMAIL,
}

LAST_FIELD = "Diagnostic-Code: smtp; %(words)s\n"
UNKNOWN = ("5.1.1", "550 5.1.1 <anna@example.com>: no such user here")
FULL = ("5.2.2", "552 5.2.2 mailbox full, over quota")

REPLY = """\
From: Anna Smith <%(sender)s>
To: shop@example.com
Date: Fri, 20 Nov 2026 10:00:00 +0000
Subject: %(subject)s
Message-ID: <reply%(unique)s@example.com>
In-Reply-To: <%(key)s@example.com>
References: <other@example.com> <%(key)s@example.com>
%(headers)sMIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

%(body)s

On Fri, 20 Nov 2026 at 09:00, Shop <shop@example.com> wrote:
> You left something behind.
> STOP
"""

OUT_OF_OFFICE = "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n"


def parse(text):
    return message_from_bytes(text.encode(), policy=SMTP)


@tagged("-at_install", "post_install")
class TestBounceReports(BaseCase):
    """What a report says, without Odoo."""

    def fill(self, template, status, words, action="failed"):
        values = {"key": KEY, "person": "anna@example.com", "unique": "1"}
        values.update(status=status, words=words, action=action)
        return parse(template % values)

    def test_servers(self):
        for name, template in SERVERS.items():
            for (status, words), kind in ((UNKNOWN, "bounced_hard"), (FULL, "soft")):
                with self.subTest(server=name, status=status):
                    message = self.fill(template, status, words)
                    (report,) = bounces.read_reports(message)
                    self.assertIn(kind, report.kind)
                    self.assertEqual(report.addresses, ("anna@example.com",))
                    self.assertIn(words, report.detail)
                    self.assertEqual(bounces.find_reported_keys(message), [KEY])

    def test_actions(self):
        for action, kind in (
            ("delayed", "deferred"),
            ("Delivered", "delivered"),
            ("relayed", "delivered"),
            ("expanded", "delivered"),
        ):
            for template in (POSTFIX, EXIM, EXCHANGE, GMAIL):
                message = self.fill(template, "4.4.1", "timed out", action)
                self.assertEqual(bounces.read_reports(message)[0].kind, kind)

    def test_codes(self):
        for status, detail, kind in (
            ("5.1.1", "", "bounced_hard"),
            ("5.1.10", "", "bounced_hard"),
            ("5.2.1", "mailbox disabled", "bounced_hard"),
            ("5.4.1", "Recipient address rejected: Access denied", "bounced_hard"),
            ("5.4.4", "host not found", "bounced_hard"),
            ("5.1.8", "sender's domain not found", "bounced_soft"),
            ("5.2.2", "mailbox full", "bounced_soft"),
            ("5.2.3", "message too large", "bounced_soft"),
            ("5.3.4", "", "bounced_soft"),
            ("5.4.7", "time expired", "bounced_soft"),
            ("5.6.0", "", "bounced_soft"),
            ("5.7.1", "user unknown, says the spam filter", "bounced_soft"),
            ("5.7.26", "", "bounced_soft"),
            ("4.1.1", "user unknown", "bounced_soft"),
            ("4.4.7", "", "bounced_soft"),
            ("5.0.0", "550 5.1.1 unknown", "bounced_hard"),
            ("5.0.0", "554 5.7.1 user unknown", "bounced_soft"),
            ("5.0.0", "550 No such user", "bounced_hard"),
            ("5.0.0", "550 sorry", "bounced_soft"),
            ("5.0.0", "550 blocked: unknown sender reputation", "bounced_soft"),
            ("", "550 unknown user", "bounced_hard"),
            ("", "451 unknown user", "bounced_soft"),
            ("", "", "bounced_soft"),
        ):
            with self.subTest(status=status, detail=detail):
                self.assertEqual(bounces.classify(status, detail), kind)

    def test_codes_of_servers(self):
        """What servers in use say: hard only where there is no such address."""
        for status, detail in bounce_words.HARD:
            with self.subTest(status=status, detail=detail):
                self.assertEqual(bounces.classify(status, detail), "bounced_hard")
        for status, detail in bounce_words.SOFT:
            with self.subTest(status=status, detail=detail):
                self.assertEqual(bounces.classify(status, detail), "bounced_soft")

    def test_names_are_no_reasons(self):
        """What stands in addresses and names of machines does not count."""
        for words in (
            "550 5.1.1 <spam.quota@full.example>: user unknown",
            "host block-list.example[192.0.2.1] said: 550 5.1.1 user unknown",
            "550 5.1.1 user unknown, see https://policy.example/blocked?spam=1",
        ):
            self.assertEqual(bounces.classify("5.1.1", words), "bounced_hard")
        for words in ("550 <no.such.user@a.example> sorry", "550 5.2.0 <unknown@b.cd>"):
            self.assertEqual(bounces.classify("", words), "bounced_soft")

    def test_spellings(self):
        """An address is found however the report writes it."""
        person = "jürgen@müller-käse.example"
        for written in (
            "jürgen@müller-käse.example",
            "jürgen@xn--mller-kse-12a1x.example",
            "JÜRGEN@MÜLLER-KÄSE.EXAMPLE",
            "<jürgen@xn--mller-kse-12a1x.example>",
            '"jürgen"@xn--mller-kse-12a1x.example',
            "jürgen@müller-käse.example.",
            "\\x{6A}ürgen@müller-käse.example",
        ):
            with self.subTest(written=written):
                message = self.fill(POSTFIX, *UNKNOWN).as_string()
                final = "Final-Recipient: rfc822; "
                message = message.replace(f"{final}anna@example.com", final + written)
                (report,) = bounces.read_reports(parse(message))
                self.assertTrue(bounces.is_about(report, person), report)
        for written in (
            "other@example.com",
            "anna@sub.example.com",
            "xanna@example.com",
        ):
            message = self.fill(POSTFIX, *UNKNOWN).as_string()
            message = message.replace("Final-Recipient: rfc822; anna@example.com", "")
            message = message.replace("rfc822;anna@example.com", f"rfc822;{written}")
            (report,) = bounces.read_reports(parse(message))
            self.assertFalse(bounces.is_about(report, "anna@example.com"))

    def test_spellings_in_prose(self):
        head = "From: mailer-daemon@mx.example.com\nTo: x@example.com\n"
        head += "Content-Type: text/plain; charset=utf-8\n\n"
        for text, person in (
            ('"anna@example.com":\n550 5.1.1 no such user', "anna@example.com"),
            ("'anna@example.com'\n550 5.1.1 no such user", "anna@example.com"),
            ("<ANNA@Example.com>:\n550 5.1.1 no such user", "anna@example.com"),
            (
                "收件人邮件地址（a@example.org）不存在，邮件无法送达。\n"
                "host mx.example.org said: 550 Mailbox not found",
                "a@example.org",
            ),
            ("收件人a@example.org不存在: 550 用户不存在", "a@example.org"),
            ("宛先「a@example.org」は存在しません。 550 User unknown", "a@example.org"),
            (
                "Zustellung an „i@xn--kse-qla.example“:\n550 unbekannter Benutzer. "
                "Fragen an postmaster@mx.example.com",
                "i@käse.example",
            ),
            ("* o'brien@example.com\n550 5.1.1 User unknown", "o'brien@example.com"),
            ("550 5.1.1 User unknown. Help: postmaster@example.net", "anna@x.example"),
        ):
            with self.subTest(text=text):
                (report,) = bounces.read_reports(parse(head + text), person)
                self.assertEqual(report.kind, "bounced_hard")
                if report.addresses:
                    self.assertTrue(bounces.is_about(report, person), report)
        # Somebody else, to whom the mail was forwarded.
        for text in (
            "<old@example.org>:\n550 5.1.1 unknown user",
            "Your mail to old@example.org failed: 550 5.1.1 unknown user",
        ):
            (report,) = bounces.read_reports(parse(head + text), "anna@example.com")
            self.assertEqual(report.addresses, ("old@example.org",))

    def test_prose_without_codes(self):
        head = "From: postmaster@mx.example.com\nTo: x@example.com\n\n"
        for text, kind in (
            ("anna@example.com\nUser not listed in Domino Directory", "bounced_hard"),
            ("Sorry, no mailbox here by that name. (#5.1.1)", "bounced_hard"),
            (
                "Sorry, I couldn't find any host named a.example. (#5.1.2)",
                "bounced_hard",
            ),
            (
                "I'm not going to try again; it is in the queue too long. (#5.4.7)",
                "bounced_soft",
            ),
        ):
            (report,) = bounces.read_reports(parse(head + text))
            self.assertEqual(report.kind, kind, text)

    def test_time_is_bounded(self):
        """Four times the length takes nowhere near sixteen times as long."""

        def read(text):
            message = parse(text)
            bounces.read_reports(message, "anna@example.com")
            bounces.find_reported_keys(message)
            bounces.find_bounce_addresses(message)
            bounces.is_automatic(message)
            bounces.read_reply(message)

        head = "From: MAILER-DAEMON@mx.example.com\n"
        field = self.fill(POSTFIX, "5.1.1", "%(words)s").as_string()
        field = field.replace("anna@example.com", "%(person)s")
        for name, write in (
            ("prose", lambda n: f"{head}\n550 5.1.1 {'a@' * n} <"),
            ("run", lambda n: f"{head}\n550 5.1.1 {'a' * n}"),
            ("words", lambda n: f"{head}\n550 {'user not an existing ' * n}"),
            ("dashes", lambda n: f"{head}\n{'- ' * n}\n{'-' * n}\n550 x"),
            ("failed", lambda n: f"X-Failed-Recipients: {'a' * n}\n{head}\n550 x"),
            ("commas", lambda n: f"X-Failed-Recipients: {'a,' * n}\n{head}\n550 x"),
            ("to", lambda n: f"To: {'(a' * n}\n{head}\n550 x"),
            ("references", lambda n: f"References: {'<1-' * n}\n{head}\n550 x"),
            ("field", lambda n: field % {"person": "a" * n, "words": "a." * n}),
            ("subject", lambda n: f"Subject: {'automatic ' * n}\n{head}\n550 x"),
            ("encoded", lambda n: f"Subject: {'=?utf-8?q?a?= ' * n}\n{head}\nx"),
            ("quote", lambda n: f"From: a@example.com\n\nOn {'wrote ' * n}"),
            ("html", lambda n: f"{head}Content-Type: text/html\n\n{'<a ' * n}"),
            ("style", lambda n: f"{head}Content-Type: text/html\n\n{'<p hidden ' * n}"),
            ("svg", lambda n: f"{head}Content-Type: text/html\n\n<svg {'a=b' * n}"),
        ):
            with self.subTest(text=name):
                short, long = write(10000), write(40000)
                read(short)
                took = [
                    min(timeit.repeat(lambda t=t: read(t), number=1, repeat=3))
                    for t in (short, long)
                ]
                # 10 ms: what a busy machine may take for nothing at all.
                self.assertLess(took[1], 10 * took[0] + 0.1)

    def test_several_recipients(self):
        last = f"Diagnostic-Code: smtp; {UNKNOWN[1]}\n"
        second = "\nFinal-Recipient: rfc822; Eve@Example.com\nStatus: 4.2.2\n"
        message = self.fill(POSTFIX.replace(LAST_FIELD, last + second), *UNKNOWN)
        found = [(r.kind, r.addresses) for r in bounces.read_reports(message)]
        self.assertEqual(
            found,
            [
                ("bounced_hard", ("anna@example.com",)),
                ("bounced_soft", ("eve@example.com",)),
            ],
        )

    def test_no_reports(self):
        """Prose of people is never read as a report."""
        text = "From: anna@example.com\nTo: x@example.com\n\n550 5.1.1 no such user"
        self.assertEqual(bounces.read_reports(parse(text)), [])
        text = text.replace("anna@", "mailer-daemon@")
        self.assertEqual(bounces.read_reports(parse(text))[0].kind, "bounced_hard")
        text = text.replace("550 5.1.1 no such user", "Your mail arrived.")
        self.assertEqual(bounces.read_reports(parse(text)), [])

    def test_delay_in_prose(self):
        text = (
            "From: Mailer-Daemon@mx.example.com\nTo: x@example.com\n"
            "Subject: Warning: message 1a2b delayed 24 hours\n\n"
            "A message that you sent has not yet been delivered: 451 try later.\n"
        )
        self.assertEqual(bounces.read_reports(parse(text))[0].kind, "deferred")

    def test_international(self):
        """RFC 6533: another type for addresses in any script."""
        kind = "message/global-delivery-status"
        template = POSTFIX.replace("message/delivery-status", kind)
        (report,) = bounces.read_reports(self.fill(template, *UNKNOWN))
        self.assertEqual(report.kind, "bounced_hard")
        self.assertEqual(report.addresses, ("anna@example.com",))

    def test_broken(self):
        """Whatever arrives, nothing is raised."""
        for name, template in SERVERS.items():
            text = self.fill(template, *UNKNOWN).as_string()
            for cut in range(0, len(text), 97):
                with self.subTest(server=name, cut=cut):
                    message = parse(text[:cut])
                    bounces.read_reports(message)
                    bounces.find_reported_keys(message)
                    bounces.find_reply_keys(message)
                    bounces.read_reply(message)

    def test_complaint(self):
        text = (
            "From: fbl@example.org\nTo: shop@example.com\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; boundary=b\n\n"
            "--b\nContent-Type: message/feedback-report\n\n"
            "Feedback-Type: %s\nVersion: 1\nOriginal-Rcpt-To: <anna@example.com>\n\n"
            f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <{KEY}@example.com>\n"
            "\nHello\n--b--\n"
        )
        message = parse(text % "abuse")
        (report,) = bounces.read_reports(message)
        self.assertEqual(report.kind, "complaint")
        self.assertEqual(report.addresses, ("anna@example.com",))
        self.assertEqual(bounces.find_reported_keys(message), [KEY])
        self.assertEqual(bounces.read_reports(parse(text % "not-spam")), [])

    def test_automatic(self):
        for headers, expected in (
            ("", False),
            ("Auto-Submitted: no\n", False),
            ("Auto-Submitted: auto-replied; owner-email=a@example.com\n", True),
            ("Auto-Submitted: auto-generated\n", True),
            ("X-Autoreply: yes\n", True),
            ("Precedence: auto_reply\n", True),
            ("Return-Path: <>\n", True),
            ("Return-Path: <anna@example.com>\n", False),
        ):
            with self.subTest(headers=headers):
                message = parse(f"{headers}From: anna@example.com\n\nAway")
                self.assertEqual(bounces.is_automatic(message), expected)

    def test_automatic_by_other_headers(self):
        for headers, expected in (
            *((header, True) for header in bounce_words.MACHINE_HEADERS),
            *((header, False) for header in bounce_words.HUMAN_HEADERS),
        ):
            with self.subTest(headers=headers):
                message = parse(f"{headers}\nFrom: anna@example.com\n\nHello")
                self.assertEqual(bounces.is_automatic(message), expected)

    def test_automatic_by_its_own_words(self):
        for text, expected in (
            ("This is an automated reply. I am away.", True),
            ("Hello,\nthis is an automatic response.", True),
            ("Dies ist eine automatische Antwort.", True),
            ("Ez egy automatikus válasz.", True),
            ("Bu otomatik bir yanıttır.", True),
            ("Ceci est une réponse automatique.", True),
            ("这是一封自动回复邮件", True),
            ("I'm driving with Do Not Disturb turned on.", True),
            ("Is your answer automatic?", False),
            ("I am out of the office on Monday, deliver on Tuesday please", False),
        ):
            with self.subTest(text=text):
                head = "From: anna@example.com\nSubject: Re: x\n"
                head += "Content-Type: text/plain; charset=utf-8\n\n"
                message = parse(head + text)
                self.assertEqual(bounces.is_automatic(message), expected)

    def test_automatic_by_subject(self):
        for subject, expected in (
            *((subject, True) for subject in bounce_words.MACHINE_SUBJECTS),
            *((subject, False) for subject in bounce_words.HUMAN_SUBJECTS),
        ):
            for encoded in (subject, Header(subject, "utf-8").encode()):
                with self.subTest(subject=encoded):
                    head = f"From: anna@example.com\nSubject: {encoded}\n\nHello"
                    self.assertEqual(bounces.is_automatic(parse(head)), expected)

    def test_reply_text(self):
        long = "é" * 3000
        for body, expected in (
            ("Thank you!\n\n> quoted\n> more", "Thank you!"),
            ("Yes.\n\nOn 1 Jan 2026, Shop <a@b.c> wrote:\n> x\n", "Yes."),
            ("Igen.\n\nShop <a@b.c> ezt írta (időpont: 2026. nov. 20.):\n", "Igen."),
            ("No\n________________________________\nFrom: Shop\n", "No"),
            ("No\n-----Original Message-----\nx", "No"),
            ("Bye\n-- \nAnna", "Bye"),
            (long, long[:1600]),
        ):
            head = "Content-Type: text/plain; charset=utf-8\n\n"
            self.assertEqual(bounces.read_reply(parse(head + body)), expected)
        for quote in ("<blockquote>x", '<div dir="ltr" class="gmail_quote">x'):
            html = f"Content-Type: text/html\n\n<p>Yes</p>{quote}<p>Unsubscribe</p>"
            self.assertEqual(bounces.read_reply(parse(html)), "Yes")
        html = "Content-Type: text/html; charset=utf-8\n\n<p>Stop</p><div>bye</div>"
        self.assertTrue(bounces.read_reply(parse(html)).startswith("Stop"))


@tagged("-at_install", "post_install")
class TestIncomingMail(MarketingCase):
    """Raw mail through Odoo's gateway: what becomes of our message and of addresses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["mail.blacklist"].search([]).active = False
        cls.env["mail.alias.domain"].search([]).unlink()
        cls.env["mail.alias.domain"].create({"name": "shop.example.com"})
        cls.message = cls._create_message()
        cls.key = cls.message._get_key()

    @classmethod
    def _create_message(cls):
        """A message to Anna that was handed over."""
        cart = cls._abandon()
        cls._process_steps()
        message = cart.message_ids
        message._set_state("sending")
        message._set_state("sent")
        message.provider_id = cls.smtp
        return message

    def setUp(self):
        super().setUp()
        self.events = []
        messages = type(self.env["marketing.message"])
        original = messages._apply_events

        def spy(records, events, provider=None):
            self.events += events
            return original(records, events, provider)

        self.startPatcher(patch.object(messages, "_apply_events", spy))
        self.number = 0

    def receive(self, template, key=None, **values):
        """Feed a mail to the gateway as a mail server would."""
        self.number += 1
        values = {
            "key": key or self.key,
            "person": "anna@example.com",
            "sender": "anna@example.com",
            "unique": self.number,
            "subject": "Re: You left something behind",
            "headers": "",
            "body": "",
            "action": "failed",
            "status": "",
            "words": "",
            **values,
        }
        raw = (template % values).encode()
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            self.env["mail.thread"].message_process("res.partner", raw)
        self.env.invalidate_all()

    def bounce(self, template, said, **values):
        status, words = said
        self.receive(template, status=status, words=words, **values)

    def suppressed(self):
        return self.env["mail.blacklist"].search([]).mapped("email")

    # BOUNCES

    def test_hard_bounce_of_each_server(self):
        for name, template in SERVERS.items():
            with self.subTest(server=name), self.env.cr.savepoint() as savepoint:
                self.events.clear()
                before = self.env["res.partner"].search_count([])
                self.bounce(template, UNKNOWN)
                (event,) = self.events
                self.assertEqual(event.kind, "bounced_hard")
                self.assertEqual(event.uuid, self.key)
                self.assertEqual(event.address, "anna@example.com")
                self.assertEqual(event.reason, "bounced_hard")
                self.assertTrue(event.suppress)
                self.assertIn("no such user here", event.detail)
                self.assertLessEqual(len(event.detail), 250)
                self.assertEqual(str(event.occurred_at)[:10], "2026-11-20")
                self.assertEqual(self.message.state, "bounced")
                self.assertEqual(self.suppressed(), ["anna@example.com"])
                self.assertEqual(self.env["res.partner"].search_count([]), before)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_reports_of_a_postmaster_to_the_sender(self):
        """Odoo takes them for letters."""
        template = QMAIL.replace("MAILER-DAEMON@", "postmaster@")
        template = template.replace("bounce+%(key)s@shop.example.com", "s@example.com")
        template = template.replace("Return-Path: <>\n", "")
        self.bounce(template, UNKNOWN)
        (event,) = self.events
        self.assertEqual((event.kind, event.suppress), ("bounced_hard", True))
        self.assertEqual(self.message.state, "bounced")
        self.assertEqual(self.suppressed(), ["anna@example.com"])

    def test_soft_bounce_of_each_server(self):
        for name, template in SERVERS.items():
            with self.subTest(server=name):
                self.events.clear()
                self.bounce(template, FULL)
                (event,) = self.events
                self.assertEqual((event.kind, event.suppress), ("bounced_soft", False))
        self.assertEqual(self.message.state, "bounced")
        self.assertEqual(self.suppressed(), [])

    def _bounce_softly(self, *days_ago, state="bounced"):
        """Let earlier messages to Anna have come back, too."""
        messages = self.env["marketing.message"]
        for days in days_ago:
            number = self.env["marketing.message"].search_count([])
            messages |= self.message.copy(
                {
                    "dedupe_key": f"before:{number}",
                    "channel": "email",
                    "email": self.message.email,
                    "email_normalized": "anna@example.com",
                    "company_id": self.company.id,
                    "provider_id": self.smtp.id,
                    "state": state,
                    "reason": "bounced_soft" if state == "bounced" else False,
                    "sent_at": fields.Datetime.now() - timedelta(days=days),
                }
            )
        self.env.flush_all()
        return messages

    def test_soft_bounces_in_a_row(self):
        self._bounce_softly(15, 10, 5)
        self.bounce(POSTFIX, FULL)
        self.assertEqual(self.suppressed(), [], "four are not enough")
        self._bounce_softly(20)
        self.bounce(POSTFIX, FULL)
        self.assertEqual(self.suppressed(), ["anna@example.com"])
        entry = self.env["mail.blacklist"].search([])
        self.assertIn("The last 5 emails came back", str(entry.message_ids[0].body))
        # Somebody takes it off: what was before counts no more.
        self.env["mail.blacklist"]._remove("anna@example.com")
        self.env.flush_all()
        self.bounce(POSTFIX, FULL)
        self.assertEqual(self.suppressed(), [])

    def test_soft_bounces_within_days(self):
        self._bounce_softly(13, 10, 5, 2)
        self.bounce(POSTFIX, FULL)
        self.assertEqual(self.suppressed(), [])

    def test_soft_bounces_with_an_arrival_between(self):
        self._bounce_softly(40, 30, 20, 10)
        self._bounce_softly(5, state="sent")
        self.bounce(POSTFIX, FULL)
        self.assertEqual(self.suppressed(), [])

    def test_odoo_still_counts(self):
        self.bounce(POSTFIX, UNKNOWN)
        self.assertEqual(self.customer.message_bounce, 1)

    def test_delayed(self):
        self.bounce(POSTFIX, ("4.4.1", "timed out"), action="delayed")
        self.assertEqual([event.kind for event in self.events], ["deferred"])
        self.assertEqual(self.message.state, "sent")
        self.assertEqual(self.suppressed(), [])

    def test_delivered(self):
        self.bounce(POSTFIX, ("2.0.0", "250 ok"), action="delivered")
        self.assertEqual(self.message.state, "delivered")

    def test_forwarded_to_an_address_that_is_none(self):
        """Their own address works: it must not be suppressed."""
        self.bounce(EXIM, UNKNOWN, person="old@example.org")
        (event,) = self.events
        self.assertEqual((event.kind, event.suppress), ("bounced_soft", False))
        self.assertEqual(self.suppressed(), [])

    def test_tampered_key(self):
        forged = self.key[:-1] + ("0" if self.key[-1] != "0" else "1")
        other_id = f"{self.message.id + 1}-{self.key.partition('-')[2]}"
        for key in (forged, other_id, KEY, "no-key"):
            for template in SERVERS.values():
                self.bounce(template, UNKNOWN, key=key)
            self.receive(REPLY, key=key, body="STOP")
        self.assertEqual(self.events, [])
        self.assertEqual(self.message.state, "sent")
        self.assertEqual(self.suppressed(), [])

    def test_fetched_twice(self):
        for _time in range(2):
            self.number = 0
            self.bounce(POSTFIX, UNKNOWN)
        self.assertEqual(self.message.engagement_ids.mapped("kind"), ["bounce"])
        self.assertEqual(self.suppressed(), ["anna@example.com"])

    def test_upper_case_key(self):
        self.bounce(POSTFIX, UNKNOWN, key=self.key.upper())
        self.assertEqual(self.message.state, "bounced")

    def test_our_error_does_not_stop_the_mail(self):
        with (
            patch.object(bounces, "read_reports", side_effect=KeyError("a bug")),
            mute_logger("odoo.addons.marketing_automation.models.feedback.mail_thread"),
        ):
            self.bounce(POSTFIX, UNKNOWN)
        self.assertEqual(self.customer.message_bounce, 1)

    # REPLIES

    def replies(self):
        """What came of a reply in Odoo: here every mail makes a contact."""
        return self.env["mail.message"].search(
            [("message_id", "=like", "<reply%@example.com>"), ("model", "!=", False)]
        )

    def test_reply(self):
        self.receive(REPLY, body="Do you have it in red?\n\nAnna")
        (event,) = self.events
        self.assertEqual((event.kind, event.suppress), ("reply", False))
        self.assertEqual(event.uuid, self.key)
        self.assertEqual(event.text, "Do you have it in red?\n\nAnna")
        self.assertEqual(self.message.engagement_ids.mapped("kind"), ["reply"])
        self.assertEqual(self.message.state, "sent")
        self.assertEqual(self.suppressed(), [])
        self.assertEqual(len(self.replies()), 1)

    def test_spelled_otherwise(self):
        """The report has the domain in IDNA's form, the contact in letters."""
        self.message.email_normalized = "juergen@xn--mller-kse-12a1x.example"
        for written in ("juergen@müller-käse.example", "JUERGEN@Müller-Käse.example"):
            with self.env.cr.savepoint() as savepoint:
                template = POSTFIX.replace("us-ascii", "utf-8")
                self.bounce(template, UNKNOWN, person=written)
                self.assertEqual(self.message.reason, "bounced_hard")
                self.assertEqual(
                    self.suppressed(), ["juergen@xn--mller-kse-12a1x.example"]
                )
                savepoint.rollback()
                self.env.invalidate_all()

    def test_machines_end_nothing(self):
        run = self.message.enrollment_id
        for subject, headers in (
            ("Automatische Antwort: x", "X-Auto-Response-Suppress: All\n"),
            ("自动回复: x", ""),
            ("x", "X-Autogenerated: Reply\n"),
            ("Automatikus válasz: x", ""),
        ):
            self.receive(REPLY, body="Bis Montag", subject=subject, headers=headers)
        self.assertEqual(self.events, [])
        self.assertNotEqual(run.state, "stopped")

    def test_in_other_words(self):
        """Who asks for no more is unsubscribed; what may be an objection is kept for a
        person to read."""
        self.receive(REPLY, body="How did you get my address?")
        self.receive(REPLY, body="Do you have it in red?")
        replies = self.env["marketing.reply"].search([], order="id")
        self.assertEqual(replies.mapped("kind"), ["objection", "other"])
        self.assertEqual(replies.mapped("state"), ["new", "new"])
        self.assertEqual(replies.partner_id, self.customer)
        self.assertEqual(self.suppressed(), [])
        self.receive(REPLY, body="Please unsubscribe me.")
        self.assertEqual(self.suppressed(), ["anna@example.com"])
        reply = self.env["marketing.reply"].search([])[0]
        self.assertEqual((reply.kind, reply.state), ("unsubscribed", "handled"))

    def test_links_in_quotes(self):
        """Odoo's record of the answer has no link of the recipient's own."""
        self.message.token = "0123456789abcdef" * 2
        link = f"https://a.example/marketing/unsubscribe/{self.message.token}"
        self.receive(REPLY, body=f"Thanks!\n\n{link}")
        [kept] = self.replies()
        self.assertIn("/marketing/unsubscribe/preview", kept.body)
        self.assertNotIn(self.message.token, kept.body)

    def test_stop(self):
        for body, subject in (
            ("STOP", "Re: x"),
            ("Bitte abmelden", "Re: x"),
            ("Stop. Thank you", "Re: x"),
            ("Leiratkozás.\n\nAnna Smith", "Re: x"),
            ("", "Unsubscribe"),
        ):
            with self.subTest(body=body), self.env.cr.savepoint() as savepoint:
                self.events.clear()
                self.receive(REPLY, body=body, subject=subject)
                (event,) = self.events
                self.assertEqual((event.kind, event.suppress), ("unsubscribe", True))
                self.assertEqual(self.suppressed(), ["anna@example.com"])
                self.assertEqual(len(self.replies()), 1)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_no_stop(self):
        for body, subject in (
            ("Please stop by on Monday", "Re: x"),
            ("Fine", "Re: STOP"),
            ("Fine", "AW: Keine Werbung, nur 20 % Rabatt"),
            ("Great\nUnsubscribe: https://a.example/x", "Re: x"),
            ("I cannot stop thinking of it", "Stop the press"),
        ):
            self.receive(REPLY, body=body, subject=subject)
        self.assertEqual([event.kind for event in self.events], ["reply"] * 5)
        self.assertEqual(self.suppressed(), [])

    def test_out_of_office(self):
        """Neither a bounce nor a reply, wherever it is sent."""
        self.receive(REPLY, body="STOP: I am away", headers=OUT_OF_OFFICE)
        self.assertEqual(len(self.replies()), 1, "Odoo routes it as ever")
        to_envelope = REPLY.replace("To: shop@", "To: bounce+%(key)s@shop.")
        self.receive(to_envelope, body="550 5.1.1 I am away", headers=OUT_OF_OFFICE)
        self.assertEqual(len(self.replies()), 1, "the bounce address takes no mail")
        self.assertEqual(self.events, [])
        self.assertEqual(self.suppressed(), [])

    def test_colleague_in_the_conversation(self):
        self.env.ref("base.user_admin").email = "admin@example.com"
        self.receive(REPLY, body="STOP", sender="admin@example.com")
        self.assertEqual(self.events, [])
        self.assertEqual(self.suppressed(), [])

    def test_other_mail(self):
        """Mail that is not about our messages goes by."""
        mail = REPLY.replace("%(key)s", "someone-else")
        self.receive(mail, body="STOP")
        self.assertEqual(self.events, [])
        self.assertEqual(len(self.replies()), 1)
