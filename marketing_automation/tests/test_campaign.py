from datetime import datetime, timedelta
from unittest.mock import patch

import phonenumbers
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL, file_open

from .campaign_common import CampaignCase

# What databases have where a number is to be.
WRONG_NUMBERS = (
    None,
    "",
    "x",
    "+36301234567\n",
    "0630",
    "+36 30",
    "+0361234567",
    "+361",
    "+" + "3" * 40,
)


@tagged("post_install", "-at_install")
class TestCampaign(CampaignCase):
    """From the draft to the last message."""

    def test_sent_to_everybody_once(self):
        self.campaign.action_confirm()
        self.assertEqual(self.campaign.state, "scheduled")
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.state, "running")
        self.assertEqual(self._get_states(), ["queued"] * 6)
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 6)
        self.assertEqual(self.campaign.state, "completed")
        self.assertEqual(self.campaign.sent_count, 6)
        self.assertTrue(self.campaign.ended_at)
        self.assertEqual(
            sorted(self.campaign.message_ids.mapped("subject")),
            [f"News for Person{letter}" for letter in "ABCDEF"],
        )
        # Nothing begins again.
        self._dispatch()
        self.assertEqual(len(self.campaign.message_ids), 6)

    def test_what_it_says_instead_of_the_template(self):
        self.campaign.write(
            {
                "subject": "Only today, {{ customer.first_name }}",
                "from_name": "Anna, Lamps & Co",
                "reply_to": "anna@example.com",
                "track_opens": False,
                "track_clicks": False,
            }
        )
        self._start()
        with patch.object(
            type(self.env["marketing.provider"]),
            "_get_sender",
            lambda provider, company: '"Shop" <shop@example.com>',
        ):
            batch = self._compose()
        email = batch[0]
        self.assertEqual(email.email_from, '"Anna, Lamps & Co" <shop@example.com>')
        self.assertEqual(email.reply_to, "anna@example.com")
        self.assertIn("Only today", email.subject)
        self.assertIn('href="https://shop.example.com/new"', email.html)
        self.assertNotIn("/marketing/open/", email.html)

    def _compose(self):
        """Write the messages as they would be handed over."""
        dispatcher = self.env["marketing.dispatcher"]
        messages = self.env["marketing.message"]._claim(10, self.company, "email")
        provider = self.env["marketing.provider"]._get_accounts(self.company, "email")[
            :1
        ]
        return dispatcher._compose_passed(messages, provider)

    def test_marks_of_links(self):
        self._start()
        _hosts, marks = self.campaign.message_ids[0]._get_utm_parameters()
        self.assertEqual(marks["campaign"], "Spring")
        self.campaign.sudo().utm_campaign_id = self.env["utm.campaign"].create(
            {"title": "Spring 26"}
        )
        _hosts, marks = self.campaign.message_ids[0]._get_utm_parameters()
        self.assertEqual(marks["campaign"], "Spring 26")

    def test_not_before_its_time(self):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        self.campaign.write({"is_at_once": False, "scheduled_at": tomorrow})
        self._start()
        self.assertEqual(self.campaign.state, "scheduled")
        self.assertFalse(self.campaign.message_ids)
        with self._at(tomorrow + timedelta(minutes=1)):
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.state, "running")

    def test_audience_as_of_the_start(self):
        """Who comes into the segment before it starts gets it, who comes later not."""
        self.campaign.action_confirm()
        late = self._create_customer("Late", "late@example.com")
        self._give_consent(late)
        self.segment.add_contacts(late.ids, "manual")
        self._run_cron("ir_cron_campaigns")
        later = self._create_customer("Later", "later@example.com")
        self.segment.add_contacts(later.ids, "manual")
        self._dispatch()
        self.assertIn(late, self.campaign.message_ids.partner_id)
        self.assertNotIn(later, self.campaign.message_ids.partner_id)

    def test_each_address_once(self):
        twin = self._create_customer("Twin", "PERSON0@example.com")
        self.segment.add_contacts(twin.ids, "manual")
        self.assertEqual(self.campaign.audience_size, 6)
        self._start()
        self.assertEqual(len(self.campaign.message_ids), 6)

    def test_left_out(self):
        """Whose address is left out gets nothing, whoever else has it."""
        twin = self._create_customer("Twin", "person0@example.com")
        out = self._create_segment("Out", twin | self.people[1])
        self.campaign.excluded_segment_ids = out
        self.campaign.invalidate_recordset()
        self.assertEqual(self.campaign.audience_size, 4)
        self._start()
        self.assertEqual(
            self.campaign.message_ids.partner_id.sorted("id"), self.people[2:]
        )

    def test_who_may_not_be_written_to(self):
        """Each person considered leaves a row, with the reason."""
        nobody = self._create_customer("No Address", False)
        self.segment.add_contacts(nobody.ids, "manual")
        self.env["mail.blacklist"]._add("person1@example.com")
        self._start()
        self._dispatch()
        reasons = {
            message.partner_id: message.reason
            for message in self.campaign.message_ids
            if message.state == "skipped"
        }
        self.assertEqual(reasons, {nobody: "no_email", self.people[1]: "opted_out"})
        self.assertEqual(self.campaign.sent_count, 5)
        self.assertEqual(self.campaign.skipped_count, 2)

    def test_cart_reminders_go_first(self):
        """A newsletter to thousands does not hold up what one person did."""
        self._start()
        cart = self._abandon(self._create_customer("Bo", "bo@example.com"))
        self._process_steps()
        claimed = self.env["marketing.message"]._claim(1, self.company, "email")
        self.assertEqual(claimed, cart.message_ids)

    def test_copied_database_sends_nothing_again(self):
        """What runs is paused, what is planned is a draft again."""
        planned = self._create_campaign(
            is_at_once=False, scheduled_at=fields.Datetime.now() + timedelta(days=3)
        )
        planned.action_confirm()
        self._start()
        self.env.flush_all()
        with file_open("marketing_automation/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertEqual((self.campaign.state, planned.state), ("paused", "draft"))
        self._dispatch()
        self.assertEqual(self._get_states(), ["queued"] * 6)

    def test_copy(self):
        self._start()
        copy = self.campaign.copy()
        self.assertEqual(copy.name, "Spring (copy)")
        self.assertEqual((copy.state, copy.started_at), ("draft", False))
        self.assertEqual(copy.segment_ids, self.segment)
        self.assertFalse(copy.message_count)


@tagged("post_install", "-at_install")
class TestCampaignControl(CampaignCase):
    """Pause, resume, cancel and another schedule, in the middle of sending."""

    def _send_some(self, count):
        """Hand over some of the messages."""
        dispatcher = type(self.env["marketing.dispatcher"])
        original, batches = dispatcher._dispatch_batch, []

        def once(model, adapters=None):
            batches.append(1)
            return len(batches) == 1 and original(model, count, adapters)

        with patch.object(dispatcher, "_dispatch_batch", once):
            self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def test_pause_and_resume(self):
        self._start()
        self._send_some(2)
        self.campaign.action_pause()
        self._dispatch()
        self.assertEqual(self._get_states(), ["queued"] * 4 + ["sent"] * 2)
        self.assertEqual(self.campaign.state, "paused")
        self.assertEqual(self.campaign.progress, 33)
        self.campaign.action_resume()
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 6)
        self.assertEqual(self.campaign.state, "completed")

    def test_paused_between_claim_and_sending(self):
        """What a worker has taken already goes back, and leaves after all."""
        self._start()
        claimed = self.env["marketing.message"]._claim(3, self.company, "email")
        self.campaign.action_pause()
        self.assertFalse(claimed._skip_blocked())
        self.assertEqual(set(claimed.mapped("state")), {"queued"})
        self.assertEqual(set(claimed.mapped("reason")), {"campaign_paused"})
        self.campaign.action_resume()
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_cancel(self):
        self._start()
        self._send_some(2)
        claimed = self.env["marketing.message"]._claim(1, self.company, "email")
        self.campaign.action_cancel()
        claimed._skip_blocked()
        self._dispatch()
        self.assertEqual(
            self._get_states(), ["cancelled"] * 3 + ["sent"] * 2 + ["skipped"]
        )
        self.assertEqual(self.campaign.state, "cancelled")
        self.assertEqual(self.campaign.cancelled_count, 3)
        self.assertEqual(self.campaign.sent_count, 2)

    def test_back_to_draft(self):
        self.campaign.write(
            {"is_at_once": False, "scheduled_at": datetime.now() + timedelta(days=1)}
        )
        self.campaign.action_confirm()
        self.campaign.action_draft()
        self.assertEqual(self.campaign.state, "draft")
        self._start()
        self.campaign.action_cancel()
        with self.assertRaisesRegex(UserError, "has been started|Duplicate"):
            self.campaign.started_at = fields.Datetime.now()
            self.campaign.action_draft()

    def test_another_time_in_the_middle(self):
        self._start()
        self._send_some(2)
        later = fields.Datetime.now().replace(microsecond=0) + timedelta(hours=5)
        wizard = self.env["email.campaign.schedule"].create(
            {"campaign_id": self.campaign.id, "scheduled_at": later}
        )
        wizard.action_apply()
        self.assertTrue(self.campaign.is_rescheduling)
        self._run_cron("ir_cron_dispatch")
        self.assertEqual(self._get_states(), ["queued"] * 4 + ["sent"] * 2)
        self._dispatch()
        self.assertFalse(self.campaign.is_rescheduling)
        waiting = self.campaign.message_ids.filtered(lambda m: m.state == "queued")
        self.assertEqual(set(waiting.mapped("scheduled_at")), {later})
        self.campaign.scheduled_at = fields.Datetime.now()
        self._run_cron("ir_cron_campaigns")
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"] * 6)

    def test_worker_in_the_way(self):
        """A conflict in the database is no error of the campaign: it is tried again."""
        self._start()
        self.campaign.action_cancel()
        with patch.object(
            type(self.campaign), "_take_back", side_effect=SerializationFailure
        ):
            self._run_cron("ir_cron_campaigns")
        self.assertFalse(self.campaign.last_error)
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self._get_states(), ["cancelled"] * 6)

    def test_what_is_over_stays(self):
        self._start()
        self._dispatch()
        for change in (
            lambda: self.campaign.write({"scheduled_at": fields.Datetime.now()}),
            lambda: self.campaign.write({"template_id": False}),
            self.campaign.action_pause,
            self.campaign.action_cancel,
            self.campaign.action_confirm,
            self.campaign.unlink,
        ):
            with self.assertRaises(UserError):
                change()

    def test_tests_leave_in_any_state(self):
        """A test is no part of the campaign: it leaves from a draft, counts nowhere."""
        wizard = self.env["email.campaign.test"].create(
            {
                "campaign_id": self.campaign.id,
                "partner_ids": [(6, 0, self.people[:2].ids)],
            }
        )
        self.campaign.subject = "Look at this"
        wizard.action_send()
        self._run_cron("ir_cron_dispatch")
        tests = self.campaign.message_ids
        self.assertEqual(tests.mapped("state"), ["sent", "sent"])
        self.assertEqual(set(tests.mapped("subject")), {"Look at this"})
        self._start()
        self._dispatch()
        self.assertEqual(self.campaign.message_count, 6)

    def test_test_without_address(self):
        wizard = self.env["email.campaign.test"].create(
            {
                "campaign_id": self.campaign.id,
                "partner_ids": [(6, 0, self._create_customer("X", False).ids)],
            }
        )
        with self.assertRaisesRegex(UserError, "X"):
            wizard.action_send()


