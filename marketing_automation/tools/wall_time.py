"""Moments (UTC) and what the clock on a wall shows then, in any time zone."""

from datetime import timedelta

import pytz

# Nowhere are clocks set twice within this time.
_AROUND = timedelta(days=1)


def get_zone(tz_name):
    """Return a time zone; UTC if there is none of that name.

    :param str tz_name: name of the tz database
    """
    try:
        return pytz.timezone(tz_name or "UTC")
    except pytz.UnknownTimeZoneError:
        return pytz.utc


def to_wall(moment, tz_name):
    """Return what the clock shows at a moment.

    Where the clocks are put back a time comes twice: as in Python (PEP 495), ``fold``
    is 1 for the second one.

    :param datetime moment: naive, UTC
    :param str tz_name: name of the tz database; UTC if it is none
    :rtype: datetime
    """
    zone = get_zone(tz_name)
    wall = moment + _offset(zone, moment)
    return wall.replace(fold=int(moment != to_utc(wall, tz_name)))


def to_utc(wall, tz_name):
    """Return the moment at which the clock shows a time.

    A time that comes twice is the first one, unless its ``fold`` is 1. A time that does
    not come (the clocks are put forward) is as much later as the clocks are.

    :param datetime wall: naive, local
    :param str tz_name: name of the tz database; UTC if it is none
    :return: naive, UTC
    :rtype: datetime
    """
    zone, fold, wall = get_zone(tz_name), wall.fold, wall.replace(fold=0)
    # As if the clocks had not been set yet, and as if they had been.
    early, late = (wall - _offset(zone, wall + shift) for shift in (-_AROUND, _AROUND))
    shown = sorted(
        moment for moment in {early, late} if moment + _offset(zone, moment) == wall
    )
    if not shown:
        return early
    return shown[-1] if fold else shown[0]


def _offset(zone, moment):
    return zone.fromutc(moment).replace(tzinfo=None) - moment
