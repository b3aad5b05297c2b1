"""Who changes their mind on the preference page again and again writes few lines.

The consent log is never shortened, and the link of a message is a key that anybody may
hold: so consents that are given there are counted by address. What is more than enough
waits as a wish, in the row of the preference; the last one is recorded when the hour is
over. A withdrawal never waits, and ends a wish. So the log is true, line by line, and
grows by a known number of lines an hour.
"""

from datetime import timedelta

from odoo import api, fields, models

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
        cron._commit_progress(remaining=self.search_count(due))
        while waiting := self.search(due, limit=BATCH, order="wished_at, id"):
            waiting._record_wishes()
            if not cron._commit_progress(len(waiting)):
                break

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
