"""Who changes their mind on the preference page again and again writes few lines.

The consent log is never shortened, and the link of a message is a key that anybody may
hold: so consents that are given there are counted by address. What is more than enough
waits as a wish, in the row of the preference; the last one is recorded when the hour is
over. A withdrawal never waits, and ends a wish. So the log is true, line by line, and
grows by a known number of lines an hour.
"""

import logging
from datetime import timedelta

from psycopg2 import InterfaceError, OperationalError

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

# Consents an address can give on the page within an hour; each may be taken back.
GIVEN_AN_HOUR = 20
SOURCE = "preference_page"
BATCH = 500


class MarketingPreference(models.Model):
    _inherit = "marketing.preference"

    wished_at = fields.Datetime(
        string="Consent Given On",
        readonly=True,
        help="Consent that was given after many changes within an hour: it counts when "
        "the hour is over.",
    )
    wished_ip = fields.Char(readonly=True)
    wished_text_id = fields.Many2one(
        "marketing.consent.text", readonly=True, ondelete="restrict"
    )

    _wished_idx = models.Index("(wished_at) WHERE wished_at IS NOT NULL")

    @api.model
    def _defer(self, company, channel, purposes, address, ip=None, text=None):
        """Keep consents as a wish where the address gave too many within the hour.

        :param res.company company: to whom they are given
        :param str channel: key of ``channel``
        :param purposes: keys of ``purpose``
        :param str address: in its one spelling
        :param str ip: where it came from
        :param str text: what the person read
        :return: the purposes that can be recorded now
        :rtype: list[str]
        """
        if self._count_given(address) < GIVEN_AN_HOUR:
            return list(purposes)
        known = self.search(
            [
                ("company_id", "=", company.id),
                ("channel", "=", channel),
                ("address", "=", address),
                ("purpose", "in", list(purposes)),
            ]
        )
        known.filtered(lambda entry: entry.state != "given").write(
            {
                "wished_at": fields.Datetime.now(),
                "wished_ip": ip,
                "wished_text_id": self.env["marketing.consent.text"]._keep(text),
            }
        )
        # What nothing was said about yet adds a line once.
        return [p for p in purposes if p not in known.mapped("purpose")]

    @api.model
    def _count_given(self, address):
        [digest] = self.env["marketing.suppression"]._hash([address])
        return (
            self.env["marketing.consent.log"]
            .sudo()
            .search_count(
                [
                    ("address_hash", "=", digest),
                    ("state", "=", "given"),
                    ("source", "=", SOURCE),
                    ("at", ">", fields.Datetime.now() - timedelta(hours=1)),
                ],
                limit=GIVEN_AN_HOUR,
            )
        )

    @api.model
    def _drop_wishes(self, channel, addresses, purposes=None, company=None):
        """Forget consents that wait: the person said no since.

        :param str channel: key of ``channel``
        :param addresses: in their one spelling, or numbers in E.164
        :param purposes: keys of ``purpose``; None: all
        :param res.company company: None: all
        """
        domain = fields.Domain("channel", "=", channel)
        domain &= fields.Domain("address", "in", list(addresses))
        domain &= fields.Domain("wished_at", "!=", False)
        if purposes is not None:
            domain &= fields.Domain("purpose", "in", list(purposes))
        if company:
            domain &= fields.Domain("company_id", "=", company.id)
        self.sudo().search(domain).write(
            {"wished_at": False, "wished_ip": False, "wished_text_id": False}
        )

    @api.model
    def _cron_record_wishes(self):
        """Record the consents that have waited for an hour."""
        due = fields.Domain(
            "wished_at", "<=", fields.Datetime.now() - timedelta(hours=1)
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=1)
        while waiting := self.search(due, limit=BATCH, order="wished_at, id"):
            for entry in waiting:
                entry._record_apart()
            if not cron._commit_progress(len(waiting), remaining=1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_record_wishes"
                )
        cron._commit_progress(remaining=0)

    def _record_apart(self):
        """Record one consent that has waited; where that fails, a day later, and the
        others do not wait for it."""
        try:
            with self.env.cr.savepoint():
                self._record_wishes()
        except (InterfaceError, OperationalError):
            raise  # Not its fault: the action is done again.
        except Exception:
            self.env.invalidate_all(flush=False)
            _logger.exception("The consent of entry %s cannot be recorded", self.id)
            self.wished_at = fields.Datetime.now() + timedelta(days=1)

    def _record_wishes(self):
        for entry in self:
            ip, text = entry.wished_ip, entry.wished_text_id.text
            entry.write(
                {"wished_at": False, "wished_ip": False, "wished_text_id": False}
            )
            self._record(
                entry.company_id,
                entry.channel,
                [entry.purpose],
                [entry.address],
                "given",
                SOURCE,
                ip=ip,
                text=text,
                lift_suppression=True,
            )
