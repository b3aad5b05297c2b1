"""What keeps a campaign, or its test, from going on."""

from odoo import fields, models

WAITING_STATES = ("scheduled", "running")


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    operation_warning = fields.Html(
        compute="_compute_operation_warning", compute_sudo=True, sanitize=False
    )

    def _compute_operation_warning(self):
        """Say what is wrong where something is to happen by itself."""
        health = self.env["marketing.health"]
        for campaign in self:
            campaign.operation_warning = campaign.state in WAITING_STATES and (
                health._render(campaign._get_operation_warnings())
            )

    def _get_operation_warnings(self):
        """Return what keeps the campaign from leaving.

        :rtype: list[str]
        """
        self.ensure_one()
        jobs = ["campaigns", "dispatch"]
        if self.sends == "sequence":
            jobs.append("process_enrollments")
        channels = {template.channel for _name, template in self._get_contents()}
        return self.env["marketing.health"]._get_warnings(
            jobs, self.company_id, sorted(channels - {False}) or [self.channel]
        )


class AbTest(models.Model):
    _inherit = "ab.test"

    operation_warning = fields.Html(
        compute="_compute_operation_warning", compute_sudo=True, sanitize=False
    )

    def _compute_operation_warning(self):
        """Say what is wrong while the test is to be decided."""
        health = self.env["marketing.health"]
        for test in self:
            test.operation_warning = test.state == "running" and health._render(
                health._get_warnings(
                    ["ab_decide", "dispatch"], test.company_id, [test.channel]
                )
            )
