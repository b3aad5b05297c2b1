"""What strangers can repeat without limit costs the shop little: emails, text messages,
rows."""

from functools import partial
from unittest.mock import patch

from odoo.tests import BaseCase, Form, new_test_user, tagged
from odoo.tools import SQL

from ..models.audience import consent_limits, opt_in_limits
from ..models.cart.cart_restore import UNTOUCHED_COPIES
from ..models.coupon.coupon_claim import WRONG_CODES
from ..tools.client_network import get_network
from ..tools.mailbox import fold_mailbox
from ..tools.phone_kinds import get_country
from .checkout_common import CheckoutCase
from .common import MarketingCase
from .coupon_common import CouponCase
from .opt_in_common import OptInCase
from .test_preferences import CODES, PreferenceCase


@tagged("standard", "post_install", "-at_install")
class TestWhatIsCounted(BaseCase):
    def test_mailbox(self):
        for address in (
            "victim@gmail.com",
            "victim+1@gmail.com",
            "v.i.c.t.i.m+x+y@googlemail.com",
        ):
            self.assertEqual(fold_mailbox(address), "victim@gmail.com")
        self.assertEqual(fold_mailbox("+@example.com"), "+@example.com")

    def test_visitor(self):
        for ip, network in (
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
            ("unknown", ""),
            (None, ""),
        ):
            with self.subTest(ip=ip):
                self.assertEqual(get_network(ip), network)

    def test_numbers(self):
        if get_country("+12025550123") is None:
            self.skipTest("needs phonenumbers")
        for number, country in (
            ("+32470123456", "BE"),
            ("+12025550123", "US"),
            ("+18686201234", "TT"),
            ("+19005571234", ""),  # premium rate
            ("+448711234567", ""),  # premium rate
            ("+4918031234567", ""),  # shared cost
            ("+447012345678", ""),  # personal number
            ("+881612345678", ""),  # satellite
            ("+870773123456", ""),
            ("+88213123456", ""),
            ("+3", ""),
            ("nonsense", ""),
        ):
            with self.subTest(number=number):
                self.assertEqual(get_country(number), country)


@tagged("standard", "post_install", "-at_install")
class TestConfirmationLimits(OptInCase):
    """Nobody's mailbox is filled by what others enter into a form."""

    def _count(self):
        return self.env["marketing.message"].search_count([("opt_in_id", "!=", False)])

    def _ask(self, address, ip="192.0.2.7", **kwargs):
        self.env["marketing.opt.in"]._request(
            self.company,
            address,
            ["newsletter"],
            "sign_up",
            website=kwargs.pop("website", self.website),
            ip=ip,
            **kwargs,
        )
        self.env.flush_all()

    def test_one_visitor(self):
        rows = self.env["marketing.opt.in"].search_count([])
        for number in range(20):
            self._ask(f"somebody{number}@example.com")
        self.assertEqual(self._count(), opt_in_limits.A_VISITOR)
        self.assertEqual(
            self.env["marketing.opt.in"].search_count([]) - rows,
            opt_in_limits.A_VISITOR,
        )
        self._ask("other@example.com", ip="192.0.2.8")
        self.assertEqual(self._count(), opt_in_limits.A_VISITOR + 1)

    def test_one_visitor_with_many_addresses_of_their_network(self):
        for number in range(20):
            self._ask(f"somebody{number}@example.com", ip=f"2001:db8::{number + 1:x}")
        self.assertEqual(self._count(), opt_in_limits.A_VISITOR)

    def test_one_order_from_many_addresses(self):
        for number in range(20):
            self._ask(
                f"somebody{number}@example.com",
                ip=f"192.0.2.{number}",
                partner=self.customer,
            )
        self.assertEqual(self._count(), opt_in_limits.AN_ORDER)

    def test_one_mailbox(self):
        """However often its address is written otherwise."""
        for number, name in enumerate(("victim", "v.ictim", "victim+1", "vic.tim+2")):
            for domain in ("gmail.com", "googlemail.com", "GMAIL.com"):
                self._ask(f"{name}@{domain}", ip=f"192.0.2.{number}")
        self.assertEqual(self._count(), 3)

    def test_one_website(self):
        self.website.opt_in_hourly_limit = 7
        for number in range(20):
            self._ask(f"somebody{number}@example.com", ip=f"192.0.2.{number}")
        self.assertEqual(self._count(), 7)

    def test_hour_is_over(self):
        for number in range(6):
            self._ask(f"somebody{number}@example.com")
        self.env.cr.execute(
            "UPDATE marketing_opt_in SET create_date = create_date - interval '61 min';"
            "UPDATE marketing_message SET create_date = create_date - interval '61 min'"
        )
        self.env.invalidate_all()
        self._ask("later@example.com")
        self.assertEqual(self._count(), opt_in_limits.A_VISITOR + 1)


