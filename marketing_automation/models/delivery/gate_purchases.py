"""What people buy past the shop: by an order for their company, at the counter, or by
an invoice without any order. Whoever has bought is not reminded."""

from odoo import api, models
from odoo.tools import SQL

from ..cart.cart_detection import RECOVERABLE_LINE

# The contacts of the person that the message `m` is for.
CONTACTS = SQL(
    """SELECT p.id FROM res_partner p WHERE p.email_normalized = m.email_normalized
        UNION ALL SELECT m.partner_id"""
)
# Those and everybody of the same company; `is_person` tells them apart.
BUYERS = SQL(
    """SELECT own.id, TRUE AS is_person FROM (%(contacts)s) own (id)
        UNION ALL
       SELECT member.id, FALSE FROM res_partner person
         JOIN res_partner member
           ON member.commercial_partner_id = person.commercial_partner_id
        WHERE person.id = m.partner_id AND member.id != person.id""",
    contacts=CONTACTS,
)


def shares_goods(goods):
    """Return SQL: whether anything bought is a product of the cart ``cart``, in this
    variant or another.

    :param SQL goods: a query for ids of ``product.product``
    :rtype: SQL
    """
    return SQL(
        """EXISTS (
            SELECT FROM sale_order_line sol
              JOIN product_product left_behind ON left_behind.id = sol.product_id
              JOIN product_product taken
                ON taken.product_tmpl_id = left_behind.product_tmpl_id
             WHERE sol.order_id = cart.order_id AND %s AND taken.id IN (%s))""",
        RECOVERABLE_LINE,
        goods,
    )


class MarketingGate(models.AbstractModel):
    _inherit = "marketing.gate"

    @api.model
    def _get_purchase_rules(self):
        """Return the rules about what was bought past the shop.

        :return: pairs of a reason and SQL, as the rules of the gate
        :rtype: list[tuple[str, SQL]]
        """
        company_id, since = SQL("cart.company_id"), SQL("cart.abandoned_at")
        of_cart = SQL(
            """cart.id IS NOT NULL AND EXISTS (
                   SELECT FROM (%(buyers)s) buyer
                    CROSS JOIN LATERAL (%(purchases)s) bought
                    WHERE buyer.is_person OR bought.shares_goods
                       OR bought.shipping_id IN (%(contacts)s)
                       OR bought.invoice_id IN (%(contacts)s))""",
            buyers=BUYERS,
            purchases=self._sql_purchases(company_id, since, shares_goods),
            contacts=CONTACTS,
        )
        of_contact = SQL(
            """run.contact_id IS NOT NULL AND seq.stops_on_purchase AND EXISTS (
                   SELECT FROM (%s) buyer (id) CROSS JOIN LATERAL (%s) bought)""",
            CONTACTS,
            self._sql_purchases(
                SQL("run.company_id"), SQL("run.started_at"), lambda _goods: SQL("TRUE")
            ),
        )
        return [("purchased", of_cart), ("purchased", of_contact)]

    @api.model
    def _sql_purchases(self, company_id, since, compare):
        """Return what the contact ``buyer`` has bought from a company since a moment.

        :param SQL company_id: the company
        :param SQL since: UTC
        :param compare: function that gets a query for the products of a purchase and
            returns SQL: whether they are of interest
        :return: a query of ``shares_goods`` (what ``compare`` says), ``shipping_id``
            and ``invoice_id``, the contacts it is for
        :rtype: SQL
        """
        return SQL(" UNION ALL ").join(
            self._get_purchase_queries(company_id, since, compare)
        )

    @api.model
    def _get_purchase_queries(self, company_id, since, compare):
        """Return the queries of :meth:`_sql_purchases`, one for each kind of purchase.

        Point of Sale is looked at where it is installed. Another program that sells
        something adds its own query here.

        :rtype: list[SQL]
        """
        orders = SQL(
            """SELECT %s AS shares_goods, so.partner_shipping_id AS shipping_id,
                      so.partner_invoice_id AS invoice_id
                 FROM sale_order so
                WHERE so.partner_id = buyer.id AND so.company_id = %s
                  AND so.state = 'sale' AND so.date_order >= %s""",
            compare(
                SQL("SELECT product_id FROM sale_order_line WHERE order_id = so.id")
            ),
            company_id,
            since,
        )
        # An invoice for an order is about what was bought when that was placed.
        invoices = SQL(
            """SELECT %(shares)s, move.partner_shipping_id, NULL::int
                 FROM account_move move
                WHERE move.partner_id = buyer.id AND move.company_id = %(company_id)s
                  AND move.move_type IN ('out_invoice', 'out_receipt')
                  AND move.state = 'posted' AND move.amount_total > 0
                  AND (move.invoice_date > (%(since)s)::date
                       OR move.invoice_date = (%(since)s)::date
                          AND move.create_date >= %(since)s)
                  AND NOT EXISTS (
                      SELECT FROM account_move_line line
                        JOIN sale_order_line_invoice_rel rel
                          ON rel.invoice_line_id = line.id
                       WHERE line.move_id = move.id)""",
            shares=compare(
                SQL("SELECT product_id FROM account_move_line WHERE move_id = move.id")
            ),
            company_id=company_id,
            since=since,
        )
        queries = [orders, invoices]
        if "pos.order" in self.env:
            queries.append(
                SQL(
                    """SELECT %s, NULL::int, NULL::int
                         FROM pos_order pos
                        WHERE pos.partner_id = buyer.id AND pos.company_id = %s
                          AND pos.state NOT IN ('draft', 'cancel')
                          AND pos.amount_total > 0 AND pos.date_order >= %s""",
                    compare(
                        SQL(
                            "SELECT product_id FROM pos_order_line"
                            " WHERE order_id = pos.id"
                        )
                    ),
                    company_id,
                    since,
                )
            )
        return queries
