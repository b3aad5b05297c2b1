from odoo.fields import Command
from odoo.tests import tagged

from .common import MarketingCase


class SegmentCase(MarketingCase):
    """Factories for segments."""

    @classmethod
    def _create_segment(cls, criteria=None, **vals):
        segment = cls.env["customer.segment"].create({"name": "S", **vals})
        if criteria:
            if isinstance(criteria, list):
                criteria = {"conditions": criteria}
            segment.set_criteria(criteria)
        return segment

    def _members(self, segment):
        return segment.membership_ids.partner_id


@tagged("post_install", "-at_install")
class TestSegment(SegmentCase):
    def test_contacts_are_put_in_and_taken_out_by_hand(self):
        segment = self._create_segment(kind="static")
        result = segment.add_contacts([self.customer.id, 2**30])
        self.assertEqual(result, {"added": 1, "already_there": 0, "refused": 1})
        self.assertEqual(self._members(segment), self.customer)
        self.assertEqual(segment.size, 1)
        self.assertEqual(segment.remove_contacts([self.customer.id]), 1)
        self.assertFalse(self._members(segment))

    def test_a_dynamic_segment_follows_its_conditions(self):
        segment = self._create_segment(
            [{"field": "email", "operator": "=", "value": "anna@example.com"}]
        )
        self.assertEqual(segment.preview()["size"], 1)
        segment.action_refresh()
        self.assertEqual(self._members(segment), self.customer)
        self.customer.email = "other@example.com"
        segment.action_refresh()
        self.assertFalse(self._members(segment))

    def test_conditions_that_are_not_saved_are_previewed(self):
        segment = self.env["customer.segment"].new(
            {
                "name": "New",
                "logic": "OR",
                "condition_ids": [
                    Command.create(
                        {
                            "kind": "group",
                            "logic": "AND",
                            "child_ids": [
                                Command.create(
                                    {"domain": "[('email', '=', 'anna@example.com')]"}
                                ),
                                Command.create(
                                    {
                                        "kind": "behaviour",
                                        "comparison": "at_most",
                                        "times": 0,
                                    }
                                ),
                            ],
                        }
                    )
                ],
            }
        )
        preview = segment.preview()
        self.assertEqual(preview["error"], False)
        self.assertEqual(preview["sample"][0]["id"], self.customer.id)
        self.assertEqual(preview["size"], 1)

    def test_every_behaviour_can_be_asked_for(self):
        category = self.env["product.public.category"].create({"name": "Mugs"})
        for behaviour in ("bought", "viewed", "opened", "clicked", "abandoned"):
            for target in (
                {},
                {"product": self.product.product_tmpl_id.id},
                {"category": category.id},
            ):
                if behaviour == "opened" and target:
                    continue
                condition = {
                    "behaviour": behaviour,
                    **target,
                    "at_least": 2,
                    "days": 90,
                }
                with self.subTest(condition):
                    segment = self._create_segment([condition])
                    self.assertEqual(segment._get_criteria()["conditions"], [condition])
                    self.assertFalse(segment.preview()["error"])
