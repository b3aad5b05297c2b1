from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..models.audience import segment_incremental
from .segment_common import SegmentCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop

AT_EXAMPLE = {"field": "email", "operator": "like", "value": "@example.com"}
BOUGHT = {"behaviour": "bought"}


@tagged("post_install", "-at_install")
class TestSegmentRefresh(SegmentCase):
    """Who comes, who goes, and what is remembered of it."""

    def _events(self, segment):
        events = self.env["segment.membership.event"].search(
            [("segment_id", "=", segment.id)], order="id"
        )
        return [(event.kind, event.partner_id) for event in events]

    def _note(self, partners, company=None):
        """Note a change of facts, as whoever computes the figures does."""
        self.env["marketing.customer.change"]._touch(
            SQL("SELECT unnest(%s)", partners.ids), company or self.company
        )

    def _is_noted(self):
        return bool(self.env["marketing.customer.change"].search_count([]))

    # === ALL CONTACTS ===#

    def test_entries_and_exits_are_recorded_with_time(self):
        segment = self._create_segment(AT_EXAMPLE, BOUGHT)
        order = self._order(self.anna)
        with self._at(datetime(2026, 3, 1, 12)):
            order.date_order = fields.Datetime.now()
            segment.action_refresh()
        self.assertEqual(segment.refreshed_at, datetime(2026, 3, 1, 12))
        self.assertEqual(segment.next_refresh_at, datetime(2026, 3, 2, 12))
        self.assertEqual(segment.membership_ids.entered_at, datetime(2026, 3, 1, 12))
        self.assertEqual(segment.membership_ids.source, "rule")
        self._order(self.bob)
        with self._at(datetime(2026, 3, 2, 12)):
            segment.action_refresh()
        order._action_cancel()
        with self._at(datetime(2026, 3, 3, 12)):
            segment.action_refresh()
            segment.action_refresh()
        self.assertEqual(
            self._events(segment),
            [("entry", self.anna), ("entry", self.bob), ("exit", self.anna)],
        )
        at = self.env["segment.membership.event"].search(
            [("segment_id", "=", segment.id)], order="id"
        )
        self.assertEqual([event.at.day for event in at], [1, 2, 3])
        self.assertEqual(
            [(size.at.day, size.size) for size in segment.size_ids.sorted("id")],
            [(1, 1), (2, 2), (3, 1)],
        )

    def test_whoever_stays_keeps_the_date_of_entry(self):
        segment = self._create_segment(AT_EXAMPLE)
        segment.action_refresh()
        before = {m.partner_id: (m.id, m.entered_at) for m in segment.membership_ids}
        self._create_customer("New", "new@example.com")
        with self._at(fields.Datetime.now() + timedelta(days=1)):
            segment.action_refresh()
        for member in segment.membership_ids:
            if member.partner_id in before:
                self.assertEqual(
                    (member.id, member.entered_at), before[member.partner_id]
                )
        self.assertEqual(segment.size, len(before) + 1)

    def test_an_empty_segment_has_a_size_from_the_first_time_on(self):
        segment = self._create_segment()
        segment.action_refresh()
        segment.action_refresh()
        self.assertEqual(segment.size_ids.mapped("size"), [0])

    def test_of_long_ago_one_size_a_day_is_kept(self):
        segment = self._create_segment(kind="static")
        sizes = self.env["segment.size"]
        old, new = self._days_ago(100).replace(hour=1), self._days_ago(10)
        for start in (old, new):
            for hour in (0, 2, 4):
                sizes.create(
                    {
                        "segment_id": segment.id,
                        "at": start + timedelta(hours=hour),
                        "size": hour,
                    }
                )
        sizes._gc_sizes()
        self.assertEqual(segment.size_ids.sorted("at").mapped("size"), [4, 0, 2, 4])

    def test_a_switch_to_conditions_replaces_members(self):
        segment = self._create_segment(kind="static")
        segment.add_contacts(self.bob.ids)
        segment.set_criteria({"conditions": [{**AT_EXAMPLE, "value": "anna@"}]})
        self.assertEqual(segment.kind, "dynamic")
        segment.action_refresh()
        self.assertEqual(self._members(segment), self.anna)
        self.assertIn(("exit", self.bob), self._events(segment))

    def test_a_new_definition_is_looked_at_soon(self):
        segment = self._create_segment(AT_EXAMPLE)
        segment.action_refresh()
        for change in (
            lambda: segment.write({"logic": "OR"}),
            lambda: segment.condition_ids.write({"domain": "[('id', '=', 1)]"}),
            lambda: segment.set_criteria({"conditions": [AT_EXAMPLE, BOUGHT]}),
            lambda: segment.condition_ids[0].unlink(),
        ):
            segment.refreshed_at = fields.Datetime.now()
            self.assertGreater(segment.next_refresh_at, fields.Datetime.now())
            change()
            self.assertLessEqual(segment.next_refresh_at, fields.Datetime.now())

    # === THE SCHEDULED ACTION ===#

    def test_the_schedule_of_each_segment(self):
        now = fields.Datetime.now()
        for interval, expected in (
            ("manual", False),
            ("hourly", now + timedelta(hours=1)),
            ("daily", now + timedelta(days=1)),
            ("weekly", now + timedelta(weeks=1)),
        ):
            segment = self._create_segment(AT_EXAMPLE, refresh_interval=interval)
            self.assertEqual(bool(segment.next_refresh_at), interval != "manual")
            segment.refreshed_at = now
            self.assertEqual(segment.next_refresh_at, expected)

    def test_what_is_due_is_refreshed_and_nothing_else(self):
        due = self._create_segment(AT_EXAMPLE)
        first = self._create_segment({"segment": due.id})
        by_hand = self._create_segment(AT_EXAMPLE, refresh_interval="manual")
        later = self._create_segment(AT_EXAMPLE)
        later.refreshed_at = refreshed_at = fields.Datetime.now()
        # Whoever depends on another comes after it, whatever their names are.
        due.name, first.name = "Z", "A"
        self._run_cron("ir_cron_refresh_segments")
        self.env.invalidate_all()
        self.assertGreaterEqual(due.size, 3)
        self.assertEqual(first.size, due.size)
        self.assertFalse(by_hand.size)
        self.assertEqual(later.refreshed_at, refreshed_at)

    def test_what_is_wrong_with_one_stops_no_other(self):
        wrong = self._create_segment(AT_EXAMPLE, name="A")
        wrong.action_refresh()
        size = wrong.size
        product = self._create_product("Short-lived", 1.0).product_tmpl_id
        wrong.set_criteria({"conditions": [{**BOUGHT, "product": product.id}]})
        product.unlink()
        crash = self._create_segment(AT_EXAMPLE, name="B")
        crash.condition_ids.flush_recordset()
        self.env.cr.execute(
            "UPDATE customer_segment_condition SET domain = %s WHERE id = %s",
            ["[('email', '=', 'x'), ('nothing', '=', 1)]", crash.condition_ids.id],
        )
        self.env.invalidate_all()
        right = self._create_segment(AT_EXAMPLE, name="C")
        with mute_logger(
            "odoo.addons.marketing_automation.models.audience.segment_refresh"
        ):
            self._run_cron("ir_cron_refresh_segments")
        self.env.invalidate_all()
        self.assertIn("was deleted", wrong.last_error)
        self.assertEqual(wrong.size, size, "members stay as they are")
        self.assertGreater(wrong.next_refresh_at, fields.Datetime.now())
        self.assertIn("nothing", crash.last_error)
        self.assertGreaterEqual(right.size, 3)
        wrong.set_criteria({"conditions": [AT_EXAMPLE]})
        wrong.action_refresh()
        self.assertFalse(wrong.last_error)

    # === ONLY WHAT CHANGED ===#

    def test_changed_customers_are_looked_at_alone(self):
        segment = self._create_segment(AT_EXAMPLE, BOUGHT)
        segment.action_refresh()
        refreshed_at = segment.refreshed_at
        self.env["marketing.customer.change"].search([]).unlink()
        self._order(self.anna)
        self._order(self.bob)
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertEqual(self._members(segment), self.anna)
        self.assertEqual(segment.size, 1)
        self.assertEqual(segment.refreshed_at, refreshed_at)
        self.assertFalse(self._is_noted())
        self.env["sale.order"].search(
            [("partner_id", "in", self.everybody.ids)]
        )._action_cancel()
        self._note(self.bob)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertEqual(self._members(segment), self.anna, "nobody noted Anna")
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertFalse(self._members(segment))
        self.assertEqual(
            self._events(segment), [("entry", self.anna), ("exit", self.anna)]
        )

    def test_all_contacts_of_a_changed_person_are_looked_at(self):
        twin = self._create_customer("Anna S.", "anna@example.com")
        segment = self._create_segment({**BOUGHT, "at_least": 2})
        segment.action_refresh()
        self._order(self.anna)
        self._order(twin)
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertEqual(self._members(segment), self.anna | twin)

    def test_every_kind_of_condition_can_be_looked_at_for_a_few(self):
        """The same people, whether all contacts are looked at or these alone."""
        inner = self._create_segment(AT_EXAMPLE)
        inner.action_refresh()
        self._order(self.anna)
        self._view(self.anna)
        self._engage(self.anna)
        self._engage(self.anna, "open")
        self._abandon(self.anna)
        mug = self.product.product_tmpl_id.id
        for condition in (
            *({"behaviour": b} for b in ("bought", "viewed", "opened", "clicked")),
            {"behaviour": "abandoned", "category": self.mugs.id},
            {"behaviour": "bought", "product": mug, "at_most": 0},
            {"behaviour": "clicked", "product": mug, "at_most": 0},
            {"rfm": "champions"},
            {"consent": "offers", "state": "none"},
            {"consent": "offers"},
            {"segment": inner.id},
            {"segment": inner.id, "in": False},
            {"logic": "OR", "conditions": [AT_EXAMPLE, BOUGHT]},
            {"domain": []},
        ):
            with self.subTest(condition):
                segment = self._create_segment(condition)
                whole = self._fetch(segment)
                among = self.anna | self.bob
                few = self._fetch(segment, SQL("SELECT unnest(%s)", among.ids))
                self.assertEqual(few, whole & set(among.ids))

    def _fetch(self, segment, among=None):
        query = segment._get_partner_query(among)
        self.env.flush_all()
        return {i for (i,) in self.env.execute_query(query)}

    def test_segments_of_changed_segments_follow_in_the_same_pass(self):
        first = self._create_segment(BOUGHT, name="Z")
        second = self._create_segment({"segment": first.id}, name="A")
        second.action_refresh()
        self._order(self.anna)
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertEqual(self._members(second), self.anna)

    def test_who_is_refreshed_by_hand_does_not_follow(self):
        by_hand = self._create_segment(BOUGHT, refresh_interval="manual")
        never = self._create_segment(BOUGHT)
        by_hand.action_refresh()
        self._order(self.anna)
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertFalse(self._members(by_hand) | self._members(never))

    def test_many_changes_are_one_refresh(self):
        segment = self._create_segment(BOUGHT)
        segment.action_refresh()
        self._order(self.anna)
        self._note(self.anna)
        with patch.object(segment_incremental, "MANY_CHANGES", 0):
            self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertFalse(self._is_noted())
        self.assertFalse(self._members(segment))
        self.assertLessEqual(segment.next_refresh_at, fields.Datetime.now())

    def test_a_wrong_segment_does_not_hold_the_others(self):
        product = self._create_product("Short-lived", 1.0).product_tmpl_id
        wrong = self._create_segment({**BOUGHT, "product": product.id}, name="A")
        right = self._create_segment(BOUGHT, name="B")
        (wrong | right).action_refresh()
        product.unlink()
        self._order(self.anna)
        self._note(self.anna)
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        self.assertEqual(self._members(right), self.anna)
        self.assertLessEqual(wrong.next_refresh_at, fields.Datetime.now())

    def test_companies_are_kept_apart(self):
        company_b, _website = create_other_shop(self)
        ours = self._create_segment(BOUGHT)
        theirs = self._create_segment(BOUGHT, company_id=company_b.id)
        (ours | theirs).action_refresh()
        self._order(self.anna)
        self._order(self.bob, company_id=company_b.id)
        self._note(self.anna | self.bob)
        self._note(self.anna | self.bob, company_b)
        self._run_cron("ir_cron_refresh_segments")
        self.env.invalidate_all()
        self.assertEqual(self._members(ours) & self.everybody, self.anna)
        self.assertEqual(self._members(theirs), self.bob)

    def test_facts_that_nobody_notes_are_found(self):
        """What conditions ask for, since the scheduled action last ran."""
        self.env.ref(
            "marketing_automation.ir_cron_refresh_segments"
        ).lastcall = fields.Datetime.now()
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = write_date - interval '1 day'"
        )
        # Whoever is new at all was looked at by the first refresh.
        segments = {
            name: self._create_segment(condition, name=name)
            for name, condition in {
                "viewed": {"behaviour": "viewed"},
                "opened": {"behaviour": "opened"},
                "abandoned": {"behaviour": "abandoned"},
                "consent": {"consent": "cart", "state": "withdrawn"},
                "customer": {"field": "function", "operator": "=", "value": "Cook"},
            }.items()
        }
        for segment in segments.values():
            segment.action_refresh()
        self._view(self.anna, days_ago=0)
        self._engage(self.bob, "open", days_ago=0)
        self._abandon(self.cleo)
        self.env["marketing.preference"]._record(
            self.company, "email", ["cart"], ["bob@example.com"], "withdrawn", "form"
        )
        self.cleo.function = "Cook"
        self.env["customer.segment"]._note_recent_facts()
        self.env["customer.segment"]._refresh_changed_of(self.company, 1)
        for name, expected in (
            ("viewed", self.anna),
            ("opened", self.bob),
            ("abandoned", self.cleo),
            ("consent", self.bob),
            ("customer", self.cleo),
        ):
            with self.subTest(name):
                found = self._members(segments[name]) & self.everybody
                self.assertEqual(found, expected)

    def test_facts_that_nobody_asks_for_are_not_looked_for(self):
        segment = self._create_segment(BOUGHT)
        segment.action_refresh()
        self._view(self.anna, days_ago=0)
        self.env["marketing.customer.change"].search([]).unlink()
        self.env["customer.segment"]._note_recent_facts()
        self.assertFalse(self._is_noted())

    # === WHO MAY ===#

    def test_managers_refresh_and_users_look(self):
        segment = self._create_segment(AT_EXAMPLE)
        user = new_test_user(self.env, "seg_user", groups=GROUP_USER)
        manager = new_test_user(self.env, "seg_manager", groups=GROUP_MANAGER)
        theirs = segment.with_user(user)
        for call in (
            theirs.action_refresh,
            lambda: theirs.set_criteria({"conditions": [BOUGHT]}),
            lambda: theirs.add_contacts([]),
            lambda: theirs.remove_contacts([]),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertGreaterEqual(theirs.preview()["size"], 3)
        ours = segment.with_user(manager)
        ours.action_refresh()
        self.assertGreaterEqual(ours.size, 3)
        ours.set_criteria({"conditions": [BOUGHT, AT_EXAMPLE]})
        for records in (ours.membership_ids, ours.size_ids):
            self.assertTrue(records)
            with self.assertRaises(AccessError):
                records.unlink()

    def test_the_same_people_whoever_asks(self):
        """Record rules on contacts do not change what a segment means."""
        company_b, _website = create_other_shop(self)
        segment = self._create_segment(AT_EXAMPLE)
        manager = new_test_user(
            self.env,
            "seg_both",
            groups=GROUP_MANAGER,
            company_id=company_b.id,
            company_ids=[fields.Command.set([company_b.id, self.company.id])],
        )
        ours = segment.with_user(manager).with_context(
            allowed_company_ids=[company_b.id, self.company.id]
        )
        self.assertEqual(ours.preview()["size"], segment.preview()["size"])

    def test_conditions_on_what_the_writer_may_not_see_are_refused(self):
        manager = new_test_user(self.env, "seg_nosy", groups=GROUP_MANAGER)
        segment = self._create_segment().with_user(manager)
        for field in ("user_ids.password", "signup_type"):
            condition = {"field": field, "operator": "=", "value": "x"}
            for refused in (condition, {"domain": [[field, "=", "x"]]}):
                with (
                    self.subTest(refused),
                    self.assertRaises(ValidationError),
                    self.env.cr.savepoint(),
                ):
                    segment.set_criteria({"conditions": [refused]})
