"""One mailbox has one spelling, for everything that is keyed by it."""

import importlib.util

from odoo import fields
from odoo.tests import BaseCase, tagged
from odoo.tools import SQL, file_path

from ..models.mailbox import normalize_address
from ..providers.address import parse_mailbox
from ..tools.links import add_utm
from ..tools.mailbox import list_former_spellings
from ..tools.shop_url import tidy_base_url
from .common import MarketingCase
from .smtp_server import RecordingSmtpServer
from .test_segment_import import ImportCase

# What people and files write -> the one spelling.
SPELLINGS = {
    "ANNA@Example.com": "anna@example.com",
    " Anna Smith <Anna@Example.com> ": "anna@example.com",
    "info@käse-laden.example": "info@xn--kse-laden-v2a.example",
    "INFO@KÄSE-LADEN.EXAMPLE": "info@xn--kse-laden-v2a.example",
    "Info@ka\u0308se-laden.example": "info@xn--kse-laden-v2a.example",
    "info@XN--KSE-LADEN-V2A.Example": "info@xn--kse-laden-v2a.example",
    # Invisible signs: zero width, soft hyphen, byte order, direction, fillers.
    "zw4@example.org\u200b": "zw4@example.org",
    "\u200bx@example.org": "x@example.org",
    "x@exam\u00adple.org": "x@example.org",
    "\u202ax@example.org\u202c": "x@example.org",
    "\u2066x@example.org\u2069": "x@example.org",
    "\ufeffx@example.org": "x@example.org",
    "x@exa\u2060mple.org": "x@example.org",
    "x\u200d@exam\u200cple.org": "x@example.org",
    "x\u3164@example.org": "x@example.org",
    "x\ufe0f@example.org": "x@example.org",
    # Blanks that are none of ours, keyboards of East Asia.
    "\u00a0x@example.org\u00a0": "x@example.org",
    "x@example.org\u3000": "x@example.org",
    "x\uff20example.org": "x@example.org",
    "x\ufe6bexample.org": "x@example.org",
    "ｘ@ｅｘａｍｐｌｅ．ｏｒｇ": "x@example.org",
    "x@example。org": "x@example.org",
    # What links and texts have around an address.
    "mailto:x@example.org": "x@example.org",
    "MAILTO:x@example.org?subject=x&cc=y@example.org": "x@example.org",
    "<mailto:x@example.org>": "x@example.org",
    "x@example.org?subject=x": "x@example.org",
    "x@example.org.": "x@example.org",
    "'x@example.org'": "x@example.org",
    "x@example.org\r\n": "x@example.org",
    # Sharp s is a letter of its own (IDNA2008), and a domain of its own.
    "x@straße.example": "x@xn--strae-oqa.example",
    "x@STRAẞE.example": "x@xn--strae-oqa.example",
    "x@strasse.example": "x@strasse.example",
    # So is the i without a dot.
    "x@ıstanbul.example": "x@xn--stanbul-qfb.example",
    "x@istanbul.example": "x@istanbul.example",
    # Symbols were registered before they were forbidden.
    "x@i❤.example": "x@xn--i-7iq.example",
    "x@i❤️.example": "x@xn--i-7iq.example",
    "x@XN--I-7IQ.example": "x@xn--i-7iq.example",
    # Joiners tell words of Persian apart.
    "x@نامه\u200cای.example": "x@xn--mgba3gch31f060k.example",
    # Local parts outside ASCII are what they are, in one composition and case.
    "JÜRGEN@example.org": "jürgen@example.org",
    "ju\u0308rgen@example.org": "jürgen@example.org",
    "o'brien+tag@example.org": "o'brien+tag@example.org",
}
NO_ADDRESSES = (
    "",
    None,
    "x",
    "x@",
    "@example.org",
    "x@example.org\ny@example.org",
    "x@example.org\ry",
    "x\x00@example.org",
    "x@exam\u2028ple.org",
    "mailto:x@example.org%0aBcc:y@example.org",
    "x@example.org, y@example.org",
    "x@[192.0.2.1]",
    "x@-example.org",
    "x@example..org",
    "x@ä..org",
    f"x@{'ä' * 80}.org",
    f"{'x' * 65}@example.org",
    f"x@{'a.' * 130}org",
)


