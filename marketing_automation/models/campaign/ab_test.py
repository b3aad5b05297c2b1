import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

SUBJECTS = [
    ("subject", "Subject"),
    ("preheader", "Preview Line"),
    ("content", "Content"),
    ("from_name", "Sender Name"),
    ("send_time", "Send Time"),
]
METRICS = [
    ("open", "Opened"),
    ("click", "Clicked"),
    ("conversion", "Ordered"),
    ("revenue", "Revenue per Person"),
]
# The field of a variant that holds what is compared.
VARIANT_FIELDS = {
    "subject": "subject",
    "preheader": "preheader",
    "content": "template_id",
    "from_name": "from_name",
    "send_time": "send_offset",
}
FEWEST_VARIANTS, MOST_VARIANTS = 2, 5
# What a test compares and how it decides is settled before anybody sees a figure.
SETTLED_FIELDS = {
    "campaign_id",
    "subject_of_test",
    "metric",
    "test_share",
    "confidence",
    "minimum_sample",
    "duration_hours",
    "fallback",
    "variant_ids",
}


class AbTest(models.Model):
    """An experiment of a campaign: some get one of several variants, and what did best
    goes to the rest.

    How it is planned, judged and told is in the other files named ``ab_``.
    """

    _name = "ab.test"
    _inherit = ["marketing.guard"]
    _description = "A/B Test"
    _order = "id desc"
    _rec_name = "campaign_id"

    campaign_id = fields.Many2one(
        "email.campaign", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="campaign_id.company_id", store=True)
    channel = fields.Selection(related="campaign_id.channel")
    currency_id = fields.Many2one(related="company_id.currency_id")
    subject_of_test = fields.Selection(
        SUBJECTS,
        string="Compare",
        required=True,
        default="subject",
        help="The one thing in which the variants differ: of several nobody could say "
        "which of them made the difference.",
    )
    metric = fields.Selection(
        METRICS,
        string="Decided by",
        required=True,
        default="click",
        help="What the better variant has more of. Opens are counted without those of "
        "machines, but mail programs hide many: clicks say more.",
    )
    test_share = fields.Integer(
        string="Test With",
        required=True,
        default=20,
        help="Percent of the recipients, chosen at random. The others get what won.",
    )
    confidence = fields.Integer(
        required=True,
        default=95,
        help="Percent. With 95, variants that are alike get a winner in at most 5 of "
        "100 tests.",
    )
    minimum_sample = fields.Integer(
        string="At Least",
        required=True,
        default=1000,
        help="People in the test. If it reaches fewer, none of the variants wins.",
    )
    duration_hours = fields.Integer(
        string="Counted For",
        required=True,
        default=24,
        help="Hours after each person's message in which what they do counts. The test "
        "is decided when they are over for the last one, and not before.",
    )
    fallback = fields.Selection(
        [
            ("control", "Send the control"),
            ("best", "Send what did best, though it may be chance"),
            ("ask", "Ask me"),
        ],
        string="Otherwise",
        required=True,
        default="control",
        help="What the rest gets when no variant is surely better.",
    )
    variant_ids = fields.One2many("ab.test.variant", "test_id", copy=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("undecided", "Waits for You"),
            ("decided", "Decided"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    secret = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        groups="base.group_system",
        default=lambda self: secrets.token_hex(16),
        help="Decides with the address who gets which variant.",
    )
    started_at = fields.Datetime(string="Started", readonly=True, copy=False)
    counted_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="Who gets the message later, because of quiet hours for example, does "
        "not count.",
    )
    decided_at = fields.Datetime(string="Decided On", readonly=True, copy=False)
    winner_id = fields.Many2one(
        "ab.test.variant",
        string="Sent to the Rest",
        readonly=True,
        copy=False,
        ondelete="set null",
    )
    decision = fields.Json(
        readonly=True,
        copy=False,
        help="What was counted when it was decided, and why it was decided that way.",
    )

    _campaign_uniq = models.UniqueIndex(
        "(campaign_id)", "A campaign has one A/B test at most."
    )
    _test_share_range = models.Constraint(
        "CHECK(test_share BETWEEN 1 AND 100)",
        "A test takes between 1 and 100 percent of the recipients.",
    )
    _confidence_range = models.Constraint(
        "CHECK(confidence BETWEEN 80 AND 99)",
        "The confidence is between 80 and 99 percent: below, chance decides too often; "
        "above, hardly any list is large enough.",
    )
    _minimum_sample_positive = models.Constraint(
        "CHECK(minimum_sample >= 0)", "A test can't have fewer than 0 people."
    )
    _duration_hours_range = models.Constraint(
        "CHECK(duration_hours BETWEEN 1 AND 720)",
        "What people do counts for between 1 hour and 30 days (720 hours).",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("campaign_id")
    def _check_campaign(self):
        self.campaign_id._check_test()

    @api.constrains("variant_ids")
    def _check_variants(self):
        for test in self:
            problem = test._get_variants_problem()
            if problem:
                raise ValidationError(problem)

    def _get_variants_problem(self):
        if not FEWEST_VARIANTS <= len(self.variant_ids) <= MOST_VARIANTS:
            return self.env._(
                "A test compares %(fewest)s to %(most)s variants.",
                fewest=FEWEST_VARIANTS,
                most=MOST_VARIANTS,
            )
        if len(self._get_control()) != 1:
            return self.env._(
                "One variant is the control, with which the others are compared: mark "
                "exactly one."
            )
        return ""

    @api.constrains("metric", "variant_ids")
    def _check_weights(self):
        """With unequal weights Welch's test finds up to twice as many false winners as
        it should: the smaller variant has the few large orders too often, or not at
        all (``benchmarks/bench_ab.py``)."""
        for test in self:
            weights = set(test.variant_ids.mapped("weight"))
            if test.metric == "revenue" and len(weights) > 1:
                raise ValidationError(
                    self.env._(
                        "Revenue is compared among variants of equal weight only: a "
                        "few large orders deceive where one of them goes to fewer "
                        "people. Give all the same weight, or decide by orders."
                    )
                )

    @api.constrains("metric", "subject_of_test", "campaign_id")
    def _check_channel(self):
        for test in self:
            if test.channel == "email":
                continue
            if test.metric == "open":
                raise ValidationError(
                    self.env._("Nobody knows who opened a text message: use clicks.")
                )
            if test.subject_of_test in ("subject", "preheader", "from_name"):
                raise ValidationError(
                    self.env._(
                        "A text message has no subject, preview line or sender name: "
                        "compare the content or the send time."
                    )
                )

    # === CRUD METHODS ===#

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "variant_ids" in fields_list and not values.get("variant_ids"):
            values["variant_ids"] = [
                fields.Command.create({"name": "A", "is_control": True}),
                fields.Command.create({"name": "B"}),
            ]
        return values

    def write(self, vals):
        if SETTLED_FIELDS & vals.keys():
            self._check_settled()
        return super().write(vals)

    def _check_settled(self):
        if any(test.state != "draft" for test in self):
            raise UserError(
                self.env._(
                    "This test has started: what it compares and how it decides stay "
                    "as they were, or its result would mean nothing. Cancel the "
                    "campaign and duplicate it to test something else."
                )
            )

    # === BUSINESS METHODS ===#

    def _get_control(self):
        """Return the variant the others are compared with.

        :rtype: ab.test.variant
        """
        self.ensure_one()
        return self.variant_ids.filtered("is_control")

    def _get_problems(self):
        """Return what keeps the test from being started, each with what to do.

        :rtype: list[str]
        """
        self.ensure_one()
        names_by_value = {}
        for variant in self.variant_ids:
            names_by_value.setdefault(variant._get_tested(), []).append(variant.name)
        label = self.variant_ids._fields[
            VARIANT_FIELDS[self.subject_of_test]
        ]._description_string(self.env)
        problems = [self._get_variants_problem()]
        if self.campaign_id.kind == "on_entry":
            problems.append(
                self.env._(
                    "Whoever enters a segment gets it at once: there is nobody who "
                    "could wait for an A/B test. Delete the test, or send the campaign "
                    "at a time."
                )
            )
        problems += [
            self.env._(
                "A/B test: the %(field)s of %(names)s is the same, so there is nothing "
                "to compare. Change one of them.",
                field=label,
                names=self.env._(" and ").join(names),
            )
            for names in names_by_value.values()
            if len(names) > 1
        ]
        return list(filter(None, problems))

    def _get_size_advice(self):
        """Say so where the test can't reach as many people as it needs.

        :rtype: str
        """
        self.ensure_one()
        people = self.campaign_id.audience_size * self.test_share // 100
        if people >= self.minimum_sample:
            return ""
        return self.env._(
            "The A/B test takes about %(people)s people, fewer than the %(minimum)s "
            "below which no variant wins. Take a larger share, or a smaller minimum.",
            people=people,
            minimum=self.minimum_sample,
        )
