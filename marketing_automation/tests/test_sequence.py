from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.website_sale.tests.common import MockRequest

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestSequence(MarketingCase):
    def _run_step(self, cart):
        """Let the next step of a cart's run fall due, and work it off."""
        cart.enrollment_ids.next_at = fields.Datetime.now()
        self._process_steps()

    def test_shipped_sequence(self):
        self.assertEqual(
            self.sequence.step_ids.mapped("offset_seconds"),
            [3600, 24 * 3600, 72 * 3600],
        )
        cart = self._abandon(idle_minutes=40)
        run = cart.enrollment_ids
        self.assertEqual(run.next_step_id, self.sequence.step_ids[0])
        self.assertEqual(run.next_at, cart.abandoned_at + timedelta(hours=1))
        self._process_steps()
        self.assertFalse(cart.message_ids, "not due before one hour")
        self.assertEqual(cart.state, "abandoned")
        self._run_step(cart)
        self.assertEqual(cart.state, "recovery_started")

    def test_nobody_is_reminded_without_having_agreed(self):
        """Nothing was begun then, and the cart says so."""
        self.company.consent_policy = "opt_in"
        cart = self._abandon(idle_minutes=61)
        self._run_step(cart)
        message = cart.message_ids
        self.assertEqual((message.state, message.reason), ("skipped", "no_consent"))
        self.assertEqual(cart.state, "abandoned")

    def test_steps_one_after_the_other(self):
        cart = self._abandon(idle_minutes=61)
        run = cart.enrollment_ids
        names = []
        for _n in range(3):
            self._run_step(cart)
            names.append(cart.message_ids.sorted("id")[-1].step_id.name)
        self.assertEqual(names, self.sequence.step_ids.mapped("name"))
        self.assertEqual(run.state, "completed")
        self.assertTrue(run.ended_at)
        self._process_steps()
        self.assertEqual(len(cart.message_ids), 3)

    def test_second_step_is_due_24_hours_after_leaving(self):
        cart = self._abandon(idle_minutes=61)
        self._process_steps()
        self.assertAlmostEqual(
            cart.enrollment_ids.next_at,
            cart.abandoned_at + timedelta(hours=24),
            delta=timedelta(minutes=2),
        )

    def test_late_steps_keep_their_distance(self):
        """After a standstill nobody gets the reminders of three days within minutes."""
        cart = self._abandon(idle_minutes=5 * 24 * 60)
        self._process_steps()
        self.assertEqual(len(cart.message_ids), 1)
        self.assertAlmostEqual(
            cart.enrollment_ids.next_at,
            fields.Datetime.now() + timedelta(hours=23),
            delta=timedelta(minutes=1),
        )

    def test_delay_after_previous_step(self):
        first, second, third = self.sequence.step_ids
        second.write({"delay_value": 30, "delay_unit": "minutes"})
        second.delay_from = third.delay_from = "previous"
        third.write({"delay_value": 2, "delay_unit": "days"})
        self.assertEqual(second.offset_seconds, 3600 + 1800)
        self.assertEqual(third.offset_seconds, 3600 + 1800 + 2 * 86400)
        first.delay_value = 2
        self.assertEqual(third.offset_seconds, 7200 + 1800 + 2 * 86400)

    # === WHO GOES THROUGH WHICH ===#

    def test_first_fitting_sequence(self):
        other_site = self.env["website"].create({"name": "Other"})
        elsewhere = self.sequence.copy({"name": "Elsewhere", "sequence": 1})
        elsewhere.website_id = other_site
        empty = self.env["marketing.sequence"].create({"name": "Empty", "sequence": 2})
        first = self.sequence.copy({"name": "First", "sequence": 3})
        cart = self._abandon()
        self.assertEqual(cart.enrollment_ids.sequence_id, first)
        self.assertFalse(empty.enrollment_ids)
        first.active = self.sequence.active = False
        other = self._create_customer("Other", "other@example.com")
        self.assertEqual(self._abandon(other).state, "abandoned")

    def test_one_recovery_per_person_the_most_valuable(self):
        small = self._create_cart(products=[(self.product, 1)])
        large = self._create_cart(products=[(self.product, 9)])
        self._detect()
        self.assertEqual(small.abandoned_cart_id.state, "abandoned")
        self.assertTrue(large.abandoned_cart_id.is_running)
        self._detect()
        self.assertFalse(small.abandoned_cart_id.enrollment_ids)

    # === STOPS ===#

    def test_stops_on_purchase_of_this_cart(self):
        cart = self._abandon()
        self._process_steps()
        cart.order_id.action_confirm()
        run = cart.enrollment_ids
        self.assertEqual((run.state, run.stop_reason), ("stopped", "purchased"))
        self.assertEqual(cart.message_ids.state, "cancelled")
        self.assertEqual(cart.message_ids.reason, "purchased")

    def test_stops_on_any_order_of_the_same_person(self):
        for partner in (
            self.customer,
            self._create_customer("Anna (guest)", "ANNA@example.com"),
        ):
            with self.subTest(partner.name):
                cart = self._abandon()
                self.env["sale.order"].create(
                    {
                        "partner_id": partner.id,
                        "order_line": [(0, 0, {"product_id": self.product.id})],
                    }
                ).action_confirm()
                self.assertEqual(cart.state, "recovered")
                self.assertEqual(cart.enrollment_ids.stop_reason, "purchased")

    def test_stops_on_opt_out(self):
        cart = self._abandon()
        self._process_steps()
        self.env["mail.blacklist"]._add("anna@example.com")
        self.assertEqual(cart.enrollment_ids.stop_reason, "opted_out")
        self.assertEqual(cart.message_ids.state, "cancelled")

    def test_stops_when_enough_was_sent(self):
        self.sequence.max_messages = 1
        cart = self._abandon()
        self._process_steps()
        self._run_step(cart)
        run = cart.enrollment_ids
        self.assertEqual((run.state, run.stop_reason), ("stopped", "max_messages"))
        self.assertEqual(
            cart.message_ids.sorted("id").mapped("state"), ["queued", "skipped"]
        )

    def test_stop_by_hand(self):
        user = new_test_user(
            self.env, "mu", groups="marketing_automation.group_marketing_user"
        )
        cart = self._abandon()
        self._process_steps()
        run = cart.enrollment_ids
        self.assertTrue(cart.is_running)
        self.assertEqual(cart.recovery_progress, "Running")
        cart.with_user(user).action_stop_recovery()
        self.assertFalse(cart.is_running)
        self.assertEqual(cart.recovery_progress, "Stopped by hand")
        self.assertEqual((run.state, run.stop_reason), ("stopped", "cancelled"))
        self.assertEqual(cart.message_ids.state, "cancelled")
        outsider = new_test_user(self.env, "out", groups="base.group_user")
        with self.assertRaises(AccessError):
            self._abandon(
                self._create_customer("B", "b@example.com")
            ).enrollment_ids.with_user(outsider).action_stop()

    # === RETURN ===#

    def test_customer_who_is_back_is_left_alone_and_then_resumed(self):
        cart = self._abandon(idle_minutes=61)
        self._process_steps()
        run = cart.enrollment_ids
        message = cart.message_ids
        message._set_state("sending")
        message._set_state("sent")
        self._click(message)
        order = cart.order_id
        with MockRequest(self.env, website=self.website, sale_order_id=order.id):
            order._cart_add(self.product.id, 1)
        self.assertEqual(run.state, "paused")
        self.assertTrue(cart.returned_at)
        self.assertEqual(cart.returned_message_id, message)
        order.cart_activity_at = fields.Datetime.now() - timedelta(minutes=35)
        self._detect()
        self.assertEqual(order.abandoned_cart_id, cart, "the same abandonment goes on")
        self.assertEqual(cart.enrollment_ids, run)
        self.assertEqual(run.state, "active")
        self.assertEqual(run.next_step_id, self.sequence.step_ids[1])
        self.assertEqual(run.next_at, cart.abandoned_at + timedelta(hours=23))
        self.assertEqual(cart.lines[0]["quantity"], 3.0)

    # === EDITING ===#

    def test_removed_step_is_skipped(self):
        cart = self._abandon(idle_minutes=61)
        first, second, _third = self.sequence.step_ids
        first.unlink()
        self.assertEqual(cart.enrollment_ids.next_step_id, second)
        (self.sequence.step_ids - second).unlink()
        second.unlink()
        self.assertEqual(cart.enrollment_ids.state, "completed")

    def test_template_in_use_is_kept(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.env.ref("marketing_automation.template_cart_1").unlink()

    def test_due_steps_are_found_by_their_index(self):
        run = self._abandon().enrollment_ids
        self.env.flush_all()
        self.env.cr.execute(
            """INSERT INTO marketing_enrollment (
                      sequence_id, company_id, state, next_at)
               SELECT sequence_id, company_id, 'active',
                      next_at + n * interval '1 day'
                 FROM marketing_enrollment, generate_series(1, 5000) n
                WHERE id = %s""",
            [run.id],
        )
        self.env.cr.execute("ANALYZE marketing_enrollment")
        self.env.cr.execute(
            """EXPLAIN SELECT id FROM marketing_enrollment
                WHERE state = 'active' AND COALESCE(campaign_id, 0) = 0
                  AND next_at <= now() AT TIME ZONE 'UTC'"""
        )
        plan = "\n".join(row for (row,) in self.env.cr.fetchall())
        self.assertIn("marketing_enrollment_due_idx", plan)

    def test_figures(self):
        cart = self._abandon()
        self._process_steps()
        message = cart.message_ids
        message._set_state("sending")
        message._set_state("sent")
        self._click(message)
        cart.order_id.action_confirm()
        self.sequence.invalidate_recordset()
        self.assertEqual(self.sequence.enrollment_count, 1)
        self.assertEqual(self.sequence.running_count, 0)
        self.assertEqual(self.sequence.message_count, 1)
        self.assertEqual(self.sequence.recovered_count, 1)
        self.assertEqual(self.sequence.recovered_revenue, 40.0)
        self.assertEqual(cart.enrollment_ids.revenue, 40.0)
        self.assertEqual(cart.enrollment_ids.sent_count, 1)
