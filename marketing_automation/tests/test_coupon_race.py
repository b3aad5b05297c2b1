import http.client
import json
import threading
from unittest.mock import patch

from psycopg2 import IntegrityError

import odoo.service.server
from odoo import fields
from odoo.fields import Command
from odoo.tests import HOST, tagged
from odoo.tools import SQL, mute_logger

from ..models.coupon.marketing_coupon import Terms
from .payment_common import create_provider, finish_payment, prepare_payment
from .test_coupon_payment import BOOKED
from .workers import TIMEOUT, WorkersCase


@tagged("post_install", "-at_install")
class TestCouponRace(WorkersCase):
    """Two browsers press "Pay now" with the same coupon at the same moment: real
    requests, real transactions. What they write is taken away again."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch(BOOKED))
        with self._worker() as env:
            self.marks = self._get_marks(env)
            method = env.ref("payment.payment_method_unknown")
            self.addCleanup(self._clean_up, method.id, method.active)
            self.provider_id = create_provider(env).id
            website = env["website"].search([], limit=1)
            product = env["product.product"].create(
                {
                    "name": "Mug",
                    "type": "service",
                    "list_price": 50.0,
                    "is_published": True,
                    "taxes_id": False,
                }
            )
            customer = env["res.partner"].create(
                {"name": "Anna", "email": "anna@race.example.com"}
            )
            orders = env["sale.order"].create(
                [
                    {
                        "partner_id": customer.id,
                        "website_id": website.id,
                        "company_id": website.company_id.id,
                        "order_line": [Command.create({"product_id": product.id})],
                    }
                    for _order in range(2)
                ]
            )
            card = self._create_card(env, website, customer)
            self.full = orders[0].amount_total
            for order in orders:
                self.assertEqual(order._use_marketing_card(card), "")
                self.assertAlmostEqual(order.amount_total, self.full * 0.8)
                order._portal_ensure_token()
            self.reduced = order.amount_total
            self.order_ids, self.card_id = orders.ids, card.id

    def _create_card(self, env, website, customer):
        rule = env.ref("marketing_automation.coupon_20_percent")
        company = website.company_id
        return env["loyalty.card"].create(
            {
                "program_id": rule._get_program(company, Terms("percent", 20.0)).id,
                "partner_id": customer.id,
                "points": 1,
                "code": "RACE-AAAAA-AAAAA-AAAA",
                "expiration_date": fields.Date.today(),
                "marketing_coupon_id": rule.id,
                "marketing_email": customer.email_normalized,
                "marketing_currency_id": company.currency_id.id,
            }
        )

    # === CLEANING UP ===#

    def _get_marks(self, env):
        """Return the last id of every table."""
        env.flush_all()
        rows = env.execute_query(
            SQL(
                """SELECT c.relname FROM pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id'
                    WHERE c.relkind = 'r' AND n.nspname = current_schema"""
            )
        )
        maximum = SQL(" UNION ALL ").join(
            SQL("SELECT %s, max(id) FROM %s", table, SQL.identifier(table))
            for (table,) in rows
        )
        return {table: last or 0 for table, last in env.execute_query(maximum)}

    def _clean_up(self, method_id, was_active):
        with self._worker() as env:
            env.cr.execute(
                "UPDATE payment_method SET active = %s WHERE id = %s",
                [was_active, method_id],
            )
            left = {
                table: self.marks.get(table, 0)
                for table, last in self._get_marks(env).items()
                if last > self.marks.get(table, 0)
            }
            while left:
                gone = {
                    table for table in left if self._delete(env, table, left[table])
                }
                self.assertTrue(gone, f"cannot be deleted: {left}")
                left = {
                    table: last for table, last in left.items() if table not in gone
                }
            self.registry.clear_cache("default", "templates")

    def _delete(self, env, table, last):
        try:
            with env.cr.savepoint(flush=False):
                env.cr.execute(
                    SQL("DELETE FROM %s WHERE id > %s", SQL.identifier(table), last)
                )
        except IntegrityError:
            return False  # Something else leads to it, and goes first.
        return True

    # === BROWSERS ===#

    def _press_pay(self, order_id, amount):
        """Return what the shop answers to whoever presses "Pay now"."""
        with self._worker() as env:
            order = env["sale.order"].browse(order_id)
            provider = env["payment.provider"].browse(self.provider_id)
            params = prepare_payment(order, provider, amount)
        port = odoo.service.server.server.httpd.server_port
        connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
        connection.request(
            "POST",
            f"/shop/payment/transaction/{order_id}",
            json.dumps({"jsonrpc": "2.0", "params": params}),
            {"Content-Type": "application/json"},
        )
        return json.loads(connection.getresponse().read())

    def _press_side_by_side(self):
        barrier, answers = threading.Barrier(2), {}

        def press(order_id):
            barrier.wait(TIMEOUT)
            answers[order_id] = self._press_pay(order_id, self.reduced)

        threads = [
            threading.Thread(target=press, args=(order_id,))
            for order_id in self.order_ids
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT * 3)
            self.assertFalse(thread.is_alive(), "a browser hangs")
        return answers

    @mute_logger("odoo.http")
    def test_two_browsers(self):
        answers = self._press_side_by_side()
        winners = [key for key, answer in answers.items() if "result" in answer]
        losers = [key for key, answer in answers.items() if "error" in answer]
        self.assertEqual((len(winners), len(losers)), (1, 1), answers)
        message = answers[losers[0]]["error"]["data"]["message"]
        self.assertIn("being used right now to pay for another order", message)
        self.assertIn("Nothing was charged", message)
        self.assertAlmostEqual(answers[winners[0]]["result"]["amount"], self.reduced)
        with self._worker() as env:
            loser = env["sale.order"].browse(losers[0])
            self.assertFalse(loser.transaction_ids)
            # What the page does when it is loaded again.
            loser._recompute_cart()
            self.assertAlmostEqual(loser.amount_total, self.full)
        answer = self._press_pay(losers[0], self.full)
        self.assertAlmostEqual(answer["result"]["amount"], self.full)
        self._finish(winners[0], self.reduced)
        self._finish(losers[0], self.full)
        with self._worker() as env:
            card = env["loyalty.card"].browse(self.card_id)
            self.assertEqual(card.history_ids.mapped("order_id"), winners)
            self.assertEqual(card.marketing_redeemed_order_id.id, winners[0])

    def _finish(self, order_id, amount):
        """Nobody was charged anything but what they were shown."""
        with self._worker() as env:
            order = env["sale.order"].browse(order_id)
            self.assertAlmostEqual(order.transaction_ids.amount, amount)
            finish_payment(order.transaction_ids)
            self.assertEqual(order.state, "sale")
            self.assertAlmostEqual(order.amount_total, amount)
