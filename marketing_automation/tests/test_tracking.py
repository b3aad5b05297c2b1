from urllib.parse import quote

from odoo.tests import tagged

from ..tools import links
from .http_common import MarketingHttpCase

TARGET = "https://shop.example.com/shop/cart/recover/abc?x=1&y=ü#top"


@tagged("post_install", "-at_install")
class TestTracking(MarketingHttpCase):
    """The signed click redirect."""

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids

    def _sign(self, url, token=None):
        secret = self.env["marketing.engagement"]._get_link_secret()
        return links.sign_link(secret, token or self.message.token, url)

    def _click(self, url=TARGET, token=None, signature=None, **kwargs):
        token = token or self.message.token
        return self._get(
            f"/marketing/click/{token}?u={quote(url, safe='')}"
            f"&s={self._sign(url, token) if signature is None else signature}",
            allow_redirects=False,
            **kwargs,
        )

    def test_click(self):
        """Each click is counted and leads where the link said, without a cookie."""
        for count in (1, 2):
            response = self._click()
            self.assertEqual(response.status_code, 302)
            self.assertURLEqual(
                response.headers["Location"].replace("%C3%BC", "ü"), TARGET
            )
            self.assertEqual(self.message.click_count, count)
        engagement = self.message.engagement_ids[0]
        self.assertEqual(engagement.kind, "click")
        self.assertEqual(engagement.url, TARGET)
        self.assertIn("Chrome", engagement.user_agent)
        self.assertFalse(engagement.is_machine)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)
        self.assertFalse(self.opener.cookies.get("session_id"))

    def test_click_of_a_visitor(self):
        """A session that is there already stays as it is."""
        self._get("/shop")
        before = self.opener.cookies["session_id"]
        self.assertNotIn("Set-Cookie", self._click().headers)
        self.assertEqual(self.opener.cookies["session_id"], before)

    def test_links_of_a_message(self):
        """The links that are really sent pass."""
        path = self.cart._get_recovery_path()
        body = self.message._wrap_links(
            f'<a href="{self.base_url()}{path}?a=1&amp;b=2">x</a>'
        )
        url = body.split('href="')[1].split('"')[0].replace("&amp;", "&")
        url = url.replace(self.message._get_base_url(), self.base_url())
        response = self._get(url, allow_redirects=False)
        self.assertEqual(
            response.headers["Location"], f"{self.base_url()}{path}?a=1&b=2"
        )

    def test_tampered(self):
        """What we did not sign for this message is a page that does not exist."""
        other = self._abandon(partner=self._create_customer("Bo", "bo@example.com"))
        self._process_steps()
        before = self._rows("marketing_engagement")
        signature = self._sign(TARGET)
        cases = {
            "target": {"url": "https://evil.example.com", "signature": signature},
            "signature": {"signature": signature[:-1] + "0"},
            "short": {"signature": signature[:-2]},
            "empty": {"signature": ""},
            "not ascii": {"signature": "%C3%A9%F0%9F%9B%92"},
            "message": {"token": other.message_ids.token, "signature": signature},
            "unknown": {"token": "0" * 32, "signature": signature},
            "garbage": {"token": "%00%FF", "signature": signature},
        }
        for name, case in cases.items():
            with self.subTest(name):
                if name == "signature" and signature.endswith("0"):
                    case["signature"] = signature[:-1] + "1"
                response = self._click(**case)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn("Location", response.headers)
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
                response = self._click(url, signature=self._sign(TARGET))
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
        self.assertEqual(self._click(token="a" * 32).status_code, 302)
        self.assertEqual(self._rows(*before), before)

    def test_machines(self):
        """Scanners are kept but never counted."""
        requests = [
            {"method": "HEAD"},
            {"headers": {"User-Agent": "Mozilla/5.0 (compatible; Somebot/1)"}},
            {"headers": {"User-Agent": ""}},
            {"headers": {"Sec-Purpose": "prefetch"}},
        ]
        for request in requests:
            self.assertEqual(self._click(**request).status_code, 302)
        engagements = self.message.engagement_ids
        self.assertEqual(len(engagements), len(requests))
        self.assertTrue(all(engagements.mapped("is_machine")))
        self.assertEqual(self.message.click_count, 0)
        self.assertFalse(self.cart._get_last_clicked_message())

    def test_post_is_refused(self):
        response = self._click(method="POST", data={"a": "b"})
        self.assertEqual(response.status_code, 405)
        self.assertFalse(self.message.engagement_ids)
