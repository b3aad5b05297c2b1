from odoo.tests import HttpCase, tagged

from .ab_common import AbCase
from .browser import IS_QUIET, open_browser
from .test_accessibility import DESK, PHONE, find_axe, find_own_violations


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

    def test_accessible(self):
        """axe-core finds nothing wrong, whatever became of the test."""
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        tests = self._create_tests_in_all_states()
        with open_browser(self, "admin") as browser:
            for test in tests:
                for width in (PHONE, DESK):
                    browser.resize(width)
                    browser.go(
                        f"/odoo/marketing-ab-tests/{test.id}",
                        "!!document.querySelector('.o_field_widget[name=campaign_id]')",
                    )
                    browser.evaluate(IS_QUIET)
                    violations = find_own_violations(browser, axe, ".o_form_renderer")
                    with self.subTest(state=test.state, width=width):
                        self.assertEqual(violations, [])

    def _create_tests_in_all_states(self):
        campaigns = [self._create_campaign(name=f"Campaign {n}") for n in range(3)]
        draft, asking, decided = (
            self._create_test(campaign, fallback=fallback)
            for campaign, fallback in zip(
                campaigns, ("control", "ask", "control"), strict=True
            )
        )
        for campaign in (self.campaign, *campaigns[1:]):
            self._start(campaign)
        self._dispatch()
        self._pass_time()
        for test in (asking, decided):
            test._decide()
        self.env.flush_all()
        tests = draft | self.test | asking | decided
        self.assertEqual(
            tests.mapped("state"), ["draft", "running", "undecided", "decided"]
        )
        return tests
