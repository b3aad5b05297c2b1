from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from .coupon_common import CouponCase
from .payment_common import create_provider


@tagged("post_install", "-at_install")
class TestToursCoupon(CouponCase, HttpCase):
    """Coupons as their customers see them, in a real browser."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.product.type = "service"  # Nobody has to choose a delivery.
        self.env.ref("website_sale.reduction_code").active = True
        self.card = self._issue()
        self.cart = self.card.marketing_enrollment_id.abandoned_cart_id

    def _create_account(self):
        self.customer.write(
            {
                "street": "1 Street",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.env.ref("base.be").id,
                "phone": "+3225551234",
            }
        )
        self.env["res.users"].create(
            {
                "login": "anna_shop",
                "password": "anna_shop",
                "partner_id": self.customer.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )

    def test_checkout_with_coupon(self):
        self._create_account()
        create_provider(self.env)
        self.card.code = "BACK-ANAAN-ANAAN-ANAA"
        other = self._issue(self._create_customer("Bo", "bo@example.com"))
        other.code = "BACK-BOBOB-BOBOB-BOBO"
        self.start_tour(
            "/shop/cart", "marketing_automation.coupon_checkout", login="anna_shop"
        )
        self.env.invalidate_all()
        self.assertEqual(self.cart.order_id.order_line.coupon_id, self.card)

    def test_greeting(self):
        self.start_tour(self.cart._get_recovery_path(), "marketing_automation.greeting")
        self.env.invalidate_all()
        order = self.env["sale.order"].search([], order="id desc", limit=1)
        self.assertEqual(order.order_line.coupon_id, self.card)
