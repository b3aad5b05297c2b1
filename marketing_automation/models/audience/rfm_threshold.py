from odoo import api, fields, models
from odoo.tools import SQL

from .rfm_groups import sql_group

SCORE_FIELDS = ("recency_score", "frequency_score", "monetary_score", "rfm_group")
# With fewer customers there are no fifths to tell apart.
MIN_CUSTOMERS = 5


class RfmThreshold(models.Model):
    """What a score takes: kept, so that the customers of one day are measured by the
    same rule until the next night."""

    _name = "marketing.rfm.threshold"
    _description = "Score of Customers"
    _order = "company_id, score desc"
    _rec_name = "score"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    score = fields.Integer(readonly=True, required=True, aggregator=None)
    last_order_date = fields.Datetime(
        string="Last Order After",
        readonly=True,
        help="Who ordered after this has at least this score for recency.",
    )
    total_orders = fields.Integer(
        string="More Orders Than",
        readonly=True,
        aggregator=None,
        help="Who ordered more often has at least this score for frequency.",
    )
    total_revenue = fields.Monetary(
        string="More Revenue Than",
        readonly=True,
        aggregator=None,
        help="Who spent more has at least this score for money.",
    )
    computed_at = fields.Datetime(readonly=True)

    _score_uniq = models.UniqueIndex(
        "(company_id, score)", "A company has one rule for each score."
    )

    @api.model
    def _is_known(self, company):
        """Whether there are rules for the scores of a company's customers."""
        return bool(self.search_count([("company_id", "=", company.id)], limit=1))

    @api.model
    def _compute_thresholds(self, company, customers):
        """Read off a company's customers what each score takes.

        A customer's score is one more than the number of fifths of all customers that
        have less: so equal figures get equal scores, and who ordered once has the
        lowest for frequency wherever that is usual.

        :param res.company company: whose customers
        """
        self.env.cr.execute(
            SQL("DELETE FROM marketing_rfm_threshold WHERE company_id = %s", company.id)
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO marketing_rfm_threshold (company_id, score, computed_at,
                       last_order_date, total_orders, total_revenue)
                SELECT %(company_id)s, i + 1, %(now)s,
                       bound.last_orders[i], bound.orders[i], bound.revenues[i]
                  FROM (SELECT count(*) AS customers,
                               %(fifths)s WITHIN GROUP (ORDER BY last_order_date)
                                   AS last_orders,
                               %(fifths)s WITHIN GROUP (ORDER BY total_orders)
                                   AS orders,
                               %(fifths)s WITHIN GROUP (ORDER BY total_revenue)
                                   AS revenues
                          FROM (%(customers)s) customer
                         WHERE total_orders > 0) bound
                 CROSS JOIN generate_series(1, 4) i
                 WHERE bound.customers >= %(min_customers)s
                """,
                company_id=company.id,
                now=fields.Datetime.now(),
                fifths=SQL("percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8])"),
                customers=customers,
                min_customers=MIN_CUSTOMERS,
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _sql_bounds(self, company):
        """Return a query with one row: what a company's scores take, in arrays.

        :param res.company company: whose customers they are
        :rtype: SQL
        """
        return SQL(
            """SELECT array_agg(last_order_date ORDER BY score) AS last_orders,
                      array_agg(total_orders ORDER BY score) AS orders,
                      array_agg(total_revenue ORDER BY score) AS revenues
                 FROM marketing_rfm_threshold WHERE company_id = %s""",
            company.id,
        )

    @api.model
    def _sql_scores(self, row, named=False):
        """Return the expressions of `SCORE_FIELDS`: 0 and no group for who never
        ordered, and where there are no rules yet.

        :param SQL row: has ``last_order_date``, ``total_orders``, ``total_revenue``;
            the bounds are in ``bound``
        :param bool named: whether to name them for a SELECT
        :rtype: SQL
        """
        scores = [
            SQL(
                """CASE WHEN %s.total_orders > 0 AND bound.orders IS NOT NULL
                        THEN 1 + %s ELSE 0 END""",
                row,
                SQL(" + ").join(
                    SQL("(%s.%s > bound.%s[%s])::int", row, figure, bounds, i)
                    for i in range(1, 5)
                ),
            )
            for figure, bounds in (
                (SQL("last_order_date"), SQL("last_orders")),
                (SQL("total_orders"), SQL("orders")),
                (SQL("total_revenue"), SQL("revenues")),
            )
        ]
        expressions = [*scores, sql_group(*scores)]
        if named:
            expressions = [
                SQL("%s AS %s", expression, SQL.identifier(name))
                for expression, name in zip(expressions, SCORE_FIELDS, strict=True)
            ]
        return SQL(", ").join(expressions)
