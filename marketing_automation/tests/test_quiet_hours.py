"""Quiet hours on the clock of the person, and where that clock hangs."""

import csv
from datetime import datetime, timedelta
from unittest.mock import patch

import phonenumbers
import pytz
from phonenumbers import timezone

from odoo.tests import BaseCase, tagged
from odoo.tools import file_open

from ..tools.phone_zones import get_ranges, timezone_of_phone
from ..tools.quiet_hours import SendWindow, next_allowed, timezone_of
from ..tools.timezones import MAIN_ZONES, STATE_ZONES
from .examples import examples

try:
    from hypothesis import example, given, settings, strategies
except ImportError:  # a development requirement
    given = None

BUDAPEST = "Europe/Budapest"


def utc(text):
    return datetime.fromisoformat(text)


@tagged("post_install", "-at_install")
class TestQuietHours(BaseCase):
    def assertAllowed(self, moment, expected, tz_name, quiet_from=21, quiet_until=8):
        allowed = next_allowed(utc(moment), tz_name, quiet_from, quiet_until)
        self.assertEqual(allowed, utc(expected))

    def test_across_midnight(self):
        # Budapest in winter: UTC+1.
        for moment, expected in (
            ("2026-01-10 19:59:59.999999", "2026-01-10 19:59:59.999999"),
            ("2026-01-10 20:00", "2026-01-11 07:00"),
            ("2026-01-10 22:59:59.5", "2026-01-11 07:00"),
            ("2026-01-10 23:30", "2026-01-11 07:00"),
            ("2026-01-11 06:59:59.999999", "2026-01-11 07:00"),
            ("2026-01-11 07:00", "2026-01-11 07:00"),
        ):
            with self.subTest(moment=moment):
                self.assertAllowed(moment, expected, BUDAPEST)

    def test_within_a_day(self):
        self.assertAllowed("2026-01-10 10:59", "2026-01-10 10:59", BUDAPEST, 12, 13.5)
        self.assertAllowed("2026-01-10 11:10", "2026-01-10 12:30", BUDAPEST, 12, 13.5)
        self.assertAllowed("2026-01-10 12:30", "2026-01-10 12:30", BUDAPEST, 12, 13.5)

    def test_until_and_from_midnight(self):
        for midnight in (0, 24):
            with self.subTest(midnight=midnight):
                self.assertAllowed(
                    "2026-01-10 22:00", "2026-01-10 23:00", BUDAPEST, 22, midnight
                )
                self.assertAllowed(
                    "2026-01-10 23:00", "2026-01-11 05:00", BUDAPEST, midnight, 6
                )

    def test_no_quiet_hours(self):
        for hours in ((0, 0), (9, 9), (22.5, 22.5), (0, 24), (24, 0)):
            with self.subTest(hours=hours):
                self.assertAllowed(
                    "2026-01-10 08:00", "2026-01-10 08:00", BUDAPEST, *hours
                )

    # === SEND WINDOWS ===#

    def assertSent(self, moment, expected, window, quiet=(0, 0), tz_name=BUDAPEST):
        allowed = next_allowed(utc(moment), tz_name, *quiet, window)
        self.assertEqual(allowed, utc(expected))

    def test_window_of_a_day(self):
        window = SendWindow(9, 18)
        for moment, expected in (
            ("2026-01-10 07:59:59.5", "2026-01-10 08:00"),
            ("2026-01-10 08:00", "2026-01-10 08:00"),
            ("2026-01-10 16:59:59", "2026-01-10 16:59:59"),
            ("2026-01-10 17:00", "2026-01-11 08:00"),
        ):
            with self.subTest(moment=moment):
                self.assertSent(moment, expected, window)

    def test_window_until_midnight_and_across_it(self):
        self.assertSent("2026-01-10 22:30", "2026-01-10 22:30", SendWindow(9, 24))
        self.assertSent("2026-01-10 23:30", "2026-01-11 08:00", SendWindow(9, 24))
        self.assertSent("2026-01-10 23:30", "2026-01-11 08:00", SendWindow(9, 0))
        self.assertSent("2026-01-10 23:30", "2026-01-10 23:30", SendWindow(22, 2))
        self.assertSent("2026-01-10 02:00", "2026-01-10 21:00", SendWindow(22, 2))

    def test_weekdays_alone(self):
        # 10 January 2026 is a Saturday; local midnight is 23:00 UTC.
        weekdays = SendWindow(weekdays_only=True)
        self.assertSent("2026-01-09 22:59", "2026-01-09 22:59", weekdays)
        self.assertSent("2026-01-09 23:00", "2026-01-11 23:00", weekdays)
        office = SendWindow(9, 17, True)
        self.assertSent("2026-01-09 16:00", "2026-01-12 08:00", office)

    def test_window_and_quiet_hours_at_once(self):
        self.assertSent(
            "2026-01-10 05:00", "2026-01-10 07:00", SendWindow(6, 20), (21, 8)
        )
        self.assertSent(
            "2026-01-10 19:30", "2026-01-11 07:00", SendWindow(6, 23), (20, 8)
        )

    def test_window_that_is_all_quiet_gives_way(self):
        """Nothing is sent in quiet hours, and nothing waits for ever."""
        night = SendWindow(22, 23)
        self.assertSent("2026-01-10 12:00", "2026-01-10 12:00", night, (21, 8))
        self.assertSent("2026-01-10 21:30", "2026-01-11 07:00", night, (21, 8))

    def test_window_when_the_clock_goes_forward(self):
        # 29 March 2026, 2:00 becomes 3:00 in Budapest, at 1:00 UTC.
        self.assertSent("2026-03-29 00:30", "2026-03-29 01:00", SendWindow(2.5, 9))

    def test_zones_with_half_and_quarter_hours(self):
        # Kolkata UTC+5:30, Kathmandu UTC+5:45, Lord Howe UTC+11 in summer and, by
        # half an hour only, UTC+10:30 in winter.
        self.assertAllowed("2026-01-10 15:30", "2026-01-11 02:30", "Asia/Kolkata")
        self.assertAllowed("2026-01-10 15:29", "2026-01-10 15:29", "Asia/Kolkata")
        self.assertAllowed("2026-01-10 15:15", "2026-01-11 02:15", "Asia/Kathmandu")
        self.assertAllowed(
            "2026-01-10 10:00", "2026-01-10 21:00", "Australia/Lord_Howe"
        )
        self.assertAllowed(
            "2026-07-10 10:30", "2026-07-10 21:30", "Australia/Lord_Howe"
        )

    def test_the_clock_is_changed_within_the_quiet_hours(self):
        # 2026-03-29 01:00 UTC: 2:00 -> 3:00; 2026-10-25 01:00 UTC: 3:00 -> 2:00.
        self.assertAllowed("2026-03-28 20:00", "2026-03-29 06:00", BUDAPEST)
        self.assertAllowed("2026-10-24 19:00", "2026-10-25 07:00", BUDAPEST)

    def test_the_end_does_not_exist(self):
        # 2:30 is skipped: the first moment after it is 3:00, 01:00 UTC.
        self.assertAllowed("2026-03-28 23:00", "2026-03-29 01:00", BUDAPEST, 22, 2.5)
        self.assertAllowed("2026-03-29 00:59:59", "2026-03-29 01:00", BUDAPEST, 22, 2)
        self.assertAllowed("2026-03-29 00:30", "2026-03-29 01:00", BUDAPEST, 22, 3)

    def test_the_whole_window_does_not_exist(self):
        self.assertAllowed("2026-03-29 01:00", "2026-03-29 01:00", BUDAPEST, 2, 3)

    def test_the_end_comes_twice(self):
        # 2:30 comes at 00:30 UTC and again at 01:30 UTC.
        for moment, expected in (
            ("2026-10-25 00:10", "2026-10-25 00:30"),
            ("2026-10-25 00:40", "2026-10-25 00:40"),
            ("2026-10-25 01:10", "2026-10-25 01:30"),
            ("2026-10-25 01:30", "2026-10-25 01:30"),
        ):
            with self.subTest(moment=moment):
                self.assertAllowed(moment, expected, BUDAPEST, 22, 2.5)

    def test_set_back_into_the_quiet_hours(self):
        # They would end at 3:00, which is 2:00 again.
        self.assertAllowed("2026-10-25 00:10", "2026-10-25 02:00", BUDAPEST, 22, 3)

    def test_a_zone_leaves_out_a_day(self):
        # Samoa had no 30 December 2011: from the 29th, 24:00 (UTC-10), to the 31st.
        self.assertAllowed("2011-12-30 09:00", "2011-12-30 18:00", "Pacific/Apia")

    def test_a_change_at_midnight_utc(self):
        # Israel sets its clock on 2026-03-27 at 00:00 UTC, 2:00 -> 3:00.
        self.assertAllowed("2026-03-26 22:00", "2026-03-27 00:00", "Israel", 22, 2.5)
        self.assertAllowed("2026-03-27 00:00", "2026-03-27 01:00", "Israel", 22, 4)

    def test_no_such_zone_is_utc(self):
        for tz_name in ("Mars/Olympus", "", None, False, "../../etc/passwd", "Ä"):
            with self.subTest(tz_name=tz_name):
                self.assertAllowed("2026-01-10 23:00", "2026-01-11 08:00", tz_name)

    def test_properties(self):
        if given is None:
            self.skipTest("needs hypothesis")
        zones = strategies.sampled_from(
            [name for name in pytz.all_timezones if not name.startswith("Antarctica")]
        )
        hours = strategies.integers(0, 24 * 60).map(lambda minutes: minutes / 60)
        moments = strategies.datetimes(utc("2017-01-01"), utc("2037-01-01"))

        @settings(max_examples=examples(200, 1000), deadline=None, database=None)
        @given(zones, moments, hours, hours)
        @example(BUDAPEST, utc("2026-10-25 00:59:59.999999"), 2.5, 2)
        @example("Australia/Lord_Howe", utc("2026-04-04 14:59"), 2, 1.75)
        @example("America/St_Johns", utc("2026-03-08 05:29"), 0.5, 2.25)
        def check(tz_name, moment, quiet_from, quiet_until):
            result = next_allowed(moment, tz_name, quiet_from, quiet_until)
            self.assertGreaterEqual(result, moment)
            self.assertLessEqual(result - moment, timedelta(hours=25))
            again = next_allowed(result, tz_name, quiet_from, quiet_until)
            self.assertEqual(again, result)
            self.assertFalse(is_quiet(result, tz_name, quiet_from, quiet_until))
            if result > moment:
                just_before = result - timedelta(microseconds=1)
                self.assertTrue(is_quiet(just_before, tz_name, quiet_from, quiet_until))
                self.assertTrue(is_quiet(moment, tz_name, quiet_from, quiet_until))

        check()


