"""The addon comes into a shop that is large, and open."""

from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import SQL

from ..hooks import post_init_hook
from ..models import large_index
from .common import MarketingCase
from .workers import WorkersCase


@tagged("post_install", "-at_install")
class TestTakeOver(MarketingCase):
    """Carts from before the installation."""

    def _create_former_cart(self, created, changed):
        """Create a cart as it is before the installation.

        :param timedelta created: its age
        :param timedelta changed: how long ago its customer changed a line last
        """
        cart = self._create_cart()
        now = fields.Datetime.now()
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE sale_order SET cart_activity_at = NULL, create_date = %s
                WHERE id = %s""",
            [now - created, cart.id],
        )
        self.env.cr.execute(
            """UPDATE sale_order_line SET create_date = %s, write_date = %s
                WHERE order_id = %s""",
            [now - created, now - changed, cart.id],
        )
        self.env.invalidate_all()
        return cart

    def test_installing_writes_no_cart(self):
        cart = self._create_former_cart(timedelta(days=1), timedelta(days=1))
        post_init_hook(self.env)
        self.assertFalse(cart.cart_activity_at)

    def test_their_lines_say_when_the_customer_left(self):
        recent = self._create_former_cart(timedelta(days=5), timedelta(minutes=5))
        old = self._create_former_cart(timedelta(days=5), timedelta(hours=2))
        self._run_cron("ir_cron_take_over_carts")
        self._detect()
        self.assertFalse(recent.abandoned_cart_id, "changed five minutes ago")
        self.assertAlmostEqual(
            old.abandoned_cart_id.abandoned_at,
            fields.Datetime.now() - timedelta(hours=2),
            delta=timedelta(minutes=1),
        )

    def test_what_stood_still_beyond_its_expiry_is_left_alone(self):
        days = self.company.cart_expiry_days
        old = self._create_former_cart(
            timedelta(days=days + 1), timedelta(days=days + 1)
        )
        revived = self._create_former_cart(timedelta(days=days + 1), timedelta(days=1))
        self._run_cron("ir_cron_take_over_carts")
        self.assertFalse(old.cart_activity_at)
        self.assertTrue(revived.cart_activity_at)
        self._detect()
        self.assertFalse(old.abandoned_cart_id)
        self.assertEqual(revived.abandoned_cart_id.state, "abandoned")

    def test_other_orders_are_none_of_its_business(self):
        quotation = self._create_former_cart(timedelta(days=1), timedelta(days=1))
        quotation.website_id = False
        confirmed = self._create_former_cart(timedelta(days=1), timedelta(days=1))
        self.env.cr.execute(
            "UPDATE sale_order SET state = 'sale' WHERE id = %s", [confirmed.id]
        )
        restored = self._create_former_cart(timedelta(days=1), timedelta(days=1))
        restored.restored_cart_ids = self._abandon()
        self._run_cron("ir_cron_take_over_carts")
        self.assertFalse(
            (quotation | confirmed | restored).filtered("cart_activity_at")
        )

    def test_it_is_done_once(self):
        cron = self.env.ref("marketing_automation.ir_cron_take_over_carts")
        cron.active = True
        self._create_former_cart(timedelta(days=1), timedelta(days=1))
        self._run_cron("ir_cron_take_over_carts")
        self.assertFalse(cron.active)

    def test_in_batches(self):
        carts = self.env["sale.order"].union(
            *(
                self._create_former_cart(timedelta(days=1), timedelta(days=1))
                for _n in range(3)
            )
        )
        with patch(
            "odoo.addons.marketing_automation.models.cart.cart_takeover.BATCH_SIZE", 2
        ):
            self._run_cron("ir_cron_take_over_carts")
        self.assertEqual(len(carts.filtered("cart_activity_at")), 3)


@tagged("post_install", "-at_install")
class TestTakeOverInUse(WorkersCase):
    """Somebody is changing a cart while it is taken over."""

    def setUp(self):
        super().setUp()
        with self._worker() as env:
            partner = env["res.partner"].create({"name": "Former customer"})
            website = env["website"].search([], limit=1)
            order = env["sale.order"].create(
                {"partner_id": partner.id, "website_id": website.id}
            )
            order.cart_activity_at = False
            self.order_id, self.partner_id = order.id, partner.id
        self.addCleanup(self._delete)

    def _delete(self):
        with self._worker() as env:
            env["sale.order"].browse(self.order_id).unlink()
            env["res.partner"].browse(self.partner_id).unlink()

    def test_nobody_waits(self):
        with self._worker() as customer, self._worker() as ours:
            customer.cr.execute(
                "UPDATE sale_order SET note = note WHERE id = %s", [self.order_id]
            )
            carts = ours["abandoned.cart"]
            self.assertEqual(carts._stamp_former_carts([self.order_id]), 0)
            self.assertIn(self.order_id, carts._find_former_carts())
            customer.cr.rollback()
            self.assertEqual(carts._stamp_former_carts([self.order_id]), 1)
            ours.cr.rollback()


@tagged("post_install", "-at_install")
class TestLargeIndex(MarketingCase):
    """Indexes of Odoo's tables are built without holding anybody up."""

    NAME = "sale_order_cart_activity_idx"

    def _get_missing(self):
        missing = self.env["marketing.large.index"]._get_missing()
        return [name for _table, name, _definition in missing]

    def _get_index(self):
        return self.env["sale.order"]._table_objects[self.NAME]

    def test_nothing_is_missing(self):
        self.assertEqual(self._get_missing(), [])

    def test_missing_changed_and_unfinished_ones_are_built(self):
        for change in (
            f"DROP INDEX {self.NAME}",
            f"COMMENT ON INDEX {self.NAME} IS 'INDEX (id)'",
            "UPDATE pg_index SET indisvalid = FALSE"
            f" WHERE indexrelid = '{self.NAME}'::regclass",
        ):
            with self.subTest(change=change), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(change)
                self.assertEqual(self._get_missing(), [self.NAME])
                savepoint.rollback()

    def test_what_somebody_made_on_purpose_is_kept(self):
        self.env.cr.execute(f"COMMENT ON INDEX {self.NAME} IS NULL")
        self.assertEqual(self._get_missing(), [])

    def test_a_large_table_is_left_for_later(self):
        self.env.cr.execute(f"DROP INDEX {self.NAME}")
        with patch.object(large_index, "SMALL_BYTES", 0):
            self._get_index().apply_to_database(self.env["sale.order"])
        self.assertEqual(self._get_missing(), [self.NAME])
        with patch.object(large_index, "SMALL_BYTES", 2**40):
            self._get_index().apply_to_database(self.env["sale.order"])
        self.assertEqual(self._get_missing(), [])

    def test_all_indexes_of_odoos_tables_are_of_this_kind(self):
        """No other index of ours keeps a shop waiting."""
        ours = [
            index.full_name(model)
            for model in map(self.env.__getitem__, self.registry)
            if model._original_module != "marketing_automation"
            for index in model._table_objects.values()
            if index._module == "marketing_automation"
            and hasattr(index, "_index_definition")
            and not isinstance(index, large_index.LargeIndex)
        ]
        # Programs of coupons are few, and no two may be the same.
        self.assertEqual(ours, ["loyalty_program_marketing_terms_uniq"])

    def test_no_field_of_odoos_models_has_one_of_its_own(self):
        indexed = [
            str(field)
            for model in map(self.env.__getitem__, self.registry)
            if model._original_module != "marketing_automation" and model._auto
            for field in model._fields.values()
            if field._module == "marketing_automation"
            and field.store
            and field.column_type
            and field.index
        ]
        self.assertEqual(indexed, ["loyalty.program.marketing_coupon_id"])

    def test_building(self):
        definition = "INDEX (name) WHERE name LIKE '%a'"
        # Of a temporary table: others need not be waited for.
        with closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute("CREATE TEMP TABLE pg_temp.large (name varchar)")
            for _time in range(2):
                large_index._build_index(cr, "large", "large_name_idx", definition)
            cr.execute(
                SQL(
                    """SELECT i.indisvalid, pg_get_expr(i.indpred, i.indrelid),
                              obj_description(i.indexrelid)
                         FROM pg_index i
                        WHERE i.indexrelid::regclass::text = 'large_name_idx'"""
                )
            )
            self.assertEqual(
                cr.fetchall(), [(True, "((name)::text ~~ '%a'::text)", definition)]
            )
            cr.execute("DROP TABLE pg_temp.large")
