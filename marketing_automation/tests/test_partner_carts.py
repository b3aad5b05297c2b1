from odoo.tests import new_test_user, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestPartnerCarts(MarketingCase):
    """How often a customer left a cart behind, came back and bought (C8)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twin = cls._create_customer("Anna, as a guest", "Anna@example.com")
        cls.nobody = cls._create_customer("Nobody", "nobody@example.com")
        first = cls._abandon()
        first._mark_returned()
        second = cls._abandon(partner=cls.twin)
        second.order_id.action_confirm()
        cls.third = cls._abandon()
        small = cls._create_cart(products=[(cls._create_product("Pin", 1.0), 1)])
        cls.company.cart_minimum_amount = 10
        cls._detect()
        cls.company.cart_minimum_amount = 0
        cls.excluded = small.abandoned_cart_id

    def _figures(self, partner):
        return (
            partner.marketing_carts_left,
            partner.marketing_carts_returned,
            partner.marketing_carts_recovered,
            partner.marketing_cart_count,
        )

    def test_figures_of_a_person(self):
        """Under whatever contact; an order ends all carts that were open."""
        for partner in (self.customer, self.twin):
            self.assertEqual(self._figures(partner), (3, 2, 2, 4))
        self.assertEqual(self._figures(self.nobody), (0, 0, 0, 0))
        new = self.env["res.partner"].new({"email": "anna@example.com"})
        self.assertEqual(self._figures(new), (0, 0, 0, 0))

    def test_of_the_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        partner = self.customer.with_company(other)
        self.assertEqual(self._figures(partner), (0, 0, 0, 0))

    def test_search(self):
        people = self.customer | self.twin | self.nobody
        among = [("id", "in", people.ids)]

        def find(*condition):
            return self.env["res.partner"].search([*among, condition])

        both = self.customer | self.twin
        self.assertEqual(find("marketing_carts_left", ">", 2), both)
        self.assertEqual(find("marketing_carts_left", ">", 3), people.browse())
        self.assertEqual(find("marketing_carts_left", ">=", 0), people)
        self.assertEqual(find("marketing_carts_recovered", "=", 2), both)
        self.assertEqual(find("marketing_carts_recovered", "!=", 2), self.nobody)
        self.assertEqual(find("marketing_carts_returned", "<", 1), self.nobody)
        self.assertEqual(find("marketing_carts_left", "=", 0), self.nobody)
        self.assertEqual(find("marketing_carts_left", "in", [0, 3]), people)
        self.assertEqual(find("marketing_carts_left", "in", []), people.browse())

    def test_constant_number_of_queries(self):
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            self._figures(self.customer)

    def test_button(self):
        action = self.twin.action_view_marketing_carts()
        carts = self.env["abandoned.cart"].search(action["domain"])
        self.assertEqual(len(carts), 4)
        self.assertIn(self.excluded, carts)

    def test_for_marketing_alone(self):
        user = new_test_user(self.env, "sam", groups="sales_team.group_sale_salesman")
        fields = self.env["res.partner"].with_user(user).fields_get()
        self.assertNotIn("marketing_carts_left", fields)
