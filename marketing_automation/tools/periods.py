"""Periods of a report: which days, which days before to compare with, which points.

Days are dates without a time: which moments belong to a day is for the caller to say.
"""

from datetime import date, timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

LAST_DAYS = {"last_7": 7, "last_30": 30, "last_90": 90}
PERIODS = (*LAST_DAYS, "month", "year", "custom")
DEFAULT = "last_30"
# Up to how many days a point of a chart is a day, or a week.
DAILY, WEEKLY = 31, 120
# Nobody reads a chart of more; also what keeps a request from taking for ever.
MAX_DAYS = 3660


class Period(NamedTuple):
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self):
        """Number of days."""
        return (self.last - self.first).days + 1


class BadPeriod(ValueError):
    """The days make no period."""


def resolve(key, today, first=None, last=None):
    """Return the days of a period.

    :param str key: one of ``PERIODS``
    :param date today: the last day of every period but ``custom``
    :param date first: first day, of ``custom``
    :param date last: last day, of ``custom``
    :rtype: Period
    :raise BadPeriod: no such period, or days that make none
    """
    if key in LAST_DAYS:
        return Period(today - timedelta(days=LAST_DAYS[key] - 1), today)
    if key == "month":
        return Period(today.replace(day=1), today)
    if key == "year":
        return Period(today.replace(month=1, day=1), today)
    if key != "custom" or not first or not last or first > last:
        raise BadPeriod(key)
    period = Period(first, last)
    if period.days > MAX_DAYS:
        raise BadPeriod(key)
    return period


def previous(key, period):
    """Return the days a period is compared with.

    A month or year so far: the same days of the one before, the whole of it if it was
    shorter. Everything else: as many days right before.

    :param str key: one of ``PERIODS``
    :param Period period: its days
    :rtype: Period
    """
    back = {"month": relativedelta(months=1), "year": relativedelta(years=1)}.get(key)
    if back:
        return Period(period.first - back, period.last - back)
    before = timedelta(days=period.days)
    return Period(period.first - before, period.last - before)


def get_unit(period):
    """Return what one point of a chart stands for: ``day``, ``week`` or ``month``."""
    if period.days <= DAILY:
        return "day"
    return "week" if period.days <= WEEKLY else "month"


def split(period, unit):
    """Return the points of a chart.

    Weeks are counted from the first day, so that those of two periods of the same
    length are as long as each other; months are those of the calendar.

    :param Period period: what to split
    :param str unit: ``day``, ``week`` or ``month``
    :rtype: list[Period]
    """
    step = {
        "day": relativedelta(days=1),
        "week": relativedelta(weeks=1),
        "month": relativedelta(months=1),
    }[unit]
    origin = period.first.replace(day=1) if unit == "month" else period.first
    points, number = [], 0
    while (begin := origin + step * number) <= period.last:
        number += 1
        end = origin + step * number - timedelta(days=1)
        points.append(Period(max(begin, period.first), min(end, period.last)))
    return points
