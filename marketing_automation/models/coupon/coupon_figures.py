"""What became of coupons, for people who need not have rights on Odoo's cards."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

STATES = [
    ("open", "Open"),
    ("used", "Used"),
    ("expired", "Expired"),
    ("withdrawn", "Taken Back"),
]


class MarketingCouponCard(models.Model):
    """One coupon of one person, and what became of it. Read from Odoo's cards; nothing
    is stored here."""

    _name = "marketing.coupon.card"
    _description = "Coupon"
    _auto = False
    _order = "issued_at desc, id desc"
    _rec_name = "code"
    _depends = {
        "loyalty.card": [
            *("code", "program_id", "points", "expiration_date", "company_id"),
            *("partner_id", "create_date", "marketing_coupon_id"),
            *("marketing_enrollment_id", "marketing_email", "marketing_revoked_at"),
            *("marketing_revoke_reason", "marketing_redeemed_at"),
            *("marketing_redeemed_order_id", "marketing_discount_company"),
            "marketing_revenue_company",
        ],
        "loyalty.program": ["marketing_terms"],
        "marketing.enrollment": ["abandoned_cart_id", "sequence_id"],
        "sale.order": ["name"],
    }

    code = fields.Char(readonly=True)
    coupon_id = fields.Many2one("marketing.coupon", string="Rule", readonly=True)
    takes_off = fields.Char(string="Discount", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    email = fields.Char(string="Only For", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    sequence_id = fields.Many2one("marketing.sequence", readonly=True)
    abandoned_cart_id = fields.Many2one("abandoned.cart", string="Cart", readonly=True)
    state = fields.Selection(STATES, readonly=True)
    issued_at = fields.Datetime(string="Made", readonly=True)
    expiration_date = fields.Date(string="Good Until", readonly=True)
    redeemed_at = fields.Datetime(string="Used On", readonly=True)
    order_name = fields.Char(string="Used For", readonly=True)
    discount = fields.Monetary(
        string="Discount Given",
        readonly=True,
        help="With tax, of the confirmed order.",
    )
    revenue = fields.Monetary(
        string="Orders with It",
        readonly=True,
        help="Total of the confirmed order, with tax.",
    )
    revoked_at = fields.Datetime(string="Taken Back On", readonly=True)
    revoke_reason = fields.Selection(
        "_get_revoke_reasons", string="Why Taken Back", readonly=True
    )

    @api.model
    def _get_revoke_reasons(self):
        field = self.env["marketing.enrollment"]._fields["stop_reason"]
        return field._description_selection(self.env)

    @property
    def _table_query(self):
        return SQL(
            """SELECT card.id, card.code, card.marketing_coupon_id AS coupon_id,
                      regexp_replace(split_part(program.marketing_terms, ':', 2),
                                     '[.]0$', '')
                          || CASE WHEN program.marketing_terms LIKE 'percent:%%'
                             THEN '%%' ELSE '' END AS takes_off,
                      card.company_id, card.marketing_email AS email, card.partner_id,
                      run.sequence_id, run.abandoned_cart_id,
                      CASE WHEN card.marketing_redeemed_at IS NOT NULL THEN 'used'
                           WHEN card.marketing_revoked_at IS NOT NULL THEN 'withdrawn'
                           WHEN card.expiration_date < %s THEN 'expired'
                           ELSE 'open' END AS state,
                      card.create_date AS issued_at, card.expiration_date,
                      card.marketing_redeemed_at AS redeemed_at, so.name AS order_name,
                      COALESCE(card.marketing_discount_company, 0) AS discount,
                      COALESCE(card.marketing_revenue_company, 0) AS revenue,
                      card.marketing_revoked_at AS revoked_at,
                      card.marketing_revoke_reason AS revoke_reason
                 FROM loyalty_card card
                 LEFT JOIN loyalty_program program ON program.id = card.program_id
                 LEFT JOIN marketing_enrollment run
                        ON run.id = card.marketing_enrollment_id
                 LEFT JOIN sale_order so ON so.id = card.marketing_redeemed_order_id
                WHERE card.marketing_coupon_id IS NOT NULL""",
            fields.Date.today(),
        )

    def action_open_cart(self):
        """Open the abandoned cart this coupon was made for.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.abandoned_cart_id._get_records_action()

    def action_withdraw(self):
        """Take these coupons back by hand, where nobody has used them or is paying.

        :raise AccessError: for whoever is no marketing manager
        """
        if not self.env.user.has_group("marketing_automation.group_marketing_manager"):
            raise AccessError(
                self.env._("Only marketing managers take back what was promised.")
            )
        self.check_access("read")
        self.env["loyalty.card"].sudo()._revoke_where(
            SQL("card.id = ANY(%s)", self.ids), "cancelled"
        )
        self.invalidate_model()


class MarketingCoupon(models.Model):
    _inherit = "marketing.coupon"

    card_count = fields.Integer(string="Made", compute="_compute_figures")
    open_count = fields.Integer(string="Open", compute="_compute_figures")
    used_count = fields.Integer(string="Used", compute="_compute_figures")
    expired_count = fields.Integer(string="Expired", compute="_compute_figures")
    withdrawn_count = fields.Integer(string="Taken Back", compute="_compute_figures")
    used_share = fields.Float(string="Used (Share)", compute="_compute_figures")
    discount_given = fields.Monetary(
        compute="_compute_figures",
        help="By confirmed orders, with tax, in your company's currency.",
    )
    revenue = fields.Monetary(
        string="Orders with It",
        compute="_compute_figures",
        help="Totals of the confirmed orders, with tax, in your company's currency.",
    )

    @api.depends_context("company")
    def _compute_figures(self):
        rows = self.env["marketing.coupon.card"]._read_group(
            [
                ("coupon_id", "in", self.ids),
                ("company_id", "in", self.env.companies.ids),
            ],
            ["coupon_id", "state"],
            ["__count", "discount:sum", "revenue:sum"],
        )
        counts = {(coupon.id, state): count for coupon, state, count, *_sums in rows}
        for coupon in self:
            for state in ("open", "used", "expired", "withdrawn"):
                coupon[f"{state}_count"] = counts.get((coupon.id, state), 0)
            coupon.card_count = sum(
                coupon[f"{state}_count"] for state, _label in STATES
            )
            coupon.used_share = (
                coupon.used_count / coupon.card_count if coupon.card_count else 0.0
            )
            own = [row for row in rows if row[0] == coupon]
            coupon.discount_given = sum(row[3] for row in own)
            coupon.revenue = sum(row[4] for row in own)

    def action_view_cards(self):
        """Open the coupons that were made by this rule.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "marketing_automation.action_marketing_coupon_card"
        )
        return {
            **action,
            "domain": [("coupon_id", "=", self.id)],
            "context": dict(self.env.context, search_default_open=0),
        }
