"""Where a mobile phone is at home, as far as its number tells.

One table answers for one number and, in SQL, for a million: numbers in their order, cut
into ranges whose people have the same clock.
"""

import re
from bisect import bisect_right
from datetime import datetime
from functools import cache, lru_cache

import pytz

# What a number must look like; both Python and PostgreSQL understand it.
E164_PATTERN = r"\+[1-9][0-9]{6,14}"
# No place is told by more of them.
DIGITS = 9
# Country calling code of North America: there, mobile phones belong to an area.
NORTH_AMERICA = 1


def timezone_of_phone(e164):
    """Return the time zone of a mobile phone, if its country or area has only one
    clock.

    :param str e164: such as ``+36301234567``
    :return: a name of the tz database; None if there are several, it is not a number,
        or the library ``phonenumbers`` is not installed
    :rtype: str | None
    """
    if not re.fullmatch(E164_PATTERN, e164 or ""):
        return None
    starts, zones = get_ranges()
    return zones[bisect_right(starts, _as_place(e164[1:]))]


@lru_cache(maxsize=1)
def get_ranges():
    """Return the ranges of numbers with the same time zone.

    :return: the first nine digits of the first number of each range, rising; and the
        zones of numbers that have 0, 1, … of them at or below themselves, None for
        those of which it is not known
    :rtype: tuple[list[int], list[str | None]]
    """
    prefixes = _get_prefixes()
    edges = {_as_place(prefix) for prefix in prefixes}
    edges |= {_as_place(prefix, "9") + 1 for prefix in prefixes}
    starts, zones = [], [None]
    for edge in sorted(edges):
        zone = _look_up(prefixes, str(edge).zfill(DIGITS))
        if zone != zones[-1]:
            starts.append(edge)
            zones.append(zone)
    return starts, zones


def _as_place(digits, fill="0"):
    return int(digits[:DIGITS].ljust(DIGITS, fill))


def _look_up(prefixes, digits):
    """Return what the longest prefix says."""
    for length in range(DIGITS, 0, -1):
        if digits[:length] in prefixes:
            return prefixes[digits[:length]]
    return None


def _get_prefixes():
    """Return the zones by prefix, None where there are several; nothing without the
    library. Outside the countries where mobile phones belong to an area, a number says
    nothing but its country."""
    try:
        # Its tables take a while to load: only for those who ask.
        from phonenumbers import PhoneNumberType, phonenumberutil, tzdata
    except ImportError:
        return {}
    countries = phonenumberutil.COUNTRY_CODE_TO_REGION_CODE
    by_area = tuple(
        str(code)
        for code in countries
        if code == NORTH_AMERICA
        or phonenumberutil.is_number_type_geographical(PhoneNumberType.MOBILE, code)
    )
    codes = set(map(str, countries))
    return {
        prefix: _get_only(zones)
        for prefix, zones in tzdata.TIMEZONE_DATA.items()
        if prefix in codes or prefix.startswith(by_area)
    }


def _get_only(zones):
    """Return the zone, or one of several that show the same all year: the clocks of
    London and Guernsey, of Rome and the Vatican."""
    known = [zone for zone in zones if zone in pytz.all_timezones_set]
    clocks = {_get_clock(zone) for zone in known}
    return known[0] if len(clocks) == 1 and len(known) == len(zones) else None


@cache
def _get_clock(zone):
    """Return how far the clocks are ahead of UTC in each month of this year."""
    year = datetime.now().year
    days = (datetime(year, month, 15, tzinfo=pytz.utc) for month in range(1, 13))
    return tuple(day.astimezone(pytz.timezone(zone)).utcoffset() for day in days)
