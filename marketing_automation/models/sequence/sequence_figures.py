from odoo import models
from odoo.tools import SQL

from ..cart.order_revenue import sql_refunds_of, sql_revenue

# As in ``delivery/states.py``, which is loaded after this.
REACHED_STATES = ("sent", "delivered", "bounced")


class MarketingSequence(models.Model):
    """What became of the steps so far, for the picture of the run."""

    _inherit = "marketing.sequence"

    def get_figures(self):
        """Return what became of each step, of the companies the user looks at.

        :return: ``steps``: by id of the step (as text, for JSON) the numbers
            ``waiting`` (people whose next step it is), ``queued``, ``sent``,
            ``opened``, ``clicked`` (messages, by people), ``skipped`` and
            ``revenue`` (credited, formatted; empty if none); ``exits``: runs by how
            they ended, ``completed`` or the reason they stopped
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        steps = {}
        for row in [*self._fetch_waiting(), *self._fetch_message_counts()]:
            steps.setdefault(str(row.pop("step_id")), {}).update(row)
        for row in self._fetch_engagement() + self._fetch_revenue():
            steps[str(row.pop("step_id"))].update(row)
        return {"steps": steps, "exits": self._count_exits()}

    def _fetch_waiting(self):
        return self.env.execute_query_dict(
            SQL(
                """SELECT next_step_id AS step_id, count(*) AS waiting
                     FROM marketing_enrollment
                    WHERE sequence_id = %s AND state IN ('active', 'paused')
                      AND next_step_id IS NOT NULL AND company_id = ANY(%s)
                    GROUP BY 1""",
                self.id,
                self.env.companies.ids,
            )
        )

    def _fetch_message_counts(self):
        return self.env.execute_query_dict(
            SQL(
                """SELECT step_id,
                          count(*) FILTER (WHERE state = ANY(%s)) AS sent,
                          count(*) FILTER (WHERE state IN ('queued', 'sending'))
                              AS queued,
                          count(*) FILTER (WHERE state = 'skipped') AS skipped
                     FROM marketing_message
                    WHERE %s GROUP BY step_id""",
                list(REACHED_STATES),
                self._sql_own_messages(SQL("marketing_message")),
            )
        )

    def _fetch_engagement(self):
        return self.env.execute_query_dict(
            SQL(
                """SELECT m.step_id,
                          count(DISTINCT m.id) FILTER (WHERE e.kind = 'open')
                              AS opened,
                          count(DISTINCT m.id) FILTER (WHERE e.kind = 'click')
                              AS clicked
                     FROM marketing_message m
                     JOIN marketing_engagement e ON e.message_id = m.id
                    WHERE %s AND e.kind IN ('open', 'click')
                      AND e.is_machine IS NOT TRUE
                    GROUP BY m.step_id""",
                self._sql_own_messages(SQL("m")),
            )
        )

    def _fetch_revenue(self):
        """Credited orders without refunds, as ``sale.order._get_marketing_revenue``
        has them, in the currency of the company the user works in."""
        own = self._sql_own_messages(SQL("m"))
        rows = self.env.execute_query(
            SQL(
                """SELECT m.step_id, so.company_id, sum(%(revenue)s)
                     FROM sale_order so
                     JOIN marketing_message m ON m.id = so.attributed_message_id
                     LEFT JOIN (%(refunds)s) refund ON refund.order_id = so.id
                    WHERE so.state = 'sale' AND %(own)s
                    GROUP BY 1, 2""",
                revenue=sql_revenue(SQL("refund.refunded")),
                refunds=sql_refunds_of(
                    SQL(
                        """SELECT credited.id FROM sale_order credited
                             JOIN marketing_message m
                               ON m.id = credited.attributed_message_id
                            WHERE credited.state = 'sale' AND %s""",
                        own,
                    )
                ),
                own=own,
            )
        )
        return self._format_revenue(rows)

    def _format_revenue(self, rows):
        currency, totals = self.env.company.currency_id, {}
        for step_id, company_id, amount in rows:
            company = self.env["res.company"].browse(company_id)
            own = company.currency_id._convert(amount, currency, company)
            totals[step_id] = totals.get(step_id, 0.0) + own
        return [
            {"step_id": step_id, "revenue": currency.format(total)}
            for step_id, total in totals.items()
        ]

    def _count_exits(self):
        runs = self.env["marketing.enrollment"]
        groups = runs._read_group(
            [("sequence_id", "=", self.id), ("state", "in", ("completed", "stopped"))],
            ["state", "stop_reason"],
            ["__count"],
        )
        return {reason or state: count for state, reason, count in groups}

    def _sql_own_messages(self, alias):
        """Return SQL: messages of this sequence's steps, of the user's companies."""
        steps = self.step_ids.with_context(active_test=False)
        return SQL(
            "%s.step_id = ANY(%s) AND %s.company_id = ANY(%s)",
            alias,
            steps.search([("sequence_id", "=", self.id)]).ids,
            alias,
            self.env.companies.ids,
        )
