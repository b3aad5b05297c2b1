from contextlib import contextmanager
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .campaign_common import CampaignCase
from .common import FOOTER


@tagged("post_install", "-at_install")
class TestCampaignSeries(CampaignCase):
    """Campaigns that hand people over to a sequence."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write({"email_cap_hours": 0, "sms_cap_hours": 0})
        cls.company.write({"quiet_hours_email": False, "quiet_hours_sms": False})
        cls.later = cls._create_contact_template()
        cls.later.name = "A hint"
        cls.series = cls._create_series(cls.template, cls.later)
        cls.campaign.write({"sends": "sequence", "sequence_id": cls.series.id})

    # === FROM THE FIRST MESSAGE TO THE LAST ===#

    def test_one_message_after_the_other(self):
        self._start()
        self.assertEqual(self.campaign.state, "running")
        self.assertEqual(self._get_runs().mapped("next_step_id.name"), ["Hello"])
        self._go_on()
        self.assertEqual(self._get_states(), ["sent"] * 6)
        self.assertEqual(self._get_runs().next_step_id.name, "A hint")
        self.assertEqual(self.campaign.state, "running")
        self._go_on(days=2)
        self.assertEqual(len(self.campaign.message_ids), 6, "it is not due yet")
        self._go_on(days=3.5)
        self.assertEqual(self._get_states(), ["sent"] * 12)
        self.assertEqual(self._get_runs().mapped("state"), ["completed"] * 6)
        self.assertEqual(self.campaign.state, "completed")
        self.assertEqual((self.campaign.run_count, self.campaign.running_count), (6, 0))
        self.assertEqual(self.campaign.progress, 100)
        # Nothing begins again.
        self._go_on(days=8)
        self.assertEqual(len(self.campaign.message_ids), 12)

    def test_begins_when_the_campaign_does(self):
        at = fields.Datetime.now() + timedelta(days=2)
        self.campaign.write({"scheduled_at": at})
        self.campaign.action_confirm()
        self._run_cron("ir_cron_campaigns")
        self.assertFalse(self._get_runs())
        with self._at(at):
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(set(self._get_runs().mapped("started_at")), {at})
        self.assertEqual(set(self._get_runs().mapped("next_at")), {at})

    def test_each_at_the_local_time(self):
        self.people[0].country_id = self.env.ref("base.jp")
        self.people[1].country_id = self.env.ref("base.us")
        at = fields.Datetime.now() + timedelta(days=3)
        self.campaign.write({"scheduled_at": at, "is_local_time": True})
        self.campaign.action_confirm()
        with self._at(at - timedelta(hours=13)):
            self._run_cron("ir_cron_campaigns")
        begins = {run.contact_id: run.next_at for run in self._get_runs()}
        self.assertLess(begins[self.people[0]], begins[self.people[2]])
        self.assertLess(begins[self.people[2]], begins[self.people[1]])

    def test_of_two_channels(self):
        self.people[0].write({"phone": "+36205550123"})
        self._give_consent(self.people[0], channel="sms")
        self.series.step_ids[1].write(
            {
                "channel": "sms",
                "template_id": self.env.ref(
                    "marketing_automation.template_win_back_sms"
                ).id,
            }
        )
        self._start()
        self._go_on()
        self._go_on(days=3.5)
        texts = self.campaign.message_ids.filtered(lambda m: m.channel == "sms")
        self.assertEqual(texts.filtered("phone_sanitized").mapped("state"), ["sent"])
        self.assertEqual(
            set(texts.filtered(lambda m: not m.phone_sanitized).mapped("reason")),
            {"no_phone"},
        )
        self.assertEqual(self.campaign.state, "completed")

    def test_what_it_says(self):
        """The subject is each message's own; sender and marks are the campaign's."""
        self.campaign.write({"subject": "Not this", "from_name": "Anna"})
        self._start()
        self._go_on(send=False)
        message = self.campaign.message_ids[0]
        overrides = message._get_overrides()
        self.assertEqual(overrides["from_name"], "Anna")
        self.assertNotIn("subject", overrides)
        self._dispatch()
        self.assertIn("News for", message.subject)

    def test_who_must_not_be_written_to(self):
        self.env["mail.blacklist"]._add(self.people[0].email)
        self._start()
        self._go_on()
        own = self.campaign.message_ids.filtered(
            lambda m: m.partner_id == self.people[0]
        )
        self.assertEqual((own.state, own.reason), ("skipped", "opted_out"))
        self.assertEqual(own.enrollment_id.state, "stopped")

    # === HOW IT ENDS EARLY ===#

    def test_ends_with_an_order(self):
        self._start()
        self._go_on()
        run = self._get_runs(self.people[0])
        self._order(self.people[0])
        self.assertEqual((run.state, run.stop_reason), ("stopped", "purchased"))
        decision = self.env["marketing.decision"].search(
            [("partner_id", "=", self.people[0].id), ("outcome", "=", "stopped")]
        )
        self.assertEqual(
            (decision.reason, decision.campaign_id), ("purchased", self.campaign)
        )
        self._go_on(days=3.5)
        self.assertEqual(len(run.message_ids), 1)
        self.assertEqual(len(self.campaign.message_ids), 11)

    def test_an_order_of_the_same_address(self):
        self._start()
        other = self.people[0].copy({"email": self.people[0].email})
        self._order(other)
        self.assertEqual(self._get_runs(self.people[0]).stop_reason, "purchased")

    def test_goes_on_after_an_order(self):
        self.series.stops_on_purchase = False
        self._start()
        self._go_on()
        self._order(self.people[0])
        self._go_on(days=3.5)
        self.assertEqual(
            self._get_runs(self.people[0]).message_ids.mapped("state"), ["sent"] * 2
        )

    def test_orders_are_asked_for_before_it_leaves(self):
        """One that was not confirmed here, but imported, say."""
        self._start()
        self._go_on(send=False)
        order = self.env["sale.order"].create({"partner_id": self.people[0].id})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET state = 'sale', date_order = %s WHERE id = %s",
            [fields.Datetime.now() + timedelta(minutes=1), order.id],
        )
        self._dispatch()
        run = self._get_runs(self.people[0])
        self.assertEqual(run.message_ids.mapped("reason"), ["purchased"])
        self.assertEqual(run.stop_reason, "purchased")

    def test_ends_with_opting_out(self):
        self._start()
        self._go_on()
        self.env["marketing.message"]._cancel_to("email", [self.people[0].email])
        self.assertEqual(self._get_runs(self.people[0]).stop_reason, "opted_out")

    def test_ends_with_being_archived(self):
        self._start()
        self._go_on()
        self.people[0].active = False
        self._go_on(days=3.5)
        run = self._get_runs(self.people[0])
        self.assertEqual((run.stop_reason, len(run.message_ids)), ("archived", 1))
        self.assertEqual(len(self.campaign.message_ids), 11)

    # === COUPONS ===#

    def _hand_out_coupons(self):
        self.template.body_html = "{% if coupon %}{{ coupon.code }}{% endif %}" + FOOTER
        self.series.step_ids[0].write(
            {
                "coupon_use": "new",
                "coupon_id": self.env.ref("marketing_automation.coupon_10_percent").id,
            }
        )
        self._start()
        self._go_on()
        return self.campaign.message_ids.coupon_card_id

    def test_each_gets_a_coupon_of_their_own(self):
        cards = self._hand_out_coupons()
        self.assertEqual(len(cards), 6)
        self.assertEqual(set(cards.mapped("marketing_minimum_amount")), {0})
        for message in self.campaign.message_ids:
            self.assertEqual(message.coupon_card_id.partner_id, message.partner_id)
            self.assertIn(message.coupon_card_id.code, message.body_html)
        # It works at the checkout, for whom it is.
        card = self._get_runs(self.people[0]).coupon_card_id
        order = self._create_cart(self.people[0])
        self.assertNotIn("error", order._try_apply_code(card.code))
        stranger = self._create_cart(self.people[1])
        self.assertIn("personal", stranger._try_apply_code(card.code)["error"])

    def test_what_was_promised_holds(self):
        """Also when the campaign is cancelled, or something else was bought."""
        cards = self._hand_out_coupons()
        self._order(self.people[0])
        self.campaign.action_cancel()
        self._run_cron("ir_cron_campaigns")
        self.assertTrue(all(card._is_open() for card in cards))

    def test_one_message_brings_no_coupon(self):
        self.template.body_html = "{% if coupon %}{{ coupon.code }}{% endif %}" + FOOTER
        self.assertFalse(self.campaign._check_coupon())
        self.campaign.sends = "message"
        self.assertIn("nobody gets one", self.campaign._check_coupon()["message"])
        self._start()
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 6)

    # === PEOPLE STEER IT ===#

    def test_paused_and_resumed(self):
        self._start()
        self._go_on()
        self.campaign.action_pause()
        self._go_on(days=3.5)
        self.assertEqual(len(self.campaign.message_ids), 6)
        with self._at(fields.Datetime.now() + timedelta(days=5)):
            self.campaign.action_resume()
        self._go_on(days=5)
        self.assertEqual(self._get_states(), ["sent"] * 12)
        self.assertEqual(self.campaign.state, "completed")

    def test_cancelled(self):
        self._start()
        self._go_on()
        self.campaign.action_cancel()
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(set(self._get_runs().mapped("stop_reason")), {"cancelled"})
        self.assertFalse(self.campaign._find_cancelled())
        self._go_on(days=3.5)
        self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_another_time(self):
        """Who had the first message goes on; the others begin later."""
        self.campaign.write({"spread_hours": 100})
        self._start()
        runs = self._get_runs()
        runs[0].next_at = fields.Datetime.now()
        self.env["marketing.enrollment"]._process_due_batch()
        begun = runs.filtered("last_step_id")
        expected = {run: run.next_at for run in begun}
        later = fields.Datetime.now() + timedelta(days=9)
        self.campaign.write({"scheduled_at": later, "spread_hours": 0})
        self._run_cron("ir_cron_campaigns")
        self.assertEqual({run: run.next_at for run in begun}, expected)
        self.assertEqual(
            set((runs - begun).mapped("next_at")), {later.replace(microsecond=0)}
        )
        self.assertFalse(self.campaign.is_rescheduling)

    def test_edited_on_the_way(self):
        self._start()
        self._go_on()
        self.series.step_ids[1].unlink()
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self._get_runs().mapped("state"), ["completed"] * 6)
        self.assertEqual(self.campaign.state, "completed")

    # === WHO GOES THROUGH IT ===#

    def test_whoever_enters(self):
        self.campaign.kind = "on_entry"
        self._start()
        self.assertFalse(self._get_runs())
        new = self.people[0].copy({"email": "new@example.com"})
        self._give_consent(new)
        with self._at(fields.Datetime.now() + timedelta(minutes=5)):
            self.segment.add_contacts(new.ids, "manual")
            self._run_cron("ir_cron_campaigns")
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(self._get_runs().contact_id, new)
        # Another contact of the same address is the same person.
        twin = new.copy({"email": "new@example.com"})
        with self._at(fields.Datetime.now() + timedelta(minutes=9)):
            self.segment.add_contacts(twin.ids, "manual")
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(self._get_runs().contact_id, new)
        self.assertEqual(self.campaign.state, "running", "it waits for more")

    def test_nobody_goes_through_it_twice_at_a_time(self):
        other = self.campaign.copy()
        self._start()
        self._start(other)
        self.assertEqual(len(self._get_runs()), 6)
        self.assertFalse(self._get_runs(campaign=other))
        self.assertEqual(other.state, "completed", "there was nobody left")

    def test_a_cart_is_recovered_meanwhile(self):
        self._start()
        self._go_on()
        cart = self._abandon(self.people[0])
        self.assertEqual(cart.enrollment_ids.state, "active")
        self.assertEqual(self._get_runs(self.people[0]).state, "active")
        self.assertEqual(cart.enrollment_ids.display_name, cart.display_name)

    def test_forgotten(self):
        self._start()
        self._go_on()
        run = self._get_runs(self.people[0])
        privacy = self.env["marketing.privacy"]
        privacy._forget(privacy._find_by_address(self.people[0].email))
        self.env.invalidate_all()
        self.assertEqual(run.state, "stopped")
        self.assertFalse(run.contact_id or run.email_normalized)
        # The sequence can still be edited.
        self.series.step_ids[1].delay_value = 5

    # === BEFORE IT STARTS ===#

    def test_review(self):
        self.campaign.builder_step = "review"
        self.later.subject = "X" * 120
        review = self.campaign._get_review()
        self.assertEqual(review["reachable"], 6)
        self.assertFalse(review["problems"])
        self.assertTrue(any(text.startswith("A hint: ") for text in review["advice"]))

    def test_what_is_missing(self):
        self.campaign.sequence_id = False
        with self._assert_refused(UserError, "Choose a sequence"):
            self.campaign.action_confirm()
        self.campaign.sequence_id = self.series.copy({"step_ids": []})
        with self._assert_refused(UserError, "Add its messages"):
            self.campaign.action_confirm()
        self.campaign.sequence_id.active = False
        with self._assert_refused(UserError, "archived"):
            self.campaign.action_confirm()
        self.later.active = False
        self.campaign.sequence_id = self.series
        with self._assert_refused(UserError, "archived"):
            self.campaign.action_confirm()

    def test_costs(self):
        sms = self.env.ref("marketing_automation.template_win_back_sms")
        self.series.step_ids[1].write({"channel": "sms", "template_id": sms.id})
        parts = self.campaign._count_segments()
        self.assertTrue(parts)
        self.assertIn(str(parts), self.campaign._describe_cost(6))

    def test_tests_of_all_messages(self):
        self.campaign._queue_test(self.people[0])
        tests = self.campaign.message_ids
        self.assertEqual(tests.template_id, self.template | self.later)
        self.assertEqual(set(tests.mapped("priority")), {0})
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 2)

    def test_not_with_carts(self):
        cart = self.env.ref("marketing_automation.sequence_cart_emails")
        with self._assert_refused(ValidationError, "is for carts"):
            self.campaign.sequence_id = cart
        with self._assert_refused(ValidationError, "speaks of a cart"):
            self.series.step_ids[0].template_id = cart.step_ids[0].template_id
        with self._assert_refused(ValidationError, "left a cart"):
            self.series.step_ids[1].condition_ids = [
                Command.create({"kind": "not_returned"})
            ]
        with self._assert_refused(ValidationError, "speaks of a cart"):
            cart.kind = "contact"
        self.series.step_ids[1].condition_ids = [
            Command.create({"kind": "not_clicked"})
        ]

    def test_begun_for_others(self):
        self._start()
        with self._assert_refused(ValidationError, "begun for others"):
            self.series.kind = "cart"

    def test_no_test_of_single_messages(self):
        with self._assert_refused(ValidationError, "compares single messages"):
            self.env["ab.test"].create({"campaign_id": self.campaign.id})

    def test_fixed_at_the_start(self):
        self._start()
        with self._assert_refused(UserError, "has been started"):
            self.campaign.sends = "message"

    # === WHAT BECAME OF IT ===#

    def test_figures_by_message(self):
        self._start()
        self._go_on()
        self._click(self.campaign.message_ids[0])
        self.campaign._refresh_figures()
        hello, hint = self.campaign._get_series()["steps"]
        self.assertEqual(
            hello["figures"],
            [
                ("waiting for it", 0),
                ("sent", 6),
                ("opened", 1),
                ("clicked", 1),
                ("left out", 0),
            ],
        )
        self.assertEqual(hint["figures"][0], ("waiting for it", 6))
        self.assertEqual(hint["delay"], "3 days after the beginning")
        self.assertIn("Hello", self.campaign.series_html)
        self.assertEqual(self.campaign.progress, 0)

    # === HELPERS ===#

    @contextmanager
    def _assert_refused(self, error, words):
        with self.assertRaisesRegex(error, words), self.env.cr.savepoint():
            yield
        self.env.invalidate_all()

    def _get_runs(self, person=None, campaign=None):
        return self.env["marketing.enrollment"].search(
            [
                ("campaign_id", "=", (campaign or self.campaign).id),
                *([("contact_id", "=", person.id)] if person else []),
            ]
        )

    def _go_on(self, days=0, send=True):
        """Let time pass, and everything happen that is due."""
        with self._at(fields.Datetime.now() + timedelta(days=days, seconds=1)):
            self._run_cron("ir_cron_process_enrollments")
            if send:
                self._dispatch()
        self.env.invalidate_all()

    def _order(self, partner):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [Command.create({"product_id": self.product.id})],
            }
        )
        order.action_confirm()
        return order
