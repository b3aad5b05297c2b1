from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..large_index import LargeIndex
from .segment_behaviour import BOUGHT_LINE

# A transaction may take so long until others see what it wrote.
OVERLAP = timedelta(minutes=15)

# Whose facts changed lately, by what conditions ask for: contacts and companies (none
# for all). Orders, clicks and figures are noted where they happen or are computed.
RECENT_FACTS = {
    "customer": """SELECT p.id, p.company_id FROM res_partner p
                    WHERE p.write_date >= %(since)s""",
    "consent": """SELECT p.id, said.company_id FROM marketing_preference said
                    JOIN res_partner p
                      ON CASE said.channel WHEN 'sms' THEN p.phone_sanitized
                         ELSE p.email_normalized END = said.address
                   WHERE said.changed_at >= %(since)s""",
    "viewed": """SELECT visitor.partner_id, website.company_id FROM website_track track
                   JOIN website_visitor visitor ON visitor.id = track.visitor_id
                   JOIN website ON website.id = visitor.website_id
                  WHERE track.visit_datetime >= %(since)s
                    AND track.product_id IS NOT NULL
                    AND visitor.partner_id IS NOT NULL""",
    "opened": """SELECT COALESCE(m.partner_id, p.id), e.company_id
                   FROM marketing_engagement e
                   JOIN marketing_message m ON m.id = e.message_id
                   LEFT JOIN res_partner p ON p.email_normalized = m.email_normalized
                  WHERE e.kind = 'open' AND e.is_machine IS NOT TRUE
                    AND e.occurred_at >= %(since)s
                    AND COALESCE(m.partner_id, p.id) IS NOT NULL""",
    "abandoned": """SELECT COALESCE(p.id, cart.partner_id), cart.company_id
                      FROM abandoned_cart cart
                      LEFT JOIN res_partner p
                        ON p.email_normalized = cart.email_normalized
                     WHERE cart.detected_at >= %(since)s
                       AND COALESCE(p.id, cart.partner_id) IS NOT NULL""",
}


class CustomerSegment(models.Model):
    """Changes that nobody notes where they happen are looked for, as far as there are
    conditions that ask for them."""

    _inherit = "customer.segment"

    @api.model
    def _note_recent_facts(self):
        """Note the contacts whose facts changed since the scheduled action last ran."""
        cron = self.env.ref("marketing_automation.ir_cron_refresh_segments")
        since = (cron.lastcall or fields.Datetime.now()) - OVERLAP
        for company in self._get_followers().company_id:
            kinds = self._get_followers(company)._get_facts()
            queries = [
                SQL(
                    """SELECT id FROM (%s) fact (id, company_id)
                        WHERE company_id IS NULL OR company_id = %s""",
                    SQL(RECENT_FACTS[kind], since=since),
                    company.id,
                )
                for kind in sorted(kinds & RECENT_FACTS.keys())
            ]
            if queries:
                self.env.flush_all()
                self.env["marketing.customer.change"]._touch(
                    SQL(" UNION ").join(queries), company
                )

    def _get_facts(self):
        """Return what the conditions of these segments ask for.

        :return: kinds of conditions, and of behaviour
        :rtype: set[str]
        """
        conditions = self.env["customer.segment.condition"]
        domain = [("owner_id", "in", self.ids)]
        groups = conditions._read_group(domain, ["kind", "behaviour"])
        return {
            behaviour if kind == "behaviour" else kind for kind, behaviour in groups
        }


class WebsiteTrack(models.Model):
    _inherit = "website.track"

    # What was looked at lately? Odoo has no index for it.
    _marketing_visit_idx = LargeIndex("(visit_datetime) WHERE product_id IS NOT NULL")


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    _detected_idx = models.Index("(detected_at)")


class MarketingPreference(models.Model):
    _inherit = "marketing.preference"

    _changed_idx = models.Index("(changed_at)")


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Who bought a product is read from it alone; lines themselves are ten times as big.
    _marketing_bought_idx = LargeIndex(
        "(product_id) INCLUDE (company_id, order_partner_id, order_id) WHERE "
        + BOUGHT_LINE.code.replace("sol.", "")
    )
