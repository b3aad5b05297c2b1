from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..models.delivery.marketing_gate import Decision
from .sequence_common import SequenceCase


@tagged("post_install", "-at_install")
class TestSequenceConditions(SequenceCase):
    """For whom a step is, when it is due and still when its message leaves."""

    def _reach_second(self, *conditions, **cart_vals):
        """Return a cart whose first message arrived, with conditions on the second."""
        self.env["marketing.sequence"].search([]).active = False
        self.second = self._create_sequence(
            {}, {"condition_ids": list(conditions)}, {}
        ).step_ids[1]
        cart = self._abandon(**cart_vals)
        self._send(self._run_step(cart))
        return cart

    def _assert_left_out(self, cart):
        message = self._run_step(cart)
        self.assertEqual((message.state, message.reason), ("skipped", "condition"))
        self.assertEqual(message.step_id, self.second)
        run = cart.enrollment_ids
        self.assertEqual(run.state, "active")
        self.assertEqual(run.next_step_id, self.second._get_following_steps())
        self.assertEqual(self._run_step(cart).state, "queued", "the next one goes on")

    def _assert_goes(self, cart):
        message = self._run_step(cart)
        self.assertEqual((message.state, message.step_id), ("queued", self.second))
        return message

    def test_clicked(self):
        cart = self._reach_second(self._condition("clicked"))
        self._assert_left_out(cart)

    def test_clicked_by_the_person(self):
        cart = self._reach_second(self._condition("clicked"))
        self._click(cart.message_ids)
        self._assert_goes(cart)

    def test_machines_do_not_count(self):
        cart = self._reach_second(self._condition("not_clicked"))
        self._click(cart.message_ids, machine_reason="agent")
        self._assert_goes(cart)

    def test_clicks_of_another_run_do_not_count(self):
        cart = self._reach_second(self._condition("not_clicked"))
        other = self._abandon(self._create_customer("Bo", "bo@example.com"))
        message = self._run_step(other)
        self._send(message)
        self._click(message)
        self._assert_goes(cart)

    def test_not_clicked_holds_until_the_message_leaves(self):
        cart = self._reach_second(self._condition("not_clicked"))
        message = self._assert_goes(cart)
        self.assertIsNone(self._decide(message))
        self._click(cart.message_ids.sorted("id")[0])
        self.assertEqual(self._decide(message), Decision("condition"))

    def test_returned(self):
        cart = self._reach_second(self._condition("returned"))
        self._assert_left_out(cart)

    def test_returned_since_the_run_began(self):
        cart = self._reach_second(self._condition("not_returned"))
        cart.returned_at = fields.Datetime.now()
        self._assert_left_out(cart)

    def test_value(self):
        for kind, amount, goes in (
            ("value_above", 40, True),
            ("value_above", 40.01, False),
            ("value_below", 40, False),
            ("value_below", 40.01, True),
        ):
            with self.subTest(kind=kind, amount=amount):
                partner = self._create_customer("V", f"{kind}{amount}@example.com")
                cart = self._reach_second(
                    self._condition(kind, amount=amount), partner=partner
                )
                (self._assert_goes if goes else self._assert_left_out)(cart)

    def test_segment(self):
        segment = self.env["customer.segment"].create({"name": "S", "kind": "static"})
        guest = self._create_customer("Anna (guest)", "Anna@example.com")
        cart = self._reach_second(self._condition("in_segment", segment_id=segment.id))
        self._assert_left_out(cart)
        self.env["marketing.enrollment"].search([])._stop("cancelled")
        segment.add_contacts(guest.ids)
        cart = self._reach_second(
            self._condition("not_in_segment", segment_id=segment.id), partner=guest
        )
        self._assert_left_out(cart)

    def test_consent_to_text_messages(self):
        """What is asked is the law of text messages, of whatever step it is."""
        self.company.consent_policy = "opt_in"
        self._give_consent(self.customer, "cart", "email")
        cart = self._reach_second(self._condition("phone_consent"))
        message = self._run_step(cart)
        self.assertEqual(message.reason, "condition", "no number")
        self.customer.write({"phone": "+36 30 123 4567"})
        cart.enrollment_ids.next_step_id = self.second
        message = message.copy({"dedupe_key": "x", "state": "queued"})
        self.assertEqual(self._decide(message).reason, "condition", "never agreed")
        self._give_consent(self.customer, "cart", "sms")
        self.assertIsNone(self._decide(message))
        self.second.condition_ids.kind = "no_phone_consent"
        self.assertEqual(self._decide(message).reason, "condition")
        self.env["phone.blacklist"].create({"number": "+36301234567"})
        self.assertIsNone(self._decide(message))

    def test_all_of_them_must_hold(self):
        cart = self._reach_second(
            self._condition("not_clicked"), self._condition("value_above", amount=50)
        )
        self._assert_left_out(cart)

    def test_not_opened_beside_another(self):
        cart = self._reach_second(
            self._condition("not_opened"), self._condition("value_above", amount=1)
        )
        self.env["marketing.engagement"]._record(
            cart.message_ids.token, "open", machine_reason="prefetch"
        )
        message = self._assert_goes(cart)
        self._let_reading_time_pass(cart.message_ids)
        self.env["marketing.engagement"]._record(
            cart.message_ids.sorted("id")[0].token, "open"
        )
        self.assertEqual(self._decide(message).reason, "condition")

    # === REFUSED ===#

    def test_not_opened_alone_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Add another condition"):
            self._create_sequence({"condition_ids": [self._condition("not_opened")]})

    def test_not_opened_is_not_left_alone(self):
        sequence = self._create_sequence(
            {
                "condition_ids": [
                    self._condition("not_opened"),
                    self._condition("not_clicked"),
                ]
            }
        )
        opened, clicked = sequence.step_ids.condition_ids
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            clicked.unlink()
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            clicked.kind = "not_opened"
        # In one go with another that comes in its place, it may.
        sequence.step_ids.write(
            {
                "condition_ids": [
                    fields.Command.delete(clicked.id),
                    self._condition("not_returned"),
                ]
            }
        )
        self.assertEqual(
            sequence.step_ids.condition_ids.mapped("kind"),
            ["not_opened", "not_returned"],
        )
        self.assertTrue(opened.exists())

    def test_incomplete_conditions_are_refused(self):
        for kind in ("value_above", "in_segment"):
            with self.subTest(kind):
                self._assert_error(
                    lambda kind=kind: self._create_sequence(
                        {"condition_ids": [self._condition(kind)]}
                    )
                )

    def test_in_words(self):
        step = self._create_sequence(
            {
                "condition_ids": [
                    self._condition("not_clicked"),
                    self._condition("value_above", amount=50),
                ]
            }
        ).step_ids
        self.assertRegex(
            step.conditions_words,
            r"has not clicked in an earlier message and left a cart worth at least "
            r".*50\.00",
        )

    # === SEND WINDOW ===#

    def test_outside_its_hours_a_message_waits(self):
        self.customer.country_id = self.env.ref("base.hu")  # UTC+1 in winter
        step = self._create_sequence(
            {"window_from": 9, "window_until": 18, "window_days": "weekdays"}
        ).step_ids
        cart = self._abandon()
        message = self._run_step(cart)
        # 15 January 2026 is a Thursday.
        for moment, until in (
            (datetime(2026, 1, 15, 7, 59), datetime(2026, 1, 15, 8)),
            (datetime(2026, 1, 15, 8), None),
            (datetime(2026, 1, 15, 17), datetime(2026, 1, 16, 8)),
            (datetime(2026, 1, 16, 17), datetime(2026, 1, 19, 8)),
            (datetime(2026, 1, 17, 12), datetime(2026, 1, 19, 8)),
        ):
            with self.subTest(moment=moment), self._at(moment):
                cart.expires_at = datetime(2027, 1, 1)
                self.assertEqual(
                    self._decide(message), until and Decision("send_window", until)
                )
        step.write({"window_from": 0, "window_until": 0, "window_days": "every"})
        with self._at(datetime(2026, 1, 17, 3)):
            self.assertIsNone(self._decide(message))

    def test_quiet_hours_and_the_window_of_a_step(self):
        self.customer.country_id = self.env.ref("base.hu")
        self.company.quiet_hours_email = True  # 21 to 8
        self._create_sequence({"window_from": 7, "window_until": 23})
        cart = self._abandon()
        message = self._run_step(cart)
        cart.expires_at = datetime(2027, 1, 1)
        with self._at(datetime(2026, 1, 15, 21)):  # 22:00 there
            self.assertEqual(
                self._decide(message),
                Decision("quiet_hours", datetime(2026, 1, 16, 7)),
            )
        with self._at(datetime(2026, 1, 16, 6, 30)):  # 7:30 there
            self.assertEqual(self._decide(message).reason, "quiet_hours")

    def test_held_back_shows_in_the_ledger(self):
        self._create_sequence({"window_from": 9, "window_until": 10})
        cart = self._abandon()
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        with self._at(tomorrow.replace(hour=15, minute=0)):
            message = self._run_step(cart)
        self.assertEqual((message.state, message.reason), ("queued", "send_window"))
        decision = self.env["marketing.decision"].search(
            [("message_id", "=", message.id)]
        )
        self.assertEqual(decision.outcome, "held_back")
        self.assertEqual(cart.state, "recovery_started")

    def test_windows_that_make_no_sense_are_refused(self):
        for vals in (
            {"window_from": 9, "window_until": 9},
            {"window_from": 25, "window_until": 9},
            {"window_from": 9, "window_until": -1},
        ):
            with self.subTest(vals):
                self._assert_error(lambda vals=vals: self._create_sequence(vals))
