from odoo import api, fields, models
from odoo.exceptions import ValidationError


class MarketingSequenceStep(models.Model):
    """A step may bring a coupon along, or speak of the one the person has."""

    _inherit = "marketing.sequence.step"

    coupon_use = fields.Selection(
        [
            ("none", "No coupon"),
            ("new", "A new coupon"),
            ("remind", "Remind of the coupon"),
        ],
        string="Coupon",
        required=True,
        default="none",
        help="A reminder speaks of the coupon that an earlier step handed out. Who has "
        "used it, or has none, does not get the message.",
    )
    coupon_id = fields.Many2one(
        "marketing.coupon",
        string="Coupon Rule",
        ondelete="restrict",
        check_company=True,
        index="btree_not_null",
    )

    @api.depends("coupon_use")
    def _compute_template_words(self):
        res = super()._compute_template_words()
        # The preview speaks of a sample coupon, not of this step's.
        for step in self.filtered(lambda step: step.coupon_use != "none"):
            step.template_words = step.template_id.name
        return res

    @api.depends("coupon_use", "coupon_id.name")
    def _compute_notes(self):
        res = super()._compute_notes()
        for step in self.filtered(lambda step: step.coupon_use != "none"):
            text = (
                self.env._("With a coupon: %s", step.coupon_id.name or "")
                if step.coupon_use == "new"
                else self.env._("Reminds of the coupon")
            )
            step.notes = [*(step.notes or []), {"icon": "fa-ticket", "text": text}]
        return res

    @api.model
    def _get_version_fields(self):
        return [*super()._get_version_fields(), "coupon_use", "coupon_id"]

    @api.constrains("coupon_use", "coupon_id")
    def _check_coupon(self):
        for step in self:
            if step.coupon_use == "new" and not step.coupon_id:
                raise ValidationError(
                    self.env._(
                        "Choose which coupon the step “%s” hands out.", step.name
                    )
                )

    @api.onchange("coupon_use")
    def _onchange_coupon_use(self):
        if self.coupon_use != "new":
            self.coupon_id = False
