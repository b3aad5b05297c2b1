import io
import json
import re
import zipfile
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.marketing_automation.models.audience.privacy.periods import PERIODS
from odoo.addons.marketing_automation.models.audience.privacy.registry import STORED
from odoo.addons.marketing_automation.providers.base import DeliveryEvent

from .common import MarketingCase
from .http_common import MarketingHttpCase
from .privacy_common import find_traces
from .smtp_server import RecordingSmtpServer
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop

EMAIL = "zelda.quorvex@example.com"
NUMBER = "+32456112233"
NAME = "Zelda Quorvex"
WORDS = (EMAIL, NUMBER, "Zelda", "Quorvex", "zelda.quorvex%40example.com")
# A confirmed order is a document of the shop's books, with its customer and mails.
BUSINESS_TABLES = {"res_partner", "mail_mail"}


class PrivacyCase(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {
                "street": "Example Street 1",
                "city": "Brussels",
                "country_id": cls.env.ref("base.be").id,
            }
        )
        cls.manager = new_test_user(cls.env, "pr_manager", groups=GROUP_MANAGER)
        cls.privacy = cls.env["marketing.privacy"]

    def _open(self, **vals):
        wizard = self.env["marketing.privacy.wizard"].with_user(self.manager)
        return wizard.create({"address": EMAIL, **vals})

    def _as_manager(self):
        return self.env["marketing.privacy"].with_user(self.manager)

    def _forget(self, address=EMAIL):
        privacy = self._as_manager()
        erased = privacy._forget(privacy._find_by_address(address))
        self.env.flush_all()
        self.env.invalidate_all()
        return erased

    def _create_guest(self, **vals):
        return self._create_customer(
            NAME, EMAIL, phone=NUMBER, country_id=self.env.ref("base.be").id, **vals
        )

    def _write_to(self, cart):
        """Send what is due about a cart through a real mail server."""
        self._process_steps()
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        return cart.message_ids

    def _live_through_everything(self, guest):
        """A cart, an email, a click, wishes, lists, visits, an unsubscription."""
        cart = self._abandon(guest)
        message = self._write_to(cart)
        self.assertEqual(message.state, "sent")
        engagement = self.env["marketing.engagement"]
        self._click(message, url=f"https://shop.example.com/?u={EMAIL}", label=NAME)
        engagement._record(message.token, "open", user_agent="Zelda's Browser")
        self.env["marketing.recipient"]._set_wishes(
            self.company, [EMAIL, NUMBER], frequency="weekly"
        )
        self._give_consent(guest, "newsletter", ip="198.51.100.7", text="I agree")
        self._give_consent(guest, "offers", "sms")
        self.env["mailing.contact"].create({"name": NAME, "email": EMAIL})
        self.env["website.visitor"].create(
            {"partner_id": guest.id, "access_token": str(guest.id)}
        )
        message._unsubscribe("Firefox", "198.51.100.7")
        self.env.flush_all()
        self.env.invalidate_all()
        return cart, message


