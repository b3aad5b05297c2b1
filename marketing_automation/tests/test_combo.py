from odoo import Command
from odoo.tests import tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestCombo(MarketingCase):
    """A combo is offered and sold with all that belongs to it, or not at all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.veggie = cls._create_product("Veggie burger", 12.0, is_published=False)
        cls.beef = cls._create_product("Beef burger", 13.0, is_published=False)
        cls.juice = cls._create_product("Juice", 4.0, is_published=False)
        cls.food = cls._create_choice("Burger", cls.veggie, cls.beef)
        cls.drink = cls._create_choice("Drink", cls.juice)
        cls.menu = cls._create_product(
            "Menu",
            13.0,
            type="combo",
            combo_ids=[Command.set((cls.food + cls.drink).ids)],
        )

    @classmethod
    def _create_choice(cls, name, *products):
        return cls.env["product.combo"].create(
            {
                "name": name,
                "combo_item_ids": [
                    Command.create({"product_id": product.id}) for product in products
                ],
            }
        )

    def _abandon_menu(self, *products):
        """Abandon a cart with two menus of a veggie burger and juice."""
        order = self._create_cart(products=[(self.menu, 2), *products])
        main = order.order_line[0]
        for choice in (self.food, self.drink):
            item = choice.combo_item_ids[0]
            main.create(
                {
                    "order_id": order.id,
                    "product_id": item.product_id.id,
                    "product_uom_qty": 2,
                    "linked_line_id": main.id,
                    "combo_item_id": item.id,
                }
            )
        self._detect()
        self._process_steps()
        return order.abandoned_cart_id

    def _get_reason(self, cart):
        """Return why the message of a cart would not go."""
        message = cart.message_ids
        message.ensure_one()
        decision = self.env["marketing.gate"]._decide(message)[message.id]
        return decision and decision.reason

    def _restore(self, cart):
        """Follow the link of a cart in another browser."""
        order = self._create_cart(products=[(self.product, 1)])
        return order, cart._restore_into(order)

    def test_complete(self):
        cart = self._abandon_menu()
        self.assertIsNone(self._get_reason(cart))
        self.assertEqual(cart.order_id._get_cart_lines().product_id, self.menu)
        order, outcome = self._restore(cart)
        self.assertEqual(outcome, {"dropped": [], "reduced": []})
        self.assertEqual(
            order.order_line.product_id,
            self.product + self.menu + self.veggie + self.juice,
        )

    def test_choice_archived(self):
        """Odoo deletes the line of the archived part and leaves the others."""
        cart = self._abandon_menu()
        self.veggie.action_archive()
        left = cart.order_id.order_line.filtered("combo_item_id")
        self.assertEqual(left.product_id, self.juice)
        self._assert_gone(cart)

    def test_choice_deleted_from_cart(self):
        cart = self._abandon_menu()
        lines = cart.order_id.order_line
        lines.filtered(lambda line: line.product_id == self.juice).unlink()
        self._assert_gone(cart)

    def test_choice_added_to_the_combo(self):
        cart = self._abandon_menu()
        self.menu.combo_ids += self._create_choice("Dessert", self.product)
        self._assert_gone(cart)

    def test_all_choices_gone(self):
        cart = self._abandon_menu()
        (self.veggie + self.juice).action_archive()
        self._assert_gone(cart)

    def test_other_products_stay(self):
        lamp = self._create_product("Lamp", 35.0)
        cart = self._abandon_menu((lamp, 1))
        self.veggie.action_archive()
        self.assertIsNone(self._get_reason(cart))
        self.assertEqual(cart.order_id._get_cart_lines().product_id, lamp)
        order, outcome = self._restore(cart)
        self.assertEqual(outcome["dropped"], ["Menu"])
        self.assertEqual(order.order_line.product_id, self.product + lamp)

    def test_in_the_cart_itself(self):
        """The customer comes back to their own cart: the rest of the menu goes."""
        lamp = self._create_product("Lamp", 35.0)
        cart = self._abandon_menu((lamp, 1))
        self.veggie.action_archive()
        outcome = cart._restore_into(cart.order_id)
        self.assertEqual(outcome["dropped"], ["Menu"])
        self.assertEqual(cart.order_id.order_line.product_id, lamp)

    def test_detection(self):
        """A cart of which nothing can be sold is not recovered."""
        cart = self._abandon(products=[(self.menu, 1)])
        self.assertEqual(cart.state, "excluded")
        self.assertEqual(cart.exclusion_reason, "no_sellable_lines")

    def _assert_gone(self, cart):
        self.assertEqual(self._get_reason(cart), "nothing_available")
        self.assertFalse(cart.order_id._get_cart_lines())
        order, outcome = self._restore(cart)
        self.assertEqual(outcome, {"dropped": ["Menu"], "reduced": []})
        self.assertEqual(order.order_line.product_id, self.product)
