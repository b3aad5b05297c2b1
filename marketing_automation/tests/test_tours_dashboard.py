import io

from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfReader

from .browser import IS_QUIET, open_browser
from .common import MarketingCase
from .test_accessibility import DESK, PHONE, find_axe, find_violations
from .world import create_recovered_cart

READY = """!!document.querySelector(
    ".o_marketing_dashboard .o_marketing_holdout[data-state], "
    + ".o_marketing_dashboard_empty")"""

PRINT = """[...document.querySelectorAll(".o-dropdown-item")].find(
    (item) => item.textContent.includes("PDF"))"""


@tagged("post_install", "-at_install")
class TestToursDashboard(MarketingCase, HttpCase):
    """The dashboard in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["abandoned.cart"].search([]).unlink()
        cls.env["marketing.sequence"].search([]).holdout_percent = 0

    def _create_carts(self):
        cart = create_recovered_cart(self, "anna.tour@example.com")
        cart.message_ids.sent_at = cart.message_ids.sending_at
        self._abandon(self._create_customer("Bo", "bo@example.com"))
        self.env.flush_all()

    def test_figures(self):
        self._create_carts()
        self.start_tour(
            "/odoo/marketing-dashboard", "marketing_automation_dashboard", login="admin"
        )

    def test_empty(self):
        self.start_tour(
            "/odoo/marketing-dashboard",
            "marketing_automation_dashboard_empty",
            login="admin",
        )

    def test_accessible(self):
        """axe-core finds nothing wrong, on a phone and on a desk, empty and full."""
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        with open_browser(self, "admin") as browser:
            self._assert_accessible(browser, axe)
        self._create_carts()
        with open_browser(self, "admin") as browser:
            self._assert_accessible(browser, axe)

    def test_printed(self):
        """On paper there is all of it, and not what only a screen is for."""
        self._create_carts()
        with open_browser(self, "admin") as browser:
            browser.resize(DESK)
            browser.go("/odoo/marketing-dashboard?period=last_7", READY)
            browser.evaluate(IS_QUIET)
            browser.evaluate("window.print = () => { window.isPrinted = true; }")
            browser.evaluate("document.querySelector('.o_marketing_export').click()")
            browser.wait_for(f"!!{PRINT}")
            browser.evaluate(f"{PRINT}.click()")
            browser.wait_for("window.isPrinted === true")
            printed = PdfReader(io.BytesIO(browser.pdf()))
        text = " ".join(page.extract_text() for page in printed.pages)
        self.assertIn(f"Recovery · {self.env.company.name}", text)
        self.assertIn("Which messages earn most", text)
        self.assertIn("Days begin at midnight", text)
        self.assertNotIn("Export", text)
        self.assertNotIn("Last 7 days", text)
        self.assertLessEqual(len(printed.pages), 3)

    def _assert_accessible(self, browser, axe):
        for width in (PHONE, DESK):
            browser.resize(width)
            browser.go("/odoo/marketing-dashboard", READY)
            browser.evaluate(IS_QUIET)
            violations = find_violations(browser, axe, ".o_marketing_dashboard")
            with self.subTest(width=width):
                self.assertEqual(violations, [])
                self.assertTrue(
                    browser.evaluate(
                        "document.documentElement.scrollWidth <= window.innerWidth"
                    )
                )
