from datetime import datetime

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .segment_common import SegmentCase
from .world import GROUP_USER, create_other_shop

NAMED_ANNA = {"field": "name", "operator": "=", "value": "Anna Smith"}
NAMED_BOB = {"field": "name", "operator": "=", "value": "Bob"}


@tagged("post_install", "-at_install")
class TestSegment(SegmentCase):
    """Groups of contacts: by hand, by conditions, and of other groups."""

    # === BY HAND ===#

    def test_contacts_are_put_in_and_taken_out_by_hand(self):
        segment = self._create_segment(kind="static")
        ids = [self.anna.id, self.bob.id, self.anna.id]
        self.assertEqual(
            segment.add_contacts(ids, "manual"),
            {"added": 2, "already_there": 0, "refused": 0},
        )
        self.assertEqual(self._members(segment), self.anna | self.bob)
        self.assertEqual(segment.size, 2)
        self.assertEqual(set(segment.membership_ids.mapped("source")), {"manual"})
        self.assertEqual(
            segment.add_contacts(ids + [self.cleo.id]),
            {"added": 1, "already_there": 2, "refused": 0},
        )
        self.assertEqual(segment.remove_contacts(ids), 2)
        self.assertEqual(self._members(segment), self.cleo)
        self.assertEqual(segment.size, 1)
        events = self.env["segment.membership.event"].search(
            [("segment_id", "=", segment.id)], order="id"
        )
        self.assertEqual(events.mapped("kind"), ["entry"] * 3 + ["exit"] * 2)

    def test_who_cannot_be_put_in_is_counted(self):
        company_b, _website = create_other_shop(self)
        stranger = self._create_customer("X", "x@example.com", company_id=company_b.id)
        gone = self._create_customer("Y", "y@example.com", active=False)
        segment = self._create_segment(kind="static")
        result = segment.add_contacts([stranger.id, gone.id, self.bob.id, 2**30, -1])
        self.assertEqual(result, {"added": 1, "already_there": 0, "refused": 4})
        self.assertEqual(self._members(segment), self.bob)

    def test_bad_calls_say_what_to_do(self):
        static = self._create_segment(kind="static")
        for ids in ("1,2", [True], ["1"], None, 3):
            with self.subTest(ids=ids), self.assertRaisesRegex(UserError, "list of"):
                static.add_contacts(ids)
        with self.assertRaisesRegex(UserError, "manual, import, api"):
            static.add_contacts([self.anna.id], "rule")
        dynamic = self._create_segment(NAMED_ANNA)
        for method in ("add_contacts", "remove_contacts"):
            with self.assertRaisesRegex(UserError, "follows from its conditions"):
                getattr(dynamic, method)([self.anna.id])

    def test_a_deleted_contact_is_no_member_any_more(self):
        segment = self._create_segment(kind="static")
        segment.add_contacts(self.everybody.ids)
        bob_id = self.bob.id
        self.bob.unlink()
        self.assertEqual(self._members(segment), self.anna | self.cleo)
        self.assertEqual(segment.size, 2)
        events = self.env["segment.membership.event"]
        self.assertFalse(events.search([("partner_id", "=", bob_id)]))

    def test_merged_contacts_are_one_member(self):
        """Whether the other one was in, too, or not: Odoo merges in SQL."""
        both = self._create_segment(kind="static")
        with self._at(datetime(2026, 3, 1)):
            both.add_contacts(self.bob.ids)
        with self._at(datetime(2026, 3, 2)):
            both.add_contacts(self.everybody.ids)
        one = self._create_segment(kind="static")
        one.add_contacts(self.bob.ids)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.anna | self.bob).ids, self.anna, extra_checks=False
        )
        self.assertEqual(self._members(both), self.anna | self.cleo)
        self.assertEqual(both.size, 2)
        member = both.membership_ids.filtered(lambda m: m.partner_id == self.anna)
        self.assertEqual(member.entered_at, datetime(2026, 3, 1))
        self.assertEqual((self._members(one), one.size), (self.anna, 1))
        events = self.env["segment.membership.event"].search(
            [("segment_id", "=", one.id)]
        )
        self.assertEqual(events.partner_id, self.anna)

    def test_members_that_a_deletion_missed_are_taken_out(self):
        segment = self._create_segment(kind="static")
        segment.add_contacts(self.everybody.ids)
        self.env.cr.execute(
            """UPDATE segment_membership SET partner_id = 2 ^ 30
                WHERE segment_id = %s AND partner_id = %s""",
            [segment.id, self.bob.id],
        )
        self.env["segment.membership"]._gc_deleted_contacts()
        self.assertEqual(self._members(segment), self.anna | self.cleo)
        self.assertEqual(segment.size, 2)

    # === BY CONDITIONS ===#

    def test_no_conditions_mean_nobody(self):
        segment = self._create_segment()
        segment.action_refresh()
        self.assertEqual(segment.size, 0)
        self.assertEqual(segment.preview(), {"size": 0, "sample": [], "error": False})

    def test_conditions_are_joined_by_their_logic(self):
        self.assertFalse(self._select(NAMED_ANNA, NAMED_BOB))
        self.assertEqual(
            self._select(NAMED_ANNA, NAMED_BOB, logic="OR"), self.anna | self.bob
        )
        group = {"logic": "OR", "conditions": [NAMED_ANNA, NAMED_BOB]}
        other = {"field": "email", "operator": "like", "value": "bob@"}
        self.assertEqual(self._select(group, other), self.bob)

    def test_contacts_of_the_company_and_of_nobody(self):
        company_b, _website = create_other_shop(self)
        self.anna.company_id = company_b
        self.bob.company_id = self.company
        condition = {"field": "email", "operator": "like", "value": "@example.com"}
        self.assertEqual(self._select(condition), self.bob | self.cleo)
        self.assertEqual(
            self._select(condition, company_id=company_b.id), self.anna | self.cleo
        )

    def test_archived_contacts_leave(self):
        segment = self._create_segment(NAMED_ANNA)
        segment.action_refresh()
        self.anna.active = False
        segment.action_refresh()
        self.assertFalse(segment.size)

    def test_the_public_user_is_nobody(self):
        nobody = self.website.user_id.partner_id
        nobody.active = True
        self.everybody |= nobody
        self.assertNotIn(nobody, self._select({"domain": []}))

    # === PREVIEW ===#

    def test_conditions_that_are_not_saved_are_previewed(self):
        behaviour = {"kind": "behaviour", "comparison": "at_most", "times": 0}
        group = [
            Command.create({"domain": "[('email', '=', 'anna@example.com')]"}),
            Command.create(behaviour),
        ]
        segment = self.env["customer.segment"].new(
            {
                "name": "New",
                "condition_ids": [
                    Command.create({"kind": "group", "child_ids": group})
                ],
            }
        )
        expected = {
            "size": 1,
            "sample": [
                {
                    "id": self.anna.id,
                    "name": "Anna Smith",
                    "email": "anna@example.com",
                }
            ],
            "error": False,
        }
        self.assertEqual(segment.preview(), expected)
        self._order(self.anna)
        self.assertEqual(segment.preview()["size"], 0)

    def test_changes_that_are_not_saved_are_previewed(self):
        segment = self._create_segment(NAMED_ANNA)
        draft = segment.new(origin=segment)
        draft.condition_ids.domain = "[('name', '=', 'Bob')]"
        self.assertEqual(draft.preview()["sample"][0]["id"], self.bob.id)
        self.assertEqual(segment.preview()["sample"][0]["id"], self.anna.id)

    def test_a_preview_shows_ten_and_says_what_is_missing(self):
        for number in range(12):
            self._create_customer(f"P {number}", "p@example.com")
        segment = self._create_segment(
            {"field": "email", "operator": "=", "value": "p@example.com"}
        )
        preview = segment.preview()
        self.assertEqual((preview["size"], len(preview["sample"])), (12, 10))
        draft = self.env["customer.segment"].new(
            {"condition_ids": [Command.create({"kind": "segment"})]}
        )
        self.assertIn("Choose the segment", draft.preview()["error"])

    def test_a_preview_shows_nothing_that_saving_would_not(self):
        company_b, _website = create_other_shop(self)
        other = self._create_segment(kind="static", company_id=company_b.id)
        user = new_test_user(self.env, "seg_preview", groups=GROUP_USER)
        segments = self.env["customer.segment"].with_user(user)

        def preview(company, **condition):
            return segments.new(
                {
                    "company_id": company.id,
                    "condition_ids": [Command.create(condition)],
                }
            ).preview()

        self.assertFalse(preview(self.company)["error"])
        with self.assertRaises(AccessError):
            preview(company_b)
        domain = "[('signup_type', '=', 'x')]"
        self.assertIn("signup_type", preview(self.company, domain=domain)["error"])
        group = {"kind": "group", "child_ids": [Command.create({"domain": domain})]}
        self.assertIn("signup_type", preview(self.company, **group)["error"])
        inside = {"kind": "segment", "other_segment_id": other.id}
        self.assertIn("another company", preview(self.company, **inside)["error"])

    # === SEGMENTS OF SEGMENTS ===#

    def test_segments_of_segments(self):
        first = self._create_segment(NAMED_ANNA, NAMED_BOB, logic="OR")
        second = self._create_segment(NAMED_BOB)
        named = {"field": "id", "operator": "in", "value": self.everybody.ids}
        (first | second).action_refresh()
        inside = {"segment": first.id, "in": True}
        outside = {"segment": second.id, "in": False}
        self.assertEqual(self._select(named, inside), self.anna | self.bob)
        self.assertEqual(self._select(named, outside), self.anna | self.cleo)
        self.assertEqual(self._select(inside, outside), self.anna)
        self.assertEqual(
            self._select(inside, {**named, "value": [self.cleo.id]}, logic="OR"),
            self.everybody,
        )

    def test_by_hand_segments_that_are_needed_are_refreshed_first(self):
        first = self._create_segment(NAMED_ANNA)
        second = self._create_segment({"segment": first.id})
        third = self._create_segment({"segment": second.id})
        third.action_refresh()
        self.assertEqual(self._members(third), self.anna)

    def test_who_changes_has_its_dependents_looked_at(self):
        first = self._create_segment(kind="static")
        second = self._create_segment({"segment": first.id})
        second.action_refresh()
        due = second.next_refresh_at
        first.add_contacts(self.anna.ids)
        self.assertLess(second.next_refresh_at, due)

    def test_cycles_are_refused_with_the_way(self):
        first = self._create_segment(NAMED_ANNA, name="A")
        second = self._create_segment({"segment": first.id}, name="B")
        third = self._create_segment({"segment": second.id}, name="C")
        group = {"logic": "OR", "conditions": [{"segment": third.id}]}
        for condition, way in (
            (group, "A → C → B → A"),
            ({"segment": first.id}, "A → A"),
        ):
            with (
                self.assertRaisesRegex(ValidationError, way),
                self.env.cr.savepoint(),
            ):
                first.set_criteria({"conditions": [NAMED_ANNA, condition]})

    def test_who_is_needed_cannot_be_deleted(self):
        first = self._create_segment(NAMED_ANNA, name="A")
        second = self._create_segment({"segment": first.id}, name="B")
        with self.assertRaisesRegex(UserError, "part of the conditions of “B”"):
            first.unlink()
        first.action_refresh()
        (first | second).unlink()
        self.assertFalse((first | second).exists())
        for model in ("segment.membership", "segment.membership.event", "segment.size"):
            self.assertFalse(
                self.env[model].search([("segment_id", "in", (first | second).ids)])
            )

    def test_an_archived_segment_keeps_its_members(self):
        first = self._create_segment(NAMED_ANNA)
        second = self._create_segment({"segment": first.id})
        second.action_refresh()
        first.active = False
        self.assertFalse(first.next_refresh_at)
        self.anna.name = "Other"
        self.env["customer.segment"].search([])._sort_by_reference()
        second.action_refresh()
        self.assertEqual(self._members(second), self.anna)
        self.assertIn("archived", second.condition_ids.summary)

    def test_groups_cannot_be_within_themselves(self):
        segment = self._create_segment(
            {"conditions": [{"conditions": [NAMED_ANNA]}, NAMED_BOB]}
        )
        outer = segment.condition_ids
        inner = outer.child_ids[0]
        self.assertEqual(inner.owner_id, segment)
        with self.assertRaises(ValidationError):
            outer.write({"segment_id": False, "parent_id": inner.id})

    # === ERRORS ===#

    def test_a_deleted_product_does_not_become_anything(self):
        product = self._create_product("Short-lived", 1.0)
        segment = self._create_segment(
            {"behaviour": "bought", "product": product.product_tmpl_id.id}, NAMED_ANNA
        )
        self._order(self.anna)
        product.product_tmpl_id.unlink()
        with self.assertRaisesRegex(UserError, "was deleted"):
            segment.action_refresh()
        self.assertIn("deleted", segment.condition_ids.sorted("sequence")[0].summary)

    def test_conditions_that_say_too_little_are_refused(self):
        segment = self._create_segment(NAMED_ANNA)
        for vals, message in (
            ({"kind": "segment"}, "Choose the segment"),
            ({"kind": "group"}, "A group has no condition"),
            ({"kind": "rfm"}, "Choose an RFM group"),
            ({"kind": "rfm", "recency_min": 4, "recency_max": 2}, "from 1 to 5"),
            ({"kind": "rfm", "monetary_max": 6}, "from 1 to 5"),
            ({"kind": "behaviour", "times": 0}, "At least 0 times"),
            ({"kind": "behaviour", "target": "product"}, "Choose a product"),
            ({"kind": "behaviour", "target": "category"}, "Choose a category"),
            (
                {
                    "kind": "behaviour",
                    "behaviour": "opened",
                    "target": "category",
                    "category_id": self.mugs.id,
                },
                "Messages are opened",
            ),
            ({"domain": "[('no_such_field', '=', 1)]"}, "no_such_field"),
            ({"domain": "[('id', '=', 'x')]"}, "cannot be filtered"),
            ({"domain": "[("}, "no filter for contacts"),
            ({"domain": "[('id', '=', uid)]"}, "no filter for contacts"),
        ):
            with (
                self.subTest(vals),
                self.assertRaisesRegex(ValidationError, message),
                self.env.cr.savepoint(),
            ):
                segment.condition_ids = [Command.create(vals)]

    def test_a_copy_has_the_conditions_and_no_members(self):
        segment = self._create_segment({"conditions": [NAMED_ANNA, NAMED_BOB]})
        segment.action_refresh()
        copy = segment.copy()
        self.assertEqual(copy.name, "Segment (copy)")
        self.assertEqual(copy.criteria, segment.criteria)
        self.assertFalse(copy.size or copy.membership_ids or copy.refreshed_at)
        self.assertNotEqual(copy.condition_ids, segment.condition_ids)

    def test_sentences_for_people(self):
        mug = self.product.product_tmpl_id
        other = self._create_segment(NAMED_BOB, name="Bobs")
        for condition, sentence in (
            ({"behaviour": "bought"}, "Bought: anything, at least once"),
            (
                {"behaviour": "viewed", "category": self.cups.id, "at_least": 2},
                "Viewed in the shop: Mugs / Cups, at least 2 times",
            ),
            (
                {"behaviour": "clicked", "product": mug.id, "at_most": 0, "days": 30},
                "Clicked in a message: Blue mug, not at all in the last 30 days",
            ),
            ({"rfm": "champions"}, "RFM group: Champions"),
            ({"rfm": {"recency": {"min": 4}}}, "Recency score 4 to 5"),
            ({"rfm": {"monetary": {"min": 3, "max": 3}}}, "Monetary score 3"),
            ({"segment": other.id, "in": False}, "Not in segment “Bobs”"),
            ({"consent": "offers"}, "May be written to: Offers by Email"),
            (
                {"conditions": [NAMED_ANNA, NAMED_BOB]},
                "Name is Anna Smith and Name is Bob",
            ),
            (NAMED_BOB, "Name is Bob"),
            (
                {"field": "country_id", "operator": "=", "value": None},
                "Country is empty",
            ),
            ({"domain": []}, "Any contact"),
            (
                {"field": "country_id.code", "operator": "in", "value": ["HU", "AT"]},
                "Country › Country Code is HU or AT",
            ),
        ):
            with self.subTest(sentence):
                segment = self._create_segment(condition)
                self.assertEqual(segment.condition_ids.summary, sentence)
