"""Which telephone numbers a text message can be wasted on, or made money with."""

from functools import lru_cache

# Kinds of numbers whose owners earn by each message, or that no person has in a pocket.
# (Names of phonenumbers.PhoneNumberType.)
REFUSED_KINDS = ("PREMIUM_RATE", "SHARED_COST", "PERSONAL_NUMBER", "PAGER", "UAN")
# Numbers of no country: satellite networks and the like (ITU-T E.164, +870 to +888).
NO_COUNTRY = "001"


@lru_cache(maxsize=20_000)
def get_country(e164):
    """Return the country of a telephone number that people can be written to at.

    :param str e164: such as ``+36301234567``
    :return: ISO 3166-1 code of two letters; '' for premium rate, shared cost, satellite
        and similar numbers, and what is no number. None if that cannot be told: the
        library ``phonenumbers`` is not installed
    :rtype: str | None
    """
    try:
        import phonenumbers
    except ImportError:
        return None
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ""
    kinds = phonenumbers.PhoneNumberType
    refused = {getattr(kinds, name) for name in REFUSED_KINDS}
    region = phonenumbers.region_code_for_number(number)
    if region in (None, NO_COUNTRY) or phonenumbers.number_type(number) in refused:
        return ""
    return region
