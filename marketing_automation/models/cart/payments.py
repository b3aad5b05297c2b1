"""What payments say about a cart, as SQL for everybody who asks."""

from odoo.tools import SQL

# The transaction `tx` means something: money moved or is about to.
LIVE_PAYMENT = SQL("tx.state IN ('pending', 'authorized', 'done')")

# Everybody who is not logged in orders as one of these contacts: they are nobody.
PUBLIC_PARTNERS = SQL(
    """SELECT nobody.partner_id FROM website w
         JOIN res_users nobody ON nobody.id = w.user_id"""
)

# The order `so` is being paid at this moment, or has been: nobody left it behind.
HAS_LIVE_PAYMENT = SQL(
    """EXISTS (
        SELECT FROM sale_order_transaction_rel rel
          JOIN payment_transaction tx ON tx.id = rel.transaction_id
         WHERE rel.sale_order_id = so.id AND %s)""",
    LIVE_PAYMENT,
)


def last_payments(order_ids):
    """Return a query for the state of the latest payment of each of some orders.

    Who tried again after a refusal and then left did not leave because of the refusal:
    the last try counts.

    :param list order_ids: ids of ``sale.order``
    :return: a query with the columns ``order_id`` and ``state`` (of
        ``payment.transaction``); orders nobody tried to pay are not in it
    :rtype: SQL
    """
    return SQL(
        """SELECT DISTINCT ON (rel.sale_order_id)
                  rel.sale_order_id AS order_id, tx.state
             FROM sale_order_transaction_rel rel
             JOIN payment_transaction tx ON tx.id = rel.transaction_id
            WHERE rel.sale_order_id = ANY(%s)
            ORDER BY rel.sale_order_id, tx.id DESC""",
        order_ids,
    )
