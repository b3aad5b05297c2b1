from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .sequence_common import SequenceCase
from .world import GROUP_MANAGER, GROUP_USER


@tagged("post_install", "-at_install")
class TestSequenceVersion(SequenceCase):
    """How a sequence was, who changed it, and the way back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The sequence belongs to all companies: so does who changes it.
        cls.manager = new_test_user(
            cls.env,
            "mm",
            groups=GROUP_MANAGER,
            company_ids=[Command.set(cls.env["res.company"].search([]).ids)],
        )
        cls.tested = cls._create_sequence({}, {})

    def _edit(self, vals):
        self.tested.with_user(self.manager).write(vals)
        return self.tested.version_ids[0]

    def test_shipped_sequence_has_a_first_version(self):
        version = self.sequence.version_ids
        self.assertEqual((version.number, version.summary), (1, "First version"))
        self.assertEqual(len(version.definition["steps"]), 3)
        self.env["marketing.sequence"]._ensure_versions()
        self.assertEqual(self.sequence.version_ids, version)

    def test_one_version_for_each_edit(self):
        self.assertEqual(self.tested.version_ids.mapped("number"), [1])
        first, second = self.tested.step_ids
        version = self._edit(
            {
                "max_messages": 2,
                "step_ids": [
                    Command.update(first.id, {"delay_value": 3, "window_until": 18}),
                    Command.delete(second.id),
                    Command.create(
                        {
                            "name": "Text",
                            "channel": "sms",
                            "template_id": self.sms_template.id,
                            "condition_ids": [self._condition("phone_consent")],
                        }
                    ),
                ],
            }
        )
        self.assertEqual((version.number, version.user_id), (2, self.manager))
        self.assertEqual(
            version.summary.splitlines(),
            [
                "At Most: 99 → 2",
                "“Step 2” removed",
                "“Step 1”: Due: 1 hour after leaving → 3 hours after leaving",
                "“Step 1”: Hours of the day: none → from 00:00 to 18:00",
                "“Text” added: SMS, Abandoned cart: text message, 1 hour after "
                "leaving, may be sent text messages",
            ],
        )

    def test_what_changes_nothing_is_no_version(self):
        self._edit({"sequence": 5})
        self._edit({"max_messages": 99})
        self.tested.step_ids[0].delay_value = 1
        self.assertEqual(len(self.tested.version_ids), 1)

    def test_steps_edited_by_themselves(self):
        self.tested.step_ids[0].template_id = self.env.ref(
            "marketing_automation.template_cart_2"
        )
        self.assertRegex(
            self.tested.version_ids[0].summary, "^“Step 1”: Template: .* →"
        )
        self.tested.step_ids[0].condition_ids = [self._condition("clicked")]
        self.assertIn("Only if: none → has clicked", self.tested.version_ids[0].summary)
        self.tested.step_ids[0].sequence = 9
        self.assertEqual(
            self.tested.version_ids[0].summary, "Order of the steps: Step 2 → Step 1"
        )

    def test_what_others_add_to_steps(self):
        """Coupons and similar products are part of a version, and come back with it."""
        step = self.tested.step_ids[0]
        self.assertFalse(step.notes)
        step.offer_count = 3
        self.assertEqual(
            self.tested.version_ids[0].summary, "“Step 1”: Similar Products: none → 3"
        )
        self.assertEqual(len(step.notes), 1)
        coupon = self.env["marketing.coupon"].search([], limit=1)
        self.assertTrue(coupon)
        step.write({"coupon_use": "new", "coupon_id": coupon.id, "offer_count": 0})
        self.assertIn(
            "Coupon: No coupon → A new coupon", self.tested.version_ids[0].summary
        )
        self.assertIn(coupon.name, step.notes[0]["text"])
        self.tested.version_ids[1].action_restore()
        self.assertEqual((step.coupon_use, step.offer_count), ("none", 3))

    def test_copy_has_versions_of_its_own(self):
        self._edit({"max_messages": 2})
        copy = self.tested.copy()
        self.assertEqual(copy.version_ids.mapped("number"), [1])
        self.assertEqual(len(copy.version_ids.definition["steps"]), 2)

    def test_runs_know_what_they_began_with(self):
        old = self._abandon().enrollment_ids
        version = self._edit({"max_messages": 2})
        new = self._abandon(self._create_customer("Bo", "bo@example.com"))
        self.assertEqual(old.version_id.number, 1)
        self.assertEqual(new.enrollment_ids.version_id, version)
        self.assertEqual(version.enrollment_count, 1)

    def test_restore(self):
        first, second = self.tested.step_ids
        first.condition_ids = [self._condition("value_above", amount=10)]
        before = self.tested._get_definition()
        version = self.tested.version_ids[0]
        cart = self._abandon()
        self._send(self._run_step(cart))
        self._edit(
            {
                "minimum_amount": 50,
                "step_ids": [
                    Command.delete(first.id),
                    Command.delete(second.id),
                    Command.create({"name": "Other", "template_id": self.template.id}),
                ],
            }
        )
        self.assertFalse(second.exists())
        version.with_user(self.manager).action_restore()
        after = self.tested._get_definition()
        # What was archived is back; what was deleted has been made anew.
        self.assertTrue(first.active)
        self.assertEqual(self.tested.step_ids[0], first)
        before["steps"][1]["id"] = after["steps"][1]["id"]
        self.assertEqual(after, before)
        restored = self.tested.version_ids[0]
        self.assertEqual(restored.summary, f"Back to version {version.number}")
        self.assertEqual(restored.user_id, self.manager)
        self.assertTrue(restored.is_current)
        self.assertFalse(version.is_current)
        # Who had the first step is past it.
        self.assertEqual(cart.message_ids.step_id, first)
        message = self._run_step(cart)
        self.assertEqual(message.step_id.name, "Step 2")

    def test_restore_of_the_version_there_is(self):
        version = self.tested.version_ids
        version.action_restore()
        self.assertEqual(self.tested.version_ids, version)
        self.assertEqual(version.summary, "First version")

    def test_restore_needs_what_it_refers_to(self):
        template = self.template.copy()
        self.tested.step_ids[1].template_id = template
        version = self.tested.version_ids[0]
        self.tested.step_ids[1].template_id = self.template
        template.unlink()
        with self.assertRaisesRegex(UserError, "Version 2 cannot be brought back"):
            version.action_restore()

    def test_only_managers_restore(self):
        user = new_test_user(self.env, "mu", groups=GROUP_USER)
        version = self.tested.version_ids.with_user(user)
        self.assertEqual(version.summary, "First version")
        with self.assertRaises(AccessError):
            version.action_restore()
