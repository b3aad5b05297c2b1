"""Texts of others in files that are opened with a spreadsheet."""

import re

# What spreadsheets take for a formula, also behind signs they ignore and in the full
# width of East Asian keyboards (OWASP, "CSV Injection").
_FORMULA = re.compile(
    r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n|]"
)


def escape_formula(value):
    """Return a value for a cell, as text where it would be a formula.

    :param value: anything; what is no text stays as it is
    :return: with an apostrophe in front of what a spreadsheet would calculate
    """
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
