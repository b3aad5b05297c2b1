"""A shop with many customers, their orders, credit notes, messages and clicks, written
by SQL: a million customers with three million orders take some minutes."""

import contextlib
import os

import psycopg2
from common import column_names, copy_rows, make_customers

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
ORDERS = int(os.environ.get("BENCH_ORDERS", str(3 * CUSTOMERS)))
PRODUCTS = 50
CATEGORIES = 10
# One of so many customers came back as a guest: a second contact with that address.
GUEST_EVERY = 50
# One of so many orders was given back in part, one was cancelled.
REFUND_EVERY = 100
CANCEL_EVERY = 40
# One of so many customers was written to, and half of them clicked.
MESSAGE_EVERY = 4
DAYS = 730


def fill(cr, customers, orders):
    """Write customers and their orders into an empty shop, commit and vacuum.

    Orders are spread as in real shops: most people order once or twice, a few very
    often, at the hours of the last two years; the same for every run.

    :param cr: cursor of a database with the addon
    :param int customers: number of people
    :param int orders: number of orders, every fortieth cancelled
    :return: the id before the first customer's; theirs follow one another
    :rtype: int
    """
    from odoo import SUPERUSER_ID, api

    env = api.Environment(cr, SUPERUSER_ID, {})
    first = make_customers(env, customers)
    cr.execute(
        """UPDATE res_partner SET email = 'customer' || (id - %(first)s + 1)
                  || '@example.com',
                  email_normalized = 'customer' || (id - %(first)s + 1)
                  || '@example.com'
            WHERE id > %(first)s AND (id - %(first)s) %% %(every)s = 0""",
        {"first": first, "every": GUEST_EVERY},
    )
    sample = _make_sample_order(env)
    with _without_checks(cr, ["sale_order", "sale_order_line"]):
        _copy_orders(cr, sample, first, customers, orders)
        _copy_lines(cr, sample)
    _make_refunds(env, sample)
    _make_clicks(env, first, customers)
    sample.action_cancel()
    env.flush_all()
    cr.commit()
    # As PostgreSQL does by itself with tables that have been there for some minutes.
    cr._cnx.autocommit = True
    cr.execute("VACUUM ANALYZE")
    cr._cnx.autocommit = False
    env.invalidate_all()
    return first


def _make_sample_order(env):
    categories = env["product.public.category"].create(
        [{"name": f"Category {n}"} for n in range(CATEGORIES)]
    )
    products = env["product.product"].create(
        [
            {
                "name": f"Product {n}",
                "list_price": 10.0 + n,
                "is_published": True,
                "invoice_policy": "order",
                "taxes_id": False,
                "public_categ_ids": categories[n % CATEGORIES].ids,
            }
            for n in range(PRODUCTS)
        ]
    )
    order = env["sale.order"].create(
        {
            "partner_id": env["res.partner"].create({"name": "Sample"}).id,
            "website_id": env["website"].search([], limit=1).id,
            "order_line": [(0, 0, {"product_id": p.id}) for p in products],
        }
    )
    order.action_confirm()
    env.flush_all()
    return order


def _copy_orders(cr, sample, first, customers, orders):
    """Orders ``B1``, ``B2`` … of customers picked so that few order often."""
    cr.execute("SELECT setval('sale_order_id_seq', %s)", [sample.id + orders])
    # Squares are denser at the beginning; multiplying by a large prime mixes.
    share = f"((n::bigint * 7919 % {orders})::float / {orders})"
    rank = f"floor({customers} * power({share}, 2))::bigint"
    customer = f"{first} + 1 + ({rank} * 15485863 % {customers})::int"
    when = (
        "date_trunc('second', now() AT TIME ZONE 'UTC' - (n::bigint * 104729 "
        f"% ({DAYS} * 86400)) * interval '1 second')"
    )
    copy_rows(
        cr,
        "sale_order",
        f"id = {sample.id}",
        orders,
        {
            "id": f"{sample.id} + n",
            "name": "'B' || n",
            "partner_id": customer,
            "state": f"CASE WHEN n % {CANCEL_EVERY} = 0 THEN 'cancel' ELSE 'sale' END",
            "amount_total": f"10 + n % {PRODUCTS}",
            "create_date": when,
            "date_order": when,
            "cart_activity_at": "NULL",
        },
    )


