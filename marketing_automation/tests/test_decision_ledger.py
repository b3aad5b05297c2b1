from odoo import fields
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common import MarketingCase
from .world import GROUP_USER


@tagged("post_install", "-at_install")
class TestDecisionLedger(MarketingCase):
    """Why did Anna not get it?"""

    def _get_decisions(self, partner):
        self.env.flush_all()
        self.env.invalidate_all()
        action = partner.action_view_marketing_decisions()
        return self.env["marketing.decision"].search(action["domain"])

    def test_every_message_is_a_decision(self):
        cart = self._abandon()
        self._process_steps()
        message = cart.message_ids
        decision = self._get_decisions(self.customer)
        self.assertEqual(decision.message_id, message)
        self.assertEqual(decision.outcome, "waiting")
        self.assertEqual(decision.until, message.scheduled_at)
        self.assertIn(message.step_id.name, decision.source)
        self.assertIn(self.sequence.name, decision.source)
        message._set_state("sending")
        message._set_state("sent")
        decision = self._get_decisions(self.customer)
        self.assertEqual((decision.outcome, decision.until), ("sent", False))

    def test_held_back_says_why_and_until_when(self):
        self._queue_to(self.customer, self._create_contact_template())
        message = self.env["marketing.message"].search(
            [("partner_id", "=", self.customer.id)]
        )
        until = fields.Datetime.add(fields.Datetime.now(), hours=3)
        message._set_state("sending")
        message._set_state("queued", "quiet_hours", scheduled_at=until)
        decision = self._get_decisions(self.customer)
        self.assertEqual(decision.outcome, "held_back")
        self.assertEqual(decision.reason, "quiet_hours")
        self.assertEqual(decision.until, until)

    def test_skipped_and_stopped(self):
        self._abandon()
        self.env["mail.blacklist"]._add(self.customer.email)
        decisions = self._get_decisions(self.customer)
        self.assertEqual(decisions.mapped("outcome"), ["stopped"])
        self.assertEqual(decisions.reason, "opted_out")
        self.assertIn(self.sequence.name, decisions.source)

    def test_excluded_cart(self):
        self.company.cart_minimum_amount = 1000
        cart = self._abandon()
        decision = self._get_decisions(self.customer)
        self.assertEqual(decision.abandoned_cart_id, cart)
        self.assertEqual(
            (decision.outcome, decision.reason), ("excluded", "below_minimum")
        )
        self.assertEqual(decision.action_open()["res_model"], "abandoned.cart")

    def test_a_cart_waits_for_another_one_of_the_person(self):
        dear = self._abandon(products=[(self.product, 9)])
        cheap = self._abandon(products=[(self.product, 1)])
        self.assertTrue(dear.enrollment_ids)
        decision = self._get_decisions(self.customer)
        self.assertEqual(decision.abandoned_cart_id, cheap)
        self.assertEqual((decision.outcome, decision.reason), ("waiting", "other_cart"))
        label = dict(decision._fields["reason"]._description_selection(self.env))
        self.assertIn("Another cart", label["other_cart"])

    def test_a_guest_is_the_same_person_at_every_checkout(self):
        guest = self._create_customer("Anna (guest)", "ANNA@example.com ")
        self._abandon(guest)
        self._process_steps()
        self.assertEqual(self.customer.marketing_decision_count, 1)
        self.assertEqual(len(self._get_decisions(self.customer)), 1)
        other = self._create_customer("Bo", "bo@example.com")
        self.assertEqual(other.marketing_decision_count, 0)

    def test_every_decision_has_its_own_id_and_is_found_by_it(self):
        self.company.cart_minimum_amount = 30
        self._abandon(products=[(self.product, 1)])
        self._abandon(products=[(self.product, 9)])
        self._abandon(products=[(self.product, 2)])
        self._process_steps()
        self.env["mail.blacklist"]._add(self.customer.email)
        decisions = self._get_decisions(self.customer)
        self.assertEqual(
            set(decisions.mapped("outcome")), {"cancelled", "stopped", "excluded"}
        )
        for decision in decisions:
            self.env.invalidate_all()
            found = self.env["marketing.decision"].search([("id", "=", decision.id)])
            self.assertEqual(len(found), 1)
            self.assertEqual(found.abandoned_cart_id, decision.abandoned_cart_id)

    def test_every_reason_has_words(self):
        labels = dict(self.env["marketing.decision"]._get_reasons())
        for model, name in (
            ("marketing.message", "reason"),
            ("marketing.enrollment", "stop_reason"),
            ("abandoned.cart", "exclusion_reason"),
        ):
            keys = self.env[model]._fields[name].get_values(self.env)
            self.assertLessEqual(set(keys), set(labels))

    def test_the_button_is_for_marketing_users(self):
        user = new_test_user(self.env, "ma_ledger", groups=GROUP_USER)
        self._abandon()
        self._process_steps()
        partner = self.customer.with_user(user)
        self.assertEqual(partner.marketing_decision_count, 1)
        employee = new_test_user(self.env, "ma_none", groups="base.group_user")
        self.assertNotIn(
            "marketing_decision_count", self.customer.with_user(employee).fields_get()
        )

    def test_a_person_is_found_by_indexes(self):
        """Not by reading the outbox: whatever the planner likes with few rows."""
        decisions = self.env["marketing.decision"]
        query = decisions._search(
            self.customer._get_marketing_decision_domain(), order="decided_at desc"
        )
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(
            line
            for (line,) in self.env.execute_query(SQL("EXPLAIN %s", query.select()))
        )
        self.assertNotIn("Seq Scan", plan)
        for column in ("partner_id", "email_normalized"):
            self.assertRegex(plan, rf"Index Cond: \(.*{column}.* = ")
