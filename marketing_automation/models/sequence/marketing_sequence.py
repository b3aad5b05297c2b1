from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools.trusted_context import say
from ..cart.abandoned_cart import CART_KINDS
from .marketing_sequence_step import EDITING, place_of

# Who goes through a sequence: carts that were left behind, each kind through sequences
# of its own, or contacts that something hands over, such as a campaign.
SEQUENCE_KINDS = [*CART_KINDS, ("contact", "Contacts")]


class MarketingSequence(models.Model):
    """An ordered list of messages, to people whose carts were left behind or to
    contacts that are handed over to it."""

    _name = "marketing.sequence"
    _inherit = ["marketing.shared"]
    _description = "Sequence"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(
        string="Priority",
        default=10,
        help="A cart goes through the first sequence of this list that fits it.",
    )
    company_id = fields.Many2one(
        "res.company", help="Leave empty to use it in every company."
    )
    website_id = fields.Many2one(
        "website",
        ondelete="restrict",
        help="Leave empty to use it on every website.",
    )
    kind = fields.Selection(
        SEQUENCE_KINDS,
        string="For",
        required=True,
        default="cart",
        help="What was left behind. Each kind goes through sequences of its own.",
    )
    stops_on_purchase = fields.Boolean(
        string="Ends With an Order",
        default=True,
        help="Who buys anything after the beginning gets no more of it. Carts are "
        "not written about once they are bought in any case.",
    )
    minimum_amount = fields.Monetary(
        string="Worth at Least",
        help="In the currency of the company whose cart it is. 0: all carts.",
    )
    segment_id = fields.Many2one(
        "customer.segment",
        string="Only for",
        ondelete="restrict",
        help="Only carts of people who are in this segment, in the segment's company.",
    )
    excluded_tag_ids = fields.Many2many(
        "product.tag",
        string="Not with Products Tagged",
        help="Carts with any such product are left out: subscriptions, for example.",
    )
    holdout_percent = fields.Integer(
        string="Control Group",
        help="Percent of the people who go through the sequence and get nothing, "
        "chosen at random and for good. What they buy all the same shows what the "
        "messages add.",
    )
    max_messages = fields.Integer(
        string="At Most",
        default=3,
        help="Messages a person gets for one cart, whatever the number of steps.",
    )
    step_ids = fields.One2many("marketing.sequence.step", "sequence_id", copy=True)
    version_ids = fields.One2many("marketing.sequence.version", "sequence_id")
    step_count = fields.Integer(compute="_compute_step_count")
    enrollment_ids = fields.One2many("marketing.enrollment", "sequence_id")

    enrollment_count = fields.Integer(string="Runs", compute="_compute_results")
    running_count = fields.Integer(string="Running", compute="_compute_results")
    message_count = fields.Integer(string="Sent", compute="_compute_results")
    recovered_count = fields.Integer(string="Recovered", compute="_compute_results")
    recovered_revenue = fields.Monetary(
        string="Credited Revenue",
        compute="_compute_results",
        currency_field="currency_id",
        help="Orders credited to a message of this sequence, in your company's "
        "currency, without refunds and cancelled orders.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")

    _max_messages_positive = models.Constraint(
        "CHECK(max_messages > 0)",
        "A sequence that sends at most 0 messages does nothing. Archive it instead.",
    )
    _minimum_amount_positive = models.Constraint(
        "CHECK(minimum_amount >= 0)",
        "No cart is worth less than nothing. Use 0 for all.",
    )
    _holdout_percent_range = models.Constraint(
        "CHECK(holdout_percent BETWEEN 0 AND 50)",
        "The control group is between 0 and 50 percent: the others are what it is for.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("step_ids")
    def _compute_step_count(self):
        for sequence in self:
            sequence.step_count = len(sequence.step_ids)

    @api.depends_context("company")
    def _compute_currency_id(self):
        self.currency_id = self.env.company.currency_id

    @api.depends("enrollment_ids.state")
    @api.depends_context("company")
    def _compute_results(self):
        enrolled = self._count_by_sequence("marketing.enrollment", [])
        running = self._count_by_sequence(
            "marketing.enrollment", [("state", "in", ("active", "paused"))]
        )
        sent = self._count_by_sequence(
            "marketing.message", [("state", "in", ("sent", "delivered", "bounced"))]
        )
        recovered = self._count_by_sequence(
            "marketing.enrollment", [("abandoned_cart_id.state", "=", "recovered")]
        )
        for sequence in self:
            sequence.enrollment_count = enrolled.get(sequence, 0)
            sequence.running_count = running.get(sequence, 0)
            sequence.message_count = sent.get(sequence, 0)
            sequence.recovered_count = recovered.get(sequence, 0)
            # Marketing users see the sum without being allowed to see the orders.
            orders = (
                self.env["sale.order"]
                .sudo()
                .search(
                    [
                        ("attributed_message_id.sequence_id", "in", sequence.ids),
                        ("company_id", "in", self.env.companies.ids),
                    ]
                )
            )
            sequence.recovered_revenue = sum(
                order._get_marketing_revenue() for order in orders
            )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        sequences = super(
            MarketingSequence, self.with_context(**{EDITING: say()})
        ).create(vals_list)
        for sequence in sequences.sudo():
            sequence.step_ids._check_conditions()
            sequence._check_kind()
            sequence._record_version({})
        return sequences.with_env(self.env)

    def write(self, vals):
        with self._editing() as sequences:
            return super(MarketingSequence, sequences).write(vals)

    # === CONSTRAINT METHODS ===#

    @api.constrains("company_id", "segment_id")
    def _check_segment_company(self):
        for sequence in self:
            sequence.step_ids.condition_ids._check_segment_company()
            company, segment = sequence.company_id, sequence.segment_id
            if company and segment and segment.company_id != company:
                raise ValidationError(
                    self.env._(
                        "%(segment)s is a segment of another company than %(company)s. "
                        "Choose one of its own, or leave the company empty.",
                        segment=segment.name,
                        company=company.name,
                    )
                )

    @api.constrains("company_id", "website_id")
    def _check_website_company(self):
        for sequence in self:
            company, website = sequence.company_id, sequence.website_id
            if company and website and website.company_id != company:
                raise ValidationError(
                    self.env._(
                        "%(website)s is a website of another company than %(company)s. "
                        "Choose one of its own, or leave the company empty.",
                        website=website.name,
                        company=company.name,
                    )
                )

    def _check_kind(self):
        """Refuse steps that speak of a cart to people who have none.

        :raises ValidationError: it says which step, and what to do
        """
        for sequence in self:
            if sequence.kind == "contact":
                sequence._get_steps()._check_for_contacts()
            is_other = fields.Domain(
                "abandoned_cart_id" if sequence.kind == "contact" else "contact_id",
                "!=",
                False,
            )
            if self.env["marketing.enrollment"].search_count(
                is_other & fields.Domain("sequence_id", "=", sequence.id), limit=1
            ):
                raise ValidationError(
                    self.env._(
                        "“%s” was begun for others: carts and contacts do not go "
                        "through the same sequence. Duplicate it, and change the copy.",
                        sequence.name,
                    )
                )

    # === ACTION METHODS ===#

    def action_view_enrollments(self):
        """Open the runs of those who went or go through this sequence.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self._get_related_action("marketing.enrollment", self.env._("Runs"))

    def action_view_messages(self):
        """Open the messages decided on by this sequence, sent or not.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self._get_related_action("marketing.message", self.env._("Messages"))

    def action_replay(self):
        """Work out what this sequence would have sent for the carts of the last weeks.

        :return: a window action of the result
        :rtype: dict
        :raise UserError: it is not for carts
        """
        self.ensure_one()
        if self.kind == "contact":
            raise UserError(
                self.env._("Only what carts go through can be tried on past carts.")
            )
        replay = self.env["marketing.sequence.replay"].create({"sequence_id": self.id})
        return replay.action_run()

    # === BUSINESS METHODS ===#

    def _copy_for_company(self, company):
        """Copy what the steps say and give along, too, and place the copy in front:
        the company's carts go through it from now on."""
        own = super()._copy_for_company(company)
        own.sequence = self.sequence - 1
        copies = {}
        for step in own.step_ids:
            for name in ("template_id", "coupon_id"):
                shared = step[name]
                if shared and not shared.company_id:
                    if shared not in copies:
                        copies[shared] = shared._copy_for_company(company)
                    step[name] = copies[shared]
        return own

    def _get_steps(self):
        """Return the steps in their order.

        :rtype: marketing.sequence.step
        """
        self.ensure_one()
        return self.step_ids.filtered("active").sorted(place_of)

    def _count_by_sequence(self, model, domain):
        return dict(
            self.env[model]._read_group(
                [("sequence_id", "in", self.ids), *domain],
                ["sequence_id"],
                ["__count"],
            )
        )

    def _get_related_action(self, model, name):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("sequence_id", "=", self.id)],
        }
