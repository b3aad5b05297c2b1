"""Nothing leaves for who is not there any more, or to where they are not any more."""

from odoo.tests import tagged
from odoo.tools import SQL

from .campaign_common import CampaignCase
from .checkout_common import CheckoutCase
from .common import MarketingCase


@tagged("standard", "post_install", "-at_install")
class TestMovedContact(CampaignCase):
    """A campaign is queued; then its recipients change."""

    def setUp(self):
        super().setUp()
        self.campaign.action_confirm()
        self._run_cron("ir_cron_campaigns")
        self.messages = self.campaign.message_ids.sorted("id")

    def _decide(self):
        decisions = self.env["marketing.gate"]._decide(self.messages)
        return [
            decisions[message.id] and decisions[message.id].reason
            for message in self.messages
        ]

    def test_archived_deleted_emptied_corrected(self):
        archived, deleted, emptied, corrected, other, _same = self.people
        archived.active = False
        self.segment.remove_contacts(deleted.ids)
        deleted.unlink()
        emptied.email = False
        corrected.email = "New@Example.com"
        self._give_consent(corrected)
        other.email = "no-consent@example.com"
        self.company.consent_policy = "opt_in"
        self.assertEqual(
            self._decide(),
            ["archived", "contact_deleted", "no_email", None, "no_consent", None],
        )
        self.assertEqual(self.messages[3].email_normalized, "new@example.com")
        self.assertEqual(self.messages[3].email, "New@Example.com")
        words = dict(self.messages._fields["reason"]._description_selection(self.env))
        self.assertEqual(words["archived"], "Contact was archived")
        self.assertEqual(words["contact_deleted"], "Contact was deleted")

    def test_corrected_to_an_address_that_is_blacklisted(self):
        self.env["mail.blacklist"]._add("new@example.com")
        self.people[0].email = "new@example.com"
        self.assertEqual(self._decide()[0], "opted_out")

    def test_corrected_to_the_address_of_another_recipient(self):
        """Each address gets a campaign once."""
        self.people[4].email = self.people[1].email
        self.people[5].email = "new@example.com"
        self.people[3].email = "new@example.com"
        self._give_consent(self.people)
        reasons = self._decide()
        self.assertEqual(reasons, [None, None, None, None, "repeated", "repeated"])

    def test_merged_contacts(self):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            self.people[:2].ids, self.people[0]
        )
        self.assertEqual(self._decide()[:2], [None, "repeated"])

    def test_it_leaves_to_the_new_address(self):
        self.people[0].email = "new@example.com"
        self._give_consent(self.people)
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        self.assertEqual(set(self.messages.mapped("state")), {"sent"})
        self.assertEqual(self.messages[0].recipient, "new@example.com")


@tagged("standard", "post_install", "-at_install")
class TestMovedCustomer(MarketingCase):
    """Between a cart's detection, its messages and the moment they leave."""

    def setUp(self):
        super().setUp()
        self.customer.email = "typo13@exmaple.org"
        self.cart = self._abandon()
        self.assertEqual(self.cart.email_normalized, "typo13@exmaple.org")

    def _queue(self):
        self._shift(self.cart, hours=1)
        self._process_steps()
        return self.cart.message_ids

    def test_corrected_before_the_step(self):
        self.customer.email = "typo13@example.org"
        message = self._queue()
        self.assertEqual(message.email_normalized, "typo13@example.org")
        self.assertEqual(self.cart.email_normalized, "typo13@example.org")
        self.assertEqual(
            self.cart.enrollment_ids.email_normalized, "typo13@example.org"
        )

    def test_corrected_after_it_was_queued(self):
        message = self._queue()
        self.customer.email = "typo13@example.org"
        self.assertEqual(message._skip_blocked(), message)
        self.assertEqual(message.email_normalized, "typo13@example.org")

    def test_corrected_before_a_sequence_began(self):
        self.cart.enrollment_ids.unlink()
        self.customer.email = "typo13@example.org"
        self._detect()
        run = self.cart.enrollment_ids
        self.assertEqual(run.email_normalized, "typo13@example.org")

    def test_emptied(self):
        message = self._queue()
        self.customer.email = False
        self.assertFalse(message._skip_blocked())
        self.assertEqual(message.reason, "no_email")

    def test_emptied_before_the_step(self):
        self.customer.email = False
        self.assertEqual(self._queue().reason, "no_email")

    def test_archived(self):
        message = self._queue()
        self.customer.active = False
        self.assertFalse(message._skip_blocked())
        self.assertEqual(message.reason, "archived")
        self.assertRecordValues(
            self.cart.enrollment_ids, [{"state": "stopped", "stop_reason": "archived"}]
        )

    def test_archived_before_the_step(self):
        self.customer.active = False
        self.assertFalse(self._queue())
        self.assertEqual(self.cart.enrollment_ids.stop_reason, "archived")

    def test_number_that_was_emptied_or_corrected(self):
        self.customer.write(
            {"phone": "+32 470 12 34 56", "country_id": self.env.ref("base.be").id}
        )
        step = self.sequence.step_ids.sorted("sequence")[0]
        template = self.env.ref("marketing_automation.template_cart_sms")
        step.write({"channel": "sms", "template_id": template.id})
        self.company.quiet_hours_sms = False
        message = self._queue()
        self.assertEqual(message.phone_sanitized, "+32470123456")
        self.customer.phone = "+32 470 12 34 57"
        self.assertTrue(message._skip_blocked())
        self.assertEqual(message.phone_sanitized, "+32470123457")
        self.customer.phone = False
        self.assertFalse(message._skip_blocked())
        self.assertEqual(message.reason, "no_phone")

    def test_one_reminder_of_merged_customers(self):
        """Both left a cart and are in the middle of the recovery."""
        other = self._create_customer("Anna S.", "anna2@example.org")
        second = self._abandon(other)
        for cart in (self.cart, second):
            self._shift(cart, hours=1)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer | other).ids, self.customer
        )
        self._process_steps()
        runs = (self.cart | second).enrollment_ids
        self.assertEqual(sorted(runs.mapped("state")), ["active", "stopped"])
        stopped = runs.filtered(lambda run: run.state == "stopped")
        self.assertEqual(stopped.stop_reason, "repeated")
        self.assertEqual(len((self.cart | second).message_ids), 1)

    def test_one_reminder_where_both_were_queued(self):
        other = self._create_customer("Anna S.", "anna2@example.org")
        second = self._abandon(other)
        self._shift(second, hours=1)
        messages = self._queue() | second.message_ids
        self.assertEqual(len(messages), 2)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.customer | other).ids, self.customer
        )
        self.assertEqual(len(messages._skip_blocked()), 1)
        self.assertIn("repeated", messages.mapped("reason"))


