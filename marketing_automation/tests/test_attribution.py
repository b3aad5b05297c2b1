from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestAttribution(MarketingCase):
    def _sent_message(self, *args, **kwargs):
        cart = self._abandon(*args, **kwargs)
        self._process_steps()
        message = cart.message_ids
        message._set_state("sending")
        message._set_state("sent")
        return message

    def _order(self, partner=None, quantity=1):
        order = self.env["sale.order"].create(
            {
                "partner_id": (partner or self.customer).id,
                "order_line": [
                    (
                        0,
                        0,
                        {"product_id": self.product.id, "product_uom_qty": quantity},
                    )
                ],
            }
        )
        order.action_confirm()
        return order

    def test_click_then_order(self):
        message = self._sent_message()
        cart = message.abandoned_cart_id
        self._click(message, url="https://shop.example.com/shop")
        order = cart.order_id
        order.action_confirm()
        self.assertEqual(order.attributed_message_id, message)
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "recovered",
                    "recovered_order_id": order.id,
                    "recovered_amount": 40.0,
                    "recovered_amount_company": 40.0,
                    "recovered_currency_id": order.currency_id.id,
                    "recovered_message_id": message.id,
                }
            ],
        )
        self.assertTrue(cart.recovered_at)
        self.assertEqual(message.click_count, 1)
        self.assertEqual(message.attributed_revenue, 40.0)
        self.assertEqual(message.enrollment_id.revenue, 40.0)

    def test_no_click_no_credit(self):
        message = self._sent_message()
        cart = message.abandoned_cart_id
        cart.order_id.action_confirm()
        self.assertEqual(cart.state, "recovered")
        self.assertFalse(cart.recovered_message_id)
        self.assertFalse(message.attributed_revenue)

    def test_machine_click_is_no_click(self):
        message = self._sent_message()
        self._click(message, machine_reason="agent")
        message.abandoned_cart_id.order_id.action_confirm()
        self.assertFalse(message.abandoned_cart_id.recovered_message_id)
        self.assertEqual(message.click_count, 0)
        self.assertEqual(len(message.engagement_ids), 1, "kept all the same")

    def test_window(self):
        for days, credited in ((4.9, True), (5.1, False)):
            with self.subTest(days=days):
                message = self._sent_message(
                    self._create_customer("C", f"c{credited}@example.com")
                )
                self._click(message)
                self.env.cr.execute(
                    """UPDATE marketing_engagement SET occurred_at = %s
                        WHERE message_id = %s""",
                    [fields.Datetime.now() - timedelta(days=days), message.id],
                )
                message.abandoned_cart_id.order_id.action_confirm()
                self.assertEqual(
                    bool(message.abandoned_cart_id.recovered_message_id), credited
                )

    def test_last_click_wins(self):
        first = self._sent_message()
        run = first.enrollment_id
        run.next_at = fields.Datetime.now()
        self._process_steps()
        second = run.message_ids - first
        second._set_state("sending")
        second._set_state("sent")
        for message, minutes in ((second, 10), (first, 5)):
            self._click(message)
            self.env.cr.execute(
                """UPDATE marketing_engagement SET occurred_at = %s
                    WHERE message_id = %s""",
                [fields.Datetime.now() - timedelta(minutes=minutes), message.id],
            )
        first.abandoned_cart_id.order_id.action_confirm()
        self.assertEqual(first.abandoned_cart_id.recovered_message_id, first)

    def test_other_order_of_the_same_person(self):
        message = self._sent_message()
        self._click(message)
        guest = self._create_customer("Anna as guest", "Anna@Example.com")
        order = self._order(guest, quantity=3)
        cart = message.abandoned_cart_id
        self.assertEqual(cart.state, "recovered")
        self.assertEqual(cart.recovered_order_id, order)
        self.assertEqual(cart.recovered_amount, 60.0)
        self.assertEqual(order.attributed_message_id, message)

    def test_order_of_somebody_else(self):
        message = self._sent_message()
        self._click(message)
        order = self._order(self._create_customer("Bob", "bob@example.com"))
        self.assertFalse(order.attributed_message_id)
        self.assertEqual(message.abandoned_cart_id.state, "recovery_started")

    def test_an_order_counts_once(self):
        small = self._create_cart(products=[(self.product, 1)])
        large = self._create_cart(products=[(self.product, 5)])
        self._detect()
        carts = small.abandoned_cart_id | large.abandoned_cart_id
        self._order(quantity=2)
        self.assertEqual(carts.mapped("state"), ["recovered", "recovered"])
        self.assertEqual(sum(carts.mapped("recovered_amount")), 40.0)
        self.assertEqual(large.abandoned_cart_id.recovered_amount, 40.0)

    def test_cancelled_order_brings_nothing(self):
        message = self._sent_message()
        self._click(message)
        cart = message.abandoned_cart_id
        order = cart.order_id
        order.action_confirm()
        order._action_cancel()
        self.env.invalidate_all()
        self.assertEqual(message.attributed_revenue, 0.0)
        self.assertEqual(cart.recovered_amount, 0.0)
        self.assertEqual(
            (cart.state, cart.exclusion_reason), ("excluded", "order_cancelled")
        )

    def test_cancelled_order_of_a_cart_that_was_left_again(self):
        """The cart was closed by another order, filled and left once more; then that
        order is cancelled."""
        cart = self._abandon()
        order = self._order()
        self.assertEqual(cart.recovered_order_id, order)
        cart.order_id.cart_activity_at = fields.Datetime.now() + timedelta(minutes=1)
        with self._at(fields.Datetime.now() + timedelta(hours=2)):
            self._detect()
            again = cart.order_id.abandoned_cart_id
            self.assertNotEqual(again, cart)
            order._action_cancel()
            self.assertEqual(cart.exclusion_reason, "order_cancelled")
            self.assertEqual(again.state, "abandoned")
            self._detect()
        self.assertEqual(cart.order_id.abandonment_ids, cart | again)

    def test_refund_is_taken_off(self):
        message = self._sent_message()
        self._click(message)
        order = message.abandoned_cart_id.order_id
        self.product.invoice_policy = "order"
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual(message.attributed_revenue, 40.0)
        refund = invoice._reverse_moves()
        refund.invoice_line_ids.filtered("product_id").quantity = 1
        refund.action_post()
        self.env.invalidate_all()
        self.assertEqual(message.attributed_revenue, 20.0)

    def test_foreign_currency(self):
        foreign = self.env["res.currency"].create(
            {
                "name": "XTS",
                "symbol": "X",
                "rate_ids": [(0, 0, {"name": "2020-01-01", "rate": 400.0})],
            }
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": foreign.id}
        )
        message = self._sent_message(pricelist_id=pricelist.id)
        self._click(message)
        cart = message.abandoned_cart_id
        cart.order_id.action_confirm()
        self.assertEqual(cart.recovered_amount, 16000.0)
        self.assertEqual(cart.recovered_currency_id, foreign)
        self.assertEqual(cart.recovered_amount_company, 40.0)
        self.assertEqual(message.attributed_revenue, 40.0)

    def test_restored_copy_closes_the_cart_it_came_from(self):
        message = self._sent_message()
        cart = message.abandoned_cart_id
        original = cart.order_id
        copy = self._create_cart(self._create_customer("Friend", "f@example.com"))
        copy.restored_cart_ids = cart
        copy.action_confirm()
        self.assertEqual(cart.recovered_order_id, copy)
        self.assertEqual(original.state, "cancel")

    def test_timeline_tells_the_story(self):
        message = self._sent_message()
        self._click(message)
        cart = message.abandoned_cart_id
        cart.order_id.action_confirm()
        titles = [event["title"] for event in cart._get_timeline_events()]
        for expected in (
            "Cart created",
            "Customer left",
            "Clicked a link",
            f"Recovered by order {cart.order_id.name}",
            "Sequence ended",
        ):
            self.assertIn(expected, titles)
        self.assertIn("Clicked a link", cart.timeline)

    def test_engagement_cannot_be_changed(self):
        """Append-only for everybody who is not the superuser."""
        from odoo.exceptions import AccessError
        from odoo.tests import new_test_user

        message = self._sent_message()
        self._click(message)
        manager = new_test_user(
            self.env, "mm", groups="marketing_automation.group_marketing_manager"
        )
        engagement = message.engagement_ids.with_user(manager)
        with self.assertRaises(AccessError):
            engagement.write({"url": "x"})
        with self.assertRaises(AccessError):
            engagement.unlink()

    # === AGAIN ===#

    def _confirm_again(self, order):
        order._action_cancel()
        order.action_draft()
        order.action_confirm()

    def test_cancelled_by_mistake(self):
        """Confirmed again it is what it was, with the same credit."""
        message = self._sent_message()
        self._click(message)
        cart = message.abandoned_cart_id
        order = cart.order_id
        order.action_confirm()
        first = cart.recovered_at
        with self._at(fields.Datetime.now() + timedelta(days=20)):
            self._confirm_again(order)
            self.env.invalidate_all()
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "recovered",
                    "exclusion_reason": False,
                    "recovered_order_id": order.id,
                    "recovered_at": first,
                    "recovered_amount": 40.0,
                    "recovered_amount_company": 40.0,
                    "recovered_message_id": message.id,
                }
            ],
        )
        self.assertEqual(order.attributed_message_id, message)
        self.assertEqual(message.attributed_revenue, 40.0)

    def test_cancelled_and_changed_before_it_is_confirmed_again(self):
        cart = self._abandon()
        order = cart.order_id
        order.action_confirm()
        order._action_cancel()
        order.action_draft()
        order.order_line.product_uom_qty = 3
        order.action_confirm()
        self.assertEqual((cart.state, cart.recovered_amount), ("recovered", 60.0))
        self.assertEqual(cart.recovered_amount_company, 60.0)

    def test_several_carts_of_a_cancelled_order(self):
        small = self._create_cart(products=[(self.product, 1)])
        large = self._create_cart(products=[(self.product, 5)])
        self._detect()
        carts = small.abandoned_cart_id | large.abandoned_cart_id
        self._confirm_again(self._order(quantity=2))
        self.assertEqual(carts.mapped("state"), ["recovered", "recovered"])
        self.assertEqual(large.abandoned_cart_id.recovered_amount, 40.0)
        self.assertEqual(sum(carts.mapped("recovered_amount_company")), 40.0)

    def test_other_order_after_a_cancelled_one(self):
        cart = self._abandon()
        cart.order_id.action_confirm()
        cart.order_id._action_cancel()
        order = self._order(quantity=3)
        self.assertEqual((cart.state, cart.recovered_order_id), ("recovered", order))
        self.assertEqual(cart.recovered_amount, 60.0)

    def test_other_order_long_after_a_cancelled_one(self):
        """That is another purchase: the cart would have expired."""
        cart = self._abandon()
        cart.order_id.action_confirm()
        cart.order_id._action_cancel()
        with self._at(cart.expires_at + timedelta(minutes=1)):
            self._order()
        self.assertEqual(cart.exclusion_reason, "order_cancelled")

    def test_order_made_anew_before_the_first_is_cancelled(self):
        cart = self._abandon()
        first = cart.order_id
        first.action_confirm()
        second = self._order(quantity=3)
        first._action_cancel()
        self.assertRecordValues(
            cart,
            [
                {
                    "state": "recovered",
                    "recovered_order_id": second.id,
                    "recovered_amount": 60.0,
                    "recovered_amount_company": 60.0,
                }
            ],
        )

    # === MANY AT ONCE ===#

    def test_statements_do_not_grow_with_the_orders(self):
        """What the addon asks for a hundred orders, it asks for one."""

        def count(number):
            orders = self.env["sale.order"]
            for index in range(number):
                person = self._create_customer("P", f"p{number}.{index}@example.com")
                self._abandon(person)
                orders |= orders.create(
                    {
                        "partner_id": person.id,
                        "order_line": [(0, 0, {"product_id": self.product.id})],
                    }
                )
            orders.write(orders._prepare_confirmation_values())
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders._credit_marketing()
            self.env.flush_all()
            spent = self.env.cr.sql_log_count - before
            carts = self.env["abandoned.cart"].search(
                [("recovered_order_id", "in", orders.ids)]
            )
            self.assertEqual(len(carts), number)
            self.assertEqual(set(carts.enrollment_ids.mapped("state")), {"stopped"})
            return spent

        count(1)
        self.assertLessEqual(count(12), count(2) + 2)

    def test_order_of_nobody_we_know_costs_two_statements(self):
        order = self._order(self._create_customer("Bob", "bob@example.com"))
        # What Odoo has read by then.
        self.assertEqual(order.partner_id.email_normalized, "bob@example.com")
        self.env.flush_all()
        with self.assertQueryCount(2):
            order._credit_marketing()
