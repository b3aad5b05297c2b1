from odoo import api, fields, models


class MarketingMessageSendAgain(models.TransientModel):
    """Asks before messages are sent a second time."""

    _name = "marketing.message.send.again"
    _inherit = ["marketing.guard"]
    _description = "Messages to Send Again"

    message_ids = fields.Many2many("marketing.message", string="Messages")
    count = fields.Integer(compute="_compute_counts")
    uncertain_count = fields.Integer(compute="_compute_counts")
    left_out_count = fields.Integer(compute="_compute_counts")

    @api.depends("message_ids.state")
    def _compute_counts(self):
        for wizard in self:
            messages = wizard.message_ids._get_sendable_again()
            uncertain = messages.filtered(lambda message: message.state == "uncertain")
            wizard.count = len(messages)
            wizard.uncertain_count = len(uncertain)
            wizard.left_out_count = len(wizard.message_ids) - len(messages)

    def action_send_again(self):
        """Put them back into the queue.

        :return: a notification that says how many
        :rtype: dict
        """
        self.ensure_one()
        self._check_references()
        sent = self.message_ids._send_again()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s messages are sent again.", len(sent)),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
