import random
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..models.delivery.states import ALLOWED_FROM, REPORTS, STATES
from ..providers.base import DeliveryEvent
from .common import MarketingCase

KINDS = (
    *("sent", "deferred", "delivered", "failed", "bounced_soft", "bounced_hard"),
    *("open", "click", "complaint", "unsubscribe"),
)


@tagged("post_install", "-at_install")
class TestMessageState(MarketingCase):
    """The state machine: any order and repetition of reports ends in the same state."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()

    def _create_messages(self, count, state="sent"):
        """Create messages that were handed over to the SMTP account."""
        partners = self.env["res.partner"].create(
            [
                {"name": f"P{index}", "email": f"p{index}@example.com"}
                for index in range(count)
            ]
        )
        messages = self._queue_to(partners, self.template)
        messages.write({"provider_id": self.smtp.id})
        messages._set_state("sending")
        if state != "sending":
            messages._set_state(state)
        return messages

    def _event(self, message, kind, number=0):
        return DeliveryEvent(
            kind,
            fields.Datetime.now() + timedelta(seconds=number),
            uuid=message._get_key(),
            external_id=f"{message.id}:{kind}",
            suppress=kind in ("bounced_hard", "complaint", "unsubscribe"),
        )

    def _apply(self, events):
        self.env["marketing.message"]._apply_events(events, self.smtp)
        self.env.invalidate_all()

    def test_order_and_repetition_do_not_matter(self):
        """The property, on random sets of reports, each shuffled with repetitions."""
        rng = random.Random(19)
        cases = 40
        orders = 4
        messages = self._create_messages(cases * orders)
        for case in range(cases):
            kinds = rng.sample(KINDS, rng.randint(1, len(KINDS)))
            outcomes = set()
            for order in range(orders):
                message = messages[case * orders + order]
                events = [self._event(message, kind) for kind in kinds]
                events += rng.choices(events, k=rng.randint(0, 5))
                rng.shuffle(events)
                # Some providers send one at a time, some many in a batch.
                cut = rng.randint(0, len(events))
                self._apply(events[:cut])
                self._apply(events[cut:])
                outcomes.add(
                    (
                        message.state,
                        message.reason,
                        tuple(sorted(message.engagement_ids.mapped("kind"))),
                    )
                )
            self.assertEqual(len(outcomes), 1, kinds)
            reports = [REPORTS[kind] for kind in kinds if kind in REPORTS]
            state = max(reports, key=lambda report: report[2])[0] if reports else "sent"
            self.assertEqual(outcomes.pop()[0], state)

    def test_states_we_set_only_move_forward(self):
        names = [name for name, _label in STATES]
        for state in names:
            for source in names:
                [message] = self._create_messages(1, "sending")
                self.env.cr.execute(
                    "UPDATE marketing_message SET state = %s WHERE id = %s",
                    [source, message.id],
                )
                message.invalidate_recordset()
                moved = bool(message._set_state(state))
                self.assertEqual(moved, source in ALLOWED_FROM[state], (source, state))
                self.assertEqual(message.state, state if moved else source)
                message.unlink()
                self.env["res.partner"].search(
                    [("email", "=", "p0@example.com")]
                ).email = False

    def test_every_change_is_kept_with_time_and_reason(self):
        [message] = self._create_messages(1, "sending")
        message._set_state("queued", "temporary_failure", "451 greylisted")
        message._set_state("sending")
        message._set_state("sent")
        self._apply([self._event(message, "bounced_soft")])
        self.assertEqual(
            [(entry["state"], entry.get("reason")) for entry in message.history],
            [
                ("sending", None),
                ("queued", "temporary_failure"),
                ("sending", None),
                ("sent", None),
                ("bounced", "bounced_soft"),
            ],
        )
        self.assertTrue(all(entry["at"] for entry in message.history))
        self.assertIn("451 greylisted", message.history_html)

    def test_report_that_comes_before_our_own_result(self):
        [message] = self._create_messages(1, "sending")
        self._apply([self._event(message, "delivered")])
        self.assertEqual(message.state, "delivered")
        self.assertFalse(message._set_state("sent"))
        self.assertFalse(message._set_state("queued"))
        self.assertEqual(message.state, "delivered")

    def test_report_settles_what_is_uncertain(self):
        [message] = self._create_messages(1, "sending")
        message._set_state("uncertain", "connection_lost")
        self._apply([self._event(message, "delivered")])
        self.assertEqual(message.state, "delivered")
        self.assertTrue(message.sent_at)

    def test_report_corrects_what_a_person_guessed(self):
        [message] = self._create_messages(1, "sending")
        message._set_state("uncertain", "connection_lost")
        message.action_mark_failed()
        self._apply([self._event(message, "delivered")])
        self.assertEqual(message.state, "delivered")

    def test_what_never_left_cannot_be_reported(self):
        [message] = self._queue_to(
            self._create_customer("Q", "q@example.com"), self.template
        )
        self._apply([self._event(message, "delivered")])
        self.assertEqual(message.state, "queued")

    def test_hard_bounce_suppresses_and_soft_bounce_does_not(self):
        hard, soft = self._create_messages(2)
        self._apply(
            [self._event(hard, "bounced_hard"), self._event(soft, "bounced_soft")]
        )
        suppressed = self.env["mail.blacklist"].search([]).mapped("email")
        self.assertIn(hard.email_normalized, suppressed)
        self.assertNotIn(soft.email_normalized, suppressed)
        self.assertEqual((hard.state, soft.state), ("bounced", "bounced"))

    def test_unknown_and_forged_keys_change_nothing(self):
        [message] = self._create_messages(1)
        forged = f"{message.id}-0123456789abcdef"
        events = [
            DeliveryEvent("bounced_hard", fields.Datetime.now(), uuid=key)
            for key in (forged, "", "x", "99999999999999999999-0123456789abcdef")
        ]
        self.assertEqual(
            self.env["marketing.message"]._apply_events(events, self.smtp), 0
        )
        self.assertEqual(message.state, "sent")

    def test_report_by_the_providers_own_key(self):
        [message] = self._create_messages(1)
        message.message_ref = "SM123"
        other = self.smtp.copy({"name": "Other"})
        event = DeliveryEvent("delivered", fields.Datetime.now(), ref="SM123")
        self.env["marketing.message"]._apply_events([event], other)
        self.assertEqual(message.state, "sent", "another account's key")
        self._apply([event])
        self.assertEqual(message.state, "delivered")

    def test_reply_ends_the_reminders(self):
        cart = self._abandon()
        self._process_steps()
        message = cart.message_ids
        message.write({"provider_id": self.smtp.id})
        message._set_state("sending")
        message._set_state("sent")
        self._apply(
            [
                DeliveryEvent(
                    "reply",
                    fields.Datetime.now(),
                    uuid=message._get_key(),
                    text="Do you ship to Spain?",
                )
            ]
        )
        self.assertEqual(cart.enrollment_ids.stop_reason, "replied")
        self.assertEqual(message.engagement_ids.detail, "Do you ship to Spain?")
