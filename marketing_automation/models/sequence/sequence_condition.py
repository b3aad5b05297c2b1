from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_amount

from ..audience.domain_words import HIDDEN, shown_name

CONDITION_KINDS = [
    ("clicked", "has clicked in an earlier message"),
    ("not_clicked", "has not clicked in an earlier message"),
    ("returned", "has come back to the cart"),
    ("not_returned", "has not come back to the cart"),
    ("not_opened", "has not opened any earlier message"),
    ("value_above", "left a cart worth at least"),
    ("value_below", "left a cart worth less than"),
    ("in_segment", "is in the segment"),
    ("not_in_segment", "is not in the segment"),
    ("phone_consent", "may be sent text messages"),
    ("no_phone_consent", "may not be sent text messages"),
]
VALUE_KINDS = ("value_above", "value_below")
# Of people who left a cart.
CART_CONDITIONS = {*VALUE_KINDS, "returned", "not_returned"}
SEGMENT_KINDS = ("in_segment", "not_in_segment")


class MarketingSequenceCondition(models.Model):
    """What must hold of a person for a step; see ``step_rules.py`` for the SQL."""

    _name = "marketing.sequence.condition"
    _inherit = ["marketing.guard"]
    _description = "Step Condition"
    _order = "step_id, id"
    _rec_name = "summary"

    step_id = fields.Many2one(
        "marketing.sequence.step", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="step_id.company_id")
    currency_id = fields.Many2one(related="step_id.currency_id")
    # Without a default: Odoo's lists drop a new line in which nothing was chosen.
    kind = fields.Selection(CONDITION_KINDS, string="The Customer", required=True)
    amount = fields.Monetary(help="In the currency of the company whose cart it is.")
    segment_id = fields.Many2one("customer.segment", ondelete="restrict")
    summary = fields.Char(string="Condition", compute="_compute_summary")

    _amount_positive = models.Constraint(
        "CHECK(amount >= 0)", "No cart is worth less than nothing."
    )

    # === COMPUTE METHODS ===#

    @api.depends("kind", "amount", "segment_id")
    @api.depends_context("lang", "company", "uid", "allowed_company_ids")
    def _compute_summary(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for condition in self:
            words = labels.get(condition.kind, "")
            if condition.kind in VALUE_KINDS:
                currency = condition.currency_id or self.env.company.currency_id
                words += f" {format_amount(self.env, condition.amount, currency)}"
            elif condition.kind in SEGMENT_KINDS:
                # Who reads the sequence may not see the segment of another company.
                words += f" “{shown_name(condition.segment_id) or HIDDEN}”"
            condition.summary = words

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        steps = self.env["marketing.sequence.step"].browse(
            {vals["step_id"] for vals in vals_list if vals.get("step_id")}
        )
        with steps.sequence_id._editing() as editing:
            conditions = super(
                MarketingSequenceCondition, self.with_env(editing.env)
            ).create(vals_list)
        return conditions.with_env(self.env)

    def write(self, vals):
        with self.step_id.sequence_id._editing() as editing:
            return super(MarketingSequenceCondition, self.with_env(editing.env)).write(
                vals
            )

    def unlink(self):
        with self.step_id.sequence_id._editing() as editing:
            return super(
                MarketingSequenceCondition, self.with_env(editing.env)
            ).unlink()

    # === CONSTRAINT METHODS ===#

    @api.constrains("kind", "amount", "segment_id")
    def _check_complete(self):
        for condition in self:
            if condition.kind in VALUE_KINDS and not condition.amount:
                raise ValidationError(
                    self.env._("Say how much the cart has to be worth.")
                )
            if condition.kind in SEGMENT_KINDS and not condition.segment_id:
                raise ValidationError(self.env._("Choose the segment to look at."))
            condition._check_segment_company()

    def _check_segment_company(self):
        """Refuse a segment of another company in a sequence that belongs to one."""
        for condition in self.filtered("segment_id"):
            company = condition.step_id.sequence_id.company_id
            if company and condition.segment_id.company_id != company:
                raise ValidationError(
                    self.env._(
                        "A condition of the step “%s” looks at a segment of another "
                        "company. Choose one of its own.",
                        condition.step_id.name,
                    )
                )
