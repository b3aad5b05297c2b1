"""What came of each variant: counted for all of them over the same time."""

from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ...tools.statistics import Group, Sample

# Kinds of engagement that count. Who follows a link has opened the message, also where
# the mail program shows no pictures.
KINDS = {"open": ("open", "click"), "click": ("click",)}


class AbTest(models.Model):
    _inherit = "ab.test"

    def _count(self):
        """Count what people did, each within the same time after their message.

        :return: by variant id, dicts ``assigned`` (people), ``sent`` (how many of them
            got it in time), ``waiting`` (not yet), ``done`` (did what decides),
            ``mean`` and ``variance`` of what they spent
        :rtype: dict[int, dict]
        """
        self.ensure_one()
        self.env.flush_all()
        rows = self.env.execute_query_dict(
            SQL(
                """WITH tested AS MATERIALIZED (
                       SELECT m.id, m.variant_id, m.sent_at, m.state,
                              m.attributed_revenue AS revenue,
                              m.sent_at IS NOT NULL AND m.sent_at <= %(until)s AS sent
                         FROM marketing_message m
                        WHERE m.variant_id IN %(variants)s AND m.priority > 0),
                   done AS MATERIALIZED (%(done)s)
                   SELECT tested.variant_id, count(*) AS assigned,
                          count(*) FILTER (WHERE tested.sent) AS sent,
                          count(*) FILTER (WHERE tested.state IN ('queued', 'sending'))
                              AS waiting,
                          count(done.id) FILTER (WHERE tested.sent) AS done,
                          COALESCE(avg(amount.value) FILTER (WHERE tested.sent), 0)
                              ::float AS mean,
                          COALESCE(var_samp(amount.value) FILTER (WHERE tested.sent), 0)
                              ::float AS variance
                     FROM tested
                     LEFT JOIN done ON done.id = tested.id
                    CROSS JOIN LATERAL (
                          SELECT CASE WHEN done.id IS NULL THEN 0
                                      ELSE COALESCE(tested.revenue, 0) END AS value
                          ) amount
                    GROUP BY 1""",
                until=self.counted_until,
                variants=tuple(self.variant_ids.ids),
                done=self._sql_done(),
            )
        )
        counted = {row.pop("variant_id"): row for row in rows}
        nothing = dict.fromkeys(("assigned", "sent", "waiting", "done"), 0)
        nothing |= {"mean": 0.0, "variance": 0.0}
        return {
            variant.id: counted.get(variant.id, nothing) for variant in self.variant_ids
        }

    def _sql_done(self):
        """Return a query for the messages in ``tested`` whose people did it in time."""
        window = timedelta(hours=self.duration_hours)
        if self.metric in KINDS:
            return SQL(
                """SELECT DISTINCT tested.id
                     FROM tested
                     JOIN marketing_engagement did ON did.message_id = tested.id
                    WHERE did.kind IN %s AND did.is_machine IS NOT TRUE
                      AND did.occurred_at <= tested.sent_at + %s""",
                KINDS[self.metric],
                window,
            )
        return SQL(
            """SELECT DISTINCT tested.id
                 FROM tested
                 JOIN sale_order bought ON bought.attributed_message_id = tested.id
                WHERE bought.state = 'sale'
                  AND bought.date_order <= tested.sent_at + %s""",
            window,
        )

    def _get_groups(self, figures):
        """Return the figures as statistics takes them, in the order of the variants.

        :param dict figures: of :meth:`_count`
        :rtype: list[Group]
        """
        return [
            Group(
                found["sent"],
                found["done"],
                Sample(found["sent"], found["mean"], found["variance"])
                if self.metric == "revenue"
                else None,
            )
            for found in (figures[variant.id] for variant in self.variant_ids)
        ]
