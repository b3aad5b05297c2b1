from datetime import datetime

from odoo.tests import BaseCase, tagged

from ..tools.wall_time import to_utc, to_wall


def at(text, fold=0):
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(fold=fold)


@tagged("post_install", "-at_install")
class TestWallTime(BaseCase):
    def test_ordinary_day(self):
        for zone, utc in (
            ("Europe/Brussels", "2027-06-01 07:00"),
            ("Asia/Kolkata", "2027-06-01 03:30"),
            ("Asia/Kathmandu", "2027-06-01 03:15"),
            ("Pacific/Kiritimati", "2027-05-31 19:00"),
            ("Pacific/Pago_Pago", "2027-06-01 20:00"),
            ("Nowhere/Land", "2027-06-01 09:00"),
            (False, "2027-06-01 09:00"),
        ):
            with self.subTest(zone=zone):
                wall = at("2027-06-01 09:00")
                self.assertEqual(to_utc(wall, zone), at(utc))
                self.assertEqual(to_wall(at(utc), zone), wall)

    def test_clocks_go_back(self):
        """What comes twice is the first one, unless somebody means the second."""
        for zone, wall, first, second in (
            (
                *("Europe/Brussels", "2027-10-31 02:30"),
                *("2027-10-31 00:30", "2027-10-31 01:30"),
            ),
            # Winter is what the law of Ireland calls the exception.
            ("Europe/Dublin", "2027-10-31 01:30", "2027-10-31 00:30", None),
            ("America/New_York", "2027-11-07 01:30", "2027-11-07 05:30", None),
            # By half an hour: from 02:00 back to 01:30.
            ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03 14:45", None),
            ("Australia/Adelaide", "2027-04-04 02:30", "2027-04-03 16:00", None),
            ("Pacific/Chatham", "2027-04-04 03:00", "2027-04-03 13:15", None),
        ):
            with self.subTest(zone=zone):
                moment = to_utc(at(wall), zone)
                self.assertEqual(moment, at(first))
                again = to_utc(at(wall, fold=1), zone)
                self.assertGreater(again, moment)
                if second:
                    self.assertEqual(again, at(second))
                for value in (moment, again):
                    shown = to_wall(value, zone)
                    self.assertEqual(shown, at(wall))
                    self.assertEqual(to_utc(shown, zone), value)

    def test_clocks_go_forward(self):
        """What does not come is as much later as the clocks are put forward."""
        for zone, wall, utc, shown in (
            *(
                (
                    "Europe/Brussels",
                    f"2027-03-28 02:{m}",
                    f"2027-03-28 01:{m}",
                    f"03:{m}",
                )
                for m in ("00", "30")
            ),
            ("Europe/Dublin", "2027-03-28 01:30", "2027-03-28 01:30", "02:30"),
            ("Australia/Lord_Howe", "2027-10-03 02:15", "2027-10-02 15:45", "02:45"),
            ("America/St_Johns", "2027-03-14 02:30", "2027-03-14 06:00", "03:30"),
        ):
            with self.subTest(zone=zone, wall=wall):
                self.assertEqual(to_utc(at(wall), zone), at(utc))
                self.assertEqual(to_wall(at(utc), zone).strftime("%H:%M"), shown)

    def test_a_day_that_did_not_come(self):
        """Samoa went to the other side of the date line."""
        self.assertEqual(
            to_utc(at("2011-12-30 09:00"), "Pacific/Apia"), at("2011-12-30 19:00")
        )
