from odoo import fields, models


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
