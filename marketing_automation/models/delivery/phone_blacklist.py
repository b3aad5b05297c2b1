from odoo import api, models


class PhoneBlacklist(models.Model):
    """Whoever is put on Odoo's blacklist of numbers gets no text messages any more."""

    _inherit = "phone.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._stop_marketing()
        return records

    def write(self, vals):
        res = super().write(vals)
        if vals.get("active") or "number" in vals:
            self._stop_marketing()
        return res

    def _stop_marketing(self):
        """Take back the text messages to these numbers; emails may go on."""
        numbers = self.filtered("active").mapped("number")
        if not numbers:
            return
        self.env["marketing.message"].sudo().search(
            [
                ("phone_sanitized", "in", numbers),
                ("channel", "=", "sms"),
                ("state", "=", "queued"),
            ]
        )._set_state("cancelled", "opted_out")
