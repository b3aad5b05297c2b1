from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    cart_minimum_amount = fields.Monetary(
        string="Smallest Cart Worth Recovering",
        currency_field="currency_id",
        help="Carts with products for less, without delivery, are recorded, but nobody "
        "is written to. 0 recovers every cart.",
    )
    cart_expiry_days = fields.Integer(
        string="Give Up on a Cart After",
        default=30,
        help="Days after which an abandoned cart expires: no more messages are sent "
        "and its recovery link stops working.",
    )
    attribution_days = fields.Integer(
        string="Attribution Window",
        default=5,
        help="Days after a click during which an order is credited to the message.",
    )

    _cart_minimum_amount_positive = models.Constraint(
        "CHECK(cart_minimum_amount >= 0)",
        "The smallest cart worth recovering cannot be negative. Use 0 for all carts.",
    )
    _cart_expiry_days_positive = models.Constraint(
        "CHECK(cart_expiry_days BETWEEN 1 AND 3650)",
        "A cart expires after 1 to 3650 days.",
    )
    _attribution_days_positive = models.Constraint(
        "CHECK(attribution_days BETWEEN 1 AND 3650)",
        "The attribution window has 1 to 3650 days.",
    )
