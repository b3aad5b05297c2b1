from datetime import timedelta

from odoo import fields, http
from odoo.exceptions import ValidationError
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from odoo.addons.payment.tests.http_common import PaymentHttpCommon

from .http_common import BROWSER, MarketingHttpCase


@tagged("post_install", "-at_install")
class TestCartActivity(MarketingHttpCase, PaymentHttpCommon):
    """What customers do in the shop is seen; what they only look at is not."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        self.opener.headers["User-Agent"] = BROWSER
        self.lamp = self._create_product("Reading lamp", 35.0)
        self.order = self._add(self.product)
        self.line = self.order.order_line

    def _add(self, product):
        self._rpc(
            "/shop/cart/add",
            {
                "product_template_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "quantity": 1,
            },
        )
        return self.env["sale.order"].search([], order="id desc", limit=1)

    def _leave(self):
        """The customer goes away; detection looks at the cart."""
        self.order.cart_activity_at = fields.Datetime.now() - timedelta(hours=2)
        self.env.flush_all()
        return self.order.cart_activity_at

    def _assert_active(self, act):
        before = self._leave()
        act()
        self.env.invalidate_all()
        self.assertGreater(self.order.cart_activity_at, before)

    def _submit_address(self):
        country = self.env.ref("base.be")
        return self._get(
            "/shop/address/submit",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "address_type": "billing",
                "use_delivery_as_billing": "true",
                "name": "Greta Guest",
                "email": "greta@guest.example",
                "phone": "+32 2 555 01 02",
                "street": "Rue Haute 1",
                "city": "Bruxelles",
                "zip": "1000",
                "country_id": country.id,
                "required_fields": "name,country_id",
            },
        )

    def _choose_delivery(self):
        carrier = self.order._get_delivery_methods()[:1]
        return self._rpc("/shop/set_delivery_method", {"dm_id": carrier.id})

    def _pay(self, **values):
        return self._rpc(
            f"/shop/payment/transaction/{self.order.id}",
            {
                "access_token": self.order._portal_ensure_token(),
                "amount": self.order.amount_total,
                "provider_id": self.provider.id,
                "payment_method_id": self.payment_method.id,
                "flow": "direct",
                "token_id": None,
                "tokenization_requested": False,
                "landing_route": self.order.get_portal_url(),
                **values,
            },
        )

    def test_new_cart(self):
        self.assertTrue(self.order.cart_activity_at)

    def test_add_change_and_clear(self):
        self._assert_active(lambda: self._add(self.lamp))
        line = {"line_id": self.line.id, "product_id": self.product.id}
        for quantity in (3, 0):
            self._assert_active(
                lambda quantity=quantity: self._rpc(
                    "/shop/cart/update", {**line, "quantity": quantity}
                )
            )
        self._assert_active(lambda: self._rpc("/shop/cart/clear"))

    def test_address(self):
        self._assert_active(self._submit_address)
        self.assertEqual(self.order.partner_id.email, "greta@guest.example")
        self._assert_active(
            lambda: self._rpc(
                "/shop/update_address", {"partner_id": self.order.partner_id.id}
            )
        )

    def test_delivery_method(self):
        self._submit_address()
        self._assert_active(self._choose_delivery)
        self.assertTrue(self.order.carrier_id)

    def test_payment_try(self):
        """A try to pay counts, and the order is confirmed by its payment as ever."""
        self._submit_address()
        self._choose_delivery()
        self._assert_active(self._pay)
        transaction = self.order.transaction_ids
        self.assertEqual(transaction.state, "draft")
        transaction._set_done()
        transaction._post_process()
        self.assertEqual(self.order.state, "sale")

    @mute_logger("odoo.http")
    def test_refused_payment_try(self):
        """Whoever may not pay for a cart leaves no trace in it."""
        self._submit_address()
        self._choose_delivery()
        before = self._leave()
        for values in ({"access_token": "x"}, {"amount": 1.0}):
            with self.assertRaises(JsonRpcException) as refused:
                self._pay(**values)
            self.assertIn(ValidationError.__name__, str(refused.exception))
        self.env.invalidate_all()
        self.assertEqual(self.order.cart_activity_at, before)

    def test_looking_is_no_activity(self):
        before = self._leave()
        for path in ("/shop", "/shop/cart", "/shop/checkout", "/shop/address"):
            self._get(path)
        self._rpc("/shop/cart/quantity")
        self.assertEqual(self.order.cart_activity_at, before)
