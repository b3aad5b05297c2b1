from datetime import datetime, timedelta

from odoo import fields
from odoo.tests import tagged

from ..models.delivery.marketing_gate import Decision
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestGateLimits(MarketingCase):
    """What is held back for a while: frequency caps and quiet hours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.sms_template = cls._create_contact_template(
            channel="sms", body_sms="Hi {{ customer.first_name }}"
        )
        cls.anna = cls._create_customer(
            "Anna Berg", "anna.berg@example.com", phone="+36 30 123 4567"
        )

    def _queue(self, template=None, partner=None, **kwargs):
        return self._queue_to(partner or self.anna, template or self.template, **kwargs)

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def _decide(self, message):
        return self.env["marketing.gate"]._decide(message)[message.id]

    # === FREQUENCY ===#

    def test_second_email_waits_and_then_leaves(self):
        first, second = self._queue(), self._queue()
        self._send()
        self.assertEqual(first.state, "sent")
        self.assertEqual((second.state, second.reason), ("queued", "frequency_cap"))
        self.assertAlmostEqual(
            second.scheduled_at,
            first.sent_at + timedelta(hours=16),
            delta=timedelta(seconds=5),
        )
        self.assertEqual(second.history[-1]["reason"], "frequency_cap")
        past = timedelta(hours=17)
        first.write({"sent_at": first.sent_at - past})
        second.scheduled_at -= past
        self._send()
        self.assertEqual(second.state, "sent")

    def test_cap_holds_across_sources_and_companies_have_their_own(self):
        cart = self._abandon(self.anna)
        self._process_steps()
        self._send()
        self.assertEqual(cart.message_ids.state, "sent")
        news = self._queue()
        self._send()
        self.assertEqual((news.state, news.reason), ("queued", "frequency_cap"))
        self.company.email_cap_hours = 0
        news.scheduled_at = fields.Datetime.now()
        self._send()
        self.assertEqual(news.state, "sent")

    def test_channels_are_counted_apart(self):
        email, text = self._queue(), self._queue(self.sms_template)
        self.company.quiet_hours_sms = False
        self._send()
        self.assertEqual((email.state, text.state), ("sent", "sent"))
        again = self._queue(self.sms_template)
        self._send()
        self.assertEqual(again.reason, "frequency_cap")
        self.assertAlmostEqual(
            again.scheduled_at,
            text.sent_at + timedelta(hours=24),
            delta=timedelta(seconds=5),
        )

    def test_what_matters_more_goes_first(self):
        news = self._queue(priority=50)
        cart = self._queue(priority=20)
        self._send()
        self.assertEqual((cart.state, news.state), ("sent", "queued"))
        self.assertEqual(news.reason, "frequency_cap")

    def test_claimed_message_gives_way_to_one_that_matters_more(self):
        news = self._queue(priority=50)
        self.env["marketing.message"]._claim(10, self.company, "email")
        self._queue(priority=20)
        self.assertEqual(self._decide(news).reason, "frequency_cap")

    def test_only_marketing_is_capped(self):
        self._queue()
        self._send()
        receipt = self._queue(
            self._create_contact_template(name="R", category="transactional")
        )
        self._send()
        self.assertEqual(receipt.state, "sent")

    def test_test_messages_are_not_capped_and_do_not_count(self):
        for _attempt in range(2):
            test = self._queue(priority=0)
            self._send()
            self.assertEqual(test.state, "sent")
        news = self._queue()
        self.assertIsNone(self._decide(news))

    def test_person_has_one_message_in_flight(self):
        self.company.email_cap_hours = 0
        messages = self._queue() | self._queue()
        claimed = self.env["marketing.message"]._claim(10, self.company, "email")
        self.assertEqual(len(claimed & messages), 1)
        self.assertFalse(
            self.env["marketing.message"]._claim(10, self.company, "email")
        )
        claimed._set_state("sent")
        self.assertEqual(
            self.env["marketing.message"]._claim(10, self.company, "email"),
            messages - claimed,
        )

    def test_held_back_message_still_starts_the_recovery(self):
        self._queue()
        self._send()
        cart = self._abandon(self.anna)
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "frequency_cap")
        self.assertEqual(cart.state, "recovery_started")

    # === CHANNELS ===#

    def test_who_wants_no_text_messages_still_gets_the_emails(self):
        cart = self._abandon(self.anna)
        step = self.sequence.step_ids[0]
        step.write({"channel": "sms", "template_id": self._create_cart_sms().id})
        self.env["phone.blacklist"].create({"number": "+36301234567"})
        self._process_steps()
        self.assertEqual(cart.message_ids.reason, "opted_out")
        self.assertEqual(cart.enrollment_ids.state, "active")

    def _create_cart_sms(self):
        return self._create_contact_template(
            channel="sms", context="cart", body_sms="{{ cart.recovery_url }}"
        )

    # === QUIET HOURS ===#

    def _decide_at(self, message, hour, minute=0):
        """Ask the gate at an hour of a day in January, UTC."""
        moment = datetime(2026, 1, 15, hour, minute)
        message.scheduled_at = moment
        with self._at(moment):
            return self._decide(message)

    def _set_country(self, code, state=None):
        country = self.env.ref(f"base.{code}")
        self.anna.country_id = country
        self.anna.state_id = state and self.env.ref(f"base.state_{code}_{state}")

    def test_text_message_waits_for_the_morning_where_the_person_lives(self):
        message = self._queue(self.sms_template)
        self._set_country("hu")  # UTC+1 in winter
        self.assertEqual(
            self._decide_at(message, 22),
            Decision("quiet_hours", datetime(2026, 1, 16, 7)),
        )
        self.assertEqual(
            self._decide_at(message, 20, 30),
            Decision("quiet_hours", datetime(2026, 1, 16, 7)),
        )
        self.assertIsNone(self._decide_at(message, 19, 30))
        self._set_country("us", "5")  # California, UTC-8
        self.assertIsNone(self._decide_at(message, 22))
        self.assertEqual(
            self._decide_at(message, 10),
            Decision("quiet_hours", datetime(2026, 1, 15, 16)),
        )

    def test_without_address_the_number_and_then_the_company_decide(self):
        message = self._queue(self.sms_template)
        self.anna.country_id = False
        self.company.partner_id.tz = "Asia/Tokyo"
        # +36 is Hungary: at 6:30 UTC it is 7:30 there, and 15:30 in Tokyo.
        self.assertEqual(
            self._decide_at(message, 6, 30),
            Decision("quiet_hours", datetime(2026, 1, 15, 7)),
        )
        email = self._queue()
        self.company.quiet_hours_email = True
        # 13:30 UTC is 22:30 in Tokyo.
        self.assertEqual(
            self._decide_at(email, 13, 30),
            Decision("quiet_hours", datetime(2026, 1, 15, 23)),
        )

    def test_emails_have_no_quiet_hours_unless_wanted(self):
        message = self._queue()
        self._set_country("hu")
        self.assertIsNone(self._decide_at(message, 23))
        self.company.quiet_hours_email = True
        self.assertEqual(self._decide_at(message, 23).reason, "quiet_hours")

    def test_held_back_message_is_rescheduled_not_lost(self):
        message = self._queue(self.sms_template)
        self._set_country("hu")
        with self._at(datetime(2026, 1, 15, 23)):
            message.scheduled_at = fields.Datetime.now()
            self._send()
            self.assertEqual((message.state, message.reason), ("queued", "quiet_hours"))
            self.assertEqual(message.scheduled_at, datetime(2026, 1, 16, 7))
        with self._at(datetime(2026, 1, 16, 7, 1)):
            self._send()
        self.assertEqual(message.state, "sent")

    def test_settings_that_make_no_sense_are_refused(self):
        for vals in (
            {"quiet_hours_from": 25},
            {"quiet_hours_until": -1},
            {"email_cap_hours": -1},
        ):
            with self.subTest(vals):
                self._assert_error(lambda vals=vals: self.company.write(vals))
