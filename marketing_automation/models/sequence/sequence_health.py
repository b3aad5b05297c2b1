"""What keeps a sequence from going on."""

from odoo import fields, models


class MarketingSequence(models.Model):
    _inherit = "marketing.sequence"

    operation_warning = fields.Html(
        compute="_compute_operation_warning", compute_sudo=True, sanitize=False
    )

    def _compute_operation_warning(self):
        """Say what is wrong with what its messages depend on."""
        health = self.env["marketing.health"]
        for sequence in self:
            jobs = ["process_enrollments", "dispatch"]
            if sequence.kind != "contact":
                jobs.insert(0, "detect_carts")
            channels = set(sequence.step_ids.template_id.mapped("channel"))
            sequence.operation_warning = (
                sequence.active
                and bool(sequence.step_ids)
                and health._render(
                    health._get_warnings(
                        jobs,
                        sequence.company_id or self.env.companies,
                        sorted(channels),
                    )
                )
            )
