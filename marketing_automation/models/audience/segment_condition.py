from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools import segment_criteria
from ..channels import CHANNELS
from .customer_segment import LOGICS
from .purposes import PURPOSES
from .rfm_groups import RFM_GROUP_SELECTION

SCORE_FIELDS = [
    f"{score}_{bound}"
    for score in segment_criteria.RFM_SCORES
    for bound in ("min", "max")
]

# Everything but the place of a condition that says whom it means.
DEFINITION = [
    "kind",
    "domain",
    "behaviour",
    "comparison",
    "times",
    "period_days",
    "target",
    "product_tmpl_id",
    "category_id",
    "rfm_group",
    *SCORE_FIELDS,
    "channel",
    "purpose",
    "consent_state",
    "other_segment_id",
    "membership",
    "logic",
]


class CustomerSegmentCondition(models.Model):
    """One condition of a segment, or a group of them with a logic of its own."""

    _name = "customer.segment.condition"
    _inherit = ["marketing.guard"]
    _description = "Segment Condition"
    _order = "sequence, id"
    _rec_name = "summary"
    _check_company_auto = True

    segment_id = fields.Many2one(
        "customer.segment",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty for conditions within a group.",
    )
    parent_id = fields.Many2one(
        "customer.segment.condition",
        string="Group",
        index="btree_not_null",
        ondelete="cascade",
        domain="[('kind', '=', 'group')]",
    )
    owner_id = fields.Many2one(
        "customer.segment",
        string="Of Segment",
        compute="_compute_owner_id",
        store=True,
        recursive=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="owner_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("customer", "Contact"),
            ("behaviour", "Behaviour"),
            ("rfm", "RFM"),
            ("consent", "Consent"),
            ("segment", "Other segment"),
            ("group", "Group of conditions"),
        ],
        required=True,
        default="customer",
    )
    summary = fields.Char(string="Condition", compute="_compute_summary")

    domain = fields.Char(
        string="Contacts", default="[]", help="A domain over contacts."
    )

    behaviour = fields.Selection(
        [
            ("bought", "Bought"),
            ("viewed", "Viewed in the shop"),
            ("opened", "Opened a message"),
            ("clicked", "Clicked in a message"),
            ("abandoned", "Left in the cart"),
        ],
        default="bought",
    )
    comparison = fields.Selection(
        [("at_least", "At least"), ("at_most", "At most")], default="at_least"
    )
    times = fields.Integer(
        default=1, help="At most 0 times is: not at all, ever or within the period."
    )
    period_days = fields.Integer(
        string="Within Days", default=0, help="0 looks at all that is known."
    )
    target = fields.Selection(
        [
            ("anything", "Anything"),
            ("product", "Product"),
            ("category", "Category"),
        ],
        default="anything",
    )
    product_tmpl_id = fields.Many2one(
        "product.template", string="Product", ondelete="set null", check_company=True
    )
    category_id = fields.Many2one(
        "product.public.category",
        ondelete="set null",
        help="With all categories below it.",
    )

    rfm_group = fields.Selection(RFM_GROUP_SELECTION, string="RFM Group")
    recency_min = fields.Integer(string="Recency From")
    recency_max = fields.Integer(string="Recency To")
    frequency_min = fields.Integer(string="Frequency From")
    frequency_max = fields.Integer(string="Frequency To")
    monetary_min = fields.Integer(string="Monetary From")
    monetary_max = fields.Integer(string="Monetary To")

    channel = fields.Selection(CHANNELS, default="email")
    purpose = fields.Selection(PURPOSES, default="newsletter")
    consent_state = fields.Selection(
        [
            ("allowed", "May be written to"),
            ("given", "Has agreed"),
            ("withdrawn", "Has withdrawn"),
            ("none", "Was never asked"),
        ],
        default="allowed",
    )

    other_segment_id = fields.Many2one(
        "customer.segment",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    membership = fields.Selection(
        [("in", "Is in"), ("not_in", "Is not in")], default="in"
    )

    logic = fields.Selection(LOGICS, default="AND")
    child_ids = fields.One2many(
        "customer.segment.condition", "parent_id", string="Conditions", copy=True
    )

    _one_place = models.Constraint(
        "CHECK (segment_id IS NULL OR parent_id IS NULL)",
        "A condition stands in a segment or in a group.",
    )
    _times_positive = models.Constraint(
        f"CHECK (times BETWEEN 0 AND {segment_criteria.MAX_NUMBER}"
        f" AND period_days BETWEEN 0 AND {segment_criteria.MAX_DAYS})",
        "Times of a condition go from 0 to a million, its days to a hundred years.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("segment_id", "parent_id.owner_id")
    def _compute_owner_id(self):
        for condition in self:
            condition.owner_id = condition.segment_id or condition.parent_id.owner_id

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        conditions = super().create([self._without_writer(vals) for vals in vals_list])
        conditions._check_domain()
        conditions.owner_id._request_refresh()
        return conditions

    def write(self, vals):
        owners = self.owner_id
        vals = self._without_writer(vals)
        result = super().write(vals)
        if vals.keys() & {"domain", "kind"}:
            conditions = self.sudo()
            super(CustomerSegmentCondition, conditions).write(
                {"writer_id": self.env.uid}
            )
        if vals.keys() & {"domain", "kind"}:
            self._check_domain()
        (owners | self.owner_id)._request_refresh()
        return result

    def unlink(self):
        owners = self.owner_id
        result = super().unlink()
        owners.exists()._request_refresh()
        return result

    # === CONSTRAINT METHODS ===#

    @api.constrains("parent_id")
    def _check_parent_id(self):
        if self._has_cycle():
            raise ValidationError(
                self.env._("A group of conditions cannot be within itself.")
            )

    @api.constrains("owner_id", "other_segment_id", "kind")
    def _check_other_segment(self):
        self.owner_id._check_no_cycle()

    @api.constrains(*DEFINITION)
    def _check_definition(self):
        """What cannot be evaluated is refused when it is written."""
        for condition in self:
            condition._check_complete()