@tagged("standard", "post_install", "-at_install")
class TestTextMessagesToStrangers(CheckoutCase):
    """Each costs money; some earn by it."""

    def setUp(self):
        super().setUp()
        self.website.capture_typed_contact = True
        self.company.write(
            {
                "quiet_hours_sms": False,
                "sms_country_ids": [(6, 0, self.env.ref("base.be").ids)],
                "sms_strangers_per_hour": 30,
                "sms_strangers_per_visitor": 3,
            }
        )
        template = self.env.ref("marketing_automation.template_cart_sms")
        step = self.sequence.step_ids.sorted("sequence")[0]
        step.write({"channel": "sms", "template_id": template.id})

    def _leave_carts(self, numbers):
        """Strangers type these numbers and leave; what became of each message."""
        orders = []
        for place, number in enumerate(numbers):
            self._new_visitor()
            orders.append(self._add())
            self._type(email=f"stranger{place}@example.com", phone=number)
        carts = self.env["abandoned.cart"]
        for order in orders:
            carts |= self._leave(order)
        for cart in carts:
            self._shift(cart, hours=1)
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        messages = carts.message_ids.sorted("phone_sanitized")
        return [(message.state, message.reason) for message in messages]

    def test_from_one_connection(self):
        outcome = self._leave_carts(f"+3247012345{n}" for n in range(6))
        self.assertEqual(outcome.count(("sent", False)), 3)
        self.assertEqual(outcome.count(("skipped", "too_many_strangers")), 3)

    def test_within_an_hour(self):
        self.company.write(
            {"sms_strangers_per_hour": 4, "sms_strangers_per_visitor": 50}
        )
        outcome = self._leave_carts(f"+3247012345{n}" for n in range(6))
        self.assertEqual(outcome.count(("sent", False)), 4)

    def test_countries_and_kinds(self):
        outcome = self._leave_carts(
            ["+32470123456", "+33612345678", "+19005571234", "+881612345678"]
        )
        sent = [item for item in outcome if item[0] == "sent"]
        self.assertEqual(sent, [("sent", False)])
        self.assertIn(("skipped", "number_country"), outcome)

    def test_country_of_the_company(self):
        self.company.sms_country_ids = False
        self.company.country_id = self.env.ref("base.fr")
        outcome = self._leave_carts(["+32470123456", "+33612345678"])
        self.assertEqual(outcome, [("skipped", "number_country"), ("sent", False)])

    def test_who_filled_in_the_form_is_a_stranger_until_they_buy(self):
        self.company.sms_country_ids = self.env.ref("base.fr")
        for reason in ("number_country", False):
            with self.subTest(reason=reason):
                self._new_visitor()
                order = self._add()
                self._submit_address(
                    f"gina{bool(reason)}@example.com", phone="+32 470 12 34 56"
                )
                if not reason:
                    bought = self._create_cart(order.partner_id)
                    bought.action_confirm()
                    bought.date_order = "2020-01-01 00:00:00"
                cart = self._leave(order)
                self._shift(cart, hours=1)
                self._process_steps()
                self.assertEqual(cart.message_ids.reason, reason)
                self.assertFalse(cart.message_ids.is_to_stranger)

    def test_contacts_of_staff_are_no_strangers(self):
        self.company.sms_country_ids = self.env.ref("base.fr")
        self.customer.write(
            {"phone": "+32470123456", "country_id": self.env.ref("base.be").id}
        )
        cart = self._abandon()
        self._shift(cart, hours=1)
        self._process_steps()
        self.assertEqual(cart.message_ids.state, "queued")

    def test_premium_rate_of_anybody(self):
        self.customer.phone = "+19005571234"
        template = self._create_contact_template(channel="sms", body_sms="Hello")
        message = self._queue_to(self.customer, template)
        message._skip_blocked()
        self.assertIn(message.reason, ("number_kind", "no_phone"))