@tagged("post_install", "-at_install")
class TestForget(PrivacyCase):
    def test_nothing_is_left_of_a_guest(self):
        guest = self._create_guest()
        cart, message = self._live_through_everything(guest)
        before = find_traces(self.env, *WORDS)
        self.assertIn("marketing_message.email_normalized", before)
        self.assertIn("marketing_engagement.url", before)
        self.assertIn("mail_blacklist.email", before)
        self._forget()
        self.assertEqual(find_traces(self.env, *WORDS), set())
        # The figures are what they were.
        self.assertEqual((message.state, message.click_count), ("sent", 1))
        self.assertEqual(cart.amount_total, 40.0)
        self.assertTrue(cart.forgotten_at)
        self.assertFalse(guest.exists())

    def test_a_customer_with_an_order_keeps_only_business_documents(self):
        customer = self._create_guest()
        cart, message = self._live_through_everything(customer)
        cart.order_id.action_confirm()
        order = cart.order_id
        self.assertEqual(order.attributed_message_id, message)
        self.env.flush_all()
        self._forget()
        tables = {place.split(".")[0] for place in find_traces(self.env, *WORDS)}
        self.assertEqual(tables, BUSINESS_TABLES)
        # The credit stays, the way to the order does not.
        self.assertFalse(order.attributed_message_id)
        self.assertEqual(message.attributed_revenue, 40.0)
        self.assertEqual(cart.recovered_amount, 40.0)
        self.assertFalse(cart.recovered_order_id)

    def test_forgetting_again_changes_nothing(self):
        self._live_through_everything(self._create_guest())
        self.assertTrue(self._forget())
        lines = self.env["marketing.consent.log"].search_count([])
        self.assertEqual(self._forget(), {})
        self.assertEqual(self.env["marketing.consent.log"].search_count([]), lines)

    def test_whoever_comes_back_by_an_import_is_not_written_to(self):
        self._create_guest()
        self._forget()
        again = self._create_guest()
        template = self._create_contact_template()
        [message] = self._queue_to(again, template)
        message._skip_blocked()
        self.assertEqual((message.state, message.reason), ("skipped", "opted_out"))
        # They come back themselves.
        self._give_consent(again, lift_suppression=True)
        [message] = self._queue_to(again, template)
        message._skip_blocked()
        self.assertEqual(message.state, "queued")

    def test_the_proof_stays(self):
        guest = self._create_guest()
        self._give_consent(guest, "newsletter", text="I agree")
        [digest] = self.env["marketing.suppression"]._hash([EMAIL])
        self._forget()
        lines = self.env["marketing.consent.log"].search(
            [("address_hash", "=", digest)], order="id"
        )
        self.assertEqual(
            lines.mapped(lambda line: (line.purpose, line.state, line.source)),
            [("newsletter", "given", "staff"), ("all", "withdrawn", "forget")],
        )

    def test_what_is_being_handed_over_is_not_forgotten(self):
        cart = self._abandon(self._create_guest())
        self._process_steps()
        cart.message_ids._set_state("sending")
        with self.assertRaisesRegex(UserError, "being handed over"):
            self._forget()
        self.assertEqual(cart.email, EMAIL)

    def test_what_runs_is_stopped(self):
        cart = self._abandon(self._create_guest())
        self._process_steps()
        message, run = cart.message_ids, cart.enrollment_ids
        self.assertEqual((message.state, run.state), ("queued", "active"))
        self._forget()
        self.assertEqual((message.state, run.state), ("cancelled", "stopped"))
        self.assertEqual(cart.state, "expired")

    def test_reports_that_come_late_bring_nobody_back(self):
        cart = self._abandon(self._create_guest())
        message = self._write_to(cart)
        event = DeliveryEvent(
            "bounced_hard",
            message.sent_at,
            uuid=message._get_key(),
            address=EMAIL,
            detail=f"550 <{EMAIL}> unknown",
            suppress=True,
        )
        self._forget()
        self.env["marketing.message"]._apply_events([event], self.smtp)
        self.assertEqual(find_traces(self.env, *WORDS), set())

    def test_others_with_the_same_number_stay(self):
        """A family shares a telephone; a cart may have changed hands."""
        self._create_guest()
        other = self._create_customer(
            "Ben Other",
            "ben@example.com",
            phone=NUMBER,
            country_id=self.env.ref("base.be").id,
        )
        cart = self._abandon(other)
        message = self._write_to(cart)
        self._forget()
        self.assertEqual(message.email, "ben@example.com")
        self.assertEqual(cart.email, "ben@example.com")
        self.assertTrue(other.exists())
        with self.assertRaisesRegex(UserError, "Several people"):
            self._create_guest()
            self._as_manager()._find_by_address(NUMBER)

    def test_the_log_says_who_did_it_and_nothing_about_whom(self):
        self._live_through_everything(self._create_guest())
        self._forget()
        log = self.env["privacy.log"].search([], order="id desc", limit=1)
        self.assertEqual(log.user_id, self.manager)
        self.assertEqual(log.anonymized_name, "Z**** Q******")
        self.assertIn("Messages (1)", log.records_description)

    def test_a_number_alone(self):
        """Somebody without an email address asks by telephone."""
        guest = self._create_customer(
            NAME, False, phone=NUMBER, country_id=self.env.ref("base.be").id
        )
        self._abandon(guest)
        self._forget("0456 11 22 33")
        self.assertEqual(find_traces(self.env, *WORDS), set())

    def test_a_cancelled_cart_stays_without_its_owner(self):
        """Carts that were merged are cancelled; Odoo needs a contact for them."""
        guest = self._create_guest(street="Zelda Street 3")
        order = self._create_cart(guest, client_order_ref="For Zelda")
        order.message_post(body="Zelda called", author_id=guest.id)
        order._action_cancel()
        self._forget()
        self.assertEqual(find_traces(self.env, *WORDS), set())
        self.assertEqual(guest.name, "–")
        self.assertFalse(guest.active)
        self.assertEqual(order.state, "cancel")

    def test_contacts_that_somebody_needs_stay(self):
        guest = self._create_guest()
        self._abandon(guest)
        contacts = self._create_guest() | self._create_guest()
        # Entered by hand, not by the shop; and somebody's supplier.
        self.env["product.supplierinfo"].create(
            {"partner_id": guest.id, "product_tmpl_id": self.product.product_tmpl_id.id}
        )
        report = self.privacy._describe(self.privacy._find_by_address(EMAIL))
        self.assertEqual(report["stays"]["count"], 3)
        self.assertIn("Supplier Pricelist", report["stays"]["reasons"])
        self._forget()
        self.assertEqual(len((guest | contacts).exists()), 3)
        self.assertTrue(all((guest | contacts).mapped("marketing_is_forgotten")))

    def test_figures_and_segments(self):
        customer = self._create_guest()
        cart = self._live_through_everything(customer)[0]
        cart.order_id.action_confirm()
        segment = self.env["customer.segment"].create(
            {
                "name": "Zeldas",
                "kind": "dynamic",
                "condition_ids": [
                    Command.create(
                        {"kind": "customer", "domain": f"[('email', '=', '{EMAIL}')]"}
                    )
                ],
            }
        )
        segment.name = "Friends"
        hand_made = self.env["customer.segment"].create(
            {"name": "VIP", "kind": "static"}
        )
        hand_made.add_contacts(customer.ids)
        segment.condition_ids.domain = f"[('id', '=', {customer.id})]"
        metrics = self.env["marketing.customer.metrics"]

        def refresh():
            metrics._refresh_all()
            segment._refresh()
            self.env.invalidate_all()
            return (
                metrics.search_count([("partner_id", "=", customer.id)]),
                self.env["segment.membership"].search_count(
                    [("partner_id", "=", customer.id)]
                ),
            )

        self.assertEqual(refresh(), (1, 2))
        self._forget()
        self.assertEqual(refresh(), (0, 0))
        tables = {place.split(".")[0] for place in find_traces(self.env, *WORDS)}
        self.assertEqual(tables, BUSINESS_TABLES)
        # They agree again, themselves.
        self._give_consent(customer, lift_suppression=True)
        self.assertEqual(refresh(), (1, 1))