@tagged("post_install", "-at_install")
class TestCampaignSchedule(CampaignCase):
    """When each of the recipients gets it."""

    def test_local_time(self):
        """Nine o'clock is nine o'clock where each of them lives."""
        self.company.partner_id.tz = "Europe/Budapest"
        self.company.invalidate_recordset(["figures_timezone"])
        for partner, country in zip(self.people, ("jp", "us", "hu"), strict=False):
            partner.country_id = self.env.ref(f"base.{country}")
        self.people[1].state_id = self.env.ref("base.state_us_5")  # California
        own = self.company.sudo().figures_timezone
        start = datetime(2027, 3, 10, 8, 0)
        with self._at(datetime(2027, 3, 8, 8, 0)):
            self.campaign.write(
                {
                    "is_at_once": False,
                    "scheduled_at": start,
                    "is_local_time": True,
                }
            )
            self.campaign.action_confirm()
        with self._at(self.campaign.starts_at + timedelta(minutes=1)):
            self._run_cron("ir_cron_campaigns")
        due = {m.partner_id: m.scheduled_at for m in self.campaign.message_ids}
        hours = [(due[p] - start).total_seconds() / 3600 for p in self.people[:3]]
        offset = {"Europe/Budapest": 1, "UTC": 0}[own]
        self.assertEqual(hours, [offset - 9, offset + 8, offset - 1])
        # Of whom nothing is known is where the company is.
        self.assertEqual(due[self.people[5]], start)

    def test_local_time_of_phones(self):
        """Who has no address is where their number is: as quiet hours have it."""
        self.campaign = self._create_campaign(
            channel="sms",
            template_id=self._create_contact_template(
                channel="sms", body_sms="Hello"
            ).id,
            is_local_time=True,
            is_at_once=False,
            scheduled_at=datetime(2099, 3, 10, 8, 0),
        )
        people = self._create_people_with_phones()
        gate, expected = self.env["marketing.gate"], {}
        for person in people:
            facts = {
                "channel": "sms",
                "phone_sanitized": person.phone_sanitized,
                "country": person.country_id.code,
                "state": person.state_id.code,
                "tz": person.tz,
            }
            zone = gate._get_timezone(facts, self.company)
            expected[person.id] = self.campaign._get_due_in(zone)
        slots = self.campaign._sql_slots(
            SQL("SELECT unnest(%s) AS partner_id", people.ids)
        )
        self.assertEqual(dict(self.env.execute_query(slots)), expected)
        self.assertGreater(len(set(expected.values())), 20)

    def _create_people_with_phones(self):
        """Mobile phones of the whole world, and what is no number; some of the people
        with an address or a time zone of their own."""
        regions = sorted(phonenumbers.SUPPORTED_REGIONS)
        numbers = [
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            for region in regions
            for number in [phonenumbers.example_number_for_type(region, 1)]
            if number
        ]
        numbers += [*WRONG_NUMBERS, "+12125551234", "+12068675309", "+5592999999999"]
        japan = self.env.ref("base.jp").id
        people = self.env["res.partner"].create(
            [
                {"name": "Phone", "tz": tz, "country_id": country}
                for tz, country in (
                    (False, False),
                    ("Asia/Tokyo", False),
                    (False, japan),
                )
                for number in numbers
            ]
        )
        people.flush_recordset()
        for index, person in enumerate(people):
            self.env.cr.execute(
                "UPDATE res_partner SET phone_sanitized = %s WHERE id = %s",
                [numbers[index % len(numbers)], person.id],
            )
        people.invalidate_recordset(["phone_sanitized"])
        return people

    def test_spread(self):
        self.campaign.spread_hours = 10
        self._start()
        due = self.campaign.message_ids.mapped("scheduled_at")
        begin = self.campaign.started_at
        self.assertGreater(len(set(due)), 1)
        self.assertGreaterEqual(min(due), begin - timedelta(seconds=1))
        self.assertLessEqual(max(due), begin + timedelta(hours=10, seconds=1))

    def test_nonsense(self):
        with self.assertRaises(ValidationError):
            self.campaign.spread_hours = -1
        with self.assertRaises(ValidationError):
            self.campaign.spread_hours = 1000

    def test_in_the_past(self):
        self.campaign.write(
            {"is_at_once": False, "scheduled_at": datetime.now() - timedelta(days=1)}
        )
        with self.assertRaisesRegex(UserError, "over"):
            self.campaign.action_confirm()


