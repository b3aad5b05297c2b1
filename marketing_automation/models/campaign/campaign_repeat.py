"""Campaigns that are sent again and again, at the same time by the company's clocks."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.wall_time import to_utc, to_wall

UNITS = [("days", "Days"), ("weeks", "Weeks"), ("months", "Months")]


class EmailCampaign(models.Model):
    """Each time of a series is counted from its first one: what a short month or a
    night in which the clocks are set made of one time is not passed on to the next.
    """

    _inherit = "email.campaign"

    repeat_every = fields.Integer(string="Every", default=1)
    repeat_unit = fields.Selection(UNITS, required=True, default="weeks")
    repeat_until = fields.Date(
        string="Until", help="Not after this day. Empty: until you cancel the next one."
    )
    previous_id = fields.Many2one(
        "email.campaign",
        string="Follows On",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The campaign before this one, of those that are sent again and again.",
    )
    repeat_from = fields.Datetime(
        string="First Time",
        readonly=True,
        copy=False,
        help="What the times of the series are counted from: its first one, or the "
        "last one that a person chose.",
    )
    repeat_number = fields.Integer(
        string="Times Since",
        readonly=True,
        copy=False,
        help="How many times after the first one this is.",
    )
    repeat_planned_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the series planned it; a person may have chosen another time.",
    )

    @api.constrains("kind", "repeat_every")
    def _check_repeat(self):
        for campaign in self:
            if campaign.kind == "recurring" and not 1 <= campaign.repeat_every <= 999:
                raise ValidationError(
                    self.env._("Repeat it every 1 to 999 days, weeks or months.")
                )

    def _start(self):
        """The next time of a series is planned when this one begins."""
        result = super()._start()
        if self.kind == "recurring":
            self._plan_next()
        return result

    def _plan_next(self):
        """Schedule the campaign that follows on this one.

        :return: it; empty when the series is over
        :rtype: email.campaign
        """
        self.ensure_one()
        first, number = self._get_place()
        at, number = self._find_next_time(first, number)
        own_day = to_wall(at, self._get_own_zone()).date()
        if self.repeat_until and own_day > self.repeat_until:
            return self.browse()
        following = self.copy({"name": self._get_next_name(), "previous_id": self.id})
        following.write(
            {
                "state": "scheduled",
                "scheduled_at": at,
                "repeat_from": first,
                "repeat_number": number,
                "repeat_planned_at": at,
            }
        )
        following._wake_up()
        return following

    def _get_place(self):
        """Return from which time on the series counts, and how far this one is.

        Whoever chooses another time for one of them means the rest of the series, too.

        :return: naive, UTC; number of steps since
        :rtype: tuple[datetime, int]
        """
        if self.repeat_from and self.scheduled_at == self.repeat_planned_at:
            return self.repeat_from, self.repeat_number
        return self.scheduled_at, 0

    def _find_next_time(self, first, number):
        """Return the next time of the series that is not over yet.

        :param datetime first: its first time; naive, UTC
        :param int number: how many times after the first one this is
        :return: naive, UTC; how many times after the first one
        :rtype: tuple[datetime, int]
        """
        at = self.scheduled_at
        while at <= max(self.scheduled_at, fields.Datetime.now()):
            number += 1
            at = self._get_time_of(first, number)
        return at, number

    def _get_time_of(self, first, number):
        """Return a time of the series by the company's clocks.

        :param datetime first: its first time; naive, UTC
        :param int number: how many times after the first one
        :return: naive, UTC
        :rtype: datetime
        """
        zone = self._get_own_zone()
        # Of months the last day there is: 31 January, 28 February, 31 March.
        step = relativedelta(**{self.repeat_unit: self.repeat_every * number})
        return to_utc(to_wall(first, zone).replace(fold=0) + step, zone)

    def _get_next_name(self):
        first, rounds = self, 2
        while first.previous_id:
            first, rounds = first.previous_id, rounds + 1
        return self.env._("%(name)s, no. %(number)s", name=first.name, number=rounds)
