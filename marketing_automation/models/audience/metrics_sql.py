"""The figures of customers, as queries for one company.

A person is everybody with the same email address: each checkout of a guest creates a
contact of its own. ``person_id`` is the first of these contacts.
"""

from odoo import fields
from odoo.tools import SQL

# Of the contacts that a pass is about; see `fill_persons`.
PERSONS = SQL.identifier("marketing_metrics_person")
FACTS = SQL.identifier("marketing_metrics_fact")

# Everybody who is not logged in orders as this contact, so it is nobody.
NOBODY = SQL(
    """(SELECT nobody.partner_id FROM website w
          JOIN res_users nobody ON nobody.id = w.user_id)"""
)


def all_customers(company):
    """Return a query with the orders of every customer: ``last_order_date``,
    ``total_orders``, ``total_revenue``."""
    return SQL(
        """SELECT max(buyer.last_order_date) AS last_order_date,
                  sum(buyer.total_orders)::int AS total_orders,
                  sum(buyer.total_revenue) AS total_revenue
             FROM (SELECT so.partner_id, max(so.date_order) AS last_order_date,
                          count(*) AS total_orders,
                          sum(%(revenue)s) AS total_revenue
                     FROM sale_order so
                     LEFT JOIN (%(refunds)s) refund ON refund.order_id = so.id
                    WHERE so.company_id = %(company_id)s AND so.state = 'sale'
                      AND so.partner_id NOT IN %(nobody)s
                    GROUP BY so.partner_id) buyer
             JOIN res_partner p ON p.id = buyer.partner_id
            GROUP BY COALESCE(NULLIF(p.email_normalized, ''), p.id::varchar)""",
        revenue=_order_revenue(company),
        refunds=_refunds(company, SQL("TRUE")),
        company_id=company.id,
        nobody=NOBODY,
    )


def active_contacts(company, first_id, last_id):
    """Return a query with the contacts of an interval of ids that ordered from a
    company, clicked in its messages, or have figures from the time they did."""
    between = SQL("partner_id BETWEEN %s AND %s", first_id, last_id)
    return SQL(
        """SELECT partner_id FROM sale_order
            WHERE company_id = %(company_id)s AND state = 'sale' AND %(between)s
            UNION
           SELECT m.partner_id FROM marketing_message m
            WHERE m.company_id = %(company_id)s AND m.%(between)s
              AND m.id IN (%(clicked)s)
            UNION
           SELECT p.id FROM marketing_message m
             JOIN res_partner p ON p.email_normalized = m.email_normalized
            WHERE m.company_id = %(company_id)s AND m.partner_id IS NULL
              AND p.id BETWEEN %(first_id)s AND %(last_id)s
              AND m.id IN (%(clicked)s)
            UNION
           SELECT partner_id FROM marketing_customer_metrics
            WHERE company_id = %(company_id)s AND %(between)s""",
        company_id=company.id,
        between=between,
        first_id=first_id,
        last_id=last_id,
        clicked=_clicks(SQL("message_id")),
    )