@tagged("post_install", "-at_install")
class TestExport(PrivacyCase):
    def _export(self):
        privacy = self._as_manager()
        content = privacy._export(privacy._find_by_address(f" <{EMAIL.upper()}>"))
        return zipfile.ZipFile(io.BytesIO(content))

    def test_everything_is_in_it(self):
        self._live_through_everything(self._create_guest())
        archive = self._export()
        exported = json.loads(archive.read("data.json"))
        self.assertEqual(exported["about"]["email_addresses"], [EMAIL])
        data = exported["data"]
        self.assertEqual({label for label, rows in data.items() if not rows}, set())
        [message] = data["Messages"]
        self.assertEqual(message["To"], EMAIL)
        self.assertIn("Blue mug", message["Body Text"])
        self.assertEqual(data["Abandoned carts"][0]["Cart Lines"][0]["quantity"], 2)
        self.assertIn("Sales Order Line", data)
        self.assertEqual(data["Proof of consent"][0]["IP Address"], "198.51.100.7")
        names = {f"{label}.csv" for label in data}
        self.assertEqual(set(archive.namelist()), {"data.json", *names})

    def test_no_secret_is_in_it(self):
        cart, message = self._live_through_everything(self._create_guest())
        text = self._export().read("data.json").decode()
        tables = json.loads(text)["data"]
        self.assertNotIn(cart.token, json.dumps(tables["Abandoned carts"]))
        self.assertNotIn("Token", json.dumps(tables))

    def test_a_spreadsheet_runs_nothing(self):
        self._create_customer("=1+1", EMAIL)
        content = self._export().read("Contact.csv").decode("utf-8-sig")
        self.assertIn("'=1+1", content)


