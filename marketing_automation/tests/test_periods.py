from datetime import date

from odoo.tests import BaseCase, tagged

from ..tools import periods
from ..tools.periods import Period

TODAY = date(2026, 3, 31)


@tagged("post_install", "-at_install")
class TestPeriods(BaseCase):
    """Which days a report is about, and which it is compared with."""

    def _resolve(self, key, today=TODAY, **days):
        period = periods.resolve(key, today, **days)
        return period, periods.previous(key, period)

    def test_last_days(self):
        period, before = self._resolve("last_7")
        self.assertEqual(period, (date(2026, 3, 25), TODAY))
        self.assertEqual(before, (date(2026, 3, 18), date(2026, 3, 24)))

    def test_month_so_far(self):
        """The month before was shorter: all of it, and not a day of another."""
        period, before = self._resolve("month")
        self.assertEqual(period, (date(2026, 3, 1), TODAY))
        self.assertEqual(before, (date(2026, 2, 1), date(2026, 2, 28)))
        _period, before = self._resolve("month", date(2026, 3, 10))
        self.assertEqual(before, (date(2026, 2, 1), date(2026, 2, 10)))

    def test_year_so_far(self):
        period, before = self._resolve("year", date(2028, 2, 29))
        self.assertEqual(period, (date(2028, 1, 1), date(2028, 2, 29)))
        self.assertEqual(before, (date(2027, 1, 1), date(2027, 2, 28)))

    def test_chosen_days(self):
        days = {"first": date(2026, 1, 10), "last": date(2026, 1, 12)}
        period, before = self._resolve("custom", **days)
        self.assertEqual(period.days, 3)
        self.assertEqual(before, (date(2026, 1, 7), date(2026, 1, 9)))

    def test_days_that_make_no_period(self):
        for key, first, last in (
            ("custom", None, TODAY),
            ("custom", TODAY, None),
            ("custom", TODAY, date(2026, 3, 30)),
            ("custom", date(1990, 1, 1), TODAY),
            ("tomorrow", None, None),
        ):
            with self.subTest(key=key, first=first), self.assertRaises(ValueError):
                periods.resolve(key, TODAY, first, last)

    def test_points_make_up_the_period(self):
        for days, unit in ((7, "day"), (31, "day"), (32, "week"), (121, "month")):
            period = Period(date.fromordinal(TODAY.toordinal() - days + 1), TODAY)
            self.assertEqual(periods.get_unit(period), unit)
            points = periods.split(period, unit)
            self.assertEqual(sum(point.days for point in points), days)
            self.assertEqual(points[0].first, period.first)
            self.assertEqual(points[-1].last, TODAY)

    def test_months_are_those_of_the_calendar(self):
        points = periods.split(Period(date(2026, 1, 31), TODAY), "month")
        self.assertEqual(
            points,
            [
                (date(2026, 1, 31), date(2026, 1, 31)),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2026, 3, 1), TODAY),
            ],
        )
