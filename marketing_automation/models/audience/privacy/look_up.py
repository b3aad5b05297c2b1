"""Odoo's privacy look-up finds what the addon stores, too."""

from odoo import models
from odoo.tools import SQL

from ...mailbox import normalize_address
from .registry import KEEP

# Where a row itself says that somebody must not be written to: the column with the
# address, and when it does.
SAYS_NO = {
    "mail.blacklist": ("email", [("active", "=", True)]),
    "phone.blacklist": ("number", [("active", "=", True)]),
    "marketing.preference": ("address", [("state", "=", "withdrawn")]),
}


class PrivacyLookupWizard(models.TransientModel):
    _inherit = "privacy.lookup.wizard"

    def _get_query(self):
        query = super()._get_query()
        email = normalize_address(self.email.strip())
        privacy = self.env["marketing.privacy"].sudo()
        person = privacy._find_person(emails=[email])
        ours = [
            SQL(
                "SELECT %s AS res_model_id, t.id AS res_id, TRUE AS is_active"
                " FROM %s t WHERE %s",
                self.env["ir.model"]._get_id(stored.model),
                SQL.identifier(self.env[stored.model]._table),
                stored.find(person),
            )
            for stored in privacy._get_stored()
            # What holds digests only proves something, and is not deleted.
            if stored.at_forget != KEEP and not self.env[stored.model]._transient
        ]
        # Odoo finds some of them by itself: each counts once.
        return SQL(" UNION ").join([query, *ours])


class PrivacyLookupWizardLine(models.TransientModel):
    _inherit = "privacy.lookup.wizard.line"

    def action_unlink(self):
        """Delete a record; who said no by it stays suppressed, by a digest."""
        self.ensure_one()
        if self.res_model in SAYS_NO and not self.is_unlinked:
            column, says_no = SAYS_NO[self.res_model]
            record = self.env[self.res_model].sudo().browse(self.res_id)
            refused = record.exists().filtered_domain(says_no)
            self.env["marketing.suppression"]._add(refused.mapped(column))
        return super().action_unlink()
