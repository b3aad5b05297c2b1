"""What makes a customer's figures change, noted where it happens, in its transaction.

One statement each, and none for what does not count. What other programs write by SQL
is found by the nightly pass.
"""

from odoo import api, models
from odoo.tools import SQL

from ..large_index import LargeIndex

ORDER_FIGURES = {
    *("state", "partner_id", "company_id", "date_order", "amount_total"),
    *("currency_rate", "attributed_message_id"),
}
REFUND_FIGURES = {"state", "amount_total_signed"}
PERSON_FIELDS = {"email_normalized", "company_id"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _write_multi(self, vals_list):
        """Orders reach the database here, whatever changed them."""
        changed = _get_changed(self, vals_list, ORDER_FIGURES)
        moved = _get_changed(self, vals_list, {"partner_id", "company_id"})
        switched = _get_changed(self, vals_list, {"state"})
        if moved:
            self._add_metrics_tasks(moved)
        super()._write_multi(vals_list)
        if changed:
            self._add_metrics_tasks(changed, switched)
        return None

    @api.model
    def _add_metrics_tasks(self, order_ids, switched=()):
        """Have the figures of the customers of orders computed soon.

        :param list order_ids: those that are not confirmed do not count
        :param list switched: but these count now or did before
        """
        self.env["marketing.metrics.task"]._add_contacts(
            SQL(
                """SELECT DISTINCT company_id, partner_id FROM sale_order
                    WHERE id = ANY(%s) AND (state = 'sale' OR id = ANY(%s))""",
                order_ids,
                list(switched),
            )
        )


class AccountMove(models.Model):
    _inherit = "account.move"

    def _write_multi(self, vals_list):
        """Credit notes count for their orders as soon as they are posted."""
        super()._write_multi(vals_list)
        changed = _get_changed(self, vals_list, REFUND_FIGURES)
        if changed:
            self.env["marketing.metrics.task"]._add_contacts(
                SQL(
                    """SELECT DISTINCT so.company_id, so.partner_id
                         FROM account_move m
                         JOIN account_move_line l ON l.move_id = m.id
                         JOIN sale_order_line_invoice_rel rel
                           ON rel.invoice_line_id = l.id
                         JOIN sale_order_line sol ON sol.id = rel.order_line_id
                         JOIN sale_order so ON so.id = sol.order_id
                        WHERE m.id = ANY(%s) AND m.move_type = 'out_refund'""",
                    changed,
                )
            )
        return None


class ResPartner(models.Model):
    _inherit = "res.partner"

    # Who else is this person? Odoo has no index for it.
    _marketing_email_idx = LargeIndex("(email_normalized)")

    def _write_multi(self, vals_list):
        """Another address makes a contact another person."""
        changed = _get_changed(self, vals_list, PERSON_FIELDS)
        if changed:
            self._add_metrics_tasks(changed)
        super()._write_multi(vals_list)
        if changed:
            self._add_metrics_tasks(changed)
        return None

    @api.model
    def _add_metrics_tasks(self, partner_ids):
        """Have the figures of contacts, and of all with the same address, computed soon
        where any of them has figures."""
        self.env["marketing.metrics.task"]._add_contacts(
            SQL(
                """SELECT known.company_id, known.partner_id
                     FROM marketing_customer_metrics known
                    WHERE known.partner_id = ANY(%(partner_ids)s)
                    UNION
                   SELECT known.company_id, unnest(ARRAY[p.id, twin.id])
                     FROM res_partner p
                     JOIN res_partner twin ON twin.email_normalized = p.email_normalized
                     JOIN marketing_customer_metrics known
                       ON known.partner_id = twin.id
                    WHERE p.id = ANY(%(partner_ids)s)""",
                partner_ids=partner_ids,
            )
        )


class ProductPublicCategory(models.Model):
    _inherit = "product.public.category"

    def unlink(self):
        """Whose favourite is deleted has none until their figures are computed."""
        self.env.cr.execute(
            SQL(
                """UPDATE marketing_customer_metrics SET favourite_category_id = NULL
                    WHERE favourite_category_id = ANY(%s)""",
                self.ids,
            )
        )
        self.env["marketing.customer.metrics"].invalidate_model(flush=False)
        return super().unlink()


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Contacts are merged by SQL: their orders get another customer."""
        res = super()._update_foreign_keys(src_partners, dst_partner)
        self.env["marketing.metrics.task"]._add_contacts(
            SQL(
                """SELECT DISTINCT company_id, partner_id FROM sale_order
                    WHERE partner_id = %s AND state = 'sale'""",
                dst_partner.id,
            )
        )
        return res


def _get_changed(records, vals_list, names):
    """Return the ids of the records that get a value for one of these fields."""
    return [
        record_id
        for record_id, vals in zip(records._ids, vals_list, strict=True)
        if not names.isdisjoint(vals)
    ]
