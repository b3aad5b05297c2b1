from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..models.delivery.marketing_gate import ADDRESS_RULES
from ..tools import sms
from .sequence_replay_query import Period, get_replay_rules, replayed_carts

DEFAULT_DAYS = 30
LONGEST_DAYS = 366


class MarketingSequenceReplay(models.TransientModel):
    """What a sequence would have sent for the carts of the last weeks."""

    _name = "marketing.sequence.replay"
    _inherit = ["marketing.guard"]
    _description = "Sequence Tried on the Past"

    sequence_id = fields.Many2one(
        "marketing.sequence", required=True, ondelete="cascade"
    )
    days = fields.Integer(default=DEFAULT_DAYS, required=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    cart_count = fields.Integer(
        string="Carts", readonly=True, help="Left in that time, and for this sequence."
    )
    run_count = fields.Integer(
        string="People Written To",
        readonly=True,
        help="Carts for which at least one message would have been sent.",
    )
    message_count = fields.Integer(string="Messages", readonly=True)
    busy_count = fields.Integer(
        string="Other Cart First",
        readonly=True,
        help="Left while the same person was in the middle of a run for another cart.",
    )
    anyway_count = fields.Integer(
        string="Bought Anyway",
        readonly=True,
        help="Of those who would have been written to, who bought later all the same.",
    )
    worked_count = fields.Integer(
        readonly=True, help="Carts whose customers got messages at the time."
    )
    cost = fields.Monetary(string="Estimated Cost", readonly=True)
    step_ids = fields.One2many("marketing.sequence.replay.step", "replay_id")

    @api.depends("days")
    def _compute_display_name(self):
        for replay in self:
            replay.display_name = self.env._("The Last %s Days", replay.days)

    # === ACTION METHODS ===#

    def action_run(self):
        """Work it out, and show it.

        :return: a window action of this dialog
        :rtype: dict
        :raises UserError: for a sequence without steps, or a time that is none
        """
        self.ensure_one()
        self._check_references()
        self._check_question()
        lines = self.env["marketing.sequence.replay.line"].sudo()
        lines.search([("replay_id", "=", self.id)]).unlink()
        self.sudo().step_ids.unlink()
        lines._write_lines(self, self._get_period())
        self._write_steps()
        self._write_totals()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Tried on the Last %s Days", self.days),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def action_view_people(self):
        """Open everybody and every step, with what would have happened.

        :return: a window action
        :rtype: dict
        """
        return self._get_lines_action([])

    # === BUSINESS METHODS ===#

    def _check_question(self):
        if not 0 < self.days <= LONGEST_DAYS:
            raise UserError(
                self.env._("Choose between 1 and %s days to look back.", LONGEST_DAYS)
            )
        if not self.sequence_id._get_steps():
            raise UserError(self.env._("Add a step first: there is nothing to try."))

    def _get_period(self):
        """Return which carts to look at: of the companies the user looks at."""
        now = fields.Datetime.now()
        companies = self.env.companies
        if self.sequence_id.company_id:
            companies &= self.sequence_id.company_id
        return Period(now - timedelta(days=self.days), now, companies.ids)

    def _get_lines_action(self, domain):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Would Have Been Sent"),
            "res_model": "marketing.sequence.replay.line",
            "view_mode": "list",
            "domain": [("replay_id", "=", self.id), *domain],
        }

    def _write_steps(self):
        counts = {}
        for step, company, outcome, count in self.env[
            "marketing.sequence.replay.line"
        ]._read_group(
            [("replay_id", "=", self.id)],
            ["step_id", "company_id", "outcome"],
            ["__count"],
        ):
            counts.setdefault(step, []).append((company, outcome, count))
        bought = dict(
            self.env["marketing.sequence.replay.line"]._read_group(
                [
                    ("replay_id", "=", self.id),
                    ("outcome", "=", "send"),
                    ("bought_at", "!=", False),
                ],
                ["step_id"],
                ["__count"],
            )
        )
        self.sudo().currency_id = self.env.company.currency_id
        self.env["marketing.sequence.replay.step"].sudo().create(
            [
                {
                    "replay_id": self.id,
                    "step_id": step.id,
                    **self._prepare_step(step, counts.get(step, [])),
                    "anyway_count": bought.get(step, 0),
                }
                for step in self.sequence_id._get_steps()
            ]
        )

    def _prepare_step(self, step, counts):
        sent = [(company, n) for company, outcome, n in counts if outcome == "send"]
        held = {}
        for _company, outcome, count in counts:
            if outcome != "send":
                held[outcome] = held.get(outcome, 0) + count
        return {
            "send_count": sum(count for _company, count in sent),
            "held": held,
            "cost": sum(self._estimate_cost(step, *each) for each in sent),
        }

    def _estimate_cost(self, step, company, count):
        """Return what messages of a step would cost, in the user's currency.

        Text messages are charged by the segment; how many a template has is taken from
        its preview. Emails cost nothing but what the account is paid anyway.
        """
        if step.channel != "sms" or not company:
            return 0.0
        account = self.env["marketing.provider"].sudo()._select(company, step.channel)
        segments = sms.analyse(step.template_id.preview_text or "").segments
        price = account.segment_price * segments * count
        currency = account.currency_id or company.currency_id
        return currency._convert(price, self.env.company.currency_id, company)

    def _write_totals(self):
        [totals] = self.env.execute_query_dict(
            SQL(
                """SELECT count(DISTINCT cart_number) AS cart_count,
                          count(DISTINCT cart_number)
                              FILTER (WHERE outcome = 'send') AS run_count,
                          count(*) FILTER (WHERE outcome = 'send') AS message_count,
                          count(DISTINCT cart_number)
                              FILTER (WHERE outcome = 'other_cart') AS busy_count,
                          count(DISTINCT cart_number)
                              FILTER (WHERE outcome = 'send'
                                      AND bought_at IS NOT NULL) AS anyway_count,
                          count(DISTINCT cart_number)
                              FILTER (WHERE was_worked) AS worked_count
                     FROM marketing_sequence_replay_line WHERE replay_id = %s""",
                self.id,
            )
        )
        self.sudo().write({**totals, "cost": sum(self.step_ids.mapped("cost"))})


