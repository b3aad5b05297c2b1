from odoo import fields, models
from odoo.exceptions import UserError

from ..models.audience.purposes import PURPOSES
from ..models.channels import CHANNELS


class MarketingRecordObjection(models.TransientModel):
    """A manager read a reply, and writes down what the person objects to."""

    _name = "marketing.record.objection"
    _description = "Record Objection"

    reply_id = fields.Many2one("marketing.reply", required=True, ondelete="cascade")
    text = fields.Text(related="reply_id.text", string="What They Wrote")
    channel = fields.Selection(
        [*CHANNELS, ("all", "Email and SMS")],
        required=True,
        default="all",
        help="On which channel they want no more messages.",
    )
    purpose = fields.Selection(
        [("all", "Everything"), *PURPOSES],
        required=True,
        default="all",
        help="About what. After “Everything” the address is suppressed, as if they had "
        "unsubscribed.",
    )

    def action_record(self):
        """Withdraw the consent, with the reply as the proof.

        :return: closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        reply = self.reply_id
        reply._check_manager()
        addresses = self._get_addresses()
        if not addresses:
            raise UserError(
                self.env._("This person has no address on the channel you chose.")
            )
        preferences = self.env["marketing.preference"].sudo()
        everything = [purpose for purpose, _label in PURPOSES]
        for channel, address in addresses:
            preferences._record(
                reply.company_id,
                channel,
                everything if self.purpose == "all" else [self.purpose],
                [address],
                "withdrawn",
                "reply",
                text=self.env._(
                    "%(text)s (reply of %(date)s, read by %(user)s)",
                    text=reply.text or "",
                    date=reply.received_at.date(),
                    user=self.env.user.name,
                ),
            )
            if self.purpose == "all":
                preferences._withdraw_all(reply.company_id, channel, address, "reply")
        reply._close(is_objection=True)
        return {"type": "ir.actions.act_window_close"}

    def _get_addresses(self):
        """Return where the person is written to, on the channels that were chosen.

        :return: pairs of channel and address
        :rtype: list[tuple[str, str]]
        """
        reply, partner = self.reply_id, self.reply_id.partner_id.sudo()
        known = {
            "email": partner.email_normalized,
            "sms": partner.phone_sanitized,
            reply.channel: reply.address,
        }
        return [
            (channel, address)
            for channel, address in known.items()
            if address and self.channel in ("all", channel)
        ]
