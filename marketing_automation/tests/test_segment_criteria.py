import json

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged
from odoo.tests.common import BaseCase

from ..models.audience.segment_criteria import PROBLEMS
from ..tools import segment_criteria
from ..tools.segment_criteria import CriteriaError
from .segment_common import SegmentCase

NAMED = {"field": "name", "operator": "=", "value": "x"}


def _nested(depth):
    group = {"conditions": [NAMED]}
    for _level in range(depth):
        group = {"conditions": [group]}
    return group


# What is written, the error, and which condition it is said to be in.
WRONG = [
    ("{", "no_json", ""),
    ("[" * 100_000, "no_json", ""),
    ("[]", "not_an_object", ""),
    ("{}", "no_conditions", ""),
    ({"conditions": []}, "empty_group", ""),
    ({"conditions": {}}, "empty_group", ""),
    ({"conditions": [NAMED], "logic": "XOR"}, "bad_logic", ""),
    ({"conditions": [NAMED], "logic": 1}, "bad_logic", ""),
    ({"conditions": [NAMED], "name": "x"}, "unknown_key", ""),
    (_nested(8), "too_deep", "1.1.1.1.1.1.1.1"),
    ({"conditions": [NAMED] * 200}, "too_many", ""),
    ({"conditions": [NAMED, 5]}, "not_an_object", "2"),
    ({"conditions": [{}]}, "no_subject", "1"),
    ({"conditions": [{"field": "name", "rfm": "new"}]}, "no_subject", "1"),
    ({"conditions": [{"conditions": [NAMED, {}]}]}, "no_subject", "1.2"),
    ({"conditions": [{**NAMED, "days": 3}]}, "unknown_key", "1"),
    ({"conditions": [{**NAMED, "field": 3}]}, "bad_field", "1"),
    ({"conditions": [{**NAMED, "field": "a b"}]}, "bad_field", "1"),
    ({"conditions": [{**NAMED, "operator": "=="}]}, "bad_operator", "1"),
    ({"conditions": [{**NAMED, "operator": []}]}, "bad_operator", "1"),
    ({"conditions": [{"field": "name"}]}, "no_value", "1"),
    ({"conditions": [{**NAMED, "operator": "in"}]}, "no_list", "1"),
    ({"conditions": [{**NAMED, "value": ["x"]}]}, "no_scalar", "1"),
    ({"conditions": [{"domain": "[]"}]}, "bad_domain", "1"),
    ({"conditions": [{"behaviour": "ate"}]}, "bad_choice", "1"),
    ({"conditions": [{"behaviour": ["bought"]}]}, "bad_choice", "1"),
    (
        {"conditions": [{"behaviour": "bought", "at_least": 1, "at_most": 2}]},
        "both_bounds",
        "1",
    ),
    (
        {"conditions": [{"behaviour": "bought", "product": 1, "category": 2}]},
        "both_targets",
        "1",
    ),
    ({"conditions": [{"behaviour": "bought", "at_least": 0}]}, "out_of_range", "1"),
    ({"conditions": [{"behaviour": "bought", "at_most": -1}]}, "out_of_range", "1"),
    ({"conditions": [{"behaviour": "bought", "days": 36501}]}, "out_of_range", "1"),
    ({"conditions": [{"behaviour": "bought", "days": 999999}]}, "out_of_range", "1"),
    ({"conditions": [{"behaviour": "bought", "days": "9"}]}, "no_number", "1"),
    ({"conditions": [{"behaviour": "bought", "days": True}]}, "no_number", "1"),
    ({"conditions": [{"behaviour": "bought", "product": 2**40}]}, "out_of_range", "1"),
    ({"conditions": [{"rfm": 5}]}, "bad_rfm", "1"),
    ({"conditions": [{"rfm": {}}]}, "bad_rfm", "1"),
    ({"conditions": [{"rfm": {"love": {"min": 1}}}]}, "bad_rfm", "1"),
    ({"conditions": [{"rfm": {"recency": 5}}]}, "bad_score", "1"),
    ({"conditions": [{"rfm": {"recency": {"min": 4, "max": 2}}}]}, "bad_score", "1"),
    ({"conditions": [{"rfm": {"recency": {"min": 6}}}]}, "out_of_range", "1"),
    ({"conditions": [{"consent": 1}]}, "bad_text", "1"),
    ({"conditions": [{"consent": "offers", "state": "yes"}]}, "bad_choice", "1"),
    ({"conditions": [{"segment": "VIP"}]}, "no_number", "1"),
    ({"conditions": [{"segment": 1, "in": "yes"}]}, "bad_flag", "1"),
]


@tagged("post_install", "-at_install")
class TestCriteriaGrammar(BaseCase):
    """The documented form, without a database."""

    def test_what_is_wrong_is_said_and_where(self):
        for criteria, code, path in WRONG:
            with self.subTest(str(criteria)[:80]):
                with self.assertRaises(CriteriaError) as caught:
                    segment_criteria.parse(criteria)
                self.assertEqual(
                    (caught.exception.code, caught.exception.path), (code, path)
                )

    def test_dates(self):
        for written, domain in (
            ("-30d", "today -30d"),
            ("+2w", "today +2w"),
            ("-6m", "today -6m"),
            ("-1y", "today -1y"),
            ("today", "today"),
            ("2026-01-31", "2026-01-31"),
            (["-1d", "today"], ["today -1d", "today"]),
            (None, None),
        ):
            self.assertEqual(segment_criteria.to_domain_value(written), domain)
            self.assertEqual(segment_criteria.from_domain_value(domain), written)
        self.assertEqual(
            segment_criteria.from_domain_value("today =monday"), "today =monday"
        )


