from odoo import api, models


class MailBlacklist(models.Model):
    """Whoever is put on Odoo's blacklist, by whatever way, stops hearing from us."""

    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._stop_marketing()
        return records

    def write(self, vals):
        res = super().write(vals)
        if vals.get("active") or "email" in vals:
            self._stop_marketing()
        return res

    def _stop_marketing(self):
        """End the recoveries of these addresses and take back what is queued."""
        emails = self.filtered("active").mapped("email")
        if not emails:
            return
        self.env["marketing.enrollment"].sudo().search(
            [
                ("email_normalized", "in", emails),
                ("state", "in", ("active", "paused")),
            ]
        )._stop("opted_out")
        self.env["marketing.message"].sudo().search(
            [("email_normalized", "in", emails), ("state", "=", "queued")]
        )._set_state("cancelled", "opted_out")
