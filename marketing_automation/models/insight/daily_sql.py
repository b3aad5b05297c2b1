"""SQL of the figures of a day, one query per source.

Each query is asked about days ``w`` of the form (company_id, day, since, until), the
latter two in UTC, and returns rows (company_id, day, figure, website_id, kind,
sequence_id, step_id, channel, key, value): how many, or how much in the currency of the
company. What a figure is, in words and as a domain, says ``figures.py``.

A source is what has to be counted anew together, when something about a day changes:
``daily_watch.py`` knows when. Everything is counted inside of ``LATERAL``: the database
then takes one day after the other, each by its index, whatever it thinks of how many
rows there are.
"""

from odoo.tools import SQL

from ..delivery.states import REACHED_STATES

REACHED = SQL("(%s)", SQL(", ").join(SQL("%s", state) for state in REACHED_STATES))
# States of messages that will not be sent any more.
UNSENT_STATES = ("skipped", "failed", "cancelled")
UNSENT = SQL("(%s)", SQL(", ").join(SQL("%s", state) for state in UNSENT_STATES))
# Of the cart a message is about. One look at a time: joined, the database would rather
# read all carts for the messages of a day.
KIND = SQL(
    "(SELECT cart.kind FROM abandoned_cart cart WHERE cart.id = m.abandoned_cart_id)"
)