@tagged("post_install", "-at_install")
class TestCampaignReview(CampaignCase):
    """What is said before the button is pressed."""

    def test_who_and_why_not(self):
        nobody = self._create_customer("No Address", False)
        self.segment.add_contacts(nobody.ids, "manual")
        self.env["mail.blacklist"]._add("person1@example.com")
        review = self.campaign._get_review()
        self.assertEqual((review["reachable"], review["total"]), (5, 7))
        self.assertEqual(
            dict(review["reasons"]), {"No email address": 1, "Opted out": 1}
        )
        self.assertFalse(review["problems"])
        # What it said is what happens.
        self._start()
        self._dispatch()
        self.assertEqual(self.campaign.sent_count, review["reachable"])

    def test_everything_that_is_missing(self):
        campaign = self._create_campaign(
            segment_ids=False, template_id=False, is_at_once=False
        )
        self.assertEqual(len(campaign._get_problems()), 3)
        with self.assertRaises(UserError) as caught:
            campaign.action_confirm()
        for word in ("segment", "template", "leave"):
            self.assertIn(word, str(caught.exception))
        self.assertEqual(campaign.state, "draft")

    def test_missing_address_of_the_company(self):
        self.company.partner_id.city = False
        with self.assertRaisesRegex(UserError, "postal address"):
            self.campaign.action_confirm()

    def test_impossible_since(self):
        """What was fine when it was scheduled may be wrong when it starts."""
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        self.campaign.write({"is_at_once": False, "scheduled_at": tomorrow})
        self.campaign.action_confirm()
        self.template.active = False
        with self._at(tomorrow + timedelta(minutes=1)):
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.state, "draft")
        self.assertIn("archived", self.campaign.last_error)
        self.assertFalse(self.campaign.message_ids)

    def test_subject_that_cannot_be_sent(self):
        for subject in ("{{ nobody.name }}", "{{ customer.first_name"):
            with self.assertRaises(ValidationError):
                self.campaign.subject = subject

    def test_template_for_something_else(self):
        cart_template = self.env["marketing.template"].search(
            [("context", "=", "cart"), ("channel", "=", "email")], limit=1
        )
        with self.assertRaises(ValidationError):
            self.campaign.template_id = cart_template

    def test_cost_of_text_messages(self):
        template = self._create_contact_template(
            channel="sms", body_sms="Hello {{ customer.first_name }}"
        )
        for number, partner in enumerate(self.people):
            partner.phone = f"+3630123456{number}"
        self._give_consent(self.people, channel="sms")
        self.company.quiet_hours_sms = False
        account = self.env["marketing.provider"]._select(self.company, "sms")
        account.segment_price = 0.05
        campaign = self._create_campaign(channel="sms", template_id=template.id)
        review = campaign._get_review()
        self.assertEqual(review["reachable"], 6)
        self.assertIn("0.30", review["cost"])
        self._start(campaign)
        self._dispatch()
        self.assertEqual(self._get_states(campaign), ["sent"] * 6)

    def test_segment_that_was_never_refreshed(self):
        self.assertFalse(self.campaign.audience_warning)
        self.campaign.segment_ids = self.env["customer.segment"].create(
            {"name": "New rule", "company_id": self.company.id}
        )
        self.assertIn("New rule", self.campaign.audience_warning)

    def test_advice_on_the_content(self):
        review = self.campaign._get_review()
        self.assertFalse(review["problems"])
        self.campaign.subject = "FREE!!! " * 12
        advice = " ".join(self.campaign._get_review()["advice"])
        self.assertIn("subject", advice.lower())

    def test_as_a_customer_sees_it(self):
        self.assertIn("Anna", self.campaign.preview_subject)
        self.campaign.preview_partner_id = self.people[2]
        self.assertEqual(self.campaign.preview_subject, "News for PersonC")

    def test_builder(self):
        for step in ("content", "schedule", "review", "review"):
            self.campaign.action_next_step()
            self.assertEqual(self.campaign.builder_step, step)
        self.assertIn("Who gets it", self.campaign.review_html)
        self.campaign.action_previous_step()
        self.assertEqual(self.campaign.builder_step, "schedule")
        self.assertFalse(self.campaign.review_html)