@tagged("post_install", "-at_install")
class TestPrivacyAccess(PrivacyCase):
    def test_managers_only(self):
        self._create_guest()
        user = new_test_user(self.env, "pr_user", groups=GROUP_USER)
        privacy = self.privacy.with_user(user)
        person = self.privacy._find_by_address(EMAIL)
        for attempt in (privacy._forget, privacy._export):
            with self.assertRaises(AccessError):
                attempt(person)
        with self.assertRaises(AccessError):
            self.env["marketing.privacy.wizard"].with_user(user).create({})

    def test_other_companies_have_a_say(self):
        company_b, website_b = create_other_shop(type(self))
        self._abandon(self._create_guest(), website_id=website_b.id)
        person = self.privacy._find_by_address(EMAIL)
        with self.assertRaisesRegex(UserError, "Another company"):
            self._as_manager()._forget(person)
        self.manager.company_ids += company_b
        self._as_manager()._forget(person)


@tagged("post_install", "-at_install")
class TestForgetReader(PrivacyCase, MarketingHttpCase):
    """What a reader's browser and mail program left behind is forgotten, too."""

    def test_nothing_is_left_of_a_reader(self):
        cart = self._abandon(self._create_guest())
        message = self._write_to(cart)
        self.opener.headers["User-Agent"] += " Zelda"
        [pixel] = set(re.findall(r"/marketing/open/\w+\.gif", message.body_html))
        links = re.findall(r'href="([^"]*/marketing/click/[^"]+)"', message.body_html)
        self._get(pixel)
        for link in links:
            self._get(urlsplit(unescape(link))._replace(scheme="", netloc="").geturl())
        self._get("/shop/cart")
        self._get(
            f"/marketing/preferences/{message.token}",
            data={"action": "save", "channel": "email", "frequency": "weekly"},
        )
        self._get(f"/marketing/unsubscribe/{message.token}", data={"a": "b"})
        self.assertEqual(
            set(message.engagement_ids.mapped("kind")), {"open", "click", "unsubscribe"}
        )
        self.assertTrue(
            self.env["marketing.recipient"].search([("address", "=", EMAIL)])
        )
        self.assertIn("marketing_engagement.user_agent", find_traces(self.env, *WORDS))
        self._forget()
        self.assertEqual(find_traces(self.env, *WORDS), set())
        # The links lead to nobody.
        for path in ("preferences", "unsubscribe"):
            page = self._get(f"/marketing/{path}/{message.token or 'x'}")
            self.assertEqual(page.status_code, 404)


