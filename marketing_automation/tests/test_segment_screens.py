"""What the screens of segments show and do, without a browser."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tests import Form, new_test_user, tagged

from ..models.audience.domain_words import DomainWords
from .common import MarketingCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop


class SegmentScreenCase(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.segments = cls.env["customer.segment"]
        cls.germany = cls.env.ref("base.de")
        cls.hamburg = cls.env["res.partner"].create(
            [
                {
                    "name": f"Person {number}",
                    "email": f"p{number}@example.com",
                    "country_id": cls.germany.id,
                    "city": "Screentown",
                }
                for number in range(7)
            ]
        )
        cls.in_town = cls._condition(domain="[('city', '=', 'Screentown')]")

    @staticmethod
    def _condition(**vals):
        return Command.create({"kind": "customer", **vals})

    def _create_segment(self, *conditions, **vals):
        return self.segments.create(
            {"name": "S", "condition_ids": list(conditions or [self.in_town]), **vals}
        )

    def _create_static(self, partners=None):
        segment = self.segments.create({"name": "By hand", "kind": "static"})
        if partners:
            segment.add_contacts(partners.ids, "manual")
        return segment

    def _ask(self, segment, **vals):
        """Return the question that the form asks about a segment."""
        return {
            "segment_id": segment.id,
            "kind": segment.kind,
            "criteria": segment.criteria,
            "company_id": segment.company_id.id,
            **vals,
        }


@tagged("post_install", "-at_install")
class TestWords(SegmentScreenCase):
    """Domains in words that need no manual."""

    def test_domains(self):
        germany, austria = self.germany.id, self.env.ref("base.at").id
        for domain, expected in (
            ([], "any contact"),
            ([("country_id", "=", germany)], "Country is Germany"),
            (
                [("country_id", "in", [austria, germany])],
                "Country is Austria or Germany",
            ),
            ([("country_id", "not in", [germany])], "Country is not Germany"),
            ([("country_id", "in", [])], "Country …"),
            ([("country_id", "=", False)], "Country is empty"),
            ([("country_id.code", "=", "DE")], "Country › Country Code is DE"),
            ([("is_company", "=", True)], "Is a Company"),
            ([("is_company", "=", False)], "not Is a Company"),
            ([("name", "ilike", "smith")], "Name contains “smith”"),
            ([("email", "!=", False)], "Email is not empty"),
            ([("color", ">=", 3)], "Color Index at least 3"),
            (
                [("create_date", ">=", "today -30d")],
                "Created on in the last 30 days",
            ),
            (
                [
                    "&",
                    ("create_date", ">=", "today -7d"),
                    ("create_date", "<", "today"),
                ],
                "Created on in the last 7 days",
            ),
            (
                [("create_date", "<", "today -1y")],
                "Created on more than 1 years ago",
            ),
            (
                [("create_date", ">=", "2026-03-01")],
                "Created on from 03/01/2026 on",
            ),
            (
                [
                    "|",
                    ("city", "=", "A"),
                    "&",
                    ("city", "=", "B"),
                    ("zip", "=", "1"),
                ],
                "City is A or (City is B and Zip is 1)",
            ),
            (["!", ("city", "=", "A")], "City is not A"),
            ([("type", "=", "delivery")], "Address Type is Delivery"),
            ([("no_such_field", "=", 1)], "no_such_field = 1"),
        ):
            with self.subTest(domain=domain):
                words = DomainWords(self.env["res.partner"])
                self.assertEqual(words.describe(Domain(domain)), expected)

    def test_many_names(self):
        countries = self.env["res.country"].search([], limit=6)
        words = DomainWords(self.env["res.partner"]).describe(
            Domain("country_id", "in", countries.ids)
        )
        self.assertTrue(words.endswith(" or 2 others"), words)

    def test_deleted_record(self):
        words = DomainWords(self.env["res.partner"])
        domain = Domain("country_id", "=", 2**31 - 1)
        self.assertEqual(words.describe(domain), "Country is (deleted)")

    def test_definition(self):
        segment = self._create_segment(
            self.in_town,
            Command.create(
                {
                    "kind": "group",
                    "logic": "OR",
                    "child_ids": [
                        self._condition(domain="[('zip', '=', '1')]"),
                        self._condition(domain="[('zip', '=', '2')]"),
                    ],
                }
            ),
        )
        self.assertEqual(
            segment.definition, "City is Screentown and (Zip is 1 or Zip is 2)"
        )
        static = self._create_static()
        self.assertEqual(static.definition, "Put in by hand")
        static.description = "From the fair"
        self.assertEqual(static.definition, "From the fair")


@tagged("post_install", "-at_install")
class TestPreview(SegmentScreenCase):
    def test_before_saving(self):
        """What the browser asks while somebody edits: criteria and nothing else."""
        criteria = """{"conditions": [{"field": "city", "value": "Screentown"}]}"""
        question = {"kind": "dynamic", "criteria": criteria, "segment_id": False}
        answer = self.segments.get_preview(question)
        self.assertEqual((answer["size"], answer["error"]), (7, False))
        self.assertEqual(len(answer["sample"]), 5)
        self.assertLessEqual(
            {person["id"] for person in answer["sample"]}, set(self.hamburg.ids)
        )
        self.assertFalse(self.segments.search([("name", "=", False)]))

    def test_nothing_chosen_yet(self):
        segment = self.segments.new({"name": "New"})
        answer = self.segments.get_preview(self._ask(segment))
        self.assertEqual((answer["size"], answer["error"]), (0, False))
        self.assertIn("As soon as there is a condition", answer["hint"])
        self.assertEqual(self.segments.get_reach(self._ask(segment))["channels"], [])

    def test_nobody(self):
        segment = self._create_segment(
            self._condition(domain="[('city','=','Nowhere')]")
        )
        answer = self.segments.get_preview(self._ask(segment))
        self.assertIn("Nobody meets this", answer["hint"])

    def test_errors_in_words(self):
        for criteria, message in (
            ("{", "This is no JSON"),
            ('{"conditions": [{"field": "totl", "value": 1}]}', "Condition 1: "),
            ('{"conditions": [{"segment": null}]}', "Condition 1: "),
        ):
            question = {"kind": "dynamic", "criteria": criteria}
            with self.subTest(criteria=criteria):
                answer = self.segments.get_preview(question)
                self.assertIn(message, answer["error"])
                self.assertEqual(self.segments.get_reach(question)["channels"], [])

    def test_static(self):
        segment = self._create_static(self.hamburg)
        self.assertEqual(self.segments.get_preview(self._ask(segment))["size"], 7)
        empty = self._create_static()
        hint = self.segments.get_preview(self._ask(empty))["hint"]
        self.assertIn("Add contacts, or import a file", hint)
        unsaved = self.segments.new({"kind": "static"})
        hint = self.segments.get_preview(self._ask(unsaved))["hint"]
        self.assertIn("Save it, then", hint)

    def test_reach(self):
        record = self.env["marketing.preference"]._record
        emails = self.hamburg.mapped("email_normalized")
        record(self.company, "email", ["offers"], emails[:4], "given", "staff")
        record(self.company, "email", ["offers"], emails[4:5], "withdrawn", "staff")
        self.hamburg[6].email = False
        segment = self._create_segment()
        reach = self.segments.get_reach(self._ask(segment))
        self.assertEqual(reach["purpose"], "offers")
        email, sms = reach["channels"]
        self.assertEqual((email["key"], email["reachable"]), ("email", 4))
        self.assertEqual(
            {reason["label"]: reason["count"] for reason in email["reasons"]},
            {
                "Withdrew the consent to this": 1,
                "Never agreed to this": 1,
                "No email address": 1,
            },
        )
        self.assertEqual((sms["key"], sms["reachable"]), ("sms", 0))
        self.assertEqual(sms["reasons"][0]["label"], "No telephone number")
        news = self.segments.get_reach(self._ask(segment), "newsletter")
        self.assertEqual(news["channels"][0]["reachable"], 0)
        odd = self.segments.get_reach(self._ask(segment), "no such purpose")
        self.assertEqual(odd["purpose"], "offers")

    def test_reach_is_kept_for_lists(self):
        record = self.env["marketing.preference"]._record
        emails = self.hamburg.mapped("email_normalized")
        record(self.company, "email", ["offers"], emails[:3], "given", "staff")
        segment = self._create_segment()
        segment.action_refresh()
        self.assertEqual((segment.reach_email, segment.reach_sms), (3, 0))
        record(self.company, "email", ["offers"], emails[3:5], "given", "staff")
        self._run_cron("ir_cron_count_reach")
        self.assertEqual(segment.reach_email, 3, "counted a moment ago")
        segment.reach_at -= timedelta(hours=21)
        self._run_cron("ir_cron_count_reach")
        self.assertEqual(segment.reach_email, 5)

    def test_of_the_chosen_company(self):
        """Somebody of one company does not get to see another's customers."""
        other, _website = create_other_shop(self)
        self.hamburg[:2].company_id = other
        user = new_test_user(self.env, "ss_user", groups=GROUP_USER)
        segment = self._create_segment()
        question = self._ask(segment, company_id=other.id)
        answer = self.segments.with_user(user).get_preview(question)
        self.assertEqual(answer["size"], 5)


