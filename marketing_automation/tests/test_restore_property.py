"""Any cart, put back into any other one, after anything happened to the catalogue."""

from unittest import skipUnless

from odoo import fields
from odoo.tests import tagged
from odoo.tools import float_compare

from .common import MarketingCase
from .examples import examples

try:
    from hypothesis import HealthCheck, given, settings, strategies
except ImportError:  # Only where the addon is tested without its development tools.
    strategies = None

PRODUCTS = 4
# What may have happened to a product since the cart was left.
CHANGES = ("nothing", "archived", "unpublished", "not_for_sale", "free", "dearer")

if strategies:
    quantities = strategies.dictionaries(
        strategies.integers(0, PRODUCTS - 1), strategies.integers(1, 5), max_size=4
    )
    worlds = strategies.fixed_dictionaries(
        {
            "left": quantities.filter(bool),
            "session": strategies.one_of(strategies.just("own"), quantities),
            "changes": strategies.lists(
                strategies.sampled_from(CHANGES), min_size=PRODUCTS, max_size=PRODUCTS
            ),
            "stock": strategies.lists(
                strategies.one_of(strategies.none(), strategies.integers(0, 6)),
                min_size=PRODUCTS,
                max_size=PRODUCTS,
            ),
            "original": strategies.sampled_from(("there", "deleted", "cancelled")),
            "no_free_products": strategies.booleans(),
        }
    )


@tagged("standard", "at_install")
@skipUnless(strategies, "needs hypothesis")
class TestRestoreProperty(MarketingCase):
    def test_restore(self):
        @settings(
            max_examples=examples(20, 80),
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(worlds)
        def check(world):
            # Each example begins with the same database.
            savepoint = self.env.cr.savepoint(flush=True)
            with savepoint:
                self._check(world)
                savepoint.rollback()
            self.env.invalidate_all(flush=False)
            self.env.transaction.clear()

        check()

    def _check(self, world):
        products = [self._create_product(f"P{n}", 10.0 + n) for n in range(PRODUCTS)]
        cart = self._abandon(
            products=[(products[n], count) for n, count in world["left"].items()]
        )
        session = self._make_session(cart, products, world["session"])
        had = self._get_quantities(session)
        untouched = cart.order_id != session and cart.order_id
        self._change_catalogue(products, world)
        if untouched and world["original"] == "deleted":
            cart.order_id._action_cancel()
            cart.order_id.unlink()
            untouched = None
        elif untouched and world["original"] == "cancelled":
            cart.order_id._action_cancel()
        before = untouched and self._get_quantities(untouched)
        partner = session.partner_id

        outcome = cart._restore_into(session)
        got = self._get_quantities(session)

        for number, product in enumerate(products):
            left = world["left"].get(number, 0)
            room = self._get_room(product, world, number)
            with self.subTest(world=world, product=number):
                if not left:
                    # None of the link's business. (Odoo takes what cannot be sold out
                    # of a cart whenever it is opened.)
                    had_count = had.get(product, 0)
                    self.assertIn(
                        got.get(product, 0), {had_count, min(had_count, room)}
                    )
                    continue
                wanted = max(left, had.get(product, 0))
                self.assertEqual(got.get(product, 0), min(wanted, room))
                name = product.name
                self.assertEqual(name in outcome["dropped"], room <= 0)
                reduced = {entry[0]: entry[2] for entry in outcome["reduced"]}
                self.assertEqual(reduced.get(name), room if 0 < room < left else None)
        self.assertEqual(
            session.partner_id, partner, "nothing of the person goes along"
        )
        if untouched:
            self.assertEqual(self._get_quantities(untouched), before)
        self._check_todays_prices(session)
        cart._restore_into(session)
        self.assertEqual(self._get_quantities(session), got, "twice is once")

    def _make_session(self, cart, products, session):
        if session == "own":
            return cart.order_id
        return self.env["sale.order"].create(
            {
                "partner_id": self.website.user_id.partner_id.id,
                "website_id": self.website.id,
                "company_id": self.company.id,
                "order_line": [
                    fields.Command.create(
                        {"product_id": products[n].id, "product_uom_qty": count}
                    )
                    for n, count in session.items()
                ],
            }
        )

    def _change_catalogue(self, products, world):
        self.website.prevent_zero_price_sale = world["no_free_products"]
        changes = {
            "archived": {"active": False},
            "unpublished": {"is_published": False},
            "not_for_sale": {"sale_ok": False},
            "free": {"list_price": 0.0},
            "dearer": {"list_price": 99.0},
        }
        for product, change, stock in zip(
            products, world["changes"], world["stock"], strict=True
        ):
            product.write(changes.get(change, {}))
            if stock is not None and "allow_out_of_stock_order" in product._fields:
                self._limit_stock(product, stock)

    def _limit_stock(self, product, quantity):
        product.write({"is_storable": True, "allow_out_of_stock_order": False})
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        if quantity:
            self.env["stock.quant"]._update_available_quantity(
                product, warehouse.lot_stock_id, quantity
            )

    def _get_room(self, product, world, number):
        """How many of a product anybody can have now."""
        change = world["changes"][number]
        if change in ("archived", "unpublished", "not_for_sale"):
            return 0
        if change == "free" and world["no_free_products"]:
            return 0
        stock = world["stock"][number]
        if stock is None or "allow_out_of_stock_order" not in product._fields:
            return 1000
        return stock

    def _get_quantities(self, order):
        return {
            line.product_id: line.product_uom_qty
            for line in order.order_line
            if line.product_uom_qty
        }

    def _check_todays_prices(self, order):
        for line in order.order_line:
            self.assertFalse(
                float_compare(line.price_unit, line.product_id.list_price, 2)
            )
