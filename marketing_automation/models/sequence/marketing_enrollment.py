from datetime import timedelta

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

BATCH_SIZE = 1000
RUNNING_STATES = ("active", "paused")


class MarketingEnrollment(models.Model):
    """The run of one person and cart through a sequence."""

    _name = "marketing.enrollment"
    _description = "Sequence Enrollment"
    _order = "id desc"
    _rec_name = "abandoned_cart_id"
    # Written in bulk: `started_at` says when, nobody is the author.
    _log_access = False

    # Not indexed: a shop has few sequences and steps, and many runs of each.
    sequence_id = fields.Many2one(
        "marketing.sequence", required=True, readonly=True, ondelete="restrict"
    )
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    partner_id = fields.Many2one(related="abandoned_cart_id.partner_id")
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    email_normalized = fields.Char(string="Email", readonly=True)
    state = fields.Selection(
        [
            ("active", "Running"),
            ("paused", "Customer Is Back"),
            ("completed", "Completed"),
            ("stopped", "Stopped"),
        ],
        required=True,
        readonly=True,
        default="active",
    )
    stop_reason = fields.Selection(
        [
            ("purchased", "Bought"),
            ("opted_out", "Opted out"),
            ("emptied", "Cart emptied or not worth recovering any more"),
            ("expired", "Cart expired"),
            ("max_messages", "Enough messages sent"),
            ("replied", "Customer replied"),
            ("cancelled", "Stopped by hand"),
        ],
        readonly=True,
    )
    started_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    ended_at = fields.Datetime(readonly=True)
    last_step_id = fields.Many2one(
        "marketing.sequence.step", readonly=True, ondelete="set null"
    )
    next_step_id = fields.Many2one(
        "marketing.sequence.step", readonly=True, ondelete="set null"
    )
    next_at = fields.Datetime(string="Next Step Due", readonly=True)
    message_ids = fields.One2many("marketing.message", "enrollment_id")
    sent_count = fields.Integer(string="Messages Sent", compute="_compute_results")
    currency_id = fields.Many2one(related="company_id.currency_id")
    revenue = fields.Monetary(
        string="Credited Revenue",
        compute="_compute_results",
        help="The cart's order, where a message of this run gets the credit.",
    )

    _due_idx = models.Index("(next_at) WHERE state = 'active'")
    _cart_uniq = models.UniqueIndex(
        "(abandoned_cart_id) WHERE state IN ('active', 'paused')",
        "This cart goes through a sequence already.",
    )
    _person_uniq = models.UniqueIndex(
        "(email_normalized, company_id) WHERE state IN ('active', 'paused')",
        "This person goes through a sequence already.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("message_ids.state", "abandoned_cart_id.recovered_message_id")
    def _compute_results(self):
        for enrollment in self:
            messages = enrollment.message_ids
            enrollment.sent_count = len(
                messages.filtered(
                    lambda message: message.state in ("sent", "delivered", "bounced")
                )
            )
            enrollment.revenue = sum(messages.mapped("attributed_revenue"))

    # === CRON METHODS ===#

    @api.model
    def _cron_process_due(self):
        """Turn the steps that are due into messages of the outbox, in batches."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(self._get_due_domain()))
        # A batch that meets a customer who is just coming back is done again.
        while count := retrying(self._process_due_batch, self.env):
            if not cron._commit_progress(count):
                return
        self._wake_up_next()

    # === ACTION METHODS ===#

    def action_stop(self):
        """Stop these runs by hand; what waits in the outbox is cancelled.

        Users may do this without being able to write anything else on a run.
        """
        self.check_access("read")
        self.sudo()._stop("cancelled")

    # === ENTRY ===#

    @api.model
    def _enroll_abandoned(self):
        """Start the recovery of abandoned carts, the most valuable first.

        One person has one recovery at a time: where somebody left several carts, the
        most valuable one is worked, the others wait. A cart is worked once.

        :return: number of recoveries started
        :rtype: int
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO marketing_enrollment (
                    started_at, sequence_id, abandoned_cart_id, company_id,
                    email_normalized, state, next_step_id, next_at)
                SELECT DISTINCT ON (cart.company_id, cart.email_normalized)
                       %(now)s, plan.sequence_id, cart.id, cart.company_id,
                       cart.email_normalized, 'active', plan.step_id,
                       cart.abandoned_at + plan.offset_seconds * interval '1 second'
                  FROM abandoned_cart cart
                 CROSS JOIN LATERAL (
                       SELECT seq.id AS sequence_id, step.id AS step_id,
                              step.offset_seconds
                         FROM marketing_sequence seq
                         JOIN marketing_sequence_step step ON step.sequence_id = seq.id
                        WHERE seq.active
                          AND (seq.company_id IS NULL
                               OR seq.company_id = cart.company_id)
                          AND (seq.website_id IS NULL
                               OR seq.website_id = cart.website_id)
                        ORDER BY seq.sequence, seq.id, step.sequence, step.id
                        LIMIT 1) plan
                 WHERE cart.state = 'abandoned'
                   AND NOT EXISTS (
                       SELECT FROM marketing_enrollment run
                        WHERE run.abandoned_cart_id = cart.id)
                   AND NOT EXISTS (
                       SELECT FROM marketing_enrollment run
                        WHERE run.email_normalized = cart.email_normalized
                          AND run.company_id = cart.company_id
                          AND run.state IN ('active', 'paused'))
                 ORDER BY cart.company_id, cart.email_normalized,
                          cart.amount_company DESC, cart.id
                    ON CONFLICT DO NOTHING
                RETURNING id
                """,
                now=fields.Datetime.now(),
            )
        )
        self.env.invalidate_all(flush=False)
        return len(rows)

    @api.model
    def _wake_up_next(self):
        """Be there on time for the next step that becomes due within a minute."""
        upcoming = self.search(
            [("state", "=", "active"), ("next_at", ">", fields.Datetime.now())],
            order="next_at",
            limit=1,
        )
        if upcoming:
            self.env["marketing.dispatcher"]._trigger_at(
                "marketing_automation.ir_cron_process_enrollments", upcoming.next_at
            )

    # === STEPS ===#

    @api.model
    def _get_due_domain(self):
        return [("state", "=", "active"), ("next_at", "<=", fields.Datetime.now())]

    @api.model
    def _process_due_batch(self, limit=BATCH_SIZE):
        """Queue the messages of up to ``limit`` steps that are due.

        Every person considered leaves a message, queued or skipped with the reason.

        :param int limit: number of steps
        :return: number of steps processed; 0 when nothing is due
        :rtype: int
        """
        due = self.search(self._get_due_domain(), limit=limit, order="next_at, id")
        due = due.try_lock_for_update(allow_referencing=True)
        due = due.filtered_domain(self._get_due_domain())
        if not due:
            return 0
        messages = self.env["marketing.message"]._queue_sequence_steps(due)
        messages._skip_blocked()
        waiting = messages.filtered(lambda message: message.state == "queued")
        waiting.abandoned_cart_id._start_recovery()
        due.filtered(lambda enrollment: enrollment.state == "active")._advance()
        if waiting:
            self.env["marketing.dispatcher"]._wake_up(
                min(waiting.mapped("scheduled_at"))
            )
        return len(due)

    def _advance(self):
        """Go on to the next step, or complete the run behind the last one.

        The pause between two steps is kept even when a step came late: nobody gets
        the reminders of three days within minutes.
        """
        now = fields.Datetime.now()
        for enrollment in self:
            step = enrollment.next_step_id
            following = step._get_following_steps()[:1]
            if not following:
                enrollment._complete()
                continue
            pause = max(following.offset_seconds - step.offset_seconds, 0)
            planned = enrollment.abandoned_cart_id.abandoned_at + timedelta(
                seconds=following.offset_seconds
            )
            enrollment.write(
                {
                    "last_step_id": step.id,
                    "next_step_id": following.id,
                    "next_at": max(planned, now + timedelta(seconds=pause)),
                }
            )

    # === EXITS ===#

    def _complete(self):
        """All steps are done."""
        for enrollment in self:
            enrollment.write(
                {
                    "state": "completed",
                    "ended_at": fields.Datetime.now(),
                    "last_step_id": enrollment.next_step_id.id,
                    "next_step_id": False,
                    "next_at": False,
                }
            )

    def _pause(self):
        """Hold the run while the customer is in the shop."""
        self.filtered(lambda enrollment: enrollment.state == "active").state = "paused"

    def _resume(self):
        """Go on where these runs were held, counted from the new abandonment.

        Runs that ended because the cart was emptied go on as well when it was filled
        again, unless another run for the same person has begun meanwhile.
        """
        for run in self:
            step = run.next_step_id or run._get_step_after_last()
            if run.state == "active" or not step or run._has_rival():
                continue
            done = run.last_step_id.offset_seconds or 0
            run.write(
                {
                    "state": "active",
                    "stop_reason": False,
                    "ended_at": False,
                    "next_step_id": step.id,
                    "next_at": run.abandoned_cart_id.abandoned_at
                    + timedelta(seconds=max(step.offset_seconds - done, 0)),
                }
            )

    def _get_step_after_last(self):
        if self.last_step_id:
            return self.last_step_id._get_following_steps()[:1]
        return self.sequence_id.step_ids.sorted(lambda step: (step.sequence, step.id))[
            :1
        ]

    def _has_rival(self):
        """Whether another run for the same person or cart is going on."""
        return bool(
            self.search_count(
                [
                    ("id", "!=", self.id),
                    ("state", "in", RUNNING_STATES),
                    ("company_id", "=", self.company_id.id),
                    "|",
                    ("email_normalized", "=", self.email_normalized),
                    ("abandoned_cart_id", "=", self.abandoned_cart_id.id),
                ],
                limit=1,
            )
        )

    def _on_message_blocked(self, reason):
        """The gate held a message of these runs back: some reasons end the run.

        The others (nothing in stock just now, say) only cost this one message.

        :param str reason: what the gate said
        """
        if reason in dict(self._fields["stop_reason"].selection):
            self._stop(reason)

    def _stop(self, reason):
        """End these runs at once and take back what waits in the outbox.

        :param str reason: key of ``stop_reason``
        """
        running = self.filtered(lambda enrollment: enrollment.state in RUNNING_STATES)
        running.write(
            {
                "state": "stopped",
                "stop_reason": reason,
                "ended_at": fields.Datetime.now(),
                "next_step_id": False,
                "next_at": False,
            }
        )
        if reason == "max_messages":
            return  # What was queued before is within the limit.
        self.message_ids.filtered(lambda message: message.state == "queued")._set_state(
            "cancelled", reason
        )
