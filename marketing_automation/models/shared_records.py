"""Sequences, templates and coupons that belong to no company are every company's.

They are read and used by all. Changing one changes what all companies send, and the
discounts they give: that is for administrators, and for those who work in all of them.
Others make a copy for their own company. Where there is one company, everybody works
in all of them.
"""

from odoo import api, fields, models


class ResUsers(models.Model):
    _inherit = "res.users"

    marketing_edits_shared = fields.Boolean(
        compute="_compute_marketing_edits_shared",
        help="Whether this user may change what belongs to all companies.",
    )

    @api.depends("company_ids", "group_ids")
    def _compute_marketing_edits_shared(self):
        # All of them are meant; they are few.
        companies = self.env["res.company"].sudo().search([])  # pylint: disable=no-search-all
        for user in self:
            user.marketing_edits_shared = user._is_system() or not (
                companies - user.sudo().company_ids
            )


class MarketingShared(models.AbstractModel):
    """Records that belong to one company, or to all."""

    _name = "marketing.shared"
    _inherit = ["marketing.guard"]
    _description = "Marketing Record of One Company or All"

    can_edit_shared = fields.Boolean(compute="_compute_can_edit_shared")

    @api.depends_context("uid")
    def _compute_can_edit_shared(self):
        self.can_edit_shared = self.env.su or self.env.user.marketing_edits_shared

    @api.model
    def default_get(self, fields_list):
        """What is new belongs to all companies, where its maker may say so."""
        values = super().default_get(fields_list)
        if "company_id" in fields_list and not values.get("company_id"):
            values["company_id"] = self._get_company_of_copies().id
        return values

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "company_id" in (default or {}):
            return vals_list
        company = self._get_company_of_copies()
        return [
            {**vals, "company_id": vals.get("company_id") or company.id}
            for vals in vals_list
        ]

    @api.model
    def _get_company_of_copies(self):
        """Return to which company new records belong where nobody says so.

        :return: none (that is: all) for those who may edit what is shared
        :rtype: res.company
        """
        if self.env.su or self.env.user.marketing_edits_shared:
            return self.env["res.company"]
        return self.env.company

    def action_duplicate_for_company(self):
        """Make a copy for the user's own company, to be changed at will.

        :return: a window action that opens it
        :rtype: dict
        """
        self.ensure_one()
        return self._copy_for_company(self.env.company)._get_records_action()

    def _copy_for_company(self, company):
        """Return a copy that belongs to a company.

        :param res.company company: one that the user works in
        """
        self.ensure_one()
        name = f"{self.name} ({company.name})"
        return self.copy({"company_id": company.id, "name": name})
