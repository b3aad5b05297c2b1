from odoo import fields
from odoo.tests import tagged

from ..hooks import uninstall_hook
from .coupon_common import CouponCase


@tagged("post_install", "-at_install")
class TestRemoval(CouponCase):
    """What is done before Odoo removes the models; all of it is ``tools/test``'s."""

    def setUp(self):
        super().setUp()
        self.card = self._issue_to("promised")
        self.run = self.card.marketing_enrollment_id
        self.cart = self.run.abandoned_cart_id
        self.order = self.cart.order_id

    def _issue_to(self, name):
        return self._issue(self._create_customer(name, f"{name}@example.com"))

    def _count(self, table):
        self.env.cr.execute(f"SELECT count(*) FROM {table}")
        return self.env.cr.fetchone()[0]

    def test_what_happened_is_gone_at_once(self):
        template = self._create_contact_template()
        message = self._queue_to(self.customer, template)
        self.env["marketing.engagement"].create(
            {
                "message_id": message.id,
                "company_id": self.company.id,
                "kind": "click",
                "occurred_at": fields.Datetime.now(),
            }
        )
        self.order.attributed_message_id = message
        grown = (
            *("marketing_message", "marketing_engagement", "marketing_enrollment"),
            *("abandoned_cart", "marketing_preference", "marketing_consent_log"),
        )
        for table in grown:
            self.assertGreater(self._count(table), 0, table)
        uninstall_hook(self.env)
        for table in grown:
            self.assertEqual(self._count(table), 0, table)
        self.assertTrue(self.order.exists())
        self.assertTrue(self.card.exists())
        self.assertTrue(self.customer.exists())

    def test_nothing_refers_to_what_odoo_deletes_next(self):
        """Odoo unlinks the records that the addon came with, in no good order."""
        self._queue_to(self.customer, self._create_contact_template())
        uninstall_hook(self.env)
        for model in (
            *("marketing.template", "marketing.sequence", "marketing.coupon"),
            *("marketing.sequence.step", "marketing.provider"),
        ):
            with self.subTest(model=model):
                records = self.env[model].with_context(active_test=False).search([])
                self.assertTrue(records)
                self.env.cr.execute(f"DELETE FROM {records._table}")

    def test_marks_that_no_order_came_with(self):
        step = self.sequence.step_ids[0]
        sources = self.env["utm.source"]
        unused = sources.search([("name", "=", step.name)]) or sources.create(
            {"name": step.name}
        )
        used = sources.create({"name": self.sequence.step_ids[1].name})
        self.order.source_id = used
        own = sources.create({"name": "Our newsletter on paper"})
        campaigns = self.env["utm.campaign"]
        made = campaigns.create({"title": self.sequence.name, "is_auto_campaign": True})
        planned = campaigns.create({"title": self.sequence.name})
        uninstall_hook(self.env)
        self.assertFalse(unused.exists())
        self.assertFalse(made.exists())
        self.assertTrue(used.exists(), "an order came with it")
        self.assertTrue(own.exists())
        self.assertTrue(planned.exists(), "somebody made it")

    def test_coupons_stay_good(self):
        self.card.expiration_date = fields.Date.add(fields.Date.today(), days=9)
        uninstall_hook(self.env)
        self.assertEqual(self.card.points, 1)
        self.assertEqual(self.card.program_id.date_to, self.card.expiration_date)
        self._apply(self.order, self.card.code)
        self.assertEqual(self.order.order_line.coupon_id, self.card)
