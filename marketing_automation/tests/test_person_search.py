from unittest.mock import patch

from odoo.tests import tagged

from .. import models as addon_models
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestPersonSearch(MarketingCase):
    """Whoever is looked for in messages, decisions and enrollments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.joanna = cls._create_customer("Kovács Johanna", "joanna@sub.example.com")
        cls.cart = cls._abandon(cls.joanna)
        cls._process_steps()
        cls.stranger = cls.env["marketing.message"].create(
            {
                "channel": "email",
                "dedupe_key": "person-search",
                "company_id": cls.company.id,
                "email": "Guest_1@example.org",
                "email_normalized": "guest_1@example.org",
            }
        )

    def _find(self, model, text):
        return self.env[model].search([("person", "ilike", text)])

    def _assert_finds(self, text):
        for model in (
            "marketing.message",
            "marketing.decision",
            "marketing.enrollment",
        ):
            with self.subTest(model=model, text=text):
                self.assertIn(self.joanna, self._find(model, text).partner_id)
                self.assertNotIn(self.customer, self._find(model, text).partner_id)

    def test_parts_of_names_and_addresses_of_contacts(self):
        for text in ("Johanna", "kovács", "joanna@sub", "sub.example", " Joanna "):
            self._assert_finds(text)

    def test_many_contacts_of_that_name(self):
        with patch.object(addon_models.person_search, "MANY_CONTACTS", 0):
            self._assert_finds("Johanna")

    def test_who_is_no_contact(self):
        messages, decisions = "marketing.message", "marketing.decision"
        for text in ("guest_1@example.org", "GUEST_1", "guest"):
            self.assertIn(self.stranger, self._find(messages, text))
            self.assertIn(self.stranger, self._find(decisions, text).message_id)
        self.assertNotIn(self.stranger, self._find(messages, "guestx1"))
        self.assertNotIn(self.stranger, self._find(messages, "nobody@example.org"))

    def test_numbers(self):
        self.stranger.write({"channel": "sms", "phone_sanitized": "+36301234567"})
        self.env.flush_all()
        for text in ("+36 30 123", "0036301234567", "36301"):
            with self.subTest(text=text):
                self.assertIn(self.stranger, self._find("marketing.message", text))
                found = self._find("marketing.decision", text)
                self.assertIn(self.stranger, found.message_id)

    def test_decisions_are_named_by_their_person(self):
        names = dict(self.env["marketing.decision"].name_search("guest_1"))
        self.assertIn("Guest_1@example.org", names.values())
