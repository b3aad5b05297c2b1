"""What people are written to about. Consent is given for each of these by itself."""

PURPOSES = [
    ("newsletter", "Newsletter"),
    ("offers", "Offers"),
    ("cart", "Cart Reminders"),
    ("product_updates", "Product Updates"),
    ("back_in_stock", "Back in Stock"),
]
