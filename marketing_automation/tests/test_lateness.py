from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .campaign_common import CampaignCase


@tagged("post_install", "-at_install")
class TestLateness(CampaignCase):
    """What could not leave in time asks before it does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.state = "enabled"
        cls.now = fields.Datetime.now().replace(microsecond=0)

    def _run_of_cart(self, hours_late, started_hours_ago=None):
        """A cart whose next step should have come so long ago."""
        cart = self._abandon()
        due = self.now - timedelta(hours=hours_late)
        cart.enrollment_ids.write(
            {
                "next_at": due,
                "started_at": due
                if started_hours_ago is None
                else self.now - timedelta(hours=started_hours_ago),
            }
        )
        self._process_steps()
        return cart.message_ids

    def _assert_asking(self, message):
        self.assertRecordValues(
            message, [{"state": "queued", "reason": "too_late", "scheduled_at": False}]
        )
        self._dispatch()
        self.assertEqual(message.state, "queued")

    # === MESSAGES ===#

    def test_late_step_of_a_cart_asks(self):
        message = self._run_of_cart(49)
        self._assert_asking(message)
        self.assertEqual(message.abandoned_cart_id.state, "recovery_started")
        message.action_send_late()
        self._dispatch()
        self.assertEqual((message.state, message.reason), ("sent", False))

    def test_late_step_that_is_not_sent(self):
        message = self._run_of_cart(49)
        message.action_cancel()
        self.assertEqual(message.state, "cancelled")
        with self.assertRaisesRegex(UserError, "too late"):
            message.action_send_late()

    def test_late_within_the_limit(self):
        message = self._run_of_cart(47)
        self._dispatch()
        self.assertEqual(message.state, "sent")

    def test_run_that_just_begins_is_not_late(self):
        """An old cart, a sequence that was just switched on."""
        message = self._run_of_cart(200, started_hours_ago=0)
        self._dispatch()
        self.assertEqual(message.state, "sent")

    def test_no_limit(self):
        self.company.late_is_held = False
        message = self._run_of_cart(400)
        self._dispatch()
        self.assertEqual(message.state, "sent")

    def test_own_limit(self):
        self.company.late_hours_cart = 500
        message = self._run_of_cart(400)
        self._dispatch()
        self.assertEqual(message.state, "sent")
        self._assert_error(lambda: self.company.write({"late_hours_cart": 0}))

    def test_message_that_waited_in_the_outbox(self):
        """The dispatcher did not run, or the account was paused."""
        cart = self._abandon()
        self._process_steps()
        message = cart.message_ids
        with self._at(self.now + timedelta(days=4)):
            self._dispatch()
            self._assert_asking(message)
            history = [entry.get("reason") for entry in message.history]
            self.assertEqual(history.count("too_late"), 1)
            message.action_send_late()
            self._dispatch()
            self.assertEqual(message.state, "sent")

    def test_who_bought_meanwhile_is_not_asked_about(self):
        message = self._run_of_cart(49)
        message.abandoned_cart_id.order_id.action_confirm()
        self.assertEqual((message.state, message.reason), ("cancelled", "purchased"))

    def test_step_of_a_contact(self):
        """A week, unless somebody says otherwise."""
        sequence = self._create_series(self.template, self.template)
        runs = self.env["marketing.enrollment"]
        for hours, state in ((169, "queued"), (167, "sent")):
            with self.subTest(hours=hours):
                person = self._create_customer("P", f"p{hours}@example.com")
                self._give_consent(person)
                due = self.now - timedelta(hours=hours)
                run = runs.create(
                    {
                        "sequence_id": sequence.id,
                        "contact_id": person.id,
                        "company_id": self.company.id,
                        "email_normalized": person.email_normalized,
                        "started_at": due,
                        "next_step_id": sequence.step_ids[0].id,
                        "next_at": due,
                    }
                )
                self._process_steps()
                self._dispatch()
                self.assertEqual(run.message_ids.state, state)

    def test_confirmation_of_consent(self):
        self.env["marketing.opt.in"]._request(
            self.company,
            "somebody@example.com",
            ["newsletter"],
            "sign_up",
            website=self.website,
        )
        message = self.env["marketing.message"].search([("opt_in_id", "!=", False)])
        with self._at(self.now + timedelta(hours=25)):
            self._dispatch()
            self._assert_asking(message)

    # === CAMPAIGNS ===#

    def _schedule(self, **vals):
        """A campaign for tomorrow."""
        self.campaign.write(
            {
                "is_at_once": False,
                "scheduled_at": self.now + timedelta(days=1),
                **vals,
            }
        )
        self.campaign.action_confirm()
        return self.campaign

    def test_campaign_that_begins_months_late(self):
        campaign = self._schedule()
        with self._at(self.now + timedelta(days=86)):
            self._dispatch()
            self.assertEqual(campaign.state, "scheduled")
            self.assertTrue(campaign.is_late)
            self.assertIn("85 days", campaign.late_words)
            self.assertFalse(campaign.message_ids)
            campaign.action_send_late()
            self.assertFalse(campaign.is_late)
            self._run_cron("ir_cron_campaigns")
            self._dispatch()
            self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_campaign_that_is_cancelled_instead(self):
        campaign = self._schedule()
        with self._at(self.now + timedelta(days=86)):
            campaign.action_cancel()
            self._dispatch()
            self.assertEqual(campaign.state, "cancelled")
            self.assertFalse(campaign.is_late)

    def test_campaign_a_few_hours_late(self):
        campaign = self._schedule()
        with self._at(self.now + timedelta(days=1, hours=23)):
            self._run_cron("ir_cron_campaigns")
            self.assertEqual(campaign.state, "running")

    def test_series_has_a_limit_of_its_own(self):
        self.company.late_hours_recurring = 3
        campaign = self._schedule(kind="recurring")
        with self._at(self.now + timedelta(days=1, hours=4, minutes=1)):
            self._run_cron("ir_cron_campaigns")
            self.assertEqual(campaign.state, "scheduled")
            self.assertTrue(campaign.is_late)
            self.assertIn("4 hours", campaign.late_words)

    def test_campaign_that_was_interrupted(self):
        """Half of it was sent, then nothing ran for days."""
        self._start()
        self.assertFalse(self.campaign.is_late)
        with self._at(self.now + timedelta(days=3, hours=1)):
            self.env.invalidate_all()
            self.assertTrue(self.campaign.is_late)
            self._dispatch()
            self.assertEqual(self._get_states(), ["queued"] * 6)
            self.assertIn("3 days", self.campaign.late_words)
            self.campaign.action_send_late()
            self._dispatch()
            self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_campaign_that_was_paused(self):
        """Somebody has decided already."""
        self._start()
        self.campaign.action_pause()
        with self._at(self.now + timedelta(days=30)):
            self.campaign.action_resume()
            self._dispatch()
            self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_campaign_that_takes_days(self):
        """An account that may send so many a day: some leaves each day."""
        self._start()
        messages = self.campaign.message_ids.sorted("id")
        messages[0]._set_state("sending")
        messages[0]._set_state("sent")
        messages[0].write(
            {
                "provider_id": self.sandbox.id,
                "sending_at": self.now + timedelta(hours=40),
            }
        )
        with self._at(self.now + timedelta(hours=41)):
            self.env["email.campaign"]._note_progress()
            self.assertFalse(self.campaign.is_late)
            self.assertEqual(self.campaign.progress_at, self.now + timedelta(hours=41))
