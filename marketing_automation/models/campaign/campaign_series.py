"""Campaigns of several messages: they hand their people over to a sequence (drip)."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..channels import CHANNELS
from ..sequence.marketing_enrollment import SOURCE
from .campaign_states import TAKE_BACK_SIZE

SENDS = [
    ("message", "One message"),
    ("sequence", "Several messages, one after the other"),
]


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    sends = fields.Selection(
        SENDS,
        required=True,
        default="message",
        help="Several messages: everybody goes through a sequence of them, from the "
        "time at which they are due.",
    )
    sequence_id = fields.Many2one(
        "marketing.sequence",
        domain="[('kind', '=', 'contact'), ('company_id', 'in', [False, company_id])]",
        ondelete="restrict",
        help="The messages, and the pauses between them.",
    )
    channel = fields.Selection(
        CHANNELS,
        compute="_compute_channel",
        store=True,
        precompute=True,
        readonly=False,
        help="Of several messages that of the first one.",
    )
    run_count = fields.Integer(string="Handed Over", readonly=True, copy=False)
    running_count = fields.Integer(
        string="Under Way",
        readonly=True,
        copy=False,
        help="People who still have messages to come.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("sends", "sequence_id")
    def _compute_channel(self):
        for campaign in self:
            first = campaign._get_steps()[:1]
            campaign.channel = first.channel or campaign.channel or "email"

    @api.depends("run_count", "running_count")
    def _compute_rates(self):
        result = super()._compute_rates()
        for campaign in self.filtered("run_count"):
            done = campaign.run_count - campaign.running_count
            campaign.progress = 100 * done // campaign.run_count
        return result

    # === CONSTRAINT METHODS ===#

    @api.constrains("sends", "sequence_id", "company_id")
    def _check_sequence(self):
        for campaign in self.filtered("sequence_id"):
            sequence = campaign.sequence_id
            if problem := campaign._find_kind_problem():
                raise ValidationError(problem)
            if sequence.company_id not in (
                self.env["res.company"],
                campaign.company_id,
            ):
                raise ValidationError(
                    self.env._(
                        "The sequence “%s” belongs to another company.", sequence.name
                    )
                )

    @api.constrains("sends", "ab_test_ids")
    def _check_test(self):
        for campaign in self:
            if campaign.sends == "sequence" and campaign.ab_test_ids:
                raise ValidationError(
                    self.env._(
                        "“%s” has an A/B test, which compares single messages. Delete "
                        "the test, or send one message.",
                        campaign.name,
                    )
                )

    # === ACTION METHODS ===#

    def action_resume(self):
        """What became due meanwhile goes on at once."""
        result = super().action_resume()
        self._wake_up_runs()
        return result

    def action_view_runs(self):
        """Open the runs of those who were handed over.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_enrollment"
        )
        return {
            **action,
            "name": self.env._("People"),
            "domain": [("campaign_id", "=", self.id)],
            "context": {},
        }

    # === WHAT IS SENT ===#

    def _get_steps(self):
        """Return the messages one after the other; nothing of campaigns of one message.

        :rtype: marketing.sequence.step
        """
        self.ensure_one()
        if self.sends != "sequence" or not self.sequence_id:
            return self.env["marketing.sequence.step"]
        return self.sequence_id._get_steps()

    def _get_contents(self):
        if self.sends != "sequence":
            return super()._get_contents()
        return [(step.name, step.template_id) for step in self._get_steps()]

    def _get_sources(self):
        """Each message of a sequence says what its template says."""
        return {} if self.sends == "sequence" else super()._get_sources()

    def _find_content_problem(self):
        if self.sends != "sequence":
            return super()._find_content_problem()
        if not self.sequence_id:
            return self.env._("Choose a sequence: which messages do they get?")
        if not self.sequence_id.active:
            return self.env._(
                "The sequence “%s” is archived. Choose another.", self.sequence_id.name
            )
        if problem := self._find_kind_problem():
            return problem
        steps = self._get_steps()
        if not steps:
            return self.env._(
                "Nothing is in the sequence “%s” yet. Add its messages.",
                self.sequence_id.name,
            )
        archived = steps.template_id.filtered(lambda template: not template.active)
        if archived:
            return self.env._(
                "The template “%s” is archived. Choose another.", archived[0].name
            )
        return ""

    def _find_kind_problem(self):
        if self.sequence_id.kind == "contact":
            return ""
        return self.env._(
            "“%s” is for carts. Choose a sequence for contacts.", self.sequence_id.name
        )

    # === FROM THE FIRST TO THE LAST ===#

    def _queue(self):
        """Hand everybody over; their messages are written when they are due."""
        self.ensure_one()
        if self.sends != "sequence":
            return super()._queue()
        return self.env["marketing.enrollment"]._enroll_contacts(
            self.sequence_id,
            self._sql_slots(self._fix_recipients()),
            self.company_id,
            campaign=self,
        )

    def _settle(self):
        """It has ended when the last one has come to the end of the sequence."""
        return None if self._has_runs() else super()._settle()

    def _has_runs(self):
        self.env["marketing.enrollment"].flush_model()
        return bool(
            self.env.execute_query(
                SQL(
                    """SELECT FROM marketing_enrollment
                        WHERE state = 'active' AND %s = %s LIMIT 1""",
                    SQL(SOURCE),
                    self.id,
                )
            )
        )

    def _take_back(self):
        """Nobody goes on; what they have had is theirs."""
        runs = self.env["marketing.enrollment"].sudo()
        runs = runs.search(
            [("campaign_id", "=", self.id), ("state", "=", "active")],
            limit=TAKE_BACK_SIZE,
        )
        runs._stop("cancelled")
        result = super()._take_back()
        if len(runs) == TAKE_BACK_SIZE:
            self._wake_up()
        return result

    def _reschedule_waiting(self):
        """Those who have not had their first message begin at another time."""
        self.ensure_one()
        if self.sends != "sequence":
            return super()._reschedule_waiting()
        waiting = self._fix_waiting_runs()
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_enrollment run
                      SET started_at = slot.scheduled_at,
                          next_at = slot.scheduled_at
                              + step.offset_seconds * interval '1 second'
                     FROM (%s) waiting
                     JOIN (%s) slot ON slot.partner_id = waiting.partner_id,
                          marketing_sequence_step step
                    WHERE run.id = waiting.id AND step.id = run.next_step_id""",
                waiting,
                self._sql_slots(waiting),
            )
        )
        self.env.invalidate_all(flush=False)
        self.is_rescheduling = False
        self._wake_up_runs()
        return None

    def _fix_waiting_runs(self):
        """Find out who has not begun, once for all that is asked about them.

        :return: a query of ``id`` (of the run) and ``partner_id``
        :rtype: SQL
        """
        table = self._fix(
            "marketing_campaign_runs",
            SQL(
                """SELECT id, contact_id AS partner_id FROM marketing_enrollment
                    WHERE campaign_id = %s AND state = 'active'
                      AND last_step_id IS NULL AND contact_id IS NOT NULL""",
                self.id,
            ),
        )
        return SQL("SELECT id, partner_id FROM %s", table)

    @api.model
    def _wake_up_runs(self):
        now = fields.Datetime.now()
        self.env["marketing.dispatcher"]._trigger_at(
            "marketing_automation.ir_cron_process_enrollments", now
        )

    # === FIGURES ===#

    def _refresh_figures(self):
        result = super()._refresh_figures()
        runs = self.env["marketing.enrollment"]
        for campaign in self.filtered(lambda campaign: campaign.sends == "sequence"):
            counts = dict(
                runs._read_group(
                    [("campaign_id", "=", campaign.id)], ["state"], ["__count"]
                )
            )
            campaign.write(
                {
                    "run_count": sum(counts.values()),
                    "running_count": counts.get("active", 0),
                }
            )
        return result