def persons(contacts):
    """Return a query with the persons behind contacts and all their contacts:
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


def facts(company, few):
    """Return a query with what the persons of a pass did: one row for each who ordered
    from a company or clicked in its messages.

    :param bool few: whether the pass is about few persons
    """
    return SQL(
        """WITH orders AS MATERIALIZED (%(orders)s),
                clicks AS MATERIALIZED (%(clicks)s),
                favourites AS MATERIALIZED (%(favourites)s)
           SELECT person_id, COALESCE(orders.total_orders, 0)::int AS total_orders,
                  COALESCE(orders.total_revenue, 0) AS total_revenue,
                  orders.first_order_date, orders.last_order_date,
                  orders.last_attributed_order_at,
                  %(next_order)s,
                  favourites.category_id AS favourite_category_id,
                  clicks.last_click_at
             FROM orders
             FULL JOIN clicks USING (person_id)
             LEFT JOIN favourites USING (person_id)""",
        orders=_orders(company, few),
        clicks=_last_clicks(company),
        favourites=_favourites(company),
        next_order=_next_order(),
    )


def _orders(company, few):
    """One row for each person who ordered, with the rhythm of their orders."""
    return SQL(
        """SELECT person_id, count(*) AS total_orders, sum(revenue) AS total_revenue,
                  min(date_order) AS first_order_date,
                  max(date_order) AS last_order_date,
                  max(date_order) FILTER (WHERE is_attributed)
                      AS last_attributed_order_at,
                  count(gap) AS gaps, avg(gap) AS mean_gap,
                  stddev_samp(gap) AS gap_deviation
             FROM (SELECT person.person_id, so.date_order, %(revenue)s AS revenue,
                          so.attributed_message_id IS NOT NULL AS is_attributed,
                          -- Orders of one day are one visit.
                          NULLIF(so.date_order::date - lag(so.date_order::date) OVER (
                              PARTITION BY person.person_id ORDER BY so.date_order), 0)
                              AS gap
                     FROM %(persons)s person
                     JOIN sale_order so ON so.partner_id = person.partner_id
                     LEFT JOIN (%(refunds)s) refund ON refund.order_id = so.id
                    WHERE so.company_id = %(company_id)s AND so.state = 'sale'
                      AND person.person_id IS NOT NULL) o
            GROUP BY person_id""",
        revenue=_order_revenue(company),
        persons=PERSONS,
        refunds=_refunds(company, _own_refunds(company) if few else SQL("TRUE")),
        company_id=company.id,
    )


def _order_revenue(company):
    """What an order ``so`` brought in, in its company's currency: with tax, less its
    posted credit notes ``refund``. `sale.order._get_marketing_revenue` in SQL.
    """
    return SQL(
        """GREATEST(
               round(so.amount_total / COALESCE(NULLIF(so.currency_rate, 0), 1), %s)
               + COALESCE(refund.amount, 0), 0)""",
        company.currency_id.decimal_places,
    )


def _refunds(company, condition):
    """One row for each order with posted credit notes: ``order_id``, ``amount``, not
    positive, in the company's currency. A credit note for several orders is shared out
    by what it gives back for each.
    """
    return SQL(
        """SELECT order_id,
                  round(sum(amount * COALESCE(given / NULLIF(all_given, 0),
                                              1.0 / orders)), %(digits)s) AS amount
             FROM (SELECT sol.order_id, m.amount_total_signed AS amount,
                          sum(l.price_total) AS given,
                          sum(sum(l.price_total)) OVER (PARTITION BY m.id) AS all_given,
                          count(*) OVER (PARTITION BY m.id) AS orders
                     FROM account_move m
                     JOIN account_move_line l ON l.move_id = m.id
                     JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = l.id
                     JOIN sale_order_line sol ON sol.id = rel.order_line_id
                    WHERE m.move_type = 'out_refund' AND m.state = 'posted'
                      AND %(condition)s
                    GROUP BY m.id, sol.order_id) share
            GROUP BY order_id""",
        condition=condition,
        digits=company.currency_id.decimal_places,
    )


def _own_refunds(company):
    """Only the invoices and credit notes of the persons of a pass."""
    return SQL(
        """m.id IN (
               SELECT l.move_id FROM %s person
                 JOIN sale_order so ON so.partner_id = person.partner_id
                  AND so.company_id = %s AND so.state = 'sale'
                 JOIN sale_order_line sol ON sol.order_id = so.id
                 JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sol.id
                 JOIN account_move_line l ON l.id = rel.invoice_line_id)""",
        PERSONS,
        company.id,
    )


def _next_order():
    """When a person orders next, if their orders have a rhythm.

    At least three days of ordering, so two gaps between them. Regular are gaps whose
    deviation is at most their mean divided by the square root of two: gamma-distributed
    with a shape of two or more, the bound between chance (one, Poisson) and habit in
    Chatfield and Goodhardt, "A Consumer Purchasing Model with Erlang Inter-Purchase
    Times", JASA 68 (1973), and Platzer and Reutterer, "Ticking Away the Moments",
    Marketing Science 35 (2016). The next order is expected one mean gap after the last
    one, give or take a deviation. Whoever missed two mean gaps has given up the habit.
    """
    return SQL(
        """CASE WHEN %(regular)s THEN %(last)s + round(mean_gap)::int END
               AS next_order_date,
           CASE WHEN %(regular)s
                THEN %(last)s + GREATEST(round(mean_gap - gap_deviation), 1)::int END
               AS next_order_from,
           CASE WHEN %(regular)s
                THEN %(last)s + round(mean_gap + gap_deviation)::int END
               AS next_order_until""",
        last=SQL("orders.last_order_date::date"),
        regular=SQL(
            """(orders.gaps >= 2
                AND 2 * gap_deviation * gap_deviation <= mean_gap * mean_gap
                AND %s - orders.last_order_date::date <= 2 * mean_gap)""",
            fields.Date.today(),
        ),
    )


def _last_clicks(company):
    """When a person last followed a link, by messages to one of their contacts; of
    those to no contact, by the address."""
    clicks = _clicks(SQL("message_id, occurred_at"))
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


def _clicks(columns):
    """Clicks of people; what scanners follow does not count."""
    return SQL(
        """SELECT %s FROM marketing_engagement
            WHERE kind = 'click' AND is_machine IS NOT TRUE""",
        columns,
    )


def _favourites(company):
    """The category of the shop a person spent most in; of equals the older one."""
    return SQL(
        """SELECT DISTINCT ON (person_id) person_id, category_id
             FROM (SELECT person.person_id,
                          category.product_public_category_id AS category_id,
                          sum(sol.price_total
                              / COALESCE(NULLIF(so.currency_rate, 0), 1)) AS spent
                     FROM %(persons)s person
                     JOIN sale_order so ON so.partner_id = person.partner_id
                     JOIN sale_order_line sol ON sol.order_id = so.id
                     JOIN product_product pp ON pp.id = sol.product_id
                     JOIN product_public_category_product_template_rel category
                       ON category.product_template_id = pp.product_tmpl_id
                    WHERE so.company_id = %(company_id)s AND so.state = 'sale'
                      AND sol.display_type IS NULL AND sol.reward_id IS NULL
                      AND sol.is_delivery IS NOT TRUE
                      AND person.person_id IS NOT NULL
                    GROUP BY person.person_id, category.product_public_category_id) s
            ORDER BY person_id, spent DESC, category_id""",
        persons=PERSONS,
        company_id=company.id,
    )
