import hashlib
import hmac
from datetime import timedelta
from html import unescape
from urllib.parse import quote, urlencode, urlsplit

from odoo import fields
from odoo.tests import tagged

from ..controllers.tracking import PIXEL
from ..tools import links
from .http_common import MarketingHttpCase

TARGET = "https://shop.example.com/shop/cart/recover/abc?x=1&y=ü#top"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
# Names, bytes and sizes that have broken servers before
HOSTILE = (
    "%00",
    "%FF%FE",
    "%F0%9F%9B%92",
    "%0D%0ASet-Cookie:%20a=b",
    "%ED%A0%80",
    "' OR 1=1--",
    "a" * 20000,
)


class TrackingCase(MarketingHttpCase):
    """A message that was sent a while ago."""

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids
        self.engagement = self.env["marketing.engagement"]
        self.secret = self.engagement._get_link_secret()

    def _sign(self, url, label="", position=1):
        return links.sign_link(self.secret, url, label, position)

    def _click_path(self, url=TARGET, label="", position=1, token=None, signature=None):
        if signature is None:
            signature = self._sign(url, label, position)
        query = {"u": url, "l": label, "p": position, "s": signature}
        return f"/marketing/click/{token or self.message.token}?{urlencode(query)}"

    def _follow(self, *args, method="GET", headers=None, data=None, **kwargs):
        """Click a link, and stay where it leads from."""
        return self._get(
            self._click_path(*args, **kwargs),
            allow_redirects=False,
            method=method,
            headers=headers,
            data=data,
        )

    def _open(self, token=None, **kwargs):
        return self._get(f"/marketing/open/{token or self.message.token}.gif", **kwargs)

    def _set_sent(self, seconds_ago):
        self.message.sent_at = fields.Datetime.now() - timedelta(seconds=seconds_ago)
        self.env.flush_all()

    def _let_pass(self, seconds):
        """Move what has happened so far into the past."""
        self.env.flush_all()
        for row in self.message.engagement_ids:
            self.env.cr.execute(
                "UPDATE marketing_engagement SET occurred_at = %s WHERE id = %s",
                (row.occurred_at - timedelta(seconds=seconds), row.id),
            )
        self.env.invalidate_all()

    def _assert_no_trace(self, response):
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
        self.assertFalse(self._cookies(response))


