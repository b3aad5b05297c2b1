"""Counting what became of a campaign, day by day.

A message counts once, on the day it first happened; an order on the day it was placed.
The days are counted together with the totals, so that the sums over all days are the
totals (``campaign_figures.py``).
"""

from odoo import api, models
from odoo.tools import SQL

from ..cart.order_revenue import sql_refunds_of, sql_revenue
from ..delivery.states import REACHED_STATES

# The figures of a day. They are named as the totals of the campaign.
COUNTS = (
    *("sent_count", "delivered_count", "bounced_count", "opened_count"),
    *("clicked_count", "unsubscribed_count", "complained_count", "order_count"),
    "revenue",
)


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    def _refresh_figures(self):
        """Count the days, too: in the same transaction, so that they add up."""
        res = super()._refresh_figures()
        for campaign in self:
            campaign._refresh_days()
        return res

    @api.model
    def _count_anew(self, companies):
        """Let the figures of all campaigns of companies be counted anew, by the
        scheduled action: their days begin and end at other moments now.

        :param res.company companies: whose campaigns
        """
        campaigns = self.with_context(active_test=False).search(
            [("company_id", "in", companies.ids), ("started_at", "!=", False)]
        )
        campaigns.figures_at = False

    def _refresh_days(self):
        """Store the figures of all days of a campaign, in one statement: days that
        nothing belongs to any more go, the others become what is counted now."""
        self.ensure_one()
        self.env.flush_all()
        columns = SQL(", ").join(SQL.identifier(name) for name in COUNTS)
        self.env.cr.execute(
            SQL(
                """WITH %(parts)s,
                        counted AS (SELECT day, %(sums)s FROM seen
                                     WHERE day IS NOT NULL GROUP BY day),
                        gone AS (DELETE FROM campaign_daily_stats
                                  WHERE campaign_id = %(campaign)s
                                    AND day NOT IN (SELECT day FROM counted))
                   INSERT INTO campaign_daily_stats AS kept (
                          campaign_id, company_id, day, %(columns)s)
                   SELECT %(campaign)s, %(company)s, day, %(columns)s FROM counted
                       ON CONFLICT (campaign_id, day) DO UPDATE SET %(changes)s
                    WHERE (%(old)s) IS DISTINCT FROM (%(new)s)""",
                parts=self._sql_days(),
                sums=SQL(", ").join(
                    SQL(
                        "COALESCE(sum(amount) FILTER (WHERE counter = %s), 0) AS %s",
                        name,
                        SQL.identifier(name),
                    )
                    for name in COUNTS
                ),
                campaign=self.id,
                company=self.company_id.id,
                columns=columns,
                changes=SQL(", ").join(
                    SQL("%s = EXCLUDED.%s", SQL.identifier(name), SQL.identifier(name))
                    for name in COUNTS
                ),
                old=SQL(", ").join(SQL.identifier("kept", name) for name in COUNTS),
                new=SQL(", ").join(SQL.identifier("excluded", n) for n in COUNTS),
            )
        )
        self.env["campaign.daily.stats"].invalidate_model(flush=False)

    def _sql_days(self):
        """Return the parts of a query that end in ``seen``: what there is to count.

        :return: named queries; ``seen`` has ``day``, ``counter`` (name of a field) and
            ``amount``
        :rtype: SQL
        """
        zone = self.company_id.sudo().figures_timezone or "UTC"
        moments = (self._sql_sending(), REACTIONS, ORDERS)
        return SQL(
            "did AS MATERIALIZED (%s), credited AS MATERIALIZED (%s), seen AS (%s)",
            self._sql_first_reactions(),
            self._sql_credited(),
            SQL(" UNION ALL ").join(_sql_by_day(query, zone) for query in moments),
        )

    def _sql_first_reactions(self):
        """Return when people did something with each message for the first time.

        :return: a query of ``message_id``, ``opened_at``, ``clicked_at``,
            ``unsubscribed_at``, ``complained_at``, ``bounced_at`` and
            ``last_clicked_at``
        :rtype: SQL
        """
        return SQL(
            """SELECT e.message_id,
                      min(e.occurred_at) FILTER (WHERE e.kind IN ('open', 'click'))
                          AS opened_at,
                      min(e.occurred_at) FILTER (WHERE e.kind = 'click') AS clicked_at,
                      min(e.occurred_at) FILTER (WHERE e.kind = 'unsubscribe')
                          AS unsubscribed_at,
                      min(e.occurred_at) FILTER (WHERE e.kind = 'complaint')
                          AS complained_at,
                      min(e.occurred_at) FILTER (WHERE e.kind = 'bounce') AS bounced_at,
                      max(e.occurred_at) FILTER (WHERE e.kind = 'click')
                          AS last_clicked_at
                 FROM marketing_engagement e
                WHERE e.is_machine IS NOT TRUE AND %s AND e.message_id IN (
                      SELECT id FROM marketing_message
                       WHERE campaign_id = %s AND priority > 0)
                GROUP BY 1""",
            self._sql_is_within(),
            self.id,
        )

    def _sql_sending(self):
        """Return when messages were sent, and arrived or did not.

        :return: a query of ``at``, ``counter`` and ``amount``
        :rtype: SQL
        """
        return SQL(
            """SELECT v.at, v.counter, g.number AS amount
                 FROM (SELECT date_trunc('minute', %(sent_at)s) AS sent_at,
                              CASE m.state WHEN 'delivered' THEN
                                   date_trunc('minute', %(changed_at)s)
                                   END AS delivered_at,
                              count(*) AS number
                         FROM marketing_message m
                        WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                          AND m.state = ANY(%(reached)s)
                        GROUP BY 1, 2) g
                CROSS JOIN LATERAL (VALUES
                      ('sent_count', g.sent_at), ('delivered_count', g.delivered_at)
                      ) v (counter, at)
                WHERE v.at IS NOT NULL
                UNION ALL
               SELECT COALESCE(did.bounced_at, %(changed_at)s), 'bounced_count', 1
                 FROM marketing_message m
                 LEFT JOIN did ON did.message_id = m.id
                WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                  AND m.state = 'bounced'""",
            sent_at=SENT_AT,
            changed_at=CHANGED_AT,
            campaign=self.id,
            reached=list(REACHED_STATES),
        )

    def _sql_credited(self):
        """Return the messages that orders are credited to.

        :return: a query of ``id``, ``order_count``, ``revenue`` of the orders there
            are, ``other_revenue`` of orders that nothing leads to any more, and
            ``sent_at``
        :rtype: SQL
        """
        return SQL(
            """SELECT m.id, m.attributed_order_count AS order_count,
                      CASE WHEN m.attributed_order_count > 0
                           THEN m.attributed_revenue - COALESCE(m.kept_revenue, 0)
                           ELSE 0 END AS revenue,
                      CASE WHEN m.attributed_order_count > 0
                           THEN COALESCE(m.kept_revenue, 0)
                           ELSE m.attributed_revenue END AS other_revenue,
                      %(sent_at)s AS sent_at
                 FROM marketing_message m
                WHERE m.campaign_id = %(campaign)s AND m.priority > 0
                  AND (m.attributed_order_count > 0 OR m.attributed_revenue != 0)""",
            sent_at=SENT_AT,
            campaign=self.id,
        )