@tagged("standard", "post_install", "-at_install")
class TestSpelling(BaseCase):
    def test_one_spelling(self):
        for text, address in SPELLINGS.items():
            with self.subTest(text=text):
                self.assertEqual(normalize_address(text), address)
                # It is its own spelling, and the one that is sent to.
                self.assertEqual(normalize_address(address), address)
                self.assertEqual(parse_mailbox(address).address, address)

    def test_no_address(self):
        for text in NO_ADDRESSES:
            with self.subTest(text=text):
                self.assertFalse(normalize_address(text))

    def test_several_addresses(self):
        self.assertEqual(
            normalize_address("A@example.org, b@example.org", strict=False),
            "a@example.org",
        )

    def test_former_spellings(self):
        self.assertEqual(
            list_former_spellings("a@xn--kse-laden-v2a.example"),
            ["a@käse-laden.example"],
        )
        for address in ("a@example.org", "a@xn--i-7iq.example", "a@xn--a.example"):
            self.assertEqual(list_former_spellings(address), [])

    def test_address_of_a_shop(self):
        for url, tidy in (
            ("https://shop.example.com", "https://shop.example.com"),
            ("https://shop.example.com/", "https://shop.example.com"),
            (" HTTPS://Shop.Example.com// ", "https://shop.example.com"),
            ("https://shop.example.com/odoo/", "https://shop.example.com/odoo"),
            ("https://shop.example.com/Odoo?a#b", "https://shop.example.com/Odoo"),
            ("shop.example.com", "https://shop.example.com"),
            ("http://127.0.0.1:8069/", "http://127.0.0.1:8069"),
            ("http://[::1]:8069", "http://[::1]:8069"),
            ("https://käse-shop.example", "https://xn--kse-shop-0za.example"),
            (
                "https://KÄSE-SHOP.example:8443/",
                "https://xn--kse-shop-0za.example:8443",
            ),
            ("https://straße.example", "https://xn--strae-oqa.example"),
            ("https://\u200bshop.example.com", "https://shop.example.com"),
            ("", ""),
            (False, ""),
        ):
            with self.subTest(url=url):
                self.assertEqual(tidy_base_url(url), tidy)

    def test_marks_of_a_shop_with_an_international_domain(self):
        for url in ("https://käse.example/a", "https://XN--KSE-QLA.example/a"):
            marked = add_utm(url, {"xn--kse-qla.example"}, {"source": "x"})
            self.assertTrue(marked.endswith("?utm_source=x"), marked)


