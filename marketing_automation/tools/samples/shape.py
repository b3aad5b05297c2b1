"""What the contexts look like; the builders of real values follow it."""

SHOP_URL = "https://shop.example.com"
IMAGES = "/marketing_automation/static/img/sample"

# The words of the blocks: those the real messages bring, see ``_prepare_labels``.
LABELS = {
    "total": "Total",
    "replacements": "In place of what is no longer available",
    "offers": "You might also like",
    "recommended": "Popular in our shop",
    "view": "View product",
    "before": "Before",
    "code": "Your code",
    "valid_until": "Valid until",
    "minimum": "Smallest order",
    "order": "Order",
    "review": "Write a review",
    "preferences": "Preferences",
    "unsubscribe": "Unsubscribe",
}
REASONS = {
    "cart": "You receive this email because you left items in your cart at %(shop)s.",
    "contact": "You receive this email because you are in contact with %(shop)s.",
    "opt_in": "You receive this email because your address was entered at %(shop)s.",
    "product": "You receive this email because you are in contact with %(shop)s.",
    "order": "You receive this email because you ordered at %(shop)s.",
}


def make_samples(language: str, words: dict, translate) -> dict[str, dict]:
    """Build the sample contexts of a language.

    :param language: its code, such as ``hu``
    :param words: see ``en.WORDS``
    :param translate: ``callable(english)``, for the addon's own texts
    :return: values by kind of template
    """
    surroundings = _make_surroundings(language, words, translate)
    own = {
        "cart": {
            "cart": _make_cart(words, translate),
            "offers": _make_tiles(words, ("bowl", "desk_lamp")),
            "coupon": _make_coupon(words),
        },
        "contact": {
            "recommended": _make_tiles(words, ("mug", "lamp", "backpack", "bowl")),
            "segments": words["segments"],
            "coupon": _make_coupon(words),
        },
        "opt_in": {
            "email": words["email"],
            "confirm_url": f"{SHOP_URL}/marketing/confirm/sample",
            "purposes": words["purposes"],
            "consent_text": words["consent_text"],
            "expires_on": words["expires"],
            "preferences_url": "",
        },
        "product": _make_products(words),
        "order": {"order": _make_order(words)},
    }
    samples = {}
    for kind, values in own.items():
        reason = translate(REASONS[kind]) % {"shop": words["shop"]}
        labels = {**surroundings["labels"], "reason": reason}
        samples[kind] = {**surroundings, **values, "labels": labels}
    # It greets nobody by name: anybody can enter an address.
    del samples["opt_in"]["customer"]
    return samples


def _make_surroundings(language, words, translate):
    return {
        "customer": {key: words[key] for key in ("name", "first_name", "email")},
        "shop": {"name": words["shop"], "url": SHOP_URL, "logo_url": ""},
        "company": words["company"],
        "labels": {
            **{name: translate(text) for name, text in LABELS.items()},
            "more": translate("and %(count)s more") % {"count": 2},
        },
        "preferences_url": f"{SHOP_URL}/marketing/preferences/sample",
        "unsubscribe_url": f"{SHOP_URL}/marketing/unsubscribe/sample",
        "language": language,
        "direction": "ltr",
        "year": 2026,
    }


def _make_product(words, name):
    numbers = {"mug": 1, "lamp": 2, "backpack": 3, "bowl": 4, "desk_lamp": 5}
    slug = name.replace("_", "-")
    return {
        "name": words[name],
        "image_url": f"{IMAGES}/{slug}.svg",
        "url": f"{SHOP_URL}/shop/{slug}-{numbers[name]}",
    }


def _make_tiles(words, names):
    return [
        {**_make_product(words, name), "price": words["prices"][name]} for name in names
    ]


def _make_line(words, name, quantity=1, subtotal=None):
    price = words["prices"][name]
    return {
        **_make_product(words, name),
        "quantity": quantity,
        "price_unit": price,
        "price_subtotal": subtotal or price,
    }


def _make_lines(words):
    return [
        _make_line(words, "mug", 2, words["prices"]["mugs"]),
        _make_line(words, "lamp"),
        _make_line(words, "backpack"),
    ]


def _make_cart(words, translate):
    mug, lamp, backpack = _make_lines(words)
    before = translate("%(price)s when you left it")
    recovery_url = f"{SHOP_URL}/shop/cart/recover/sample"
    mug |= {
        "price_before": before % {"price": words["prices"]["mug_before"]},
        "stock_note": "",
    }
    lamp |= {"price_before": "", "stock_note": ""}
    few = translate("Only %(count)s left") % {"count": 3}
    backpack |= {"price_before": "", "stock_note": few}
    return {
        "lines": [mug, lamp, backpack],
        "count": 4,
        "more_count": 0,
        "total": words["prices"]["total"],
        "total_amount": words["total_amount"],
        "total_note": "",
        "currency": words["currency"],
        "recovery_url": recovery_url,
        "payment_url": f"{recovery_url}?to=payment",
        "replacements": [],
    }


def _make_coupon(words):
    return {
        "code": "BACK-7KD4M-XQ9TW-HR3A",
        "discount": words["discount"],
        "limited": False,
        "expires": words["expires"],
        "minimum": words["prices"]["minimum"],
    }


def _make_products(words):
    product = {
        **_make_tiles(words, ("lamp",))[0],
        "price_before": words["prices"]["lamp_before"],
    }
    return {"product": product, "products": [product]}


def _make_order(words):
    lines = [
        {**line, "review_url": f"{line['url']}#reviews"} for line in _make_lines(words)
    ]
    return {
        "name": "S00042",
        "date": words["ordered_on"],
        "lines": lines,
        "count": 4,
        "more_count": 0,
        "total": words["prices"]["total"],
        "url": f"{SHOP_URL}/my/orders/42?access_token=sample",
    }
