from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.marketing_automation.tests.common import MarketingCase


@tagged("post_install", "-at_install")
class TestTickets(MarketingCase):
    """Tickets are offered and restored by their event, at their own price."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As Odoo ships it: not published, with a price of its own.
        cls.ticket_product = cls._create_product(
            "Event Registration",
            30.0,
            type="service",
            service_tracking="event",
            is_published=False,
        )
        now = fields.Datetime.now()
        cls.event = cls.env["event.event"].create(
            {
                "name": "Concert",
                "date_begin": now + timedelta(days=10),
                "date_end": now + timedelta(days=11),
                "is_published": True,
                "event_ticket_ids": [
                    Command.create(
                        {
                            "name": name,
                            "price": price,
                            "product_id": cls.ticket_product.id,
                        }
                    )
                    for name, price in (
                        ("Standard", 30.0),
                        ("VIP", 90.0),
                        ("Kids", 15.0),
                    )
                ],
            }
        )
        cls.standard, cls.vip, cls.kids = cls.event.event_ticket_ids.sorted("id")

    def _abandon_tickets(self, *tickets, **vals):
        order = self._create_cart(products=[(self.product, 1)])
        order.order_line = [Command.clear()] + [
            Command.create(
                {
                    "product_id": ticket.product_id.id,
                    "product_uom_qty": quantity,
                    "event_id": ticket.event_id.id,
                    "event_ticket_id": ticket.id,
                    **vals,
                }
            )
            for ticket, quantity in tickets
        ]
        self._detect()
        self._process_steps()
        return order.abandoned_cart_id

    def _restore(self, cart):
        order = self._create_cart(products=[(self.product, 1)])
        outcome = cart._restore_into(order)
        return order.order_line.filtered("event_ticket_id"), outcome

    def _get_quantities(self, lines):
        return {line.event_ticket_id: line.product_uom_qty for line in lines}

    def _assert_gone(self, cart):
        self.assertFalse(cart.order_id._get_cart_lines())
        lines, outcome = self._restore(cart)
        self.assertFalse(lines)
        self.assertEqual(len(outcome["dropped"]), 1)

    def test_price_is_the_tickets(self):
        cart = self._abandon_tickets((self.standard, 2), (self.vip, 1), (self.kids, 3))
        amounts = {
            line.event_ticket_id: line._get_amount_today()
            for line in cart.order_id._get_cart_lines()
        }
        self.assertEqual(
            amounts, {self.standard: 60.0, self.vip: 90.0, self.kids: 45.0}
        )

    def test_discount_of_a_price_list(self):
        """It is in the price: the shop shows none apart from it."""
        self.env["product.pricelist"].search([]).active = True
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "A fifth off",
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 20})
                ],
            }
        )
        cart = self._abandon_tickets((self.vip, 1))
        cart.order_id.pricelist_id = pricelist
        cart.order_id._recompute_prices()
        [line] = cart.order_id._get_cart_lines()
        self.assertAlmostEqual(line._get_amount_today(), line.price_total)

    def test_worked(self):
        """An unpublished product keeps no ticket out of the recovery."""
        cart = self._abandon_tickets((self.vip, 1))
        self.assertEqual(cart.state, "recovery_started")
        message = cart.message_ids
        self.assertIsNone(self.env["marketing.gate"]._decide(message)[message.id])

    def test_restored(self):
        cart = self._abandon_tickets((self.standard, 2), (self.vip, 1), (self.kids, 3))
        expected = {self.standard: 2, self.vip: 1, self.kids: 3}
        lines, outcome = self._restore(cart)
        self.assertEqual(outcome, {"dropped": [], "reduced": []})
        self.assertEqual(self._get_quantities(lines), expected)
        self.assertEqual(lines.event_id, self.event)
        self.assertEqual(lines.mapped("price_unit"), [30.0, 90.0, 15.0])
        # Following the link once more adds nothing.
        cart._restore_into(lines.order_id)
        lines = lines.order_id.order_line.filtered("event_ticket_id")
        self.assertEqual(self._get_quantities(lines), expected)

    def test_time_slot(self):
        self.event.is_multi_slots = True
        slots = self.env["event.slot"].create(
            [
                {
                    "event_id": self.event.id,
                    "date": self.event.date_begin.date() + timedelta(days=1),
                    "start_hour": 0.0,
                    "end_hour": 0.5 + number / 4,
                }
                for number in range(2)
            ]
        )
        cart = self._abandon_tickets((self.vip, 1), event_slot_id=slots[1].id)
        lines, _outcome = self._restore(cart)
        self.assertEqual(lines.event_slot_id, slots[1])
        past = fields.Datetime.now() - timedelta(hours=1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE event_slot SET end_datetime = %s WHERE id = %s", [past, slots[1].id]
        )
        self.env.invalidate_all()
        self._assert_gone(cart)

    def test_event_is_over(self):
        cart = self._abandon_tickets((self.vip, 1))
        now = fields.Datetime.now()
        self.event.write(
            {"date_begin": now - timedelta(days=2), "date_end": now - timedelta(days=1)}
        )
        self._assert_gone(cart)

    def test_event_is_not_shown(self):
        cart = self._abandon_tickets((self.vip, 1))
        self.event.is_published = False
        self._assert_gone(cart)

    def test_sale_has_ended(self):
        cart = self._abandon_tickets((self.vip, 1))
        self.vip.end_sale_datetime = fields.Datetime.now() - timedelta(days=1)
        self._assert_gone(cart)

    def test_sold_out(self):
        cart = self._abandon_tickets((self.vip, 1))
        self.vip.write({"seats_max": 1, "seats_limited": True})
        self.env["event.registration"].create(
            {"event_id": self.event.id, "event_ticket_id": self.vip.id, "name": "Bo"}
        )
        self._assert_gone(cart)
