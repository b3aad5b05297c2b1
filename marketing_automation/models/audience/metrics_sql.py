"""The figures of customers, as queries for one company.

A person is everybody with the same email address: each checkout of a guest creates a
contact of its own. ``person_id`` is the first of these contacts.
"""

from odoo import fields
from odoo.tools import SQL

from ...tools.temporary_table import TemporaryTable
from ..cart.order_revenue import ORDER_RATE, sql_refunds, sql_refunds_of

# What a pass is about, kept until its transaction ends: contacts and the persons behind
# them, their orders, what comes of them.
PERSONS_TABLE = TemporaryTable("marketing_metrics_person")
ORDERS_TABLE = TemporaryTable("marketing_metrics_order")
FACTS_TABLE = TemporaryTable("marketing_metrics_fact")
PERSONS, ORDERS, FACTS = PERSONS_TABLE.sql, ORDERS_TABLE.sql, FACTS_TABLE.sql

# Student's t for 1, 2, 3 … degrees of freedom, 0.9 of the distribution below it.
T_QUANTILES = (
    *(3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372),
    *(1.363, 1.356, 1.350, 1.345, 1.341),
)

# Everybody who is not logged in orders as this contact, so it is nobody. Nor are there
# figures of those who asked to be forgotten.
NOBODY = SQL(
    """(SELECT nobody.partner_id FROM website w
          JOIN res_users nobody ON nobody.id = w.user_id
         UNION ALL
        SELECT forgotten.id FROM res_partner forgotten
         WHERE forgotten.marketing_is_forgotten)"""
)


def persons(contacts):
    """Return a query with the persons behind contacts, under all their contacts:
    ``partner_id``, ``person_id`` (NULL for nobody), ``email``.

    :param SQL contacts: a query for ids of ``res.partner``
    """
    return SQL(
        """SELECT p.id AS partner_id, person.email,
                  CASE WHEN p.id NOT IN %(nobody)s THEN person.id END AS person_id
             FROM (SELECT min(member.id) AS id, member.email_normalized AS email
                     FROM res_partner member
                    WHERE member.email_normalized IN (
                          SELECT email_normalized FROM res_partner
                           WHERE id IN (%(contacts)s) AND email_normalized != '')
                    GROUP BY member.email_normalized) person
             JOIN res_partner p ON p.email_normalized = person.email
            UNION ALL
           SELECT p.id, NULL, CASE WHEN p.id NOT IN %(nobody)s THEN p.id END
             FROM res_partner p
            WHERE p.id IN (%(contacts)s) AND COALESCE(p.email_normalized, '') = ''""",
        contacts=contacts,
        nobody=NOBODY,
    )


def persons_between(first_id, last_id):
    """Return the same for all persons with their first contact in an interval of ids.

    :param int first_id: the lowest id
    :param int last_id: the highest id
    """
    return SQL(
        """SELECT p.id AS partner_id, p.email_normalized AS email,
                  CASE WHEN p.id NOT IN %(nobody)s
                       THEN COALESCE(twins.first_id, p.id) END AS person_id
             FROM res_partner p
             LEFT JOIN (SELECT email_normalized, min(id) AS first_id
                          FROM res_partner
                         WHERE email_normalized != ''
                         GROUP BY email_normalized
                        HAVING count(*) > 1) twins USING (email_normalized)
            WHERE COALESCE(twins.first_id, p.id)
                  BETWEEN %(first_id)s AND %(last_id)s""",
        first_id=first_id,
        last_id=last_id,
        nobody=NOBODY,
    )


def orders(company):
    """Return a query with the confirmed orders of the persons of a pass: ``id``,
    ``person_id``, ``date_order``, ``rate`` (of its currency, for one of the
    company's), ``amount`` (in its own currency) and ``is_attributed``."""
    return SQL(
        """SELECT so.id, person.person_id, so.date_order, %(rate)s AS rate,
                  so.amount_total AS amount,
                  so.attributed_message_id IS NOT NULL AS is_attributed
             FROM %(persons)s person
             JOIN sale_order so ON so.partner_id = person.partner_id
            WHERE so.company_id = %(company_id)s AND so.state = 'sale'
              AND person.person_id IS NOT NULL""",
        rate=ORDER_RATE,
        persons=PERSONS,
        company_id=company.id,
    )


def facts(company, few):
    """Return a query with what the persons of a pass did: one row for each who ordered
    from a company or clicked in its messages.

    :param bool few: whether the pass is about few persons
    """
    return SQL(
        """WITH figures AS MATERIALIZED (%(figures)s),
                clicks AS MATERIALIZED (%(clicks)s),
                favourites AS MATERIALIZED (%(favourites)s)
           SELECT person_id, COALESCE(figures.total_orders, 0)::int AS total_orders,
                  COALESCE(figures.total_revenue, 0) AS total_revenue,
                  figures.first_order_date, figures.last_order_date,
                  figures.last_attributed_order_at, %(next_order)s,
                  favourites.category_id AS favourite_category_id,
                  clicks.last_click_at
             FROM (SELECT *, last_order_date::date AS last_day,
                          %(quantiles)s[LEAST(gaps - 1, %(degrees)s)]
                          * gap_deviation * sqrt(1 + 1.0 / NULLIF(gaps, 0)) AS leeway
                     FROM figures) figures
             FULL JOIN clicks USING (person_id)
             LEFT JOIN favourites USING (person_id)""",
        figures=_figures(company, few),
        clicks=_last_clicks(company),
        favourites=_favourites(),
        next_order=_next_order(),
        quantiles=SQL("(%s::numeric[])", list(T_QUANTILES)),
        degrees=len(T_QUANTILES),
    )