@tagged("post_install", "-at_install")
class TestForm(SegmentScreenCase):
    def test_conditions_and_json_are_one(self):
        form = Form(self.segments)
        form.name = "Town"
        form.criteria = '{"conditions": [{"field": "city", "value": "Screentown"}]}'
        self.assertEqual(len(form.condition_ids), 1)
        self.assertFalse(form.criteria_error)
        form.criteria = '{"conditions": [{"field": "city"}]}'
        self.assertIn("Condition 1: ", form.criteria_error)
        self.assertEqual(len(form.condition_ids), 1, "what was right stays")
        with self.assertRaisesRegex(UserError, "Condition 1: "):
            form.save()
        form.criteria = (
            '{"logic": "or", "conditions": [{"field": "city", "value": "Screentown"},'
            ' {"behaviour": "bought", "at_least": 3, "days": 90}]}'
        )
        self.assertEqual((form.logic, len(form.condition_ids)), ("OR", 2))
        segment = form.save()
        self.assertEqual(
            segment.condition_ids.mapped("kind"), ["customer", "behaviour"]
        )
        self.assertIn('"at_least": 3', segment.criteria)
        ids = segment.condition_ids.ids
        with Form(segment) as form:
            form.name = "Town 2"
        self.assertEqual(segment.condition_ids.ids, ids, "not created anew")

    def test_copy(self):
        other = self._create_static(self.hamburg[:2])
        segment = self._create_segment(
            self.in_town,
            Command.create(
                {
                    "kind": "segment",
                    "other_segment_id": other.id,
                    "membership": "not_in",
                }
            ),
            Command.create(
                {
                    "kind": "group",
                    "logic": "OR",
                    "child_ids": [self.in_town, self.in_town],
                }
            ),
        )
        segment.action_refresh()
        self.assertEqual(segment.size, 5)
        copy = segment.copy()
        self.assertEqual(copy.criteria, segment.criteria)
        self.assertEqual(copy.name, "S (copy)")
        self.assertEqual(
            (copy.size, copy.reach_email, copy.refreshed_at), (0, 0, False)
        )
        self.assertFalse(copy.condition_ids & segment.condition_ids)
        copy.action_refresh()
        self.assertEqual(copy.size, 5)
        copy.unlink()
        self.assertEqual(len(segment.condition_ids), 3)

    def test_rfm_by_group_or_by_scores(self):
        condition = self.env["customer.segment.condition"].new(
            {"kind": "rfm", "rfm_group": "champions"}
        )
        self.assertEqual(condition.rfm_mode, "group")
        condition.rfm_mode = "scores"
        condition._onchange_rfm_mode()
        self.assertFalse(condition.rfm_group)
        condition.recency_min = 4
        condition.rfm_mode = "group"
        condition._onchange_rfm_mode()
        self.assertFalse(condition.recency_min)
        groups = condition._fields["rfm_group"].get_values(self.env)
        self.assertEqual({choice[0] for choice in condition.rfm_choices}, set(groups))
        for _key, label, meaning, _count in condition.rfm_choices:
            self.assertTrue(label and meaning.endswith("."))


