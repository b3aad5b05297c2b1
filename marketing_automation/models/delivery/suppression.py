import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..mailbox import normalize_address
from .states import REACHED_STATES

_logger = logging.getLogger(__name__)

# So many emails in a row that came back, over so long a time, are enough: mailboxes are
# emptied and systems repaired sooner, and mail providers mind who goes on.
SOFT_BOUNCES = 5
SOFT_BOUNCE_TIME = timedelta(days=14)


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
    def _suppress_bounced(self, pairs):
        """Put addresses on the blacklist whose last emails all came back, though nobody
        said that they do not exist.

        What came back before somebody took an address off the blacklist is forgotten.

        :param list pairs: DeliveryEvent and its message
        """
        addresses = {
            message.email_normalized
            for event, message in pairs
            if event.kind == "bounced_soft" and message.email_normalized
        }
        if not addresses:
            return
        self.flush_model()
        self.env["mail.blacklist"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT person.address, min(last.at)
                     FROM unnest(%(addresses)s) person (address)
                    CROSS JOIN LATERAL (
                          SELECT m.state, m.reason, COALESCE(m.sent_at, m.sending_at) at
                            FROM marketing_message m
                           WHERE m.email_normalized = person.address
                             AND m.channel = 'email' AND m.state = ANY(%(reached)s)
                             AND m.is_sandbox IS NOT TRUE
                             AND COALESCE(m.sent_at, m.sending_at) > COALESCE(
                                 (SELECT off.write_date FROM mail_blacklist off
                                   WHERE off.email = person.address
                                     AND off.active IS NOT TRUE), '-infinity')
                           ORDER BY COALESCE(m.sent_at, m.sending_at) DESC
                           LIMIT %(count)s) last
                    GROUP BY person.address
                   HAVING count(*) = %(count)s
                      AND bool_and(last.state = 'bounced'
                                   AND last.reason = 'bounced_soft')
                      AND max(last.at) - min(last.at) >= %(time)s""",
                addresses=sorted(addresses),
                reached=list(REACHED_STATES),
                count=SOFT_BOUNCES,
                time=SOFT_BOUNCE_TIME,
            )
        )
        for address, since in rows:
            self._suppress(
                "mail.blacklist",
                "email",
                {address},
                self.env._(
                    "The last %(count)s emails came back, the first of them on "
                    "%(date)s, and none arrived in between. Take the address off the "
                    "blacklist when it works again.",
                    count=SOFT_BOUNCES,
                    date=format_date(self.env, since.date()),
                ),
            )

    @api.model
    def _suppress(self, model, field, addresses, reason=""):
        """Add addresses to a blacklist, those that are not on it.

        :param str model: ``mail.blacklist`` or ``phone.blacklist``
        :param str field: which field of it holds the address
        :param set addresses: normalized emails, or E.164 numbers
        :param str reason: why, for whoever looks at the blacklist
        """
        if not addresses:
            return
        blacklist = self.env[model].sudo()
        present = blacklist.search([(field, "in", list(addresses))]).mapped(field)
        missing = sorted(addresses - set(present))
        try:
            with self.env.cr.savepoint():
                self._add_to_blacklist(blacklist, field, missing, reason)
        except UserError:
            for address in missing:
                try:
                    with self.env.cr.savepoint():
                        self._add_to_blacklist(blacklist, field, [address], reason)
                except UserError:
                    # Odoo takes no such address, so nobody writes to it.
                    _logger.info("An address reported by a provider is none")

    @api.model
    def _add_to_blacklist(self, blacklist, field, addresses, reason=""):
        added = blacklist.create([{field: address} for address in addresses])
        # Odoo returns emails that came off earlier as they are.
        added.filtered(lambda record: not record.active).active = True
        reason = reason or self.env._("Reported by the provider of marketing messages.")
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
