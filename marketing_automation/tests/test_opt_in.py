from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .http_common import BROWSER
from .opt_in_common import TEXT, OptInCase
from .world import create_other_shop

WATCHED = (
    "marketing_opt_in",
    "marketing_preference",
    "marketing_consent_log",
    "marketing_message",
    "mail_blacklist",
    "marketing_suppression",
)


@tagged("post_install", "-at_install")
class TestOptIn(OptInCase):
    """Only who reads the mailbox can agree, with a button."""

    def _expire(self, asked):
        asked.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.env.flush_all()

    def _let_pass(self, **delta):
        """All confirmation emails were written earlier."""
        for message in self.env["marketing.message"].search(
            [("opt_in_id", "!=", False)]
        ):
            message.scheduled_at -= timedelta(**delta)
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE marketing_message SET create_date = create_date - %s"
                " WHERE id = %s",
                [timedelta(**delta), message.id],
            )
        self.env.invalidate_all()

    # === THE WHOLE WAY ===#

    def test_from_the_box_to_the_consent(self):
        asked = self._request(lang="en_US")
        self.assertEqual(asked.state, "pending")
        self.assertEqual(asked.purpose_names, "Newsletter, Offers")
        self.assertFalse(self._said())
        [mail] = self._receive()
        self.assertEqual(mail["To"], self.address)
        self.assertIn("Please confirm", mail["Subject"])
        html = mail.get_body(("html",)).get_content()
        text = mail.get_body(("plain",)).get_content()
        for part in (html, text):
            self.assertIn("Newsletter, Offers", part)
            self.assertIn(asked._get_confirm_path(), part)
        # Neither counted nor signed: nobody else learns the address of the page.
        self.assertIn(f'href="{self.website.get_base_url()}/marketing/confirm/', html)
        self.assertEqual(asked.message_ids.state, "sent")

        link = self._find_link(mail)
        page = self._get(link)
        self.assertEqual(page.status_code, 200)
        for expected in ("Newsletter", "Offers", TEXT, self.company.name, "z…@example"):
            self.assertIn(expected, page.text)
        self.assertRegex(page.text, r'(?s)<form method="post">.*?value="confirm"')
        self.assertFalse(self._said())

        self._new_visitor()
        done = self._get(link, data={"action": "confirm"})
        self.assertIn("Thank you, this is confirmed", done.text)
        self.assertFalse(self.opener.cookies.get("session_id"))
        given = ("given", "double_opt_in")
        self.assertEqual(self._said(), {"newsletter": given, "offers": given})
        lines = self._log()
        self.assertEqual(set(lines.mapped("ip")), {"127.0.0.1"})
        self.assertEqual(lines.text_id.text, TEXT)
        self.assertEqual(asked.state, "confirmed")
        preferences = self._get(f"/marketing/preferences/{asked.message_ids.token}")
        self.assertEqual(preferences.status_code, 200)
        self.assertIn(f"/marketing/preferences/{asked.message_ids.token}", done.text)

    def test_confirms_once(self):
        asked = self._request()
        link = asked._get_confirm_path()
        for _try in range(3):
            done = self._get(link, data={"action": "confirm"})
            self.assertEqual(done.status_code, 200)
            self.assertIn("Thank you", done.text)
        self.assertEqual(len(self._log()), 2)
        # What was taken back since stays taken back.
        self.env["marketing.preference"]._record(
            self.company, "email", ["offers"], [self.address], "withdrawn", "staff"
        )
        self._get(link, data={"action": "confirm"})
        self.assertEqual(self._said()["offers"], ("withdrawn", "staff"))

    def test_looking_confirms_nothing(self):
        """Browsers, scanners, previews, mail programs that post by themselves."""
        asked = self._request()
        link = asked._get_confirm_path()
        before = self._rows(*WATCHED)
        agents = (
            BROWSER,
            "Mozilla/5.0 (compatible; Googlebot/2.1)",
            "Barracuda Sentinel (EE)",
            "Microsoft Office/16.0 (Microsoft Outlook; Pro)",
            "curl/8.0",
            "",
        )
        for agent in agents:
            for method in ("GET", "HEAD"):
                for query in ("", "?action=confirm"):
                    with self.subTest(agent=agent, method=method, query=query):
                        response = self._get(
                            link + query, method=method, headers={"User-Agent": agent}
                        )
                        self.assertEqual(response.status_code, 200)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            response = self._get(link, method=method, data={"action": "confirm"})
            self.assertIn(response.status_code, (200, 204, 404, 405))
        for data in (
            {"List-Unsubscribe": "One-Click"},
            {"action": "again"},
            {"a": "b"},
        ):
            self.assertEqual(self._get(link, data=data).status_code, 200)
        self.assertEqual(self._rows(*before), before)

    def test_wrong_tokens(self):
        asked = self._request()
        message = asked.message_ids
        before = self._rows(*WATCHED)
        for token in (
            "0" * 32,
            asked.token[:-1],
            asked.token.upper() + "A",
            message.token,
            "%00",
            "%C3%A9",
            "' OR 1=1",
        ):
            for data in (None, {"action": "confirm"}, {"action": "again"}):
                with self.subTest(token=token, data=data):
                    response = self._get(f"/marketing/confirm/{token}", data=data)
                    self.assertEqual(response.status_code, 404)
                    self.assertIn("This link does not work", response.text)
                    self.assertNotIn("zoe", response.text)
        # A token of a request opens no other page.
        for path in ("unsubscribe", "preferences"):
            response = self._get(f"/marketing/{path}/{asked.token}", data={"a": "b"})
            self.assertEqual(response.status_code, 404)
        self.assertEqual(self._rows(*before), before)

    def test_never_says_whose_address_it_is(self):
        asked = self._request()
        for data in (None, {"action": "confirm"}):
            response = self._get(asked._get_confirm_path(), data=data)
            self.assertNotIn(self.address, response.text)
            self.assertEqual(response.headers["Referrer-Policy"], "same-origin")
            self.assertEqual(response.headers["Cache-Control"], "no-store")

    # === EXPIRY ===#

    def test_expired(self):
        asked = self._request()
        self._expire(asked)
        link = asked._get_confirm_path()
        for data in (None, {"action": "confirm"}):
            response = self._get(link, data=data)
            self.assertEqual(response.status_code, 410)
            self.assertIn("This link has expired", response.text)
            self.assertIn("Send a new link", response.text)
        self.assertFalse(self._said())
        self._let_pass(minutes=5)
        response = self._get(link, data={"action": "again"})
        self.assertIn("look into your inbox", response.text)
        again = self.env["marketing.opt.in"].search([], limit=1)
        self.assertNotEqual(again, asked)
        self.assertNotEqual(again.token, asked.token)
        self.assertEqual(again.purposes, asked.purposes)
        self.assertEqual(again.text_id, asked.text_id)
        # The old link stays what it is; the new one works.
        self.assertEqual(self._get(link).status_code, 410)
        self._get(again._get_confirm_path(), data={"action": "confirm"})
        self.assertEqual(set(self._said()), {"newsletter", "offers"})

    # === LIMITS ===#

    def _mails(self):
        return self.env["marketing.message"].search(
            [("opt_in_id", "!=", False), ("email_normalized", "=", self.address)],
            order="id",
        )

    def test_the_same_request_within_two_minutes(self):
        self._request()
        self.assertFalse(self._request("  ZOE@Example.com "))
        self.assertEqual(len(self._mails()), 1)
        self._let_pass(minutes=3)
        self.assertFalse(self._request())
        self.assertEqual(len(self._mails()), 2)
        self.assertEqual(len(self._mails().opt_in_id), 1)

    def test_another_request_within_two_minutes(self):
        """It is not lost, it waits."""
        self._request(purposes=["newsletter"])
        second = self._request(purposes=["offers"])
        first, later = self._mails()
        self.assertEqual(later.opt_in_id, second)
        self.assertEqual(later.scheduled_at - first.scheduled_at, timedelta(minutes=2))

    def test_three_a_day(self):
        for number in range(6):
            self._request(text=f"Text {number}")
            self._let_pass(minutes=10)
        self.assertEqual(len(self._mails()), 3)
        with self._at(fields.Datetime.now() + timedelta(days=1)):
            self._request(text="Next day")
        self.assertEqual(len(self._mails()), 4)

    def test_at_once(self):
        """Two requests of one moment count the same: the second writes nothing."""
        first = self._request(purposes=["newsletter"])
        messages = self.env["marketing.message"]
        number, _due = messages._plan_opt_in(first)
        self.assertEqual(number, 0)
        key = messages._make_opt_in_key(self.address, 1)
        self.assertEqual(self._mails().dedupe_key, key)
        self.assertNotIn(self.address, key)

    def test_visitor_sees_no_difference(self):
        """Nothing is returned or raised, whoever is asked about."""
        self.env["mail.blacklist"]._add("black@example.com")
        self.env["marketing.suppression"]._add(["gone@example.com"])
        self._give_consent(self.customer, "newsletter")
        for address in (
            "black@example.com",
            "gone@example.com",
            self.customer.email,
            "nobody@example.com",
        ):
            result = self.env["marketing.opt.in"]._request(
                self.company, address, ["newsletter"], "checkout"
            )
            self.assertIsNone(result)

    def test_what_is_no_request(self):
        before = self._rows(*WATCHED)
        for address, purposes in (
            ("not an address", ["newsletter"]),
            ("", ["newsletter"]),
            ("a@example.com, b@example.com", ["newsletter"]),
            (self.address, []),
            (self.address, ["everything"]),
        ):
            self.assertFalse(self._request(address or " ", purposes))
        self.assertEqual(self._rows(*before), before)

    # === THE GATE ===#

    def test_blacklisted_person_who_asks_again(self):
        """They get this one email; confirming it is what takes them off the list."""
        self.company.consent_policy = "soft_opt_in"
        self._create_cart(self._create_customer("Zoe", self.address)).action_confirm()
        self.env["mail.blacklist"]._add(self.address)
        asked = self._request(purposes=["newsletter"])
        [mail] = self._receive()
        self.assertEqual(mail["To"], self.address)
        self.assertTrue(self._is_blacklisted())
        self._get(self._find_link(mail), data={"action": "confirm"})
        self.assertFalse(self._is_blacklisted())
        states = {purpose: said[0] for purpose, said in self._said().items()}
        self.assertEqual(states.pop("newsletter"), "given")
        self.assertEqual(set(states.values()), {"withdrawn"})
        self.assertEqual(asked.state, "confirmed")

    def _is_blacklisted(self):
        return self.env["mail.blacklist"].search_count([("email", "=", self.address)])

    def test_blacklisted_person_gets_one_a_day(self):
        """Somebody else may have entered the address of who asked to be left alone."""
        self.env["mail.blacklist"]._add(self.address)
        for number in range(4):
            self._request(text=f"Text {number}")
            self._let_pass(minutes=10)
        self.assertEqual(len(self._mails()), 1)

    def test_nothing_else_passes_the_blacklist(self):
        """Not after the request is closed, and not any other transactional email."""
        self.env["mail.blacklist"]._add(self.address)
        gate = self.env["marketing.gate"]
        asked = self._request()
        message = asked.message_ids
        self.assertIsNone(gate._decide(message)[message.id])
        self._expire(asked)
        self.assertEqual(gate._decide(message)[message.id].reason, "opted_out")
        asked.expires_at = fields.Datetime.now() + timedelta(days=1)
        self.assertIsNone(gate._decide(message)[message.id])
        asked.state = "confirmed"
        self.assertEqual(gate._decide(message)[message.id].reason, "opted_out")
        asked.state = "pending"
        message.opt_in_id = False
        self.assertEqual(gate._decide(message)[message.id].reason, "opted_out")

    def test_caps_and_quiet_hours_do_not_hold_it_back(self):
        self.company.write({"email_cap_hours": 48, "quiet_hours_email": True})
        self.company.write({"quiet_hours_from": 0.0, "quiet_hours_until": 23.99})
        self.assertTrue(self._request())
        self.assertEqual(len(self._receive()), 1)

    def test_unsubscribed_before_it_left(self):
        """Who goes on the blacklist takes back what was queued."""
        asked = self._request()
        self.env["mail.blacklist"]._add(self.address)
        self.assertEqual(asked.message_ids.state, "cancelled")

    # === TEMPLATE, LANGUAGE, COMPANY ===#

    def test_language(self):
        french = self.env["res.lang"]._activate_lang("fr_FR")
        self.website.language_ids += french
        template = self.env.ref("marketing_automation.template_opt_in")
        template.with_context(lang="fr_FR").subject = "Merci de confirmer"
        self._request(lang="fr_FR")
        [mail] = self._receive()
        self.assertEqual(mail["Subject"], "Merci de confirmer")

    def test_own_template_of_the_company(self):
        shared = self.env.ref("marketing_automation.template_opt_in")
        own = shared.copy({"company_id": self.company.id, "subject": "Our own"})
        other, _website = create_other_shop(self)
        shared.copy({"company_id": other.id})
        asked = self._request()
        self.assertEqual(asked.message_ids.template_id, own)
        own.active = False
        self._let_pass(minutes=5)
        self.assertEqual(self._request(text="2").message_ids.template_id, shared)
        # An archived one rather than none: visitors wait for this email.
        shared.active = False
        self._let_pass(minutes=5)
        self.assertEqual(self._request(text="3").message_ids.template_id, own)

    def test_without_a_template(self):
        self.env["marketing.template"].search([("context", "=", "opt_in")]).unlink()
        with self.assertLogs(
            "odoo.addons.marketing_automation.models.delivery.opt_in_queue", "ERROR"
        ):
            asked = self._request()
        self.assertFalse(asked.message_ids)

    def test_template_test_and_preview(self):
        template = self.env.ref("marketing_automation.template_opt_in")
        self.assertFalse(template.preview_error)
        self.assertIn("Newsletter, Offers", template.preview_html)
        studio = template.get_studio({"template_id": template.id})
        self.assertIn("confirm_url", [tag["name"] for tag in studio["tags"]])
        self.env.user.partner_id.email = "boss@example.com"
        template.action_send_test()
        [mail] = self._receive()
        html = mail.get_body(("html",)).get_content()
        self.assertIn("/marketing/confirm/sample", html)

    def test_request_of_another_website(self):
        company, website = create_other_shop(self)
        self.env["marketing.opt.in"]._request(
            company, self.address, ["newsletter"], "checkout", website=website
        )
        asked = self.env["marketing.opt.in"].search([], limit=1)
        link = asked._get_confirm_path()
        response = self._get(link, allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        self.assertEqual(response.headers["Location"], f"https://b.example.com{link}")
        response = self._get(link, data={"action": "confirm"})
        self.assertEqual(response.status_code, 404)
        self.assertEqual(asked.state, "pending")
        website.domain = False
        self._get(link, data={"action": "confirm"})
        preference = self.env["marketing.preference"].search(
            [("address", "=", self.address)]
        )
        self.assertEqual(preference.company_id, company)

    def test_staff_can_look_at_requests(self):
        """They see what was asked for, and cannot agree in the person's name."""
        self._request()
        action = self.env.ref("marketing_automation.action_marketing_opt_in")
        self.assertEqual(action.res_model, "marketing.opt.in")
        for view in ("list", "form", "search"):
            self.env["marketing.opt.in"].get_view(view_type=view)
