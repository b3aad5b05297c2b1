from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestMessageSettle(MarketingCase):
    """What people decide about messages of which nobody knows whether they left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template()
        cls.people = cls.env["res.partner"].create(
            [{"name": "Anna", "email": f"doubt{n}@example.com"} for n in range(5)]
        )
        cls.manager = new_test_user(
            cls.env, "manager", "marketing_automation.group_marketing_manager"
        )
        cls.user = new_test_user(
            cls.env, "user", "marketing_automation.group_marketing_user"
        )

    def setUp(self):
        super().setUp()
        self.messages = self._queue_to(self.people, self.template)
        self.uncertain = self.messages[:3]
        self.uncertain._set_state("sending")
        self.uncertain._set_state("uncertain", "worker_lost")
        self.failed = self.messages[3]
        self.failed._set_state("failed", "too_many_attempts")
        self.waiting = self.messages[4]

    def test_many_are_settled_at_once(self):
        for action, state in (
            ("action_mark_sent", "sent"),
            ("action_mark_failed", "failed"),
        ):
            with self.subTest(action), self.env.cr.savepoint() as savepoint:
                getattr(self.messages.with_user(self.user), action)()
                self.assertEqual(self.uncertain.mapped("state"), [state] * 3)
                self.assertEqual(self.failed.state, "failed")
                self.assertEqual(self.waiting.state, "queued")
                savepoint.rollback()
                self.env.invalidate_all()

    def _ask(self, messages, user=None):
        action = messages.with_user(user or self.manager).action_ask_send_again()
        return (
            self.env[action["res_model"]]
            .with_user(user or self.manager)
            .with_context(**action["context"])
            .create({})
        )

    def test_it_says_how_many_are_sent_again(self):
        wizard = self._ask(self.messages)
        self.assertEqual(
            (wizard.count, wizard.uncertain_count, wizard.left_out_count), (4, 3, 1)
        )

    def test_sent_again(self):
        self.failed.attempts = 10
        self._ask(self.messages).action_send_again()
        again = self.uncertain | self.failed
        self.assertEqual(again.mapped("state"), ["queued"] * 4)
        self.assertEqual(again.mapped("attempts"), [0] * 4)
        entry = self.failed.history[-1]
        self.assertEqual(
            (entry["state"], entry["reason"], entry["detail"]),
            ("queued", "sent_again", self.manager.name),
        )
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(self.messages.mapped("state"), ["sent"] * 5)

    def test_a_campaign_that_has_ended_goes_on(self):
        campaign = self.env["email.campaign"].create(
            {"name": "News", "template_id": self.template.id}
        )
        self.messages.campaign_id = campaign
        campaign.write({"state": "completed", "ended_at": "2026-01-01 10:00:00"})
        self._ask(self.uncertain).action_send_again()
        self.assertEqual((campaign.state, campaign.ended_at), ("running", False))
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(self.uncertain.mapped("state"), ["sent"] * 3)

    def test_nothing_of_a_cancelled_campaign(self):
        campaign = self.env["email.campaign"].create(
            {"name": "News", "template_id": self.template.id}
        )
        self.messages.campaign_id = campaign
        campaign.state = "cancelled"
        wizard = self._ask(self.messages)
        self.assertEqual((wizard.count, wizard.left_out_count), (0, 5))
        wizard.action_send_again()
        self.assertEqual(self.uncertain.mapped("state"), ["uncertain"] * 3)

    def test_only_managers_send_again(self):
        with self.assertRaises(AccessError):
            self._ask(self.uncertain, self.user)
