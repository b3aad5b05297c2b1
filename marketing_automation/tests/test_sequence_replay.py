from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .sequence_common import SequenceCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop


@tagged("post_install", "-at_install")
class TestSequenceReplay(SequenceCase):
    """What a sequence would have done with the carts of the last weeks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Carts and orders of demo data are not of these weeks.
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE sale_order SET write_date = '2020-01-01'")
        cls.env.cr.execute("UPDATE sale_order SET date_order = '2020-01-01'")
        cls.env.cr.execute("UPDATE sale_order_line SET create_date = '2020-01-01'")
        cls.env.invalidate_all()
        cls.tested = cls._create_sequence(
            {"delay_value": 1},
            {"delay_value": 2, "channel": "sms"},
            {"delay_value": 24},
        )
        cls.manager = new_test_user(cls.env, "mm", groups=GROUP_MANAGER)
        cls.number = 0

    def _person(self, **vals):
        type(self).number += 1
        return self._create_customer("P", f"p{self.number}@example.com", **vals)

    def _leave(self, partner=None, days=5, detect=True, **vals):
        """Let somebody have left a cart some days ago."""
        order = self._create_cart(
            partner or self._person(), idle_minutes=days * 24 * 60, **vals
        )
        if detect:
            self._detect()
        return order

    def _buy(self, partner, hours_ago):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [fields.Command.create({"product_id": self.product.id})],
            }
        )
        order.action_confirm()
        order.date_order = fields.Datetime.now() - timedelta(hours=hours_ago)
        return order

    def _replay(self, sequence=None, **vals):
        action = (sequence or self.tested).with_user(self.manager).action_replay()
        replay = self.env[action["res_model"]].browse(action["res_id"])
        replay = replay.with_user(self.manager)
        if vals:
            replay.write(vals)
            replay.action_run()
        return replay

    def _outcomes(self, replay, partner):
        lines = self.env["marketing.sequence.replay.line"].search(
            [("replay_id", "=", replay.id), ("partner_id", "=", partner.id)],
            order="due_at",
        )
        return lines.mapped("outcome")

    # === WHO AND WHY NOT ===#

    def test_everybody_and_every_step(self):
        anna = self._person(phone="+36 30 123 4567")
        bo = self._person()
        self._leave(anna)
        self._leave(bo)
        replay = self._replay()
        self.assertEqual(self._outcomes(replay, anna), ["send"] * 3)
        self.assertEqual(self._outcomes(replay, bo), ["send", "no_phone", "send"])
        self.assertEqual((replay.cart_count, replay.run_count), (2, 2))
        self.assertEqual(replay.message_count, 5)
        self.assertEqual(replay.step_ids.mapped("send_count"), [2, 1, 2])
        self.assertEqual(replay.step_ids[1].held, {"no_phone": 1})
        self.assertEqual(
            replay.step_ids[1].held_lines,
            [{"reason": "no_phone", "label": "No telephone number", "count": 1}],
        )
        self.assertEqual(replay.worked_count, 2)
        self.assertEqual(replay.anyway_count, 0)

    def test_nothing_is_written_but_the_result(self):
        self._leave()
        counts = {
            model: self.env[model].search_count([])
            for model in ("marketing.message", "marketing.enrollment", "abandoned.cart")
        }
        self._replay()
        for model, count in counts.items():
            self.assertEqual(self.env[model].search_count([]), count, model)

    def test_bought(self):
        early, late, before = self._person(), self._person(), self._person()
        for partner in (early, late, before):
            self._leave(partner, days=5)
        self._buy(early, hours_ago=5 * 24 - 1.5)
        self._buy(late, hours_ago=2)
        self._buy(before, hours_ago=6 * 24)
        replay = self._replay()
        self.assertEqual(
            self._outcomes(replay, early), ["send", "no_phone", "purchased"]
        )
        self.assertEqual(self._outcomes(replay, late), ["send", "no_phone", "send"])
        self.assertEqual(self._outcomes(replay, before), ["send", "no_phone", "send"])
        self.assertEqual(replay.anyway_count, 2)
        self.assertEqual(replay.step_ids.mapped("anyway_count"), [2, 0, 1])

    def test_consent_of_today(self):
        gone = self._person(phone="+36 30 123 4567")
        self._leave(gone)
        self.env["mail.blacklist"]._add(gone.email)
        self.assertEqual(
            self._outcomes(self._replay(), gone), ["opted_out", "send", "opted_out"]
        )
        self.company.consent_policy = "opt_in"
        other = self._person()
        self._leave(other)
        self.assertEqual(
            self._outcomes(self._replay(), other),
            ["no_consent", "no_phone", "no_consent"],
        )

    def test_number_that_was_typed_at_checkout(self):
        guest = self._person()
        order = self._leave(guest)
        order.abandoned_cart_id.phone_sanitized = "+36301234567"
        self.assertEqual(self._outcomes(self._replay(), guest), ["send"] * 3)

    def test_not_due_yet(self):
        partner = self._person()
        self._leave(partner, days=0.5)
        self.assertEqual(
            self._outcomes(self._replay(), partner), ["send", "no_phone", "pending"]
        )

    def test_most_messages(self):
        partner = self._person(phone="+36 30 123 4567")
        self._leave(partner)
        self.tested.max_messages = 1
        self.assertEqual(
            self._outcomes(self._replay(), partner),
            ["send", "max_messages", "max_messages"],
        )

    def test_conditions(self):
        first, second, third = self.tested.step_ids
        first.condition_ids = [self._condition("value_above", amount=100)]
        second.condition_ids = [self._condition("phone_consent")]
        third.condition_ids = [
            self._condition("clicked"),
            self._condition("not_returned"),
        ]
        small = self._person()
        large = self._person(phone="+36 30 123 4567")
        self._leave(small)
        self._leave(large, products=[(self.product, 5)])
        replay = self._replay()
        self.assertEqual(
            self._outcomes(replay, small), ["condition", "no_phone", "unknown"]
        )
        self.assertEqual(self._outcomes(replay, large), ["send", "send", "unknown"])

    def test_control_group(self):
        self.tested.holdout_percent = 50
        for _number in range(12):
            self._leave()
        replay = self._replay()
        runs = self.env["marketing.enrollment"].search(
            [("sequence_id", "=", self.tested.id)]
        )
        held = replay.step_ids[0].held.get("holdout", 0)
        self.assertEqual(held, len(runs.filtered("is_holdout")))
        self.assertEqual(replay.step_ids[0].send_count, 12 - held)

    def test_which_carts(self):
        self.tested.minimum_amount = 50
        small, large = self._person(), self._person()
        self._leave(small)
        self._leave(large, products=[(self.product, 5)])
        replay = self._replay()
        self.assertFalse(self._outcomes(replay, small))
        self.assertTrue(self._outcomes(replay, large))
        self.tested.kind = "quotation"
        self.assertEqual(self._replay().cart_count, 0)

    def test_one_recovery_at_a_time(self):
        partner = self._person()
        self._leave(partner, days=5)
        self._leave(partner, days=4.5)
        self._leave(partner, days=2)
        replay = self._replay()
        self.assertEqual((replay.cart_count, replay.run_count), (3, 2))
        self.assertEqual(replay.busy_count, 1)

    # === WHERE NOBODY LOOKED ===#

    def test_carts_that_nobody_looked_at(self):
        left, bought, quick, robot = (self._person() for _n in range(4))
        self._leave(left, detect=False)
        slow_order = self._leave(bought, detect=False)
        quick_order = self._leave(quick, detect=False)
        self._create_cart(self.website.user_id.partner_id, idle_minutes=3 * 24 * 60)
        self.env.flush_all()
        for order, gap in ((slow_order, 26), (quick_order, 0.1)):
            order.action_confirm()
            order.date_order = fields.Datetime.now()
            self.env.flush_all()
            self.env.cr.execute(
                """UPDATE sale_order_line
                      SET create_date = %s WHERE order_id = %s""",
                [order.date_order - timedelta(hours=gap), order.id],
            )
        replay = self._replay()
        self.assertEqual(replay.cart_count, 2)
        self.assertEqual(self._outcomes(replay, left), ["send", "no_phone", "send"])
        # Came back and bought after a day, when all had been said but the last.
        self.assertEqual(self._outcomes(replay, bought), ["send", "no_phone", "send"])
        self.assertFalse(self._outcomes(replay, quick) + self._outcomes(replay, robot))
        self.assertEqual(replay.anyway_count, 1)
        self.assertEqual(replay.worked_count, 0)
        line = self.env["marketing.sequence.replay.line"].search(
            [("replay_id", "=", replay.id), ("partner_id", "=", left.id)], limit=1
        )
        self.assertEqual(line.action_open()["res_model"], "sale.order")

    def test_time(self):
        self._leave(days=20)
        replay = self._replay()
        self.assertEqual(replay.cart_count, 1)
        replay = self._replay(days=10)
        self.assertEqual((replay.cart_count, replay.message_count), (0, 0))
        self.assertFalse(
            self.env["marketing.sequence.replay.line"].search_count(
                [("replay_id", "=", replay.id)]
            )
        )
        for days in (0, 1000):
            with self.assertRaisesRegex(UserError, "between 1 and 366"):
                self._replay(days=days)

    # === COST ===#

    def test_cost(self):
        account = self.env["marketing.provider"]._select(self.company, "sms")
        account.write(
            {"segment_price": 0.05, "currency_id": self.company.currency_id.id}
        )
        for number in range(3):
            self._leave(self._person(phone=f"+36 30 123 456{number}"))
        replay = self._replay()
        self.assertEqual(replay.step_ids.mapped("cost"), [0.0, 0.15, 0.0])
        self.assertAlmostEqual(replay.cost, 0.15)
        self.sms_template.body_sms = "x" * 200 + " {{ cart.recovery_url }}"
        self.assertAlmostEqual(self._replay().cost, 0.3)

    # === WHO MAY ===#

    def test_companies(self):
        company_b, website_b = create_other_shop(self)
        self._leave(website_id=website_b.id)
        self.assertEqual(self._replay().cart_count, 0)
        self.manager.company_ids |= company_b
        replay = self.tested.with_user(self.manager).with_context(
            allowed_company_ids=(self.company | company_b).ids
        )
        action = replay.action_replay()
        self.assertEqual(
            self.env["marketing.sequence.replay"].browse(action["res_id"]).cart_count, 1
        )

    def test_only_managers(self):
        user = new_test_user(self.env, "mu", groups=GROUP_USER)
        with self.assertRaises(AccessError):
            self.tested.with_user(user).action_replay()

    def test_without_steps(self):
        self.tested.step_ids.unlink()
        with self.assertRaisesRegex(UserError, "Add a step first"):
            self._replay()

    def test_people_can_be_opened(self):
        self._leave()
        replay = self._replay()
        action = replay.step_ids[0].action_view_people()
        lines = self.env[action["res_model"]].with_user(self.manager)
        found = lines.search(action["domain"])
        self.assertEqual(len(found), 1)
        self.assertEqual(found.action_open()["res_model"], "abandoned.cart")
        everybody = replay.action_view_people()
        self.assertEqual(lines.search_count(everybody["domain"]), 3)
