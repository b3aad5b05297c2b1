import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.tools import email_normalize

from ...providers.base import DeliveryEvent
from ...tools import bounces, objections
from ...tools.masking import mask_body

_logger = logging.getLogger(__name__)

REASONS = {bounces.HARD: "bounced_hard", bounces.SOFT: "bounced_soft"}


class MailThread(models.AbstractModel):
    """Incoming mail about our messages: bounces and replies, matched by the key that
    the message carried. What Odoo itself does with that mail stays as it is."""

    _inherit = "mail.thread"

    @api.model
    def _detect_is_bounce(self, message, message_dict):
        # Odoo knows its bounce address without an extension only.
        addresses = {
            address for address, _key in bounces.find_bounce_addresses(message)
        }
        if addresses:
            hosts = [address.rpartition("@")[2] for address in addresses]
            domains = self.env["mail.alias.domain"].sudo()
            receiving = domains.search([("name", "in", hosts)]).mapped("bounce_email")
            if not addresses.isdisjoint(receiving):
                return True
        return super()._detect_is_bounce(message, message_dict)

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        self._note_marketing(self._get_report_events, email_message, message_dict)
        return super()._routing_handle_bounce(email_message, message_dict)

    @api.model
    def message_route(
        self, message, message_dict, model=None, thread_id=None, custom_values=None
    ):
        # Not in `_message_route_process`: an answer counts wherever it is routed to.
        if not message_dict.get("is_bounce"):
            # To Odoo, a report in words is one of the mailer-daemon alone.
            is_report = bounces.is_by_a_server(message)
            read = self._get_report_events if is_report else self._get_reply_events
            self._note_marketing(read, message, message_dict)
            self._mask_quoted(message, message_dict)
        return super().message_route(
            message, message_dict, model, thread_id, custom_values
        )

    @api.model
    def _mask_quoted(self, email_message, message_dict):
        """Take the links out of the email of ours that an answer quotes: they are the
        recipient's own, and the answer is read by staff."""
        if bounces.find_reply_keys(email_message) and message_dict.get("body"):
            body = message_dict["body"]
            message_dict["body"] = type(body)(mask_body(str(body)))

    @api.model
    def _note_marketing(self, get_events, email_message, message_dict):
        """Tell the outbox what an email says; never keeps Odoo from processing it."""
        try:
            with self.env.cr.savepoint():
                message, events = get_events(email_message, message_dict)
                if events:
                    message._apply_events(events, message.provider_id)
        except OperationalError:
            raise  # The transaction is done again.
        except Exception:
            _logger.exception("An incoming email could not be matched")

    @api.model
    def _get_report_events(self, email_message, message_dict):
        """Read a bounce or another report of a mail server.

        :return: the message it is about, and the events
        :rtype: tuple[marketing.message, list[DeliveryEvent]]
        """
        key, message = self._find_marketing_message(
            bounces.find_reported_keys(email_message)
        )
        address = message.email_normalized
        reports = bounces.read_reports(email_message, address) if message else []
        if not reports:
            return message, []
        own = (report for report in reports if bounces.is_about(report, address))
        report = next(own, reports[0])
        kind = report.kind
        if (
            kind == bounces.HARD
            and report.addresses
            and not bounces.is_about(report, address)
        ):
            # They forward their mail to an address that does not exist: theirs does.
            kind = bounces.SOFT
        event = self._prepare_marketing_event(
            message_dict,
            kind=kind,
            uuid=key,
            address=address,
            reason=REASONS.get(kind, ""),
            detail=report.detail,
            suppress=kind in (bounces.HARD, bounces.COMPLAINT),
        )
        return message, [event]

    @api.model
    def _get_reply_events(self, email_message, message_dict):
        """Read an answer of a person; those of machines are none.

        :return: the message it answers, and the events
        :rtype: tuple[marketing.message, list[DeliveryEvent]]
        """
        key, message = self._find_marketing_message(
            bounces.find_reply_keys(email_message)
        )
        if (
            not message
            or bounces.is_automatic(email_message)
            or self._is_by_staff(message, message_dict["email_from"])
        ):
            return message, []
        text = bounces.read_reply(email_message)
        subject = message_dict.get("subject") or ""
        said = [text] if bounces.is_answer(subject) else [text, subject]
        stops = objections.STOP in map(objections.read_request, said)
        event = self._prepare_marketing_event(
            message_dict,
            kind="unsubscribe" if stops else "reply",
            uuid=key,
            address=message.email_normalized,
            text=text or subject,
            suppress=stops,
        )
        return message, [event]

    @api.model
    def _find_marketing_message(self, keys):
        """Return the first message of these keys; forged and foreign ones name none.

        :return: its key, and the message
        :rtype: tuple[str, marketing.message]
        """
        messages = self.env["marketing.message"].sudo()
        found = messages._find_by_keys(keys) if keys else {}
        for key in keys:
            if key in found and found[key].channel == "email":
                return key, found[key]
        return "", messages

    @api.model
    def _is_by_staff(self, message, email_from):
        """Whether a colleague joined the conversation, not the person we wrote to."""
        address = email_normalize(email_from)
        if address == message.email_normalized:
            return False
        user = self._mail_find_user_for_gateway(email_from)
        return bool(user) and user._is_internal()

    @api.model
    def _prepare_marketing_event(self, message_dict, **values):
        now = fields.Datetime.now()
        said = fields.Datetime.to_datetime(message_dict.get("date")) or now
        return DeliveryEvent(
            occurred_at=min(said, now),
            external_id=message_dict["message_id"],
            **values,
        )
