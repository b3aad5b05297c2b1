from odoo.tests import HttpCase, tagged

from .ab_common import AbCase


@tagged("post_install", "-at_install")
class TestToursAb(AbCase, HttpCase):
    """A/B tests in a real browser."""

    def test_build(self):
        campaign = self._create_campaign()
        self.start_tour(
            f"/odoo/marketing-campaigns/{campaign.id}",
            "marketing_automation_ab_build",
            login="admin",
        )
        test = campaign.ab_test_ids
        self.assertEqual(test.test_share, 50)
        self.assertEqual(test.variant_ids.mapped("subject"), [False, "Look at this"])
        self.assertFalse(campaign._get_problems())

    def test_decide(self):
        self.test.fallback = "ask"
        self._send_test()
        self._pass_time()
        self._decide()
        self.start_tour(
            f"/odoo/marketing-campaigns/{self.campaign.id}",
            "marketing_automation_ab_decide",
            login="admin",
        )
        self.env.invalidate_all()
        self.assertEqual(self.test.winner_id, self.other)
        self.assertFalse(self._get_messages())
