"""What difference a test can see, said before it is sent."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.statistics import Plan, detectable_mean, detectable_share
from ..cart.order_revenue import sql_refunds, sql_revenue

# How far back one looks for what is usual.
HISTORY = timedelta(days=90)
ORDER_HISTORY = timedelta(days=365)
# With fewer messages sent, what is usual elsewhere says more (percent).
FEWEST_SENT = 500
USUAL = {"open": 20.0, "click": 2.0, "conversion": 0.5, "revenue": 0.5}
# How much orders differ where there are none yet: as much as they bring on average.
USUAL_VARIATION = 1.0
# Shares of the list for which the calculator says what they show.
SHARES = (10, 20, 30, 50, 100)


class AbTest(models.Model):
    _inherit = "ab.test"

    audience_count = fields.Integer(
        string="Recipients",
        compute="_compute_audience_count",
        store=True,
        readonly=False,
        copy=False,
        help="How many the campaign reaches, as far as it is known now.",
    )
    expected_share = fields.Float(
        string="Usually",
        compute="_compute_expected_share",
        store=True,
        readonly=False,
        digits=(5, 2),
        help="Percent of the people who do it, without the test: of your last 90 days, "
        "or what is usual elsewhere.",
    )
    expected_amount = fields.Monetary(
        string="Average Order",
        compute="_compute_expected_amount",
        store=True,
        readonly=False,
        help="Of the last year.",
    )
    plan = fields.Html(compute="_compute_plan", sanitize=False)

    _expected_share_range = models.Constraint(
        "CHECK(expected_share >= 0 AND expected_share <= 100)",
        "What people usually do is between 0 and 100 percent.",
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "campaign_id.segment_ids",
        "campaign_id.excluded_segment_ids",
        "campaign_id.channel",
    )
    def _compute_audience_count(self):
        for test in self:
            test.audience_count = test.campaign_id.audience_size

    @api.depends("metric", "campaign_id")
    def _compute_expected_share(self):
        for test in self:
            test.expected_share = test._get_usual_share()

    @api.depends("metric", "campaign_id")
    def _compute_expected_amount(self):
        for test in self:
            is_revenue = test.metric == "revenue"
            test.expected_amount = test._get_usual_order()[0] if is_revenue else 0.0

    @api.depends(
        "audience_count",
        "confidence",
        "expected_amount",
        "expected_share",
        "metric",
        "minimum_sample",
        "test_share",
        "variant_ids.is_control",
        "variant_ids.weight",
    )
    @api.depends_context("lang")
    def _compute_plan(self):
        for test in self:
            test.plan = self.env["ir.qweb"]._render(
                "marketing_automation.ab_plan",
                {"test": test, "rows": test._get_plan_rows()},
            )

    # === WHAT IS USUAL ===#

    def _get_usual_share(self):
        """Return how many percent usually do it: of this company, on this channel."""
        did = {
            "open": ("open", "click"),
            "click": ("click",),
        }.get(self.metric)
        if did:
            condition = SQL(
                """m.id IN (SELECT did.message_id FROM marketing_engagement did
                             WHERE did.kind IN %s AND did.is_machine IS NOT TRUE
                               AND did.occurred_at >= %s)""",
                did,
                fields.Datetime.now() - HISTORY,
            )
        else:
            condition = SQL("m.attributed_order_count > 0")
        for model in ("marketing.message", "marketing.engagement"):
            self.env[model].flush_model()
        campaign = self.campaign_id
        [(sent, done)] = self.env.execute_query(
            SQL(
                """SELECT count(*), count(*) FILTER (WHERE %s)
                     FROM marketing_message m
                     JOIN marketing_template said ON said.id = m.template_id
                    WHERE m.sent_at >= %s AND m.company_id = %s AND m.channel = %s
                      AND said.context = 'contact' AND said.category = 'marketing'""",
                condition,
                fields.Datetime.now() - HISTORY,
                campaign.company_id.id,
                campaign.channel,
            )
        )
        if sent < FEWEST_SENT:
            return USUAL[self.metric]
        return round(done / sent * 100, 2)

    def _get_usual_order(self):
        """Return what an order of this company brings, and how much that varies.

        :return: average in the company's currency, and the standard deviation as a
            multiple of it
        :rtype: tuple[float, float]
        """
        for model in ("sale.order", "sale.order.line", "account.move"):
            self.env[model].flush_model()
        company = self.campaign_id.company_id
        [(mean, spread)] = self.env.execute_query(
            SQL(
                """SELECT avg(value)::float, stddev_samp(value)::float
                     FROM (SELECT %(revenue)s AS value
                             FROM sale_order so
                             LEFT JOIN (%(refunds)s) refund ON refund.order_id = so.id
                            WHERE so.company_id = %(company_id)s AND so.state = 'sale'
                              AND so.website_id IS NOT NULL
                              AND so.date_order >= %(since)s) orders
                    WHERE value > 0""",
                revenue=sql_revenue(SQL("refund.refunded")),
                refunds=sql_refunds(SQL("m.company_id = %s", company.id)),
                company_id=company.id,
                since=fields.Datetime.now() - ORDER_HISTORY,
            )
        )
        if not mean or spread is None:
            return mean or 0.0, USUAL_VARIATION
        return round(mean, 2), spread / mean

    # === CALCULATOR ===#

    def _get_plan_rows(self):
        """Return what tests of several sizes can see.

        :return: dicts ``share``, ``people``, ``each`` (people in the control),
            ``usual`` and ``seen`` (from what to what, in words; '' where nothing can
            be seen), ``is_chosen``, ``is_enough``
        :rtype: list[dict]
        """
        self.ensure_one()
        shares = sorted({*SHARES, self.test_share})
        variation = self._get_usual_order()[1] if self.metric == "revenue" else 0.0
        return [
            self._get_plan_row(share, variation)
            for share in shares
            if 1 <= share <= 100
        ]

    def _get_plan_row(self, share, variation):
        people = round(self.audience_count * share / 100)
        parts = sum(self.variant_ids.mapped("weight")) or 1
        control = people * self._get_control()[:1].weight / parts
        usual, rise = self._get_visible(control, variation)
        return {
            "share": share,
            "people": people,
            "each": int(control),
            "usual": self._format_value(usual),
            "seen": "" if rise is None else self._format_value(usual + rise),
            "is_chosen": share == self.test_share,
            "is_enough": people >= self.minimum_sample,
        }

    def _get_visible(self, control, variation):
        """Return what is usual, and the smallest rise of it a test sees.

        It is that of the lightest variant; so sure of all of them at once as of one
        alone (Bonferroni), which is a little more careful than the decision.
        """
        others = self.variant_ids - self._get_control()
        weight = self._get_control()[:1].weight
        if not others or not weight:
            return 0.0, None
        level = (1 - self.confidence / 100) / len(others)
        plan = Plan(min(others.mapped("weight")) / weight, 1 - level)
        share = self.expected_share / 100
        if self.metric != "revenue":
            return share, detectable_share(share, control, plan)
        mean = share * self.expected_amount
        # Most spend nothing: that varies as well as what the others spend.
        square = share * self.expected_amount**2 * (1 + variation**2)
        spread = max(square - mean**2, 0.0) ** 0.5
        return mean, detectable_mean(spread, control, plan) if spread else None
