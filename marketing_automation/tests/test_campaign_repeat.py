import importlib.util
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import file_path

from ..tools.wall_time import to_utc, to_wall
from .campaign_common import CampaignCase


@tagged("post_install", "-at_install")
class TestCampaignRepeat(CampaignCase):
    """Campaigns again and again, by the company's clocks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.figures_timezone = "Europe/Brussels"

    def _schedule(self, wall, unit="months", every=1, zone="Europe/Brussels", **vals):
        self.company.figures_timezone = zone
        return self._create_campaign(
            kind="recurring",
            repeat_unit=unit,
            repeat_every=every,
            is_at_once=False,
            scheduled_at=to_utc(fields.Datetime.to_datetime(wall), zone),
            state="scheduled",
            **vals,
        )

    def _follow(self, campaign, count, late=timedelta(minutes=1)):
        """Let each of a series begin, and return what the clock shows at the next."""
        shown = []
        for _number in range(count):
            with self._at(campaign.scheduled_at + late):
                campaign = campaign._plan_next()
            if not campaign:
                break
            wall = to_wall(campaign.scheduled_at, campaign._get_own_zone())
            shown.append(wall.strftime("%Y-%m-%d %H:%M"))
        return shown

    def test_months_end_where_they_end(self):
        campaign = self._schedule("2027-01-31 09:00:00")
        self.assertEqual(
            self._follow(campaign, 4),
            [
                "2027-02-28 09:00",
                "2027-03-31 09:00",
                "2027-04-30 09:00",
                "2027-05-31 09:00",
            ],
        )

    def test_leap_day(self):
        campaign = self._schedule("2028-02-29 10:00:00", every=12)
        days = [day[:10] for day in self._follow(campaign, 4)]
        self.assertEqual(days, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"])

    def test_hour_that_is_skipped_comes_back(self):
        for zone, start, expected in (
            (
                "Europe/Brussels",
                "2027-03-27 02:30:00",
                ["2027-03-28 03:30", "2027-03-29 02:30", "2027-03-30 02:30"],
            ),
            (
                "Australia/Lord_Howe",
                "2027-10-02 02:15:00",
                ["2027-10-03 02:45", "2027-10-04 02:15", "2027-10-05 02:15"],
            ),
            (
                "America/New_York",
                "2027-11-06 01:30:00",
                ["2027-11-07 01:30", "2027-11-08 01:30", "2027-11-09 01:30"],
            ),
        ):
            with self.subTest(zone=zone):
                campaign = self._schedule(start, unit="days", zone=zone)
                self.assertEqual(self._follow(campaign, 3), expected)

    def test_weeks_over_both_changes(self):
        campaign = self._schedule("2027-03-22 08:00:00", unit="weeks", every=4)
        shown = self._follow(campaign, 9)
        self.assertEqual({wall[11:] for wall in shown}, {"08:00"})
        self.assertEqual(shown[-1][:10], "2027-11-29")

    def test_what_was_missed_is_not_made_up_for(self):
        campaign = self._schedule("2027-01-31 09:00:00")
        self.assertEqual(
            self._follow(campaign, 2, late=timedelta(days=70)),
            ["2027-04-30 09:00", "2027-07-31 09:00"],
        )

    def test_last_day_is_that_of_the_company(self):
        """Near midnight the day in UTC is another one."""
        for zone, start in (
            ("Pacific/Auckland", "2027-06-01 08:00:00"),
            ("America/Los_Angeles", "2027-06-01 20:00:00"),
        ):
            for until, count in (("2027-06-02", 1), ("2027-06-01", 0)):
                with self.subTest(zone=zone, until=until):
                    campaign = self._schedule(
                        start, unit="days", zone=zone, repeat_until=until
                    )
                    self.assertEqual(len(self._follow(campaign, 3)), count)

    def test_another_time_that_somebody_chose(self):
        """The rest of the series follows it."""
        campaign = self._schedule("2027-01-31 09:00:00")
        with self._at(campaign.scheduled_at):
            second = campaign._plan_next()
        second.scheduled_at = to_utc(
            fields.Datetime.to_datetime("2027-02-15 11:00:00"), "Europe/Brussels"
        )
        self.assertEqual(
            self._follow(second, 2), ["2027-03-15 11:00", "2027-04-15 11:00"]
        )

    def test_one_that_begins_before_its_own_time(self):
        """At local time the first get it a day before: the next is another day."""
        campaign = self._schedule("2027-01-31 09:00:00", unit="days")
        self.assertEqual(
            self._follow(campaign, 2, late=timedelta(hours=-13)),
            ["2027-02-01 09:00", "2027-02-02 09:00"],
        )

    def test_autumn_night_at_local_time(self):
        """The first 02:30 of the night is meant, unless the second was planned."""
        campaign = self._schedule("2027-10-31 02:30:00", is_local_time=True)
        first = fields.Datetime.to_datetime("2027-10-31 00:30:00")
        self.assertEqual(campaign.scheduled_at, first)
        for zone, due in (
            ("Europe/Brussels", "2027-10-31 00:30:00"),
            ("Europe/Berlin", "2027-10-31 00:30:00"),
            ("Europe/Lisbon", "2027-10-31 02:30:00"),
            ("Asia/Kathmandu", "2027-10-30 20:45:00"),
            ("Pacific/Kiritimati", "2027-10-30 12:30:00"),
            ("Pacific/Pago_Pago", "2027-10-31 13:30:00"),
        ):
            with self.subTest(zone=zone):
                self.assertEqual(str(campaign._get_due_in(zone)), due)
        campaign.scheduled_at = first + timedelta(hours=1)
        self.assertEqual(
            campaign._get_due_in("Europe/Brussels"), first + timedelta(hours=1)
        )

    def test_series_of_an_earlier_version(self):
        """It had drifted to the 28th: what is planned stays, the next is right."""
        first = self._schedule("2027-01-31 09:00:00")
        vals = {"is_at_once": False, "kind": "recurring", "repeat_unit": "months"}
        second, third = (
            self._create_campaign(
                **vals,
                scheduled_at=to_utc(
                    fields.Datetime.to_datetime(f"2027-{month}-28 09:00:00"),
                    "Europe/Brussels",
                ),
            )
            for month in ("02", "03")
        )
        second.previous_id, third.previous_id = first, second
        moved = self._create_campaign(
            **vals, scheduled_at="2027-04-17 10:00:00", previous_id=third.id
        )
        self._migrate("post-repeated-campaigns")
        self.assertEqual(third.repeat_from, first.scheduled_at)
        self.assertEqual(third.repeat_number, 2)
        self.assertFalse(moved.repeat_from)
        self.assertEqual(
            self._follow(third, 2), ["2027-04-30 09:00", "2027-05-31 09:00"]
        )

    def _migrate(self, script):
        path = file_path(f"marketing_automation/migrations/19.0.1.6.0/{script}.py")
        spec = importlib.util.spec_from_file_location("migration", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.1.5.0")
        self.env.invalidate_all()
