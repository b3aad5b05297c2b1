from datetime import date, timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from ..models.cart.order_revenue import sql_refunds, sql_refunds_of, sql_revenue
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestOrderRevenue(MarketingCase):
    """What orders brought in, in Python and in SQL, where rates change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.invoice_policy = "order"
        today = fields.Date.today()
        cls.foreign = cls.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "X",
                "rate_ids": [
                    Command.create({"name": day, "rate": rate})
                    for day, rate in (
                        (date(2020, 1, 1), 1.0),
                        (today, 1.25),
                        (today + timedelta(days=10), 0.8),
                    )
                ],
            }
        )
        cls.pricelist = cls.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": cls.foreign.id}
        )
        cls.earlier = fields.Datetime.now() - timedelta(days=5)

    def _order(self, quantity=2, is_foreign=True, partner=None):
        """An order of five days ago, confirmed and invoiced."""
        pricelist = self.pricelist if is_foreign else self.pricelist.browse()
        with self._at(self.earlier):
            order = self.env["sale.order"].create(
                {
                    "partner_id": (partner or self.customer).id,
                    "pricelist_id": pricelist.id,
                    "order_line": [
                        Command.create(
                            {"product_id": self.product.id, "product_uom_qty": quantity}
                        )
                    ],
                }
            )
            order.action_confirm()
            invoice = order._create_invoices()
            invoice.invoice_date = self.earlier.date()
            invoice.action_post()
        return order

    def _refund(self, orders, quantity=None, day=None, **vals):
        invoices = orders.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice"
        )
        refund = invoices._reverse_moves(
            [{"invoice_date": day or fields.Date.today(), **vals}]
        )
        if quantity is not None:
            refund.invoice_line_ids.filtered("product_id").quantity = quantity
        refund.action_post()
        self.env.invalidate_all()
        return refund

    def _assert_revenue(self, order, expected):
        self.env.flush_all()
        self.assertAlmostEqual(order._get_marketing_revenue(), expected, 2)
        for refunds in (
            sql_refunds(SQL("TRUE")),
            sql_refunds_of(SQL("SELECT unnest(%s)", order.ids)),
        ):
            [(revenue,)] = self.env.execute_query(
                SQL(
                    """SELECT %s FROM sale_order so
                         LEFT JOIN (%s) refund ON refund.order_id = so.id
                        WHERE so.id = %s""",
                    sql_revenue(SQL("refund.refunded")),
                    refunds,
                    order.id,
                )
            )
            self.assertAlmostEqual(float(revenue), expected, 2)

    def test_full_refund_at_another_rate(self):
        order = self._order()
        self._assert_revenue(order, 40.0)
        self._refund(order)
        self._assert_revenue(order, 0.0)

    def test_full_refund_at_a_lower_rate(self):
        order = self._order()
        with self._at(fields.Datetime.now() + timedelta(days=11)):
            self._refund(order, day=fields.Date.today())
        self._assert_revenue(order, 0.0)

    def test_refund_in_parts(self):
        order = self._order(quantity=4)
        self._refund(order, quantity=1)
        self._assert_revenue(order, 60.0)
        with self._at(fields.Datetime.now() + timedelta(days=11)):
            self._refund(order, quantity=3, day=fields.Date.today())
        self._assert_revenue(order, 0.0)

    def test_refund_in_the_currency_of_the_company(self):
        order = self._order(is_foreign=False)
        self._refund(order, quantity=1)
        self._assert_revenue(order, 20.0)

    def test_refund_in_another_currency(self):
        """It counts for what it was worth in the company's."""
        order = self._order(is_foreign=False)
        refund = self._refund(order, currency_id=self.foreign.id)
        self.assertEqual(refund.currency_id, self.foreign)
        self._assert_revenue(order, 40.0 + refund.amount_total_signed)
        self.assertLess(refund.amount_total_signed, 0.0)

    def test_credit_note_that_is_not_posted(self):
        order = self._order()
        order.invoice_ids._reverse_moves()
        self._assert_revenue(order, 40.0)

    def test_one_credit_note_for_two_orders(self):
        """Each has its share of it."""
        first, second = self._order(2), self._order(6)
        refund = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": self.customer.id,
                "currency_id": self.foreign.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "quantity": quantity,
                            "price_unit": 20.0,
                            "tax_ids": False,
                            "sale_line_ids": order.order_line.ids,
                        }
                    )
                    for order, quantity in ((first, 1), (second, 3))
                ],
            }
        )
        refund.action_post()
        self.env.invalidate_all()
        self._assert_revenue(first, 20.0)
        self._assert_revenue(second, 60.0)

    def test_cancelled_order_brings_nothing(self):
        order = self._order()
        order._action_cancel()
        self.assertEqual(order._get_marketing_revenue(), 0.0)

    def test_everybody_who_asks_gets_the_same(self):
        """The cart, the message, the sequence, the customer and the campaign's day."""
        cart = self._abandon(pricelist_id=self.pricelist.id)
        self._process_steps()
        message = cart.message_ids
        message._set_state("sending")
        message._set_state("sent")
        self._click(message)
        order = cart.order_id
        order.action_confirm()
        other = self._order()
        other.attributed_message_id = message
        order._create_invoices().action_post()
        self._refund(order)
        self._refund(other, quantity=1)
        self.assertEqual(cart.recovered_amount_company, 0.0)
        self.assertEqual(message.attributed_revenue, 20.0)
        figures = self.sequence.get_figures()["steps"][str(message.step_id.id)]
        self.assertEqual(figures["revenue"], self.company.currency_id.format(20.0))
        self.assertEqual(self.sequence.recovered_revenue, 20.0)
        metrics = self.env["marketing.customer.metrics"]
        metrics._refresh_all()
        self.assertEqual(
            metrics.search([("partner_id", "=", self.customer.id)]).total_revenue, 20.0
        )