@tagged("standard", "post_install", "-at_install")
class TestRowsOfPreferences(PreferenceCase):
    """The log of consent is for good, so it does not grow at will."""

    KEYS = [f"email:{code}" for code in CODES]

    def _count_lines(self):
        return self.env["marketing.consent.log"].search_count([])

    def test_changed_again_and_again(self):
        tables = ("marketing_preference", "marketing_consent_log", "mail_blacklist")
        before = sum(map(len, self._rows(*tables).values()))
        grown = []
        for number in range(60):
            self._post(*(self.KEYS if number % 2 == 0 else ()), channel=["email"])
            grown.append(sum(map(len, self._rows(*tables).values())) - before)
        # Once the hour's consents are given, nothing is added any more.
        self.assertEqual(grown[-1], grown[20])
        self.assertLess(
            grown[-1], 2 * (consent_limits.GIVEN_AN_HOUR + 2 * len(CODES)) + 10
        )

    def test_the_last_state_wins(self):
        with patch.object(consent_limits, "GIVEN_AN_HOUR", 1):
            self._post(self.KEYS[0], channel=["email"])
            self.assertEqual(self._said()["email", CODES[0]], "given")
            # No withdrawal waits.
            self._post(channel=["email"])
            self.assertEqual(self._said()["email", CODES[0]], "withdrawn")
            page = self._post(self.KEYS[0], channel=["email"])
            self.assertIn("counts when the hour is over", page.text)
            self.assertIn(self.KEYS[0], self._read(page)[1])
            self.assertEqual(self._said()["email", CODES[0]], "withdrawn")
            lines = self._count_lines()
            self._run_cron("ir_cron_record_wishes")
            self.assertEqual(self._said()["email", CODES[0]], "withdrawn")
            entry = self.env["marketing.preference"].search(
                [("wished_at", "!=", False)]
            )
            self.assertEqual(entry.purpose, CODES[0])
            entry.wished_at = "2020-01-01 00:00:00"
            self._run_cron("ir_cron_record_wishes")
            self.assertEqual(self._said()["email", CODES[0]], "given")
            self.assertEqual(self._count_lines(), lines + 1)

    def test_an_email_proves_no_number(self):
        """A guest enters somebody's number; the link of an email agrees to nothing
        for it. It may refuse."""
        self._post("sms:cart", "email:cart")
        self.assertEqual(self._said(channel="sms"), {("sms", "cart"): "given"})
        self._post()
        self.env.cr.execute(
            SQL(
                "UPDATE res_partner SET create_uid = %s WHERE id = %s",
                self.website.user_id.id,
                self.customer.id,
            )
        )
        self.env.invalidate_all()
        self._post("sms:cart", "email:cart")
        self.assertEqual(self._said(channel="sms")["sms", "cart"], "withdrawn")
        self.assertEqual(self._said(channel="email")["email", "cart"], "given")

    def test_a_wish_ends_with_a_refusal(self):
        with patch.object(consent_limits, "GIVEN_AN_HOUR", 1):
            for keys in ([self.KEYS[0]], [], [self.KEYS[0]]):
                self._post(*keys, channel=["email"])
            preferences = self.env["marketing.preference"]
            self.assertTrue(preferences.search([("wished_at", "!=", False)]))
            lines = self._count_lines()
            self._post(channel=["email"])
            self.assertFalse(preferences.search([("wished_at", "!=", False)]))
            self.assertEqual(self._count_lines(), lines)
            self._post(self.KEYS[0], channel=["email"])
            self.env["mail.blacklist"]._add(self.email)
            self.assertFalse(preferences.search([("wished_at", "!=", False)]))


