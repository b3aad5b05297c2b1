from odoo import api, models
from odoo.tools import SQL

from .loose_many2one import LooseMany2one


class MarketingCustomerChange(models.Model):
    """Customers whose facts changed since whoever depends on them last looked.

    Contacts may be gone that are noted here.
    """

    _name = "marketing.customer.change"
    _description = "Changed Customer"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = LooseMany2one("res.partner", required=True, readonly=True)
    company_id = LooseMany2one("res.company", required=True, readonly=True)

    _partner_company_uniq = models.UniqueIndex("(partner_id, company_id)")

    @api.model
    def _touch(self, partners, company):
        """Note that the facts about contacts changed, once for each.

        :param SQL partners: a query for ids of ``res.partner``
        :param res.company company: whose customers they are
        """
        self._touch_changed(
            SQL(
                "SELECT p.id AS partner_id FROM res_partner p WHERE p.id IN (%s)",
                partners,
            ),
            company,
        )

    @api.model
    def _touch_changed(self, statement, company):
        """Run a statement and note the contacts it tells of.

        :param SQL statement: returns ``partner_id``, each once
        :param res.company company: whose customers they are
        """
        self.env.cr.execute(
            SQL(
                """WITH changed AS (%s)
                   INSERT INTO marketing_customer_change (partner_id, company_id)
                   SELECT partner_id, %s FROM changed
                    ORDER BY partner_id
                       -- A change of the row, so that whoever is just taking it away
                       -- for an earlier one fails and looks again.
                       ON CONFLICT (partner_id, company_id)
                       DO UPDATE SET company_id = EXCLUDED.company_id""",
                statement,
                company.id,
            )
        )
        self.invalidate_model(flush=False)
