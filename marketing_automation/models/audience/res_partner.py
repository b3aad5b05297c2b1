"""The figures of a customer on their contact, for the current company."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .rfm_groups import RFM_GROUP_SELECTION

# Whoever never ordered has no row; these are their figures.
NO_ORDERS = {"total_orders": 0, "total_revenue": 0.0, "average_order": 0.0}


def _figure(field, name, **kwargs):
    """Make a field of a contact out of one of ``marketing.customer.metrics``."""
    return field(
        compute="_compute_marketing_metrics",
        search=lambda partners, operator, value: partners._search_marketing_metrics(
            name, operator, value
        ),
        groups="marketing_automation.group_marketing_user",
        **kwargs,
    )


class ResPartner(models.Model):
    _inherit = "res.partner"

    marketing_metrics_id = fields.Many2one(
        "marketing.customer.metrics",
        string="Marketing Figures",
        compute="_compute_marketing_metrics",
        groups="marketing_automation.group_marketing_user",
    )
    marketing_currency_id = fields.Many2one(
        "res.currency",
        compute="_compute_marketing_metrics",
        groups="marketing_automation.group_marketing_user",
    )
    marketing_total_orders = _figure(
        fields.Integer, "total_orders", string="Orders (Marketing)"
    )
    marketing_total_revenue = _figure(
        fields.Monetary,
        "total_revenue",
        string="Revenue (Marketing)",
        currency_field="marketing_currency_id",
    )
    marketing_average_order = _figure(
        fields.Monetary,
        "average_order",
        string="Average Order",
        currency_field="marketing_currency_id",
    )
    marketing_first_order_date = _figure(
        fields.Datetime, "first_order_date", string="First Order"
    )
    marketing_last_order_date = _figure(
        fields.Datetime, "last_order_date", string="Last Order"
    )
    marketing_recency_score = _figure(
        fields.Integer, "recency_score", string="Recency Score"
    )
    marketing_frequency_score = _figure(
        fields.Integer, "frequency_score", string="Frequency Score"
    )
    marketing_monetary_score = _figure(
        fields.Integer, "monetary_score", string="Money Score"
    )
    marketing_rfm_group = _figure(
        fields.Selection,
        "rfm_group",
        selection=RFM_GROUP_SELECTION,
        string="Customer Group",
    )
    marketing_next_order_date = _figure(
        fields.Date, "next_order_date", string="Expected Next Order"
    )
    marketing_favourite_category_id = _figure(
        fields.Many2one,
        "favourite_category_id",
        comodel_name="product.public.category",
        string="Favorite Category",
    )
    marketing_last_click_at = _figure(
        fields.Datetime, "last_click_at", string="Last Click in a Message"
    )

    @api.depends_context("company")
    def _compute_marketing_metrics(self):
        company = self.env.company
        # The rules of other companies' rows are kept by asking for one's own.
        rows = self.env["marketing.customer.metrics"].sudo()
        by_partner = {
            row.partner_id.id: row
            for row in rows.search(
                [("partner_id", "in", self.ids), ("company_id", "=", company.id)]
            )
        }
        names = [
            name.removeprefix("marketing_")
            for name, field in self._fields.items()
            if field.compute == "_compute_marketing_metrics" and field.search
        ]
        for partner in self:
            row = by_partner.get(partner._origin.id, rows)
            partner.marketing_metrics_id = row.sudo(False)
            partner.marketing_currency_id = company.currency_id
            for name in names:
                partner[f"marketing_{name}"] = row[name]

    @api.model
    def _search_marketing_metrics(self, name, operator, value):
        """Return who has such a figure in the current company.

        Who has no row is searched as having no orders and no revenue.

        :param str name: field of ``marketing.customer.metrics``
        :rtype: Domain
        """
        rows = self.env["marketing.customer.metrics"].sudo()
        if operator in ("any", "not any") and isinstance(value, Domain):
            # Where a path goes on from a figure, it goes on as the user who asks.
            value = self.env[rows._fields[name].comodel_name]._search(value)
        condition = Domain(name, operator, value)
        holds_without = bool(rows.new(NO_ORDERS).filtered_domain(condition))
        condition = condition.optimize_full(rows)
        company = self.env.company

        def to_sql(_model, alias, query):
            # One join for all conditions about figures.
            row = f"{alias}__figures_{company.id}"
            query.add_join(
                "LEFT JOIN",
                row,
                rows._table,
                SQL(
                    "%s = %s AND %s = %s",
                    SQL.identifier(row, "partner_id"),
                    SQL.identifier(alias, "id"),
                    SQL.identifier(row, "company_id"),
                    company.id,
                ),
            )
            holds = condition._to_sql(rows, row, query)
            return SQL(
                "(%s IS NULL OR %s)" if holds_without else "(%s IS NOT NULL AND %s)",
                SQL.identifier(row, "id"),
                holds,
            )

        return Domain.custom(to_sql=to_sql)
