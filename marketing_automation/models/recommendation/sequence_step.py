from odoo import api, fields, models


class MarketingSequenceStep(models.Model):
    _inherit = "marketing.sequence.step"

    offer_count = fields.Integer(
        string="Similar Products",
        help="So many products similar to those in the cart are proposed, where the "
        "template says “offers”. 0 proposes none.",
    )

    _offer_count_range = models.Constraint(
        "CHECK(offer_count BETWEEN 0 AND 5)",
        "A message can propose up to 5 similar products.",
    )

    @api.depends("offer_count")
    def _compute_notes(self):
        res = super()._compute_notes()
        for step in self.filtered("offer_count"):
            text = self.env._("Up to %s similar products", step.offer_count)
            step.notes = [*(step.notes or []), {"icon": "fa-th-large", "text": text}]
        return res

    @api.model
    def _get_version_fields(self):
        return [*super()._get_version_fields(), "offer_count"]
