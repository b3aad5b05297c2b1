from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.website_sale.tests.common import MockRequest

from ..hooks import post_init_hook
from ..tools.trusted_context import say
from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestDetection(MarketingCase):
    # === ACTIVITY ===#

    def test_idle_time_of_the_website_decides(self):
        self.website.cart_idle_minutes = 45
        early = self._create_cart(idle_minutes=44)
        late = self._create_cart(idle_minutes=46)
        self._detect()
        self.assertFalse(early.abandoned_cart_id)
        self.assertTrue(late.abandoned_cart_id)

    def test_activity_counts_not_creation_nor_our_writes(self):
        order = self._create_cart(idle_minutes=10, date_order="2020-01-01 00:00:00")
        order.client_order_ref = "written by us"
        self._detect()
        self.assertFalse(order.abandoned_cart_id, "the customer was here 10 min ago")
        order.cart_activity_at -= timedelta(hours=1)
        order.client_order_ref = "written by us just now"
        self._detect()
        self.assertTrue(order.abandoned_cart_id, "our own write is no activity")

    def test_adding_changing_and_removing_is_activity(self):
        order = self._create_cart(idle_minutes=90)
        left = order.cart_activity_at
        with MockRequest(self.env, website=self.website, sale_order_id=order.id):
            order._cart_add(self.product.id, 1)
        self.assertGreater(order.cart_activity_at, left)
        for quantity in (5, 0):
            order.cart_activity_at = left
            with MockRequest(self.env, website=self.website, sale_order_id=order.id):
                order._cart_update_line_quantity(order.order_line[:1].id, quantity)
            self.assertGreater(order.cart_activity_at, left)
        self._detect()
        self.assertFalse(order.abandoned_cart_id)
        # Left alone from now on, it is found: one with something in it.
        with MockRequest(self.env, website=self.website, sale_order_id=order.id):
            order._cart_add(self.product.id, 1)
        order.cart_activity_at = left
        self._detect()
        self.assertTrue(order.abandoned_cart_id)

    def test_restoring_is_no_activity(self):
        order = self._create_cart(idle_minutes=90)
        left = order.cart_activity_at
        order.with_context(skip_cart_activity=say())._stamp_cart_activity()
        self.assertEqual(order.cart_activity_at, left)

    def test_website_switched_off_is_left_alone(self):
        self.website.cart_recovery_enabled = False
        order = self._create_cart()
        self._detect()
        self.assertFalse(order.abandoned_cart_id)
        self.website.cart_recovery_enabled = True
        self._detect()
        self.assertTrue(order.abandoned_cart_id, "nothing else was in its way")

    # === HOW FAR BACK IT LOOKS ===#

    def _explain_idle_orders(self, since=None):
        """Return the plan of finding carts, where a table is not read as a whole."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute("SET LOCAL enable_bitmapscan = off")
        idle = self.env["abandoned.cart"]._sql_idle_orders(since)
        rows = self.env.execute_query(SQL("EXPLAIN SELECT so.id %s", idle))
        return "\n".join(line for (line,) in rows)

    def test_history_is_not_read(self):
        """The index on the activity is entered at a constant, however old carts are."""
        now = fields.Datetime.now()
        days = max(self.env["res.company"].search([]).mapped("cart_expiry_days"))
        for since, first in ((None, now - timedelta(days=days)), (now, now)):
            with self.subTest(since=since):
                plan = self._explain_idle_orders(since)
                self.assertRegex(
                    plan,
                    r"Index Scan using sale_order_cart_activity_idx .*\n"
                    rf".*Index Cond: .*cart_activity_at > '{str(first)[:15]}",
                )

    def _detect_after(self, lastcall):
        """Run the scheduled action that ran before at ``lastcall``."""
        self._run_cron("ir_cron_detect_carts", after=lastcall)
        self.env.invalidate_all()

    def test_carts_of_long_ago_are_found_once_an_hour(self):
        now = fields.Datetime.now().replace(minute=20)
        recent = self._create_cart()
        old = self._create_cart()
        with self._at(now):
            recent.cart_activity_at = now - timedelta(minutes=50)
            old.cart_activity_at = now - timedelta(days=2)
            self._detect_after(now - timedelta(minutes=15))
            self.assertTrue(recent.abandoned_cart_id)
            self.assertFalse(old.abandoned_cart_id)
            self._detect_after(now - timedelta(minutes=25))
            self.assertTrue(old.abandoned_cart_id, "the first run of the hour")

    def test_the_first_run_looks_at_all(self):
        old = self._create_cart(idle_minutes=3 * 24 * 60)
        self._detect_after(False)
        self.assertTrue(old.abandoned_cart_id)

    # === WHAT COUNTS ===#

    def test_snapshot(self):
        tax = self.env["account.tax"].create({"name": "20%", "amount": 20.0})
        lamp = self._create_product("Lamp", 50.0, default_code="L-1", taxes_id=tax.ids)
        self.website.show_line_subtotals_tax_selection = "tax_included"
        self.customer.phone = "+36301234567"
        order = self._create_cart(products=[(self.product, 2), (lamp, 1)])
        self._detect()
        cart = order.abandoned_cart_id
        self.assertRecordValues(
            cart,
            [
                {
                    "name": order.name,
                    "order_id": order.id,
                    "website_id": self.website.id,
                    "company_id": self.company.id,
                    "partner_id": self.customer.id,
                    "customer_name": "Anna Smith",
                    "email": "anna@example.com",
                    "email_normalized": "anna@example.com",
                    "phone": "+36301234567",
                    "lang": "en_US",
                    "currency_id": order.currency_id.id,
                    "amount_total": 100.0,
                    "item_count": 3.0,
                    "state": "abandoned",
                    "exclusion_reason": False,
                    "abandoned_at": order.cart_activity_at,
                    "expires_at": order.cart_activity_at + timedelta(days=30),
                    "is_guest": True,
                }
            ],
        )
        self.assertEqual(cart.cart_created_at, order.cart_activity_at)
        self.assertEqual(cart.content, "Blue mug, Lamp")
        self.assertEqual(
            cart.lines,
            [
                {
                    "product_id": self.product.id,
                    "name": "Blue mug",
                    "quantity": 2.0,
                    "price_unit": 20.0,
                    "price_subtotal": 40.0,
                    "image_url": "/web/image/product.product/"
                    f"{self.product.id}/image_256",
                },
                {
                    "product_id": lamp.id,
                    "name": "Lamp",
                    "quantity": 1.0,
                    "price_unit": 60.0,
                    "price_subtotal": 60.0,
                    "image_url": f"/web/image/product.product/{lamp.id}/image_256",
                },
            ],
        )
        self.assertEqual(len(cart.token), 32)

    def test_snapshot_shows_prices_without_tax_where_the_shop_does(self):
        tax = self.env["account.tax"].create({"name": "20%", "amount": 20.0})
        lamp = self._create_product("Lamp", 50.0, taxes_id=tax.ids)
        self.website.show_line_subtotals_tax_selection = "tax_excluded"
        cart = self._abandon(products=[(lamp, 1)])
        self.assertEqual(cart.lines[0]["price_subtotal"], 50.0)
        self.assertEqual(cart.amount_total, 60.0)

    def test_account_or_guest(self):
        user = self.env["res.users"].create(
            {
                "name": "Bob",
                "login": "bob@example.com",
                "email": "bob@example.com",
                "group_ids": [(6, 0, [self.env.ref("base.group_portal").id])],
            }
        )
        self.assertFalse(self._abandon(user.partner_id).is_guest)

    def test_expiry_of_the_company(self):
        self.company.cart_expiry_days = 10
        cart = self._abandon()
        self.assertEqual(cart.expires_at, cart.abandoned_at + timedelta(days=10))

    def test_cart_idle_beyond_its_expiry_is_history(self):
        order = self._create_cart(idle_minutes=31 * 24 * 60)
        self._detect()
        self.assertFalse(order.abandoned_cart_id)
        self.company.cart_expiry_days = 40
        self._detect()
        self.assertEqual(order.abandoned_cart_id.state, "abandoned")

    def test_excluded_with_reason(self):
        self.company.cart_minimum_amount = 30.0
        public = self.website.user_id.partner_id
        unpublished = self._create_product("Hidden", 100.0, is_published=False)
        nobody = self._create_customer("No address", False)
        cheap = self._create_product("Sticker", 29.0)
        for reason, kwargs in {
            "no_contact": {"partner": public},
            "below_minimum": {"products": [(cheap, 1)]},
            "no_sellable_lines": {"products": [(unpublished, 1)]},
        }.items():
            with self.subTest(reason):
                cart = self._abandon(**kwargs)
                self.assertEqual(cart.state, "excluded")
                self.assertEqual(cart.exclusion_reason, reason)
                self.assertFalse(cart.enrollment_ids)
        self.assertEqual(self._abandon(nobody).exclusion_reason, "no_contact")

    def test_guest_of_one_website_is_public_on_it_only(self):
        """The anonymous partner of the website is nobody, with whatever address."""
        public = self.website.user_id.partner_id
        public.email = "public@example.com"
        self.assertEqual(self._abandon(public).exclusion_reason, "no_contact")

    def test_minimum_is_compared_in_the_company_currency(self):
        self.company.cart_minimum_amount = 30.0
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
        cart = self._abandon(pricelist_id=pricelist.id)
        self.assertEqual(cart.currency_id, foreign)
        self.assertEqual(cart.amount_total, 16000.0)
        self.assertAlmostEqual(cart.amount_company, 40.0)
        self.assertEqual(cart.state, "abandoned")
        self.company.cart_minimum_amount = 41.0
        self.assertEqual(
            self._abandon(pricelist_id=pricelist.id).exclusion_reason, "below_minimum"
        )

    def test_free_cart(self):
        free = self._create_product("Sample", 0.0)
        self.website.prevent_zero_price_sale = False
        self.assertEqual(self._abandon(products=[(free, 1)]).state, "abandoned")
        self.website.prevent_zero_price_sale = True
        other = self._create_customer("Other", "other@example.com")
        self.assertEqual(
            self._abandon(other, products=[(free, 1)]).exclusion_reason,
            "no_sellable_lines",
        )

    def test_two_hundred_lines_and_a_product_without_image(self):
        products = self.env["product.product"].create(
            [
                {"name": f"Product {n}", "list_price": 1.0, "is_published": True}
                for n in range(200)
            ]
        )
        cart = self._abandon(products=[(product, 1) for product in products])
        self.assertEqual(len(cart.lines), 200)
        self.assertEqual(cart.item_count, 200.0)

    def test_two_websites(self):
        other = self.env["website"].create(
            {"name": "Other shop", "company_id": self.company.id}
        )
        other.cart_idle_minutes = 240
        first = self._create_cart()
        second = self._create_cart(website_id=other.id)
        self._detect()
        self.assertEqual(first.abandoned_cart_id.website_id, self.website)
        self.assertFalse(second.abandoned_cart_id, "the other shop waits longer")

    def test_delivery_and_notes_are_not_left_behind(self):
        order = self._create_cart()
        order.write(
            {
                "order_line": [
                    (0, 0, {"display_type": "line_note", "name": "note"}),
                    (0, 0, {"product_id": self.product.id, "is_delivery": True}),
                ]
            }
        )
        self._detect()
        self.assertEqual(len(order.abandoned_cart_id.lines), 1)

    # === ONCE, AND AGAIN ===#

    def test_detected_once(self):
        order = self._create_cart()
        self._detect()
        cart = order.abandoned_cart_id
        self._detect()
        self.assertEqual(
            self.env["abandoned.cart"].search([("order_id", "=", order.id)]), cart
        )

    def test_bounded_batches(self):
        for _n in range(5):
            self._create_cart()
        detect = self.env["abandoned.cart"]._detect_batch
        self.assertEqual([detect(2), detect(2), detect(2), detect(2)], [2, 2, 1, 0])

    def test_excluded_cart_is_looked_at_again_after_activity(self):
        self.company.cart_minimum_amount = 100.0
        order = self._create_cart()
        self._detect()
        cart = order.abandoned_cart_id
        self.assertEqual(cart.exclusion_reason, "below_minimum")
        order.order_line.product_uom_qty = 10
        order.cart_activity_at = fields.Datetime.now() - timedelta(minutes=40)
        self._detect()
        self.assertEqual(order.abandoned_cart_id, cart)
        self.assertEqual(cart.state, "abandoned")
        self.assertFalse(cart.exclusion_reason)
        self.assertEqual(cart.lines[0]["quantity"], 10.0)

    def test_expired_cart_that_moves_again_is_a_new_abandonment(self):
        order = self._create_cart()
        self._detect()
        old = order.abandoned_cart_id
        self._shift(old, days=30)
        self._detect()
        order.cart_activity_at = fields.Datetime.now() - timedelta(minutes=40)
        self._detect()
        self.assertEqual(old.state, "expired")
        self.assertNotEqual(order.abandoned_cart_id, old)
        self.assertEqual(order.abandoned_cart_id.state, "abandoned")

    def test_expire(self):
        cart = self._abandon()
        run = cart.enrollment_ids
        self._shift(cart, days=30)
        self._detect()
        self.assertEqual(cart.state, "expired")
        self.assertEqual((run.state, run.stop_reason), ("stopped", "expired"))

    def test_emptied_cart_ends_at_once_and_resumes_when_filled_again(self):
        cart = self._abandon(idle_minutes=61)
        self._process_steps()
        order, run = cart.order_id, cart.enrollment_ids
        with MockRequest(self.env, website=self.website, sale_order_id=order.id):
            order._cart_update_line_quantity(order.order_line.id, 0)
        self.assertEqual((run.state, run.stop_reason), ("stopped", "emptied"))
        order.cart_activity_at = fields.Datetime.now() - timedelta(minutes=40)
        self._detect()
        self.assertEqual(cart.exclusion_reason, "no_sellable_lines")
        with MockRequest(self.env, website=self.website, sale_order_id=order.id):
            order._cart_add(self.product.id, 3)
        order.cart_activity_at = fields.Datetime.now() - timedelta(minutes=35)
        self._detect()
        self.assertEqual(cart.state, "abandoned")
        self.assertEqual(cart.enrollment_ids, run, "goes on, does not start over")
        self.assertEqual(run.state, "active")
        self.assertEqual(run.next_step_id, self.sequence.step_ids[1])

    def test_filled_again_after_somebody_was_written_to(self):
        cart = self._abandon()
        order = cart.order_id
        self._process_steps()
        self.assertEqual(cart.state, "recovery_started")
        order._cart_update_line_quantity(order.order_line.id, 0)
        order.cart_activity_at -= timedelta(minutes=40)
        self._detect()
        self.assertEqual(cart.state, "excluded")
        order._cart_add(self.product.id, 1)
        order.cart_activity_at -= timedelta(minutes=35)
        cart.message_ids.state = "sent"
        self._detect()
        self.assertEqual(cart.state, "recovery_started")

    def test_scheduled_action(self):
        order = self._create_cart()
        self._run_cron("ir_cron_detect_carts")
        order.invalidate_recordset()
        self.assertEqual(order.abandoned_cart_id.state, "abandoned")

    # === ODOO'S OWN REMINDER ===#

    def test_only_one_reminder_per_website(self):
        website = self.env["website"].create(
            {"name": "New", "cart_recovery_enabled": True}
        )
        self.assertFalse(website.send_abandoned_cart_email)
        website.send_abandoned_cart_email = True
        self.assertFalse(website.cart_recovery_enabled)
        website.cart_recovery_enabled = True
        self.assertFalse(website.send_abandoned_cart_email)
        website.write(
            {"send_abandoned_cart_email": True, "cart_recovery_enabled": True}
        )
        self.assertTrue(website.cart_recovery_enabled)
        self.assertFalse(website.send_abandoned_cart_email)

    def test_installation_switches_odoos_reminder_off(self):
        self.env.cr.execute("UPDATE website SET send_abandoned_cart_email = TRUE")
        self.env["website"].invalidate_model()
        post_init_hook(self.env)
        self.assertFalse(self.website.send_abandoned_cart_email)
