from odoo import fields, models


class AbandonedCartLine(models.Model):
    """What the customer saw in the cart when leaving it, kept as it was then."""

    _name = "abandoned.cart.line"
    _description = "Abandoned Cart Line"
    _order = "cart_id, id"
    # Written in bulk by detection alone; who and when is the cart's.
    _log_access = False

    cart_id = fields.Many2one(
        "abandoned.cart", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="cart_id.company_id")
    product_id = fields.Many2one(
        "product.product", readonly=True, index="btree_not_null", ondelete="set null"
    )
    name = fields.Char(string="Product Name", readonly=True)
    quantity = fields.Float(readonly=True, digits="Product Unit")
    currency_id = fields.Many2one(related="cart_id.currency_id")
    price_unit = fields.Monetary(string="Unit Price", readonly=True)
    price_subtotal = fields.Monetary(string="Subtotal", readonly=True)
    image_url = fields.Char(string="Image", readonly=True)
