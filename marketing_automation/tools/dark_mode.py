"""What cannot be read where mail programs turn an email dark.

A style that names the colour of the text and not the one behind it (or the other way
round) is right on one ground only: the other colour is the mail program's or the
frame's, and is exchanged at night.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from .markup import Element, find_elements

# What the frame has behind the text, by day and at night (partials/html/layout.jinja).
LIGHT, DARK = (255, 255, 255), (31, 41, 55)
# Large text needs 3:1 (WCAG 2.1, 1.4.3); what has less cannot be read at all.
READABLE = 3.0
NAMED = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "navy": (0, 0, 128),
    "darkblue": (0, 0, 139),
    "blue": (0, 0, 255),
    "darkgreen": (0, 100, 0),
    "darkred": (139, 0, 0),
    "maroon": (128, 0, 0),
    "purple": (128, 0, 128),
    "yellow": (255, 255, 0),
    "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211),
    "ivory": (255, 255, 240),
    "beige": (245, 245, 220),
}
_COLOR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_GROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_NUMBERS = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Hazard:
    """Colours that can meet the wrong ones.

    :ivar kind: ``text`` (no ground of its own) or ``ground`` (no text colour of its
        own)
    :ivar color: as it is written
    """

    kind: str
    color: str


class Look(NamedTuple):
    """What an element looks like, by itself or by what it is in.

    :param is_link: links and buttons bring a text colour of their own along
    """

    color: str = ""
    ground: str = ""
    is_link: bool = False


def find_hazards(html: str) -> list[Hazard]:
    """Find colours in the ``style`` of elements that come without their other half.

    :param html: rendered, with no CSS inlined: what stands in the elements was written
        there by the author, and a style sheet can speak for the night itself
    :return: each once
    """
    found, looks = {}, {None: Look()}
    for element in find_elements(html):
        look = looks[element] = _inherit(element, looks[element.parent])
        if element.has_text and (hazard := _find_hazard(look)):
            found[hazard] = True
    return list(found)


def contrast(first: tuple, second: tuple) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.1, relative luminance)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _inherit(element: Element, outer: Look) -> Look:
    return Look(
        _get_color(element) or outer.color,
        _get_ground(element) or outer.ground,
        element.name == "a" or outer.is_link,
    )


def _find_hazard(look: Look):
    if look.color and not look.ground:
        rgb = _parse(look.color)
        if rgb and min(contrast(rgb, LIGHT), contrast(rgb, DARK)) < READABLE:
            return Hazard("text", look.color)
    if look.ground and not look.color and not look.is_link:
        rgb = _parse(look.ground)
        if rgb and contrast(rgb, (209, 213, 219)) < READABLE:
            return Hazard("ground", look.ground)
    return None


def _get_color(element):
    match = _COLOR.search(element.attributes.get("style", ""))
    if match:
        return match[1].strip()
    return element.attributes.get("color", "") if element.name == "font" else ""


def _get_ground(element):
    match = _GROUND.search(element.attributes.get("style", ""))
    value = match[1].strip() if match else element.attributes.get("bgcolor", "")
    return "" if value.lower() in ("transparent", "none", "inherit") else value


def _parse(color):
    """Return red, green and blue; None for what is not one plain colour."""
    value = color.strip().lower()
    if value in NAMED:
        return NAMED[value]
    if match := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value):
        digits = match[1] if len(match[1]) == 6 else "".join(c * 2 for c in match[1])
        return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4))
    match = _NUMBERS.match(value)
    return tuple(map(int, match.groups())) if match else None


def _luminance(rgb):
    red, green, blue = map(_linear, rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value):
    part = value / 255
    return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