def _copy_lines(cr, sample):
    """One line an order, of another product from one to the next."""
    columns = sorted(column_names(cr, "sale_order_line") - {"id", "order_id"})
    values = {
        "price_total": f"10 + (so.id - {sample.id}) % {PRODUCTS}",
        "order_partner_id": "so.partner_id",
        "state": "so.state",
    }
    selected = ", ".join(values.get(c, f"l.{c}") for c in columns)
    lines = ", ".join(str(line_id) for line_id in sample.order_line.ids)
    cr.execute(
        f"""INSERT INTO sale_order_line (order_id, {", ".join(columns)})
            SELECT so.id, {selected}
              FROM sale_order so
              JOIN sale_order_line l
                ON l.id = (ARRAY[{lines}])[1 + (so.id - {sample.id}) % {PRODUCTS}]
             WHERE so.id > {sample.id} AND so.name LIKE 'B%'"""
    )


def _make_refunds(env, sample):
    """A posted credit note for a part of every hundredth order."""
    cr = env.cr
    env["account.chart.template"].try_loading("generic_coa", env.company, False)
    refund = env["account.move"].create(
        {
            "move_type": "out_refund",
            "partner_id": sample.partner_id.id,
            "invoice_line_ids": [
                (0, 0, {"name": "Back", "price_unit": 5.0, "tax_ids": False})
            ],
        }
    )
    refund.action_post()
    env.flush_all()
    cr.execute("SELECT max(id) FROM account_move")
    [last_id] = cr.fetchone()
    cr.execute(
        f"SELECT count(*) FROM sale_order WHERE id > {sample.id} AND name LIKE 'B%'"
    )
    count = cr.fetchone()[0] // REFUND_EVERY
    cr.execute("SELECT setval('account_move_id_seq', %s)", [last_id + count])
    others = {"sequence_number": "n", "access_token": "NULL"}
    copy_rows(
        cr,
        "account_move",
        f"id = {refund.id}",
        count,
        {"id": f"{last_id} + n", "name": "'RB' || n", **others},
    )
    line = refund.invoice_line_ids
    cr.execute("SELECT max(id) FROM account_move_line")
    [last_line] = cr.fetchone()
    cr.execute("SELECT setval('account_move_line_id_seq', %s)", [last_line + count])
    copy_rows(
        cr,
        "account_move_line",
        f"id = {line.id}",
        count,
        {"id": f"{last_line} + n", "move_id": f"{last_id} + n"},
    )
    cr.execute(
        f"""INSERT INTO sale_order_line_invoice_rel (invoice_line_id, order_line_id)
            SELECT {last_line} + (sol.order_id - {sample.id}) / {REFUND_EVERY}, sol.id
              FROM sale_order_line sol
             WHERE sol.order_id > {sample.id}
               AND (sol.order_id - {sample.id}) % {REFUND_EVERY} = 0"""
    )


def _make_clicks(env, first, customers):
    """A message to every fourth customer; every other of them clicked."""
    cr = env.cr
    cr.execute(
        f"""INSERT INTO marketing_message (
                   create_date, dedupe_key, state, state_changed_at, scheduled_at,
                   sent_at, attempts, channel, priority, company_id, partner_id, email,
                   email_normalized, template_id)
            SELECT now(), 'bench:' || p.id, 'sent', now(), now(), now(), 1, 'email', 50,
                   {env.company.id}, p.id, p.email, p.email_normalized,
                   (SELECT min(id) FROM marketing_template)
              FROM res_partner p
             WHERE p.id BETWEEN {first + 1} AND {first + customers}
               AND p.id % {MESSAGE_EVERY} = 0"""
    )
    cr.execute(
        """INSERT INTO marketing_engagement (
                   message_id, company_id, kind, occurred_at, is_machine)
            SELECT id, company_id, 'click', now() AT TIME ZONE 'UTC', partner_id % 3 = 0
              FROM marketing_message
             WHERE dedupe_key LIKE 'bench:%' AND id % 2 = 0"""
    )


@contextlib.contextmanager
def _without_checks(cr, tables):
    """Write many rows: indexes are made afterwards, and foreign keys not checked where
    the database lets us."""
    cr.execute(
        """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
             FROM pg_index i
            WHERE i.indrelid = ANY(%s::regclass[]) AND NOT i.indisunique""",
        [tables],
    )
    indexes = cr.fetchall()
    for name, _definition in indexes:
        cr.execute(f"DROP INDEX {name}")
    with contextlib.suppress(psycopg2.errors.InsufficientPrivilege), cr.savepoint():
        cr.execute("SET LOCAL session_replication_role = replica")
    yield
    cr.execute("SET LOCAL session_replication_role = DEFAULT")
    for _name, definition in indexes:
        cr.execute(definition)
