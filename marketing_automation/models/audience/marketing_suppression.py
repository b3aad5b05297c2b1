import secrets

from odoo import api, fields, models

from ...tools.address_hash import hash_address
from ...tools.mailbox import list_former_spellings
from ...tools.trusted_context import without_defaults
from ..mailbox import normalize_address

KEY_PARAMETER = "marketing_automation.address_key"


class MarketingSuppression(models.Model):
    """An address that asked to be forgotten: nothing is left of it but a digest, so
    that it is never written to again, wherever it may be imported from."""

    _name = "marketing.suppression"
    _description = "Forgotten Address"
    _order = "id desc"
    _rec_name = "address_hash"

    address_hash = fields.Char(string="Digest", required=True, readonly=True)
    suppressed_at = fields.Datetime(
        string="Since", required=True, readonly=True, default=fields.Datetime.now
    )

    _address_hash_unique = models.Constraint(
        "UNIQUE(address_hash)", "This address is suppressed already."
    )

    @api.model
    def _add(self, addresses):
        """Never write to these addresses again; of them only the digest is kept.

        :param addresses: normalized emails, and numbers in E.164
        :return: their entries
        :rtype: marketing.suppression
        """
        digests = self._hash(addresses)
        known = self.sudo().search([("address_hash", "in", digests)])
        missing = set(digests) - set(known.mapped("address_hash"))
        return known + without_defaults(known).create(
            [{"address_hash": digest} for digest in sorted(missing)]
        )

    @api.model
    def _remove(self, addresses):
        """Lift it: the person agreed to messages again, themselves.

        :param addresses: normalized emails, and numbers in E.164
        """
        addresses = list(addresses)
        digests = [*self._hash(addresses), *self._hash_former(addresses)]
        self.sudo().search([("address_hash", "in", digests)]).unlink()

    @api.model
    def _hash(self, addresses):
        """Return the digest of each address, of emails in their one spelling.

        :rtype: list[str]
        """
        key = self._get_address_key()
        return [
            hash_address(key, normalize_address(address) or address)
            for address in addresses
        ]

    @api.model
    def _hash_former(self, addresses):
        """Return the digests that addresses may have had before 19.0.1.6.0, under
        another spelling of theirs.

        :return: the address, in its one spelling, by digest
        :rtype: dict[str, str]
        """
        key = self._get_address_key()
        return {
            hash_address(key, spelling): address
            for address in addresses
            for spelling in list_former_spellings(normalize_address(address) or "")
        }

    @api.model
    def _get_address_key(self):
        """Return the key of all digests of addresses. It is kept for good, also in a
        database that was moved: with another one, nobody would be recognized.

        :rtype: str
        """
        return self.env["ir.config_parameter"].sudo().get_param(KEY_PARAMETER)

    @api.model
    def _create_address_key(self):
        """Make the key, once; it goes with the addon."""
        parameters = self.env["ir.config_parameter"].sudo()
        if parameters.get_param(KEY_PARAMETER):
            return
        parameter = parameters.create(
            {"key": KEY_PARAMETER, "value": secrets.token_hex(32)}
        )
        self.env["ir.model.data"].create(
            {
                "module": "marketing_automation",
                "name": "address_key",
                "model": parameter._name,
                "res_id": parameter.id,
                "noupdate": True,
            }
        )
