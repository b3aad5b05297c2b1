import functools
import re
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import urlencode

from odoo import fields
from odoo.tests import tagged

from odoo.addons.marketing_automation.models.audience.preference_page import (
    mask_address,
)
from odoo.addons.marketing_automation.models.audience.purposes import PURPOSES

from .http_common import MarketingHttpCase
from .world import create_other_shop

PHONE = "+32470123456"
CODES = [code for code, _label in PURPOSES]
CHANNELS = ("email", "sms")
_BOX = re.compile(r"<input\b[^>]*\bname=\"choice\"[^>]*>")
_VALUE = re.compile(r'\bvalue="([^"]*)"')


class PreferenceCase(MarketingHttpCase):
    """What the page says, read without a browser: it works without JavaScript."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.company.consent_policy = "opt_in"
        self.customer.phone = PHONE
        self.email = self.customer.email_normalized
        self.template = self._create_contact_template(category="transactional")
        self.message = self._queue_to_alone(self.customer)
        self.link = self._link(self.message)

    def _queue_to_alone(self, partner, template=None):
        """Queue a message without giving consent to anything."""
        with patch.object(type(self), "_give_consent"):
            message = self._queue_to(partner, template or self.template)
        message.token = f"{message.id:032x}"
        self.env.flush_all()
        return message

    def _link(self, message):
        return f"/marketing/preferences/{message.token}"

    def _read(self, response):
        """Return the keys of all boxes of a page, and of those that are ticked."""
        boxes = _BOX.findall(response.text)
        keys = [_VALUE.search(box)[1] for box in boxes]
        ticked = {
            key for key, box in zip(keys, boxes, strict=True) if " checked" in box
        }
        return keys, ticked

    def _post(self, *keys, link=None, **vals):
        """Send the form as a browser without JavaScript does."""
        data = {
            "channel": ["email", "sms"],
            "choice": list(keys),
            "frequency": "normal",
            "action": "save",
            **vals,
        }
        return self._get(
            link or self.link,
            data=urlencode(data, doseq=True),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    def _said(self, **filters):
        """Return what is recorded: state by channel and purpose."""
        domain = [("address", "in", (self.email, PHONE))]
        domain += [(name, "=", value) for name, value in filters.items()]
        return {
            (preference.channel, preference.purpose): preference.state
            for preference in self.env["marketing.preference"].search(domain)
        }

    def _log(self):
        return self.env["marketing.consent.log"].search(
            [
                (
                    "address_hash",
                    "in",
                    self.env["marketing.suppression"]._hash([self.email, PHONE]),
                )
            ],
            order="id",
        )

    def _may_be_written_to(self, channel, purpose):
        """Ask the gate, which decides in the end."""
        estimate = self.env["marketing.gate"]._estimate(
            self.env["res.partner"]._search([("id", "=", self.customer.id)]).select(),
            self.company,
            channel,
            purpose,
        )
        return estimate == {None: 1}


@tagged("post_install", "-at_install")
class TestPreferencePage(PreferenceCase):
    """Everybody decides what they receive; looking changes nothing."""

    def test_shows_every_choice_once(self):
        response = self._get(self.link)
        keys, ticked = self._read(response)
        self.assertEqual(
            sorted(keys),
            sorted(f"{channel}:{code}" for code in CODES for channel in CHANNELS),
        )
        self.assertFalse(ticked)
        for label in dict(PURPOSES).values():
            self.assertIn(label, response.text)

    def test_no_number_no_sms(self):
        self.customer.phone = False
        keys, _ticked = self._read(self._get(self.link))
        self.assertEqual(sorted(keys), sorted(f"email:{code}" for code in CODES))

    def test_number_of_somebody_else(self):
        """The contact has another address by now: its number is not this person's."""
        self.customer.email = "new@example.com"
        response = self._get(self.link)
        self.assertFalse([key for key in self._read(response)[0] if "sms" in key])
        self._post("sms:offers")
        self.assertFalse(self._said())

    def test_page_and_gate_agree(self):
        """Each policy, purpose, channel, and what was said: the page shows what is."""
        bought = self._create_cart()
        bought.action_confirm()
        for policy in ("opt_in", "soft_opt_in"):
            self.company.consent_policy = policy
            for state in (None, "given", "withdrawn"):
                if state:
                    for channel, address in (("email", self.email), ("sms", PHONE)):
                        self.env["marketing.preference"]._record(
                            self.company, channel, CODES, [address], state, "staff"
                        )
                response = self._get(self.link)
                keys, ticked = self._read(response)
                for key in keys:
                    channel, _colon, purpose = key.partition(":")
                    with self.subTest(policy=policy, state=state, key=key):
                        expected = state == "given" or (
                            not state and policy == "soft_opt_in"
                        )
                        self.assertEqual(key in ticked, expected)
                        self.assertEqual(
                            self._may_be_written_to(channel, purpose), expected
                        )
                is_assumed = policy == "soft_opt_in" and not state
                noted = "because you are our customer" in response.text
                self.assertEqual(noted, is_assumed)
            self.env["marketing.preference"].search([]).unlink()

    def test_soft_opt_in_without_an_order(self):
        """Who only left a cart hears of that cart alone."""
        self.company.consent_policy = "soft_opt_in"
        response = self._get(self.link)
        self.assertEqual(self._read(response)[1], {"email:cart", "sms:cart"})
        self.assertIn("because you gave us your address", response.text)

    def test_saves_what_changed(self):
        response = self._post("email:newsletter", "sms:cart")
        self.assertEqual(response.status_code, 200)
        self.assertIn("Your choices are saved", response.text)
        self.assertEqual(self._read(response)[1], {"email:newsletter", "sms:cart"})
        self.assertEqual(
            self._said(),
            {("email", "newsletter"): "given", ("sms", "cart"): "given"},
        )
        lines = self._log()
        self.assertEqual(set(lines.mapped("source")), {"preference_page"})
        self.assertEqual(set(lines.mapped("ip")), {"127.0.0.1"})
        text = lines.filtered(lambda line: line.channel == "email").text_id.text
        self.assertIn(self.company.name, text)
        self.assertIn("Newsletter (Email). What is new with us", text)
        self.assertTrue(self._may_be_written_to("email", "newsletter"))
        self.assertFalse(self._may_be_written_to("email", "cart"))
        # The same once more says nothing new.
        self._post("email:newsletter", "sms:cart")
        self.assertEqual(self._log(), lines)
        self._post("email:newsletter")
        self.assertEqual(self._said()["sms", "cart"], "withdrawn")
        self.assertEqual(len(self._log()), 3)

    def test_assumed_consent_stays_assumed(self):
        """A customer who changes one thing has said nothing about the others."""
        self._create_cart().action_confirm()
        self.company.consent_policy = "soft_opt_in"
        everything = {f"{c}:{p}" for c in ("email", "sms") for p in CODES}
        self._post(*everything - {"sms:offers"})
        self.assertEqual(self._said(), {("sms", "offers"): "withdrawn"})
        response = self._get(self.link)
        self.assertEqual(self._read(response)[1], everything - {"sms:offers"})
        self.assertIn("because you are our customer", response.text)

    def test_channels_not_shown_are_not_withdrawn(self):
        """The number became known while the page was open."""
        self._give_consent(self.customer, "offers", "sms")
        self._post("email:offers", channel=["email"])
        self.assertEqual(
            self._said(), {("email", "offers"): "given", ("sms", "offers"): "given"}
        )

    def test_queued_messages_are_taken_back(self):
        self._give_consent(self.customer, "newsletter")
        news = self._create_contact_template(purpose="newsletter")
        queued = self._queue_to(self.customer, news)
        self._post()
        self.assertEqual((queued.state, queued.reason), ("cancelled", "withdrawn"))

    # === SUPPRESSED ===#

    def _blacklisted(self):
        emails = self.env["mail.blacklist"].search([("email", "=", self.email)])
        numbers = self.env["phone.blacklist"].search([("number", "=", PHONE)])
        return {*emails.mapped("email"), *numbers.mapped("number")}

    def _assert_lifted(self):
        response = self._get(self.link)
        self.assertFalse(self._read(response)[1])
        self.assertIn("You are unsubscribed: ", response.text)
        self._post("email:newsletter")
        self.assertEqual(
            {pair for pair, state in self._said().items() if state == "given"},
            {("email", "newsletter")},
        )
        for purpose in CODES:
            for channel in CHANNELS:
                self.assertEqual(
                    self._may_be_written_to(channel, purpose),
                    (channel, purpose) == ("email", "newsletter"),
                )

    def test_blacklisted(self):
        """They get what they tick, and no policy adds anything to it."""
        self._create_cart().action_confirm()
        self.company.consent_policy = "soft_opt_in"
        self._give_consent(self.customer, "offers")
        self.env["mail.blacklist"]._add(self.email)
        self.env["phone.blacklist"]._add([PHONE])
        self._assert_lifted()
        self.assertEqual(self._blacklisted(), {PHONE})

    def test_forgotten(self):
        self.env["marketing.suppression"]._add([self.email, PHONE])
        self._assert_lifted()

    def test_nothing_ticked_lifts_nothing(self):
        self.env["mail.blacklist"]._add(self.email)
        before = self._rows("marketing_preference", "marketing_consent_log")
        self._post()
        self.assertEqual(self._rows(*before), before)
        self.assertEqual(self._blacklisted(), {self.email})

    def test_unsubscribe_from_everything(self):
        self._give_consent(self.customer, "offers")
        self._give_consent(self.customer, "cart", "sms")
        for _try in range(2):
            response = self._post("email:offers", action="unsubscribe")
            self.assertIn("unsubscribed from everything", response.text)
            self.assertFalse(self._read(response)[1])
        self.assertEqual(
            self._said(),
            {(c, p): "withdrawn" for c in ("email", "sms") for p in CODES},
        )
        self.assertEqual(self._blacklisted(), {self.email, PHONE})
        kinds = self.message.engagement_ids.mapped("kind")
        self.assertEqual(set(kinds), {"unsubscribe"})

    def test_left_a_mailing_list(self):
        """The list's opt-out counts until the person says otherwise here."""
        self._give_consent(self.customer, "newsletter")
        self._opt_out_of_list()
        self.assertFalse(self._read(self._get(self.link))[1])
        self._post("email:newsletter")
        self.assertTrue(self._may_be_written_to("email", "newsletter"))

    def _opt_out_of_list(self):
        contact = self.env["mailing.contact"].create({"email": self.email})
        mailing_list = self.env["mailing.list"].create({"name": "News"})
        with self._at(fields.Datetime.now() - timedelta(minutes=1)):
            subscription = self.env["mailing.subscription"].create(
                {"contact_id": contact.id, "list_id": mailing_list.id}
            )
        subscription.opt_out = True
        subscription.opt_out_datetime = fields.Datetime.now()
        preference = self.env["marketing.preference"].search(
            [("address", "=", self.email)]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE marketing_preference SET changed_at = changed_at - interval '1 h'"
            " WHERE id = ANY(%s)",
            [preference.ids],
        )
        self.env.invalidate_all()

    # === HOW OFTEN, LANGUAGE ===#

    def _wishes(self):
        return self.env["marketing.recipient"].search(
            [("address", "in", (self.email, PHONE))]
        )

    def test_frequency(self):
        self._post(frequency="weekly")
        self.assertEqual(self._wishes().mapped("frequency"), ["weekly", "weekly"])
        self.assertRegex(self._get(self.link).text, r'value="weekly"[^>]* checked')
        self._post(frequency="hourly")
        self.assertEqual(self._wishes().mapped("frequency"), ["weekly", "weekly"])

    def test_pause(self):
        self._post(pause="on")
        until = self._wishes().mapped("paused_until")
        self.assertAlmostEqual(
            until[0],
            fields.Datetime.now() + timedelta(days=30),
            delta=timedelta(minutes=2),
        )
        self.assertIn("nothing until", self._get(self.link).text)
        # Saving something else does not make it longer.
        self._post("email:offers", pause="on")
        self.assertEqual(self._wishes().mapped("paused_until"), until)
        self._post("email:offers")
        self.assertFalse(any(self._wishes().mapped("paused_until")))

    def test_no_wish_no_row(self):
        self._post("email:offers", lang="en_US")
        self.assertFalse(self._wishes())

    def test_language(self):
        self.assertNotIn('name="lang"', self._get(self.link).text)
        french = self.env["res.lang"]._activate_lang("fr_FR")
        german = self.env["res.lang"]._activate_lang("de_DE")
        self.website.language_ids += french
        page = self._get(self.link).text
        self.assertIn('value="fr_FR"', page)
        self.assertNotIn('value="de_DE"', page)
        self._post(lang=german.code)
        self.assertFalse(self._wishes())
        self._post(lang="fr_FR")
        self.assertEqual(self._wishes().mapped("lang"), ["fr_FR", "fr_FR"])
        queued = self._queue_to(self.customer, self._create_contact_template())
        self.assertEqual(queued.lang, "fr_FR")
        cart = self._abandon()
        self._process_steps()
        self.assertEqual(cart.message_ids.lang, "fr_FR")

    # === SECURITY ===#

    def test_looking_changes_nothing(self):
        before = self._rows(*self._watched())
        for method in ("GET", "HEAD"):
            response = self._get(
                f"{self.link}?action=unsubscribe&choice=email:offers", method=method
            )
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["X-Robots-Tag"], "noindex")
            self.assertEqual(response.headers["Cache-Control"], "no-store")
            self.assertEqual(response.headers["Referrer-Policy"], "same-origin")
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            data = {"action": "unsubscribe"}
            response = self._get(self.link, method=method, data=data)
            self.assertIn(response.status_code, (200, 204, 404, 405))
        # A mail program that posts to everything, a form without its button.
        for data in ({"List-Unsubscribe": "One-Click"}, {"choice": "email:offers"}):
            self.assertEqual(self._get(self.link, data=data).status_code, 200)
        self.assertEqual(self._rows(*before), before)

    def _watched(self):
        return (
            "marketing_preference",
            "marketing_consent_log",
            "marketing_recipient",
            "marketing_message",
            "marketing_engagement",
            "mail_blacklist",
            "phone_blacklist",
        )

    def test_wrong_tokens(self):
        before = self._rows(*self._watched())
        unknown = self._get("/marketing/unsubscribe/" + "0" * 32).text
        for token in ("0" * 32, self.message.token[:-1], "%00", "%C3%A9", "' OR 1=1"):
            for data in (None, {"action": "unsubscribe"}):
                with self.subTest(token=token, data=data):
                    response = self._get(f"/marketing/preferences/{token}", data=data)
                    self.assertEqual(response.status_code, 404)
                    self.assertIn("This link does not work", response.text)
                    self.assertEqual(self._wrap(response.text), self._wrap(unknown))
        self.assertEqual(self._rows(*before), before)

    def _wrap(self, html):
        return html.partition('id="wrap"')[2].partition("</section>")[0]

    def test_nothing_is_left_of_the_person(self):
        self.message.write({"email": False, "email_normalized": False})
        for data in (None, {"action": "unsubscribe"}):
            self.assertEqual(self._get(self.link, data=data).status_code, 404)

    def test_never_says_whose_address_it_is(self):
        secrets = (self.email, self.customer.name, PHONE, PHONE[3:], "Smith")
        for response in (
            self._get(self.link),
            self._post("email:offers", "sms:cart"),
            self._post(action="unsubscribe"),
        ):
            self.assertIn("a…@example.com", response.text)
            for secret in secrets:
                self.assertNotIn(secret, response.text)
        self.assertEqual(mask_address("x@example.com"), "x…@example.com")
        self.assertEqual(mask_address(PHONE), "+3…56")

    def test_any_browser_without_a_session(self):
        self._new_visitor()
        response = self._post("email:offers")
        self.assertFalse(response.history)
        self.assertFalse(self.opener.cookies.get("session_id"))
        self.assertEqual(self._said(), {("email", "offers"): "given"})

    def test_message_of_another_website(self):
        """Its page is on its own address alone, and speaks of its own company."""
        company, website = create_other_shop(self)
        company.consent_policy = "opt_in"
        self.message.website_id = website
        self.message.company_id = company
        response = self._get(self.link, allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        self.assertEqual(
            response.headers["Location"], f"https://b.example.com{self.link}"
        )
        self.assertEqual(self._post("email:offers").status_code, 404)
        self.assertFalse(self._said())
        website.domain = False
        self.assertIn("Company B", self._get(self.link).text)
        self._post("email:offers")
        self.assertEqual(
            self._said(company_id=company.id), {("email", "offers"): "given"}
        )
        self.assertFalse(self._said(company_id=self.company.id))

    def test_text_message(self):
        """Who holds a number decides about that number alone."""
        sms = self._create_contact_template(
            channel="sms", body_sms="Hi", category="transactional"
        )
        message = self._queue_to_alone(self.customer, sms)
        response = self._get(self._link(message))
        self.assertEqual(sorted(self._read(response)[0])[0], "sms:back_in_stock")
        self._post("email:offers", "sms:offers", link=self._link(message))
        self.assertEqual(self._said(), {("sms", "offers"): "given"})

    def test_link_in_the_footer_of_emails(self):
        """Next to unsubscribing; neither counted nor signed, nobody else learns it."""
        self.company.consent_policy = "soft_opt_in"
        contact = self._create_contact_template(
            purpose="cart",
            body_html='{% extends "layout" %}{% block content %}Hi{% endblock %}',
        )
        newsletter = self._queue_to(self.customer, contact)
        self._abandon()
        self._process_steps()
        cart = self.env["marketing.message"].search([], limit=1)
        self.assertTrue(cart.abandoned_cart_id)
        composer = self.env["marketing.composer"]
        for message in (newsletter, cart):
            message.token = message.token or f"{message.id:032x}"
            [email] = composer._compose(message, self.smtp, "shop@example.com")
            link = message._get_preferences_url()
            values = email.substitutions.items()
            html, text = (
                functools.reduce(lambda part, pair: part.replace(*pair), values, part)
                for part in (email.html, email.text)
            )
            self.assertIn(f'href="{link}"', html)
            self.assertIn(f"Preferences: {link}", text)
            self.assertLess(html.index(link), html.index("/marketing/unsubscribe/"))

    def test_unsubscribe_page_offers_less(self):
        response = self._get(f"/marketing/unsubscribe/{self.message.token}")
        self.assertIn(f'href="{self.link}"', response.text)
        self.assertIn("Get less instead", response.text)