# Carts by the day they were left behind.
CARTS = SQL(
    """SELECT w.company_id, w.day, v.figure, t.website_id, t.kind,
              NULL::int AS sequence_id, NULL::int AS step_id, NULL::varchar AS channel,
              v.key, v.value::numeric AS value
         FROM w
        CROSS JOIN LATERAL (
              SELECT t.website_id, t.kind, t.state, t.exclusion_reason,
                     count(*) AS number, sum(t.amount_company) AS amount
                FROM abandoned_cart t
               WHERE t.company_id = w.company_id
                 AND t.abandoned_at >= w.since AND t.abandoned_at < w.until
               GROUP BY 1, 2, 3, 4) t
        CROSS JOIN LATERAL (VALUES
              ('left', t.state, t.number),
              ('left_value', t.state, t.amount),
              ('excluded', CASE WHEN t.state = 'excluded'
                                THEN COALESCE(t.exclusion_reason, '') END, t.number)
              ) v (figure, key, value)
        WHERE v.key IS NOT NULL"""
)
# How far the carts got that somebody was written to about, by the day they were left.
FUNNEL = SQL(
    """SELECT w.company_id, w.day, v.figure, t.website_id, t.kind,
              NULL::int, NULL::int, NULL::varchar, v.key, v.value::numeric
         FROM w
        CROSS JOIN LATERAL (
              SELECT t.website_id, t.kind, count(*) AS written,
                     count(*) FILTER (WHERE told.is_clicked) AS clicked,
                     count(*) FILTER (WHERE t.returned_at IS NOT NULL) AS came_back,
                     count(*) FILTER (WHERE t.state = 'recovered') AS bought
                FROM abandoned_cart t
               CROSS JOIN LATERAL (
                     SELECT bool_or(EXISTS (
                                SELECT FROM marketing_engagement e
                                 WHERE e.message_id = m.id AND e.kind = 'click'
                                   AND e.is_machine IS NOT TRUE)) AS is_clicked
                       FROM marketing_message m
                      WHERE m.abandoned_cart_id = t.id AND m.state IN %(reached)s
                     HAVING count(*) > 0) told
               WHERE t.company_id = w.company_id
                 AND t.abandoned_at >= w.since AND t.abandoned_at < w.until
               GROUP BY 1, 2) t
        CROSS JOIN LATERAL (VALUES
              ('written', NULL::varchar, t.written), ('clicked', NULL, t.clicked),
              ('came_back', NULL, t.came_back), ('bought', NULL, t.bought)
              ) v (figure, key, value)""",
    reached=REACHED,
)
# Carts by the day they were bought.
RECOVERIES = SQL(
    """SELECT w.company_id, w.day, v.figure, t.website_id, t.kind,
              NULL::int, NULL::int, NULL::varchar, t.key, v.value::numeric
         FROM w
        CROSS JOIN LATERAL (
              SELECT t.website_id, t.kind,
                     CASE WHEN t.recovered_message_id IS NULL
                          THEN 'other' ELSE 'message' END AS key,
                     count(*) AS number, sum(t.recovered_amount_company) AS amount
                FROM abandoned_cart t
               WHERE t.company_id = w.company_id AND t.state = 'recovered'
                 AND t.recovered_at >= w.since AND t.recovered_at < w.until
               GROUP BY 1, 2, 3) t
        CROSS JOIN LATERAL (VALUES
              ('recovered', t.number), ('recovered_revenue', t.amount)
              ) v (figure, value)"""
)
# Carts by the day their customers came back to them.
RETURNS = SQL(
    """SELECT w.company_id, w.day, 'returned', t.website_id, t.kind,
              NULL::int, NULL::int, NULL::varchar, NULL::varchar, t.number::numeric
         FROM w
        CROSS JOIN LATERAL (
              SELECT t.website_id, t.kind, count(*) AS number
                FROM abandoned_cart t
               WHERE t.company_id = w.company_id
                 AND t.returned_at >= w.since AND t.returned_at < w.until
               GROUP BY 1, 2) t"""
)
# Messages about carts by the day they were sent, and what came of them since.
MESSAGES = SQL(
    """SELECT w.company_id, w.day, v.figure, t.website_id, t.kind,
              t.sequence_id, t.step_id, t.channel, v.key, v.value::numeric
         FROM w
        CROSS JOIN LATERAL (
              SELECT m.website_id, %(kind)s AS kind, m.sequence_id, m.step_id,
                     m.channel, m.provider_id::varchar AS provider, count(*) AS number,
                     count(*) FILTER (WHERE m.is_sandbox) AS sandbox,
                     count(*) FILTER (WHERE did.is_opened) AS opened,
                     count(*) FILTER (WHERE did.is_clicked) AS clicked,
                     sum(m.attributed_order_count) AS orders,
                     sum(m.attributed_revenue) AS revenue,
                     sum(m.attributed_margin) AS margin,
                     sum(m.segment_count) FILTER (WHERE NOT m.is_sandbox) AS segments
                FROM marketing_message m
                LEFT JOIN LATERAL (
                     SELECT bool_or(e.kind = 'open') AS is_opened,
                            bool_or(e.kind = 'click') AS is_clicked
                       FROM marketing_engagement e
                      WHERE e.message_id = m.id AND e.is_machine IS NOT TRUE
                     ) did ON TRUE
               WHERE m.company_id = w.company_id AND m.abandoned_cart_id IS NOT NULL
                 AND m.state IN %(reached)s
                 AND m.sent_at >= w.since AND m.sent_at < w.until
               GROUP BY 1, 2, 3, 4, 5, 6) t
        CROSS JOIN LATERAL (VALUES
              ('sent', NULL::varchar, t.number), ('sandbox', NULL, t.sandbox),
              ('opened', NULL, t.opened), ('message_clicked', NULL, t.clicked),
              ('credited', NULL, t.orders), ('credited_revenue', NULL, t.revenue),
              ('credited_margin', NULL, t.margin),
              ('segments', t.provider, t.segments)
              ) v (figure, key, value)
        WHERE v.value != 0""",
    kind=KIND,
    reached=REACHED,
)
# Messages about carts that are not sent, by the day that was decided.
UNSENT_MESSAGES = SQL(
    """SELECT w.company_id, w.day, 'unsent', t.website_id, t.kind,
              NULL::int, NULL::int, NULL::varchar, t.key, t.number::numeric
         FROM w
        CROSS JOIN LATERAL (
              SELECT m.website_id, %(kind)s AS kind, COALESCE(m.reason, '') AS key,
                     count(*) AS number
                FROM marketing_message m
               WHERE m.company_id = w.company_id AND m.abandoned_cart_id IS NOT NULL
                 AND m.state IN %(unsent)s
                 AND m.state_changed_at >= w.since AND m.state_changed_at < w.until
               GROUP BY 1, 2, 3) t""",
    kind=KIND,
    unsent=UNSENT,
)
SOURCES = {
    "carts": CARTS,
    "funnel": FUNNEL,
    "recoveries": RECOVERIES,
    "returns": RETURNS,
    "messages": MESSAGES,
    "unsent": UNSENT_MESSAGES,
}
COLUMNS = SQL(
    "company_id, day, figure, website_id, kind, sequence_id, step_id, channel, "
    "key, value"
)


def sql_day(moment, zone):
    """SQL: the day on which a moment (UTC) falls in a time zone."""
    return SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", moment, zone)


def sql_begin(day, zone):
    """SQL: the moment (UTC) when a day begins in a time zone."""
    return SQL("(%s::timestamp AT TIME ZONE %s) AT TIME ZONE 'UTC'", day, zone)


def sql_figures(source, days):
    """Return the query that counts a source anew.

    :param str source: one of ``SOURCES``
    :param SQL days: query of the days: company_id, day, since, until
    :rtype: SQL
    """
    return SQL("WITH w AS MATERIALIZED (%s) %s", days, SOURCES[source])
