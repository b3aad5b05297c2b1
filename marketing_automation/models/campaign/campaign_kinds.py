"""Campaigns that do not end with one go, but write whenever somebody enters a segment;
and how often a campaign is sent at all. Again and again: ``campaign_repeat.py``."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

KINDS = [
    ("one_time", "Once"),
    ("recurring", "Again and again"),
    ("on_entry", "Whenever somebody enters a segment"),
]
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
    entries_until = fields.Datetime(
        readonly=True, copy=False, help="Whoever entered before was looked at."
    )

    @api.onchange("kind")
    def _onchange_kind(self):
        """Who enters a segment gets it then; nobody's time can be chosen before."""
        if self.kind == "on_entry":
            self.is_at_once, self.spread_hours = True, 0.0

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
