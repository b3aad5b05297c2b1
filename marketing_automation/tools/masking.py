"""Secret tokens taken out of what staff get to see.

Whoever has the links of an email acts as its recipient: a shown body, a clicked link or
a quoted answer leads nowhere instead, and shows no picture that counts as an opening.
"""

import re

# In place of a token: nobody has it.
PREVIEW_TOKEN = "preview"

# A slash, also within the address that another address carries; tokens may be cut.
_SLASH = "(?:/|%(?:25){0,3}2[Ff]|&#x2[Ff];|&#47;)"
_LINK = re.compile(
    rf"({_SLASH}marketing{_SLASH}(?:open|click|unsubscribe|preferences|confirm){_SLASH}"
    rf"|{_SLASH}shop{_SLASH}cart{_SLASH}recover{_SLASH})[0-9A-Fa-f]{{8,32}}"
)
# Short links of text messages: 12 letters and digits, at the end of the address.
_SHORT = re.compile(rf"({_SLASH}m{_SLASH})[0-9A-Za-z]{{12}}(?![0-9A-Za-z/_-])")
_ACCESS = re.compile(r"(\baccess_token(?:=|%3[Dd]))[0-9A-Za-z-]{8,80}")
_PIXEL = re.compile(
    r"<img\b[^<>]{0,2000}?/marketing/open/[^<>]{0,2000}>", re.IGNORECASE
)


def mask_tokens(text, tokens=()):
    """Put ``preview`` in place of every secret token.

    :param str text: plain, HTML or an address; may be empty
    :param tokens: tokens that are known, to be found wherever they stand; those in
        links of ours are found by themselves
    :rtype: str
    """
    if not text:
        return text
    text = _SHORT.sub(rf"\1{PREVIEW_TOKEN}", _LINK.sub(rf"\1{PREVIEW_TOKEN}", text))
    text = _ACCESS.sub(rf"\1{PREVIEW_TOKEN}", text)
    # Looked for before an expression is made of it: each message has one of its own.
    lower = text.lower()
    known = [re.escape(token) for token in tokens if token and token.lower() in lower]
    if known:
        text = re.sub("|".join(known), PREVIEW_TOKEN, text, flags=re.IGNORECASE)
    return text


def mask_body(html, tokens=()):
    """Make an HTML body one that can be looked at: without the picture that counts
    openings, and without secret tokens.

    :param str html: as it was sent
    :param tokens: see :func:`mask_tokens`
    :rtype: str
    """
    return mask_tokens(_PIXEL.sub("", html), tokens) if html else html


def mask_values(value):
    """Take the tokens out of values that a template is shown with.

    :param value: text, or lists and dicts of such values; anything else stays
    :return: the same, with other texts
    """
    if isinstance(value, str):
        return mask_tokens(value)
    if isinstance(value, dict):
        return {key: mask_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mask_values(item) for item in value)
    return value
