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

    def test_record_consent(self):
        contact = self._create_customer(
            "Tess Tour",
            EMAIL,
            phone="+32 456 11 22 33",
            country_id=self.env.ref("base.be").id,
        )
        self.start_tour(
            f"/odoo/res.partner/{contact.id}",
            "marketing_automation_record_consent",
            login="admin",
        )
        preference = self.env["marketing.preference"].search(
            [("address", "in", [EMAIL, contact.phone_sanitized])]
        )
        self.assertEqual(preference.mapped("address"), [contact.phone_sanitized])
        self.assertEqual(
            (preference.channel, preference.purpose), ("sms", "newsletter")
        )
        self.assertEqual((preference.state, preference.source), ("given", "staff"))
        self.assertIn("Called on Monday (entered by", self._find_proof(contact))

    def _find_proof(self, contact):
        digests = self.env["marketing.suppression"]._hash([contact.phone_sanitized])
        [line] = self.env["marketing.consent.log"].search(
            [("address_hash", "in", digests)]
        )
        return line.text_id.text
