from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools.quiet_hours import SendWindow
from ...tools.trusted_context import heard, say
from ..channels import CHANNELS
from .sequence_condition import CART_CONDITIONS

# What the column holds: 68 years.
MAX_OFFSET = 2**31 - 1
UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}
# In the context, from our own code alone, while a sequence and its steps are edited.
EDITING = "marketing_sequence_editing"
DELETING = "marketing_step_deleting"


def place_of(step):
    """Return what steps of a sequence are sorted by, as the database does.

    :param marketing.sequence.step step: a step
    :rtype: tuple[int, int]
    """
    return (step.sequence, step.id)


class MarketingSequenceStep(models.Model):
    """One message of a sequence and when it is due."""

    _name = "marketing.sequence.step"
    _inherit = ["marketing.guard"]
    _description = "Sequence Step"
    _order = "sequence_id, sequence, id"
    _check_company_auto = True

    sequence_id = fields.Many2one(
        "marketing.sequence", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="sequence_id.company_id")
    sequence_kind = fields.Selection(related="sequence_id.kind")
    currency_id = fields.Many2one(related="sequence_id.currency_id")
    active = fields.Boolean(
        default=True,
        help="Steps that had messages are archived when they are removed, so that the "
        "messages still say where they came from.",
    )
    sequence = fields.Integer(string="Position", default=10)
    name = fields.Char(required=True, translate=True)
    delay_value = fields.Integer(string="Wait", default=1, required=True)
    delay_unit = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        string="Unit",
        default="hours",
        required=True,
    )
    delay_from = fields.Selection(
        [
            ("trigger", "from the beginning"),
            ("previous", "after the previous step"),
        ],
        string="Counted",
        default="trigger",
        required=True,
    )
    offset_seconds = fields.Integer(
        compute="_compute_offset_seconds",
        store=True,
        help="Seconds from the beginning to this step: from when the cart was left, "
        "or the contact was handed over.",
    )
    channel = fields.Selection(CHANNELS, default="email", required=True)
    template_id = fields.Many2one(
        "marketing.template",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain="[('channel', '=', channel)]",
    )
    condition_ids = fields.One2many(
        "marketing.sequence.condition",
        "step_id",
        string="Conditions",
        copy=True,
        help="All of them must hold when the step is due, and still when its message "
        "leaves. Otherwise the person goes on to the next step without it.",
    )
    window_from = fields.Float(
        string="Sent From",
        help="Hour of the day where the customer lives. What is due earlier waits.",
    )
    window_until = fields.Float(
        string="Sent Until",
        help="Hour of the day where the customer lives. What is due later waits for "
        "the next day.",
    )
    window_days = fields.Selection(
        [("every", "Every day"), ("weekdays", "Monday to Friday")],
        string="Sent On",
        default="every",
        required=True,
    )
    message_count = fields.Integer(string="Sent", compute="_compute_message_count")

    _delay_positive = models.Constraint(
        "CHECK(delay_value >= 0 AND delay_value * CASE delay_unit"
        " WHEN 'days' THEN 1440 WHEN 'hours' THEN 60 ELSE 1 END::bigint <= 5256000)",
        "A step waits from 0 to ten years.",
    )
    _window_of_day = models.Constraint(
        "CHECK(window_from >= 0 AND window_from < 24"
        " AND window_until >= 0 AND window_until <= 24"
        " AND (window_from != window_until OR window_from = 0))",
        "The hours of a step begin and end at different times, between 00:00 and "
        "24:00. Use 00:00 for both to send at any time.",
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "active",
        "delay_value",
        "delay_unit",
        "delay_from",
        "sequence",
        "sequence_id.step_ids.active",
        "sequence_id.step_ids.sequence",
        "sequence_id.step_ids.delay_value",
        "sequence_id.step_ids.delay_unit",
        "sequence_id.step_ids.delay_from",
    )
    def _compute_offset_seconds(self):
        for sequence in self.sequence_id:
            previous = 0
            for step in sequence._get_steps():
                wait = (step.delay_value or 0) * UNIT_SECONDS[step.delay_unit]
                start = previous if step.delay_from == "previous" else 0
                previous = min(start + wait, MAX_OFFSET)
                step.offset_seconds = previous
        for step in self.filtered(lambda step: not step.sequence_id or not step.active):
            step.offset_seconds = 0

    def _compute_message_count(self):
        counts = dict(
            self.env["marketing.message"]._read_group(
                [
                    ("step_id", "in", self.ids),
                    ("state", "in", ("sent", "delivered", "bounced")),
                ],
                ["step_id"],
                ["__count"],
            )
        )
        for step in self:
            step.message_count = counts.get(step, 0)

    # === CONSTRAINT METHODS ===#

    @api.constrains("channel", "template_id")
    def _check_template_channel(self):
        for step in self:
            if step.template_id.channel != step.channel:
                raise ValidationError(
                    self.env._(
                        "The template “%(template)s” is for another channel than the "
                        "step “%(step)s”.",
                        template=step.template_id.name,
                        step=step.name,
                    )
                )

    def _check_conditions(self):
        """Refuse what no condition should stand on alone.

        Mail programs fetch pictures ahead and hide from us what people open: an open
        that is missing says little.

        :raises ValidationError: for a step whose only condition is "not opened"
        """
        for step in self:
            if set(step.condition_ids.mapped("kind")) == {"not_opened"}:
                raise ValidationError(
                    self.env._(
                        "Step “%s”: whether a message was opened is not known for "
                        "certain, because mail programs open messages by themselves or "
                        "hide that people do. Add another condition beside it, such "
                        "as “has not clicked in an earlier message”.",
                        step.name,
                    )
                )

    def _check_for_contacts(self):
        """Refuse what can only be said of a cart.

        :raises ValidationError: it says which step, and what to do
        """
        for step in self:
            if step.template_id.context != "contact":
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: “%(template)s” speaks of a cart or an order. "
                        "Choose a template for any contact.",
                        step=step.name,
                        template=step.template_id.name,
                    )
                )
            about_cart = step.condition_ids.filtered(
                lambda condition: condition.kind in CART_CONDITIONS
            )
            if about_cart:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: nobody here has left a cart. Take the "
                        "condition “%(condition)s” out.",
                        step=step.name,
                        condition=about_cart[0].summary,
                    )
                )

    @api.onchange("channel")
    def _onchange_channel(self):
        if self.template_id.channel != self.channel:
            self.template_id = False

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        sequences = self.env["marketing.sequence"].browse(
            {vals["sequence_id"] for vals in vals_list if vals.get("sequence_id")}
        )
        with sequences._editing() as editing:
            steps = super(MarketingSequenceStep, self.with_env(editing.env)).create(
                vals_list
            )
        return steps.with_env(self.env)

    def write(self, vals):
        with self.sequence_id._editing() as editing:
            return super(MarketingSequenceStep, self.with_env(editing.env)).write(vals)

    def unlink(self):
        """Remove steps: those that had messages are archived, the others deleted.

        Carts waiting for such a step wait for the one behind it.
        """
        if heard(self.env, DELETING):
            return super().unlink()
        self.check_access("unlink")
        with self.sequence_id._editing() as editing:
            self.with_env(editing.env).active = False
        return True

    def _delete(self):
        """Delete steps that nobody waits for and nobody had a message of."""
        self.with_context(**{DELETING: say()}).unlink()

    # === BUSINESS METHODS ===#

    def _get_following_steps(self):
        """Return the steps behind this one, in order.

        :rtype: marketing.sequence.step
        """
        self.ensure_one()
        return self.sequence_id._get_steps().filtered(
            lambda step: place_of(step) > place_of(self)
        )

    def _get_window(self):
        """Return the hours of the day at which this step's messages may leave.

        :rtype: SendWindow
        """
        self.ensure_one()
        return SendWindow(
            self.window_from, self.window_until, self.window_days == "weekdays"
        )