def is_quiet(moment, tz_name, quiet_from, quiet_until):
    """Whether the clock on the wall is within the quiet hours, said directly."""
    local = pytz.utc.localize(moment).astimezone(pytz.timezone(tz_name))
    minute = local.hour * 60 + local.minute
    start, end = round(quiet_from * 60) % 1440, round(quiet_until * 60) % 1440
    if start <= end:
        return start <= minute < end
    return minute >= start or minute < end


@tagged("post_install", "-at_install")
class TestTimezoneOf(BaseCase):
    def test_countries_with_one_zone(self):
        self.assertEqual(timezone_of("HU"), BUDAPEST)
        self.assertEqual(timezone_of("in", "MH", "Europe/Berlin"), "Asia/Kolkata")
        self.assertEqual(timezone_of("XK"), "Europe/Belgrade")

    def test_states(self):
        for country, state, expected in (
            ("US", "CA", "America/Los_Angeles"),
            ("us", "ny", "America/New_York"),
            ("US", "GU", "Pacific/Guam"),
            ("CA", "NL", "America/St_Johns"),
            ("AU", "WA", "Australia/Perth"),
            ("BR", "AM", "America/Manaus"),
            ("MX", "BCN", "America/Tijuana"),
            ("RU", "PRI", "Asia/Vladivostok"),
            ("ID", "PA", "Asia/Jayapura"),
            ("ES", "TF", "Atlantic/Canary"),
            ("PT", "20", "Atlantic/Azores"),
            ("CL", "CL-MA", "America/Punta_Arenas"),
        ):
            with self.subTest(country=country, state=state):
                self.assertEqual(timezone_of(country, state, BUDAPEST), expected)

    def test_unknown_state(self):
        self.assertEqual(timezone_of("US"), "America/New_York")
        self.assertEqual(timezone_of("US", "", BUDAPEST), "America/New_York")
        self.assertEqual(timezone_of("US", "??", "America/Denver"), "America/Denver")
        self.assertEqual(timezone_of("US", "", "US/Pacific"), "US/Pacific")
        self.assertEqual(timezone_of("AU", "", "US/Pacific"), "Australia/Sydney")
        self.assertEqual(timezone_of("KZ", "", "Asia/Aqtau"), "Asia/Aqtau")

    def test_unknown_country(self):
        self.assertEqual(timezone_of("", "", BUDAPEST), BUDAPEST)
        self.assertEqual(timezone_of(False, None, BUDAPEST), BUDAPEST)
        self.assertEqual(timezone_of("ZZ", "CA", BUDAPEST), BUDAPEST)
        self.assertEqual(timezone_of("", "", "Mars/Olympus"), "UTC")
        self.assertEqual(timezone_of("", "", False), "UTC")

    def test_every_country_has_a_zone_of_its_own(self):
        for country, zones in pytz.country_timezones.items():
            with self.subTest(country=country):
                self.assertIn(timezone_of(country), zones)

    def test_zones_exist(self):
        named = set(MAIN_ZONES.values()).union(
            *(states.values() for states in STATE_ZONES.values())
        )
        self.assertLessEqual(named, pytz.all_timezones_set)

    def test_every_state_of_odoo_is_listed(self):
        shipped = {}
        with file_open("base/data/res.country.state.csv") as lines:
            for row in csv.DictReader(lines):
                country = row["country_id:id"].removeprefix("base.").upper()
                shipped.setdefault(country, set()).add(row["code"])
        for country, states in STATE_ZONES.items():
            with self.subTest(country=country):
                # No zone is right for military post to all the Americas.
                missing = shipped[country] - set(states) - {"AA"}
                self.assertFalse(missing)

    def test_an_older_tz_database(self):
        """A zone that was introduced later is not taken where it is unknown."""
        timezone_of.cache_clear()
        self.addCleanup(timezone_of.cache_clear)
        older = pytz.all_timezones_set - {"America/Coyhaique"}
        with patch.object(pytz, "all_timezones_set", older):
            self.assertEqual(timezone_of("CL", "CL-AI"), "America/Santiago")


