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
        # What is in carts counts for nobody: most orders change as long as they are.
        counting = self._filter_counting(
            changed, _get_changed(self, vals_list, {"state"})
        )
        moved = _get_changed(self, vals_list, {"partner_id", "company_id"})
        moved = set(moved).intersection(counting)
        if moved:
            self._add_metrics_tasks(moved)
        super()._write_multi(vals_list)
        if counting:
            self._add_metrics_tasks(counting)
        return None

    @api.model
    def _filter_counting(self, order_ids, switched):
        """Return which of some orders count for their customers, or did until now.

        :param list order_ids: ids of orders that are about to be written
        :param list switched: those of them that get another state
        :rtype: list[int]
        """
        switched = set(switched)
        orders = self.sudo().browse(order_ids)
        return [
            order.id
            for order in orders
            if order.state == "sale" or (order.id in switched and order.state != "sent")
        ]

    @api.model
    def _add_metrics_tasks(self, order_ids):
        """Have the figures of the customers of orders computed soon.

        :param order_ids: ids of orders that count, or did
        """
        self.env["marketing.metrics.task"]._add_contacts(
            SQL(
                """SELECT DISTINCT company_id, partner_id FROM sale_order
                    WHERE id = ANY(%s)""",
                list(order_ids),
            )
        )


class AccountMove(models.Model):
    _inherit = "account.move"

    def _write_multi(self, vals_list):
        """Credit notes count for their orders as soon as they are posted."""
        super()._write_multi(vals_list)
        changed = _get_changed(self, vals_list, REFUND_FIGURES)
        # Most are invoices, which count for nobody.
        changed = self.browse(changed).filtered(
            lambda move: move.move_type == "out_refund"
        )
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
                        WHERE m.id = ANY(%s)""",
                    changed.ids,
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
            addresses = [vals.get("email_normalized") or None for vals in vals_list]
            self._add_metrics_tasks(changed, list(self._ids), addresses)
        super()._write_multi(vals_list)
        return None

    @api.model
    def _add_metrics_tasks(self, partner_ids, moved_ids, addresses):
        """Have the figures of contacts, and of all who have the same address or will,
        computed soon where any of them has figures.

        :param list partner_ids: contacts that are about to be changed
        :param list moved_ids: contacts, in the order of ``addresses``
        :param list addresses: the normalized email that each of them gets, or None
        """
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
                    WHERE p.id = ANY(%(partner_ids)s)
                    UNION
                   SELECT known.company_id, unnest(ARRAY[moved.id, twin.id])
                     FROM unnest(%(moved_ids)s::int[], %(addresses)s::varchar[])
                          moved (id, address)
                     JOIN res_partner twin ON twin.email_normalized = moved.address
                     JOIN marketing_customer_metrics known
                       ON known.partner_id = twin.id""",
                partner_ids=partner_ids,
                moved_ids=moved_ids,
                addresses=addresses,
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
