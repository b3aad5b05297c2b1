"""What recipients and providers would do, tried out in the sandbox inbox."""

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ...providers.base import DeliveryEvent
from .states import REACHED_STATES

# What somebody reads the message with, so that device and program are filled as well.
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Mobile/15E148"
)


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    def action_simulate_delivered(self):
        """Act as if the receiving side had taken these messages."""
        self._simulate("delivered")

    def action_simulate_bounced(self):
        """Act as if the addresses did not exist; as for real, they are suppressed."""
        self._simulate("bounced_hard", suppress=True)

    def action_simulate_undelivered(self):
        """Act as if these text messages did not reach the telephone."""
        self._simulate("failed", reason="undelivered")

    def action_simulate_opened(self):
        """Act as if a person had opened these messages."""
        self._simulate("open", user_agent=PHONE)

    def action_simulate_clicked(self):
        """Act as if a person had followed the main link of these messages."""
        self._simulate("click", user_agent=PHONE)

    def action_simulate_complained(self):
        """Act as if the recipients had reported these as spam; they are suppressed."""
        self._simulate("complaint", suppress=True)

    def action_simulate_unsubscribed(self):
        """Act as if the recipients had unsubscribed; as for real, from everything."""
        self._simulate("unsubscribe", suppress=True)

    def action_simulate_stop(self):
        """Act as if the recipients had answered STOP to these text messages."""
        self._simulate("unsubscribe", suppress=True, text="STOP")

    def action_open_as_recipient(self):
        """Open the page the main link of a message leads to, with the recipient's own
        link: bodies are shown without.

        :return: an action that opens the page beside this one
        :rtype: dict
        :raise AccessError: for administrators only, who may read tokens anyway
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._("Only administrators try out the links of recipients.")
            )
        if not self.is_sandbox:
            raise UserError(
                self.env._("Only links of messages in the sandbox can be tried out.")
            )
        message = self.sudo()
        url = message._get_preferences_url()
        if message.opt_in_id:
            url = message._get_base_url() + message.opt_in_id._get_confirm_path()
        elif message.abandoned_cart_id:
            url = message._get_main_link()
        return {"type": "ir.actions.act_url", "url": url, "target": "new"}

    def _simulate(self, kind, **values):
        """Take in a report about each message, on the way that webhooks take.

        Users may do this without being able to write anything else on a message.

        :param str kind: one of ``providers.base.EVENT_KINDS``
        :param values: further fields of the event
        :raise AccessError: it would suppress the address, which takes a manager
        :raise UserError: a message is not one of the sandbox
        """
        self.check_access("read")
        if values.get("suppress"):
            # The address is somebody's: nobody writes to it any more.
            self.env["marketing.template"].check_access("write")
        messages = self.sudo()
        if any(
            not message.is_sandbox or message.state not in REACHED_STATES
            for message in messages
        ):
            raise UserError(
                self.env._(
                    "Only what was delivered into the sandbox can be tried out: real "
                    "messages are left to their recipients."
                )
            )
        for provider, group in messages.grouped("provider_id").items():
            events = [message._make_event(kind, values) for message in group]
            messages._apply_events(events, provider)

    def _make_event(self, kind, values):
        url = self._get_main_link() if kind == "click" else ""
        return DeliveryEvent(
            kind, fields.Datetime.now(), uuid=self._get_key(), url=url, **values
        )

    def _get_main_link(self):
        path = self.abandoned_cart_id and self.abandoned_cart_id._get_recovery_path()
        return f"{self._get_base_url()}{path or '/shop'}"
