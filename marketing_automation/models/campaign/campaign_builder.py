from odoo import models

from .email_campaign import BUILDER_STEPS

STEPS = [step for step, _label in BUILDER_STEPS]


class EmailCampaign(models.Model):
    """Audience, content, schedule, review: one screen after the other."""

    _inherit = "email.campaign"

    def action_next_step(self):
        """Go on to the next screen of the builder."""
        self._go(1)

    def action_previous_step(self):
        """Go back to the screen before."""
        self._go(-1)

    def _go(self, steps):
        for campaign in self:
            place = STEPS.index(campaign.builder_step) + steps
            campaign.builder_step = STEPS[min(max(place, 0), len(STEPS) - 1)]

    def action_view_recipients(self):
        """Open the messages: who got it, who did not, and why.

        :return: a window action
        :rtype: dict
        """
        return self._open_messages(self.env._("Recipients"), [])

    def action_view_orders(self):
        """Open the orders that are credited to the campaign.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders"),
            "domain": [("attributed_message_id.campaign_id", "=", self.id)],
            "context": {"create": False},
        }

    def _open_messages(self, name, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_message"
        )
        return {
            **action,
            "name": name,
            "domain": [("campaign_id", "=", self.id), ("priority", ">", 0), *domain],
            "context": {},
        }
