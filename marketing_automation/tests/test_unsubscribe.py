from odoo.tests import tagged

from .http_common import MarketingHttpCase

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@tagged("post_install", "-at_install")
class TestUnsubscribe(MarketingHttpCase):
    """One click ends it (RFC 8058), and nothing less than a click."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids
        self.run_ = self.cart.enrollment_ids
        self.link = f"/marketing/unsubscribe/{self.message.token}"

    def _is_blacklisted(self):
        return self.env["mail.blacklist"].search_count(
            [("email", "=", self.customer.email_normalized)]
        )

    def _assert_unsubscribed(self):
        self.assertEqual(self._is_blacklisted(), 1)
        self.assertEqual(self.run_.state, "stopped")
        self.assertEqual(self.run_.stop_reason, "opted_out")
        self.assertEqual(self.message.state, "cancelled")
        self.assertEqual(self.message.reason, "opted_out")

    def _assert_anonymous(self, response):
        for secret in (self.customer.email, self.customer.name):
            self.assertNotIn(secret, response.text)

    def test_page(self):
        """Opening the page, as scanners do, changes nothing."""
        for _try in range(2):
            response = self._get(self.link)
            self.assertEqual(response.status_code, 200)
            self.assertRegex(response.text, r'(?s)<form method="post">.*?<button')
            self._assert_anonymous(response)
        for method in ("HEAD", "OPTIONS"):
            self._get(self.link, method=method)
        self.assertFalse(self._is_blacklisted())
        self.assertEqual(self.run_.state, "active")
        self.assertEqual(self.message.state, "queued")
        self.assertFalse(self.message.engagement_ids)
        self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
        self.assertEqual(response.headers["Referrer-Policy"], "same-origin")

    def test_one_click(self):
        """A mail program posts without cookies, twice if it likes."""
        for _try in range(2):
            self._new_visitor()
            response = self._get(self.link, data=ONE_CLICK)
            self.assertEqual(response.status_code, 200)
            self.assertFalse(response.history)
            self.assertFalse(self.opener.cookies.get("session_id"))
            self._assert_anonymous(response)
            self._assert_unsubscribed()
        self.assertEqual(
            set(self.message.engagement_ids.mapped("kind")), {"unsubscribe"}
        )

    def test_button(self):
        """The page's own button, from a browser with a session."""
        self._get(self.link)
        response = self._get(self.link, method="POST")
        self.assertIn("You are unsubscribed", response.text)
        self._assert_unsubscribed()

    def test_no_more_messages(self):
        """Whatever comes later finds the address on the list."""
        self._get(self.link, data=ONE_CLICK)
        self._abandon(partner=self._create_customer("Anna", "ANNA@example.com"))
        self._process_steps()
        last = self.env["marketing.message"].search([], limit=1)
        self.assertEqual(last.email_normalized, self.customer.email_normalized)
        self.assertIn(last.state, ("skipped", "cancelled"))
        self.assertEqual(last.reason, "opted_out")

    def test_signed_up_again(self):
        """Who was taken off the list can unsubscribe once more."""
        self._get(self.link, data=ONE_CLICK)
        self.env["mail.blacklist"]._remove(self.customer.email_normalized)
        self.assertFalse(self._is_blacklisted())
        self._get(self.link, data=ONE_CLICK)
        self.assertTrue(self._is_blacklisted())

    def test_wrong_tokens(self):
        before = self._rows("mail_blacklist", "marketing_message")
        for token in ("0" * 32, self.message.token[:-1], "%00", "%C3%A9", "' OR 1=1"):
            for data in (None, ONE_CLICK):
                with self.subTest(token=token, data=data):
                    response = self._get(f"/marketing/unsubscribe/{token}", data=data)
                    self.assertEqual(response.status_code, 404)
                    self.assertIn("This link does not work", response.text)
        self.assertEqual(self._rows(*before), before)
        self.assertEqual(self.run_.state, "active")

    def test_language(self):
        """Page and button work in the visitor's language, without a redirect."""
        french = self.env["res.lang"]._activate_lang("fr_FR")
        self.website.language_ids += french
        view = self.env.ref("marketing_automation.unsubscribe_page")
        view.update_field_translations(
            "arch_db", {"fr_FR": {"You are unsubscribed": "Vous êtes désabonné"}}
        )
        page = self._get("/fr" + self.link)
        self.assertEqual(page.url, self.base_url() + "/fr" + self.link)
        self.assertIn('lang="fr-FR"', page.text)
        done = self._get("/fr" + self.link, data=ONE_CLICK)
        self.assertFalse(done.history)
        self.assertIn("Vous êtes désabonné", done.text)
        self._assert_unsubscribed()

    def test_one_click_in_another_language(self):
        """A POST is answered where it was sent, whatever the language."""
        self.website.language_ids += self.env["res.lang"]._activate_lang("fr_FR")
        headers = {"Accept-Language": "fr-FR"}
        response = self._get(self.link, data=ONE_CLICK, headers=headers)
        self.assertEqual(response.status_code, 200)
        self.assertFalse(response.history)
        self._assert_unsubscribed()
