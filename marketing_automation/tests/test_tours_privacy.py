from odoo.tests import HttpCase, tagged

from .common import MarketingCase
from .privacy_common import find_traces

EMAIL = "tess.tour@example.com"


@tagged("post_install", "-at_install")
class TestToursPrivacy(MarketingCase, HttpCase):
    """What one person says or asks for, as staff answers it in a real browser."""

    def test_privacy_request(self):
        guest = self._create_customer("Tess Tour", EMAIL)
        cart = self._abandon(guest)
        self._process_steps()
        message = cart.message_ids
        self.assertEqual((cart.email, message.email), (EMAIL, EMAIL))
        self.start_tour(
            "/odoo/marketing-segments",
            "marketing_automation_privacy_request",
            login="admin",
        )
        self.env.invalidate_all()
        self.assertFalse(cart.email)
        self.assertFalse(message.email)
        self.assertFalse(guest.exists())
        # Among the files is the tour itself, which types the address.
        self.assertEqual(find_traces(self.env, EMAIL) - {"filestore"}, set())
        suppressions = self.env["marketing.suppression"]
        self.assertTrue(
            suppressions.search([("address_hash", "in", suppressions._hash([EMAIL]))])
        )
