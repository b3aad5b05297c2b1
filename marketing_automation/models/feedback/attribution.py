from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

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
        made from and every other open cart of the same person.
        """
        for order in self:
            carts = order._get_abandoned_carts()
            message = order._get_last_touch(carts)
            if message:
                order.attributed_message_id = message
            carts._mark_recovered(order, message)
            order._cancel_twin_carts()

    def _get_abandoned_carts(self):
        """Return the open abandonments that a confirmed order ends (C5).

        :rtype: abandoned.cart
        """
        self.ensure_one()
        return self.env["abandoned.cart"].search(
            Domain("state", "in", ("abandoned", "recovery_started"))
            # Another company's shop does not learn what was bought in this one.
            & Domain("company_id", "=", self.company_id.id)
            & (
                Domain("id", "in", self._get_restored_carts().ids)
                | self._get_same_person_domain()
            )
        )

    def _get_same_person_domain(self):
        """Return a domain for what belongs to this order's customer.

        The same person is the same contact or the same address; the public user of a
        website is nobody.
        """
        self.ensure_one()
        partner = self.partner_id
        if partner == self.website_id.user_id.partner_id:
            return Domain.FALSE
        domain = Domain("partner_id", "=", partner.id)
        if partner.email_normalized:
            domain |= Domain("email_normalized", "=", partner.email_normalized)
        return domain

    def _get_last_touch(self, carts):
        """Return the message clicked last within the window, empty if there is none.

        :param abandoned.cart carts: the carts this order ends; their messages count
            even if the order was placed under another address
        :rtype: marketing.message
        """
        self.ensure_one()
        own = self._get_same_person_domain() | Domain(
            "abandoned_cart_id", "in", carts.ids
        )
        window = timedelta(days=self.company_id.attribution_days)
        return (
            self.env["marketing.engagement"]
            .search(
                [
                    ("kind", "=", "click"),
                    ("is_machine", "=", False),
                    ("occurred_at", ">=", fields.Datetime.now() - window),
                    ("message_id.company_id", "=", self.company_id.id),
                    ("message_id", "any", own),
                ],
                order="occurred_at desc, id desc",
                limit=1,
            )
            .message_id
        )

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
        company = self.company_id
        refunds = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        revenue = self.currency_id._convert(
            self.amount_total, company.currency_id, company, self.date_order
        )
        # Credit notes are signed: negative in the company's currency.
        return max(revenue + sum(refunds.mapped("amount_total_signed")), 0.0)

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
        company = self.company_id
        total, untaxed = (
            self.currency_id._convert(
                amount, company.currency_id, company, self.date_order
            )
            for amount in (self.amount_total, self.amount_untaxed)
        )
        cost = sum(line._get_goods_cost() for line in self.order_line)
        return (untaxed - cost) * revenue / total

    def _cancel_twin_carts(self):
        """Close the carts this order was restored from: they have been bought now.

        Left open it would greet its owner at the next login as if nothing had been
        ordered. Other copies made by the recovery link go with it.
        """
        self.ensure_one()
        carts = self._get_restored_carts()
        copies = self.search(
            [("restored_cart_ids", "in", carts.ids), ("state", "=", "draft")]
        )
        others = (copies | carts.order_id).filtered(
            lambda order: order != self and order.website_id and order.state == "draft"
        )
        if others:
            others._action_cancel()

    def _withdraw_marketing_credit(self):
        """Take the revenue of cancelled orders off the carts they had recovered."""
        carts = self.env["abandoned.cart"].search(
            [("recovered_order_id", "in", self.ids), ("state", "=", "recovered")]
        )
        carts.write(
            {
                "state": "excluded",
                "exclusion_reason": "order_cancelled",
                "recovered_amount": 0.0,
                "recovered_amount_company": 0.0,
            }
        )


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
