from odoo.tests import tagged

from .browser import IS_QUIET, open_browser
from .checkout_common import CheckoutCase

ADD = """fetch("/shop/cart/add", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({jsonrpc: "2.0", method: "call", params: %s}),
}).then((answer) => answer.status)"""
IS_PERSON = "document.cookie.includes('cart_person=1')"


@tagged("post_install", "-at_install")
class TestCheckoutBrowser(CheckoutCase):
    """What a browser tells the shop of the person in front of it, by real keys."""

    def _add_in(self, browser):
        params = (
            f'{{"product_template_id": {self.product.product_tmpl_id.id}, '
            f'"product_id": {self.product.id}, "quantity": 1}}'
        )
        self.assertEqual(browser.evaluate(ADD % params), 200)
        self.env.invalidate_all()
        return self._last_order()

    def test_a_key_tells_a_person(self):
        with open_browser(self) as browser:
            browser.open("/shop")
            self.assertFalse(browser.evaluate(IS_PERSON))
            browser.evaluate("""for (const name of ["keydown", "pointermove"]) {
                document.body.dispatchEvent(new Event(name, {bubbles: true}));
            }""")
            self.assertFalse(browser.evaluate(IS_PERSON), "a script pressed that key")
            order = self._add_in(browser)
            self.assertFalse(order.human_signal)
            browser.press("Tab")
            self.assertTrue(browser.evaluate(IS_PERSON))
            self._add_in(browser)
        self.env.invalidate_all()
        self.assertEqual(order.human_signal, "event")
        self.assertEqual(order.visitor_signals[-1], "website")

    def test_typed_and_emptied(self):
        self.website.capture_typed_contact = True
        with open_browser(self) as browser:
            browser.open("/shop")
            order = self._add_in(browser)
            browser.open("/shop/address")
            self.assertEqual(
                browser.evaluate(
                    """document.getElementById(document.querySelector(
                        "input[name='email']").getAttribute("aria-describedby"))
                        .offsetHeight > 0"""
                ),
                True,
                "the notice is seen where the address is typed",
            )
            self._type_in(browser, "email", "gina@exam")
            self.assertFalse(order.typed_email, "no address yet")
            self._type_in(browser, "email", "ple.com")
            self.assertEqual(order.typed_email_normalized, "gina@example.com")
            self._type_in(browser, "phone", "+32 2 290 34 90")
            self.assertEqual(order.typed_phone, "+3222903490")
            browser.evaluate("document.querySelector('input[name=email]').select()")
            browser.press("Backspace")
            self._leave_field(browser)
            self.assertFalse(order.typed_email or order.typed_email_normalized)
            self.assertTrue(order.typed_phone)

    def _type_in(self, browser, name, text):
        """Type at the end of a field, and go on to the next one."""
        browser.evaluate(f"document.querySelector('input[name={name}]').focus()")
        browser._send("Input.insertText", text=text)
        self._leave_field(browser)

    def _leave_field(self, browser):
        browser.press("Tab")
        browser.evaluate(IS_QUIET)
        self.env.invalidate_all()