@tagged("post_install", "-at_install")
class TestRetention(PrivacyCase):
    def _enforce(self, days):
        """Let so many days pass, and the scheduled action run."""
        moment = fields.Datetime.now() + timedelta(days=days)
        self.env.flush_all()
        with self._at(moment):
            for batch in self.privacy._get_batches():
                while batch():
                    pass
        self.env.invalidate_all()

    def test_each_kind_has_its_own_time(self):
        cart, message = self._live_through_everything(self._create_guest())
        cart.enrollment_ids._stop("cancelled")
        opened = message.engagement_ids.filtered(lambda e: e.kind == "open")
        self._enforce(170)
        self.assertTrue(opened.user_agent)
        self._enforce(190)
        self.assertFalse(opened.user_agent)
        self.assertEqual(opened.kind, "open")
        self.assertTrue(message.content_id)
        self._enforce(370)
        self.assertFalse(message.content_id)
        self.assertEqual(cart.email, EMAIL, "it is 30 days longer that it can expire")
        self.env["abandoned.cart"]._expire()
        self._enforce(740)
        self.assertFalse(message.email or message.partner_id)
        self.assertTrue(message.forgotten_at)

    def test_carts_that_can_be_recovered_are_left_alone(self):
        cart, _message = self._live_through_everything(self._create_guest())
        self._enforce(500)
        self.assertEqual((cart.state, cart.email), ("recovery_started", EMAIL))
        cart.state = "expired"
        self._enforce(300)
        self.assertEqual(cart.email, EMAIL)
        self._enforce(400)
        self.assertFalse(cart.email or cart.lines or cart.order_id)
        self.assertFalse(cart.enrollment_ids.email_normalized)
        self.assertEqual(cart.amount_total, 40.0)
        # It is not taken for a new one.
        with self._at(fields.Datetime.now() + timedelta(days=400)):
            self._detect()
        self.assertEqual(
            self.env["abandoned.cart"].search_count([("email", "=", EMAIL)]), 0
        )

    def test_what_waits_is_left_alone(self):
        self.customer.email = EMAIL
        [message] = self._queue_to(self.customer, self._create_contact_template())
        self._enforce(3000)
        self.assertEqual((message.state, message.email), ("queued", EMAIL))

    def test_links_to_unsubscribe_outlive_the_law(self):
        with self.assertRaises(ValidationError):
            self.company.message_kept_days = 59
        self.company.message_kept_days = 60
        message = self._live_through_everything(self._create_guest())[1]
        message.enrollment_id._stop("cancelled")
        self._enforce(59)
        self.assertTrue(message.token)
        self._enforce(61)
        self.assertFalse(message.token)

    def test_nothing_is_erased_without_a_period(self):
        self.company.write(dict.fromkeys(PERIODS, 0))
        cart, message = self._live_through_everything(self._create_guest())
        cart.enrollment_ids._stop("cancelled")
        cart.state = "expired"
        self._enforce(5000)
        self.assertEqual((cart.email, message.email), (EMAIL, EMAIL))
        self.assertTrue(message.content_id)
        with self.assertRaises(ValidationError):
            self.company.cart_kept_days = -1

    def test_another_company_has_its_own_periods(self):
        company_b, website_b = create_other_shop(type(self))
        company_b.cart_kept_days = 0
        carts = self._abandon(self._create_guest()) | self._abandon(
            self.customer, website_id=website_b.id
        )
        carts.state = "expired"
        self._enforce(500)
        self.assertEqual(carts.mapped(lambda cart: bool(cart.email)), [False, True])

    def test_visits(self):
        visitor = self.env["website.visitor"].create(
            {
                "partner_id": self.customer.id,
                "access_token": str(self.customer.id),
                "website_id": self.website.id,
            }
        )
        tracks = self.env["website.track"].create(
            [{"visitor_id": visitor.id, "url": url} for url in ("/shop", "/contact")]
        )
        self._enforce(300)
        self.assertEqual(len(tracks.exists()), 2)
        self._enforce(400)
        self.assertFalse(tracks.exists())

    def test_requests_that_nobody_confirmed(self):
        requests = self.env["marketing.opt.in"]
        addresses = ("open@example.com", "done@example.com")
        for address in addresses:
            requests._request(self.company, address, ["newsletter"], "checkout")
        asked = requests.search([("address", "in", addresses)], order="address desc")
        asked[1]._confirm("198.51.100.7")
        expired = (asked[0].expires_at - fields.Datetime.now()).days
        self._enforce(expired + 29)
        self.assertEqual(len(asked.exists()), 2)
        self._enforce(expired + 32)
        self.assertEqual(asked.exists().address, "done@example.com", "it is a proof")

    def test_entries_into_segments(self):
        segment = self.env["customer.segment"].create(
            {"name": "Segment", "kind": "static"}
        )
        segment.add_contacts(self._create_guest().ids)
        events = self.env["segment.membership.event"].search(
            [("segment_id", "=", segment.id)]
        )
        self._enforce(720)
        self.assertEqual(len(events.exists()), 1)
        self._enforce(740)
        self.assertFalse(events.exists())
        self.assertEqual(segment.size, 1, "who is in stays in")

    def test_the_oldest_come_first(self):
        """As the index has them: in another order the whole outbox would be read."""
        people = self._create_customer("A", "a@example.com") | self._create_customer(
            "B", "b@example.com"
        )
        messages = self._queue_to(people, self._create_contact_template())
        for message, days in zip(messages, (800, 900), strict=True):
            message.write(
                {
                    "state": "sent",
                    "sending_at": fields.Datetime.now() - timedelta(days=days),
                }
            )
        privacy = self.env["marketing.privacy"]
        (stored,) = (
            stored
            for stored in privacy._get_stored()
            if stored.model == "marketing.message"
        )
        self.assertEqual(privacy._enforce_period(stored, self.company, limit=1), 1)
        self.assertEqual(messages.filtered("forgotten_at"), messages[1])

    def test_the_scheduled_action(self):
        segment = self.env["customer.segment"].create(
            {"name": "Segment", "kind": "static"}
        )
        segment.add_contacts(self._create_guest().ids)
        events = self.env["segment.membership.event"].search(
            [("segment_id", "=", segment.id)]
        )
        for days, left in ((720, 1), (740, 0)):
            with self._at(fields.Datetime.now() + timedelta(days=days)):
                self._run_cron("ir_cron_enforce_periods")
            self.env.invalidate_all()
            self.assertEqual(len(events.exists()), left)


