import os
import random
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..tools.sequence_plan import Timing, plan_moves
from .examples import examples
from .sequence_common import SequenceCase

# Other edits each day of development: MARKETING_SEQUENCE_SEED=N makes them again.
SEED = int(os.environ.get("MARKETING_SEQUENCE_SEED", "20261121"))
WORLDS = examples(2, 4)
EDITS = 30


@tagged("post_install", "-at_install")
class TestSequenceEdit(SequenceCase):
    """Sequences are edited while people are on their way through them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tested = cls._create_sequence({}, {}, {})
        cls.first, cls.second, cls.third = cls.tested.step_ids

    def _abandon_now(self):
        cart = self._abandon(idle_minutes=31)
        return cart, cart.enrollment_ids

    def _waiting_for_second(self):
        """Return a cart and its run that had the first step, half an hour ago."""
        cart, run = self._abandon_now()
        self._run_step(cart)
        self._shift(cart, minutes=30)
        self.assertEqual(run.next_step_id, self.second)
        return cart, run

    # === DELAYS ===#

    def test_who_waits_for_a_step_moves_with_its_delay(self):
        _cart, run = self._waiting_for_second()
        due = run.next_at
        self.second.delay_value = 5
        self.assertEqual(run.next_at, due + timedelta(hours=3))
        self.second.delay_value = 2
        self.assertEqual(run.next_at, due)

    def test_delays_of_other_steps_move_nobody(self):
        _cart, run = self._waiting_for_second()
        due = run.next_at
        self.first.delay_value = 9
        self.third.delay_value = 99
        self.assertEqual((run.next_step_id, run.next_at), (self.second, due))

    def test_delay_of_a_step_they_had_does_not_count_again(self):
        """What is counted from a step they had, was counted from it then."""
        self.second.delay_from = "previous"
        _cart, run = self._waiting_for_second()
        due = run.next_at
        self.first.delay_value = 7
        self.assertEqual(run.next_at, due)
        self.second.delay_value = 3
        self.assertEqual(run.next_at, due + timedelta(hours=1))

    def test_delay_of_a_step_before_counts_for_who_still_waits_for_it(self):
        self.second.delay_from = "previous"
        cart, run = self._abandon_now()
        due = run.next_at
        self.first.delay_value = 4
        self.assertEqual(run.next_at, due + timedelta(hours=3))
        self._run_step(cart)
        self.assertEqual(run.next_step_id, self.second)

    # === NEW STEPS ===#

    def _insert(self, sequence, **vals):
        return self.env["marketing.sequence.step"].create(
            {
                "sequence_id": self.tested.id,
                "sequence": sequence,
                "name": "New",
                "template_id": self.template.id,
                **vals,
            }
        )

    def test_new_step_in_front_of_the_next_one(self):
        cart, run = self._waiting_for_second()
        new = self._insert(1, delay_value=90, delay_unit="minutes")
        self.assertEqual(run.next_step_id, new)
        self.assertAlmostEqual(
            run.next_at,
            cart.abandoned_at + timedelta(minutes=90),
            delta=timedelta(minutes=31),
        )
        self.assertEqual(self._run_step(cart).step_id, new)
        self.assertEqual(run.next_step_id, self.second)

    def test_new_step_whose_time_has_passed(self):
        """Nobody gets a message just because somebody saves a sequence."""
        _cart, run = self._waiting_for_second()
        due = run.next_at
        new = self._insert(1, delay_value=1, delay_unit="minutes")
        self.assertEqual((run.next_step_id, run.next_at), (self.second, due))
        new.delay_value = 110
        self.assertEqual(run.next_step_id, new, "now it is still to come")

    def test_new_step_behind_them(self):
        _cart, run = self._waiting_for_second()
        self._insert(0, delay_value=2)
        self.assertEqual(run.next_step_id, self.second)

    def test_new_last_step_is_for_those_on_their_way(self):
        cart, run = self._waiting_for_second()
        self._insert(9, delay_value=9)
        for name in ("Step 2", "Step 3", "New"):
            self.assertEqual(self._run_step(cart).step_id.name, name)
        self.assertEqual(run.state, "completed")

    # === ORDER ===#

    def test_other_order(self):
        cart, run = self._waiting_for_second()
        self.tested.write(
            {
                "step_ids": [
                    Command.update(self.third.id, {"sequence": 2}),
                    Command.update(self.second.id, {"sequence": 3}),
                ]
            }
        )
        self.assertEqual(run.next_step_id, self.third)
        self.assertEqual(self._run_step(cart).step_id, self.third)
        self.assertEqual(self._run_step(cart).step_id, self.second)

    def test_step_that_moves_in_front_of_one_they_had_is_behind_them(self):
        cart, run = self._waiting_for_second()
        self.second.sequence = 0
        self.assertEqual(run.next_step_id, self.third)
        self._run_step(cart)
        self.assertEqual(run.state, "completed")
        self.assertNotIn(self.second, cart.message_ids.step_id)

    # === REMOVED STEPS ===#

    def test_step_that_had_messages_is_archived(self):
        cart, run = self._waiting_for_second()
        message = cart.message_ids
        self.tested.step_ids = [Command.delete(self.first.id)]
        self.assertTrue(self.first.exists())
        self.assertFalse(self.first.active)
        self.assertEqual(self.tested.step_ids, self.second | self.third)
        self.assertEqual(message.step_id, self.first)
        self.assertEqual(message.state, "cancelled", "it had not left yet")
        self.assertEqual(run.next_step_id, self.second)

    def test_what_left_stays_sent(self):
        cart, _run = self._waiting_for_second()
        self._send(cart.message_ids)
        self.first.unlink()
        self.assertEqual(cart.message_ids.state, "sent")

    def test_step_that_nobody_had_is_deleted(self):
        self._waiting_for_second()
        self.third.unlink()
        self.assertFalse(self.third.exists())

    def test_who_waits_for_a_removed_step_waits_for_the_next_one(self):
        _cart, run = self._waiting_for_second()
        due = run.next_at
        self.second.unlink()
        self.assertEqual(run.next_step_id, self.third)
        self.assertEqual(run.next_at, due + timedelta(hours=1))
        self.third.unlink()
        self.assertEqual((run.state, run.next_step_id.id), ("completed", False))
        self.assertTrue(run.ended_at)

    def test_removed_and_replaced_in_one_go(self):
        _cart, run = self._waiting_for_second()
        due = run.next_at
        self.tested.step_ids = [
            Command.delete(self.second.id),
            Command.create(
                {
                    "name": "Instead",
                    "sequence": 2,
                    "delay_value": 4,
                    "template_id": self.template.id,
                }
            ),
        ]
        self.assertEqual(run.next_step_id.name, "Instead")
        self.assertEqual(run.next_at, due + timedelta(hours=2))

    # === WAITING AND ENDED RUNS ===#

    def test_run_that_is_held_goes_on_with_what_comes_now(self):
        cart, run = self._waiting_for_second()
        run._pause()
        self.second.unlink()
        self.assertEqual((run.state, run.next_step_id), ("paused", self.third))
        cart.abandoned_at = fields.Datetime.now()
        run._resume()
        self.assertEqual(
            run.next_at, cart.abandoned_at + timedelta(hours=3) - timedelta(hours=1)
        )

    def test_ended_runs_stay_ended(self):
        cart, run = self._waiting_for_second()
        run._stop("cancelled")
        self._insert(9, delay_value=9)
        self.assertEqual((run.state, run.next_step_id.id), ("stopped", False))
        run.stop_reason = "emptied"
        run._resume()
        self.assertEqual(run.next_step_id, self.second)
        self.assertTrue(cart.exists())

    def test_runs_of_other_sequences_stay(self):
        self.tested.sequence = 99
        _cart, run = self._abandon_now()
        self.assertEqual(run.sequence_id, self.sequence)
        due = run.next_at
        self.second.unlink()
        self.first.delay_value = 9
        self.assertEqual(run.next_at, due)

    # === ANY EDIT ===#

    def test_any_edits(self):
        """Whatever is done to a sequence: nobody gets a step twice, nobody gets one
        that is behind them, and who waits for a step that still comes for them is not
        led past it."""
        for number in range(WORLDS):
            generator = random.Random(SEED + number)
            with self.env.cr.savepoint() as savepoint:
                with self.subTest(seed=SEED + number):
                    self._edit_at_random(generator)
                savepoint.rollback()
            self.env.invalidate_all()

    def _edit_at_random(self, generator):
        carts = self.env["abandoned.cart"]
        for edit in range(EDITS):
            if edit % 6 == 0:
                email = f"edit{edit}@example.com"
                carts += self._abandon(self._create_customer("E", email))
            before = {run: run.next_step_id for run in carts.enrollment_ids}
            old_steps = self.tested.step_ids
            generator.choice(
                (self._edit_insert, self._edit_remove, self._edit_move)
                + (self._edit_delay, self._edit_several)
            )(generator)
            self._check_edit(before, old_steps)
            for cart in generator.sample(list(carts), min(2, len(carts))):
                self._check_next_message(cart, generator)
        had = [
            (message.enrollment_id, message.step_id) for message in carts.message_ids
        ]
        self.assertEqual(len(had), len(set(had)))

    def _reached(self, run):
        active = run.message_ids.step_id.filtered("active")
        return max(((step.sequence, step.id) for step in active), default=(-1, -1))

    def _check_edit(self, before, old_steps):
        self.env.invalidate_all()
        for run, awaited in before.items():
            step = run.next_step_id
            if run.state == "active":
                self.assertTrue(step.active)
                self.assertGreater((step.sequence, step.id), self._reached(run))
                self.assertTrue(run.next_at)
            still_comes = (
                awaited.exists()
                and awaited.active
                and (awaited.sequence, awaited.id) > self._reached(run)
            )
            if still_comes and step != awaited:
                # Something else comes first, and is still to be due.
                self.assertLess(
                    (step.sequence, step.id), (awaited.sequence, awaited.id)
                )

    def _check_next_message(self, cart, generator):
        run = cart.enrollment_ids
        if run.state != "active":
            return
        reached, awaited = self._reached(run), run.next_step_id
        if generator.random() < 0.3:
            run._pause()
            run._resume()
        message = self._run_step(cart)
        self.assertEqual(message.step_id, awaited)
        self.assertGreater((awaited.sequence, awaited.id), reached)

    def _edit_insert(self, generator):
        self._insert(
            generator.randint(0, 6),
            delay_value=generator.randint(0, 9),
            delay_from=generator.choice(("trigger", "previous")),
        )

    def _edit_remove(self, generator):
        if len(self.tested.step_ids) > 1:
            generator.choice(self.tested.step_ids).unlink()

    def _edit_move(self, generator):
        steps = list(self.tested.step_ids)
        generator.shuffle(steps)
        self.tested.step_ids = [
            Command.update(step.id, {"sequence": place})
            for place, step in enumerate(steps)
        ]

    def _edit_delay(self, generator):
        step = generator.choice(self.tested.step_ids)
        step.write({"delay_value": generator.randint(0, 9)})

    def _edit_several(self, generator):
        removed = generator.choice(self.tested.step_ids)
        self.tested.step_ids = [
            *(
                Command.update(step.id, {"delay_value": generator.randint(0, 9)})
                for step in self.tested.step_ids - removed
            ),
            Command.delete(removed.id),
            Command.create(
                {
                    "name": "New",
                    "sequence": generator.randint(0, 6),
                    "template_id": self.template.id,
                }
            ),
        ]


@tagged("post_install", "-at_install")
class TestSequencePlan(SequenceCase):
    """The plan alone: what somebody may wait for after an edit."""

    def _plan(self, before, after, reached, awaited):
        return [
            (move.step_id, move.shift, move.is_certain)
            for move in plan_moves(before, after)
            if (move.reached_id, move.awaited_id) == (reached, awaited)
        ]

    def test_nothing_changed(self):
        steps = [Timing(1, 60, False), Timing(2, 120, True)]
        self.assertEqual(
            self._plan(steps, steps, None, 1), [(1, 0, True), (2, 60, True)]
        )
        self.assertEqual(self._plan(steps, steps, 1, 2), [(2, 0, True)])
        self.assertEqual(self._plan(steps, steps, 2, 1), [])

    def test_new_step_is_for_those_who_are_in_time(self):
        before = [Timing(1, 60, False), Timing(2, 120, False)]
        after = [Timing(1, 60, False), Timing(3, 90, False), Timing(2, 120, False)]
        self.assertEqual(
            self._plan(before, after, 1, 2), [(3, -30, False), (2, 0, True)]
        )
