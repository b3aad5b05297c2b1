"""Ready-made pieces of a template, written from what somebody chose in a dialog.

The outcome is the Jinja2 source a person would write, and stays theirs to edit.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

# What a text can be for some recipients only.
CONDITIONS = ("first_name", "language", "segment", "value", "coupon", "price_drop")
MAX_PRODUCTS = 16
# The merge tag each condition asks.
_NEEDED = {
    "first_name": "customer.first_name",
    "language": "language",
    "segment": "segments",
    "value": "cart.total_amount",
    "coupon": "coupon.code",
    "price_drop": "product.price_before",
}


class BlockError(Exception):
    """What was chosen makes no block.

    :ivar str option: which choice
    :ivar str fault: ``missing``, ``number`` or ``address``
    """

    def __init__(self, option, fault):
        super().__init__(f"{option}: {fault}")
        self.option = option
        self.fault = fault


@dataclass(frozen=True)
class Block:
    """One piece.

    :ivar needs: merge tags it speaks of, by the first part of their name
    :ivar options: what is to be chosen
    :ivar is_inline: whether it fits into a subject
    :ivar channels: where it fits
    """

    needs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    is_inline: bool = False
    channels: tuple[str, ...] = ("email",)


BLOCKS = {
    "button": Block(options=("label", "target")),
    "cart_items": Block(needs=("cart",)),
    "order_summary": Block(needs=("order",)),
    "product_card": Block(needs=("products",)),
    "recommended": Block(needs=("recommended",), options=("count",)),
    "offers": Block(needs=("offers",), options=("count",)),
    "coupon": Block(needs=("coupon",)),
    "condition": Block(
        options=("condition", "then", "else"), is_inline=True, channels=("email", "sms")
    ),
    "footer": Block(),
    "frame": Block(),
}


def list_blocks(tags: Collection[str], channel: str) -> list[str]:
    """The blocks for a kind of template.

    :param tags: the merge tags it knows
    :param channel: ``email`` or ``sms``
    """
    roots = {name.partition(".")[0] for name in tags}
    return [
        key
        for key, block in BLOCKS.items()
        if channel in block.channels and roots.issuperset(block.needs)
    ]


def list_conditions(tags: Collection[str]) -> list[str]:
    """The conditions for a kind of template."""
    return [key for key in CONDITIONS if _NEEDED[key] in tags]


def build_block(key: str, options: Mapping[str, str]) -> str:
    """Write a block.

    :param key: one of BLOCKS
    :param options: what was chosen, as text: ``label``, ``target`` (a merge tag or an
        address), ``count``, ``condition`` (one of CONDITIONS) with ``language``,
        ``segment`` (a name) or ``value``, ``then``, ``else``
    :return: source
    :raise BlockError: something is missing, or is not what it has to be
    """
    write = _WRITERS.get(key)
    return write(options) if write else f'{{% include "{key}" %}}\n'


def quote(text: str) -> str:
    """Write a text as a string of Jinja2."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _button(options):
    label = quote(_require(options, "label"))
    return f"{{{{ button({label}, {_target(options)}) }}}}\n"


def _target(options):
    target = _require(options, "target")
    if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", target):
        return target
    if target.startswith("/"):
        return f"shop.url ~ {quote(target)}"
    if not re.match(r"(https?://|mailto:|tel:)\S+$", target):
        raise BlockError("target", "address")
    return quote(target)


def _products(name):
    def write(options):
        count = (options.get("count") or "").strip()
        if not count:
            return f'{{% include "{name}" %}}\n'
        number = _number(count, "count")
        if not 1 <= number <= MAX_PRODUCTS:
            raise BlockError("count", "number")
        return (
            f"{{% if {name} %}}\n"
            f"{{% set {name} = {name}[:{number:.0f}] %}}\n"
            f'{{% include "{name}" %}}\n'
            "{% endif %}\n"
        )

    return write


def _condition(options):
    kind = options.get("condition")
    if kind not in CONDITIONS:
        raise BlockError("condition", "missing")
    then = _require(options, "then")
    otherwise = (options.get("else") or "").strip()
    alternative = f"{{% else %}}{otherwise}" if otherwise else ""
    return f"{{% if {_test(kind, options)} %}}{then}{alternative}{{% endif %}}"


def _test(kind, options):
    if kind == "language":
        return f"language == {quote(_require(options, 'language'))}"
    if kind == "segment":
        return f"{quote(_require(options, 'segment'))} in segments"
    if kind == "value":
        number = _number(_require(options, "value"), "value")
        return f"cart.total_amount >= {number:g}"
    return {
        "first_name": "customer.first_name",
        "coupon": "coupon",
        "price_drop": "product.price_before",
    }[kind]


def _number(text, option):
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise BlockError(option, "number") from None


def _require(options, name):
    value = (options.get(name) or "").strip()
    if not value:
        raise BlockError(name, "missing")
    return value


def _frame(_options):
    return '{% extends "layout" %}\n{% block content %}\n\n{% endblock %}\n'


# All others are partials of the same name.
_WRITERS = {
    "button": _button,
    "recommended": _products("recommended"),
    "offers": _products("offers"),
    "condition": _condition,
    "frame": _frame,
}