@tagged("post_install", "-at_install")
class TestHistory(SegmentScreenCase):
    def _set_sizes(self, segment, sizes):
        self.env["segment.size"].search([("segment_id", "=", segment.id)]).unlink()
        now = fields.Datetime.now()
        for days, size in sizes:
            self.env["segment.size"].create(
                {
                    "segment_id": segment.id,
                    "at": now - timedelta(days=days),
                    "size": size,
                }
            )
        segment.size = sizes[-1][1]
        self.env.invalidate_all()

    def test_change_in_thirty_days(self):
        old, young, new = (self._create_segment() for _number in range(3))
        self._set_sizes(old, [(80, 3), (40, 10), (20, 30), (1, 25)])
        self._set_sizes(young, [(10, 4), (5, 9)])
        self.assertEqual(
            [segment.size_change for segment in (old, young, new)], [15, 5, 0]
        )

    def test_graph(self):
        segment = self._create_segment()
        self._set_sizes(segment, [(200, 1), (120, 2), (50, 6), (50, 7), (3, 9)])
        today = fields.Date.today()

        def day(number):
            return fields.Date.to_string(today - timedelta(days=number))

        self.assertEqual(
            segment.size_history,
            [[day(90), 2], [day(50), 7], [day(3), 9], [day(0), 9]],
        )
        self.assertFalse(self._create_segment().size_history)

    def test_came_and_left(self):
        segment = self._create_static(self.hamburg)
        segment.remove_contacts(self.hamburg[:2].ids)
        self.assertEqual(segment.entry_exit_label, "+7 −2")
        action = segment.action_view_events()
        self.assertEqual(
            self.env[action["res_model"]].search_count(action["domain"]), 9
        )


