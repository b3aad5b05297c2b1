from odoo import models
from odoo.exceptions import UserError


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    def action_send_test(self):
        """Ask to whom a test goes.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        if not self._get_contents():
            raise UserError(self.env._("Choose first what it says."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send a Test"),
            "res_model": "email.campaign.test",
            "view_mode": "form",
            "target": "new",
            "context": {"default_campaign_id": self.id},
        }

    def _queue_test(self, partners):
        """Write tests of the campaign into the outbox; caps do not hold them back.

        :param res.partner partners: who gets one, each with own values
        """
        self.ensure_one()
        messages = self.env["marketing.message"].sudo()
        for _name, template in self._get_contents():
            messages._queue_test(template, partners, self.company_id, campaign=self)
