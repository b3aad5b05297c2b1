"""Codes of coupons: people read them off a telephone and type them in."""

import secrets

# Without what looks like something else (0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V).
ALPHABET = "ACDEFHJKMNPQRTWXY3479"
# Letters in each group after the prefix.
GROUPS = (5, 5, 4)


def make_code(prefix=""):
    """Return a code nobody can guess: 14 of 21 letters are 61 bits.

    :param str prefix: what it begins with, such as ``BACK``; may be empty
    :return: for example ``BACK-7KD4M-XQ9TW-HR3A``
    :rtype: str
    """
    groups = ["".join(secrets.choice(ALPHABET) for _ in range(size)) for size in GROUPS]
    return "-".join([prefix, *groups] if prefix else groups)


def tidy_code(typed):
    """Return a code as it is stored, of what somebody typed or pasted.

    :param str typed: anything at all
    :rtype: str
    """
    return "".join((typed or "").split()).upper()
