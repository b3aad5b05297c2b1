from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from .common import MarketingCase


class SegmentCase(MarketingCase):
    """Factories for segments, and for what customers did."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.anna = cls.customer
        cls.bob = cls._create_customer("Bob", "bob@example.com")
        cls.cleo = cls._create_customer("Cleo", "cleo@example.com")
        cls.everybody = cls.anna | cls.bob | cls.cleo
        cls.mugs = cls.env["product.public.category"].create({"name": "Mugs"})
        cls.cups = cls.env["product.public.category"].create(
            {"name": "Cups", "parent_id": cls.mugs.id}
        )
        cls.product.public_categ_ids = cls.cups
        cls.lamp = cls._create_product("Lamp", 40.0)
        # Customers of the demo data have ordered, too.
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE sale_order SET state = 'cancel'")
        cls.env.cr.execute("UPDATE sale_order_line SET state = 'cancel'")
        cls.env.cr.execute("DELETE FROM marketing_customer_metrics")
        cls.env.invalidate_all()

    @classmethod
    def _create_segment(cls, *conditions, **vals):
        """Create a segment; ``conditions`` in the documented form."""
        segment = cls.env["customer.segment"].create({"name": "Segment", **vals})
        if conditions:
            segment.set_criteria(
                {"logic": vals.get("logic", "AND"), "conditions": list(conditions)}
            )
        return segment

    def _select(self, *conditions, **vals):
        """Return who of the test's contacts meets conditions."""
        segment = self._create_segment(*conditions, **vals)
        query = segment._get_partner_query()
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL("SELECT id FROM (%s) AS contact (id) ORDER BY id", query)
        )
        found = [partner_id for (partner_id,) in rows]
        self.assertEqual(len(found), len(set(found)), "a contact was found twice")
        return self.everybody.filtered(lambda partner: partner.id in found)

    @classmethod
    def _members(cls, segment):
        return segment.membership_ids.partner_id

    @classmethod
    def _days_ago(cls, days):
        return fields.Datetime.now() - timedelta(days=days)

    @classmethod
    def _order(cls, partner, products=None, days_ago=1, **vals):
        """Create a confirmed order."""
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    fields.Command.create({"product_id": product.id})
                    for product in products or [cls.product]
                ],
                **vals,
            }
        )
        order.action_confirm()
        order.date_order = cls._days_ago(days_ago)
        return order

    @classmethod
    def _view(cls, partner, product=None, days_ago=1, website=None):
        """Have a signed-in customer look at a product's page."""
        visitors = cls.env["website.visitor"]
        visitor = visitors.search([("access_token", "=", str(partner.id))])
        visitor = visitor or visitors.create(
            {
                "access_token": str(partner.id),
                "website_id": (website or cls.website).id,
            }
        )
        return cls.env["website.track"].create(
            {
                "visitor_id": visitor.id,
                "product_id": (product or cls.product).id,
                "visit_datetime": cls._days_ago(days_ago),
            }
        )

    def _engage(self, partner, kind="click", days_ago=1, **vals):
        """Have a customer open a message or click in it."""
        message = self._queue_to(partner, self._create_contact_template())
        message._set_state("sending")
        message._set_state("sent")
        [engagement_id] = self.env["marketing.engagement"]._record_events(
            [
                {
                    "message_id": message.id,
                    "kind": kind,
                    "occurred_at": self._days_ago(days_ago),
                    **vals,
                }
            ]
        )
        return self.env["marketing.engagement"].browse(engagement_id)
