from odoo import api, fields, models
from odoo.tools import SQL

from . import metrics_sql

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
    def _compute_thresholds(self, company):
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
                          FROM (%(customers)s) customer) bound
                 CROSS JOIN generate_series(1, 4) i
                 WHERE bound.customers >= %(min_customers)s
                """,
                company_id=company.id,
                now=fields.Datetime.now(),
                fifths=SQL("percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8])"),
                customers=metrics_sql.all_customers(company),
                min_customers=MIN_CUSTOMERS,
            )
        )
        self.invalidate_model(flush=False)
