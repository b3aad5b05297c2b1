from odoo.tests import Form, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestCartSms(MarketingCase):
    """The text message about carts that comes along, as a step of a sequence."""

    def test_a_step_by_text_message(self):
        template = self.env.ref("marketing_automation.template_cart_sms")
        self.assertNotIn(template, self.sequence.step_ids.template_id)
        with Form(self.sequence) as form, form.step_ids.edit(0) as step:
            step.channel = "sms"
            self.assertFalse(step.template_id, "an email's template stays")
            step.template_id = template
        self.company.quiet_hours_sms = False
        self.website.domain = "https://shop.example.com"
        self.customer.write(
            {"phone": "+1 650-555-0111", "country_id": self.env.ref("base.us").id}
        )
        self._abandon()
        self._process_steps()
        self._run_cron("ir_cron_dispatch")
        self.env.invalidate_all()
        message = self.env["marketing.message"].search(
            [("partner_id", "=", self.customer.id)]
        )
        self.assertEqual((message.channel, message.state), ("sms", "sent"))
        self.assertEqual(message.recipient, "+16505550111")
        self.assertIn("here, Anna.", message.body_text)
        self.assertRegex(message.body_text, r"https://shop\.example\.com/m/\w+\n")
        self.assertTrue(message.body_text.endswith("Reply STOP to end"))
        self.assertEqual(message.segment_count, 1)