@tagged("standard", "post_install", "-at_install")
class TestRowsOfRecoveryLinks(CheckoutCase):
    def test_opened_again_and_again(self):
        cart = self._abandon()
        path = cart._get_recovery_path()
        tables = ("sale_order", "sale_order_line", "mail_message")
        for number in range(12):
            self._new_visitor()
            self._get(path)
            if number == UNTOUCHED_COPIES:
                before = {name: len(rows) for name, rows in self._rows(*tables).items()}
        after = {name: len(rows) for name, rows in self._rows(*tables).items()}
        self.assertEqual(after, before)
        copies = self.env["sale.order"].search([("restored_cart_ids", "in", cart.ids)])
        self.assertEqual(len(copies), UNTOUCHED_COPIES)
        self.assertEqual(copies[0].order_line.product_uom_qty, 2)

    def test_what_somebody_touched_stays(self):
        cart = self._abandon()
        path = cart._get_recovery_path()
        self._get(path)
        mine = self._last_order()
        self._rpc("/shop/cart/returned")
        self.assertTrue(mine.cart_activity_at)
        for _number in range(6):
            self._new_visitor()
            self._get(path)
        self.assertTrue(mine.exists())
        self.assertEqual(mine.order_line.product_uom_qty, 2)


@tagged("standard", "post_install", "-at_install")
class TestStrangersWithCodes(CouponCase, CheckoutCase):
    """A coupon is its person's; a guest who types their address is anybody."""

    def setUp(self):
        super().setUp()
        self.owner = self._create_customer("Olga Owner", "olga@example.com")
        self.card = self._issue(self.owner)
        self.cart = self.card.marketing_enrollment_id.abandoned_cart_id

    def _guest(self, email="olga@example.com"):
        self._new_visitor()
        order = self._add(quantity=3)
        self._submit_address(email)
        self.assertEqual(order.partner_id.email_normalized, email)
        return order

    def test_address_of_the_owner(self):
        order = self._guest()
        self._get(f"/shop/pricelist?promo={self.card.code}")
        self.assertFalse(order.order_line.filtered("coupon_id"))
        self.assertIn("This coupon is personal", self._apply(order, self.card.code))
        # Before they say who they are, it may be looked at; then it is taken off.
        self._new_visitor()
        order = self._add(quantity=3)
        self._get(f"/shop/pricelist?promo={self.card.code}")
        self._submit_address("olga@example.com")
        self.assertFalse(order.order_line.filtered("coupon_id"))

    def test_link_of_the_message(self):
        self._new_visitor()
        self._get(self.cart._get_recovery_path())
        order = self._last_order()
        self._submit_address("olga@example.com")
        self.assertEqual(order.order_line.coupon_id, self.card)

    def test_owner_who_logs_in(self):
        user = new_test_user(
            self.env,
            "olga@example.com",
            groups="base.group_portal",
            email="o@x.example",
        )
        user.partner_id.email = "olga@example.com"
        order = self._create_cart(user.partner_id)
        self.assertEqual(self._apply(order, self.card.code), "")

    def test_wrong_codes(self):
        order = self._guest("somebody@example.com")
        attempts = self.env["marketing.code.attempt"]
        hour = attempts._get_hour()
        self.startPatcher(patch.object(type(attempts), "_get_hour", lambda _self: hour))
        for number in range(WRONG_CODES + 5):
            page = self._get(f"/shop/pricelist?promo=WRONG{number}")
        self.assertEqual(attempts.search([]).mapped("count"), [WRONG_CODES])
        self.assertIn("many codes that are not valid", page.text)
        self.assertFalse(order.order_line.filtered("coupon_id"))


