"""Campaigns that do not end with one go: again and again, and whenever somebody enters
a segment."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

KINDS = [
    ("one_time", "Once"),
    ("recurring", "Again and again"),
    ("on_entry", "Whenever somebody enters a segment"),
]
UNITS = [("days", "Days"), ("weeks", "Weeks"), ("months", "Months")]
# Entries are looked at again for so long: a segment's refresh may take a while to end.
OVERLAP = timedelta(hours=1)


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    kind = fields.Selection(
        KINDS,
        string="How Often",
        required=True,
        default="one_time",
        help="Again and again: each time is a campaign of its own, with own figures.",
    )
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
    entries_until = fields.Datetime(
        readonly=True, copy=False, help="Whoever entered before was looked at."
    )

    @api.constrains("kind", "repeat_every")
    def _check_repeat(self):
        for campaign in self:
            if campaign.kind == "recurring" and not 1 <= campaign.repeat_every <= 999:
                raise ValidationError(
                    self.env._("Repeat it every 1 to 999 days, weeks or months.")
                )

    @api.onchange("kind")
    def _onchange_kind(self):
        """Who enters a segment gets it then; nobody's time can be chosen before."""
        if self.kind == "on_entry":
            self.is_at_once, self.spread_hours = True, 0.0

    # === AGAIN AND AGAIN ===#

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
        step = relativedelta(**{self.repeat_unit: self.repeat_every})
        at = self._step_in_own_time(step)
        if self.repeat_until and at.date() > self.repeat_until:
            return self.browse()
        following = self.copy({"name": self._get_next_name(), "previous_id": self.id})
        following.write({"scheduled_at": at, "state": "scheduled"})
        following._wake_up()
        return following

    def _step_in_own_time(self, step):
        """Return the next time in the future at which the company's clocks show the
        same time of the day."""
        at = self.scheduled_at
        while at <= fields.Datetime.now():
            at = self._shift_wall_time(at, step)
        return at

    def _get_next_name(self):
        first, rounds = self, 2
        while first.previous_id:
            first, rounds = first.previous_id, rounds + 1
        return self.env._("%(name)s, no. %(number)s", name=first.name, number=rounds)

    # === WHENEVER SOMEBODY ENTERS ===#

    def action_finish(self):
        """Let nobody else in; those who wait for their message get it."""
        for campaign in self:
            campaign._expect("running", "paused")
            if campaign.kind != "on_entry":
                raise UserError(self.env._("“%s” ends by itself.", campaign.name))
        self._set_state({"ended_at": fields.Datetime.now()})
        self._wake_up()

    def _settle(self):
        """One that waits for people ends when somebody says so."""
        if self.kind != "on_entry" or self.ended_at:
            return super()._settle()
        if self.state == "running":
            self._queue()
        return None

    def _get_entered_since(self):
        """Only who has entered since it began, and was not looked at before."""
        if self.kind != "on_entry":
            return super()._get_entered_since()
        since = self.entries_until and self.entries_until - OVERLAP
        return max(filter(None, (self.started_at, since)))

    def _queue(self):
        now = fields.Datetime.now()
        count = super()._queue()
        if self.kind == "on_entry":
            self.entries_until = now
        return count
