from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.campaign import campaign_states
from ..models.cart import cart_detection
from ..models.delivery import email_writer, marketing_dispatcher, message_state
from ..models.sequence import enrollment_steps
from ..providers.base import DeliveryEvent, Provider, SendResult
from .common import MarketingCase

DISPATCHER = marketing_dispatcher.__name__


class Taker(Provider):
    """Takes every message and remembers it."""

    def __init__(self):
        self.received = []

    def send(self, batch, deadline=None):
        self.received += batch
        return [SendResult(item.uuid, "accepted") for item in batch]

    def check(self):
        return []


class Odd(Taker):
    """Takes all but the first, and says so in signs that no database takes."""

    def send(self, batch, deadline=None):
        odd = "no \0 way \ud800"
        first, *others = batch
        refused = SendResult(first.uuid, "rejected", "", "content_refused", odd)
        return [refused, *super().send(others)]


@tagged("post_install", "-at_install")
class TestOneFailure(MarketingCase):
    """What fails for one person, language or source holds up nobody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.people = cls.env["res.partner"].create(
            [
                {
                    "name": f"P{n}",
                    "email": f"p{n}@example.com",
                    "phone": f"+3247000000{n}",
                }
                for n in range(7)
            ]
        )
        cls.company.country_id = cls.env.ref("base.be")
        cls.people._compute_phone_sanitized()
        cls.text = cls._create_contact_template(
            channel="sms",
            body_sms="Hello {{ customer.first_name }}: https://shop.example.com/a",
        )

    def setUp(self):
        super().setUp()
        self.taker = Taker()
        self.startPatcher(
            patch.object(type(self.smtp), "_get_adapter", lambda _account: self.taker)
        )
        self.smtp.action_enable()

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    # === LANGUAGES ===#

    def _archive_language(self, messages):
        self.env.cr.execute(
            "UPDATE marketing_message SET lang = 'de_DE' WHERE id = ANY(%s)",
            [messages.ids],
        )
        self.env.invalidate_all()

    def test_a_language_that_was_switched_off(self):
        for template in (self.template, self.text):
            with self.subTest(template.channel):
                messages = self._queue_to(self.people[:3], template)
                self._archive_language(messages[1])
                self.assertEqual(messages[1].lang, "de_DE")
                self._send()
                self.assertEqual(messages.mapped("state"), ["sent"] * 3)

    def test_a_campaign_in_a_language_that_was_switched_off(self):
        campaign = self.env["email.campaign"].create(
            {"name": "News", "template_id": self.template.id, "subject": "Spring"}
        )
        messages = self._queue_to(self.people[:2], self.template)
        messages.campaign_id = campaign
        campaign.state = "running"
        self._archive_language(messages[1])
        self._send()
        self.assertEqual(messages.mapped("subject"), ["Spring", "Spring"])
        self.assertEqual(messages.mapped("state"), ["sent", "sent"])

    def test_a_cart_in_a_language_that_was_switched_off(self):
        self._abandon(partner=self.people[0])
        self._abandon(partner=self.people[1])
        self._process_steps()
        messages = self.env["marketing.message"].search(
            [("partner_id", "in", self.people.ids)], order="id"
        )
        self._archive_language(messages[0])
        self._send()
        self.assertEqual(messages.mapped("state"), ["sent", "sent"])

    # === MAKING MESSAGES READY ===#

    def _check_alone(self, template, owner, name, contains):
        """Let a step of preparing fail whenever it is about one of the messages."""
        messages = self._queue_to(self.people, template, f"test-{name}")
        bad = messages[4]
        # What is written together fails together: it speaks for another shop.
        bad.website_id = self.env["website"].create({"name": "Other shop"})
        original = getattr(owner, name)

        def fail(*args, **kwargs):
            if contains(bad, *args):
                raise ValueError("it cannot be done")
            return original(*args, **kwargs)

        with patch.object(owner, name, fail), mute_logger(DISPATCHER):
            self._send()
        self.assertEqual((messages - bad).mapped("state"), ["sent"] * 6)
        self.assertEqual((bad.state, bad.reason), ("queued", "not_prepared"))
        self.assertEqual(bad.attempts, 1)
        self.assertEqual(bad.reason_detail, "it cannot be done")
        self.assertEqual(len(self.taker.received), 6)
        self.assertEqual(self.smtp.today_count, 6 if template.channel == "email" else 0)

    def test_gate_fails(self):
        owner = type(self.env["marketing.message"])
        self._check_alone(
            *(self.template, owner, "_skip_blocked"),
            lambda bad, messages: bad in messages,
        )

    def test_coupons_fail(self):
        owner = type(self.env["marketing.coupon"])
        self._check_alone(
            *(self.template, owner, "_issue_for"),
            lambda bad, _model, messages: bad in messages,
        )

    def test_writer_fails(self):
        self._check_alone(
            *(self.template, email_writer.EmailWriter, "__init__"),
            lambda bad, _self, _template, sample, *_rest: sample == bad,
        )

    def test_keeping_fails(self):
        owner = type(self.env["marketing.composer"])
        self._check_alone(
            *(self.template, owner, "_keep"),
            lambda bad, _model, composed, *_rest: (
                bad.id in [item.message_id for item in composed]
            ),
        )

    def test_text_message_fails(self):
        owner = type(self.env["marketing.composer"])
        self._check_alone(
            *(self.text, owner, "_write_one_sms"),
            lambda bad, _model, message, *_rest: message == bad,
        )

    def test_short_links_fail(self):
        owner = type(self.env["marketing.composer"])
        self._check_alone(
            *(self.text, owner, "_shorten"),
            lambda bad, _model, wanted: bad in [message for message, _url in wanted],
        )

    def test_search_has_an_end(self):
        """Where everything fails, the rest goes back without an attempt."""
        messages = self._queue_to(self.people, self.template)
        owner = type(self.env["marketing.composer"])
        with (
            patch.object(owner, "_compose", side_effect=ValueError("always")) as write,
            patch.object(marketing_dispatcher, "SEARCH_SECONDS", -1),
            mute_logger(DISPATCHER),
        ):
            self._dispatch_once()
        # All of them, and the first half: then the time was over.
        self.assertEqual(write.call_count, 1)
        self.assertEqual(set(messages.mapped("state")), {"queued"})
        self.assertEqual(set(messages.mapped("attempts")), {0})
        self.assertEqual(self.smtp.today_count, 0)

    def _dispatch_once(self):
        """Run the action for one batch."""
        dispatcher = type(self.env["marketing.dispatcher"])
        original, calls = dispatcher._dispatch_batch, []

        def once(model, *args, **kwargs):
            calls.append(1)
            return 0 if len(calls) > 1 else original(model, *args, **kwargs)

        with patch.object(dispatcher, "_dispatch_batch", once):
            self._send()

    # === RESULTS ===#

    def test_a_result_that_cannot_be_written(self):
        messages = self._queue_to(self.people, self.template)
        owner = type(self.env["marketing.dispatcher"])
        original, bad = owner._write_results, messages[2]._get_key()

        def fail(model, provider, results):
            if bad in [result.uuid for result in results]:
                raise ValueError("no")
            return original(model, provider, results)

        with patch.object(owner, "_write_results", fail), mute_logger(DISPATCHER):
            self._send()
        # What is known of it is written all the same.
        self.assertEqual(set(messages.mapped("state")), {"sent"})

    def test_what_servers_say_can_be_stored(self):
        messages = self._queue_to(self.people[:2], self.template)

        self.taker = Odd()
        self._send()
        self.assertEqual(messages.mapped("state"), ["failed", "sent"])
        self.assertEqual(messages[0].reason_detail, "no  way ?")

    def test_an_adapter_that_breaks_off(self):
        messages = self._queue_to(self.people[:4], self.template)

        class Breaking(Taker):
            notes_what_it_begins = True

            def send(self, batch, deadline=None):
                done, begun, *_left = batch
                self.note_begun(done.uuid)
                self.note_result(SendResult(done.uuid, "accepted"))
                self.note_begun(begun.uuid)
                raise RuntimeError("cannot schedule new futures after shutdown")

        self.taker = Breaking()
        with mute_logger(DISPATCHER):
            self._dispatch_once()
        self.assertEqual(
            messages.mapped("state"), ["sent", "uncertain", "queued", "queued"]
        )
        self.assertEqual(messages.mapped("attempts"), [0] * 4)

    def test_an_adapter_that_notes_nothing_leaves_doubt_about_all(self):
        messages = self._queue_to(self.people[:3], self.template)
        with (
            patch.object(Taker, "send", side_effect=RuntimeError("no")),
            mute_logger(DISPATCHER),
        ):
            self._dispatch_once()
        self.assertEqual(messages.mapped("state"), ["uncertain"] * 3)

    # === WHAT PROVIDERS REPORT ===#

    def test_a_report_that_cannot_be_taken_in(self):
        messages = self._queue_to(self.people[:5], self.template)
        self._send()
        owner = type(self.env["marketing.engagement"])
        original, bad = owner._record_events, messages[3]

        def fail(model, rows):
            if bad.id in [row["message_id"] for row in rows]:
                raise ValueError("no")
            return original(model, rows)

        now = fields.Datetime.now()
        events = [DeliveryEvent("open", now, uuid=m._get_key()) for m in messages]
        with (
            patch.object(owner, "_record_events", fail),
            mute_logger(message_state.__name__),
        ):
            count = self.env["marketing.message"]._apply_events(iter(events), self.smtp)
        self.assertEqual(count, 4)
        self.assertEqual(
            self.env["marketing.engagement"]
            .search([("message_id", "in", messages.ids)])
            .message_id,
            messages - bad,
        )

    # === SEQUENCES, DETECTION ===#

    def test_an_enrollment_that_cannot_go_on(self):
        for person in self.people:
            self._create_cart(person)
        self._detect()
        runs = self.env["marketing.enrollment"].search(
            [("partner_id", "in", self.people.ids)], order="id"
        )
        self.assertEqual(len(runs), 7)
        runs.next_at = fields.Datetime.now()
        bad = runs[2]
        owner = type(self.env["marketing.message"])
        original = owner._queue_sequence_steps

        def fail(model, going_on):
            if bad in going_on:
                raise ValueError("no")
            return original(model, going_on)

        with (
            patch.object(owner, "_queue_sequence_steps", fail),
            mute_logger(enrollment_steps.__name__),
        ):
            self.assertEqual(self.env["marketing.enrollment"]._process_due_batch(), 7)
            self.assertEqual(self.env["marketing.enrollment"]._process_due_batch(), 0)
        self.env.invalidate_all()
        self.assertEqual([len(run.message_ids) for run in runs], [1, 1, 0, 1, 1, 1, 1])
        self.assertGreater(bad.next_at, fields.Datetime.now())
        self.assertEqual(bad.state, "active")

    def test_a_step_of_detection_that_fails(self):
        cart = self._create_cart(self.people[0])
        with (
            patch.object(
                type(self.env["abandoned.cart"]),
                "_find_strangers",
                side_effect=ValueError("no"),
                __name__="_find_strangers",
            ),
            mute_logger(cart_detection.__name__),
        ):
            self._run_cron("ir_cron_detect_carts")
        self.env.invalidate_all()
        self.assertTrue(cart.abandoned_cart_id.enrollment_ids)

    # === CAMPAIGNS ===#

    def test_a_campaign_that_fails_says_so_and_holds_up_no_other(self):
        bad, good = self.env["email.campaign"].create(
            [
                {"name": name, "template_id": self.template.id, "state": "running"}
                for name in ("Bad", "Good")
            ]
        )
        owner = type(bad)
        original = owner._settle

        def fail(campaign):
            if campaign == bad:
                raise RuntimeError("it cannot be settled")
            return original(campaign)

        with (
            patch.object(owner, "_settle", fail),
            mute_logger(campaign_states.__name__),
        ):
            self._run_cron("ir_cron_campaigns")
        self.env.invalidate_all()
        self.assertEqual(bad.last_error, "it cannot be settled")
        self.assertEqual((good.state, good.last_error), ("completed", False))
        self._run_cron("ir_cron_campaigns")
        self.env.invalidate_all()
        self.assertEqual((bad.state, bad.last_error), ("completed", False))
