from odoo.tests import tagged

from .test_checkout_consent import ConsentCase


@tagged("post_install", "-at_install")
class TestToursCheckout(ConsentCase):
    """Who is asked for consent without entering an address, in a real browser."""

    def test_checkout_consent(self):
        user = self._create_account()
        # The last cart of a customer is found again when they log in.
        self._create_cart(user.partner_id)
        self.start_tour(
            "/shop/cart", "marketing_automation.checkout_consent", login="zoe"
        )
        self.env.invalidate_all()
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
        self.assertIn("Remind me by email", self._log().text_id.text)
        self.assertFalse(self._requests())

    def test_checkout_goes_on(self):
        """Whoever ticks a box and goes on meant it, too."""
        user = self._create_account()
        self._create_cart(user.partner_id)
        self.start_tour(
            "/shop/cart", "marketing_automation.checkout_goes_on", login="zoe"
        )
        self.env.invalidate_all()
        self.assertEqual(self._said(), {"cart": ("given", "checkout")})
