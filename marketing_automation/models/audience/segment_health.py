"""What keeps a segment from following its customers."""

from odoo import fields, models


class CustomerSegment(models.Model):
    _inherit = "customer.segment"

    operation_warning = fields.Html(
        compute="_compute_operation_warning", compute_sudo=True, sanitize=False
    )

    def _compute_operation_warning(self):
        """Say what is wrong with what keeps its members up to date."""
        health = self.env["marketing.health"]
        warning = health._render(
            health._get_warnings(["refresh_segments", "refresh_changed_metrics"])
        )
        for segment in self:
            segment.operation_warning = segment.kind != "static" and warning
