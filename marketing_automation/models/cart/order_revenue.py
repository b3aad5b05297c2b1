"""What an order brought in, the same in Python for one and in SQL for many.

Refunds are taken off in the currency of the order, as the share of it that was given
back: an order that was refunded in full brought nothing, whatever the rate was on the
day of the refund. What is left counts at the rate of the order.
"""

from odoo import models
from odoo.tools import SQL

# Units of the currency of the order `so` for one of its company's.
ORDER_RATE = SQL("COALESCE(NULLIF(so.currency_rate, 0), 1)")


def sql_refunds(condition):
    """Return a query with what was given back for orders by posted credit notes.

    A credit note for several orders is shared out by what it gives back for each. One
    in another currency counts for what it was worth in the company's, at the rate of
    the order.

    :param SQL condition: which of the credit notes ``m`` (``account_move``)
    :return: a query with the columns ``order_id`` and ``refunded``: with tax, in the
        currency of the order
    :rtype: SQL
    """
    return SQL(
        """SELECT order_id,
                  sum(amount * COALESCE(given / NULLIF(all_given, 0), 1.0 / orders))
                      AS refunded
             FROM (SELECT so.id AS order_id,
                          CASE WHEN m.currency_id = so.currency_id THEN m.amount_total
                               ELSE -m.amount_total_signed * %(rate)s END AS amount,
                          sum(l.price_total) AS given,
                          sum(sum(l.price_total)) OVER (PARTITION BY m.id) AS all_given,
                          count(*) OVER (PARTITION BY m.id) AS orders
                     FROM account_move m
                     JOIN account_move_line l ON l.move_id = m.id
                     JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = l.id
                     JOIN sale_order_line sol ON sol.id = rel.order_line_id
                     JOIN sale_order so ON so.id = sol.order_id
                    WHERE m.move_type = 'out_refund' AND m.state = 'posted'
                      AND %(condition)s
                    GROUP BY m.id, so.id) share
            GROUP BY order_id""",
        rate=ORDER_RATE,
        condition=condition,
    )


def sql_refunds_of(orders):
    """Return the same for the credit notes of some orders, found by their indexes.

    :param SQL orders: a query for ids of ``sale.order``
    :rtype: SQL
    """
    return sql_refunds(
        SQL(
            """m.id IN (
                   SELECT billed.move_id FROM sale_order_line line
                     JOIN sale_order_line_invoice_rel link
                       ON link.order_line_id = line.id
                     JOIN account_move_line billed ON billed.id = link.invoice_line_id
                    WHERE line.order_id IN (%s))""",
            orders,
        )
    )


def sql_revenue(refunded):
    """Return SQL: what the confirmed order ``so`` brought in, not rounded.

    :param SQL refunded: what ``sql_refunds`` says for it, may be NULL
    :return: with tax, in the company's currency
    :rtype: SQL
    """
    return SQL(
        "GREATEST(so.amount_total - COALESCE(%s, 0), 0) / %s", refunded, ORDER_RATE
    )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_marketing_revenue(self):
        """Return what this order brought in, in its company's currency.

        Nothing while it is not confirmed or after it was cancelled; posted credit notes
        are taken off.

        :return: amount with tax, in the company's currency
        :rtype: float
        """
        self.ensure_one()
        if self.state != "sale":
            return 0.0
        left = self.amount_total - self._get_refunded_amount()
        return self._to_company_currency(max(left, 0.0))

    def _get_refunded_amount(self):
        """Return what posted credit notes gave back for this order.

        :return: amount with tax, in the currency of the order
        :rtype: float
        """
        self.ensure_one()
        refunds = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        return sum(
            refund._get_share_of_order(self)
            * (
                refund.amount_total
                if refund.currency_id == self.currency_id
                # Signed: negative in the company's currency.
                else -refund.amount_total_signed * (self.currency_rate or 1.0)
            )
            for refund in refunds
        )

    def _to_company_currency(self, amount):
        """Return an amount of this order in its company's currency, at its own rate.

        :rtype: float
        """
        self.ensure_one()
        currency = self.company_id.currency_id
        return currency.round(amount / (self.currency_rate or 1.0))

    def _get_marketing_margin(self):
        """Return what is left of the revenue without taxes and the cost of the goods.

        Costs are those of the products at this moment. Of what was refunded neither
        revenue nor cost is counted.

        :return: amount in the company's currency; negative if it cost more
        :rtype: float
        """
        self.ensure_one()
        revenue = self._get_marketing_revenue()
        if not revenue:
            return 0.0
        total = self._to_company_currency(self.amount_total)
        untaxed = self._to_company_currency(self.amount_untaxed)
        cost = sum(line._get_goods_cost() for line in self.order_line)
        return (untaxed - cost) * revenue / total


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_goods_cost(self):
        """Return what the goods of this line cost the company, in its currency.

        :rtype: float
        """
        self.ensure_one()
        product = self.product_id.with_company(self.company_id)
        quantity = self.product_uom_id._compute_quantity(
            self.product_uom_qty, product.uom_id, round=False
        )
        return quantity * product.standard_price if product else 0.0


class AccountMove(models.Model):
    _inherit = "account.move"

    def _get_share_of_order(self, order):
        """Return which share of this credit note is about an order.

        :param sale.order order: one of those it gives something back for
        :return: from 0 to 1
        :rtype: float
        """
        self.ensure_one()
        given = {}
        for line in self.line_ids:
            for sold in line.sale_line_ids:
                given.setdefault(sold.order_id, 0.0)
                given[sold.order_id] += line.price_total
        total = sum(given.values())
        return given[order] / total if total else 1.0 / len(given)
