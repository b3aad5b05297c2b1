from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.delivery.message_tests import MAX_TESTS_AN_HOUR
from .common import MarketingCase
from .world import GROUP_MANAGER, GROUP_USER


@tagged("post_install", "-at_install")
class TestMessageTests(MarketingCase):
    """Tests go to those who work here, a few an hour, and no consent is asked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "shop@ourshop.example"
        cls.manager = cls._create_user("boss@ourshop.example")
        cls.template = cls._create_contact_template(company_id=cls.company.id)

    @classmethod
    def _create_user(cls, login, groups=GROUP_MANAGER, **vals):
        vals.setdefault("email", login)
        return new_test_user(
            cls.env, login, groups=groups, phone="+32456001122", **vals
        )

    def _send(self, user, template=None):
        """Return the messages of a test of a template."""
        messages = self.env["marketing.message"]
        before = messages.search([], order="id desc", limit=1).id or 0
        (template or self.template).with_user(user).action_send_test()
        return messages.search([("id", ">", before)])

    def _send_campaign(self, user, partners, channel="email", template=None):
        campaign = self.env["email.campaign"].create(
            {
                "name": "C",
                "channel": channel,
                "company_id": self.company.id,
                "template_id": (template or self.template).id,
            }
        )
        dialog = self.env["email.campaign.test"].with_user(user)
        dialog = dialog.create(
            {"campaign_id": campaign.id, "partner_ids": [Command.set(partners.ids)]}
        )
        dialog.action_send()
        return self.env["marketing.message"].search([("campaign_id", "=", campaign.id)])

    def test_a_user_sends_none(self):
        user = self._create_user("reader@ourshop.example", GROUP_USER)
        with self.assertRaises(AccessError):
            self._send(user)

    def test_a_manager_sends_to_the_address_of_the_login(self):
        self.assertEqual(
            self._send(self.manager).mapped("email_normalized"), [self.manager.login]
        )
        other = self._create_user("me@elsewhere.example")
        self.assertEqual(
            self._send(other).mapped("email_normalized"), ["me@elsewhere.example"]
        )
        # A shared template is not theirs to change, but to look at.
        self.env["res.company"].create({"name": "Company C"})
        shared = self._create_contact_template()
        self.assertFalse(self.manager.marketing_edits_shared)
        self.assertEqual(len(self._send(self.manager, shared)), 1)

    def test_an_address_of_somebody_else_gets_nothing(self):
        """Everybody may write what they like into their own contact."""
        for address in ("victim@elsewhere.example", "victim@gmail.com"):
            self.manager.with_user(self.manager).email = address
            for company in ("shop@ourshop.example", "shop@gmail.com"):
                self.company.email = company
                with (
                    self.subTest(address=address, company=company),
                    self.assertRaisesRegex(UserError, "people who work here"),
                ):
                    self._send(self.manager)
        self.manager.with_user(self.manager).email = "office@ourshop.example"
        self.company.email = "shop@ourshop.example"
        self.assertEqual(len(self._send(self.manager)), 1)

    def test_an_administrator_has_whatever_address(self):
        admin = self._create_user(
            "admin2", f"{GROUP_MANAGER},base.group_system", email="owner@gmail.com"
        )
        self.assertEqual(
            self._send(admin).mapped("email_normalized"), ["owner@gmail.com"]
        )

    def test_campaigns_are_tested_on_colleagues(self):
        colleague = self._create_user("colleague@ourshop.example", GROUP_USER)
        mailbox = self._create_customer("Office", "office@ourshop.example")
        for partners in (
            self.customer,
            colleague.partner_id | self.customer,
            self._create_customer("Public", "public@example.com"),
        ):
            with self.assertRaisesRegex(UserError, "people who work here"):
                self._send_campaign(self.manager, partners)
        messages = self._send_campaign(
            self.manager, colleague.partner_id | mailbox | self.manager.partner_id
        )
        self.assertEqual(len(messages), 3)

    def test_text_messages_go_to_the_telephones_of_users(self):
        template = self.env["marketing.template"].create(
            {
                "name": "SMS",
                "channel": "sms",
                "context": "contact",
                "company_id": self.company.id,
                "body_sms": "Hello {{ customer.first_name }}",
            }
        )
        stranger = self._create_customer(
            "S",
            "s@ourshop.example",
            phone="+32456001133",
            country_id=self.env.ref("base.be").id,
        )
        self.manager.partner_id.country_id = self.env.ref("base.be")
        with self.assertRaisesRegex(UserError, "people who work here"):
            self._send_campaign(self.manager, stranger, "sms", template)
        messages = self._send_campaign(
            self.manager, self.manager.partner_id, "sms", template
        )
        self.assertEqual(messages.mapped("channel"), ["sms"])

    def test_so_many_an_hour(self):
        """One count for templates and campaigns, of each user."""
        other = self._create_user("other@ourshop.example")
        for _number in range(MAX_TESTS_AN_HOUR - 2):
            self._send(self.manager)
        with self.assertRaisesRegex(UserError, "within an hour"):
            self._send_campaign(
                self.manager,
                self.manager.partner_id
                | other.partner_id
                | self._create_user("third@ourshop.example").partner_id,
            )
        self._send_campaign(self.manager, self.manager.partner_id | other.partner_id)
        with self.assertRaisesRegex(UserError, "within an hour"):
            self._send(self.manager)
        self.assertEqual(len(self._send(other)), 1)
        self.env.cr.execute(
            "UPDATE marketing_message SET create_date = create_date - interval '61 min'"
        )
        self.env.invalidate_all()
        with mute_logger("odoo.sql_db"):
            self.assertEqual(len(self._send(self.manager)), 1)
