import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..mailbox import normalize_address

_logger = logging.getLogger(__name__)


class MarketingMessage(models.Model):
    """Addresses that nobody writes to any more: those that providers report go onto
    Odoo's blacklists; what was to go to those on the blacklists does not."""

    _inherit = "marketing.message"

    @api.model
    def _suppress_reported(self, pairs):
        """Put the addresses on Odoo's blacklists that must not be written to again."""
        emails, numbers, returned = set(), set(), set()
        for event, message in pairs:
            address = (
                message.phone_sanitized
                if message.channel == "sms"
                else message.email_normalized
            ) or event.address
            if not address:
                continue
            address = normalize_address(address) or address
            if event.suppress:
                (emails if "@" in address else numbers).add(address)
            elif event.kind == "resubscribe" and "@" not in address:
                returned.add(address)
        self._suppress("mail.blacklist", "email", emails)
        self._suppress("phone.blacklist", "number", numbers)
        for number in returned:
            # They sent START themselves, from their own telephone.
            self.env["phone.blacklist"].sudo()._remove(
                [number],
                message=self.env._("Asked for messages again by text message."),
            )

    @api.model
    def _suppress(self, model, field, addresses):
        """Add addresses to a blacklist, those that are not on it.

        :param str model: ``mail.blacklist`` or ``phone.blacklist``
        :param str field: which field of it holds the address
        :param set addresses: normalized emails, or E.164 numbers
        """
        if not addresses:
            return
        blacklist = self.env[model].sudo()
        present = blacklist.search([(field, "in", list(addresses))]).mapped(field)
        missing = sorted(addresses - set(present))
        try:
            with self.env.cr.savepoint():
                self._add_to_blacklist(blacklist, field, missing)
        except UserError:
            for address in missing:
                try:
                    with self.env.cr.savepoint():
                        self._add_to_blacklist(blacklist, field, [address])
                except UserError:
                    # Odoo takes no such address, so nobody writes to it.
                    _logger.info("An address reported by a provider is none")

    @api.model
    def _add_to_blacklist(self, blacklist, field, addresses):
        added = blacklist.create([{field: address} for address in addresses])
        # Odoo returns emails that came off earlier as they are.
        added.filtered(lambda record: not record.active).active = True
        reason = self.env._("Reported by the provider of marketing messages.")
        added._message_log_batch(dict.fromkeys(added.ids, reason))

    @api.model
    def _cancel_to(self, channel, addresses):
        """Take back what is queued to addresses that came onto a blacklist.

        :param str channel: ``email`` ends recoveries, too; after ``sms`` emails go on
        :param list addresses: normalized emails, or E.164 numbers
        """
        if channel == "sms":
            to = fields.Domain("channel", "=", "sms")
            to &= fields.Domain("phone_sanitized", "in", addresses)
        else:
            to = fields.Domain("email_normalized", "in", addresses)
            running = fields.Domain("state", "in", ("active", "paused"))
            self.env["marketing.enrollment"].sudo().search(to & running)._stop(
                "opted_out"
            )
        queued = fields.Domain("state", "=", "queued")
        self.sudo().search(to & queued)._set_state("cancelled", "opted_out")
