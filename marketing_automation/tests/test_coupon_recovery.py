import re

from odoo import Command
from odoo.tests import tagged

from .coupon_common import CouponCase
from .http_common import MarketingHttpCase

BAR = "o_marketing_greeting o_not_editable"


@tagged("post_install", "-at_install")
class TestCouponRecovery(CouponCase, MarketingHttpCase):
    """The recovery link brings the coupon, and who comes back is greeted."""

    def setUp(self):
        super().setUp()
        self.website.domain = False
        self.lamp = self._create_product("Old lamp", 35.0)
        self.card = self._issue(products=[(self.product, 2), (self.lamp, 1)])
        self.cart = self.card.marketing_enrollment_id.abandoned_cart_id

    def _follow(self, cart=None):
        return self._get((cart or self.cart)._get_recovery_path()).text

    def _bar(self, path="/shop"):
        """Return the greeting of a page as one line of text, empty without one."""
        page = self._get(path).text
        if BAR not in page:
            return ""
        text = page.split(BAR, 1)[1].split("</section>", 1)[0]
        return " ".join(re.sub(r"<[^>]+>", " ", text.split(">", 1)[1]).split())

    def _my_order(self):
        return self.env["sale.order"].search([], order="id desc", limit=1)

    def test_coupon_is_in_the_cart(self):
        page = self._follow()
        order = self._my_order()
        self.assertNotEqual(order, self.cart.order_id, "the visitor's own cart")
        self.assertAlmostEqual(order.amount_total, 67.5)
        self.assertEqual(order.order_line.coupon_id, self.card)
        self.assertIn("Your coupon is in the cart: 10% off", page)

    def test_following_it_twice(self):
        self._follow()
        self._follow()
        order = self._my_order()
        self.assertAlmostEqual(order.amount_total, 67.5)
        self.assertEqual(len(order.applied_coupon_ids), 1)

    def test_newest_of_two(self):
        second = self.sequence.step_ids[1]
        self._hand_out(second, self.env.ref("marketing_automation.coupon_20_percent"))
        self._shift(self.cart, days=2)
        self._process_steps()
        newest = self._issue_for_cart(self.cart)
        self._follow()
        self.assertEqual(self._my_order().order_line.coupon_id, newest)
        self.assertAlmostEqual(self._my_order().amount_total, 60.0)

    def test_cart_without_a_coupon(self):
        self.step.write({"coupon_use": "none", "coupon_id": False})
        plain = self._abandon(self._create_customer("Bo", "bo@example.com"))
        self._process_steps()
        page = self._follow(plain)
        self.assertIn("Welcome back", page)
        self.assertNotIn("coupon is", page)
        self.assertNotIn("coupon", self._bar().lower())

    def test_minimum_that_is_not_reached(self):
        """It says so plainly, and the coupon comes by itself once it is."""
        self.card.marketing_minimum_amount = 100
        self.card.marketing_minimum_untaxed = 100
        page = self._follow()
        self.assertIn("could not be put into the cart", page)
        self.assertIn("for orders from", page)
        order = self._my_order()
        self.assertAlmostEqual(order.amount_total, 75.0)
        self.assertIn("for orders from", self._bar())

    def test_coupon_of_somebody_else_in_the_session(self):
        """Who shares a link shares no discount: it goes when the address is known."""
        self._follow()
        order = self._my_order()
        order.partner_id = self._create_customer("Eve", "eve@example.com")
        order._update_programs_and_rewards()
        self.assertAlmostEqual(order.amount_total, 75.0)
        self.assertIn("This coupon is personal", self._bar())

    # === GREETING ===#

    def test_greeting_on_the_pages_of_the_shop(self):
        self.lamp.is_published = False
        self._follow()
        bar = self._bar()
        self.assertIn("Welcome back. We put back into your cart: Blue mug", bar)
        self.assertIn("No longer available: Old lamp", bar)
        self.assertIn("10% off", bar)
        self.assertTrue(self._bar(self.product.website_url))
        self.assertTrue(self._bar("/shop/cart"))
        self.assertFalse(self._bar("/"))
        self.assertFalse(self._bar("/contactus"))

    def test_cart_page_greets_once(self):
        page = self._follow()
        self.assertIn("o_cart_recovery_notice", page)
        self.assertNotIn(BAR, page)

    def test_many_products_are_counted(self):
        products = [self._create_product(f"Part {n}", 5.0) for n in range(6)]
        card = self._issue(
            self._create_customer("Bo", "bo@example.com"),
            [(product, 1) for product in products],
        )
        self._follow(card.marketing_enrollment_id.abandoned_cart_id)
        self.assertIn("Part 0, Part 1, Part 2 and 3 more", self._bar())

    def _close(self, path="/shop", **kwargs):
        page = self._get(path).text
        token = re.search(r'csrf_token" value="([^"]+)"', page.split(BAR, 1)[1]).group(
            1
        )
        return self._get(
            "/shop/greeting/close",
            data={"csrf_token": token},
            headers={"Referer": self.base_url() + path},
            allow_redirects=False,
            **kwargs,
        )

    def test_closed_for_good(self):
        self._follow()
        response = self._close(self.product.website_url)
        self.assertEqual(response.status_code, 303)
        self.assertTrue(response.headers["Location"].endswith(self.product.website_url))
        self.assertFalse(self._bar())
        self.assertFalse(self._bar("/shop/cart"))

    def test_closing_leads_nowhere_else(self):
        self._follow()
        page = self._get("/shop").text
        token = re.search(r'csrf_token" value="([^"]+)"', page.split(BAR, 1)[1]).group(
            1
        )
        for referrer in ("https://evil.example.com/shop/x", "", "nonsense"):
            response = self._get(
                "/shop/greeting/close",
                data={"csrf_token": token},
                headers={"Referer": referrer},
                allow_redirects=False,
            )
            self.assertEqual(
                response.headers["Location"].replace(self.base_url(), ""), "/shop"
            )

    def test_strangers_are_not_greeted(self):
        self._follow()
        self.assertTrue(self._bar())
        self._new_visitor()
        self.assertFalse(self._bar())

    def test_somebody_else_logs_in(self):
        """On the same browser, in the same session."""
        self._follow()
        self.env["res.users"].create(
            {
                "name": "Eve",
                "login": "eve_shop",
                "password": "eve_shop_pw",
                "email": "eve@example.com",
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )
        page = self._get("/web/login").text
        token = re.search(r'csrf_token" value="([^"]+)"', page).group(1)
        self._get(
            "/web/login",
            data={
                "csrf_token": token,
                "login": "eve_shop",
                "password": "eve_shop_pw",
            },
        )
        self.assertIn("/my", self._get("/my").url)
        self.assertFalse(self._bar())

    def test_over_with_the_order(self):
        self._follow()
        self._my_order().partner_id = self.customer
        self._my_order().action_confirm()
        self.assertFalse(self._bar())

    def test_used_elsewhere_meanwhile(self):
        self._follow()
        other = self._create_cart()
        self._apply(other, self.card.code)
        self.card.points = 0
        bar = self._bar()
        self.assertIn("Welcome back", bar)
        self.assertNotIn("coupon", bar.lower())
