import re
from datetime import timedelta

from .http_common import MarketingHttpCase


class CheckoutCase(MarketingHttpCase):
    """Guests at checkout, over HTTP: what they do between the shop and the payment."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        # Nothing to choose on the way to the payment.
        self.product.type = "service"

    def _add(self, product=None, quantity=1):
        """Put a product into the visitor's cart, and return it."""
        product = product or self.product
        self._rpc(
            "/shop/cart/add",
            {
                "product_template_id": product.product_tmpl_id.id,
                "product_id": product.id,
                "quantity": quantity,
            },
        )
        return self._last_order()

    def _last_order(self):
        return self.env["sale.order"].search([], order="id desc", limit=1)

    def _type(self, **values):
        """Type into the address form without sending it."""
        self._get("/shop/address")
        return self._rpc("/shop/cart/contact", values)

    def _submit_address(self, email, **vals):
        page = self._get("/shop/address")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        return self._get(
            "/shop/address/submit",
            data={
                "name": "Gina Guest",
                "email": email,
                "phone": "+32 2 290 34 90",
                "street": "Street 1",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.env.ref("base.be").id,
                "address_type": "billing",
                "use_delivery_as_billing": "true",
                "csrf_token": token,
                **vals,
            },
        ).json()

    def _leave(self, order, minutes=60):
        """The visitor goes away; the shop looks for carts left behind."""
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE sale_order
                  SET cart_activity_at = cart_activity_at - interval '%s minutes'
                WHERE id = %s""",
            [minutes, order.id],
        )
        self.env.invalidate_all()
        for cart in order.abandoned_cart_id:
            cart.abandoned_at -= timedelta(minutes=minutes)
        self._detect()
        return order.abandoned_cart_id