@tagged("post_install", "-at_install")
class TestClick(TrackingCase):
    """The signed click redirect."""

    def test_click(self):
        """Each click is counted and leads where the link said, without a cookie."""
        for count in (1, 2):
            response = self._follow(label="To your cart", position=3)
            self.assertEqual(response.status_code, 302)
            self.assertURLEqual(
                response.headers["Location"].replace("%C3%BC", "ü"), TARGET
            )
            self.assertEqual(self.message.click_count, count)
        self._assert_no_trace(response)
        click = self.message.engagement_ids[0]
        self.assertEqual(click.kind, "click")
        self.assertEqual(click.url, TARGET)
        self.assertEqual((click.label, click.position), ("To your cart", 3))
        self.assertEqual((click.device, click.client), ("desktop", "Chrome"))
        self.assertIn("Chrome", click.user_agent)
        self.assertEqual((click.is_machine, click.machine_reason), (False, False))
        self.assertEqual(click.company_id, self.message.company_id)
        self.assertFalse(click.country_id)
        self.assertFalse(set(self.opener.cookies.keys()) - {"cart_person"})

    def test_device(self):
        self._follow(headers={"User-Agent": IPHONE})
        click = self.message.engagement_ids
        self.assertEqual((click.device, click.client), ("mobile", "Safari"))

    def test_marks_of_others_set_no_cookie(self):
        """Odoo makes cookies of UTM parameters; here they belong to nobody."""
        path = self._click_path() + "&utm_source=a&utm_medium=b&utm_campaign=c"
        self._assert_no_trace(self._get(path, allow_redirects=False))
        self._assert_no_trace(self._get(path + "0", allow_redirects=False))

    def test_click_of_a_visitor(self):
        """A session that is there already stays as it is."""
        self._get("/shop")
        before = self.opener.cookies["session_id"]
        self.assertNotIn("Set-Cookie", self._follow().headers)
        self.assertEqual(self.opener.cookies["session_id"], before)

    def test_links_of_a_message(self):
        """The links that are really sent pass."""
        path = self.cart._get_recovery_path()
        body = links.wrap_links(
            f'<a href="{self.base_url()}{path}?a=1&amp;b=2">To <b>your</b> cart</a>',
            f"{self.base_url()}/marketing/click/{self.message.token}",
            self.message.env["marketing.engagement"]._get_link_secret(),
        )
        url = unescape(body.split('href="')[1].split('"')[0])
        url = url.replace(self.message._get_base_url(), self.base_url())
        response = self._get(url, allow_redirects=False)
        self.assertTrue(
            response.headers["Location"].startswith(f"{self.base_url()}{path}?a=1&b=2")
        )
        click = self.message.engagement_ids
        self.assertEqual((click.label, click.position), ("To your cart", 1))

    def test_link_of_an_older_version(self):
        """Mails that lie in inboxes have links signed for one message."""
        for token, target, status in (
            (self.message.token, TARGET, 302),
            (self.message.token, "https://evil.example.com", 404),
            ("0" * 32, TARGET, 404),
        ):
            signature = hmac.new(
                self.secret.encode(),
                f"{self.message.token}\n{TARGET}".encode(),
                hashlib.sha256,
            ).hexdigest()
            path = f"/marketing/click/{token}?u={quote(target, safe='')}&s={signature}"
            response = self._get(path, allow_redirects=False)
            self.assertEqual(response.status_code, status)
        self.assertEqual(self.message.click_count, 1)
        self.assertEqual(self.message.engagement_ids.url, TARGET)

    def test_tampered(self):
        """What we did not sign is a page that does not exist."""
        before = self._rows("marketing_engagement")
        signature = self._sign(TARGET, "Cart", 1)
        right = {"label": "Cart", "signature": signature}
        cases = {
            "target": {**right, "url": "https://evil.example.com"},
            "label": {**right, "label": "Shop"},
            "position": {**right, "position": 2},
            "same number": {**right, "position": "01"},
            "no number": {**right, "position": "x"},
            "moved": {**right, "label": f"Cart{TARGET[:1]}", "url": TARGET[1:]},
            "short": {**right, "signature": signature[:-2]},
            "changed": {**right, "signature": signature[::-1]},
            "empty": {**right, "signature": ""},
            "not ascii": {**right, "signature": "é🛒"},
            "garbage": {**right, "token": "%00%FF"},
            "no token": {**right, "token": self.message.token[:-1]},
        }
        for name, case in cases.items():
            with self.subTest(name):
                response = self._follow(**case)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn("Location", response.headers)
                self.assertIn("We do not know this link", response.text)
                self._assert_no_trace(response)
        self.assertEqual(self._rows(*before), before)

    def test_hostile_targets(self):
        """No address takes anybody away unless it was signed."""
        for url in (
            "//evil.example.com",
            "https:evil.example.com",
            "\\\\evil.example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://shop.example.com\r\nSet-Cookie: a=b",
            "https://shop.example.com@evil.example.com",
            "",
        ):
            with self.subTest(url):
                response = self._follow(url, signature=self._sign(TARGET))
                self.assertEqual(response.status_code, 404)
                self.assertNotIn("Location", response.headers)
                self.assertNotIn("Set-Cookie", response.headers)
        self.assertEqual(
            self._get(f"/marketing/click/{self.message.token}").status_code, 404
        )
        self.assertFalse(self.message.engagement_ids)

    def test_message_of_another_time(self):
        """A signed link of a message that is gone still leads to its target."""
        before = self._rows("marketing_engagement")
        self.assertEqual(self._follow(token="a" * 32).status_code, 302)
        self.assertEqual(self._rows(*before), before)

    def test_post_is_refused(self):
        response = self._follow(method="POST", data={"a": "b"})
        self.assertEqual(response.status_code, 405)
        self.assertFalse(self.message.engagement_ids)

    def test_hostile_input(self):
        """Whatever stands in an address, the answer is one we chose."""
        signature = self._sign(TARGET)
        paths = [
            path.replace("@", value)
            for value in HOSTILE
            for path in (
                "/marketing/click/@",
                f"/marketing/click/{self.message.token}?u=@&s=@",
                f"/marketing/click/{self.message.token}?u=@&l=@&p=@&s={signature}",
                "/marketing/open/@.gif",
                "/m/@",
            )
        ]
        paths += [f"/marketing/click/{self.message.token}?u&u=1&u[]=2&kind=x&url=y"]
        for path in paths:
            with self.subTest(path[:80]):
                response = self._get(path, allow_redirects=False)
                expected = (200, 404) if "/open/" in path else (404,)
                self.assertIn(response.status_code, expected)
                self.assertNotIn("Set-Cookie", response.headers)
        self.assertFalse(self.message.engagement_ids)

    def test_hostile_headers(self):
        """A hit that is recorded survives what its sender says about itself."""
        for headers in (
            {"User-Agent": "Firefox/1" + "ü" * 5000},
            {"User-Agent": b"Firefox/\x80\xff"},
            {"X-Forwarded-For": "unknown", "Accept-Language": "x" * 1000},
        ):
            self.assertEqual(self._follow(headers=headers).status_code, 302)
            self._let_pass(61)
        self.assertEqual(len(self.message.engagement_ids), 3)

    def test_repeated(self):
        """One row a link and minute, however often it is called; all are counted."""
        tables = ("marketing_engagement", "marketing_daily_change")
        tables += ("marketing_metrics_task",)

        def count():
            self.env.flush_all()
            self.env.cr.execute(
                " UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in tables)
            )
            return [rows for (rows,) in self.env.cr.fetchall()]

        self._follow(position=1)
        self._let_pass(10)
        self._follow(position=2)
        self._open()
        before = count()
        for number in range(5):
            headers = {"User-Agent": f"Firefox/{number}"}
            self._follow(position=1, headers=headers)
            self._open(headers=headers)
        self.assertEqual(count(), before)
        self.assertEqual(self.message.click_count, 7)
        self.assertEqual(self.message.open_count, 6)
        self._let_pass(61)
        self._follow(position=1)
        self._open()
        self.assertEqual(count()[0], before[0] + 2)
        self.assertEqual(self.message.click_count, 8)

    def test_unsubscribing_again_and_again(self):
        path = f"/marketing/unsubscribe/{self.message.token}"
        tables = ("marketing_engagement", "marketing_consent_log")

        def count():
            return [len(rows) for rows in self._rows(*tables).values()]

        self._get(path, data={"List-Unsubscribe": "One-Click"})
        before = count()
        for _number in range(3):
            response = self._get(path, data={"List-Unsubscribe": "One-Click"})
            self.assertEqual(response.status_code, 200)
        self.assertEqual(count(), before)
        self.assertEqual(self.message.engagement_ids.mapped("kind"), ["unsubscribe"])

    def test_scanner_again_and_again(self):
        """What is done in bursts is bounded as well."""
        for _number in range(5):
            for position in (1, 2):
                self._follow(position=position)
        rows = self.message.engagement_ids
        self.assertLessEqual(len(rows), 4)
        self.assertEqual(len(rows) + sum(rows.mapped("repeat_count")), 10)
        self.assertEqual(set(rows.mapped("machine_reason")), {"burst"})

    def test_a_person_after_a_scanner(self):
        self._follow(method="HEAD")
        self._follow()
        reasons = self.message.engagement_ids.mapped("machine_reason")
        self.assertEqual(sorted(map(bool, reasons)), [False, True])
        self.assertEqual(self.message.click_count, 1)


