from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .http_common import MarketingHttpCase

GREETING = "Welcome back, here is your cart"
NOT_FOUND = "We could not find this cart"
STATE_TABLES = (
    "abandoned_cart",
    "marketing_enrollment",
    "marketing_message",
    "marketing_engagement",
    "res_partner",
    "sale_order",
    "sale_order_line",
)


@tagged("post_install", "-at_install")
class TestRecoveryLink(MarketingHttpCase):
    """The recovery link, seen from the browser of whoever opens it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.website.domain = False
        cls.lamp = cls._create_product("Reading lamp", 35.0)
        cls.owner = new_test_user(
            cls.env,
            "owner",
            groups="base.group_portal",
            name="Philippa Quartermain",
            email="philippa@quartermain.example",
        )
        cls.owner.partner_id.write(
            {
                "street": "47 Larkspur Crescent",
                "city": "Wrexham",
                "zip": "LL11 9ZZ",
                "phone": "+44 1632 960777",
                "country_id": cls.env.ref("base.uk").id,
            }
        )
        cls.stranger = new_test_user(
            cls.env,
            "stranger",
            groups="base.group_portal",
            name="Somebody Else",
            email="somebody@else.example",
        )

    def setUp(self):
        super().setUp()
        self.cart = self._abandon(
            partner=self.owner.partner_id, products=[(self.product, 2), (self.lamp, 1)]
        )
        self._process_steps()
        self.left = self.cart.order_id
        self.link = self.cart._get_recovery_path()

    # === HELPERS ===#

    def _last_order(self):
        return self.env["sale.order"].search([], order="id desc", limit=1)

    def _quantities(self, order):
        return {
            line.product_id: line.product_uom_qty
            for line in order.order_line
            if line._is_recoverable_line()
        }

    def _add_to_cart(self, product, quantity):
        self._rpc(
            "/shop/cart/add",
            {
                "product_template_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "quantity": quantity,
            },
        )
        return self._last_order()

    def _assert_friendly(self, response, text, status):
        self.assertEqual(response.status_code, status)
        self.assertIn(text, response.text)
        self.assertIn('href="/shop"', response.text)
        self.assertNotIn(GREETING, response.text)
        self.assertNotIn(self.product.name, response.text)
        self.assertNotIn("Quartermain", response.text)

    def _assert_restored(self, response, order):
        self.assertEqual(response.status_code, 200)
        self.assertIn(GREETING, response.text)
        self.assertEqual(self._quantities(order), {self.product: 2, self.lamp: 1})

    # === WHO FOLLOWS THE LINK ===#

    def test_fresh_browser(self):
        """A browser that was never in the shop finds the products in its cart."""
        response = self._get(self.link)
        self.assertEqual(response.url, self.base_url() + "/shop/cart")
        copy = self._last_order()
        self.assertNotEqual(copy, self.left)
        self._assert_restored(response, copy)
        self.assertIn(self.product.name, response.text)
        self.assertEqual(copy.partner_id, self.website.user_id.partner_id)
        self.assertEqual(copy.abandoned_cart_id, self.cart)
        self.assertNotIn(GREETING, self._get("/shop/cart").text)

    def test_other_device(self):
        """Each device gets a cart of its own; the one left behind stays as it was."""
        before = self._rows("abandoned_cart", "marketing_enrollment", "res_partner")
        self._get(self.link)
        first = self._last_order()
        self._new_visitor()
        self._get(self.link)
        second = self._last_order()
        self.assertNotEqual(first, second)
        self.assertEqual(self._quantities(second), self._quantities(self.left))
        self.assertEqual(self.left.partner_id, self.owner.partner_id)
        self.assertEqual(self._rows(*before), before)

    def test_owner_logged_in(self):
        """The owner gets the very cart back, whatever else is open in the account."""
        self._create_cart(
            partner=self.owner.partner_id, products=[(self.lamp, 7)], idle_minutes=0
        )
        self._new_visitor("owner")
        count = self.env["sale.order"].search_count([])
        response = self._get(self.link)
        self._assert_restored(response, self.left)
        self.assertEqual(self.env["sale.order"].search_count([]), count)
        self._add_to_cart(self.product, 1)
        self.assertEqual(self._quantities(self.left)[self.product], 3)

    def test_owner_with_other_cart_in_session(self):
        """What the owner is filling right now is kept and completed."""
        self._new_visitor("owner")
        self.left.website_id = False
        current = self._add_to_cart(self.lamp, 3)
        self.left.website_id = self.website
        self.assertNotEqual(current, self.left)
        self._get(self.link)
        self.assertEqual(self._quantities(current), {self.product: 2, self.lamp: 3})
        self.assertEqual(current.partner_id, self.owner.partner_id)
        self.assertEqual(self._quantities(self.left)[self.lamp], 1)

    def test_owner_by_address(self):
        """A guest's cart is recognized by the address of the account."""
        guest = self._create_customer("P. Q.", "Philippa@Quartermain.example")
        self.left.partner_id = guest
        self.cart.partner_id = guest
        self._new_visitor("owner")
        response = self._get(self.link)
        order = self._last_order()
        self._assert_restored(response, order)
        self.assertNotEqual(order, self.left)
        self.assertEqual(order.partner_id, self.owner.partner_id)

    def test_stranger_logged_in(self):
        """Somebody else's account sees what a wrong link shows, in every state."""
        self._new_visitor("stranger")
        before = self._rows(*STATE_TABLES)
        wrong = self._get("/shop/cart/recover/" + "0" * 32)
        self._assert_friendly(wrong, NOT_FOUND, 404)
        self._assert_friendly(self._get(self.link), NOT_FOUND, 404)
        self.assertNotIn(GREETING, self._get("/shop/cart").text)
        self.assertEqual(self._rows(*before), before)
        for state in ("recovered", "expired"):
            self.cart.state = state
            self._assert_friendly(self._get(self.link), NOT_FOUND, 404)

    def test_stranger_logs_in_later(self):
        """Logging in between link and cart gives a stranger nothing."""
        self._get(self.link, allow_redirects=False)
        cookie = self.opener.cookies["session_id"]
        self.assertTrue(cookie)
        self.authenticate(
            "stranger",
            "stranger",
            session_extra={"marketing_cart_to_restore": self.cart.token},
        )
        response = self._get("/shop/cart")
        self.assertNotIn(GREETING, response.text)
        self.assertNotIn(self.product.name, response.text)

    # === WHAT IS IN THE SESSION ALREADY ===#

    def test_merge_raises_and_never_sums(self):
        """Quantities become the higher of both; twice is the same as once."""
        current = self._add_to_cart(self.product, 1)
        self._add_to_cart(self.lamp, 5)
        mug = self._create_product("Travel mug", 9.0)
        self._add_to_cart(mug, 1)
        for _try in range(2):
            response = self._get(self.link)
            self.assertIn(GREETING, response.text)
            self.assertEqual(
                self._quantities(current), {self.product: 2, self.lamp: 5, mug: 1}
            )
        self.assertEqual(self._last_order(), current)
        self.assertEqual(self.cart.returned_at, False)

    def test_merge_into_other_abandoned_cart(self):
        """Two carts of a person in one: both are held, both end with the order."""
        current = self._add_to_cart(self.lamp, 4)
        guest = self._create_customer("Philippa", self.owner.email)
        current.write(
            {
                "partner_id": guest.id,
                "cart_activity_at": fields.Datetime.now() - timedelta(hours=2),
            }
        )
        self._detect()
        other = current.abandoned_cart_id
        self.assertEqual(other.state, "abandoned")
        self._get(self.link)
        self.assertEqual(self._quantities(current), {self.product: 2, self.lamp: 4})
        self.assertTrue(self._rpc("/shop/cart/returned"))
        self.assertTrue(other.returned_at)
        self.assertTrue(self.cart.returned_at)
        self.assertEqual(self.cart.enrollment_ids.state, "paused")
        # Left behind again: the recovery goes on.
        for order in (current, self.left):
            # Later than the first time, however fast this test is.
            order.cart_activity_at -= timedelta(hours=1)
        self._detect()
        self.assertEqual(self.cart.enrollment_ids.state, "active")
        self.assertEqual(self.cart.order_id, self.left)
        self.assertEqual(other.order_id, current)
        current.action_confirm()
        self.assertEqual((self.cart | other).mapped("state"), ["recovered"] * 2)
        self.assertEqual(self.left.state, "cancel")

    def test_merge_into_cart_nobody_knows(self):
        """A cart without any address that was set aside carries the recovery on."""
        current = self._add_to_cart(self.lamp, 1)
        current.cart_activity_at -= timedelta(hours=2)
        self._detect()
        self.assertEqual(current.abandoned_cart_id.exclusion_reason, "no_contact")
        self._get(self.link)
        self.assertTrue(self._rpc("/shop/cart/returned"))
        self.assertEqual(self.cart.enrollment_ids.state, "paused")
        current.partner_id = self._create_customer("Partner", "partner@example.com")
        current.action_confirm()
        self.assertEqual(self.cart.state, "recovered")
        self.assertEqual(self.cart.recovered_order_id, current)
        self.assertEqual(self.cart.recovered_amount, current.amount_total)
        self.assertEqual(self.left.state, "cancel")

    def test_own_options_are_added_once(self):
        """A line with a text the customer typed is recognized the second time."""
        attribute = self.env["product.attribute"].create(
            {
                "name": "Engraving",
                "create_variant": "no_variant",
                "value_ids": [
                    fields.Command.create({"name": "Text", "is_custom": True}),
                    fields.Command.create({"name": "None"}),
                ],
            }
        )
        self.env["product.template.attribute.line"].create(
            {
                "product_tmpl_id": self.lamp.product_tmpl_id.id,
                "attribute_id": attribute.id,
                "value_ids": [fields.Command.set(attribute.value_ids.ids)],
            }
        )
        text, none = (
            self.lamp.product_tmpl_id.attribute_line_ids.product_template_value_ids
        )
        plain = self.left.order_line.filtered(lambda x: x.product_id == self.lamp)
        plain.product_no_variant_attribute_value_ids = none
        self.left.order_line.create(
            {
                "order_id": self.left.id,
                "product_id": self.lamp.id,
                "product_uom_qty": 3,
                "product_no_variant_attribute_value_ids": [
                    fields.Command.set(text.ids)
                ],
                "product_custom_attribute_value_ids": [
                    fields.Command.create(
                        {
                            "custom_product_template_attribute_value_id": text.id,
                            "custom_value": "For Ada",
                        }
                    )
                ],
            }
        )
        for _try in range(2):
            self._get(self.link)
        lines = self._last_order().order_line.filtered(
            lambda line: line.product_id == self.lamp
        )
        self.assertEqual(lines.mapped("product_uom_qty"), [1, 3])
        self.assertEqual(
            lines[1].product_custom_attribute_value_ids.custom_value, "For Ada"
        )

    def test_combo(self):
        """A combo comes back with its parts, and only once."""
        combo = self.env["product.combo"].create(
            {
                "name": "Lamp or mug",
                "combo_item_ids": [
                    fields.Command.create({"product_id": product.id})
                    for product in (self.product, self.lamp)
                ],
            }
        )
        bundle = self._create_product(
            "Desk bundle",
            50.0,
            type="combo",
            combo_ids=[fields.Command.set(combo.ids)],
        )
        item = combo.combo_item_ids[1]
        main = self.left.order_line.create(
            {"order_id": self.left.id, "product_id": bundle.id, "product_uom_qty": 2}
        )
        main.create(
            {
                "order_id": self.left.id,
                "product_id": item.product_id.id,
                "product_uom_qty": 2,
                "linked_line_id": main.id,
                "combo_item_id": item.id,
            }
        )
        for _try in range(2):
            self._get(self.link)
            copy = self._last_order()
            self.assertEqual(
                self._quantities(copy), {self.product: 2, self.lamp: 1, bundle: 2}
            )
            part = copy.order_line.filtered("combo_item_id")
            self.assertEqual(part.product_id, self.lamp)
            self.assertEqual(part.product_uom_qty, 2)
            self.assertEqual(part.linked_line_id.product_id, bundle)

    # === WHAT BECAME OF THE PRODUCTS ===#

    def test_product_archived(self):
        self.lamp.action_archive()
        self._assert_dropped()

    def test_product_unpublished(self):
        self.lamp.is_published = False
        self._assert_dropped()

    def test_product_no_longer_for_sale(self):
        self.lamp.sale_ok = False
        self._assert_dropped()

    def test_product_sold_out(self):
        self._require_stock_rules()
        self.lamp.write({"is_storable": True, "allow_out_of_stock_order": False})
        self._assert_dropped()

    def _require_stock_rules(self):
        if "allow_out_of_stock_order" not in self.env["product.template"]._fields:
            self.skipTest("The shop's stock rules (website_sale_stock) are missing")

    def _assert_dropped(self):
        response = self._get(self.link)
        self.assertIn(GREETING, response.text)
        self.assertIn("No longer available", response.text)
        self.assertIn(self.lamp.name, response.text)
        self.assertNotIn("Warning!", response.text)
        self.assertEqual(self._quantities(self._last_order()), {self.product: 2})

    def test_owner_loses_what_is_not_sold(self):
        """The owner's own cart is cleaned as well, or it could not be ordered."""
        self.lamp.is_published = False
        self._new_visitor("owner")
        response = self._get(self.link)
        self.assertIn("No longer available", response.text)
        self.assertEqual(self._quantities(self.left), {self.product: 2})

    def test_less_in_stock(self):
        """What is left of a product is put back, and the greeting says so."""
        self._require_stock_rules()
        self.product.write({"is_storable": True, "allow_out_of_stock_order": False})
        warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.company.id)], limit=1
        )
        self.env["stock.quant"]._update_available_quantity(
            self.product, warehouse.lot_stock_id, 1
        )
        response = self._get(self.link)
        self.assertIn("1 instead of", " ".join(response.text.split()))
        self.assertNotIn("Warning!", response.text)
        self.assertEqual(
            self._quantities(self._last_order()), {self.product: 1, self.lamp: 1}
        )

    def test_todays_prices(self):
        self.product.list_price = 99.0
        self._get(self.link)
        line = self._last_order().order_line.filtered(
            lambda x: x.product_id == self.product
        )
        self.assertEqual(line.price_unit, 99.0)

    def test_original_cart_deleted(self):
        """Without the original, the snapshot is put back."""
        self.left.action_cancel()
        self.left.unlink()
        response = self._get(self.link)
        self._assert_restored(response, self._last_order())

    # === LINKS THAT LEAD NOWHERE ===#

    def test_ordered(self):
        self.left.action_confirm()
        before = self._rows(*STATE_TABLES)
        self._assert_friendly(self._get(self.link), "This cart has been ordered", 200)
        self.assertEqual(self._rows(*before), before)

    def test_expired(self):
        self.cart.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        before = self._rows(*STATE_TABLES)
        self._assert_friendly(self._get(self.link), "This link has expired", 410)
        self.assertEqual(self._rows(*before), before)

    def test_wrong_tokens(self):
        before = self._rows(*STATE_TABLES)
        token = self.cart.token
        for wrong in (
            "f" * 32,
            token[:-1],
            token + "0",
            token.upper() if token.upper() != token else "F" * 32,
            "1",
            "%00" * 32,
            "%C3%A9" * 32,
            "' OR 1=1 --",
            "<script>alert(1)</script>".replace("/", "%2F"),
            "%F0%9F%9B%92",
        ):
            with self.subTest(wrong):
                response = self._get("/shop/cart/recover/" + wrong)
                self.assertEqual(response.status_code, 404)
                self.assertNotIn("<script>alert", response.text)
        self.assertEqual(self._rows(*before), before)

    def test_post_is_refused(self):
        self.assertEqual(self._get(self.link, data={"a": "b"}).status_code, 405)

    def test_other_website_without_domain(self):
        """A cart is only put back on its own website."""
        other = self.env["website"].create({"name": "Second shop"})
        cart = self._abandon(website_id=other.id)
        before = self._rows(*STATE_TABLES)
        response = self._get(cart._get_recovery_path())
        self._assert_friendly(response, NOT_FOUND, 404)
        self.assertEqual(self._rows(*before), before)

    def test_other_website_with_domain(self):
        """The link leads on to the website where the cart is."""
        other = self.env["website"].create(
            {"name": "Second shop", "domain": "https://second.example.com"}
        )
        cart = self._abandon(website_id=other.id)
        before = self._rows(*STATE_TABLES)
        response = self._get(cart._get_recovery_path(), allow_redirects=False)
        self.assertEqual(response.status_code, 302)
        self.assertEqual(
            response.headers["Location"],
            "https://second.example.com" + cart._get_recovery_path(),
        )
        self.assertEqual(self._rows(*before), before)

    def test_shop_for_customers_only(self):
        """Where only customers may shop, the cart waits behind the login."""
        self.website.ecommerce_access = "logged_in"
        response = self._get(self.link)
        self.assertIn("/web/login", response.url)
        self.assertEqual(self._last_order(), self.left)

    def test_language(self):
        """Another language keeps the link working and speaks it."""
        french = self.env["res.lang"]._activate_lang("fr_FR")
        self.website.language_ids += french
        response = self._get("/fr" + self.link)
        self.assertEqual(response.url, self.base_url() + "/fr/shop/cart")
        self._assert_restored(response, self._last_order())

    # === LINK SCANNERS ===#

    def test_scanners_change_nothing(self):
        before = self._rows(*STATE_TABLES)
        requests = {
            "looks only": {"method": "HEAD"},
            "does not follow": {"allow_redirects": False},
            "robot": {"headers": {"User-Agent": "Mozilla/5.0 (compatible; Somebot/1)"}},
            "no name": {"headers": {"User-Agent": ""}},
            "prefetch": {"headers": {"Sec-Purpose": "prefetch;anonymous-client-ip"}},
            "old prefetch": {"headers": {"Purpose": "prefetch"}},
        }
        for name, request in requests.items():
            with self.subTest(name):
                self._new_visitor()
                self._get(self.link, **request)
                self.assertEqual(self._rows(*before), before)

    def test_prefetch_is_asked_again(self):
        """A page fetched ahead must not be shown in place of the filled cart."""
        headers = {"Sec-Purpose": "prefetch"}
        self.assertEqual(self._get(self.link, headers=headers).status_code, 503)
        self._assert_restored(self._get(self.link), self._last_order())

    def test_robot_with_cookies(self):
        """A robot that comes to the cart with a person's session restores nothing."""
        self._get(self.link, allow_redirects=False)
        before = self._rows(*STATE_TABLES)
        self._get("/shop/cart", headers={"User-Agent": "Somebot/1"})
        self._get("/shop/cart", method="HEAD")
        self.assertEqual(self._rows(*before), before)
        self.assertIn(GREETING, self._get("/shop/cart").text)

    def test_following_scanner(self):
        """A scanner that looks like a browser fills a cart of its own, no more."""
        tables = [t for t in STATE_TABLES if not t.startswith("sale_order")]
        before = self._rows(*tables)
        left = self.left.read(["write_date", "partner_id", "state", "order_line"])
        self._get(self.link)
        copy = self._last_order()
        self.assertFalse(copy.cart_activity_at)
        self._detect()
        self.assertEqual(self._rows(*tables), before)
        self.assertEqual(self.left.read(list(left[0])), left)
        self.assertEqual(self.cart.order_id, self.left)

    def test_untouched_copies_are_deleted(self):
        self._get(self.link)
        untouched = self._last_order()
        self._new_visitor()
        self._get(self.link)
        touched = self._last_order()
        self._add_to_cart(self.lamp, 1)
        self.env.cr.execute(
            "UPDATE sale_order SET create_date = create_date - interval '8 days' "
            "WHERE id = ANY(%s)",
            [(untouched | touched | self.left).ids],
        )
        self.env.invalidate_all()
        self.env["abandoned.cart"]._gc_untouched_copies()
        self.assertFalse(untouched.exists())
        self.assertTrue(touched.exists())
        self.assertTrue(self.left.exists())

    # === WHAT A FRESH SESSION SEES ===#

    def test_no_personal_data(self):
        """No page tells the holder of the link who left the cart."""
        self._get(self.link)
        partner = self.owner.partner_id
        secrets = [partner.name, partner.street, partner.email, partner.phone]
        secrets += ["Philippa", "Wrexham", "LL11", self.left.name]
        for path in (
            "/shop/cart",
            "/shop/checkout",
            "/shop/checkout?try_skip_step=true",
            "/shop/address",
            "/shop/address?address_type=billing",
            f"/shop/address?partner_id={partner.id}",
            "/shop/payment",
            "/shop/confirmation",
            "/my/orders",
        ):
            with self.subTest(path):
                text = self._get(path).text
                for secret in secrets:
                    self.assertNotIn(secret, text)

    # === THE CUSTOMER IS BACK ===#

    def test_returned(self):
        message = self.cart.message_ids
        self._click(message)
        self._get(self.link)
        self.assertFalse(self.cart.returned_at)
        self.assertEqual(self.cart.enrollment_ids.state, "active")
        self.assertTrue(self._rpc("/shop/cart/returned"))
        self.assertTrue(self.cart.returned_at)
        self.assertEqual(self.cart.returned_message_id, message)
        self.assertEqual(self.cart.enrollment_ids.state, "paused")

    def test_returned_speaks_of_the_own_cart_only(self):
        self._add_to_cart(self.lamp, 1)
        before = self._rows("abandoned_cart", "marketing_enrollment")
        self.assertFalse(self._rpc("/shop/cart/returned"))
        self._new_visitor()
        self.assertFalse(self._rpc("/shop/cart/returned"))
        self.assertEqual(self._rows(*before), before)

    def test_buying_the_copy(self):
        """The order of the filled cart ends the recovery and the cart left behind."""
        self._click(self.cart.message_ids)
        self._get(self.link)
        copy = self._last_order()
        copy.partner_id = self._create_customer("Work", "work@example.com")
        copy.action_confirm()
        self.assertEqual(self.cart.state, "recovered")
        self.assertEqual(self.cart.recovered_order_id, copy)
        self.assertEqual(copy.attributed_message_id, self.cart.message_ids)
        self.assertEqual(self.left.state, "cancel")
        self._new_visitor("owner")
        self.assertNotIn(self.product.name, self._get("/shop/cart").text)
