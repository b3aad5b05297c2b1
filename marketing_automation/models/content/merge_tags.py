"""What templates can say, with made-up values to check and preview them with."""

from typing import NamedTuple

from odoo.tools.translate import LazyTranslate

from ...tools.samples import get_samples

_lt = LazyTranslate(__name__)

# In English; see get_samples for the other languages.
SAMPLES = get_samples()
SAMPLE_CART_CONTEXT = SAMPLES["cart"]
SAMPLE_CONTACT_CONTEXT = SAMPLES["contact"]
SAMPLE_OPT_IN_CONTEXT = SAMPLES["opt_in"]
SAMPLE_PRODUCT_CONTEXT = SAMPLES["product"]
SAMPLE_ORDER_CONTEXT = SAMPLES["order"]

# What not every message knows.
OF_CARTS = ("cart", "coupon", "offers")

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

# What all messages to somebody we know can say.
COMMON_TAGS = tuple(
    tag for tag in CART_TAGS if tag.name.partition(".")[0] not in OF_CARTS
)

CONTACT_TAGS = (
    *COMMON_TAGS[:3],
    MergeTag(
        "recommended",
        _lt("Best sellers: {% for product in recommended %}; may be empty"),
    ),
    MergeTag(
        "segments",
        _lt("Names of their segments: {% if 'Loyal customers' in segments %}"),
    ),
    *(tag for tag in CART_TAGS if tag.name.startswith("coupon.")),
    *COMMON_TAGS[3:],
)

PRODUCT_TAGS = (
    *COMMON_TAGS[:3],
    MergeTag("product.name", _lt("Product name with its variant")),
    MergeTag("product.price", _lt("What it costs today, for this customer")),
    MergeTag(
        "product.price_before", _lt("What it cost before; empty unless it was more")
    ),
    MergeTag("product.image_url", _lt("Address of the picture")),
    MergeTag("product.url", _lt("Address of the product page")),
    MergeTag(
        "products",
        _lt("All of them, “product” first: {% for product in products %}"),
    ),
    *COMMON_TAGS[3:],
)

ORDER_TAGS = (
    *COMMON_TAGS[:3],
    MergeTag("order.name", _lt("Number of the order")),
    MergeTag("order.date", _lt("Day of the order")),
    MergeTag(
        "order.lines", _lt("The products: use with {% for line in order.lines %}")
    ),
    MergeTag("order.count", _lt("Number of pieces in the order")),
    MergeTag("order.more_count", _lt("Products of the order that are not in the list")),
    MergeTag("order.total", _lt("Total of the order")),
    MergeTag("order.url", _lt("Link to the order in the customer's account")),
    *COMMON_TAGS[3:],
)

# What the email that asks for a confirmation has in common with the others.
OPT_IN_SHARED = ("shop", "company", "labels", "language", "direction", "year")

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

# What a line of an order has in common with one of a cart.
OF_ORDER_LINES = (
    "name",
    "quantity",
    "price_unit",
    "price_subtotal",
    "image_url",
    "url",
)
# In a loop over order.lines.
ORDER_LINE_TAGS = (
    *(tag for tag in CART_LINE_TAGS if tag.name.split(".")[1] in OF_ORDER_LINES),
    MergeTag("line.review_url", _lt("Where a review can be written; may be empty")),
)


def get_sample(name: str, context: dict):
    """Return the value a merge tag has in a context.

    :param name: name of a tag in CART_TAGS or CART_LINE_TAGS
    :param context: a context such as SAMPLE_CART_CONTEXT
    """
    value = dict(context)
    for source in ("cart", "order"):
        if source in context:
            value["line"] = context[source]["lines"][0]
    for key in name.split("."):
        value = value[key]
    return value