@tagged("post_install", "-at_install")
class TestCampaignFigures(CampaignCase):
    """What became of it: each message counts once, machines do not."""

    def setUp(self):
        super().setUp()
        self._start()
        self._dispatch()
        self.messages = self.campaign.message_ids.sorted("id")

    def _engage(self, message, kind, **vals):
        self._let_reading_time_pass(message)
        self.env["marketing.engagement"]._record(message.token, kind, **vals)

    def test_counted_once(self):
        first, second, third = self.messages[:3]
        for _time in range(2):
            self._engage(first, "open")
        self._engage(second, "click", url="https://shop.example.com/new", position=1)
        self._engage(third, "open", machine_reason="agent")
        self._engage(second, "unsubscribe")
        self.campaign.action_refresh_figures()
        self.assertEqual(self.campaign.opened_count, 2)
        self.assertEqual(self.campaign.clicked_count, 1)
        self.assertEqual(self.campaign.unsubscribed_count, 1)
        self.assertEqual(self.campaign.open_rate, 2 / 6)

    def test_revenue(self):
        message = self.messages[0]
        self._engage(message, "click")
        order = self._create_cart(partner=message.partner_id)
        order.action_confirm()
        self.env.flush_all()
        self.campaign.action_refresh_figures()
        self.assertEqual(order.attributed_message_id, message)
        self.assertEqual(self.campaign.order_count, 1)
        self.assertEqual(self.campaign.revenue, order._get_marketing_revenue())
        orders = self.env["sale.order"].search(
            self.campaign.action_view_orders()["domain"]
        )
        self.assertEqual(orders, order)

    def test_page(self):
        self._engage(
            self.messages[0],
            "click",
            url="https://shop.example.com/new",
            label="New",
            position=1,
        )
        self.campaign.action_refresh_figures()
        [opened, clicked] = self.campaign._get_curve()
        # Whoever clicks has opened: the curve ends where the figures above it are.
        self.assertEqual((opened["total"], clicked["total"]), (1, 1))
        self.assertEqual(self.campaign.opened_count, 1)
        self.assertIn("polyline", self.campaign.curve_html)
        [domain] = self.campaign._get_domains()
        self.assertEqual((domain["domain"], domain["sent"]), ("example.com", 6))
        [link] = self.campaign._get_links()
        self.assertEqual((link["label"], link["share"]), ("New", 1.0))
        self.assertIn("100% · 1", self.campaign.click_map_html)
        self.assertNotIn("/marketing/open/", self.campaign.click_map_html)
        self.assertNotIn("/marketing/click/", self.campaign.click_map_html)

    def test_ledger_names_the_campaign(self):
        decision = self.env["marketing.decision"].search(
            [("message_id", "=", self.messages[0].id)]
        )
        self.assertEqual(decision.campaign_id, self.campaign)
        self.assertEqual(decision.source, "News · Spring")

    def test_recipients(self):
        action = self.campaign.action_view_recipients()
        found = self.env["marketing.message"].search(action["domain"])
        self.assertEqual(found.sorted("id"), self.messages)


