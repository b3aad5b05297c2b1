"""What arrives after somebody was forgotten, and must not bring them back."""

from odoo import api, models


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    @api.model
    def _find_by_keys(self, keys):
        # A report about a message that is nobody's any more would say whose it was.
        found = super()._find_by_keys(keys)
        return {key: found[key] for key in found if not found[key].forgotten_at}

    @api.model
    def _suppress(self, model, field, addresses, reason=""):
        # Their digest suppresses them: the address is not written down again.
        forgotten = self.env["marketing.suppression"]._find_addresses(addresses)
        return super()._suppress(model, field, set(addresses) - forgotten, reason)