@tagged("post_install", "-at_install")
class TestLookUp(PrivacyCase):
    """Odoo's own privacy look-up."""

    def _look_up(self):
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": NAME, "email": EMAIL}
        )
        wizard.action_lookup()
        return wizard

    def test_it_finds_ours(self):
        self._live_through_everything(self._create_guest())
        lines = self._look_up().line_ids
        found = set(lines.mapped("res_model"))
        self.assertLessEqual(
            {
                *("abandoned.cart", "marketing.message", "marketing.engagement"),
                *("marketing.preference", "marketing.recipient"),
            },
            found,
        )
        self.assertFalse({"marketing.consent.log", "marketing.suppression"} & found)
        pairs = lines.mapped(lambda line: (line.res_model, line.res_id))
        self.assertEqual(len(pairs), len(set(pairs)), "each counts once")

    def test_what_it_deletes_is_deleted_and_stays_blocked(self):
        guest = self._create_guest()
        self._live_through_everything(guest)
        ours = {stored.model for stored in STORED} | {"mail.blacklist"}
        lines = self._look_up().line_ids.filtered(lambda line: line.res_model in ours)
        for line in lines:
            if self.env[line.res_model].browse(line.res_id).exists():
                line.action_unlink()
        self.assertFalse(self.env["abandoned.cart"].search([("email", "=", EMAIL)]))
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", EMAIL)]))
        [message] = self._queue_to(guest, self._create_contact_template())
        message._skip_blocked()
        self.assertEqual(message.reason, "opted_out")

    def test_forgetting_empties_it(self):
        self._live_through_everything(self._create_guest())
        self._look_up()
        self._forget()
        self.assertEqual(find_traces(self.env, *WORDS), set())


@tagged("post_install", "-at_install")
class TestPrivacyFile(PrivacyCase, MarketingHttpCase):
    """The file that a browser gets."""

    def test_the_file_is_for_who_asked(self):
        self._create_guest()
        action = self._open().action_export()
        self._new_visitor("pr_manager")
        answer = self._get(action["url"])
        self.assertEqual(answer.headers["Content-Type"], "application/zip")
        self.assertIn("no-store", answer.headers["Cache-Control"])
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        self.assertIn("Contact.csv", names)
        new_test_user(self.env, "pr_other", groups=GROUP_MANAGER)
        self._new_visitor("pr_other")
        with mute_logger("odoo.http"):
            self.assertEqual(self._get(action["url"]).status_code, 403)
        self._new_visitor()
        self.assertNotIn(b"PK", self._get(action["url"]).content[:2])


@tagged("post_install", "-at_install")
class TestPrivacyRequest(PrivacyCase):
    """What the screen says."""

    def test_the_screen_says_what_goes_and_what_stays(self):
        cart, _message = self._live_through_everything(self._create_guest())
        cart.order_id.action_confirm()
        wizard = self._open()
        for word in ("Abandoned carts", "Messages", "Sales Order", EMAIL):
            self.assertIn(word, wizard.summary)
        action = wizard.action_forget()
        done = self.env["marketing.privacy.wizard"].browse(action["res_id"])
        self.assertIn("Forgotten", done.result)
        self.assertIn("Sales Order", done.result)
        tables = {place.split(".")[0] for place in find_traces(self.env, *WORDS)}
        self.assertEqual(tables, BUSINESS_TABLES)

    def test_it_says_what_to_enter(self):
        self.assertIn("neither", self._open(address="Zelda").summary)
        self.assertFalse(self._open(address=False).summary)
        with self.assertRaisesRegex(UserError, "Enter an email"):
            self._open(address=False).action_forget()
