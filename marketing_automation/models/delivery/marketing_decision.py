"""The ledger: every decision about a person, whoever made it, with its reason."""

from odoo import api, fields, models
from odoo.tools import SQL

from ..channels import CHANNELS

# Reasons for which a message waits because of the person, not because of a fault.
HELD_BACK_REASONS = [
    *("frequency_cap", "less_often", "quiet_hours", "paused", "no_identity"),
    *("domain_throttled", "send_window", "campaign_paused"),
]
OUTCOMES = [
    ("waiting", "Waiting"),
    ("held_back", "Held Back"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("bounced", "Bounced"),
    ("failed", "Failed"),
    ("uncertain", "Uncertain"),
    ("skipped", "Skipped"),
    ("cancelled", "Cancelled"),
    ("excluded", "Excluded"),
    ("stopped", "Stopped"),
]

# One query per kind of decision, all with the same columns. The database looks for a
# person in each of them by its own index, so a condition must be on a bare column of
# one table. Messages keep their ids, the others get negative ones: no two are the same,
# and messages are found by the index of their ids.
MESSAGES = SQL(
    """SELECT m.id, m.company_id, COALESCE(m.state_changed_at, m.create_date)
                  AS decided_at,
              m.partner_id, m.email_normalized,
              CASE WHEN m.channel = 'sms' THEN m.phone_sanitized ELSE m.email END
                  AS recipient,
              m.channel, m.campaign_id, m.sequence_id, m.step_id, m.template_id,
              m.abandoned_cart_id, m.id AS message_id,
              CASE WHEN m.state = 'queued' AND m.reason = ANY(%s) THEN 'held_back'
                   WHEN m.state IN ('queued', 'sending') THEN 'waiting'
                   ELSE m.state END AS outcome,
              m.reason, m.reason_detail AS detail,
              CASE WHEN m.state = 'queued' THEN m.scheduled_at END AS until
         FROM marketing_message m""",
    HELD_BACK_REASONS,
)
EXCLUDED_CARTS = SQL(
    """SELECT -3 * cart.id, cart.company_id, cart.detected_at,
              cart.partner_id, cart.email_normalized, cart.email,
              NULL::varchar, NULL::int, NULL::int, NULL::int, NULL::int,
              cart.id, NULL::int, 'excluded', cart.exclusion_reason, NULL::varchar,
              NULL::timestamp
         FROM abandoned_cart cart
        WHERE cart.state = 'excluded'"""
)
# One person has one recovery at a time.
WAITING_CARTS = SQL(
    """SELECT -3 * cart.id - 1, cart.company_id, cart.detected_at,
              cart.partner_id, cart.email_normalized, cart.email,
              NULL::varchar, NULL::int, NULL::int, NULL::int, NULL::int,
              cart.id, NULL::int, 'waiting', 'other_cart', NULL::varchar,
              NULL::timestamp
         FROM abandoned_cart cart
        WHERE cart.state = 'abandoned'
          AND EXISTS (
              SELECT FROM marketing_enrollment other
               WHERE other.email_normalized = cart.email_normalized
                 AND other.company_id = cart.company_id
                 AND other.state IN ('active', 'paused')
                 AND other.abandoned_cart_id != cart.id)"""
)
STOPPED_RUNS = SQL(
    """SELECT -3 * run.id - 2, run.company_id, run.ended_at,
              cart.partner_id, cart.email_normalized, cart.email,
              NULL::varchar, NULL::int, run.sequence_id, NULL::int, NULL::int,
              cart.id, NULL::int, 'stopped', run.stop_reason, NULL::varchar,
              NULL::timestamp
         FROM marketing_enrollment run
         JOIN abandoned_cart cart ON cart.id = run.abandoned_cart_id
        WHERE run.state = 'stopped'"""
)
STOPPED_CONTACTS = SQL(
    """SELECT -3 * run.id - 2, run.company_id, run.ended_at,
              run.contact_id, run.email_normalized, run.email_normalized,
              NULL::varchar, run.campaign_id, run.sequence_id, NULL::int, NULL::int,
              NULL::int, NULL::int, 'stopped', run.stop_reason, NULL::varchar,
              NULL::timestamp
         FROM marketing_enrollment run
        WHERE run.state = 'stopped' AND run.abandoned_cart_id IS NULL"""
)


class MarketingDecision(models.Model):
    """One decision about a person: written to or not, when and why. Read from the
    outbox, the carts and the runs; nothing is stored here."""

    _name = "marketing.decision"
    _inherit = ["marketing.person.search"]
    _description = "Marketing Decision"
    _auto = False
    _order = "decided_at desc, id desc"
    _rec_name = "recipient"
    _number_field = "recipient"
    _depends = {
        "marketing.message": [
            *("company_id", "state", "state_changed_at", "partner_id", "email"),
            *("email_normalized", "phone_sanitized", "channel", "campaign_id"),
            "sequence_id",
            *("step_id", "template_id", "abandoned_cart_id", "reason"),
            *("reason_detail", "scheduled_at"),
        ],
        "abandoned.cart": [
            *("company_id", "state", "detected_at", "partner_id", "email"),
            *("email_normalized", "exclusion_reason"),
        ],
        "marketing.enrollment": [
            *("company_id", "state", "ended_at", "email_normalized", "sequence_id"),
            *("abandoned_cart_id", "stop_reason", "contact_id", "campaign_id"),
        ],
    }

    decided_at = fields.Datetime(string="When", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    email_normalized = fields.Char(string="Email", readonly=True)
    recipient = fields.Char(string="Person", readonly=True)
    channel = fields.Selection(CHANNELS, readonly=True)
    source = fields.Char(
        compute="_compute_source", help="What the message was to come from."
    )
    campaign_id = fields.Many2one("email.campaign", readonly=True)
    sequence_id = fields.Many2one("marketing.sequence", readonly=True)
    step_id = fields.Many2one("marketing.sequence.step", readonly=True)
    template_id = fields.Many2one("marketing.template", readonly=True)
    abandoned_cart_id = fields.Many2one("abandoned.cart", string="Cart", readonly=True)
    message_id = fields.Many2one("marketing.message", readonly=True)
    outcome = fields.Selection(OUTCOMES, readonly=True)
    reason = fields.Selection("_get_reasons", readonly=True)
    detail = fields.Char(string="Details", readonly=True)
    until = fields.Datetime(
        readonly=True, help="When it is due, or decided on again if it is held back."
    )

    @property
    def _table_query(self):
        return SQL(" UNION ALL ").join(
            [MESSAGES, EXCLUDED_CARTS, WAITING_CARTS, STOPPED_RUNS, STOPPED_CONTACTS]
        )

    @api.model
    def _get_reasons(self):
        """Return the reasons of messages, runs and carts, in words.

        :rtype: list[tuple[str, str]]
        """
        known = {}
        for model, name in (
            ("abandoned.cart", "exclusion_reason"),
            ("marketing.enrollment", "stop_reason"),
            ("marketing.message", "reason"),
        ):
            field = self.env[model]._fields[name]
            known |= dict(field._description_selection(self.env))
        known["other_cart"] = self.env._("Another cart of this person comes first")
        return list(known.items())

    def _search_display_name(self, operator, value):
        """Return whose decisions these are."""
        found = self._search_person(operator, value)
        if found is NotImplemented:
            return super()._search_display_name(operator, value)
        return found

    @api.depends("campaign_id", "sequence_id", "step_id", "template_id")
    def _compute_source(self):
        for decision in self:
            names = (
                decision.step_id.name or decision.template_id.name,
                decision.campaign_id.name or decision.sequence_id.name,
            )
            decision.source = " · ".join(filter(None, names)) or self.env._(
                "Cart detection"
            )

    def action_open(self):
        """Open the message this decision is about, or the cart if there is none.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return (self.message_id or self.abandoned_cart_id)._get_records_action()
