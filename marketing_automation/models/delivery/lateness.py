"""How late something may leave: what is later waits for somebody to decide.

Scheduled actions that did not run for days, an account that was paused: what was due
meanwhile may be out of date. A message about a cart of last month, a sale that is over.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# Hours by which each source may be late, of a company `company`; none for the others.
HOURS_LATE = SQL(
    """CASE WHEN m.opt_in_id IS NOT NULL THEN company.late_hours_opt_in
            WHEN run.abandoned_cart_id IS NOT NULL THEN company.late_hours_cart
            WHEN run.id IS NOT NULL THEN company.late_hours_sequence END"""
)
# The message `m` was due too long ago. Of a campaign that is asked of the whole of it.
# A run that somebody begins for an old cart is not late: it was not to leave before.
LATE_RULES = [
    (
        "too_late",
        SQL(
            """company.late_is_held AND m.campaign_id IS NULL
               AND GREATEST(m.scheduled_at, run.started_at)
                   < clock.now - (%s) * interval '1 hour'""",
            HOURS_LATE,
        ),
    )
]
LATE_FIELDS = (
    *("late_hours_campaign", "late_hours_recurring", "late_hours_cart"),
    *("late_hours_sequence", "late_hours_opt_in"),
)


class ResCompany(models.Model):
    _inherit = "res.company"

    late_is_held = fields.Boolean(
        string="Ask Before Sending What Is Late",
        default=True,
        help="What could not leave in time waits until somebody decides on it.",
    )
    late_hours_campaign = fields.Integer(
        string="Late Campaigns",
        default=24,
        help="Hours after which a campaign that could not leave is not sent unasked.",
    )
    late_hours_recurring = fields.Integer(
        string="Late Campaigns Again and Again",
        default=24,
        help="The same for campaigns that are sent again and again.",
    )
    late_hours_cart = fields.Integer(
        string="Late Cart Messages",
        default=48,
        help="Hours after which a message about a cart is not sent unasked.",
    )
    late_hours_sequence = fields.Integer(
        string="Late Sequence Messages",
        default=168,
        help="Hours after which a message of a sequence for contacts is not sent "
        "unasked.",
    )
    late_hours_opt_in = fields.Integer(
        string="Late Confirmations",
        default=24,
        help="Hours after which an email that asks to confirm consent is not sent "
        "unasked.",
    )

    _late_hours_positive = models.Constraint(
        "CHECK({})".format(
            " AND ".join(f"{name} BETWEEN 1 AND 8760" for name in LATE_FIELDS)
        ),
        "What is late may be so by 1 to 8760 hours.",
    )


class MarketingMessage(models.Model):
    _inherit = "marketing.message"

    def _hold_late(self):
        """Let these messages wait for somebody's decision: they have no time."""
        self._change_states(
            [(message_id, {"reason": "too_late"}) for message_id in self.ids], "queued"
        )
        rows = self._execute_values(
            SQL(
                """UPDATE marketing_message m
                      SET reason = v.reason, reason_detail = NULL, scheduled_at = NULL,
                          history = CASE WHEN m.reason = v.reason THEN m.history
                              ELSE COALESCE(m.history, '[]') || %s END
                     FROM (SELECT id, reason, NULL::varchar AS detail
                             FROM (VALUES %%s) AS r (id, reason)) v
                    WHERE m.id = v.id AND m.state = 'queued'
                RETURNING m.id""",
                self._get_history_entry(
                    SQL("%s", fields.Datetime.now()), SQL("'queued'")
                ),
            ),
            [(message_id, "too_late") for message_id in self.ids],
            "(%s, %s::varchar)",
        )
        self.browse(message_id for (message_id,) in rows).invalidate_recordset()

    def action_send_late(self):
        """Send these late messages after all; other rules are asked all the same.

        :raise UserError: none of them waits for a decision
        """
        self.check_access("read")
        late = self.sudo().filtered(
            lambda message: message.state == "queued" and message.reason == "too_late"
        )
        if not late:
            raise UserError(self.env._("None of these messages is too late."))
        now = fields.Datetime.now()
        late.write({"scheduled_at": now, "reason": False})
        self.env["marketing.dispatcher"]._wake_up(now)


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    progress_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When one of its messages left last, or somebody decided to send it.",
    )
    is_late = fields.Boolean(compute="_compute_is_late")
    late_words = fields.Char(compute="_compute_is_late")

    @api.depends("state", "kind", "scheduled_at", "progress_at", "company_id")
    def _compute_is_late(self):
        running = self.filtered(lambda campaign: campaign.state == "running")
        late = running._find_late_running()
        for campaign in self:
            campaign.is_late = campaign in late or campaign._starts_late()
            campaign.late_words = campaign.is_late and campaign._get_late_words()

    def _get_hours_late(self):
        """Return by how many hours this campaign may be late; None for any.

        :rtype: int | None
        """
        self.ensure_one()
        company = self.company_id.sudo()
        if not company.late_is_held:
            return None
        if self.kind == "recurring":
            return company.late_hours_recurring
        return company.late_hours_campaign

    def _starts_late(self):
        """Whether this campaign should have begun so long ago that somebody has to say
        that it may still.

        :rtype: bool
        """
        self.ensure_one()
        hours = self._get_hours_late()
        if self.state != "scheduled" or not self.scheduled_at or hours is None:
            return False
        latest = max(self.scheduled_at, self.progress_at or self.scheduled_at)
        return latest < fields.Datetime.subtract(fields.Datetime.now(), hours=hours)

    def _find_late_running(self):
        """Return those of these campaigns of which nothing has left for too long,
        though something was due.

        :rtype: email.campaign
        """
        if not self.ids:
            return self.browse()
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT campaign.id FROM email_campaign campaign"
                " WHERE campaign.id = ANY(%s) AND %s",
                self.ids,
                self._sql_is_late(),
            )
        )
        return self.browse(campaign_id for (campaign_id,) in rows)

    @api.model
    def _sql_is_late(self):
        """Return SQL: what is due of the running campaign ``campaign`` is too late.

        A list that takes days, as the account may only send so many a day, is not late:
        some of it leaves each day.

        :rtype: SQL
        """
        return SQL(
            """EXISTS (
                SELECT FROM res_company company
                 CROSS JOIN LATERAL (
                       SELECT %(now)s::timestamp - interval '1 hour'
                           * CASE campaign.kind WHEN 'recurring'
                                  THEN company.late_hours_recurring
                                  ELSE company.late_hours_campaign END AS at) latest
                 WHERE company.id = campaign.company_id AND company.late_is_held
                   AND campaign.progress_at < latest.at
                   AND EXISTS (
                       SELECT FROM marketing_message
                        WHERE state = 'queued' AND company_id = campaign.company_id
                          AND channel IN ('email', 'sms')
                          AND CASE WHEN priority = 0 THEN 0
                                   ELSE COALESCE(campaign_id, 0) END = campaign.id
                          AND scheduled_at < latest.at))""",
            now=fields.Datetime.now(),
        )

    def _get_late_words(self):
        self.ensure_one()
        since = max(filter(None, (self.scheduled_at, self.progress_at)))
        hours = int((fields.Datetime.now() - since).total_seconds() // 3600)
        late = self.env._("%s hours", hours)
        if hours >= 48:
            late = self.env._("%s days", hours // 24)
        if self.state == "scheduled":
            return self.env._(
                "It was to leave %s ago and could not. Nothing is sent until you "
                "decide whether it still should be.",
                late,
            )
        return self.env._(
            "Nothing of it has left for %s, though messages were due. Nothing is sent "
            "until you decide whether they still should be.",
            late,
        )

    @api.model
    def _note_progress(self):
        """Remember of running campaigns that messages leave."""
        self.env.flush_all()
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                # Whoever pauses one at this moment is not kept waiting.
                """UPDATE email_campaign SET progress_at = %(now)s
                    WHERE id IN (
                       SELECT campaign.id FROM email_campaign campaign
                        WHERE campaign.state = 'running'
                          AND (campaign.progress_at IS NULL
                               OR campaign.progress_at < %(now)s::timestamp
                                  - interval '10 minutes'
                                  AND EXISTS (
                                      SELECT FROM marketing_provider provider
                                        JOIN marketing_message m
                                          ON m.provider_id = provider.id
                                         AND m.sending_at > campaign.progress_at
                                       WHERE m.campaign_id = campaign.id))
                          FOR NO KEY UPDATE OF campaign SKIP LOCKED)""",
                now=now,
            )
        )
        self.invalidate_model(["progress_at"], flush=False)

    def action_send_late(self):
        """Send what is late after all."""
        for campaign in self:
            campaign._expect("scheduled", "running")
        self._set_state({"progress_at": fields.Datetime.now()})
        self.env["marketing.dispatcher"]._wake_up(fields.Datetime.now())
        self._wake_up()