@tagged("standard", "post_install", "-at_install")
class TestRowsOfPublicRoutes(CheckoutCase):
    """Whatever anonymous visitors repeat, the number of rows comes to an end."""

    TABLES = (
        *("abandoned_cart", "marketing_code_attempt", "marketing_consent_log"),
        *("marketing_enrollment", "marketing_message", "marketing_opt_in"),
        *("marketing_preference", "marketing_recipient", "marketing_short_link"),
        *("mail_blacklist", "mail_message", "res_partner", "sale_order"),
        *("sale_order_line", "sale_order_restored_cart_rel"),
    )
    ROUNDS = 40

    def setUp(self):
        super().setUp()
        self.website.capture_typed_contact = True
        self.company.consent_policy = "opt_in"
        self.cart = self._abandon()
        self._process_steps()
        self.message = self.cart.message_ids or self._queue_to(
            self.customer, self._create_contact_template()
        )
        self.message.token = f"{self.message.id:032x}"
        self.env.flush_all()

    def _count(self):
        self.env.flush_all()
        return {
            table: self.env.execute_query(
                SQL("SELECT count(*) FROM %s", SQL.identifier(table))
            )[0][0]
            for table in self.TABLES
        }

    def _assert_bounded(self, request, without=()):
        """The second half of the rounds adds nothing to what the first half left.

        :param without: tables that Odoo itself writes to each time
        """
        for number in range(self.ROUNDS):
            request(number)
            if number == self.ROUNDS // 2 - 1:
                half = self._count()
        after = self._count()
        for table in without:
            half.pop(table)
            after.pop(table)
        self.assertEqual(after, half)

    def test_looking(self):
        token = self.message.token
        for path in (
            f"/marketing/preferences/{token}",
            f"/marketing/unsubscribe/{token}",
            f"/marketing/confirm/{token}",
            "/m/AAAAAAAAAAAA",
            f"/marketing/click/{token}?u=https://evil.example&s=x",
            f"/shop/cart/recover/{token}",
        ):
            with self.subTest(path=path):
                self._assert_bounded(lambda _number, path=path: self._get(path))

    def test_preferences(self):
        path = f"/marketing/preferences/{self.message.token}"
        bodies = (
            "channel=email&choice=email:cart&choice=email:offers&action=save",
            "channel=email&action=save",
            "action=unsubscribe",
        )
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with patch.object(consent_limits, "GIVEN_AN_HOUR", 6):
            self._assert_bounded(
                lambda number: self._get(path, data=bodies[number % 3], headers=form)
            )

    def test_recovery_link(self):
        path = self.cart._get_recovery_path()

        def follow(_number):
            self._new_visitor()
            self._get(path)

        self._assert_bounded(follow)

    def test_typing(self):
        self._add()
        self._get("/shop/address")
        self._assert_bounded(
            lambda number: self._rpc(
                "/shop/cart/contact",
                {"email": f"a{number}@example.com", "phone": f"+3247012345{number:02}"},
            )
        )

    def test_asking_for_confirmations(self):
        self.website.consent_at_checkout = True
        self._add()
        self._submit_address("a@example.com")
        partner = self._last_order().partner_id
        self._assert_bounded(
            lambda number: self._submit_address(
                f"a{number}@example.com",
                partner_id=partner.id,
                consent_newsletter="1",
                asked_for_consent="1",
            ),
            # Odoo notes each change of an address.
            without=("mail_message",),
        )


@tagged("standard", "post_install", "-at_install")
class TestLimitSettings(MarketingCase):
    def test_kept(self):
        """Each is saved where it belongs, and read back from there."""
        belgium = self.env.ref("base.be")
        self.company.sms_country_ids = self.env.ref("base.hu")
        with Form(self.env["res.config.settings"]) as form:
            form.sms_strangers_per_hour = 17
            form.sms_strangers_per_visitor = 3
            form.opt_in_hourly_limit = 41
            form.sms_country_ids.add(belgium)
        form.record.execute()
        self.env.invalidate_all()
        read = self.env["res.config.settings"].create({})
        for record in (self.company, read):
            self.assertEqual(record.sms_strangers_per_hour, 17)
            self.assertEqual(record.sms_strangers_per_visitor, 3)
            self.assertEqual(record.sms_country_ids, belgium + self.env.ref("base.hu"))
        website = read.website_id
        self.assertEqual(website.opt_in_hourly_limit, 41)
        self.assertEqual(read.opt_in_hourly_limit, 41)

    def test_limits_are_positive(self):
        for record, field in (
            (self.company, "sms_strangers_per_hour"),
            (self.company, "sms_strangers_per_visitor"),
            (self.website, "opt_in_hourly_limit"),
        ):
            with self.subTest(field=field):
                self._assert_error(partial(self._write, record, {field: 0}))

    def _write(self, record, vals):
        record.write(vals)
        record.flush_recordset()
