from odoo import fields, models

from .loose_many2one import LooseMany2one
from .rfm_groups import RFM_GROUP_SELECTION


class MarketingCustomerMetrics(models.Model):
    """What a customer did in one company's shop, in figures. One row for each contact
    of everybody who ever ordered or clicked; contacts with the same email address are
    one person and have the same figures.
    """

    _name = "marketing.customer.metrics"
    _description = "Customer Metrics"
    _order = "total_revenue desc, id"
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    # It cannot be deleted while it has orders or messages, which the rows are about.
    company_id = LooseMany2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    is_main = fields.Boolean(
        string="Counts as Person",
        readonly=True,
        help="The first contact of a person: with these, everybody counts once.",
    )
    total_orders = fields.Integer(
        string="Orders", readonly=True, help="Confirmed orders, not cancelled."
    )
    total_revenue = fields.Monetary(
        string="Revenue",
        readonly=True,
        help="With tax, less posted credit notes, in the currency of the company.",
    )
    average_order = fields.Monetary(readonly=True, aggregator="avg")
    first_order_date = fields.Datetime(string="First Order", readonly=True)
    last_order_date = fields.Datetime(string="Last Order", readonly=True)
    recency_score = fields.Integer(
        string="Recency",
        readonly=True,
        aggregator="avg",
        help="1 to 5: fifth of the customers by the time of the last order; 5 is the "
        "latest fifth.",
    )
    frequency_score = fields.Integer(
        string="Frequency",
        readonly=True,
        aggregator="avg",
        help="1 to 5: fifth of the customers by the number of orders.",
    )
    monetary_score = fields.Integer(
        string="Money",
        readonly=True,
        aggregator="avg",
        help="1 to 5: fifth of the customers by revenue.",
    )
    rfm_group = fields.Selection(
        RFM_GROUP_SELECTION,
        string="Group",
        readonly=True,
        help="Made of the scores for recency, frequency and money.",
    )
    next_order_date = fields.Date(
        string="Expected Next Order",
        readonly=True,
        help="By the customer's own rhythm; empty after fewer than three orders, when "
        "they come irregularly, and long after one was expected.",
    )
    next_order_from = fields.Date(readonly=True)
    next_order_until = fields.Date(readonly=True)
    # See `product.public.category.unlink`.
    favourite_category_id = LooseMany2one(
        "product.public.category",
        string="Favorite Category",
        readonly=True,
        help="Where most money was spent.",
    )
    last_click_at = fields.Datetime(
        string="Last Click",
        readonly=True,
        help="In a message, by a person: what scanners follow does not count.",
    )
    last_attributed_order_at = fields.Datetime(
        string="Last Order from a Message",
        readonly=True,
        help="The last order that is credited to a message.",
    )
    computed_at = fields.Datetime(string="Figures Since", readonly=True)

    # A constraint, not just an index: Odoo looks for these before it merges contacts.
    _partner_company_uniq = models.Constraint(
        "UNIQUE (partner_id, company_id)", "A customer has one row for each company."
    )
