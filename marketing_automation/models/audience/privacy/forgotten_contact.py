"""Contacts that stay in Odoo although their person was forgotten, or come back by an
import: they get no figures and are in no segment."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.sql import column_exists, create_column

from ...large_index import LargeIndex


class ResPartner(models.Model):
    _inherit = "res.partner"

    marketing_is_forgotten = fields.Boolean(
        string="Forgotten by Marketing",
        compute="_compute_marketing_is_forgotten",
        store=True,
        copy=False,
        groups="marketing_automation.group_marketing_user",
        help="This person asked to be forgotten: they are never written to, have no "
        "figures and are in no segment, until they agree to messages themselves.",
    )

    _marketing_forgotten_idx = LargeIndex("(id) WHERE marketing_is_forgotten")

    def _auto_init(self):
        # Nobody was forgotten before there is anybody to ask: the contacts of a large
        # shop need not be looked at one by one.
        if not column_exists(self.env.cr, self._table, "marketing_is_forgotten"):
            create_column(self.env.cr, self._table, "marketing_is_forgotten", "bool")
        return super()._auto_init()

    @api.depends("email_normalized", "phone_sanitized")
    def _compute_marketing_is_forgotten(self):
        """Look whether these people asked to be forgotten, all of them at once."""
        suppressions = self.env["marketing.suppression"].sudo()
        addresses = {partner: partner._get_marketing_address() for partner in self}
        forgotten = suppressions._find_addresses(filter(None, addresses.values()))
        for partner, address in addresses.items():
            partner.marketing_is_forgotten = address in forgotten

    def _get_marketing_address(self):
        """Return what the person is known by.

        :return: normalized email, else a number in E.164, else False
        """
        return self.email_normalized or self.phone_sanitized


class MarketingSuppression(models.Model):
    _inherit = "marketing.suppression"

    @api.model
    def _add(self, addresses):
        res = super()._add(addresses)
        self._mark_contacts(addresses)
        return res

    @api.model
    def _remove(self, addresses):
        res = super()._remove(addresses)
        self.flush_model()
        self._mark_contacts(addresses, False)
        return res

    @api.model
    def _mark_contacts(self, addresses, is_forgotten=True):
        """Keep on the contacts themselves what the digests say, for queries that look
        at all of them."""
        addresses = list(addresses)
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        partners.search(
            Domain("email_normalized", "in", addresses)
            | Domain("email_normalized", "=", False)
            & Domain("phone_sanitized", "in", addresses)
        ).marketing_is_forgotten = is_forgotten

    @api.model
    def _find_addresses(self, addresses):
        """Return which addresses were forgotten.

        Of an address with an international domain the digest may be that of another
        spelling, which it was known by then; it gets one of the spelling of today.

        :param addresses: normalized emails, and numbers in E.164
        :rtype: set[str]
        """
        addresses = list(addresses)
        if not addresses:
            return set()
        digests, former = self._hash(addresses), self._hash_former(addresses)
        known = self.sudo().search([("address_hash", "in", [*digests, *former])])
        known = set(known.mapped("address_hash"))
        forgotten = {
            address
            for address, digest in zip(addresses, digests, strict=True)
            if digest in known
        }
        respelled = {former[digest] for digest in known & former.keys()} - forgotten
        if respelled:
            self._add(respelled)
        return forgotten | respelled


class CustomerSegment(models.Model):
    _inherit = "customer.segment"

    def _get_company_domain(self):
        res = super()._get_company_domain()
        return res & Domain("marketing_is_forgotten", "=", False)
