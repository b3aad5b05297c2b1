from odoo import fields, models
from odoo.tools import SQL

from ..cart.payments import PUBLIC_PARTNERS
from ..large_index import LargeIndex


class SaleOrder(models.Model):
    """Attribution: which message an order is credited to, and what it brought in."""

    _inherit = "sale.order"

    attributed_message_id = fields.Many2one(
        "marketing.message",
        string="Credited Message",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="The message this customer clicked last before ordering.",
    )

    _attributed_message_idx = LargeIndex(
        "(attributed_message_id) WHERE attributed_message_id IS NOT NULL"
    )

    def _credit_marketing(self):
        """Close the recoveries these confirmed orders end, and give the credit.

        The order is credited to the message its customer clicked last within the
        company's attribution window (last touch). An order closes the carts it was
        made from and every other open cart of the same person. All orders together
        take as many statements as one.
        """
        carts_by_order, made_from = self._find_ended_carts()
        messages = self._find_last_touches(carts_by_order)
        ended = self.env["abandoned.cart"].union(*carts_by_order.values())
        for order in self:
            # Who confirms again what was cancelled by mistake changes no credit.
            message = order.attributed_message_id or messages.get(order.id)
            if message:
                order.attributed_message_id = message
            if carts := carts_by_order.get(order.id):
                carts = carts.with_prefetch(ended.ids)
                carts._mark_recovered(order, order.attributed_message_id)
        ended.enrollment_ids._stop("purchased")
        self._cancel_twin_carts(made_from)

    def _find_last_touches(self, carts_by_order):
        """Return the message clicked last within the window, for each order.

        :param dict carts_by_order: carts that an order ends, by its id; their messages
            count even if the order was placed under another address
        :return: by id of the order; those without a click are missing
        :rtype: dict[int, marketing.message]
        """
        messages = self.env["marketing.message"]
        for model in ("marketing.message", "marketing.engagement"):
            self.env[model].flush_model()
        cart_ids, order_ids = [], []
        for order_id, carts in carts_by_order.items():
            cart_ids += carts.ids
            order_ids += [order_id] * len(carts)
        rows = self.env.execute_query(
            SQL(
                """WITH ended AS MATERIALIZED (
                          SELECT * FROM unnest(%(order_ids)s::int[], %(cart_ids)s::int[]
                                 ) ended (order_id, cart_id))
                   SELECT so.id, click.message_id
                     FROM sale_order so
                     JOIN res_company company ON company.id = so.company_id
                     LEFT JOIN res_partner p
                            ON p.id = so.partner_id AND p.id NOT IN (%(nobody)s)
                    CROSS JOIN LATERAL (
                          SELECT e.message_id FROM (
                                 SELECT id, company_id FROM marketing_message
                                  WHERE partner_id = p.id
                                  UNION ALL
                                 SELECT id, company_id FROM marketing_message
                                  WHERE email_normalized = p.email_normalized
                                    AND email_normalized != ''
                                  UNION ALL
                                 SELECT id, company_id FROM marketing_message
                                  WHERE abandoned_cart_id IN (
                                        SELECT ended.cart_id FROM ended
                                         WHERE ended.order_id = so.id)) m
                            JOIN marketing_engagement e ON e.message_id = m.id
                           WHERE m.company_id = so.company_id
                             AND e.kind = 'click' AND e.is_machine IS NOT TRUE
                             AND e.occurred_at >= %(now)s::timestamp
                                 - company.attribution_days * interval '1 day'
                           ORDER BY e.occurred_at DESC, e.id DESC
                           LIMIT 1) click
                    WHERE so.id = ANY(%(ids)s)""",
                order_ids=order_ids,
                cart_ids=cart_ids,
                nobody=PUBLIC_PARTNERS,
                now=fields.Datetime.now(),
                ids=self.ids,
            )
        )
        return {order_id: messages.browse(message_id) for order_id, message_id in rows}

    def _cancel_twin_carts(self, carts):
        """Close the carts these orders were restored from: they have been bought now.

        Left open one would greet its owner at the next login as if nothing had been
        ordered. Other copies made by the recovery link go with it.

        :param abandoned.cart carts: what these orders were made from
        """
        if not carts:
            return
        copies = self.search(
            [("restored_cart_ids", "in", carts.ids), ("state", "=", "draft")]
        )
        others = (copies | carts.order_id).filtered(
            lambda order: (
                order not in self and order.website_id and order.state == "draft"
            )
        )
        if others:
            others._action_cancel()

    def _withdraw_marketing_credit(self):
        """Take the revenue of cancelled orders off the carts they had recovered.

        Where the same person has another order since, that one has recovered the cart:
        an order that was made anew, say, before the first one was cancelled.
        """
        carts = self.env["abandoned.cart"].search(
            [("recovered_order_id", "in", self.ids), ("state", "=", "recovered")]
        )
        if not carts:
            return
        carts.write(
            {
                "state": "excluded",
                "exclusion_reason": "order_cancelled",
                "recovered_amount": 0.0,
                "recovered_amount_company": 0.0,
            }
        )
        for order, replaced in carts._find_other_orders().items():
            replaced._mark_recovered(order, order.attributed_message_id)


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    def _find_other_orders(self):
        """Return the orders that recover these carts in place of a cancelled one: the
        first of the same person since the cart was left, if it counts for no other.

        :return: carts by order
        :rtype: dict[sale.order, abandoned.cart]
        """
        self.flush_model()
        self.env["sale.order"].flush_model()
        found = {}
        for cart_id, order_id in self.env.execute_query(
            SQL(
                """SELECT cart.id, other.id
                     FROM abandoned_cart cart
                    CROSS JOIN LATERAL (
                          SELECT so.id FROM sale_order so
                           WHERE so.partner_id IN (
                                     SELECT p.id FROM res_partner p
                                      WHERE p.email_normalized = cart.email_normalized
                                      UNION ALL SELECT cart.partner_id)
                             AND so.company_id = cart.company_id
                             AND so.state = 'sale'
                             AND so.date_order >= cart.abandoned_at
                             AND NOT EXISTS (
                                 SELECT FROM abandoned_cart has
                                  WHERE has.recovered_order_id = so.id
                                    AND has.state = 'recovered')
                           ORDER BY so.date_order, so.id LIMIT 1) other
                    WHERE cart.id = ANY(%s)
                    ORDER BY cart.id DESC""",
                self.ids,
            )
        ):
            order = self.env["sale.order"].browse(order_id)
            found[order] = found.get(order, self.browse()) | self.browse(cart_id)
        return found