def _sql_by_day(moments, zone):
    """Return a query of what happened, by day.

    :param SQL moments: query of ``at`` (UTC), ``counter`` and ``amount``
    :param str zone: where days begin and end
    :return: a query of ``day``, ``counter`` and ``amount``
    :rtype: SQL
    """
    # Days begin at full minutes everywhere. A minute is found much faster than a day.
    return SQL(
        """SELECT (minute.at AT TIME ZONE 'UTC' AT TIME ZONE %s)::date AS day,
                  minute.counter, sum(minute.amount) AS amount
             FROM (SELECT date_trunc('minute', moment.at) AS at, moment.counter,
                          sum(moment.amount) AS amount
                     FROM (%s) moment GROUP BY 1, 2) minute
            GROUP BY 1, 2""",
        zone,
        moments,
    )


# What was settled by hand may lack a time.
SENT_AT = SQL("COALESCE(m.sent_at, m.sending_at, m.state_changed_at, m.create_date)")
CHANGED_AT = SQL("COALESCE(m.state_changed_at, m.sent_at, m.create_date)")
REACTIONS = SQL(
    """SELECT v.at, v.counter, 1 AS amount
         FROM did
        CROSS JOIN LATERAL (VALUES
              ('opened_count', did.opened_at), ('clicked_count', did.clicked_at),
              ('unsubscribed_count', did.unsubscribed_at),
              ('complained_count', did.complained_at)) v (counter, at)
        WHERE v.at IS NOT NULL"""
)
# A message knows what all of its orders brought in together. Of several, each has the
# share that it makes up: its total less what was refunded of it. The orders of people
# who were forgotten are on the day they clicked last.
ORDERS = SQL(
    """SELECT o.at, v.counter, v.amount
         FROM credited
        CROSS JOIN LATERAL (
              SELECT sold.at,
                     CASE WHEN sum(sold.weight) OVER () > 0
                          THEN sold.weight / sum(sold.weight) OVER ()
                          ELSE 1.0 / count(*) OVER () END AS share
                FROM (%(sold)s) sold) o
        CROSS JOIN LATERAL (VALUES
              ('order_count', 1.0), ('revenue', credited.revenue * o.share)
              ) v (counter, amount)
        UNION ALL
       SELECT COALESCE(did.last_clicked_at, credited.sent_at), 'revenue',
              credited.other_revenue
         FROM credited LEFT JOIN did ON did.message_id = credited.id
        WHERE credited.other_revenue != 0""",
    sold=SQL(
        """SELECT so.date_order AS at, (%s)::numeric AS weight
             FROM sale_order so
            CROSS JOIN LATERAL (SELECT so.id) bought (id)
             LEFT JOIN LATERAL (
                  SELECT of_one.refunded FROM (%s) of_one
                   WHERE of_one.order_id = so.id) refund ON TRUE
            WHERE so.attributed_message_id = credited.id AND so.state = 'sale'""",
        sql_revenue(SQL("refund.refunded")),
        sql_refunds_of(SQL("SELECT bought.id WHERE credited.order_count > 1")),
    ),
)
