from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..channels import CHANNELS

UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}


class MarketingSequenceStep(models.Model):
    """One message of a sequence and when it is due."""

    _name = "marketing.sequence.step"
    _description = "Sequence Step"
    _order = "sequence_id, sequence, id"
    _check_company_auto = True

    sequence_id = fields.Many2one(
        "marketing.sequence", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="sequence_id.company_id")
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
            ("trigger", "After the cart was left"),
            ("previous", "After the previous step"),
        ],
        string="Counted",
        default="trigger",
        required=True,
    )
    offset_seconds = fields.Integer(
        compute="_compute_offset_seconds",
        store=True,
        help="Seconds from the abandonment to this step.",
    )
    channel = fields.Selection(CHANNELS, default="email", required=True)
    template_id = fields.Many2one(
        "marketing.template",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain="[('channel', '=', channel)]",
    )
    message_count = fields.Integer(string="Sent", compute="_compute_message_count")

    _delay_positive = models.Constraint(
        "CHECK(delay_value >= 0)", "A step cannot wait less than nothing."
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "delay_value",
        "delay_unit",
        "delay_from",
        "sequence",
        "sequence_id.step_ids.sequence",
        "sequence_id.step_ids.delay_value",
        "sequence_id.step_ids.delay_unit",
        "sequence_id.step_ids.delay_from",
    )
    def _compute_offset_seconds(self):
        for sequence in self.sequence_id:
            previous = 0
            for step in sequence.step_ids.sorted(lambda step: (step.sequence, step.id)):
                wait = (step.delay_value or 0) * UNIT_SECONDS[step.delay_unit]
                start = previous if step.delay_from == "previous" else 0
                step.offset_seconds = previous = start + wait
        for step in self.filtered(lambda step: not step.sequence_id):
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

    @api.onchange("channel")
    def _onchange_channel(self):
        if self.template_id.channel != self.channel:
            self.template_id = False

    # === CRUD METHODS ===#

    @api.ondelete(at_uninstall=False)
    def _unlink_move_enrollments_on(self):
        """Carts waiting for a step that goes away wait for the one behind it."""
        for step in self:
            # Whoever edits sequences cannot write runs, nor see other companies'.
            waiting = (
                self.env["marketing.enrollment"]
                .sudo()
                .search(
                    [
                        ("next_step_id", "=", step.id),
                        ("state", "in", ("active", "paused")),
                    ]
                )
            )
            following = (step._get_following_steps() - self)[:1]
            if not following:
                waiting._complete()
                continue
            later = timedelta(
                seconds=max(following.offset_seconds - step.offset_seconds, 0)
            )
            for run in waiting:
                # Its own time: the second reminder does not leave with the first's.
                run.write(
                    {"next_step_id": following.id, "next_at": run.next_at + later}
                )

    # === BUSINESS METHODS ===#

    def _get_following_steps(self):
        """Return the steps behind this one, in order.

        :rtype: marketing.sequence.step
        """
        self.ensure_one()
        steps = self.sequence_id.step_ids.sorted(lambda step: (step.sequence, step.id))
        return steps.filtered(
            lambda step: (step.sequence, step.id) > (self.sequence, self.id)
        )
