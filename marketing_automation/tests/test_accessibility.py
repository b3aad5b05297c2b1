import json
import os
from pathlib import Path

from odoo.tests import tagged

from .browser import open_browser
from .test_checkout_consent import ConsentCase

# WCAG 2.1, levels A and AA.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PHONE, DESK = 360, 1280
# What the page says of whatever has the focus.
FOCUSED = """(() => {
    const el = document.activeElement;
    const style = getComputedStyle(el);
    return {
        name: el.id || el.value || el.textContent.trim(),
        inside: !!el.closest("#wrap"),
        visible: style.outlineStyle !== "none" || style.boxShadow !== "none",
    };
})()"""

# Fulfilled when the page has been laid out and drawn again.
IS_DRAWN = """new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""


def find_axe():
    """Return the file of axe-core, None where it is not installed.

    :rtype: pathlib.Path | None
    """
    modules = os.environ.get("MARKETING_AUTOMATION_NODE_MODULES", "")
    return Path(modules, "axe-core", "axe.min.js") if modules else None


def find_violations(browser, axe, within):
    """Return what axe-core finds wrong on a page, and where.

    :param Browser browser: on the page
    :param pathlib.Path axe: see :func:`find_axe`
    :param str within: selector of the part that is looked at, without its frames
    :return: pairs of the name of a rule and pieces of HTML
    :rtype: list
    """
    browser.evaluate(axe.read_text(encoding="utf-8"))
    # Fonts of other hosts, which it would load again, there are none in tests.
    options = {"runOnly": {"type": "tag", "values": TAGS}}
    options |= {"preload": False, "iframes": False}
    return browser.evaluate(
        f"""axe.run({json.dumps(within)}, {json.dumps(options)}).then((result) =>
            result.violations.map((rule) => [
                rule.id, rule.nodes.map((node) => node.html)]))"""
    )


# What Odoo draws around and in every form: labels on phones, fields that are chosen
# from a list, tags, pages of a notebook, boxes to tick in a list.
ODOOS_OWN = (
    'class="o_form_label',
    'class="form-check-label o_form_label',
    "o-dropdown dropdown-toggle",
    "o_select_menu_input",
    "o-autocomplete--input",
    'class="o_tag ',
    'class="nav-link',
    'id="boolean_checkbox"',
)


def find_own_violations(browser, axe, within):
    """Return what axe-core finds wrong on a form, but for what Odoo draws.

    Parameters and result are those of :func:`find_violations`.
    """
    found = (
        (rule, [node for node in nodes if not any(own in node for own in ODOOS_OWN)])
        for rule, nodes in find_violations(browser, axe, within)
    )
    return [(rule, nodes) for rule, nodes in found if nodes]


@tagged("post_install", "-at_install")
class TestAccessibility(ConsentCase):
    """Everybody can use the pages: checked by axe-core, and with a keyboard alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.axe = find_axe()

    def setUp(self):
        super().setUp()
        self.asked = self._request()
        self.message = self.asked.message_ids

    def _assert_accessible(
        self, browser, path, within="#wrap", rules=(), contrast=True
    ):
        """axe-core finds nothing wrong, and has looked at these rules.

        :param bool contrast: whether it can tell the colours there
        """
        if not self.axe:
            self.skipTest("tools/test runs this, with axe-core")
        browser.open(path, PHONE)
        browser.evaluate(self.axe.read_text(encoding="utf-8"))
        for width in (PHONE, DESK):
            browser.resize(width)
            browser.evaluate(IS_DRAWN)
            # Fonts of other hosts, which it would load again, there are none in tests.
            options = json.dumps(
                {"runOnly": {"type": "tag", "values": TAGS}, "preload": False}
            )
            result = browser.evaluate(
                f"""axe.run({within!r}, {options}).then((result) => ({{
                    violations: result.violations.map((rule) => [
                        rule.id,
                        rule.nodes.map((node) => node.html + node.failureSummary),
                    ]),
                    passes: result.passes.map((rule) => rule.id),
                }}))"""
            )
            with self.subTest(path=path, width=width):
                self.assertEqual(result["violations"], [])
                seen = {"color-contrast", *rules} if contrast else {*rules}
                self.assertLessEqual(seen, {*result["passes"]})
                # Nothing has to be scrolled sideways (WCAG 1.4.10).
                self.assertTrue(
                    browser.evaluate(
                        "document.documentElement.scrollWidth <= window.innerWidth"
                    )
                )

    def test_personal_pages(self):
        self.website.language_ids += self.env["res.lang"]._activate_lang("fr_FR")
        self.message.partner_id = self._create_customer(
            "Zoe", self.address, phone="+32470123456"
        )
        token, confirm = self.message.token, self.asked._get_confirm_path()
        check = self._assert_accessible
        preferences = f"/marketing/preferences/{token}"
        with open_browser(self) as browser:
            check(browser, preferences, rules=["label", "select-name", "button-name"])
            check(browser, f"/marketing/unsubscribe/{token}", rules=["button-name"])
            check(browser, "/marketing/preferences/unknown")
            check(browser, confirm, rules=["button-name"])
        # Nothing is written while a browser asks for something.
        self.asked._confirm()
        self.company.consent_policy = "soft_opt_in"
        self.env["mail.blacklist"]._add(self.address)
        with open_browser(self) as browser:
            check(browser, confirm)
            check(browser, preferences, rules=["label"])

    def test_boxes(self):
        settings = self.env["res.config.settings"]
        settings.create({"auth_signup_uninvited": "b2c"}).execute()
        for policy in ("opt_in", "soft_opt_in"):
            self.company.consent_policy = policy
            self._check_boxes()

    def _check_boxes(self):
        with open_browser(self) as browser:
            browser.open("/shop")
            product = {
                "product_template_id": self.product.product_tmpl_id.id,
                "product_id": self.product.id,
                "quantity": 1,
            }
            browser.evaluate(
                f"""fetch("/shop/cart/add", {{
                    method: "POST",
                    headers: {{"Content-Type": "application/json"}},
                    body: JSON.stringify({{
                        jsonrpc: "2.0", params: {json.dumps(product)},
                    }}),
                }}).then((answer) => answer.text())"""
            )
            for path in ("/shop/address", "/web/signup"):
                self._assert_accessible(
                    browser, path, ".o_marketing_consent", ["label"]
                )

    def test_boxes_of_customers_with_a_known_address(self):
        """Before the payment, and after the order for whoever did not answer there."""
        self._create_cart(self._create_account().partner_id)
        with open_browser(self, "zoe") as browser:
            for path in ("/shop/checkout", "/shop/confirmation"):
                # Odoo greys out the steps and the button that come later.
                self._assert_accessible(
                    browser,
                    path,
                    "form[action='/shop/consent']",
                    ["label", "button-name"],
                )

    def test_greeting(self):
        step = self.sequence.step_ids[0]
        step.write(
            {
                "coupon_use": "new",
                "coupon_id": self.env.ref("marketing_automation.coupon_10_percent").id,
            }
        )
        cart = self._abandon()
        self._process_steps()
        self.env["marketing.coupon"]._issue_for(cart.message_ids)
        with open_browser(self) as browser:
            browser.open(cart._get_recovery_path())
            self._assert_accessible(
                browser,
                "/shop",
                ".o_marketing_greeting",
                ["button-name", "link-name"],
                # It takes the texts for overlapped, though nothing lies above them.
                contrast=False,
            )
            colours = browser.evaluate(
                """(() => {
                    const box = document.querySelector(".o_marketing_greeting > div");
                    const style = getComputedStyle(box);
                    return [style.color, style.backgroundColor];
                })()"""
            )
            # The page's own text on its own ground.
            self.assertEqual(colours, ["rgb(33, 37, 41)", "rgb(255, 255, 255)"])

    # === KEYBOARD ===#

    def _tab_into_page(self, browser):
        """Press Tab until something of the page itself has the focus."""
        for _try in range(60):
            browser.press("Tab")
            if browser.evaluate(FOCUSED)["inside"]:
                return
        self.fail("The page cannot be reached with the keyboard.")

    def _tab_to(self, browser, name):
        """Press Tab until this has the focus; return what had it on the way."""
        passed = []
        for _try in range(30):
            focused = browser.evaluate(FOCUSED)
            self.assertTrue(focused["visible"], focused)
            passed.append(focused["name"])
            if focused["name"] == name:
                return passed
            browser.press("Tab")
        self.fail(f"{name} cannot be reached: {passed}")

    def test_preferences_with_a_keyboard(self):
        """In a browser that runs no scripts."""
        with open_browser(self, has_scripts=False) as browser:
            browser.open(f"/marketing/preferences/{self.message.token}")
            self._tab_into_page(browser)
            order = self._tab_to(browser, "unsubscribe")
            self.assertEqual(
                order,
                [
                    "choice_email_newsletter",
                    "choice_email_offers",
                    "choice_email_cart",
                    "choice_email_product_updates",
                    "choice_email_back_in_stock",
                    "frequency_normal",
                    "pause",
                    "save",
                    "unsubscribe",
                ],
            )
            browser.press("Tab", times=8, shift=True)
            self.assertEqual(
                browser.evaluate(FOCUSED)["name"], "choice_email_newsletter"
            )
            browser.press(" ")
            self._tab_to(browser, "frequency_normal")
            browser.press("ArrowDown")
            self._tab_to(browser, "save")
            browser.press("Enter")
            browser.wait_for("!!document.querySelector('#wrap .alert-success')")
        self.env.invalidate_all()
        self.assertEqual(self._said(), {"newsletter": ("given", "preference_page")})
        recipient = self.env["marketing.recipient"].search(
            [("address", "=", self.address)]
        )
        self.assertEqual(recipient.frequency, "weekly")

    def test_confirming_with_a_keyboard(self):
        with open_browser(self, has_scripts=False) as browser:
            browser.open(self.asked._get_confirm_path())
            self._tab_into_page(browser)
            self.assertEqual(self._tab_to(browser, "confirm"), ["confirm"])
            browser.press("Enter")
            browser.wait_for("document.body.innerText.includes('Thank you')")
        self.env.invalidate_all()
        self.assertEqual(self.asked.state, "confirmed")
