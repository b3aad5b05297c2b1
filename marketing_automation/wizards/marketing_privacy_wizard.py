from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.audience.privacy.person import GROUP


class MarketingPrivacyWizard(models.TransientModel):
    """Answer somebody who asks what is stored about them, or asks to be forgotten."""

    _name = "marketing.privacy.wizard"
    _inherit = ["marketing.guard"]
    _description = "Privacy Request"

    address = fields.Char(
        string="Email or Telephone",
        help="All contacts with the same address are the same person.",
    )
    partner_id = fields.Many2one("res.partner", string="Contact")
    summary = fields.Html(compute="_compute_summary", sanitize=False)
    # Nothing is to be done about what is no address.
    is_valid = fields.Boolean(compute="_compute_summary")
    # What became of it, without anything about whom.
    result = fields.Html(readonly=True)

    @api.depends("address", "partner_id")
    def _compute_summary(self):
        for wizard in self:
            wizard.is_valid = False
            wizard.summary = False
            if not (wizard.address or wizard.partner_id) or wizard.result:
                continue
            try:
                report = wizard._make_report()
                wizard.is_valid = True
            except UserError as error:
                report = {"error": str(error)}
            wizard.summary = self.env["ir.qweb"]._render(
                "marketing_automation.privacy_summary", report
            )

    # === ACTION METHODS ===#

    def action_export(self):
        """Hand out what is stored about the person, as a file.

        :return: an action that downloads it
        :rtype: dict
        """
        self.ensure_one()
        self.env["marketing.privacy"]._check_may(self._find_person())
        return {
            "type": "ir.actions.act_url",
            "url": f"/marketing/privacy/export/{self.id}",
            "target": "download",
        }

    def action_forget(self):
        """Forget the person, and say what was done.

        :return: an action that shows this again
        :rtype: dict
        """
        self.ensure_one()
        privacy = self.env["marketing.privacy"]
        person = self._find_person()
        report = self._make_report()
        again = self.create({})
        erased = privacy._forget(person)
        again._show_result(erased, report["stays"])
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Privacy Request"),
            "res_model": self._name,
            "res_id": again.id,
            "view_mode": "form",
            "target": "new",
        }

    # === HELPERS ===#

    def _find_person(self):
        """Return who it is about.

        :rtype: Person
        :raise UserError: nobody was named, or it is no address
        """
        self.ensure_one()
        privacy = self.env["marketing.privacy"]
        self._check_references()
        if self.partner_id:
            return privacy._find_by_contacts(self.partner_id)
        if not self.address:
            raise UserError(self.env._("Enter an email address or telephone number."))
        return privacy._find_by_address(self.address)

    def _make_report(self):
        """Return what is stored about the person, in words.

        :rtype: dict
        """
        person = self._find_person()
        self.env["marketing.privacy"]._check_may(person)
        report = self.env["marketing.privacy"].sudo()._describe(person)
        return {**report, "person": person, "error": None}

    def _show_result(self, erased, stays):
        privacy = self.env["marketing.privacy"]
        self.sudo().result = self.env["ir.qweb"]._render(
            "marketing_automation.privacy_result",
            {"erased": privacy._name_counts(erased), "stays": stays},
        )

    def _is_mine(self):
        """Whether the current user opened this, and may answer such requests.

        :rtype: bool
        """
        return self.create_uid == self.env.user and self.env.user.has_group(GROUP)
