from odoo import api, fields, models
from odoo.tools import SQL

# Contacts of one batch that something changed for.
MAX_CONTACTS = 20_000
# How many ids of contacts one batch of the nightly pass is about.
INTERVAL = 500_000


class MarketingMetricsTask(models.Model):
    """What is to be computed: one contact, or an interval of their ids; without any,
    what the scores take.

    Rows are added in the transaction that changed something, and never looked at
    there: nobody waits for anybody, and however long a transaction takes, its changes
    come with their task. No foreign key to contacts and no unique index, for the same
    reason.
    """

    _name = "marketing.metrics.task"
    _description = "Customer Metrics to Compute"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    first_partner_id = fields.Integer(readonly=True, aggregator=None)
    last_partner_id = fields.Integer(readonly=True, aggregator=None)

    # === IN ===#

    @api.model
    def _add_contacts(self, query):
        """Have the figures of contacts computed soon.

        :param SQL query: gives the ids of a company and of a contact
        """
        self.env.cr.execute(
            SQL(
                """INSERT INTO marketing_metrics_task (
                          company_id, first_partner_id, last_partner_id)
                   SELECT changed.company_id, changed.partner_id, changed.partner_id
                     FROM (%s) changed (company_id, partner_id)""",
                query,
            )
        )

    @api.model
    def _add_all(self, companies=None):
        """Have everything computed, once: first all contacts, then what scores take.

        :param res.company companies: of these companies; None: of all
        """
        chosen = SQL("TRUE")
        if companies is not None:
            chosen = SQL("company.id = ANY(%s)", companies.ids)
        self.env.cr.execute(
            SQL(
                """DELETE FROM marketing_metrics_task
                    WHERE company_id IN (SELECT id FROM res_company company WHERE %s)
                      AND (first_partner_id IS NULL
                           OR first_partner_id < last_partner_id)""",
                chosen,
            )
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO marketing_metrics_task (
                          company_id, first_partner_id, last_partner_id)
                   SELECT company.id, part.first_id, part.last_id
                     FROM res_company company
                    CROSS JOIN (
                          SELECT i + 1 AS first_id, i + %(interval)s AS last_id
                            FROM generate_series(
                                 0, (SELECT max(id) FROM res_partner), %(interval)s) i
                           UNION ALL
                          SELECT NULL, NULL) part
                    WHERE %(chosen)s
                      AND (EXISTS (SELECT FROM sale_order known
                                    WHERE known.company_id = company.id
                                      AND known.state = 'sale')
                           OR EXISTS (SELECT FROM marketing_message known
                                       WHERE known.company_id = company.id)
                           OR EXISTS (SELECT FROM marketing_customer_metrics known
                                       WHERE known.company_id = company.id))
                    ORDER BY company.id, part.first_id NULLS LAST""",
                chosen=chosen,
                interval=INTERVAL,
            )
        )
        self.invalidate_model(flush=False)

    # === OUT ===#

    @api.model
    def _get_next_company(self, left_out):
        """Return whose turn it is.

        :param res.company left_out: companies that have to wait
        :rtype: res.company
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT company_id FROM marketing_metrics_task
                    WHERE company_id != ALL(%s)
                    ORDER BY first_partner_id IS NULL
                             OR first_partner_id < last_partner_id, id
                    LIMIT 1""",
                left_out.ids,
            )
        )
        return self.env["res.company"].browse(company_id for (company_id,) in rows)

    @api.model
    def _take(self, company=None):
        """Take what is to be done next: contacts come before the nightly pass.

        Tasks that another worker has taken are left to it.

        :param res.company company: of which company; None: whose turn it is
        :return: a company, the first and the last id, both None for the scores; None
            without any task. Contacts are taken with `_take_contacts`.
        :rtype: tuple | None
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT id, company_id, first_partner_id, last_partner_id
                     FROM marketing_metrics_task
                    WHERE %s
                    ORDER BY first_partner_id IS NULL
                             OR first_partner_id < last_partner_id, id
                    LIMIT 1 FOR UPDATE SKIP LOCKED""",
                SQL("company_id = %s", company.id) if company else SQL("TRUE"),
            )
        )
        if not rows:
            return None
        [(task_id, company_id, first_id, last_id)] = rows
        if first_id is None or first_id < last_id:
            self.env.cr.execute(
                SQL("DELETE FROM marketing_metrics_task WHERE id = %s", task_id)
            )
            self.invalidate_model(flush=False)
        return self.env["res.company"].browse(company_id), first_id, last_id

    @api.model
    def _take_contacts(self, company):
        """Take contacts of a company that something changed for.

        :return: a query for their ids
        :rtype: SQL
        """
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM marketing_metrics_task
                    WHERE id IN (SELECT id FROM marketing_metrics_task
                                  WHERE company_id = %s
                                    AND first_partner_id = last_partner_id
                                  ORDER BY id
                                  LIMIT %s FOR UPDATE SKIP LOCKED)
                RETURNING first_partner_id""",
                company.id,
                MAX_CONTACTS,
            )
        )
        self.invalidate_model(flush=False)
        return SQL("SELECT unnest(%s)", list({contact_id for (contact_id,) in rows}))
