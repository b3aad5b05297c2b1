from odoo import api, fields, models


class Website(models.Model):
    _inherit = "website"

    cart_recovery_enabled = fields.Boolean(
        string="Recover Abandoned Carts",
        default=True,
        help="Find carts that customers left behind and write to them. "
        "Odoo's own single reminder is switched off for this website meanwhile, "
        "so that nobody is written to twice.",
    )
    cart_idle_minutes = fields.Integer(
        string="Cart Is Abandoned After",
        default=30,
        help="Minutes without any activity of the customer.",
    )

    _cart_idle_minutes_positive = models.Constraint(
        "CHECK(cart_idle_minutes BETWEEN 1 AND 525600)",
        "A cart counts as abandoned after 1 minute to a year (525600 minutes).",
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals.update(self._exclude_other_reminder(vals))
        websites = super().create(vals_list)
        websites.filtered("cart_recovery_enabled").send_abandoned_cart_email = False
        return websites

    def write(self, vals):
        return super().write({**vals, **self._exclude_other_reminder(vals)})

    # === BUSINESS METHODS ===#

    def _get_shown_amount(self):
        """Return which amount of ``account.tax.compute_all`` the shop shows.

        :rtype: str
        """
        if self.show_line_subtotals_tax_selection == "tax_excluded":
            return "total_excluded"
        return "total_included"

    @api.model
    def _exclude_other_reminder(self, vals):
        """Whoever switches one reminder on, switches the other one off.

        Odoo's own single reminder and ours never run for the same website:
        customers would be written to twice. Where both are asked for, ours wins.

        :param dict vals: values about to be written on a website
        :return: the values to write besides
        :rtype: dict
        """
        if vals.get("cart_recovery_enabled"):
            return {"send_abandoned_cart_email": False}
        if vals.get("send_abandoned_cart_email"):
            return {"cart_recovery_enabled": False}
        return {}
