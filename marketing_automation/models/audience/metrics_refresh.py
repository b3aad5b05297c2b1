"""How the figures of customers come about: passes over those that changed, and once a
night over all. Everything is done by the database."""

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from . import metrics_sql
from .metrics_sql import FACTS, PERSONS
from .rfm_groups import sql_group

# What a pass writes, besides the keys.
FIGURES = (
    *("currency_id", "total_orders", "total_revenue", "average_order"),
    *("first_order_date", "last_order_date"),
    *("recency_score", "frequency_score", "monetary_score", "rfm_group"),
    *("next_order_date", "next_order_from", "next_order_until"),
    *("favourite_category_id", "last_click_at", "last_attributed_order_at"),
)


class MarketingCustomerMetrics(models.Model):
    _inherit = "marketing.customer.metrics"

    # === CRON METHODS ===#

    @api.model
    def _cron_refresh_changed(self):
        """Compute the figures of customers that something changed for.

        Works in committed batches: an interrupted run has lost nothing and the next
        one goes on. Several workers may run it at once.
        """
        cron = self.env["ir.cron"]
        remaining = self.env["marketing.metrics.task"].search_count([])
        cron._commit_progress(remaining=remaining)
        while retrying(self._refresh_batch, self.env):
            if not cron._commit_progress(1):
                break

    @api.model
    def _cron_refresh_all(self):
        """Compute everything anew: scores, and what came by other ways than Odoo's.

        Only says what is to be done; the action above does it, in batches.
        """
        self.env["marketing.metrics.task"]._add_all()
        self.env.ref("marketing_automation.ir_cron_refresh_changed_metrics")._trigger()

    # === BUSINESS METHODS ===#

    @api.model
    def _refresh_all(self, companies=None):
        """Compute the figures of all customers, in this transaction.

        :param res.company companies: of these companies; None: of all
        """
        self.env["marketing.metrics.task"]._add_all(companies)
        self._refresh_changed()

    @api.model
    def _refresh_changed(self):
        """Compute, in this transaction, the figures of everybody they changed for."""
        while self._refresh_batch():
            pass

    @api.model
    def _queue_first_pass(self):
        """Have everything computed soon if nothing ever was; called when installed."""
        tasks = self.env["marketing.metrics.task"]
        if not self.search_count([], limit=1) and not tasks.search_count([], limit=1):
            tasks._add_all()

    @api.model
    def _refresh_batch(self):
        """Do the next tasks of one company.

        :return: whether there were any
        :rtype: bool
        """
        self.env.flush_all()
        # Compiling these statements takes PostgreSQL longer than running them.
        self.env.cr.execute("SET LOCAL jit = off")
        tasks = self.env["marketing.metrics.task"]
        task = tasks._take()
        if not task:
            return False
        company, first_id, last_id = task
        if first_id is None:
            self.env["marketing.rfm.threshold"]._compute_thresholds(company)
        elif first_id == last_id:
            self._refresh(company, tasks._take_contacts(company), few=True)
        else:
            contacts = metrics_sql.active_contacts(company, first_id, last_id)
            self._refresh(company, contacts, few=False)
        return True

    @api.model
    def _refresh(self, company, contacts, few):
        """Compute the figures of the persons behind contacts, under all their contacts.

        :param res.company company: whose customers they are
        :param SQL contacts: a query for ids of ``res.partner``
        :param bool few: whether they are few among many
        """
        self._fill(PERSONS, metrics_sql.persons(contacts))
        self._fill(FACTS, metrics_sql.facts(company, few))
        changes = self.env["marketing.customer.change"]
        changes._touch_changed(self._sql_written(company), company)
        changes._touch_changed(self._sql_removed(company), company)
        self.env.invalidate_all(flush=False)

    @api.model
    def _fill(self, table, query):
        """Keep the result of a query until the end of the transaction."""
        self.env.cr.execute(SQL("DROP TABLE IF EXISTS %s", table))
        self.env.cr.execute(
            SQL("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s", table, query)
        )
        # It is new: without figures about it the database guesses badly.
        self.env.cr.execute(SQL("ANALYZE %s", table))

    @api.model
    def _sql_written(self, company):
        """Write the rows of a pass; return the statement, with ``partner_id`` of what
        is new or other than before."""
        columns = [SQL.identifier(name) for name in FIGURES]
        old = [SQL("marketing_customer_metrics.%s", column) for column in columns]
        new = [SQL("EXCLUDED.%s", column) for column in columns]
        return SQL(
            """INSERT INTO marketing_customer_metrics (
                      partner_id, company_id, computed_at, %(columns)s)
               SELECT partner_id, %(company_id)s, %(now)s, %(columns)s
                 FROM (%(scored)s) scored
                ORDER BY partner_id
                   ON CONFLICT (partner_id, company_id) DO UPDATE
                  SET computed_at = EXCLUDED.computed_at, %(changes)s
                WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
            RETURNING partner_id""",
            columns=SQL(", ").join(columns),
            company_id=company.id,
            now=fields.Datetime.now(),
            scored=self._sql_scored(company),
            changes=SQL(", ").join(
                SQL("%s = %s", column, value)
                for column, value in zip(columns, new, strict=True)
            ),
            old=SQL(", ").join(old),
            new=SQL(", ").join(new),
        )

    @api.model
    def _sql_scored(self, company):
        """Return a query with the figures of a pass, one row for each contact."""
        has_scores = SQL("f.total_orders > 0 AND bound.last_orders IS NOT NULL")
        scores = [
            SQL(
                "CASE WHEN %s THEN 1 + %s ELSE 0 END",
                has_scores,
                SQL(" + ").join(
                    SQL("(%s > %s[%s])::int", value, bounds, i) for i in (1, 2, 3, 4)
                ),
            )
            for value, bounds in (
                (SQL("f.last_order_date"), SQL("bound.last_orders")),
                (SQL("f.total_orders"), SQL("bound.orders")),
                (SQL("f.total_revenue"), SQL("bound.revenues")),
            )
        ]
        return SQL(
            """SELECT s.*, %(group)s AS rfm_group
                 FROM (SELECT person.partner_id, f.*, %(currency_id)s AS currency_id,
                              COALESCE(round(f.total_revenue
                                  / NULLIF(f.total_orders, 0), %(digits)s), 0)
                                  AS average_order,
                              %(recency)s AS recency_score,
                              %(frequency)s AS frequency_score,
                              %(monetary)s AS monetary_score
                         FROM %(facts)s f
                         JOIN %(persons)s person ON person.person_id = f.person_id
                         JOIN res_partner p ON p.id = person.partner_id
                        CROSS JOIN (
                              SELECT array_agg(last_order_date ORDER BY score)
                                         AS last_orders,
                                     array_agg(total_orders ORDER BY score) AS orders,
                                     array_agg(total_revenue ORDER BY score)
                                         AS revenues
                                FROM marketing_rfm_threshold
                               WHERE company_id = %(company_id)s) bound
                        WHERE p.company_id IS NULL
                           OR p.company_id = %(company_id)s) s""",
            group=sql_group(
                SQL("s.recency_score"),
                SQL("s.frequency_score"),
                SQL("s.monetary_score"),
            ),
            currency_id=company.currency_id.id,
            digits=company.currency_id.decimal_places,
            recency=scores[0],
            frequency=scores[1],
            monetary=scores[2],
            facts=FACTS,
            persons=PERSONS,
            company_id=company.id,
        )

    @api.model
    def _sql_removed(self, company):
        """Take away the rows of who has neither orders nor clicks any more; return the
        statement, with their ``partner_id``."""
        return SQL(
            """DELETE FROM marketing_customer_metrics m
                USING %(persons)s person
                 JOIN res_partner p ON p.id = person.partner_id
                WHERE m.partner_id = person.partner_id
                  AND m.company_id = %(company_id)s
                  AND (p.company_id != %(company_id)s
                       OR person.person_id IS NULL
                       OR NOT EXISTS (SELECT FROM %(facts)s f
                                       WHERE f.person_id = person.person_id))
            RETURNING m.partner_id""",
            persons=PERSONS,
            facts=FACTS,
            company_id=company.id,
        )