@tagged("standard", "post_install", "-at_install")
class TestMailbox(MarketingCase):
    UNICODE = "info@käse-laden.example"
    WIRE = "info@xn--kse-laden-v2a.example"

    def _send(self, partners, template=None):
        messages = self._queue_to(partners, template or self._create_contact_template())
        messages._skip_blocked()
        return messages

    def test_contacts_have_the_one_spelling(self):
        for text, address in SPELLINGS.items():
            with self.subTest(text=text):
                partner = self._create_customer("A", text)
                self.assertEqual(partner.email_normalized, address)
                contact = self.env["mailing.contact"].create({"email": text})
                self.assertEqual(contact.email_normalized, address)
        partner = self._create_customer("A", "x@example.org\ny@example.org")
        self.assertFalse(partner.email_normalized)

    def test_found_by_any_spelling(self):
        partner = self._create_customer("A", self.UNICODE)
        partners = self.env["res.partner"]
        for spelling in (self.UNICODE, self.WIRE, self.WIRE.upper()):
            for operator, value in (("=", spelling), ("in", [spelling, False])):
                domain = [
                    ("email_normalized", operator, value),
                    ("id", "=", partner.id),
                ]
                self.assertEqual(partners.search(domain), partner)
        self.assertEqual(partners.find_or_create(self.UNICODE), partner)

    def test_blacklist(self):
        """Whatever spelling is on it, and whatever spelling a contact has."""
        pairs = [(self.UNICODE, self.WIRE), (self.WIRE, self.UNICODE)]
        pairs += [("zw4@example.org\u200b", "zw4@example.org")]
        for number, (listed, known) in enumerate(pairs):
            with self.subTest(listed=listed):
                entry = self.env["mail.blacklist"]._add(listed)
                partner = self._create_customer(f"A{number}", known)
                message = self._send(partner)
                self.assertEqual(message.reason, "opted_out")
                self.assertEqual(self.env["mail.blacklist"]._add(known), entry)
                self.env["mail.blacklist"]._remove(known)
                self.assertFalse(entry.active)
                self.assertEqual(self._send(partner).state, "queued")

    def test_blacklist_stops_what_is_queued(self):
        message = self._send(self._create_customer("A", self.WIRE))
        self.env["mail.blacklist"]._add(self.UNICODE)
        self.assertEqual((message.state, message.reason), ("cancelled", "opted_out"))

    def test_mailing_list(self):
        mailing_list = self.env["mailing.list"].create({"name": "News"})
        self.env["mailing.contact"].create(
            {
                "email": self.WIRE,
                "subscription_ids": [
                    (0, 0, {"list_id": mailing_list.id, "opt_out": True})
                ],
            }
        )
        partner = self._create_customer("A", self.UNICODE)
        messages = self.env["marketing.message"]
        messages._queue_partners(
            self._create_contact_template(),
            SQL("SELECT %s", partner.id),
            self.company,
            "s",
        )
        message = messages.search([("partner_id", "=", partner.id)])
        message._skip_blocked()
        self.assertEqual(message.reason, "left_list")

    def test_consent_and_wishes(self):
        preferences = self.env["marketing.preference"]
        preferences._record(
            self.company, "email", ["offers"], [self.UNICODE], "given", "staff"
        )
        preferences._record(
            self.company, "email", ["offers"], [self.WIRE], "withdrawn", "staff"
        )
        found = preferences.search([("address", "ilike", "laden")])
        self.assertEqual((found.address, found.state), (self.WIRE, "withdrawn"))
        self.assertEqual(len(found._get_log()), 2)
        recipients = self.env["marketing.recipient"]
        first = recipients._set_wishes(self.company, [self.UNICODE], frequency="weekly")
        again = recipients._set_wishes(self.company, [self.WIRE], frequency="monthly")
        self.assertEqual(first, again)

    def test_forgotten(self):
        self.env["marketing.suppression"]._add([self.UNICODE])
        partner = self._create_customer("A", self.WIRE)
        self.assertTrue(partner.marketing_is_forgotten)
        self.assertEqual(self._send(partner).reason, "opted_out")

    def test_forgotten_under_a_former_spelling(self):
        """Of whom nothing but the digest of the other spelling is left."""
        suppressions = self.env["marketing.suppression"]
        entry = suppressions._add(["nobody@example.org"])
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_suppression SET address_hash = encode(sha256(
                          convert_to(%s || %s, 'UTF8')), 'hex') WHERE id = %s""",
                suppressions._get_address_key(),
                self.UNICODE,
                entry.id,
            )
        )
        entry.invalidate_recordset()
        partner = self._create_customer("A", self.WIRE)
        self.assertTrue(partner.marketing_is_forgotten)
        self.assertEqual(self._send(partner).reason, "opted_out")
        # Who agrees again is not found under the former one.
        suppressions._remove([self.WIRE])
        self.assertFalse(suppressions._find_addresses([self.WIRE]))

    def test_each_address_once(self):
        partners = self._create_customer("A", self.UNICODE)
        partners |= self._create_customer("B", self.WIRE.upper())
        partners |= self._create_customer("C", "\u200b" + self.UNICODE)
        self.assertEqual(len(self._send(partners)), 1)

    def test_frequency_cap(self):
        self.company.email_cap_hours = 24
        first = self._send(self._create_customer("A", self.UNICODE))
        first._set_state("sending")
        first._set_state("sent")
        first.sent_at = fields.Datetime.now()
        second = self._send(self._create_customer("B", self.WIRE))
        self.assertEqual(second.reason, "frequency_cap")

    def test_one_recovery_per_person(self):
        first = self._abandon(self._create_customer("A", self.UNICODE))
        second = self._abandon(self._create_customer("B", self.WIRE))
        self.assertEqual(first.email_normalized, self.WIRE)
        self.assertTrue(first.enrollment_ids)
        self.assertFalse(second.enrollment_ids)

    def test_coupon_is_the_person_s(self):
        card = self.env["loyalty.card"].new({"marketing_email": self.WIRE})
        order = self._create_cart(self._create_customer("A", self.UNICODE))
        self.assertTrue(order._is_coupon_holder(card, True))

    def test_envelope(self):
        server = self.enterContext(RecordingSmtpServer())
        partner = self._create_customer("A", "\u202aInfo@KÄSE-laden.example\u202c")
        with self._use_smtp(server.port):
            message = self._send(partner)
            self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(message.state, "sent")
        self.assertEqual(server.recipients, [self.WIRE])

    def test_links_of_a_shop_with_an_international_domain(self):
        """Headers and links are in ASCII: one click needs the address as it is."""
        server = self.enterContext(RecordingSmtpServer())
        self.website.domain = "https://Käse-shop.example"
        with self._use_smtp(server.port):
            message = self._send(self.customer)
            self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        base = "https://xn--kse-shop-0za.example"
        self.assertEqual(
            server.parsed()["List-Unsubscribe"],
            f"<{base}/marketing/unsubscribe/{message.token}>",
        )
        raw = server.messages[-1][2]
        self.assertIn(b"List-Unsubscribe: <https://xn--kse-shop-0za", raw)
        html = server.parsed().get_body(("html",)).get_content()
        for path in ("/marketing/click/", "/marketing/open/"):
            self.assertIn(f"{base}{path}", html)
        self.assertNotIn("Käse-shop", html)
        cart = self._abandon()
        contexts = self.env["marketing.template.context"]
        values = contexts._prepare_cart_values(cart, self.website)
        self.assertTrue(values["recovery_url"].startswith(f"{base}/shop/cart/"))
        provider = self.env["marketing.provider"].create(
            {
                "name": "T",
                "kind": "twilio",
                "channel": "sms",
                "company_id": self.company.id,
            }
        )
        self.assertTrue(provider.webhook_url.startswith(f"{base}/marketing/webhook/"))

    def test_slash_behind_the_address_of_odoo(self):
        self.website.domain = False
        for url in ("https://shop.example.com/", " HTTPS://Shop.example.com "):
            self.env["ir.config_parameter"].set_param("web.base.url", url)
            message = self._queue_to(self.customer, self._create_contact_template())
            self.assertEqual(message._get_base_url(), "https://shop.example.com")

    def test_addresses_that_were_there_before(self):
        """An upgrade, and an installation, give them their one spelling."""
        partner = self._create_customer("A", self.UNICODE)
        other = self._create_customer("B", "x@example.org?subject=x")
        entry = self.env["mail.blacklist"]._add(self.UNICODE)
        double = self.env["mail.blacklist"]._add("double@example.org")
        self.env.flush_all()
        for table, column, value, record in (
            ("res_partner", "email_normalized", self.UNICODE, partner),
            ("res_partner", "email_normalized", "x@example.org?subject=x", other),
            ("mail_blacklist", "email", self.UNICODE, entry),
            ("mail_blacklist", "email", "double@example.org\u200b", double),
        ):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    value,
                    record.id,
                )
            )
        self.env.invalidate_all()
        self.env["res.partner"].init()
        self.env["mail.blacklist"].init()
        self.env.invalidate_all()
        self.assertEqual(partner.email_normalized, self.WIRE)
        self.assertEqual(other.email_normalized, "x@example.org")
        self.assertEqual(entry.email, self.WIRE)
        self.assertEqual(double.email, "double@example.org")

    def test_what_was_kept_before_is_written_again(self):
        """Of a refusal and a consent under two spellings the refusal counts; the log
        is found by the one spelling, with all its lines."""
        preferences = self.env["marketing.preference"]
        partner = self._create_customer("A", self.UNICODE)
        run_cart = self._abandon(partner)
        message = self._send(partner)
        for purpose, state in (("offers", "withdrawn"), ("newsletter", "given")):
            preferences._record(
                self.company, "email", [purpose], ["former@example.org"], state, "staff"
            )
        preferences._record(
            self.company, "email", ["offers"], [self.WIRE], "given", "staff"
        )
        self.env.flush_all()
        for table, column, which in (
            ("marketing_message", "email_normalized", message),
            ("abandoned_cart", "email_normalized", run_cart),
            ("marketing_enrollment", "email_normalized", run_cart.enrollment_ids),
            (
                "marketing_preference",
                "address",
                preferences.search([("address", "=", "former@example.org")]),
            ),
        ):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    self.UNICODE,
                    which.ids,
                )
            )
        self.env.invalidate_all()
        load_script("migrations/19.0.1.6.0/post-mailboxes.py").migrate(
            self.env.cr, "19.0.1.5.0"
        )
        self.env.invalidate_all()
        self.assertEqual(message.email_normalized, self.WIRE)
        self.assertEqual(run_cart.email_normalized, self.WIRE)
        self.assertEqual(run_cart.enrollment_ids.email_normalized, self.WIRE)
        kept = preferences.search([("address", "ilike", "laden")])
        self.assertEqual(set(kept.mapped("address")), {self.WIRE})
        self.assertEqual(
            dict(kept.mapped(lambda entry: (entry.purpose, entry.state))),
            {"offers": "withdrawn", "newsletter": "given"},
        )
        offers = kept.filtered(lambda entry: entry.purpose == "offers")
        self.assertEqual(set(offers._get_log().mapped("state")), {"given", "withdrawn"})


@tagged("standard", "post_install", "-at_install")
class TestAddressMigration(MarketingCase):
    def _migrate(self, name):
        self.env.flush_all()
        script = load_script(f"migrations/19.0.1.6.0/{name}.py")
        script.migrate(self.env.cr, "19.0.1.5.0")
        self.env.invalidate_all()

    def test_carts_with_a_typed_address(self):
        nobody = self.website.user_id.partner_id
        order = self._create_cart(
            nobody,
            typed_email="g@example.com",
            typed_email_normalized="g@example.com",
        )
        own = self._abandon()
        self._detect()
        cart = order.abandoned_cart_id
        self.assertTrue(cart.is_typed)
        (cart | own).write({"is_typed": False, "customer_name": "Lent"})
        self._migrate("post-typed-carts")
        self.assertEqual((cart.is_typed, cart.customer_name), (True, False))
        self.assertEqual((own.is_typed, own.customer_name), (False, "Lent"))

    def test_requests_are_counted_by_mailbox(self):
        self.env["marketing.opt.in"]._request(
            self.company, "a.b+c@gmail.com", ["offers"], "checkout"
        )
        asked = self.env["marketing.opt.in"].search([], order="id desc", limit=1)
        asked.folded_address = False
        self._migrate("post-opt-in")
        self.assertEqual(asked.folded_address, "ab@gmail.com")

    def test_shops_keep_the_countries_they_sell_to(self):
        self.customer.country_id = self.env.ref("base.be")
        self._create_cart().action_confirm()
        self.company.sms_country_ids = False
        for _repetition in range(2):
            self._migrate("post-sms-countries")
        countries = self.company.sms_country_ids
        self.assertIn(self.env.ref("base.be"), countries)
        self.assertIn(self.company.country_id, countries)


def load_script(path):
    """Return a migration script as a module."""
    path = file_path(f"marketing_automation/{path}")
    spec = importlib.util.spec_from_file_location("script", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@tagged("standard", "post_install", "-at_install")
class TestMailboxImport(ImportCase):
    def test_one_person_for_each_mailbox(self):
        """Files are cleaned; what has two spellings is one person."""
        known = self._create_customer("Known", "info@käse-laden.example")
        wizard = self._import(
            [
                "Email,Name",
                "info@xn--kse-laden-v2a.example,Known",
                "INFO@KÄSE-LADEN.example,Known again",
                "\u200bx@example.org,X",
                "x@exam\u00adple.org,X",
                "\ufeffx@example.org,X",
                "\u202ax@example.org\u202c,X",
                "x@example.org?subject=x,X",
                "mailto:y@example.org,Y",
                "not\u200ban address,Z",
            ]
        )
        people = self._members().partner_id
        self.assertIn(known, people)
        self.assertEqual(
            sorted(people.mapped("email_normalized")),
            ["info@xn--kse-laden-v2a.example", "x@example.org", "y@example.org"],
        )
        new = people - known
        self.assertEqual(
            sorted(new.mapped("email")), ["x@example.org", "y@example.org"]
        )
        self.assertEqual(
            [row[3] for row in self._read_report(wizard) if row[0] == "10"],
            ["Not an email address"],
        )