@tagged("standard", "post_install", "-at_install")
class TestMovedGuest(CheckoutCase):
    def test_address_corrected_at_checkout(self):
        """What was queued before goes to the address that was typed last."""
        self.website.capture_typed_contact = True
        order = self._add()
        self._type(email="gina@exmaple.com")
        cart = self._leave(order)
        self._shift(cart, hours=1)
        self._process_steps()
        message = cart.message_ids
        self.assertEqual(message.email_normalized, "gina@exmaple.com")
        self._type(email="gina@example.com")
        self._leave(order)
        self.assertEqual(message._skip_blocked(), message)
        self.assertEqual(message.email_normalized, "gina@example.com")

    def test_address_corrected_in_the_form(self):
        order = self._add()
        self._submit_address("gina@exmaple.com")
        cart = self._leave(order)
        self._shift(cart, hours=1)
        self._process_steps()
        message = cart.message_ids
        self._submit_address("gina@example.com", partner_id=order.partner_id.id)
        self.assertEqual(order.partner_id.email_normalized, "gina@example.com")
        self._leave(order)
        self.assertEqual(message._skip_blocked(), message)
        self.assertEqual(message.email_normalized, "gina@example.com")


@tagged("standard", "post_install", "-at_install")
class TestMovedOnTheirWay(CampaignCase):
    """Contacts who are in the middle of a sequence."""

    def setUp(self):
        super().setUp()
        self.sequence = self._create_series(
            self.template, self._create_contact_template(name="Second")
        )
        self.env["marketing.enrollment"]._enroll_contacts(
            self.sequence,
            SQL(
                """SELECT unnest(%s) AS partner_id,
                          now() AT TIME ZONE 'UTC' - interval '1 minute'
                              AS scheduled_at""",
                self.people[:3].ids,
            ),
            self.company,
        )
        self.runs = self.env["marketing.enrollment"].search(
            [("sequence_id", "=", self.sequence.id)], order="id"
        )
        self._process_steps()
        self.messages = self.runs.message_ids.sorted("id")
        self.assertEqual(len(self.messages), 3)

    def test_one_run_of_merged_contacts_goes_on(self):
        one, two, other = self.people[:3]
        self.env["base.partner.merge.automatic.wizard"]._merge((one | two).ids, one)
        waiting = self.messages.filtered(lambda message: message.state == "queued")
        self.assertEqual(len(waiting._skip_blocked()), 2)
        self.assertEqual(
            sorted(self.runs.mapped("state")), ["active", "active", "stopped"]
        )
        self.runs.exists().filtered("next_at").next_at = "2020-01-01 00:00:00"
        self.env.flush_all()
        self._process_steps()
        second = self.env["marketing.message"].search(
            [
                ("sequence_id", "=", self.sequence.id),
                ("id", "not in", self.messages.ids),
            ]
        )
        self.assertEqual(
            sorted(second.mapped("email_normalized")),
            sorted([one.email_normalized, other.email_normalized]),
        )

    def test_step_goes_to_the_corrected_address(self):
        self.people[0].email = "new@example.com"
        self._give_consent(self.people)
        self.runs.next_at = "2020-01-01 00:00:00"
        self.env.flush_all()
        self._process_steps()
        self.assertEqual(self.runs[0].email_normalized, "new@example.com")
        self.assertIn(
            "new@example.com",
            (self.runs[0].message_ids - self.messages).mapped("email_normalized"),
        )

    def test_merged_contacts_of_one_campaign(self):
        """Both were handed over by it: the rows of one person stay one."""
        campaign = self._create_campaign()
        self.runs.campaign_id = campaign
        self.env.flush_all()
        one, two, _other = self.people[:3]
        self.env["base.partner.merge.automatic.wizard"]._merge((one | two).ids, two)
        handed_over = self.runs.filtered("campaign_id")
        self.assertEqual(len(handed_over), 2)
        self.assertIn(two, handed_over.contact_id)
