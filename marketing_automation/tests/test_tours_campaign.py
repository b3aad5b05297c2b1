from datetime import datetime

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..models.campaign.campaign_builder import STEPS
from .browser import IS_QUIET, open_browser
from .campaign_common import CampaignCase
from .test_accessibility import DESK, PHONE, find_axe, find_own_violations


@tagged("post_install", "-at_install")
class TestToursCampaign(CampaignCase, HttpCase):
    """Campaigns as the shop's people make them, in a real browser."""

    def test_build(self):
        self.env["mail.blacklist"]._add("person1@example.com")
        self.start_tour(
            "/odoo/marketing-campaigns",
            "marketing_automation_campaign_build",
            login="admin",
        )
        campaign = self.env["email.campaign"].search([("name", "=", "Tour campaign")])
        self.assertEqual(campaign.state, "scheduled")
        self.assertEqual(campaign.subject, "A subject of its own")
        self.assertEqual(campaign.scheduled_at.year, 2040)
        self.assertEqual(campaign.spread_hours, 2)

    def test_series(self):
        """A sequence for contacts is written, and a campaign hands people over."""
        self.template.name = "News"
        self.start_tour(
            "/odoo/marketing-contact-sequences",
            "marketing_automation_contact_sequence",
            login="admin",
        )
        made = self.env["marketing.sequence"].search([("name", "=", "Tour welcome")])
        self.assertEqual((made.kind, len(made.step_ids)), ("contact", 2))
        self.assertEqual(made.step_ids[1].condition_ids.kind, "not_clicked")
        series = self._create_series(self.template, self.template)
        series.name = "Onboarding"
        self.start_tour(
            "/odoo/marketing-campaigns",
            "marketing_automation_campaign_series",
            login="admin",
        )
        campaign = self.env["email.campaign"].search([("name", "=", "Tour series")])
        self.assertEqual(campaign.sequence_id, series)
        self._run_cron("ir_cron_campaigns")
        self.assertEqual(campaign.run_count, 6)

    def test_control(self):
        self._start()
        self.start_tour(
            f"/odoo/marketing-campaigns/{self.campaign.id}",
            "marketing_automation_campaign_control",
            login="admin",
        )
        self.env.invalidate_all()
        self.assertEqual(self.campaign.state, "running")
        self.assertEqual(self.campaign.spread_hours, 3)

    def test_calendar(self):
        day = datetime(fields.Date.today().year + 1, 5, 25, 12)
        self.campaign.write({"is_at_once": False, "scheduled_at": day})
        # The month that is shown first would be that of today.
        self.env.ref("marketing_automation.action_email_campaign").context = str(
            {"initial_date": f"{day:%Y-%m}-10 12:00:00"}
        )
        target = f'.fc-day[data-date="{day:%Y-%m}-15"]'
        with open_browser(self, "admin") as browser:
            browser.resize(DESK)
            browser.go(
                "/odoo/marketing-campaigns?view_type=calendar",
                "!!document.querySelector('.fc-event')",
            )
            browser.evaluate(IS_QUIET)
            browser.drag(".fc-event", target)
            browser.wait_for(f"!!document.querySelector('{target} .fc-event')")
            browser.evaluate(IS_QUIET)
        self.env.invalidate_all()
        self.assertEqual(self.campaign.scheduled_at.day, 15)

    def test_accessible(self):
        """axe-core finds nothing wrong, in the builder and on the page."""
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        draft = self._create_campaign(builder_step="review")
        series = self._start_series()
        self._start()
        self._dispatch()
        self._click(self.campaign.message_ids[0])
        self.campaign.action_refresh_figures()
        self.env.flush_all()
        with open_browser(self, "admin") as browser:
            for campaign, ready in (
                (draft, ".o_marketing_campaign_review"),
                (self.campaign, ".o_marketing_campaign_curve"),
                (series, ".o_marketing_campaign_series dl"),
            ):
                for width in (PHONE, DESK):
                    self._assert_accessible(browser, axe, campaign, ready, width)

    def test_builder_is_accessible(self):
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        drafts = [self._create_campaign(builder_step=step, name=step) for step in STEPS]
        self.env.flush_all()
        with open_browser(self, "admin") as browser:
            for draft in drafts:
                for width in (PHONE, DESK):
                    self._assert_accessible(
                        browser,
                        axe,
                        draft,
                        ".o_form_renderer .o_field_widget[name=name]",
                        width,
                        ".o_form_renderer",
                    )

    def _start_series(self):
        sequence = self._create_series(self.template, self.template)
        campaign = self._create_campaign(sends="sequence", sequence_id=sequence.id)
        self._start(campaign)
        return campaign

    def _assert_accessible(
        self, browser, axe, campaign, ready, width, within=".o_field_html"
    ):
        browser.resize(width)
        browser.go(
            f"/odoo/marketing-campaigns/{campaign.id}",
            f"!!document.querySelector('{ready}')",
        )
        browser.evaluate(IS_QUIET)
        violations = find_own_violations(browser, axe, within)
        with self.subTest(campaign=campaign.name, width=width):
            self.assertEqual(violations, [])
