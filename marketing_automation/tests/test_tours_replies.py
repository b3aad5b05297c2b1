from odoo import fields
from odoo.tests import HttpCase, tagged

from ..providers.base import DeliveryEvent
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestToursReplies(MarketingCase, HttpCase):
    """Somebody reads what people answered, in a real browser."""

    def test_replies(self):
        self.customer.phone = "+36301234567"
        template = self._create_contact_template(channel="sms", body_sms="Hi")
        sms = self._queue_to(self.customer, template)
        sms._set_state("sending")
        sms._set_state("sent", provider_id=self.sandbox.id)
        for number, text in enumerate(["Lovely mug!", "How did you get my number?"]):
            event = DeliveryEvent(
                "reply",
                fields.Datetime.now(),
                address="+36301234567",
                external_id=f"SM{number}",
                text=text,
            )
            self.env["marketing.message"]._apply_events([event], self.sandbox)
        self.start_tour(
            "/odoo/marketing-replies", "marketing_automation_replies", login="admin"
        )
        self.env.invalidate_all()
        replies = self.env["marketing.reply"].search([], order="id")
        self.assertEqual(replies.mapped("state"), ["new", "handled"])
        self.assertEqual(replies.mapped("is_objection"), [False, True])
        numbers = self.env["phone.blacklist"].search([]).mapped("number")
        self.assertIn("+36301234567", numbers)
