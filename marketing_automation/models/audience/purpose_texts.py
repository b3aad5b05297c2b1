"""What people read about each purpose, where they choose."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

PURPOSE_TEXTS = {
    "newsletter": _lt("What is new with us, from time to time."),
    "offers": _lt("Special offers, discounts and vouchers."),
    "cart": _lt("A reminder when you left something in your cart."),
    "product_updates": _lt("News about products you have bought or looked at."),
    "back_in_stock": _lt("A word when a product you wait for is available again."),
}
