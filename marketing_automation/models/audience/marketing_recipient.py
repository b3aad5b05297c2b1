from odoo import api, fields, models

from ..mailbox import normalize_address


class MarketingRecipient(models.Model):
    """How an address wants to hear from a company: how often, from when on, in which
    language. Who said nothing has no row."""

    _name = "marketing.recipient"
    _description = "Wishes of a Recipient"
    _order = "id desc"
    _rec_name = "address"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    address = fields.Char(
        required=True,
        readonly=True,
        help="Normalized email, or telephone number in international form.",
    )
    frequency = fields.Selection(
        [
            ("normal", "As it comes"),
            ("weekly", "At most once a week"),
            ("monthly", "At most once a month"),
        ],
        required=True,
        readonly=True,
        default="normal",
    )
    paused_until = fields.Datetime(readonly=True)
    lang = fields.Char(string="Language", readonly=True)

    _address_unique = models.Constraint(
        "UNIQUE(company_id, address)", "There is an entry for this address already."
    )
    _address_idx = models.Index("(address)")

    @api.model
    def _set_wishes(self, company, addresses, **vals):
        """Write down how addresses want to hear from a company.

        :param res.company company: from whom
        :param addresses: normalized emails, and numbers in E.164
        :param vals: ``frequency``, ``paused_until`` (naive, UTC) and ``lang``
        :return: their entries
        :rtype: marketing.recipient
        """
        addresses = {normalize_address(address) or address for address in addresses}
        known = self.search(
            [("company_id", "=", company.id), ("address", "in", list(addresses))]
        )
        known.write(vals)
        missing = addresses - set(known.mapped("address"))
        return known + self.create(
            [
                {"company_id": company.id, "address": address, **vals}
                for address in sorted(missing)
            ]
        )
