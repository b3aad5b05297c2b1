import re
import warnings
from datetime import timedelta
from functools import partial
from html import unescape
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from lxml.html import fromstring

from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..models.audience.privacy.periods import PERIODS
from ..models.delivery.lateness import LATE_FIELDS
from .common import MarketingCase
from .smtp_server import RecordingSmtpServer
from .world import create_other_shop

DISPATCHER = "odoo.addons.marketing_automation.models.delivery.marketing_dispatcher"
COMPOSER = "odoo.addons.marketing_automation.models.delivery.marketing_composer"


class WholePathCase(MarketingCase):
    """From a cart that was left behind to the message its owner reads."""

    def _run_quietly(self):
        """Run all scheduled actions; none of them has anything to complain about."""
        self.env.flush_all()
        with warnings.catch_warnings(), self.assertNoLogs(level="WARNING"):
            # Odoo's own, when it mails an activity to its user.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._run_all()
        self.env.invalidate_all()

    def _get_link_targets(self, body):
        """Return where the links of a body lead in the end."""
        targets = []
        for href in re.findall(r'href="([^"]+)"', body):
            url = unescape(href)
            query = parse_qs(urlsplit(url).query)
            targets.append(query["u"][0] if "/marketing/click/" in url else url)
        return targets


@tagged("post_install", "-at_install")
class TestTwoCompanies(WholePathCase):
    """Two companies with a shop each: one set of scheduled actions, no mixing up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_b, cls.website_b = create_other_shop(cls)
        cls.website.domain = "https://a.example.com"

    def test_the_scheduled_actions_work_for_all_companies(self):
        """They run as OdooBot in its own company, which is only one of them."""
        bot = self.env.ref("base.user_root")
        self.assertNotEqual(bot.company_id, self.company_b)
        first = self._create_cart()
        second = self._create_cart(website_id=self.website_b.id)
        self._run_quietly()
        for order in (first, second):
            cart = order.abandoned_cart_id
            self.assertEqual(cart.company_id, order.company_id)
            self.assertEqual(cart.message_ids.company_id, order.company_id)
            self.assertEqual(cart.message_ids.state, "sent")
        # The same person, in both shops: one recovery in each.
        self.assertEqual(
            self.env["marketing.enrollment"].search_count(
                [("email_normalized", "=", "anna@example.com")]
            ),
            2,
        )

    def test_each_company_has_its_own_limits(self):
        self.company.write({"cart_minimum_amount": 0, "cart_expiry_days": 30})
        self.company_b.write({"cart_minimum_amount": 100, "cart_expiry_days": 3})
        self.website_b.cart_idle_minutes = 300
        cheap = self._create_cart(website_id=self.website_b.id, idle_minutes=301)
        dear = self._create_cart(
            self._create_customer("Di", "di@example.com"),
            products=[(self.product, 5)],
            website_id=self.website_b.id,
            idle_minutes=301,
        )
        early = self._create_cart(website_id=self.website_b.id, idle_minutes=290)
        ours = self._create_cart(idle_minutes=290)
        self._run_quietly()
        self.assertEqual(cheap.abandoned_cart_id.exclusion_reason, "below_minimum")
        self.assertFalse(early.abandoned_cart_id)
        for order, days in ((dear, 3), (ours, 30)):
            cart = order.abandoned_cart_id
            self.assertEqual(cart.message_ids.state, "sent")
            self.assertEqual(cart.expires_at - cart.abandoned_at, timedelta(days=days))

    def test_each_company_speaks_for_itself(self):
        """Sender, provider, addresses in links, name of the shop."""
        self.company_b.write({"street": "7 B Street", "city": "Btown"})
        customer = self._create_customer("Bea", "bea@example.com")
        with RecordingSmtpServer() as server:
            mail_server = self.env["ir.mail_server"].create(
                {"name": "B", "smtp_host": "127.0.0.1", "smtp_port": server.port}
            )
            self.env["marketing.provider"].create(
                {
                    "name": "B's own",
                    "company_id": self.company_b.id,
                    "mail_server_id": mail_server.id,
                    "from_email": "hello@b.example.com",
                    "from_name": "The B Shop",
                    "state": "enabled",
                    "sequence": 50,
                }
            )
            ours = self._create_cart(customer)
            theirs = self._create_cart(customer, website_id=self.website_b.id)
            with patch.object(IrMail_Server, "_disable_send", lambda _self: False):
                self._run_quietly()
        message = ours.abandoned_cart_id.message_ids
        self.assertTrue(message.is_sandbox, "A has no provider, and B's is not A's")
        self.assertEqual(len(server.messages), 1)
        content = server.messages[0][2].decode()
        self.assertRegex(content, r'From: "?The B Shop"? <hello@b.example.com>')
        self.assertIn(
            "List-Unsubscribe: <https://b.example.com/marketing/unsubscribe/", content
        )
        self._assert_speaks_for(message, "https://a.example.com", self.website.name)
        message = theirs.abandoned_cart_id.message_ids
        self.assertEqual(message.state, "sent")
        self.assertFalse(message.is_sandbox)
        self._assert_speaks_for(message, "https://b.example.com", "Shop B")
        self.assertIn("7 B Street", message.body_html)

    def _assert_speaks_for(self, message, base_url, shop_name):
        body = message.body_html
        other = "https://b.example.com" if "//a." in base_url else "https://a."
        self.assertNotIn(other, body)
        self.assertIn(shop_name, body)
        targets = self._get_link_targets(body)
        self.assertIn(message._get_unsubscribe_url(), targets)
        cart = message.abandoned_cart_id
        paths = {url.partition("?")[0] for url in targets}
        self.assertIn(f"{base_url}{cart._get_recovery_path()}", paths)
        for url in targets:
            self.assertTrue(url.startswith(base_url), url)
        for url in re.findall(r'(?:src|href)="(https?:[^"]+)"', body):
            self.assertTrue(url.startswith(base_url), url)

    def test_enabled_for_all_companies(self):
        """One provider for all: each company still has its own sender."""
        orders = [
            self._create_cart(),
            self._create_cart(website_id=self.website_b.id),
        ]
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._run_quietly()
        senders = sorted(
            re.search(r"From: .*<(.*)>", content.decode()).group(1)
            for _from, _to, content in server.messages
        )
        self.assertEqual(senders, ["b-shop@example.com", "shop@example.com"])
        for order in orders:
            self.assertEqual(order.abandoned_cart_id.message_ids.state, "sent")

    def test_a_company_without_sender_holds_up_nobody_else(self):
        self.company_b.email = False
        ours = self._create_cart()
        theirs = self._create_cart(website_id=self.website_b.id)
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._run_quietly()
        self.assertEqual(ours.abandoned_cart_id.message_ids.state, "sent")
        message = theirs.abandoned_cart_id.message_ids
        self.assertEqual((message.state, message.reason), ("queued", "no_sender"))

    def test_sequence_of_one_website(self):
        own = self.sequence.copy(
            {
                "name": "B",
                "website_id": self.website_b.id,
                "company_id": self.company_b.id,
                "sequence": 1,
            }
        )
        ours = self._create_cart()
        theirs = self._create_cart(website_id=self.website_b.id)
        self._run_quietly()
        run = ours.abandoned_cart_id.enrollment_ids
        self.assertEqual(run.sequence_id, self.sequence)
        run = theirs.abandoned_cart_id.enrollment_ids
        self.assertEqual(run.sequence_id, own)

    def test_two_websites_of_one_company(self):
        second = self.env["website"].create(
            {
                "name": "Outlet",
                "company_id": self.company.id,
                "domain": "https://outlet.example.com",
                "cart_recovery_enabled": True,
            }
        )
        outlet = self._create_cart(
            self._create_customer("Cy", "cy@example.com"), website_id=second.id
        )
        self._run_quietly()
        message = outlet.abandoned_cart_id.message_ids
        self._assert_speaks_for(message, "https://outlet.example.com", "Outlet")


@tagged("post_install", "-at_install")
class TestBadInput(WholePathCase):
    """What people and shops really hold, from the cart to the rendered message."""

    def _deliver(self, order):
        self._run_quietly()
        message = order.abandoned_cart_id.message_ids
        self.assertEqual(message.state, "sent", message.reason_detail)
        self.assertTrue(message.body_text)
        return message

    def test_template_code_in_names(self):
        hostile = "{{ 7*7 }}<script>alert(1)</script>{% for x in y %}"
        customer = self._create_customer(hostile, "h@example.com")
        product = self._create_product(hostile, 10.0)
        self.website.name = "Shop " + hostile
        message = self._deliver(self._create_cart(customer, products=[(product, 1)]))
        # (Within the quotes of an attribute HTML leaves "<" as it is.)
        self.assertFalse(fromstring(message.body_html).xpath("//script"))
        self.assertIn("&lt;script&gt;", message.body_html)
        for text in (message.subject, message.body_text):
            self.assertIn("7*7", text)
        self.assertIn("{{ 7*7 }}", message.body_html)

    def test_line_breaks_in_names(self):
        """Nobody gets a header of their own into the email."""
        customer = self._create_customer(
            "Eve\r\nBcc: everybody@example.com\r\n\r\nbody", "eve@example.com"
        )
        product = self._create_product("Mug\r\nX-Evil: 1", 10.0)
        with RecordingSmtpServer() as server, self._use_smtp(server.port):
            self._deliver(self._create_cart(customer, products=[(product, 1)]))
        [(_sender, recipients, content)] = server.messages
        self.assertEqual(recipients, ["eve@example.com"])
        head = content.partition(b"\r\n\r\n")[0]
        self.assertNotRegex(head, rb"(?mi)^(bcc|x-evil):")

    def test_product_without_picture(self):
        self.assertFalse(self.product.image_256)
        message = self._deliver(self._create_cart())
        [src] = [
            src
            for src in re.findall(r'<img[^>]+src="([^"]*)"', message.body_html)
            if "product.product" in src
        ]
        self.assertIn(f"/web/image/product.product/{self.product.id}/image_256", src)
        self.assertTrue(src.startswith(self.website.get_base_url()), src)

    def test_price_zero(self):
        gift = self._create_product("Sample", 0.0)
        self.website.prevent_zero_price_sale = False
        message = self._deliver(self._create_cart(products=[(gift, 1)]))
        self.assertIn("Sample", message.body_html)
        self.assertIn("0.00", message.body_html)
        self.assertEqual(message.abandoned_cart_id.amount_total, 0.0)

    def test_price_zero_that_is_not_sold(self):
        gift = self._create_product("Sample", 0.0)
        self.website.prevent_zero_price_sale = True
        order = self._create_cart(products=[(gift, 1)])
        self._run_quietly()
        cart = order.abandoned_cart_id
        self.assertEqual(cart.exclusion_reason, "no_sellable_lines")
        self.assertFalse(cart.message_ids)

    def test_two_hundred_lines(self):
        """Short enough for inboxes that cut after 102 kB, with the whole sum."""
        products = self.env["product.product"].create(
            [
                {
                    "name": f"Part {n}",
                    "list_price": 1.5,
                    "sale_ok": True,
                    "is_published": True,
                    "taxes_id": False,
                }
                for n in range(200)
            ]
        )
        order = self._create_cart(products=[(product, 1) for product in products])
        message = self._deliver(order)
        self.assertEqual(len(order.abandoned_cart_id.lines), 200)
        self.assertEqual(len(set(re.findall(r"Part \d+", message.body_html))), 6)
        self.assertIn("194 more", message.body_html)
        self.assertIn("300.00", message.body_html)
        self.assertLess(len(message.body_html.encode()), 102_000)

    def test_other_currency(self):
        currency = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "¤¤",
                "rate_ids": [
                    Command.create({"name": "2020-01-01", "rate": 400.0}),
                ],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "XTS", "currency_id": currency.id}
        )
        self.company.cart_minimum_amount = 30
        order = self._create_cart(pricelist_id=pricelist.id)
        message = self._deliver(order)
        cart = order.abandoned_cart_id
        self.assertEqual(cart.currency_id, currency)
        self.assertAlmostEqual(cart.amount_total, 16000.0)
        self.assertAlmostEqual(cart.amount_company, 40.0)
        self.assertIn("¤¤", message.body_html)
        self.assertIn("16,000.00", message.body_html)
        order.action_confirm()
        self.assertAlmostEqual(cart.recovered_amount, 16000.0)
        self.assertEqual(cart.recovered_currency_id, currency)
        self.assertAlmostEqual(cart.recovered_amount_company, 40.0, places=1)

    def test_addresses(self):
        for number, (email, outcome) in enumerate(
            {
                "jörg@münchen.example": "failed",
                "JÖRG2@MÜNCHEN.EXAMPLE": "failed",
                "o'hara+x@example.com": "sent",
                '"odd name" <odd@example.com>': "sent",
                "break@example.com\nbcc@example.com": "no_contact",
                "tab\t@example.com": "no_contact",
                "null\u200b@": "no_contact",
                "a" * 300 + "@example.com": "no_contact",
                "": "no_contact",
            }.items()
        ):
            with self.subTest(email):
                customer = self._create_customer(f"N{number}", email)
                order = self._create_cart(customer)
                with RecordingSmtpServer() as server, self._use_smtp(server.port):
                    self._run_quietly()
                cart = order.abandoned_cart_id
                if outcome == "no_contact":
                    self.assertEqual(cart.exclusion_reason, "no_contact")
                    self.assertFalse(cart.message_ids)
                    self.assertFalse(server.messages)
                elif outcome == "failed":
                    # The server does not offer SMTPUTF8 (RFC 6531).
                    self.assertEqual(cart.message_ids.state, "failed")
                    self.assertEqual(cart.message_ids.reason, "invalid_address")
                else:
                    self.assertEqual(cart.message_ids.state, "sent")
                    [(_from, recipients, _content)] = server.messages
                    self.assertEqual(len(recipients), 1)

    def test_guest_without_address(self):
        order = self._create_cart(self.website.user_id.partner_id)
        self._run_quietly()
        cart = order.abandoned_cart_id
        self.assertEqual(
            (cart.state, cart.exclusion_reason), ("excluded", "no_contact")
        )
        self.assertFalse(cart.enrollment_ids)

    def test_language_that_is_not_installed_any_more(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        order = self._create_cart()
        self._run_cron("ir_cron_detect_carts")
        self.customer.lang = "en_US"
        self.env["res.lang"].search([("code", "=", "fr_FR")]).active = False
        self._deliver(order)

    def test_one_broken_message_among_good_ones(self):
        """Its template was deleted while it waited: it fails alone, with a reason."""
        orders = [
            self._create_cart(self._create_customer(f"C{n}", f"c{n}@example.com"))
            for n in range(3)
        ]
        self._run_cron("ir_cron_detect_carts")
        self._run_cron("ir_cron_process_enrollments")
        self.env.invalidate_all()
        bad, *good = (order.abandoned_cart_id.message_ids for order in orders)
        bad.template_id = False
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual((bad.state, bad.reason), ("failed", "rendering_error"))
        self.assertTrue(bad.reason_detail)
        for message in good:
            self.assertEqual(message.state, "sent")

    def test_one_message_without_context_among_good_ones(self):
        orders = [
            self._create_cart(self._create_customer(f"C{n}", f"c{n}@example.com"))
            for n in range(3)
        ]
        bad = orders[1]
        contexts = type(self.env["marketing.template.context"])
        prepare = contexts._prepare_cart_values

        def fail(records, cart, website):
            if cart.order_id == bad:
                records.env.cr.execute("SELECT 1/0")  # also breaks the transaction
            return prepare(records, cart, website)

        with (
            patch.object(contexts, "_prepare_cart_values", fail),
            mute_logger(COMPOSER, "odoo.sql_db"),
        ):
            self._run_all()
        self.env.invalidate_all()
        self.assertEqual(
            [order.abandoned_cart_id.message_ids.state for order in orders],
            ["sent", "failed", "sent"],
        )

    def test_provider_that_cannot_be_opened(self):
        """Nothing was handed over, so nothing is uncertain: it waits."""
        order = self._create_cart()

        def fail(_self):
            raise ValueError("no adapter")

        with (
            patch.object(type(self.sandbox), "_get_adapter", fail),
            mute_logger(DISPATCHER),
        ):
            self._run_all()
        self.env.invalidate_all()
        message = order.abandoned_cart_id.message_ids
        self.assertEqual((message.state, message.reason), ("queued", "provider_error"))
        self.assertGreater(self.sandbox.rest_until, fields.Datetime.now())

    def test_idle_runs_are_quiet(self):
        self._run_quietly()
        self._create_cart()
        self._run_quietly()
        self._run_quietly()


@tagged("post_install", "-at_install")
class TestDeletion(WholePathCase):
    """What is in use is refused with an error, or goes away without a crash."""

    def setUp(self):
        super().setUp()
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids
        self.run_ = self.cart.enrollment_ids

    def _assert_refused(self, records):
        self._assert_error(records.unlink)
        self.assertTrue(records.exists())

    def _assert_shown(self, cart):
        """The screens of a cart still work."""
        self.env.invalidate_all()
        cart.read()
        cart.message_ids.read()
        cart.enrollment_ids.read()
        cart.action_open_order()
        cart.action_view_messages()
        self.assertTrue(cart.timeline)

    def test_order(self):
        self.cart.order_id.unlink()
        self._run_quietly()
        self.assertFalse(self.cart.order_id)
        self.assertEqual(
            (self.message.state, self.message.reason), ("skipped", "emptied")
        )
        self.assertEqual(self.run_.stop_reason, "emptied")
        self._assert_shown(self.cart)

    def test_order_line_and_product(self):
        self._assert_refused(self.product)
        self.cart.order_id.order_line.unlink()
        self.product.unlink()
        self._run_quietly()
        self.assertEqual(self.message.state, "skipped")
        self.assertEqual(self.cart.lines[0]["name"], "Blue mug")
        self._assert_shown(self.cart)

    def test_recovered_order(self):
        self._click(self.message)
        order = self.cart.order_id
        order.action_confirm()
        self.assertEqual(self.cart.state, "recovered")
        order._action_cancel()
        order.unlink()
        self._run_quietly()
        self.assertEqual(self.cart.exclusion_reason, "order_cancelled")
        self.assertEqual(self.cart.recovered_amount_company, 0)
        self._assert_shown(self.cart)

    def test_step(self):
        """Those who wait for it wait for the next one, until that is due."""
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        second = self.run_.next_step_id
        third = second._get_following_steps()[0]
        planned = self.run_.next_at
        second.unlink()
        self.assertEqual(self.run_.next_step_id, third)
        self.assertEqual(self.run_.next_at, planned + timedelta(hours=48))
        self.message.step_id.unlink()
        self._assert_shown(self.cart)
        third.unlink()
        self.assertEqual(self.run_.state, "completed")
        self._run_quietly()
        self._assert_shown(self.cart)

    def test_template(self):
        template = self.message.template_id
        self._assert_refused(template)
        steps = self.env["marketing.sequence.step"].search(
            [("template_id", "=", template.id)]
        )
        self.assertIn(self.message.step_id, steps)
        steps.template_id = template.copy()
        template.unlink()
        self._run_all()
        self.env.invalidate_all()
        self.assertEqual(
            (self.message.state, self.message.reason), ("failed", "rendering_error")
        )

    def test_sequence_in_use(self):
        self._assert_refused(self.sequence)
        unused = self.sequence.copy()
        steps = unused.step_ids
        unused.unlink()
        self.assertFalse(steps.exists())

    def test_provider(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(self.message.provider_id, self.sandbox)
        self.sandbox.unlink()
        self._create_cart(self._create_customer("Bo", "bo@example.com"))
        self._run_quietly()
        self.assertEqual(self.message.state, "sent")
        new = self.env["marketing.message"].search([], limit=1)
        self.assertTrue(new.is_sandbox)
        self.assertNotEqual(new.provider_id, self.sandbox)

    def test_mail_server(self):
        with RecordingSmtpServer() as server, self._use_smtp(server.port) as used:
            self._assert_error(used.unlink)

    def test_website(self):
        """What was left behind in a shop goes with the shop."""
        website = self.env["website"].create(
            {"name": "Pop-up", "company_id": self.company.id}
        )
        website.cart_recovery_enabled = True
        order = self._create_cart(
            self._create_customer("Bo", "bo@example.com"), website_id=website.id
        )
        self._run_quietly()
        cart = order.abandoned_cart_id
        self.assertEqual(cart.message_ids.state, "sent")
        website.unlink()
        self.env.invalidate_all()
        self.assertFalse(cart.exists())
        self.assertTrue(order.exists())
        self.assertFalse(order.abandoned_cart_id)
        self._run_quietly()
        order.action_confirm()

    def test_website_of_a_sequence(self):
        """Its sequence must not become the sequence of all the other shops."""
        website = self.env["website"].create(
            {"name": "Pop-up", "company_id": self.company.id}
        )
        own = self.sequence.copy({"website_id": website.id})
        self._assert_refused(website)
        own.unlink()
        website.unlink()
        self.assertFalse(website.exists())

    # === PEOPLE ===#

    def test_customer(self):
        """Refused by the order; without it, facts stay and nobody is written to."""
        self._assert_refused(self.customer)
        self.cart.order_id.unlink()
        self.customer.unlink()
        self._run_quietly()
        self.assertFalse(self.cart.partner_id)
        self.assertEqual(self.message.state, "skipped")
        self._assert_shown(self.cart)

    def test_customer_who_left_only_messages(self):
        self._run_cron("ir_cron_dispatch")
        self.cart.order_id.unlink()
        self.customer.unlink()
        self.env.invalidate_all()
        self.assertEqual(self.message.state, "sent")
        self.assertFalse(self.message.partner_id)
        self.assertTrue(self.message.display_name)

    def _merge(self, partners, into):
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            partners.ids, into
        )
        self.env.invalidate_all()

    def test_merge_of_two_contacts_of_one_person(self):
        twin = self._create_customer("Anna S.", "anna@example.com")
        other = self._abandon(twin)
        self.assertEqual(other.state, "abandoned", "one recovery at a time")
        self._merge(self.customer | twin, twin)
        self.assertFalse(self.customer.exists())
        self.assertEqual((self.cart | other).partner_id, twin)
        self.assertEqual(self.message.partner_id, twin)
        self._run_quietly()
        self.assertEqual(self.message.state, "sent")
        self._click(self.message)
        self.cart.order_id.action_confirm()
        self.assertEqual((self.cart.state, other.state), ("recovered", "recovered"))
        self._assert_shown(self.cart)

    def test_merge_of_two_people_with_runs(self):
        """Both have a run of their own: neither the merge nor the runs break."""
        bo = self._create_customer("Bo", "bo@example.com")
        other = self._abandon(bo)
        self._process_steps()
        self._merge(self.customer | bo, bo)
        self.assertEqual((self.cart | other).partner_id, bo)
        messages = (self.cart | other).message_ids
        self._run_quietly()
        # One waits until the other has left: both were for the same step.
        self.assertEqual(sorted(messages.mapped("state")), ["queued", "sent"])
        messages.filtered(
            lambda m: m.state == "queued"
        ).scheduled_at = fields.Datetime.now()
        self._run_quietly()
        self.assertEqual(sorted(messages.mapped("state")), ["sent", "skipped"])
        self.assertIn("repeated", messages.mapped("reason"))
        other.order_id.action_confirm()
        self.assertEqual((self.cart.state, other.state), ("recovered", "recovered"))
        reasons = (self.cart | other).enrollment_ids.mapped("stop_reason")
        self.assertEqual(sorted(reasons), ["purchased", "repeated"])

    def test_archived_customer(self):
        self.customer.active = False
        self._run_quietly()
        self.assertEqual(
            (self.message.state, self.message.reason), ("skipped", "archived")
        )
        self._assert_shown(self.cart)


@tagged("post_install", "-at_install")
class TestSettings(MarketingCase):
    """Each setting is kept where it belongs, and read back from there."""

    def _save(self, **values):
        with Form(self.env["res.config.settings"]) as form:
            for name, value in values.items():
                setattr(form, name, value)
        form.record.execute()
        self.env.invalidate_all()

    def test_round_trip(self):
        self.env["website"].search([("id", "!=", self.website.id)]).sequence = 99
        # Each with two values, so that one of them is not the one it had before.
        settings = (
            (self.website, "cart_idle_minutes", 47, 33),
            (self.company, "cart_minimum_amount", 12.5, 0.0),
            (self.company, "cart_expiry_days", 11, 23),
            (self.company, "attribution_days", 9, 4),
            (self.company, "consent_policy", "opt_in", "soft_opt_in"),
            (self.company, "double_opt_in", False, True),
            (self.website, "consent_at_checkout", False, True),
            (self.website, "consent_at_sign_up", False, True),
            *((self.company, name, 91, 120) for name in PERIODS),
            (self.company, "email_cap_hours", 12.5, 3.0),
            (self.company, "sms_cap_hours", 0.0, 2.5),
            (self.company, "quiet_hours_email", True, False),
            (self.company, "quiet_hours_sms", False, True),
            (self.company, "quiet_hours_from", 22.5, 21.0),
            (self.company, "quiet_hours_until", 7.0, 6.5),
            *((self.company, name, 77, 36) for name in LATE_FIELDS),
            (self.website, "capture_typed_contact", True, False),
            (self.company, "quotation_idle_days", 5, 8),
        )
        # While these are off, others are not shown.
        switches = (
            (self.website, "cart_recovery_enabled"),
            (self.company, "quotation_recovery_enabled"),
            (self.company, "late_is_held"),
        )
        on = [(record, name, True) for record, name in switches]
        self._check_kept([*on, *((r, name, one) for r, name, one, _two in settings)])
        self._check_kept([(r, name, two) for r, name, _one, two in settings])
        self._check_kept([(record, name, False) for record, name in switches])

    def _check_kept(self, settings):
        """Save values in one go, and find them where they belong and on the screen.

        :param list settings: record, name and value of each
        """
        self._save(**{name: value for _record, name, value in settings})
        read = self.env["res.config.settings"].create({})
        for record, name, value in settings:
            with self.subTest(setting=name, value=value):
                self.assertEqual(record[name], value)
                self.assertEqual(read[name], value)

    def test_one_setting_changes_no_other(self):
        """Above all, none of its neighbors on the same record."""
        self._save(cart_idle_minutes=47, quiet_hours_email=True, quiet_hours_from=22.5)
        self._save(cart_idle_minutes=48)
        read = self.env["res.config.settings"].create({})
        self.assertEqual(read.cart_idle_minutes, 48)
        self.assertTrue(read.quiet_hours_email)
        self.assertEqual(read.quiet_hours_from, 22.5)

    def test_every_setting_is_tested(self):
        ours = {
            field.name
            for field in self.env["res.config.settings"]._fields.values()
            if "marketing_automation" in field._modules
        }
        self.assertEqual(
            ours,
            {
                # These are in TestLimitSettings.
                "opt_in_hourly_limit",
                "sms_country_ids",
                "sms_strangers_per_hour",
                "sms_strangers_per_visitor",
                "cart_idle_minutes",
                "capture_typed_contact",
                "quotation_recovery_enabled",
                "quotation_idle_days",
                "cart_minimum_amount",
                "cart_expiry_days",
                "attribution_days",
                "cart_recovery_enabled",
                "consent_policy",
                "double_opt_in",
                "consent_at_checkout",
                "consent_at_sign_up",
                *PERIODS,
                "email_cap_hours",
                "sms_cap_hours",
                "quiet_hours_sms",
                "quiet_hours_email",
                "quiet_hours_from",
                "quiet_hours_until",
                "late_is_held",
                *LATE_FIELDS,
                "marketing_provider_id",
                "marketing_provider_kind",
            },
        )

    def test_values_that_make_no_sense(self):
        for name, value in (
            ("cart_idle_minutes", 0),
            ("cart_idle_minutes", -5),
            ("cart_minimum_amount", -1),
            ("cart_expiry_days", 0),
            ("attribution_days", 0),
            ("email_cap_hours", -1.0),
            ("quiet_hours_from", 24.0),
            ("late_hours_cart", 0),
        ):
            with self.subTest(setting=name, value=value):
                self._assert_error(partial(self._save, **{name: value}))

    def test_provider_in_use(self):
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.marketing_provider_id, self.sandbox)
        self.smtp.action_enable()
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.marketing_provider_id, self.smtp)
        self.assertEqual(settings.marketing_provider_kind, "smtp")
        action = settings.action_open_marketing_providers()
        self.assertEqual(action["res_model"], "marketing.provider")

    def test_saving_changes_nothing_by_itself(self):
        def values():
            self.env.invalidate_all()
            return (
                self.website.read(["cart_recovery_enabled", "cart_idle_minutes"]),
                self.company.read(
                    ["cart_minimum_amount", "cart_expiry_days", "attribution_days"]
                ),
            )

        before = values()
        self._save()
        self.assertEqual(values(), before)
