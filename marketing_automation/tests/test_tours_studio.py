from markupsafe import Markup

from odoo.tests import HttpCase, tagged

from ..models.content.template_designer import STARTER
from ..tools import designer
from .browser import IS_QUIET, open_browser
from .common import MarketingCase
from .test_accessibility import DESK, PHONE, find_axe, find_own_violations

READY = """!!document.querySelector(
    ".o_marketing_template_preview[data-state=ready] .o_marketing_checks")"""

BLOCKS_WITH_OPTIONS = ("button", "condition")

DESIGN = STARTER % Markup("<h1>Hello</h1>")
EDITOR = '.o_field_widget[name=editor] input[data-value="%s"]'
IN_DESIGNER = """!!document.querySelector(
    ".o_field_mass_mailing_html iframe")?.contentDocument?.querySelector("h1")"""
IN_CODE = """!!document.querySelector(
    ".o_field_widget[name=body_html] .ace_editor")?.textContent.includes("design")"""
IS_SAVED = "!!document.querySelector('.o_form_status_indicator_buttons.invisible')"
# Puts other words into the title of the design, as if they were typed.
TYPE = """(() => {
    const frame = document.querySelector(".o_field_mass_mailing_html iframe");
    const page = frame.contentDocument;
    const title = page.querySelector("h1");
    frame.contentWindow.focus();
    title.closest("[contenteditable=true]")?.focus();
    page.getSelection().selectAllChildren(title);
    return page.execCommand("insertText", false, "Good day");
})()"""


@tagged("post_install", "-at_install")
class TestToursStudio(MarketingCase, HttpCase):
    """The screen of a template in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls._create_contact_template(name="Studio news")

    def _get_url(self):
        return f"/odoo/marketing-templates/{self.template.id}"

    def test_preview(self):
        self._create_customer("Zita Tour", "zita@example.com")
        self.start_tour(self._get_url(), "marketing_automation_studio", login="admin")
        self.env.invalidate_all()
        self.assertEqual(self.template.subject, "Zita or {{ customer.first_name }}")

    def test_insert(self):
        with self.assertLogs("odoo.http", "WARNING") as logs:
            self.start_tour(
                self._get_url(), "marketing_automation_studio_insert", login="admin"
            )
        # What was left out on purpose, and nothing else.
        [log] = logs.output
        self.assertIn("Label is missing", log)
        self.env.invalidate_all()
        self.assertIn('{{ button("To the shop", shop.url) }}', self.template.body_html)
        self.assertIn("{{ customer.name }}", self.template.body_html)

    def test_accessible(self):
        """axe-core finds nothing wrong, on a phone and on a desk."""
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        with open_browser(self, "admin") as browser:
            for width in (PHONE, DESK):
                browser.resize(width)
                browser.go(self._get_url(), READY)
                browser.evaluate(IS_QUIET)
                with self.subTest(width=width):
                    self._assert_accessible(browser, axe, ".o_form_renderer")

    def test_text_message_is_accessible(self):
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        self.template = self._create_contact_template(channel="sms", body_sms="Hi")
        with open_browser(self, "admin") as browser:
            for width in (PHONE, DESK):
                browser.resize(width)
                browser.go(self._get_url(), READY)
                browser.evaluate(IS_QUIET)
                with self.subTest(width=width):
                    self._assert_accessible(browser, axe, ".o_form_renderer")

    def test_picker_is_accessible(self):
        axe = find_axe()
        if not axe:
            self.skipTest("tools/test runs this, with axe-core")
        with open_browser(self, "admin") as browser:
            browser.resize(PHONE)
            browser.go(self._get_url(), READY)
            browser.evaluate(IS_QUIET)
            self._click(browser, ".o_widget_marketing_template_insert button")
            browser.wait_for("!!document.querySelector('.modal [role=option]')")
            self._assert_accessible(browser, axe, ".o_marketing_insert .modal-body")
            for block in BLOCKS_WITH_OPTIONS:
                self._click(browser, f".modal [data-entry={block}]")
                browser.wait_for("!!document.querySelector('.modal [data-option]')")
                self._assert_accessible(browser, axe, ".o_marketing_insert .modal-body")
                self._click(browser, ".modal .modal-footer .btn-secondary")
                browser.wait_for("!!document.querySelector('.modal [role=option]')")

    def test_designer(self):
        """From the code to the designer and back: what was typed there is in it."""
        user = self.env.ref("base.user_admin")
        user.group_ids |= self.env.ref("mass_mailing.group_mass_mailing_user")
        self.template.write(
            {
                "category": "transactional",
                "body_design": DESIGN,
                "design_html": DESIGN,
                "body_html": designer.to_source(DESIGN),
            }
        )
        self.env.flush_all()
        # Odoo's tours wait for ever when its designer saves; a browser does not.
        with open_browser(self, "admin") as browser:
            browser.resize(DESK)
            browser.go(self._get_url(), READY)
            self._click(browser, EDITOR % "designer")
            browser.wait_for(IN_DESIGNER)
            browser.evaluate(IS_QUIET)
            self.assertTrue(browser.evaluate(TYPE))
            self._save(browser)
            self._click(browser, EDITOR % "code")
            browser.wait_for(IN_CODE)
            self._save(browser)
        self.env.invalidate_all()
        self.assertEqual(self.template.editor, "code")
        self.assertIn("Good day", self.template.body_design)
        self.assertIn("Good day", self.template.body_html)
        self.assertFalse(self.template._get_lost_lines())

    def _save(self, browser):
        self._click(browser, ".o_form_button_save")
        browser.wait_for(IS_SAVED)
        browser.evaluate(IS_QUIET)

    def _click(self, browser, selector):
        browser.evaluate(f"document.querySelector('{selector}').click()")

    def _assert_accessible(self, browser, axe, within):
        self.assertEqual(find_own_violations(browser, axe, within), [])
