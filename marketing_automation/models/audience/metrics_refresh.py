"""How the figures of customers come about: passes over those that changed, and once a
night over all. Everything is done by the database."""

import logging
from functools import partial

from psycopg2 import InterfaceError

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from . import metrics_sql
from .metrics_sql import FACTS, FACTS_TABLE, ORDERS_TABLE, PERSONS, PERSONS_TABLE
from .rfm_threshold import SCORE_FIELDS

_logger = logging.getLogger(__name__)

# What a pass writes, besides the keys.
FIGURES = (
    *("is_main", "total_orders", "total_revenue", "average_order"),
    *("first_order_date", "last_order_date"),
    *SCORE_FIELDS,
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
        cron._commit_progress(remaining=1)
        failed = self.env["res.company"]
        while True:
            company, is_done = self._refresh_next(failed)
            if not company:
                break
            if not is_done:
                failed |= company
            if not cron._commit_progress(1, remaining=1):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_refresh_changed_metrics"
                )
        cron._commit_progress(remaining=0)

    @api.model
    def _refresh_next(self, failed):
        """Do the next tasks; what goes wrong in one company holds up no other.

        :param res.company failed: companies to leave for the next run
        :return: the company, and whether it worked; an empty one when nothing is left
        :rtype: tuple[res.company, bool]
        """
        company = self.env["marketing.metrics.task"]._get_next_company(failed)
        if not company:
            return company, True
        try:
            return company, retrying(partial(self._refresh_batch, company), self.env)
        except InterfaceError:
            raise  # There is no database to go on with.
        except Exception:
            self.env.cr.rollback()
            self.env.transaction.reset()
            _logger.exception("Customer metrics of company %s failed", company.id)
            return company, False

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
    def _refresh_batch(self, company=None):
        """Do the next tasks of one company.

        :param res.company company: which one; None: whose turn it is
        :return: whether there were any
        :rtype: bool
        """
        self.env.flush_all()
        # Compiling these statements takes PostgreSQL longer than running them.
        self.env.cr.execute("SET LOCAL jit = off")
        tasks = self.env["marketing.metrics.task"]
        task = tasks._take(company)
        if not task:
            return False
        company, first_id, last_id = task
        if first_id is None:
            self._score_anew(company)
        elif first_id == last_id:
            contacts = tasks._take_contacts(company)
            self._refresh(company, metrics_sql.persons(contacts), few=True)
            if not self.env["marketing.rfm.threshold"]._is_known(company):
                self._score_anew(company)
        else:
            persons = metrics_sql.persons_between(first_id, last_id)
            self._refresh(company, persons, few=False)
        return True

    @api.model
    def _refresh(self, company, persons, few):
        """Compute the figures of persons, under all their contacts.

        :param res.company company: whose customers they are
        :param SQL persons: see ``metrics_sql.persons``
        :param bool few: whether they are few among many
        """
        PERSONS_TABLE.fill(self.env.cr, persons)
        ORDERS_TABLE.fill(self.env.cr, metrics_sql.orders(company))
        FACTS_TABLE.fill(self.env.cr, metrics_sql.facts(company, few))
        thresholds = self.env["marketing.rfm.threshold"]
        if not few and not thresholds._is_known(company):
            # Those of many people are near the right ones: fewer rows to write twice.
            thresholds._compute_thresholds(company, SQL("SELECT * FROM %s", FACTS))
        changes = self.env["marketing.customer.change"]
        changes._touch_changed(self._sql_written(company), company)
        changes._touch_changed(self._sql_removed(company), company)
        self.env.invalidate_all(flush=False)

    @api.model
    def _score_anew(self, company):
        """Find out what each score takes by now, and score all customers by it."""
        # Passes over few customers are slow where the database guesses their number.
        self.env.cr.execute("ANALYZE marketing_customer_metrics")
        thresholds = self.env["marketing.rfm.threshold"]
        thresholds._compute_thresholds(
            company,
            SQL(
                """SELECT last_order_date, total_orders, total_revenue
                     FROM marketing_customer_metrics
                    WHERE company_id = %s AND is_main""",
                company.id,
            ),
        )
        scores = thresholds._sql_scores(SQL("m"))
        self.env["marketing.customer.change"]._touch_changed(
            SQL(
                """UPDATE marketing_customer_metrics m
                      SET (%(names)s) = ROW(%(scores)s), computed_at = %(now)s
                     FROM (%(bound)s) bound
                    WHERE m.company_id = %(company_id)s
                      AND (%(old)s) IS DISTINCT FROM (%(scores)s)
                RETURNING m.partner_id""",
                names=SQL(", ").join(map(SQL.identifier, SCORE_FIELDS)),
                scores=scores,
                now=fields.Datetime.now(),
                bound=thresholds._sql_bounds(company),
                company_id=company.id,
                old=SQL(", ").join(SQL.identifier("m", n) for n in SCORE_FIELDS),
            ),
            company,
        )
        self.env.invalidate_all(flush=False)

    @api.model
    def _sql_written(self, company):
        """Write what is new or other than before; return the statement, with the
        ``partner_id`` of those rows."""
        columns = [SQL.identifier(name) for name in FIGURES]
        return SQL(
            """INSERT INTO marketing_customer_metrics (
                      partner_id, company_id, computed_at, %(columns)s)
               SELECT new.partner_id, %(company_id)s, %(now)s, %(new)s
                 FROM (%(rows)s) new
                 LEFT JOIN marketing_customer_metrics old
                        ON old.partner_id = new.partner_id
                       AND old.company_id = %(company_id)s
                WHERE (%(old)s) IS DISTINCT FROM (%(new)s)
                ORDER BY new.partner_id
                   ON CONFLICT (partner_id, company_id) DO UPDATE
                  SET computed_at = EXCLUDED.computed_at, %(changes)s
            RETURNING partner_id""",
            columns=SQL(", ").join(columns),
            company_id=company.id,
            now=fields.Datetime.now(),
            rows=self._sql_rows(company),
            changes=SQL(", ").join(
                SQL("%s = EXCLUDED.%s", column, column) for column in columns
            ),
            old=SQL(", ").join(SQL("old.%s", column) for column in columns),
            new=SQL(", ").join(SQL("new.%s", column) for column in columns),
        )

    @api.model
    def _sql_rows(self, company):
        """Return a query with the figures of a pass, one row for each contact; those of
        other companies are not shown here."""
        thresholds = self.env["marketing.rfm.threshold"]
        return SQL(
            """SELECT f.*, person.partner_id,
                      person.partner_id = min(person.partner_id) OVER (
                          PARTITION BY person.person_id) AS is_main,
                      COALESCE(round(f.total_revenue / NULLIF(f.total_orders, 0),
                                     %(digits)s), 0) AS average_order
                 FROM (SELECT f.*, %(scores)s
                         FROM %(facts)s f CROSS JOIN (%(bound)s) bound) f
                 JOIN %(persons)s person USING (person_id)
                 JOIN res_partner p ON p.id = person.partner_id
                WHERE p.company_id IS NULL OR p.company_id = %(company_id)s""",
            digits=company.currency_id.decimal_places,
            scores=thresholds._sql_scores(SQL("f"), named=True),
            facts=FACTS,
            bound=thresholds._sql_bounds(company),
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