@tagged("post_install", "-at_install")
class TestMembers(SegmentScreenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, "sm_user", groups=GROUP_USER)
        cls.manager = new_test_user(cls.env, "sm_manager", groups=GROUP_MANAGER)

    def _list_members(self, segment):
        action = segment.action_view_members()
        return self.env[action["res_model"]].search(action["domain"])

    def _add(self, segment, partners, user=None):
        wizard = self.env["customer.segment.add"].with_user(user or self.env.user)
        wizard = wizard.with_context(
            active_model="res.partner", active_ids=partners.ids
        ).create({"segment_id": segment.id})
        return wizard.action_add()["params"]["message"]

    def test_add_from_the_list_of_contacts(self):
        segment = self._create_static(self.hamburg[:2])
        message = self._add(segment, self.hamburg, self.manager)
        self.assertIn("Added to “By hand”: 5.", message)
        self.assertIn("In it before: 2.", message)
        other, _website = create_other_shop(self)
        theirs = self._create_customer("Theirs", "t@example.com", company_id=other.id)
        self.assertIn("Left out, because they are", self._add(segment, theirs))
        self.assertEqual(set(self._list_members(segment).mapped("source")), {"manual"})

    def test_add_from_the_segment(self):
        action = self._create_static().action_add_contacts()
        wizard = self.env[action["res_model"]].with_context(**action["context"])
        self.assertEqual(wizard.create({}).segment_id.name, "By hand")

    def test_take_out(self):
        segment = self._create_static(self.hamburg)
        members = self._list_members(segment)[:3].with_user(self.manager)
        gone = members.partner_id
        members.action_remove()
        self.assertEqual(self._list_members(segment).partner_id, self.hamburg - gone)
        dynamic = self._create_segment()
        dynamic.action_refresh()
        with self.assertRaisesRegex(UserError, "follows from its conditions"):
            self._list_members(dynamic).action_remove()

    def test_users_only_read(self):
        segment = self._create_static(self.hamburg)
        mine = segment.with_user(self.user)
        self.assertEqual(mine.definition, "Put in by hand")
        self.assertEqual(mine.size_change, 0)
        self.assertEqual(
            self.segments.with_user(self.user).get_preview(self._ask(segment))["size"],
            7,
        )
        for attempt in (
            lambda: self._add(segment, self.hamburg, self.user),
            lambda: self._list_members(segment).with_user(self.user).action_remove(),
            lambda: mine.write({"name": "x"}),
            lambda: mine.copy(),
            lambda: mine.action_refresh(),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_contact_leads_to_its_segments(self):
        """Of all contacts with the same address."""
        first, second = self._create_static(), self._create_static()
        twin = self._create_customer("P0 as guest", "p0@example.com")
        first.add_contacts(self.hamburg[:1].ids)
        second.add_contacts((twin | self.hamburg[1]).ids)
        contact = self.hamburg[0].with_user(self.user)
        self.assertEqual(contact.marketing_segment_count, 2)
        action = contact.action_view_marketing_segments()
        members = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(members.segment_id, first | second)
        opened = members[0].with_context(**action["context"]).action_open_contact()
        self.assertEqual(opened["res_model"], "customer.segment")
        opened = members[0].action_open_contact()
        self.assertEqual(opened["res_model"], "res.partner")
        self.assertEqual(self.hamburg[3].marketing_segment_count, 0)