@tagged("post_install", "-at_install")
class TestSegmentCriteria(SegmentCase):
    """JSON in, conditions, JSON out."""

    def test_every_error_has_a_sentence(self):
        segment = self._create_segment()
        for criteria, code, path in WRONG:
            with (
                self.subTest(str(criteria)[:80]),
                self.assertRaises(ValidationError) as caught,
                self.env.cr.savepoint(),
            ):
                segment.set_criteria(criteria)
            text = str(caught.exception)
            self.assertNotIn("%(", text)
            if path:
                self.assertTrue(text.startswith(f"Condition {path}: "), text)
            self.assertIn(code, PROBLEMS)

    def test_what_does_not_exist_is_said(self):
        segment = self._create_segment()
        for condition, message in (
            ({**NAMED, "field": "shoe_size"}, 'Contacts have no field "shoe_size"'),
            ({**NAMED, "field": "name.x"}, 'Contacts have no field "name.x"'),
            ({**NAMED, "field": "country_id.x"}, "Contacts have no field"),
            ({**NAMED, "field": "id", "value": "x"}, '"id" cannot be compared'),
            (
                {"field": "last_order_date", "operator": ">=", "value": "last week"},
                '"last_order_date" cannot be compared',
            ),
            ({"domain": [["name"]]}, "is no domain"),
            ({"domain": [["no_field", "=", 1]]}, "no_field"),
            ({"behaviour": "bought", "product": 2**30}, "There is no product"),
            ({"behaviour": "bought", "category": 2**30}, "There is no category"),
            ({"segment": 2**30}, "There is no segment"),
            ({"rfm": "kings"}, "is no RFM group. Write one of champions"),
            ({"consent": "spam"}, 'spam is not known as "consent"'),
            ({"consent": "offers", "channel": "fax"}, 'not known as "channel"'),
        ):
            with (
                self.subTest(condition),
                self.assertRaisesRegex(ValidationError, message),
                self.env.cr.savepoint(),
            ):
                segment.set_criteria({"conditions": [NAMED, condition]})

    def test_what_goes_in_comes_out(self):
        other = self._create_segment(NAMED)
        criteria = {
            "logic": "OR",
            "conditions": [
                {"field": "total_orders", "operator": ">=", "value": 5},
                {"field": "last_order_date", "operator": ">=", "value": "-30d"},
                {"field": "create_date", "operator": "<", "value": "today"},
                {"field": "country_id.code", "operator": "in", "value": ["HU", "AT"]},
                {"field": "email", "operator": "!=", "value": None},
                {"field": "is_company", "operator": "=", "value": False},
                {"field": "name", "operator": "ilike", "value": "-30d"},
                {"domain": [["name", "=", "a"], ["email", "=", "b"]]},
                {"domain": []},
                {
                    "behaviour": "bought",
                    "category": self.mugs.id,
                    "at_least": 2,
                    "days": 90,
                },
                {"behaviour": "viewed", "at_most": 0},
                {"rfm": "champions"},
                {"rfm": {"recency": {"min": 4}, "monetary": {"min": 2, "max": 5}}},
                {"consent": "offers", "channel": "email", "state": "allowed"},
                {"segment": other.id, "in": True},
                {
                    "logic": "AND",
                    "conditions": [NAMED, {"logic": "OR", "conditions": [NAMED]}],
                },
            ],
        }
        segment = self._create_segment()
        self.assertEqual(segment.set_criteria(criteria), criteria)
        self.env.invalidate_all()
        self.assertEqual(json.loads(segment.criteria), criteria)
        again = self._create_segment()
        again.criteria = segment.criteria
        self.env.invalidate_all()
        self.assertEqual(again.criteria, segment.criteria)
        self.assertEqual(
            self._create_segment(criteria=segment.criteria).criteria, segment.criteria
        )

    def test_what_may_be_left_out_is_shown(self):
        segment = self._create_segment()
        other = self._create_segment(NAMED)
        conditions = [
            {"behaviour": "bought"},
            {"segment": other.id},
            {"consent": "cart"},
            {"field": "marketing_total_orders", "value": 1},
        ]
        understood = segment.set_criteria(json.dumps({"conditions": conditions}))
        self.assertEqual(understood["logic"], "AND")
        self.assertEqual(
            [sorted(condition) for condition in understood["conditions"]],
            [
                ["at_least", "behaviour"],
                ["in", "segment"],
                ["channel", "consent", "state"],
                ["field", "operator", "value"],
            ],
        )
        self.assertEqual(understood["conditions"][3]["field"], "total_orders")

    def test_conditions_made_by_hand_are_shown(self):
        segment = self._create_segment()
        with Form(
            segment.condition_ids.with_context(default_segment_id=segment.id)
        ) as form:
            form.domain = "[('marketing_last_order_date', '>=', 'today -7d')]"
        self.assertEqual(
            json.loads(segment.criteria)["conditions"],
            [{"field": "last_order_date", "operator": ">=", "value": "-7d"}],
        )

    def test_unchanged_criteria_change_nothing(self):
        segment = self._create_segment(NAMED)
        conditions = segment.condition_ids
        segment.write({"name": "Other", "criteria": segment.criteria})
        self.assertEqual(segment.condition_ids, conditions)
        segment.criteria = False
        self.assertEqual(segment.condition_ids, conditions)

    def test_wrong_criteria_change_nothing(self):
        segment = self._create_segment(NAMED)
        before = segment.criteria
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            segment.set_criteria({"conditions": [NAMED, {"rfm": "kings"}]})
        self.env.invalidate_all()
        self.assertEqual(segment.criteria, before)
