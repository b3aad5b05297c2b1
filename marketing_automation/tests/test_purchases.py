from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestPurchases(MarketingCase):
    """Whoever has bought is not reminded, wherever they bought."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.firm = cls._create_customer("Firm", "firm@example.com", is_company=True)
        cls.worker, cls.colleague = (
            cls._create_customer(
                name, f"{name}@firm.example.com", parent_id=cls.firm.id
            )
            for name in ("wendy", "carl")
        )
        cls.other_product = cls._create_product("Red pen", 5.0)

    def _order(self, partner, product=None, **vals):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create({"product_id": (product or self.product).id})
                ],
                **vals,
            }
        )
        order.action_confirm()
        return order

    def _invoice(self, partner, product=None, **vals):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": (product or self.product).id,
                            "tax_ids": False,
                        }
                    )
                ],
                **vals,
            }
        )
        invoice.action_post()
        return invoice

    def _remind(self, cart):
        """Let the next step come due, and return its message."""
        before = cart.message_ids
        cart.enrollment_ids.next_at = fields.Datetime.now()
        self._process_steps()
        return cart.message_ids - before

    def _assert_bought(self, cart):
        message = self._remind(cart)
        self.assertEqual((message.state, message.reason), ("skipped", "purchased"))
        self.assertRecordValues(
            cart.enrollment_ids, [{"state": "stopped", "stop_reason": "purchased"}]
        )
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "excluded",
                    "exclusion_reason": "bought_elsewhere",
                    "recovered_amount_company": 0.0,
                }
            ],
        )

    def _assert_going_on(self, cart):
        self.assertEqual(self._remind(cart).state, "queued")
        self.assertEqual(cart.enrollment_ids.state, "active")

    # === ORDERS FOR THE COMPANY ===#

    def test_order_for_the_company_delivered_to_the_person(self):
        cart = self._abandon(self.worker)
        order = self._order(
            self.firm, self.other_product, partner_shipping_id=self.worker.id
        )
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "recovered",
                    "recovered_order_id": order.id,
                    "recovered_amount": 5.0,
                }
            ],
        )
        self.assertEqual(cart.enrollment_ids.stop_reason, "purchased")

    def test_order_for_the_company_billed_to_the_person(self):
        cart = self._abandon(self.worker)
        self._order(self.firm, self.other_product, partner_invoice_id=self.worker.id)
        self.assertEqual(cart.state, "recovered")

    def test_order_of_a_colleague_with_the_same_goods(self):
        cart = self._abandon(self.worker)
        self._order(self.colleague)
        self.assertEqual(cart.state, "recovered")

    def test_order_for_a_branch_with_another_variant(self):
        attribute = self.env["product.attribute"].create(
            {
                "name": "Color",
                "create_variant": "always",
                "value_ids": [Command.create({"name": name}) for name in ("A", "B")],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Shirt",
                "list_price": 20.0,
                "is_published": True,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        first, second = template.product_variant_ids
        cart = self._abandon(self.worker, [(first, 1)])
        self._order(self.firm, second)
        self.assertEqual(cart.state, "recovered")

    def test_order_of_a_colleague_with_other_goods(self):
        cart = self._abandon(self.worker)
        self._order(self.colleague, self.other_product)
        self.assertEqual(cart.state, "abandoned")
        self._assert_going_on(cart)

    def test_present_for_somebody_with_a_cart(self):
        """Another person's order that goes to them is not theirs, unless it is what
        they wanted."""
        cart = self._abandon(self.worker)
        self._order(
            self.customer, self.other_product, partner_shipping_id=self.worker.id
        )
        self.assertEqual(cart.state, "abandoned")
        self._order(self.customer, partner_shipping_id=self.worker.id)
        self.assertEqual(cart.state, "recovered")

    def test_delivery_to_another_contact_of_the_person(self):
        """Each checkout of a guest makes a contact: the address is the person."""
        cart = self._abandon(self._create_customer("Wendy", "wendy@firm.example.com"))
        self._order(self.firm, self.other_product, partner_shipping_id=self.worker.id)
        self.assertEqual(cart.state, "recovered")

    def test_another_companys_order(self):
        company = self.env["res.company"].create({"name": "Other"})
        cart = self._abandon(self.worker)
        self._order(self.firm, company_id=company.id)
        self.assertEqual(cart.state, "abandoned")

    def test_order_before_the_cart_was_found(self):
        """Nothing was there to be recovered; nobody is reminded all the same."""
        order = self._create_cart(self.worker)
        self._order(self.firm)
        self._detect()
        cart = order.abandoned_cart_id
        self.assertEqual(cart.state, "abandoned")
        self._assert_bought(cart)

    # === INVOICES AND THE COUNTER ===#

    def test_invoice_without_an_order(self):
        cart = self._abandon(self.worker)
        self._invoice(self.worker, self.other_product)
        self._assert_bought(cart)

    def test_invoice_for_the_company_with_the_same_goods(self):
        cart = self._abandon(self.worker)
        self._invoice(self.firm)
        self._assert_bought(cart)

    def test_invoice_for_the_company_with_other_goods(self):
        cart = self._abandon(self.worker)
        self._invoice(self.firm, self.other_product)
        self._assert_going_on(cart)

    def test_invoice_that_says_nothing_of_the_cart(self):
        """Of an order from before, of an earlier day, a draft, a credit note."""
        order = self._order(self.worker, self.other_product)
        order.date_order -= timedelta(days=2)
        self.other_product.invoice_policy = "order"
        cart = self._abandon(self.worker)
        order._create_invoices().action_post()
        yesterday = cart.abandoned_at.date() - timedelta(days=1)
        self._invoice(self.worker, invoice_date=yesterday)
        self._invoice(self.worker, move_type="out_refund")
        self._invoice(self.worker).button_draft()
        self._assert_going_on(cart)

    def test_cart_that_is_filled_again_later(self):
        """A purchase ends the abandonment, not the person."""
        cart = self._abandon(self.worker)
        self._invoice(self.worker)
        self._assert_bought(cart)
        order = cart.order_id
        with self._at(fields.Datetime.now() + timedelta(days=3)):
            order.cart_activity_at = fields.Datetime.now() - timedelta(hours=2)
            self._detect()
            again = order.abandoned_cart_id
            self.assertNotEqual(again, cart)
            self.assertEqual(again.state, "abandoned")
            self._assert_going_on(again)

    def test_point_of_sale_is_looked_at_where_it_is(self):
        """Without it its tables are not asked for."""
        queries = self.env["marketing.gate"]._get_purchase_queries(
            *(SQL("1"), SQL("now() AT TIME ZONE 'UTC'")), lambda goods: SQL("TRUE")
        )
        has_counter = "pos.order" in self.env
        self.assertEqual(
            any("pos_order" in query.code for query in queries), has_counter
        )
