"""What templates can say, with made-up values to check and preview them with."""

from typing import NamedTuple

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

SAMPLE_SHOP_URL = "https://shop.example.com"

SAMPLE_CART_CONTEXT = {
    "customer": {
        "name": "Anna Miller",
        "first_name": "Anna",
        "email": "anna.miller@example.com",
    },
    "cart": {
        "lines": [
            {
                "name": "Stoneware Mug (Ocean Blue)",
                "quantity": 2,
                "price_unit": "$ 14.50",
                "price_subtotal": "$ 29.00",
                "image_url": "/marketing_automation/static/img/sample/mug.svg",
                "url": f"{SAMPLE_SHOP_URL}/shop/stoneware-mug-1",
                "price_before": "$ 16.00 when you left it",
                "stock_note": "",
            },
            {
                "name": "Reading Lamp",
                "quantity": 1,
                "price_unit": "$ 64.00",
                "price_subtotal": "$ 64.00",
                "image_url": "/marketing_automation/static/img/sample/lamp.svg",
                "url": f"{SAMPLE_SHOP_URL}/shop/reading-lamp-2",
                "price_before": "",
                "stock_note": "",
            },
            {
                "name": "Canvas Backpack, 20 litres",
                "quantity": 1,
                "price_unit": "$ 89.90",
                "price_subtotal": "$ 89.90",
                "image_url": "/marketing_automation/static/img/sample/backpack.svg",
                "url": f"{SAMPLE_SHOP_URL}/shop/canvas-backpack-3",
                "price_before": "",
                "stock_note": "Only 3 left",
            },
        ],
        "count": 4,
        "more_count": 0,
        "total": "$ 182.90",
        "total_amount": 182.9,
        "total_note": "",
        "currency": "USD",
        "recovery_url": f"{SAMPLE_SHOP_URL}/shop/cart/recover/sample",
        "payment_url": f"{SAMPLE_SHOP_URL}/shop/cart/recover/sample?to=payment",
        "replacements": [],
    },
    "offers": [
        {
            "name": "Stoneware Bowl",
            "image_url": "/marketing_automation/static/img/sample/mug.svg",
            "url": f"{SAMPLE_SHOP_URL}/shop/stoneware-bowl-4",
            "price": "$ 18.00",
        },
        {
            "name": "Desk Lamp",
            "image_url": "/marketing_automation/static/img/sample/lamp.svg",
            "url": f"{SAMPLE_SHOP_URL}/shop/desk-lamp-5",
            "price": "$ 59.00",
        },
    ],
    "coupon": {
        "code": "BACK-7KD4M-XQ9TW-HR3A",
        "discount": "10%",
        "limited": False,
        "expires": "July 7, 2026",
        "minimum": "$ 91.45",
    },
    "shop": {
        "name": "Example Shop",
        "url": SAMPLE_SHOP_URL,
        "logo_url": "",
    },
    "company": {
        "name": "Example Shop Ltd",
        "street": "1 Market Street",
        "zip": "94105",
        "city": "San Francisco",
        "country": "United States",
        "phone": "+1 555 0100",
        "email": "hello@example.com",
        "address": "1 Market Street, San Francisco CA 94105, United States",
    },
    "labels": {
        "total": "Total",
        "more": "and 2 more",
        "replacements": "In place of what is no longer available",
        "offers": "You might also like",
        "reason": "You receive this email because you left items in your cart at "
        "Example Shop.",
        "preferences": "Preferences",
        "unsubscribe": "Unsubscribe",
    },
    "preferences_url": f"{SAMPLE_SHOP_URL}/marketing/preferences/sample",
    "unsubscribe_url": f"{SAMPLE_SHOP_URL}/marketing/unsubscribe/sample",
    "language": "en",
    "direction": "ltr",
    "year": 2026,
}


# What only messages about carts know.
OF_CARTS = ("cart", "coupon", "offers")

SAMPLE_CONTACT_CONTEXT = {
    key: value for key, value in SAMPLE_CART_CONTEXT.items() if key not in OF_CARTS
} | {
    "labels": {
        **SAMPLE_CART_CONTEXT["labels"],
        "reason": "You receive this email because you are in contact with "
        "Example Shop.",
    },
}

# Values of one person, that differ in content which many receive.
PERSONAL_TAGS = frozenset(
    {
        "customer.name",
        "customer.first_name",
        "customer.email",
        "preferences_url",
        "unsubscribe_url",
    }
)


class MergeTag(NamedTuple):
    """One thing a template can say. The sample is the one of SAMPLE_CART_CONTEXT."""

    name: str
    meaning: str


