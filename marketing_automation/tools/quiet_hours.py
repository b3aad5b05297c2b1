"""When a person may be written to: their time zone, quiet hours and send windows in it.

Moments are UTC everywhere else; this is the only place that turns them into local time.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import pytz

from .timezones import MAIN_ZONES, OLD_PREFIXES, STATE_ZONES
from .wall_time import get_zone

_DAY = 24 * 3600
_SECOND = timedelta(seconds=1)
_OPEN = timedelta()
# Saturday and Sunday, as `datetime.weekday` counts.
_WEEKEND = (5, 6)
# Beyond this nothing opens any more: each week is like the other.
_LONGEST = timedelta(days=9)


class SendWindow(NamedTuple):
    """The hours at which something may be sent, on the clock on a person's wall.

    :param start: hour of the day, 0 to 24, from which it may
    :param end: hour of the day, 0 to 24, from which it may no longer. May be before
        ``start``, for windows across midnight. The same hour means all day.
    :param weekdays_only: Monday to Friday alone
    """

    start: float = 0.0
    end: float = 0.0
    weekdays_only: bool = False


ANY_TIME = SendWindow()


def next_allowed(moment, tz_name, quiet_from, quiet_until, window=ANY_TIME):
    """Return the first moment that is outside the quiet hours and in the send window.

    What counts is the clock on a person's wall, as the tz database has it. Where the
    end of the quiet hours is skipped (the clock goes forward), they end with the first
    moment that exists after it; where it comes twice (the clock goes back), with the
    first one, and the part of the window that is repeated is quiet again.

    Where a window leaves nothing but quiet hours, there is no such moment: quiet hours
    are a promise to people and hold, and the window does not.

    :param datetime moment: naive, UTC
    :param str tz_name: name of the tz database; UTC if it is none
    :param float quiet_from: hour of the day, local, 0 to 24, from which it is quiet
    :param float quiet_until: hour of the day, local, 0 to 24, from which it is not. May
        be before ``quiet_from``, for windows across midnight. The same hour means that
        there are no quiet hours, and so does 0 to 24: they would never end.
    :param SendWindow window: when it may be sent
    :return: ``moment`` itself, or the first one that is allowed; naive, UTC
    :rtype: datetime
    """
    quiet = _closed(quiet_from, quiet_until)
    # What a window leaves out is as good as quiet.
    closings = quiet + _closed(window.end, window.start)
    allowed = _next_open(moment, tz_name, closings, window.weekdays_only)
    if allowed is None:
        return _next_open(moment, tz_name, quiet, False)
    return allowed


def _closed(start, end):
    """What is closed from one hour to another: pairs of start and length, seconds."""
    start, end = _seconds(start), _seconds(end)
    length = (end - start) % _DAY
    return [(start, length)] if length else []


def _next_open(moment, tz_name, closings, weekdays_only):
    """Return the first moment at which nothing is closed; None if there is none."""
    give_up_at = moment + _LONGEST
    while moment < give_up_at:
        offset, ends = _clock(tz_name, moment)
        local = moment + offset
        left = max(
            (_closed_left(local, start, length) for start, length in closings),
            default=_OPEN,
        )
        if weekdays_only and local.weekday() in _WEEKEND:
            left = max(left, _until_midnight(local))
        if not left:
            return moment
        moment = min(moment + left, ends)
    return None


def _seconds(hour):
    return round(hour * 3600) % _DAY


def _closed_left(local, start, length):
    """How long it stays closed while the clock is not changed; nothing if open."""
    clock = local.hour * 3600 + local.minute * 60 + local.second
    elapsed = (clock - start) % _DAY
    if elapsed >= length:
        return _OPEN
    return timedelta(seconds=length - elapsed, microseconds=-local.microsecond)


def _until_midnight(local):
    return _closed_left(local, 0, _DAY)


def _clock(tz_name, moment):
    """How a clock goes at a moment: how far it is ahead of UTC, and until when this
    holds at least."""
    return next(how for how in _day(tz_name, moment.date()) if moment < how[1])


@lru_cache(maxsize=8192)
def _day(tz_name, day):
    """The same for a day (UTC): ``((offset, ends), …)``, one where no clock is set."""
    zone = get_zone(tz_name)
    start = datetime(day.year, day.month, day.day)
    # Whole hours, each up to its last second: no zone has set its clock back and forth
    # within one.
    looks = [start, *(start + timedelta(hours=hour) - _SECOND for hour in range(1, 25))]
    offsets = [_offset(zone, look) for look in looks]
    changes = [
        (offsets[index], _change(zone, looks[index], looks[index + 1]))
        for index in range(24)
        if offsets[index] != offsets[index + 1]
    ]
    return (*changes, (offsets[-1], start + timedelta(days=1)))


def _offset(zone, moment):
    return zone.fromutc(moment).replace(tzinfo=None) - moment


def _change(zone, before, after):
    """The first second in which a zone has the offset of ``after``."""
    offset = _offset(zone, after)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


@lru_cache(maxsize=16384)
def timezone_of(country_code, state_code="", fallback="UTC"):
    """Return the time zone in which a person with this address probably lives.

    :param str country_code: ISO 3166-1, two letters, in any case; may be empty
    :param str state_code: the code of Odoo's ``res.country.state``; may be empty
    :param str fallback: name of the zone to take when the address does not tell, such
        as the company's. In a country with several zones it is taken only if it lies
        there; else that of most of the country's people is.
    :return: a name of the tz database
    :rtype: str
    """
    country = (country_code or "").strip().upper()
    state = (state_code or "").strip().upper()
    zones = pytz.country_timezones.get(country) or ()
    if len(zones) == 1:
        return zones[0]
    by_state = STATE_ZONES.get(country, {}).get(state)
    if by_state in pytz.all_timezones_set:
        return by_state
    main = MAIN_ZONES.get(country)
    known = fallback if fallback in pytz.all_timezones_set else "UTC"
    if main not in pytz.all_timezones_set or _lies_in(known, country, zones):
        return known
    return main


def _lies_in(zone, country, zones):
    old = OLD_PREFIXES.get(country)
    return zone in zones or bool(old and zone.startswith(old))


def timezone_of_person(country_code, state_code, by_number, tz, fallback):
    """Return the time zone in which a person probably lives, by what is known of them:
    the address, else the number that is written to, else the contact's own time zone.

    :param str country_code: of the address; empty if it names none
    :param str state_code: of the address; may be empty
    :param str by_number: see :func:`.phone_zones.timezone_of_phone`; None where it does
        not tell, or no number is written to
    :param str tz: of the contact; may be empty
    :param str fallback: such as the company's
    :return: a name of the tz database
    :rtype: str
    """
    if country_code:
        return timezone_of(country_code, state_code or "", fallback)
    return by_number or tz or fallback
