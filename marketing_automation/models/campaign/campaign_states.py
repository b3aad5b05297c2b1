"""From a draft to the last message: what a person decides, and what happens by itself.

The state is what the outbox looks at: it takes messages of running campaigns alone.
Pausing and resuming a million messages is therefore one word in one row, and nobody can
be forgotten or written to twice by it.
"""

import logging
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..sequence.marketing_enrollment import SOURCE as RUN_SOURCE

_logger = logging.getLogger(__name__)

# How many messages are taken back in one transaction.
TAKE_BACK_SIZE = 20_000


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    is_rescheduling = fields.Boolean(
        readonly=True,
        copy=False,
        help="Nothing is sent while the waiting messages get their new times.",
    )
    last_error = fields.Char(
        readonly=True,
        copy=False,
        help="What could not be done with it the last time, and why.",
    )

    # === WHAT A PERSON DECIDES ===#

    def action_confirm(self):
        """Send it, at once or when its time has come.

        :raise UserError: something is missing; it says what
        """
        for campaign in self:
            campaign._expect("draft")
            campaign._check_ready()
            vals = {"state": "scheduled", "last_error": False}
            if campaign.is_at_once:
                vals.update(scheduled_at=fields.Datetime.now(), is_local_time=False)
            elif campaign.ends_at < fields.Datetime.now():
                raise UserError(
                    self.env._(
                        "The time of “%s” is over. Choose a later one.", campaign.name
                    )
                )
            campaign._set_state(vals)
            campaign._wake_up()

    def action_draft(self):
        """Take a campaign back that has not been started."""
        for campaign in self:
            campaign._expect("scheduled", "cancelled")
            if campaign.started_at:
                raise UserError(
                    self.env._(
                        "“%s” has been started. Duplicate it to send it again.",
                        campaign.name,
                    )
                )
        self._set_state({"state": "draft"})

    def action_pause(self):
        """Send nothing more for now; those who wait keep their place."""
        for campaign in self:
            campaign._expect("running")
        self._set_state({"state": "paused", "figures_at": False})
        self._wake_up()

    def action_resume(self):
        """Go on where it was paused; what was due meanwhile leaves at once."""
        for campaign in self:
            campaign._expect("paused")
        now = fields.Datetime.now()
        self._set_state({"state": "running", "progress_at": now})
        self.env["marketing.dispatcher"]._wake_up(fields.Datetime.now())
        self._wake_up()

    def action_cancel(self):
        """Send nothing more, ever: messages that wait are taken back."""
        for campaign in self:
            campaign._expect("scheduled", "running", "paused")
        self._set_state({"state": "cancelled", "ended_at": fields.Datetime.now()})
        self._wake_up()

    def action_schedule(self):
        """Ask for another time.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        self._expect("scheduled", "running", "paused")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change the Schedule"),
            "res_model": "email.campaign.schedule",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_campaign_id": self.id,
                "default_scheduled_at": self.scheduled_at,
                "default_is_local_time": self.is_local_time,
                "default_spread_hours": self.spread_hours,
            },
        }

    def _set_state(self, vals):
        """Write what a person decided, as far as they may; clients write no states.

        :param dict vals: the state and what goes with it
        """
        self.check_access("write")
        self.sudo().write(vals)

    def _expect(self, *states):
        """Refuse what does not fit the state, which may have changed meanwhile."""
        self.ensure_one()
        if self.state not in states:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "“%(campaign)s” is: %(state)s. Load the page again.",
                    campaign=self.name,
                    state=labels[self.state],
                )
            )

    def _wake_up(self):
        """Have the scheduled action look at these campaigns when there is reason to."""
        for campaign in self:
            at = max(
                (campaign.state == "scheduled" and campaign.starts_at)
                or fields.Datetime.now(),
                fields.Datetime.now(),
            )
            self.env["marketing.dispatcher"]._trigger_at(
                "marketing_automation.ir_cron_campaigns", at
            )

    # === WHAT HAPPENS BY ITSELF ===#

    @api.model
    def _cron_run(self):
        """Start what is due, settle what has ended, a campaign a transaction."""
        cron = self.env["ir.cron"]
        self._note_progress()
        jobs = self._get_jobs()
        cron._commit_progress(remaining=1)
        failed = set()
        for place, (campaign_id, method) in enumerate(jobs):
            if not self._do_alone(campaign_id, method):
                failed.add(campaign_id)
            is_over = not cron._commit_progress(1, remaining=1)
            if is_over and self._is_urgent(jobs[place + 1 :]):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_campaigns"
                )
        # Whatever failed before has been done now.
        worked = {campaign_id for campaign_id, _method in jobs} - failed
        self.browse(worked).exists().filtered("last_error").last_error = False
        cron._commit_progress(remaining=0)

    @api.model
    def _get_jobs(self):
        """Return what is to be done now, and for which campaigns. Those that failed the
        last time come last: no other has to wait for them.

        :return: pairs (id, name of the method)
        :rtype: list[tuple]
        """
        jobs = [
            (campaign, method)
            for method, campaigns in (
                ("_take_back", self._find_cancelled()),
                ("_reschedule_waiting", self.search([("is_rescheduling", "=", True)])),
                ("_start", self._find_due()),
                ("_settle", self.search([("state", "=", "running")])),
                (
                    "_refresh_figures",
                    self._find_unsettled_figures().sorted(
                        lambda campaign: campaign.figures_at or datetime.min
                    ),
                ),
            )
            for campaign in campaigns
        ]
        jobs.sort(key=lambda job: bool(job[0].last_error))
        return [(campaign.id, method) for campaign, method in jobs]

    @api.model
    def _is_urgent(self, jobs):
        """Return whether jobs cannot wait for the next minute: somebody waits for what
        they do, and they did not fail the last time."""
        campaigns = self.browse(
            campaign_id for campaign_id, method in jobs if method != "_refresh_figures"
        )
        return not all(campaigns.exists().mapped("last_error"))

    @api.model
    def _do_alone(self, campaign_id, method):
        """Do something for one campaign, unless somebody else is at it; what goes wrong
        concerns this one alone, and is seen on it.

        :return: whether nothing went wrong
        :rtype: bool
        """
        campaign = self.browse(campaign_id).exists()
        try:
            with self.env.cr.savepoint():
                if campaign.try_lock_for_update(allow_referencing=True):
                    getattr(campaign, method)()
                    campaign.flush_recordset()
            return True
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # A worker was in the way: nobody's fault, and done again at once.
            self.env.invalidate_all(flush=False)
            campaign._wake_up()
            return True
        except UserError as error:
            self.env.invalidate_all(flush=False)
            campaign._give_back(str(error))
        except Exception as error:
            _logger.exception("Campaign %s: %s failed", campaign_id, method)
            self.env.invalidate_all(flush=False)
            campaign.last_error = str(error)
        return False

    def _give_back(self, error):
        """What has become impossible since it was confirmed is for a person to mend."""
        self.last_error = error
        if self.state == "scheduled":
            self.state = "draft"

    @api.model
    def _find_due(self):
        """Return scheduled campaigns that have to be started.

        One at each recipient's local time starts up to a day before its own. What is
        too late waits for somebody to decide.
        """
        now = fields.Datetime.now()
        soon = fields.Datetime.add(now, days=2)
        return self.search(
            [("state", "=", "scheduled"), ("scheduled_at", "<=", soon)],
            order="scheduled_at, id",
        ).filtered(
            lambda campaign: campaign.starts_at <= now and not campaign._starts_late()
        )

    @api.model
    def _find_cancelled(self):
        """Return cancelled campaigns that still have messages or people waiting."""
        rows = self.env.execute_query(
            SQL(
                """SELECT c.id FROM email_campaign c
                    WHERE c.state = 'cancelled' AND (
                          EXISTS (
                              SELECT FROM marketing_message m
                               WHERE m.campaign_id = c.id AND m.state = 'queued')
                          OR EXISTS (
                              SELECT FROM marketing_enrollment
                               WHERE state = 'active' AND %s = c.id))""",
                SQL(RUN_SOURCE),
            )
        )
        return self.browse(campaign_id for (campaign_id,) in rows)

    def _start(self):
        """Decide who gets it, and write all their messages into the outbox."""
        self._expect("scheduled")
        self._check_ready()
        self.write(
            {
                "state": "running",
                "started_at": fields.Datetime.now(),
                "progress_at": fields.Datetime.now(),
                "last_error": False,
            }
        )
        self._queue()
        self._settle()
        self._refresh_figures()

    def _reopen(self):
        """Some of their messages wait again: campaigns that have ended go on."""
        ended = self.filtered(lambda campaign: campaign.state == "completed")
        ended.write({"state": "running", "ended_at": False})
        ended._wake_up()

    def _settle(self):
        """Say that a campaign has ended when none of its messages waits any more."""
        self.env["marketing.message"].flush_model()
        self.flush_model()
        waiting = SQL(
            """SELECT FROM marketing_message m
                WHERE m.campaign_id = %s AND m.state IN ('queued', 'sending')
                LIMIT 1""",
            self.id,
        )
        if self.state == "running" and not self.env.execute_query(waiting):
            self.write({"state": "completed", "ended_at": fields.Datetime.now()})

    def _take_back(self):
        """Settle the messages of a cancelled campaign that have not left."""
        messages = self.env["marketing.message"]
        waiting = messages.sudo().search(
            [("campaign_id", "=", self.id), ("state", "=", "queued")],
            limit=TAKE_BACK_SIZE,
        )
        waiting._set_state("cancelled", "cancelled")
        self._refresh_figures()
        if len(waiting) == TAKE_BACK_SIZE:
            self._wake_up()
