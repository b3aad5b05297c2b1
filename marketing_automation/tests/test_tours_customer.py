from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import MarketingCase


@tagged("post_install", "-at_install")
class TestToursCustomer(MarketingCase, HttpCase):
    """A customer in figures, in a real browser."""

    def test_customer(self):
        self.env.cr.execute("UPDATE sale_order SET state = 'cancel'")
        self.env.invalidate_all()
        tess = self._create_customer("Tess Tour", "tess@example.com")
        guest = self._create_customer("Tess as guest", "tess@example.com")
        for partner, days in (
            *((tess, 65), (guest, 35), (tess, 5)),
            *(
                (self._create_customer(f"C{n}", f"c{n}@example.com"), 99)
                for n in "1234"
            ),
        ):
            order = self._create_cart(partner)
            order.action_confirm()
            order.date_order = fields.Datetime.now() - timedelta(days=days)
        self.env["marketing.customer.metrics"]._refresh_all()
        self.start_tour(
            "/odoo/marketing-customers", "marketing_automation_customer", login="admin"
        )
        nobody = self._create_customer("No Body", "nobody@example.com")
        self.start_tour(
            f"/odoo/res.partner/{nobody.id}",
            "marketing_automation_customer_empty",
            login="admin",
        )
