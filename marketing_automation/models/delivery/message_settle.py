"""What a person decides about messages of which nobody knows whether they left."""

from odoo import fields, models
from odoo.tools import SQL

# Failed ones did not leave: somebody may have put right what kept them.
SENT_AGAIN_FROM = ("uncertain", "failed")


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    # === ACTION METHODS ===#

    def action_mark_sent(self):
        """Settle uncertain messages: somebody found out that they arrived."""
        for message in self._settle("sent"):
            # When it left is known as well as whether.
            message.sent_at = message.sending_at

    def action_mark_failed(self):
        """Settle uncertain messages: somebody found out that they never left."""
        self._settle("failed")

    def action_ask_send_again(self):
        """Ask whether these messages are to be sent again, and say how many.

        :return: a window action
        :rtype: dict
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send Again"),
            "res_model": "marketing.message.send.again",
            "view_mode": "form",
            "target": "new",
            "context": {"default_message_ids": self.ids},
        }

    # === BUSINESS METHODS ===#

    def _settle(self, state):
        self.check_access("read")
        uncertain = self.sudo().filtered(lambda message: message.state == "uncertain")
        return uncertain._set_state(state, "settled")

    def _get_sendable_again(self):
        """Return those of these messages that can be sent again: uncertain and failed
        ones, unless their campaign was cancelled.

        :rtype: marketing.message
        """
        return self.filtered(
            lambda message: (
                message.state in SENT_AGAIN_FROM
                and message.campaign_id.state != "cancelled"
            )
        )

    def _send_again(self):
        """Put messages back into the queue, as a person's decision: whoever got one the
        first time may get it twice. The gate decides about each of them as ever.

        :return: those that will be sent
        :rtype: marketing.message
        """
        self.check_access("read")
        messages = self.sudo()._get_sendable_again()
        if not messages:
            return messages
        messages.flush_recordset()
        now = fields.Datetime.now()
        moved = self._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET state = 'queued', state_changed_at = %(now)s,
                          scheduled_at = %(now)s, attempts = 0, reason = v.reason,
                          reason_detail = v.detail,
                          history = COALESCE(m.history, '[]') || %(entry)s
                     FROM (VALUES %%s) AS v (id, reason, detail)
                    WHERE m.id = v.id AND m.state = ANY(%(allowed)s)
                RETURNING m.id""",
                now=now,
                entry=self._get_history_entry(SQL("%s", now), SQL("'queued'")),
                allowed=list(SENT_AGAIN_FROM),
            ),
            [
                (message_id, "sent_again", self.env.user.name)
                for message_id in messages.ids
            ],
            "(%s, %s::varchar, %s::varchar)",
        )
        messages.invalidate_recordset()
        messages = messages.browse(message_id for (message_id,) in moved)
        messages.campaign_id._reopen()
        self.env["marketing.dispatcher"]._wake_up(now)
        return messages