@tagged("post_install", "-at_install")
class TestTimezoneOfPhone(BaseCase):
    def setUp(self):
        super().setUp()
        get_ranges.cache_clear()
        self.addCleanup(get_ranges.cache_clear)

    def test_unique(self):
        self.assertEqual(timezone_of_phone("+36301234567"), BUDAPEST)
        self.assertEqual(timezone_of_phone("+12125551234"), "America/New_York")
        self.assertEqual(timezone_of_phone("+14413701234"), "Atlantic/Bermuda")

    def test_several_names_of_one_clock(self):
        """London, Guernsey, Jersey and Man; Rome and the Vatican."""
        for number, zone in (
            ("+447400123456", "Europe/London"),
            ("+393123456789", "Europe/Rome"),
        ):
            found = pytz.timezone(timezone_of_phone(number))
            for month in range(1, 13):
                day = datetime(2027, month, 15, tzinfo=pytz.utc)
                there = day.astimezone(pytz.timezone(zone))
                self.assertEqual(day.astimezone(found).hour, there.hour)

    def test_not_unique_or_not_a_number(self):
        for number in (
            "+18005551234",
            "+77012345678",
            "+61412345678",
            "+999",
            "+9999999999",
            "+36301234567x",
            "0630",
            "",
            None,
            "x",
        ):
            with self.subTest(number=number):
                self.assertIsNone(timezone_of_phone(number))

    def test_as_the_library(self):
        """Mobile phones of all countries are where ``phonenumbers`` has them, if it has
        them in one place."""
        # In Micronesia it tells the islands apart, but not what is a mobile phone.
        for region in phonenumbers.SUPPORTED_REGIONS - {"FM"}:
            number = phonenumbers.example_number_for_type(
                region, phonenumbers.PhoneNumberType.MOBILE
            )
            if not number:
                continue
            zones = timezone.time_zones_for_number(number)
            e164 = phonenumbers.format_number(
                number, phonenumbers.PhoneNumberFormat.E164
            )
            if len(zones) == 1:
                with self.subTest(number=e164):
                    self.assertEqual(timezone_of_phone(e164), zones[0])

    def test_without_the_library(self):
        with patch.dict("sys.modules", {"phonenumbers": None}):
            self.assertIsNone(timezone_of_phone("+36301234567"))