class MarketingSequenceReplayStep(models.TransientModel):
    """What one step would have done."""

    _name = "marketing.sequence.replay.step"
    _description = "Step Tried on the Past"
    _order = "id"

    replay_id = fields.Many2one(
        "marketing.sequence.replay", required=True, readonly=True, ondelete="cascade"
    )
    step_id = fields.Many2one(
        "marketing.sequence.step", required=True, readonly=True, ondelete="cascade"
    )
    channel = fields.Selection(related="step_id.channel")
    delay_words = fields.Char(related="step_id.delay_words")
    send_count = fields.Integer(string="Would Be Sent", readonly=True)
    held = fields.Json(readonly=True, help="Number of people by reason.")
    held_count = fields.Integer(string="Held Back", compute="_compute_held")
    held_lines = fields.Json(compute="_compute_held", help="The same in words.")
    anyway_count = fields.Integer(string="Bought Later", readonly=True)
    currency_id = fields.Many2one(related="replay_id.currency_id")
    cost = fields.Monetary(readonly=True)

    @api.depends("held")
    def _compute_held(self):
        labels = dict(self.env["marketing.sequence.replay.line"]._get_outcomes())
        for step in self:
            held = step.held or {}
            step.held_count = sum(held.values())
            step.held_lines = [
                {"reason": reason, "label": labels.get(reason, reason), "count": count}
                for reason, count in sorted(held.items(), key=lambda item: -item[1])
            ]

    def action_view_people(self):
        """Open whom this step would have been sent to, and who not and why.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.replay_id._get_lines_action([("step_id", "=", self.step_id.id)])


class MarketingSequenceReplayLine(models.TransientModel):
    """One person and step: what would have happened."""

    _name = "marketing.sequence.replay.line"
    _description = "Message Tried on the Past"
    _order = "due_at, id"
    _rec_name = "email_normalized"

    replay_id = fields.Many2one(
        "marketing.sequence.replay",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    step_id = fields.Many2one(
        "marketing.sequence.step", readonly=True, ondelete="cascade"
    )
    cart_number = fields.Integer(readonly=True, help="The same for all of a cart.")
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, ondelete="cascade"
    )
    email_normalized = fields.Char(string="Email", readonly=True)
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart", string="Cart", readonly=True, ondelete="cascade"
    )
    order_id = fields.Many2one(
        "sale.order", string="Cart Order", readonly=True, ondelete="cascade"
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(
        string="Value", currency_field="company_currency_id", readonly=True
    )
    due_at = fields.Datetime(string="Due", readonly=True)
    outcome = fields.Selection("_get_outcomes", readonly=True)
    bought_at = fields.Datetime(
        string="Bought", readonly=True, help="The first order after they had left."
    )
    was_worked = fields.Boolean(
        string="Had Messages", readonly=True, help="The cart went through a sequence."
    )

    @api.model
    def _get_outcomes(self):
        """Return what can come of a step for a person, in words.

        :rtype: list[tuple[str, str]]
        """
        reasons = self.env["marketing.message"]._fields["reason"]
        return [
            ("send", self.env._("Would be sent")),
            ("pending", self.env._("Not due yet")),
            ("unknown", self.env._("Depends on a click or a return")),
            ("other_cart", self.env._("Another cart of this person comes first")),
            *reasons._description_selection(self.env),
        ]

    def action_open(self):
        """Open the cart, or the order that it was.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return (self.abandoned_cart_id or self.order_id)._get_records_action()

    @api.model
    def _write_lines(self, replay, period):
        """Work out what would have happened for each cart and step, in one statement.

        :param marketing.sequence.replay replay: whose lines they are
        :param Period period: which carts are looked at
        """
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL jit = off")
        sequence = replay.sequence_id
        self.env.cr.execute(
            SQL(
                """
                WITH cart AS MATERIALIZED (
                    SELECT row_number() OVER () AS cart_number, cart.*
                      FROM (%(carts)s) cart),
                judged AS (
                    SELECT m.*, %(reason)s AS reason
                      FROM (SELECT cart.*, cart.abandoned_at
                                   + step.offset_seconds * interval '1 second'
                                       AS due_at,
                                   step.id AS step_id, step.channel, step.template_id,
                                   step.sequence AS place, 1 AS priority,
                                   COALESCE(NULLIF(person.phone_sanitized, ''),
                                            cart.typed_phone) AS phone_sanitized
                              FROM cart
                              JOIN marketing_sequence_step step
                                ON step.sequence_id = %(sequence_id)s AND step.active
                              LEFT JOIN res_partner person
                                ON person.id = cart.partner_id) m
                     CROSS JOIN LATERAL (
                           SELECT m.typed_phone AS phone_sanitized) cart
                      JOIN marketing_template tpl ON tpl.id = m.template_id
                     CROSS JOIN LATERAL (SELECT tpl.purpose AS code) purpose
                     %(joins)s),
                decided AS (
                    SELECT *, CASE WHEN NOT is_free THEN 'other_cart'
                                   ELSE COALESCE(reason, 'send') END AS outcome
                      FROM judged),
                counted AS (
                    SELECT *, count(*) FILTER (WHERE outcome = 'send') OVER (
                               PARTITION BY cart_number ORDER BY place, step_id) AS sent
                      FROM decided)
                INSERT INTO marketing_sequence_replay_line (
                    create_uid, create_date, write_uid, write_date, replay_id, step_id,
                    cart_number, company_id, partner_id, email_normalized,
                    abandoned_cart_id, order_id, amount, due_at, outcome, bought_at,
                    was_worked)
                SELECT %(user_id)s, %(now)s, %(user_id)s, %(now)s, %(replay_id)s,
                       step_id, cart_number, company_id, partner_id, email_normalized,
                       cart_id, order_id, amount_company, due_at,
                       CASE WHEN outcome = 'send' AND sent > %(most)s
                            THEN 'max_messages' ELSE outcome END,
                       bought_at,
                       cart_id IN (SELECT abandoned_cart_id FROM marketing_enrollment
                                    WHERE abandoned_cart_id IS NOT NULL)
                  FROM counted
                """,
                carts=replayed_carts(sequence, period),
                reason=self._sql_reason(sequence),
                sequence_id=sequence.id,
                joins=self.env["marketing.gate"]._make_joins(period.now),
                user_id=replay.create_uid.id,
                now=period.now,
                replay_id=replay.id,
                most=sequence.max_messages,
            )
        )
        self.env.invalidate_all(flush=False)

    @api.model
    def _sql_reason(self, sequence):
        key = self.env["marketing.suppression"]._get_address_key()
        is_holdout = self.env["marketing.enrollment"]._sql_draw(
            SQL("m.email_normalized"), SQL("%s", sequence.holdout_percent)
        )
        return self.env["marketing.gate"]._make_reason(
            ADDRESS_RULES, get_replay_rules(key, is_holdout)
        )