def _figures(company, few):
    """One row for each person who ordered, with the rhythm of their orders.

    What an order brought in is what `sale.order._get_marketing_revenue` says: with tax,
    less posted credit notes.
    """
    return SQL(
        """SELECT person_id, count(*) AS total_orders, sum(revenue) AS total_revenue,
                  min(date_order) AS first_order_date,
                  max(date_order) AS last_order_date,
                  max(date_order) FILTER (WHERE is_attributed)
                      AS last_attributed_order_at,
                  count(gap) AS gaps, avg(gap) AS mean_gap,
                  stddev_samp(gap) AS gap_deviation
             FROM (SELECT person_id, date_order, is_attributed,
                          round((GREATEST(o.amount - COALESCE(refund.refunded, 0), 0)
                                 / o.rate)::numeric, %(digits)s) AS revenue,
                          -- Orders of one day are one visit.
                          NULLIF(date_order::date - lag(date_order::date) OVER (
                              PARTITION BY person_id ORDER BY date_order), 0) AS gap
                     FROM %(orders)s o
                     LEFT JOIN (%(refunds)s) refund ON refund.order_id = o.id) visit
            GROUP BY person_id""",
        orders=ORDERS,
        digits=company.currency_id.decimal_places,
        refunds=_refunds(few),
    )


def _refunds(few):
    """What was given back for orders; only for those of a pass where they are few."""
    if few:
        return sql_refunds_of(SQL("SELECT id FROM %s", ORDERS))
    return sql_refunds(SQL("TRUE"))


def _next_order():
    """When a person orders next, if their orders have a rhythm.

    Expected one mean gap after the last order, with the range that holds the next one
    of four in five regular customers: the prediction interval of Student's t, for n
    gaps with the standard deviation s, ± t(0.9, n - 1) · s · √(1 + 1/n); see Geisser,
    "Predictive Inference" (1993), or any textbook of statistics. So it takes at least
    two gaps, and few gaps have to be more alike than many.

    There is no rhythm where that range is wider than the mean gap on either side: the
    next order could come at any time. Once the range has passed without an order, the
    habit is taken to be over.
    """
    return SQL(
        """CASE WHEN %(is_regular)s THEN last_day + round(mean_gap)::int END
               AS next_order_date,
           CASE WHEN %(is_regular)s
                THEN last_day + GREATEST(round(mean_gap - leeway), 1)::int END
               AS next_order_from,
           CASE WHEN %(is_regular)s THEN last_day + round(mean_gap + leeway)::int END
               AS next_order_until""",
        is_regular=SQL(
            """(leeway <= mean_gap
                AND last_day + round(mean_gap + leeway)::int >= %s)""",
            fields.Date.today(),
        ),
    )


def _last_clicks(company):
    """When a person last followed a link, by messages to one of their contacts; of
    those to no contact, by the address. What scanners follow does not count."""
    clicks = SQL(
        """SELECT message_id, occurred_at FROM marketing_engagement
            WHERE kind = 'click' AND is_machine IS NOT TRUE"""
    )
    return SQL(
        """SELECT person_id, max(occurred_at) AS last_click_at
             FROM (SELECT person.person_id, click.occurred_at
                     FROM (%(clicks)s) click
                     JOIN marketing_message m ON m.id = click.message_id
                     JOIN %(persons)s person ON person.partner_id = m.partner_id
                    WHERE m.company_id = %(company_id)s
                    UNION ALL
                   SELECT person.person_id, click.occurred_at
                     FROM (%(clicks)s) click
                     JOIN marketing_message m ON m.id = click.message_id
                     JOIN %(persons)s person ON person.email = m.email_normalized
                    WHERE m.company_id = %(company_id)s AND m.partner_id IS NULL) c
            WHERE person_id IS NOT NULL
            GROUP BY person_id""",
        clicks=clicks,
        persons=PERSONS,
        company_id=company.id,
    )


def _favourites():
    """The category of the shop a person spent most in; of equals the older one."""
    return SQL(
        """SELECT DISTINCT ON (person_id) person_id, category_id
             FROM (SELECT o.person_id,
                          category.product_public_category_id AS category_id,
                          sum(sol.price_total / o.rate) AS spent
                     FROM %s o
                     JOIN sale_order_line sol ON sol.order_id = o.id
                     JOIN product_product pp ON pp.id = sol.product_id
                     JOIN product_public_category_product_template_rel category
                       ON category.product_template_id = pp.product_tmpl_id
                    WHERE sol.display_type IS NULL AND sol.reward_id IS NULL
                      AND sol.is_delivery IS NOT TRUE
                    GROUP BY o.person_id, category.product_public_category_id) s
            ORDER BY person_id, spent DESC, category_id""",
        ORDERS,
    )
