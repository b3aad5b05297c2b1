import random
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..models.delivery.states import ALLOWED_FROM, REPORTS, STATES
from ..providers.base import DeliveryEvent
from .common import MarketingCase
from .examples import examples

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
        cases = examples(12, 40)
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


@tagged("post_install", "-at_install")
class TestContent(MarketingCase):
    """What was sent is kept once, as long as anybody needs it."""

    def _send(self):
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()

    def _send_to(self, *names, **template_vals):
        partners = self.env["res.partner"]
        for name in names:
            mailbox = "".join(filter(str.isascii, filter(str.isalpha, name.lower())))
            partners |= self._create_customer(
                name, f"{mailbox}@example.com", phone="+36 30 123 4567"
            )
        template = self._create_contact_template(**template_vals)
        messages = self._queue_to(partners, template, priority=0)
        self._send()
        return messages

    def _make_older(self, messages, days):
        for record in [*messages, *messages.content_id]:
            for name in ("sending_at", "sent_at", "created_at"):
                if name in record._fields and record[name]:
                    record[name] -= timedelta(days=days)

    def test_the_same_content_is_kept_once_and_read_by_each(self):
        messages = self._send_to("Anna", "Béla & Co")
        self.assertEqual(set(messages.mapped("state")), {"sent"})
        self.assertEqual(len(messages.content_id), 1)
        for message in messages:
            name = message.partner_id.name.split()[0]
            self.assertEqual(message.subject, f"News for {name}")
            self.assertIn(f"Hello {name}", message.body_html)
            self.assertIn(f"Hello {name}", message.body_text)
            self.assertIn(message.token, message.body_html)
            self.assertNotIn("@@", message.body_html + message.body_text)
        self.assertNotIn(messages[1].token, messages[0].body_html)

    def test_what_one_message_says_is_its_own(self):
        messages = self._send_to(
            "Anna", "Bea", body_html="<p>{{ customer.name | upper }}</p>"
        )
        self.assertEqual(len(messages.content_id), 2)
        self.assertIn("ANNA", messages[0].body_html)

    def test_contents_in_use_are_kept_and_old_ones_forgotten(self):
        messages = self._send_to("Anna", "Bea")
        self._make_older(messages, 400)
        recent = messages[0]
        recent.sending_at = fields.Datetime.now()
        contents = self.env["marketing.content"]
        contents._delete_old()
        self.assertTrue(messages.content_id, "somebody got it only lately")
        self._make_older(recent, 400)
        contents._delete_old()
        self.env.invalidate_all()
        self.assertFalse(messages.content_id)
        self.assertFalse(any(messages.mapped("content_values")))
        self.assertFalse(recent.body_html)
        self.assertEqual(recent.subject, "News for Anna", "what became of it is kept")

    def test_contents_of_deleted_messages_are_forgotten(self):
        messages = self._send_to("Anna")
        content = messages.content_id
        self._make_older(messages, 2)
        messages.unlink()
        self.env["marketing.content"]._delete_old()
        self.assertFalse(content.exists())

    def test_another_attempt_leaves_no_content_behind(self):
        [message] = self._send_to(
            "Anna", body_html="<p>{{ customer.name | upper }}</p>"
        )
        first = message.content_id
        self.env.cr.execute(
            "UPDATE marketing_message SET state = 'queued' WHERE id = %s", [message.id]
        )
        self.env.invalidate_all()
        self._send()
        self.assertEqual(message.state, "sent")
        self.assertFalse(first.exists())
        self.assertTrue(message.content_id)