@tagged("post_install", "-at_install")
class TestOpen(TrackingCase):
    """The open pixel."""

    def test_open(self):
        for user_agent, device, client in (
            (None, "desktop", "Chrome"),
            ("Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "other", "Gmail"),
        ):
            headers = {"User-Agent": user_agent} if user_agent else None
            response = self._open(headers=headers)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.content, PIXEL)
            self.assertEqual(response.headers["Content-Type"], "image/gif")
            self._assert_no_trace(response)
            row = self.message.engagement_ids[0]
            self.assertEqual(
                (row.kind, row.device, row.client), ("open", device, client)
            )
            self.assertFalse(row.is_machine)
            self._let_pass(61)
        self.assertEqual(len(PIXEL), 43)
        self.assertEqual(self.message.click_count, 0)

    def test_the_picture_tells_nothing(self):
        """Right, wrong and impossible tokens look the same."""
        before = self._rows("marketing_engagement")
        for token in ("0" * 32, "a", self.cart.token, "%00", "é", "a" * 5000):
            response = self._open(token)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.content, PIXEL)
        self.assertEqual(self._rows(*before), before)

    def test_other_language(self):
        """Nobody is sent to the page of their language."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.website.language_ids |= self.env["res.lang"]._lang_get("fr_FR")
        response = self._open(headers={"Accept-Language": "fr-FR"})
        self.assertEqual(response.status_code, 200)
        self.assertFalse(response.history)
        self._assert_no_trace(response)

    def test_apple_mail_fetches_pictures_of_all_mails(self):
        self._open(headers={"User-Agent": "Mozilla/5.0"})
        row = self.message.engagement_ids
        self.assertTrue(row.is_machine)
        self.assertEqual((row.machine_reason, row.client), ("prefetch", "Apple Mail"))


@tagged("post_install", "-at_install")
class TestMachines(TrackingCase):
    """Scanners are kept but never counted."""

    def test_machines(self):
        machines = [
            ("head", {"method": "HEAD"}),
            ("prefetch", {"headers": {"Sec-Purpose": "prefetch;prerender"}}),
            ("prefetch", {"headers": {"X-Moz": "prefetch"}}),
            ("agent", {"headers": {"User-Agent": "Mozilla/5.0 (compatible; Abot/1)"}}),
            ("agent", {"headers": {"User-Agent": ""}}),
            ("agent", {"headers": {"User-Agent": "python-requests/2.31.0"}}),
            ("agent", {"headers": {"User-Agent": "Barracuda Sentinel (EE)"}}),
        ]
        for reason, request in machines:
            self.assertEqual(self._follow(**request).status_code, 302)
            self.assertEqual(self._open(**request).status_code, 200)
            rows = self.message.engagement_ids[:2]
            self.assertEqual(rows.mapped("machine_reason"), [reason, reason])
            self.assertEqual(set(rows.mapped("kind")), {"open", "click"})
            self._let_pass(61)
        engagements = self.message.engagement_ids
        self.assertEqual(len(engagements), 2 * len(machines))
        self.assertTrue(all(engagements.mapped("is_machine")))
        self.assertEqual(self.message.click_count, 0)
        self.assertFalse(self.cart._get_last_clicked_message())

    def test_faster_than_anybody_reads(self):
        for seconds, counted in ((0, False), (2, False), (4, True), (90, True)):
            with self.subTest(seconds=seconds):
                self._set_sent(seconds)
                self._open()
                self._follow()
                rows = self.message.engagement_ids[:2]
                reason = False if counted else "too_fast"
                self.assertEqual(rows.mapped("machine_reason"), [reason, reason])
                self.assertEqual(rows.mapped("is_machine"), [not counted] * 2)
                self._let_pass(61)
        self.assertEqual(self.message.click_count, 2)

    def test_message_that_is_being_handed_over(self):
        self.message.sending_at = fields.Datetime.now()
        self._follow()
        self.assertEqual(self.message.engagement_ids.machine_reason, "too_fast")

    def test_unsubscribing_is_never_too_fast(self):
        self._set_sent(0)
        self.engagement._record(self.message.token, "unsubscribe")
        self.assertFalse(self.message.engagement_ids.is_machine)

    def test_burst(self):
        """All links of a message at once: none of them was a person, nor the first."""
        self._follow(position=1)
        self.assertEqual(self.message.click_count, 1)
        self._follow("https://shop.example.com/shop", position=2)
        rows = self.message.engagement_ids
        self.assertEqual(rows.mapped("machine_reason"), ["burst", "burst"])
        self.assertEqual(self.message.click_count, 0)
        self.assertFalse(self.cart._get_last_clicked_message())

    def test_burst_of_one_address(self):
        """The picture and the button lead to the same page: two links all the same."""
        self._follow(position=1)
        self._follow(position=2)
        self.assertEqual(self.message.click_count, 0)

    def test_a_person_clicks_twice(self):
        self._follow(position=1)
        self._follow(position=1)
        self._let_pass(seconds=5)
        self._follow("https://shop.example.com/shop", position=2)
        self.assertEqual(self.message.click_count, 3)

    def test_burst_says_nothing_about_others(self):
        other = self._abandon(partner=self._create_customer("Bo", "bo@example.com"))
        self._process_steps()
        self._follow(token=other.message_ids.token)
        self._follow(position=2)
        self.assertEqual(self.message.click_count, 1)
        self.assertEqual(other.message_ids.click_count, 1)

    def test_bursts_that_were_handled_side_by_side(self):
        """Clicks in the same instant do not see each other; the next look does."""
        self._follow(position=1)
        self._follow(position=2)
        self._follow(position=2)
        self.env.cr.execute(
            """UPDATE marketing_engagement
                  SET is_machine = FALSE, machine_reason = NULL
                WHERE message_id = %s""",
            (self.message.id,),
        )
        self.env.invalidate_all()
        self.assertEqual(self.message.click_count, 3)
        self.engagement._mark_bursts(fields.Datetime.now() - timedelta(minutes=1))
        self.assertEqual(self.message.click_count, 0)


@tagged("post_install", "-at_install")
class TestShortLink(TrackingCase):
    """Links in text messages."""

    def _shorten(self, *urls):
        pairs = [(self.message.id, url) for url in urls]
        return self.env["marketing.short.link"]._shorten(pairs)

    def test_click(self):
        url = self.base_url() + self.cart._get_recovery_path() + "?a=ü#top"
        other = "https://shop.example.com/shop"
        codes = self._shorten(other, url)
        code = codes[self.message.id, url]
        self.assertRegex(code, r"^[0-9A-Za-z]{12}$")
        response = self._get(f"/m/{code}", allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        self.assertURLEqual(response.headers["Location"].replace("%C3%BC", "ü"), url)
        self._assert_no_trace(response)
        click = self.message.engagement_ids
        # Staff read it: without what opens the cart.
        shown = url.replace(self.cart.token, "preview")
        self.assertEqual((click.kind, click.url, click.position), ("click", shown, 2))
        self.assertEqual(self.message.click_count, 1)

    def test_codes(self):
        """One code for one address in one message, however often it is asked for."""
        first = self._shorten("https://a.example.com", "https://b.example.com")
        again = self._shorten("https://b.example.com", "https://b.example.com")
        self.assertEqual(len(set(first.values())), 2)
        self.assertEqual(
            again,
            {pair: code for pair, code in first.items() if "b.example" in pair[1]},
        )
        long = "https://a.example.com/?" + "x" * 5000
        self.assertIn((self.message.id, long), self._shorten(long))
        self.assertEqual(self._shorten(), {})

    def test_unknown(self):
        wrong = self._get(self._click_path(signature="x"), allow_redirects=False)
        codes = self._shorten("https://a.example.com")
        [code] = codes.values()
        for path in ("0" * 12, code.swapcase(), code + "0", code[:-1], "é", "%00"):
            response = self._get(f"/m/{path}", allow_redirects=False)
            self.assertEqual(response.status_code, 404)
            self.assertEqual(response.text, wrong.text)
            self._assert_no_trace(response)
        self.assertFalse(self.message.engagement_ids)

    def test_machines(self):
        [code] = self._shorten("https://a.example.com").values()
        self._set_sent(0)
        self._get(f"/m/{code}", allow_redirects=False)
        self._get(f"/m/{code}", allow_redirects=False, method="HEAD")
        self.assertEqual(
            self.message.engagement_ids.mapped("machine_reason"), ["head", "too_fast"]
        )

    def test_message_goes_with_its_links(self):
        [code] = self._shorten("https://a.example.com").values()
        self.cart.unlink()
        self.assertFalse(
            self.env["marketing.short.link"].search_count([("code", "=", code)])
        )


@tagged("post_install", "-at_install")
class TestSourceMarks(TrackingCase):
    """Orders that come through our links carry Odoo's own source marks."""

    def test_recovered_cart(self):
        """From the mail over the redirect and the recovery link to the filled cart."""
        self.website.domain = False
        marks = {"source": "Cart emails", "medium": "Email", "campaign": "Üdv & more"}
        host = urlsplit(self.base_url()).netloc
        link = self.base_url() + self.cart._get_recovery_path()
        url = links.add_utm(link, {host}, marks)
        self.assertNotEqual(url, link)
        response = self._get(self._click_path(url))
        self.assertEqual(response.status_code, 200)
        self.assertIn("/shop/cart", response.url)
        self.assertIn(self.product.name, response.text)
        order = self.env["sale.order"].search(
            [("restored_cart_ids", "in", self.cart.ids)]
        )
        self.assertNotEqual(order, self.cart.order_id)
        self.assertEqual(order.source_id.name, "Cart emails")
        self.assertEqual(order.medium_id.name, "Email")
        self.assertEqual(order.campaign_id.name, "Üdv & more")

    def test_wrong_recovery_link_with_marks(self):
        for token in ("0" * 32, "%00"):
            path = f"/shop/cart/recover/{token}?utm_source=a&utm_medium=%00&utm_x=1"
            self.assertEqual(self._get(path).status_code, 404)