CART_TAGS = (
    MergeTag("customer.first_name", _lt("First name; empty when not known")),
    MergeTag("customer.name", _lt("Full name; empty when not known")),
    MergeTag("customer.email", _lt("Email address")),
    MergeTag("cart.lines", _lt("The products: use with {% for line in cart.lines %}")),
    MergeTag("cart.count", _lt("Number of pieces in the cart")),
    MergeTag("cart.more_count", _lt("Products in the cart that are not in the list")),
    MergeTag("cart.total", _lt("Sum of the products, as the shop shows prices")),
    MergeTag("cart.total_amount", _lt("The same as a number, for conditions")),
    MergeTag("cart.total_note", _lt("What the sum does not include; may be empty")),
    MergeTag("cart.currency", _lt("Currency code")),
    MergeTag("cart.recovery_url", _lt("Link that brings the cart back")),
    MergeTag("cart.payment_url", _lt("The same link, straight on to the payment")),
    MergeTag(
        "cart.replacements",
        _lt("Similar to what cannot be bought any more; often empty"),
    ),
    MergeTag(
        "offers",
        _lt("Products similar to what is in the cart, if the step asks for them"),
    ),
    MergeTag(
        "coupon.code", _lt("Code of the person's coupon, between {% if coupon %}")
    ),
    MergeTag("coupon.discount", _lt("What the coupon takes off")),
    MergeTag("coupon.limited", _lt("Whether some products may get less off")),
    MergeTag("coupon.expires", _lt("Last day of the coupon")),
    MergeTag("coupon.minimum", _lt("Smallest order for the coupon; may be empty")),
    MergeTag("shop.name", _lt("Name of the website")),
    MergeTag("shop.url", _lt("Address of the website")),
    MergeTag("shop.logo_url", _lt("Address of the logo; empty when there is none")),
    MergeTag("company.name", _lt("Company name")),
    MergeTag("company.address", _lt("Postal address in one line")),
    MergeTag("company.street", _lt("Street")),
    MergeTag("company.zip", _lt("Postal code")),
    MergeTag("company.city", _lt("City")),
    MergeTag("company.country", _lt("Country")),
    MergeTag("company.phone", _lt("Phone number")),
    MergeTag("company.email", _lt("Email address of the company")),
    MergeTag("preferences_url", _lt("Link to choose what to receive, and how often")),
    MergeTag("unsubscribe_url", _lt("Link to unsubscribe")),
    MergeTag("labels", _lt("The words of the ready-made blocks, translated")),
    MergeTag("language", _lt("Language code of the recipient")),
    MergeTag("direction", _lt("Writing direction: ltr or rtl")),
    MergeTag("year", _lt("This year")),
)

CONTACT_TAGS = tuple(
    tag for tag in CART_TAGS if tag.name.partition(".")[0] not in OF_CARTS
)

# What the email that asks for a confirmation has in common with the others.
OPT_IN_SHARED = ("shop", "company", "labels", "language", "direction", "year")

SAMPLE_OPT_IN_CONTEXT = {
    **{name: SAMPLE_CART_CONTEXT[name] for name in OPT_IN_SHARED},
    "labels": {
        **SAMPLE_CART_CONTEXT["labels"],
        "reason": "You receive this email because your address was entered at "
        "Example Shop.",
    },
    "email": "anna.miller@example.com",
    "confirm_url": f"{SAMPLE_SHOP_URL}/marketing/confirm/sample",
    "purposes": ["Newsletter", "Offers"],
    "consent_text": "Email me the newsletter of Example Shop.",
    "expires_on": "July 7, 2026",
    "preferences_url": "",
    "unsubscribe_url": SAMPLE_CART_CONTEXT["unsubscribe_url"],
}

OPT_IN_TAGS = (
    MergeTag("confirm_url", _lt("Link to the page where it is confirmed")),
    MergeTag("email", _lt("Email address that was entered")),
    MergeTag("purposes", _lt("What was ticked: {{ purposes|join(', ') }}")),
    MergeTag("consent_text", _lt("What stood next to the boxes; may be empty")),
    MergeTag("expires_on", _lt("Last day the link can be used")),
    *(
        tag
        for tag in CART_TAGS
        if tag.name.partition(".")[0] in (*OPT_IN_SHARED, "unsubscribe_url")
    ),
)

# In a loop over cart.lines.
CART_LINE_TAGS = (
    MergeTag("line.name", _lt("Product name with its variant")),
    MergeTag("line.quantity", _lt("Quantity")),
    MergeTag("line.price_unit", _lt("Price of one, discounts included")),
    MergeTag("line.price_subtotal", _lt("Price of the line")),
    MergeTag("line.image_url", _lt("Address of the picture; empty when there is none")),
    MergeTag("line.url", _lt("Address of the product page")),
    MergeTag("line.price_before", _lt("What it cost then, if it is cheaper today")),
    MergeTag("line.stock_note", _lt("How few are left, where that is true; or empty")),
)

# What templates can include or call; the sources are in tools/partials.
BLOCKS = (
    MergeTag(
        '{% extends "layout" %}{% block content %} … {% endblock %}',
        _lt("The frame of an HTML email: styles, header, your text, footer"),
    ),
    MergeTag('{% include "cart_items" %}', _lt("The products in the cart, the total")),
    MergeTag('{% include "offers" %}', _lt("The products of the step's offers")),
    MergeTag(
        '{{ button("Label", cart.recovery_url) }}',
        _lt("A button; in plain text, the label and the link"),
    ),
    MergeTag(
        '{% include "footer" %}',
        _lt(
            "Reason, postal address, links to the preferences and to unsubscribe; the "
            "frame brings them along"
        ),
    ),
    MergeTag(
        "{% if coupon %} … {% endif %}",
        _lt("Text for recipients who have a coupon"),
    ),
    MergeTag(
        "{% if cart.total_amount > 100 %} … {% endif %}",
        _lt("Text for some recipients only"),
    ),
)


# A text message has no frame.
SMS_BLOCKS = BLOCKS[-2:]


def get_sample(name: str, context: dict):
    """Return the value a merge tag has in a context.

    :param name: name of a tag in CART_TAGS or CART_LINE_TAGS
    :param context: a context such as SAMPLE_CART_CONTEXT
    """
    value = dict(context)
    if "cart" in context:
        value["line"] = context["cart"]["lines"][0]
    for key in name.split("."):
        value = value[key]
    return value
