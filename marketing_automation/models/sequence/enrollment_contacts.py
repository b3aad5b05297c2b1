from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.table_statistics import note_written


class MarketingEnrollment(models.Model):
    """How runs of contacts begin: something hands them over, such as a campaign."""

    _inherit = "marketing.enrollment"

    @api.model
    def _enroll_contacts(self, sequence, slots, company, campaign=None):
        """Start the runs of many contacts, in one statement.

        Nobody goes through a sequence twice at a time, with any of their contacts of
        the same address, and nobody is handed over twice by the same campaign.

        :param marketing.sequence sequence: one for contacts, with steps
        :param SQL slots: a query of ``partner_id`` and ``scheduled_at`` (when their run
            begins, naive, UTC)
        :param res.company company: who is speaking
        :param email.campaign campaign: what hands them over, if any
        :return: number of runs started
        :rtype: int
        """
        self.env.flush_all()
        first = sequence._get_steps()[:1]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO marketing_enrollment (
                    started_at, sequence_id, version_id, contact_id, campaign_id,
                    company_id, email_normalized, state, next_step_id, next_at)
                SELECT slot.scheduled_at, %(sequence)s, %(version)s, p.id, %(campaign)s,
                       %(company)s, p.email_normalized, 'active', %(step)s,
                       slot.scheduled_at + %(offset)s * interval '1 second'
                  FROM (%(slots)s) slot
                  JOIN res_partner p ON p.id = slot.partner_id
                 WHERE COALESCE(p.email_normalized NOT IN (
                       SELECT known.email_normalized FROM marketing_enrollment known
                        WHERE known.campaign_id = %(campaign)s
                          AND known.email_normalized IS NOT NULL), TRUE)
                 ORDER BY p.id
                    ON CONFLICT DO NOTHING
                """,
                sequence=sequence.id,
                version=sequence.version_ids[:1].id or None,
                campaign=campaign.id if campaign else None,
                company=company.id,
                step=first.id,
                offset=first.offset_seconds,
                slots=slots,
            )
        )
        count = self.env.cr.rowcount
        note_written(self.env.cr, "marketing_enrollment", count)
        self.env.invalidate_all(flush=False)
        if count:
            self.env["marketing.dispatcher"]._trigger_at(
                "marketing_automation.ir_cron_process_enrollments",
                fields.Datetime.now(),
            )
        return count

    @api.model
    def _on_purchase(self, orders):
        """End the runs of contacts who have bought, where their sequence says so.

        :param sale.order orders: just confirmed
        """
        orders.flush_model(["partner_id"])
        for model in ("res.partner", self._name, "marketing.sequence"):
            self.env[model].flush_model()
        rows = self.env.execute_query(
            SQL(
                """WITH buyer AS MATERIALIZED (
                          SELECT DISTINCT p.id, p.email_normalized FROM sale_order so
                            JOIN res_partner p ON p.id = so.partner_id
                           WHERE so.id = ANY(%(order_ids)s))
                   SELECT run.id FROM (
                          SELECT mine.* FROM buyer
                            JOIN marketing_enrollment mine ON mine.contact_id = buyer.id
                           UNION
                          SELECT mine.* FROM buyer
                            JOIN marketing_enrollment mine
                              ON mine.email_normalized = buyer.email_normalized
                           WHERE buyer.email_normalized != '') run
                     JOIN marketing_sequence seq ON seq.id = run.sequence_id
                    WHERE run.state = 'active' AND run.contact_id IS NOT NULL
                      AND run.started_at <= %(now)s AND seq.stops_on_purchase
                    ORDER BY run.id""",
                order_ids=orders.ids,
                now=fields.Datetime.now(),
            )
        )
        self.sudo().browse(run_id for (run_id,) in rows)._stop("purchased")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_confirm(self):
        res = super()._action_confirm()
        self.env["marketing.enrollment"]._on_purchase(self.sudo())
        return res