@tagged("post_install", "-at_install")
class TestCampaignKinds(CampaignCase):
    """Again and again, and whenever somebody enters a segment."""

    def test_again_and_again(self):
        """Each time is a campaign of its own; the time of the day stays."""
        now = fields.Datetime.now().replace(microsecond=0)
        self.campaign.write(
            {"kind": "recurring", "repeat_every": 2, "repeat_unit": "weeks"}
        )
        self._start()
        second = self.env["email.campaign"].search(
            [("previous_id", "=", self.campaign.id)]
        )
        self.assertEqual((second.name, second.state), ("Spring, no. 2", "scheduled"))
        self.assertEqual((second.scheduled_at - now).days, 14)
        self._dispatch()
        self.assertEqual(self.campaign.state, "completed")
        with self._at(second.scheduled_at + timedelta(minutes=1)):
            self._run_cron("ir_cron_campaigns")
        self.assertEqual(second.state, "running")
        self.assertEqual(len(second.message_ids), 6)
        third = self.env["email.campaign"].search([("previous_id", "=", second.id)])
        self.assertEqual(third.name, "Spring, no. 3")

    def test_series_that_ends(self):
        self.campaign.write(
            {
                "kind": "recurring",
                "repeat_until": fields.Date.today() + timedelta(days=3),
            }
        )
        self._start()
        self.assertFalse(
            self.env["email.campaign"].search([("previous_id", "=", self.campaign.id)])
        )
        with self.assertRaises(ValidationError):
            self._create_campaign(kind="recurring", repeat_every=0)

    def test_whenever_somebody_enters(self):
        self.campaign.kind = "on_entry"
        self._start()
        self._dispatch()
        self.assertEqual(self.campaign.state, "running")
        self.assertFalse(self.campaign.message_ids)
        entered = self._create_customer("New", "new@example.com")
        self._give_consent(entered)
        self.segment.add_contacts(entered.ids, "manual")
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.message_ids.partner_id, entered)
        # Who leaves and comes again gets no second one.
        self.segment.remove_contacts(entered.ids)
        self.segment.add_contacts(entered.ids, "manual")
        self._run_cron("ir_cron_campaigns")
        self._dispatch()
        self.assertEqual(self._get_states(), ["sent"])
        self.assertEqual(self.campaign.state, "running")
        self.campaign.action_finish()
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.state, "completed")

    def test_nobody_enters_while_it_is_paused(self):
        """They get it when it goes on."""
        self.campaign.kind = "on_entry"
        self._start()
        self.campaign.action_pause()
        entered = self._create_customer("New", "new@example.com")
        self._give_consent(entered)
        self.segment.add_contacts(entered.ids, "manual")
        self._run_cron("ir_cron_campaigns")
        self.assertFalse(self.campaign.message_ids)
        self.campaign.action_resume()
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(self.campaign.message_ids.partner_id, entered)

    def test_ended_while_it_is_paused(self):
        """Nobody else is let in, and nothing leaves before it goes on."""
        self.campaign.kind = "on_entry"
        self._start()
        entered = self._create_customer("New", "new@example.com")
        self._give_consent(entered)
        self.segment.add_contacts(entered.ids, "manual")
        self._run_cron("ir_cron_campaigns")
        self.campaign.action_pause()
        self.campaign.action_finish()
        self._dispatch()
        self.assertEqual(self.campaign.state, "paused")
        self.assertEqual(self._get_states(), ["queued"])
        self.campaign.action_resume()
        self._dispatch()
        self.assertEqual(self.campaign.state, "completed")
        self.assertEqual(self._get_states(), ["sent"])

    def test_others_end_by_themselves(self):
        self._start()
        with self.assertRaisesRegex(UserError, "by itself"):
            self.campaign.action_finish()
