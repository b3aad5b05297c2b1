"""Which carts a confirmed order ends: found for many orders at once."""

from odoo import fields, models
from odoo.tools import SQL

from .cart_detection import RECOVERABLE_LINE
from .payments import PUBLIC_PARTNERS

# The cart can still be recovered.
IS_OPEN = SQL("cart.state IN ('abandoned', 'recovery_started')")
# It was recovered until its order was cancelled.
IS_WITHDRAWN = SQL(
    "cart.state = 'excluded' AND cart.exclusion_reason = 'order_cancelled'"
)
# The order `bought` has a product of the cart `cart`, in this variant or another.
SHARES_GOODS = SQL(
    """EXISTS (
        SELECT FROM sale_order_line sol
          JOIN product_product left_behind ON left_behind.id = sol.product_id
          JOIN product_product taken
            ON taken.product_tmpl_id = left_behind.product_tmpl_id
          JOIN sale_order_line bought_line
            ON bought_line.product_id = taken.id AND bought_line.order_id = bought.id
         WHERE sol.order_id = cart.order_id AND %s)""",
    RECOVERABLE_LINE,
)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _find_ended_carts(self):
        """Return the abandonments that these confirmed orders end (C5).

        Those are the carts an order was made from; the other open carts of the same
        person, which is the same contact or the same address; and carts of others of
        the same company, where the order is for whoever left the cart (delivery or
        invoice address) or has the same goods. What these orders had recovered before
        they were cancelled, they recover again; so does another order of the same
        person until the cart expires.

        A cart ends with one order: the one it became, else the first.

        :return: by id of the order; and the carts that these orders were made from,
            whatever their state
        :rtype: tuple[dict[int, abandoned.cart], abandoned.cart]
        """
        self._flush_for_carts()
        rows = self.env.execute_query(
            SQL(
                """WITH bought AS MATERIALIZED (
                          SELECT so.id, so.company_id, so.partner_shipping_id,
                                 so.partner_invoice_id, p.id AS partner_id,
                                 p.email_normalized, p.commercial_partner_id
                            FROM sale_order so
                            LEFT JOIN res_partner p
                                   ON p.id = so.partner_id
                                  AND p.id NOT IN (%(nobody)s)
                           WHERE so.id = ANY(%(order_ids)s))
                   SELECT DISTINCT ON (found.cart_id) found.order_id, found.cart_id,
                          bool_or(found.is_own) OVER (PARTITION BY found.cart_id),
                          found.is_ended
                     FROM (%(made_from)s UNION ALL %(person)s UNION ALL %(family)s
                          ) found (order_id, cart_id, rank, is_own, is_ended)
                    ORDER BY found.cart_id DESC, found.is_ended DESC, found.rank,
                             found.order_id""",
                nobody=PUBLIC_PARTNERS,
                order_ids=self.ids,
                made_from=self._sql_carts_made_into(),
                person=self._sql_carts_of_person(),
                family=self._sql_carts_of_family(),
            )
        )
        carts = self.env["abandoned.cart"].browse(cart_id for _o, cart_id, *_is in rows)
        ended = {}
        for cart, (order_id, _cart_id, _is_own, is_ended) in zip(
            carts, rows, strict=True
        ):
            if is_ended:
                ended[order_id] = ended.get(order_id, cart) | cart
        made_from = carts.browse(cart_id for _o, cart_id, is_own, _is in rows if is_own)
        return ended, made_from

    def _flush_for_carts(self):
        """See to it that what was just changed of carts and customers is found."""
        self.flush_model(
            ["company_id", "partner_id", "partner_shipping_id", "partner_invoice_id"]
        )
        self.env["res.partner"].flush_model(
            ["email_normalized", "commercial_partner_id"]
        )
        self.env["abandoned.cart"].flush_model()

    def _sql_carts_made_into(self):
        """Return the carts that the orders ``bought`` were made from.

        :return: a query with ids of the order and the cart, a rank, whether the order
            was made from the cart, and whether it ends it
        :rtype: SQL
        """
        return SQL(
            """SELECT bought.id, cart.id, 1, TRUE,
                      cart.company_id = bought.company_id AND %(is_open)s
                 FROM bought
                 JOIN abandoned_cart cart ON cart.order_id = bought.id
                UNION ALL
               SELECT bought.id, cart.id, 1, TRUE,
                      cart.company_id = bought.company_id AND %(is_open)s
                 FROM bought
                 JOIN sale_order_restored_cart_rel rel ON rel.sale_order_id = bought.id
                 JOIN abandoned_cart cart ON cart.id = rel.abandoned_cart_id
                UNION ALL
               SELECT bought.id, cart.id, 0, FALSE, TRUE FROM bought
                 JOIN abandoned_cart cart ON cart.recovered_order_id = bought.id
                WHERE %(is_withdrawn)s""",
            is_open=IS_OPEN,
            is_withdrawn=IS_WITHDRAWN,
        )

    def _sql_carts_of_person(self):
        """Return the carts of those who ordered, as ``_sql_carts_made_into``."""
        condition = SQL(
            # Another company's shop does not learn what was bought in this one.
            """cart.company_id = bought.company_id
               AND (%s OR %s AND cart.expires_at > %s)""",
            IS_OPEN,
            IS_WITHDRAWN,
            fields.Datetime.now(),
        )
        return SQL(
            """SELECT bought.id, cart.id, 2, FALSE, TRUE FROM bought
                 JOIN abandoned_cart cart ON cart.partner_id = bought.partner_id
                WHERE %(condition)s
                UNION ALL
               SELECT bought.id, cart.id, 2, FALSE, TRUE FROM bought
                 JOIN abandoned_cart cart
                   ON cart.email_normalized = bought.email_normalized
                WHERE bought.email_normalized != '' AND %(condition)s""",
            condition=condition,
        )

    def _sql_carts_of_family(self):
        """Return the carts of others whose goods were ordered, or for whom something
        was ordered, as ``_sql_carts_made_into``."""
        return SQL(
            """SELECT bought.id, cart.id, 3, FALSE, TRUE FROM bought
                CROSS JOIN LATERAL (
                      SELECT member.id, member.email_normalized, TRUE AS is_family,
                             member.id IN (bought.partner_shipping_id,
                                           bought.partner_invoice_id) AS is_addressee
                        FROM res_partner member
                       WHERE member.commercial_partner_id = bought.commercial_partner_id
                         AND member.id != bought.partner_id
                       UNION ALL
                      SELECT other.id, other.email_normalized, FALSE, TRUE
                        FROM res_partner other
                       WHERE other.id IN (bought.partner_shipping_id,
                                          bought.partner_invoice_id)
                         AND other.commercial_partner_id
                             != bought.commercial_partner_id
                      ) member
                CROSS JOIN LATERAL (
                      SELECT cart.id FROM (
                             SELECT own.* FROM abandoned_cart own
                              WHERE own.partner_id = member.id
                              UNION ALL
                             SELECT own.* FROM abandoned_cart own
                              WHERE own.email_normalized = member.email_normalized
                                AND own.email_normalized != ''
                                AND own.company_id = bought.company_id) cart
                       WHERE cart.company_id = bought.company_id AND %(is_open)s
                         AND (member.is_family AND member.is_addressee
                              OR %(shares_goods)s)) cart
                WHERE bought.partner_id IS NOT NULL""",
            is_open=IS_OPEN,
            shares_goods=SHARES_GOODS,
        )