@tagged("post_install", "-at_install")
class TestProviderEvents(TrackingCase):
    """What providers report."""

    def setUp(self):
        super().setUp()
        self.now = fields.Datetime.now()

    def _event(self, **values):
        return {
            "message_id": self.message.id,
            "kind": "open",
            "occurred_at": self.now,
            **values,
        }

    def test_events(self):
        self.env["res.country"].search([("code", "=", "HU")]).ensure_one()
        ids = self.engagement._record_events(
            [
                self._event(user_agent=IPHONE, country_code="HU"),
                self._event(kind="click", url="https://a.example.com", is_machine=True),
                self._event(kind="bounce", detail="550 5.1.1 \0no such user"),
                self._event(kind="reply", detail="x" * 2000, country_code="??"),
                self._event(kind="open", user_agent="Mozilla/5.0"),
            ]
        )
        rows = {(row.kind, row.is_machine): row for row in self.engagement.browse(ids)}
        opened, fetched = rows["open", False], rows["open", True]
        clicked = rows["click", True]
        bounced, replied = rows["bounce", False], rows["reply", False]
        self.assertEqual((opened.device, opened.client), ("mobile", "Safari"))
        self.assertEqual(opened.country_id.code, "HU")
        self.assertEqual(opened.company_id, self.message.company_id)
        self.assertFalse(opened.is_machine)
        self.assertEqual(clicked.machine_reason, "provider")
        self.assertFalse(clicked.device)
        self.assertEqual(bounced.detail, "550 5.1.1 no such user")
        self.assertEqual(len(replied.detail), 1600)
        self.assertFalse(replied.country_id)
        self.assertEqual(fetched.machine_reason, "prefetch")

    def test_once(self):
        """Providers report an event more than once, also within one request."""
        mine = {"provider_id": self.sandbox.id, "external_id": "e1"}
        theirs = {"provider_id": self.smtp.id, "external_id": "e1"}
        rows = [self._event(**mine), self._event(**mine), self._event(**theirs)]
        self.assertEqual(len(self.engagement._record_events(rows)), 2)
        self.assertEqual(self.engagement._record_events(rows), [])
        gone = self._event(message_id=0)
        self.assertEqual(self.engagement._record_events([gone]), [])
        self.assertEqual(self.engagement._record_events([]), [])
        self.assertEqual(len(self.message.engagement_ids), 2)

    def test_once_under_other_keys(self):
        """Some change the key when they repeat themselves, others have none."""
        click = {"kind": "click", "url": "https://a.example.com/1"}
        click["provider_id"] = self.sandbox.id
        repeated = [
            self._event(**click, external_id="c1"),
            self._event(**click, external_id="c1-retry"),
            self._event(**click),
        ]
        self.assertEqual(len(self.engagement._record_events(repeated)), 1)
        for event in repeated:
            again = {**event, "external_id": "c1-later"}
            self.assertEqual(self.engagement._record_events([again]), [])
        self.assertEqual(self.message.click_count, 1)
        # Other links, times and kinds are other events.
        others = [
            self._event(**{**click, "url": "https://a.example.com/2"}),
            self._event(**click, external_id="c2")
            | {"occurred_at": self.now - timedelta(seconds=1)},
            self._event(provider_id=self.sandbox.id),
            self._event(kind="unsubscribe", provider_id=self.sandbox.id),
            self._event(kind="reply", detail="a", provider_id=self.sandbox.id),
            self._event(kind="reply", detail="b", provider_id=self.sandbox.id),
        ]
        self.assertEqual(len(self.engagement._record_events(others)), 6)
        self.assertEqual(self.engagement._record_events(others), [])

    def test_a_thousand(self):
        rows = [
            self._event(
                provider_id=self.sandbox.id,
                external_id=f"e{number}",
                occurred_at=self.now - timedelta(seconds=number),
            )
            for number in range(2500)
        ]
        with self.assertQueryCount(4):
            self.assertEqual(len(self.engagement._record_events(rows)), 2500)
