import re

from odoo.tests import HttpCase, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestOdoosReminder(MarketingCase, HttpCase):
    """Odoo's own reminder, sent by hand from an order, still leads back to the cart."""

    def test_resume_order(self):
        """What Odoo's tour `shop_cart_recovery` does, without the mail composer."""
        self.product.name = "Acoustic Bloc Screens"
        order = self._create_cart(self.env.ref("base.user_admin").partner_id)
        action = order.action_recovery_email_send()
        template = self.env["mail.template"].browse(
            action["context"]["default_template_id"]
        )
        self.assertEqual(
            template, self.env.ref("website_sale.mail_template_sale_cart_recovery")
        )
        order._portal_ensure_token()
        body = template._render_field("body_html", order.ids)[order.id]
        [link] = set(re.findall(r'href="([^"]+/shop/cart\?[^"]+)"', body))
        self.assertIn(f"access_token={order.access_token}", link)
        # In a browser that has no cart: it may take the order over.
        path = link[link.index("/shop/cart") :].replace("&amp;", "&")
        page = self.url_open(path).text
        self.assertIn("This is your current cart", page)
        self.assertNotIn("Acoustic Bloc Screens", page)
        restored = self.url_open(f"{path}&revive_method=squash").text
        self.assertIn("Acoustic Bloc Screens", restored)
        self.assertEqual(order.state, "draft")
