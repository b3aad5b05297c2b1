import re
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError

PREFIX = re.compile(r"[A-Z0-9]{0,8}")


class Terms(NamedTuple):
    """What a card takes off.

    :param str mode: ``percent`` or ``per_order``, as ``loyalty.reward.discount_mode``
    :param float discount: percent, or an amount in the company's currency
    """

    mode: str
    discount: float

    @property
    def key(self):
        """What tells the programmes of a rule apart."""
        return f"{self.mode}:{round(self.discount, 6)!r}"


class MarketingCoupon(models.Model):
    """A rule for coupons: what they take off, for whom, for how long.

    The coupons themselves are Odoo's cards (``loyalty.card``), one for each person.
    Changing a rule changes the cards that are made from then on; what was promised to
    somebody stays.
    """

    _name = "marketing.coupon"
    _inherit = ["marketing.shared"]
    _description = "Coupon Rule"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", index=True, help="Leave empty to use it in every company."
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    kind = fields.Selection(
        [
            ("percent", "Percentage"),
            ("fixed", "Fixed amount"),
            ("tiered", "Percentage by value of the cart"),
        ],
        string="Discount",
        required=True,
        default="percent",
    )
    percent = fields.Float(default=10.0, help="Off the products of the cart.")
    amount = fields.Monetary(help="In the currency of the company whose cart it is.")
    tier_ids = fields.One2many("marketing.coupon.tier", "coupon_id", copy=True)
    minimum_share = fields.Float(
        string="Minimum Order",
        default=50.0,
        help="Percent of what was in the cart when the coupon was made: taking the "
        "dearest product out again and keeping the discount does not work. 0 = none.",
    )
    validity_days = fields.Integer(
        string="Valid For", default=7, help="Days, the last one included."
    )
    prefix = fields.Char(default="BACK", help="What the codes begin with.")
    has_floor = fields.Boolean(
        string="Keep a Margin",
        help="No product is sold below its cost and the percentage on top of it: the "
        "coupon takes less off where it has to. Products without a cost are not "
        "limited.",
    )
    min_margin = fields.Float(
        string="On Top of the Cost",
        help="Percent of the cost that every product still earns with the coupon.",
    )
    reminder_days = fields.Integer(
        string="Remind Before", help="Days before a coupon expires; 0 = no reminder."
    )
    reminder_template_id = fields.Many2one(
        "marketing.template",
        ondelete="restrict",
        check_company=True,
        domain="[('context', '=', 'cart')]",
    )
    summary = fields.Char(string="Takes Off", compute="_compute_summary")

    _percent_range = models.Constraint(
        "CHECK(kind != 'percent' OR percent > 0 AND percent <= 100)",
        "A coupon takes more than 0 and at most 100 percent off.",
    )
    _amount_positive = models.Constraint(
        "CHECK(kind != 'fixed' OR amount > 0)",
        "Say how much the coupon takes off.",
    )
    _minimum_share_range = models.Constraint(
        "CHECK(minimum_share >= 0 AND minimum_share <= 100)",
        "The minimum order is a share of the cart: 0 to 100 percent.",
    )
    _validity_range = models.Constraint(
        "CHECK(validity_days BETWEEN 1 AND 365)",
        "A coupon is valid for 1 to 365 days.",
    )
    _min_margin_positive = models.Constraint(
        "CHECK(min_margin >= 0)", "The margin on top of the cost cannot be negative."
    )
    _reminder_range = models.Constraint(
        "CHECK(reminder_days >= 0 AND reminder_days < validity_days)",
        "The reminder goes out before the coupon expires, and not on its first day: "
        "enter fewer days than it is valid, or 0 for none.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for coupon in self:
            company = coupon.company_id or self.env.company
            coupon.currency_id = company.currency_id

    @api.depends("kind", "percent", "amount", "tier_ids.percent", "currency_id")
    def _compute_summary(self):
        for coupon in self:
            if coupon.kind == "tiered":
                coupon.summary = " / ".join(
                    f"{tier.percent:g}%" for tier in coupon.tier_ids
                )
            elif coupon.kind == "fixed":
                coupon.summary = coupon.currency_id.format(coupon.amount)
            else:
                coupon.summary = f"{coupon.percent:g}%"

    # === CONSTRAINT METHODS ===#

    @api.constrains("prefix")
    def _check_prefix(self):
        for coupon in self:
            if not PREFIX.fullmatch(coupon.prefix or ""):
                raise ValidationError(
                    self.env._("A prefix has up to eight letters A-Z or digits.")
                )

    @api.constrains("kind", "tier_ids")
    def _check_tiers(self):
        for coupon in self.filtered(lambda coupon: coupon.kind == "tiered"):
            if not any(not tier.amount_from for tier in coupon.tier_ids):
                raise ValidationError(
                    self.env._(
                        "Add a tier from 0: carts of any value get a coupon of this "
                        "rule."
                    )
                )
            amounts = coupon.tier_ids.mapped("amount_from")
            if len(set(amounts)) < len(amounts):
                raise ValidationError(
                    self.env._("Two tiers begin at the same value: delete one.")
                )

    @api.constrains("reminder_days", "reminder_template_id")
    def _check_reminder(self):
        for coupon in self:
            template = coupon.reminder_template_id
            if coupon.reminder_days and not template:
                raise ValidationError(
                    self.env._("Choose what the reminder says, or enter 0 days.")
                )
            if template and template.context != "cart":
                raise ValidationError(
                    self.env._(
                        "“%s” is not made for abandoned carts: it does not know the "
                        "coupon.",
                        template.name,
                    )
                )

    @api.constrains("active")
    def _check_not_promised(self):
        steps = self.env["marketing.sequence.step"].sudo()
        for coupon in self.filtered(lambda coupon: not coupon.active):
            using = steps.search(
                [("coupon_id", "=", coupon.id), ("sequence_id.active", "=", True)],
                limit=1,
            )
            if using:
                raise ValidationError(
                    self.env._(
                        "The sequence “%(sequence)s” still hands out this coupon. "
                        "Choose another one there first.",
                        sequence=using.sequence_id.name,
                    )
                )

    @api.onchange("prefix")
    def _onchange_prefix(self):
        self.prefix = (self.prefix or "").strip().upper()

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", coupon.name)}
            for coupon, vals in zip(self, vals_list, strict=True)
        ]

    # === BUSINESS METHODS ===#

    def _get_terms(self, value):
        """Return what a coupon for a cart takes off.

        :param float value: of the cart, in its company's currency
        :rtype: Terms
        """
        self.ensure_one()
        if self.kind == "fixed":
            return Terms("per_order", self.amount)
        if self.kind == "percent":
            return Terms("percent", self.percent)
        reached = self.tier_ids.filtered(lambda tier: tier.amount_from <= value)
        tier = max(reached, key=lambda tier: tier.amount_from, default=None)
        return Terms("percent", (tier or self.tier_ids[-1:]).percent)


class MarketingCouponTier(models.Model):
    """What a coupon takes off carts from some value on."""

    _name = "marketing.coupon.tier"
    _inherit = ["marketing.guard"]
    _description = "Coupon Tier"
    _order = "coupon_id, amount_from desc, id"

    coupon_id = fields.Many2one(
        "marketing.coupon", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="coupon_id.company_id")
    currency_id = fields.Many2one(related="coupon_id.currency_id")
    amount_from = fields.Monetary(
        string="Carts From",
        help="Value of the cart, in the currency of its company.",
    )
    percent = fields.Float(required=True)

    _percent_range = models.Constraint(
        "CHECK(percent > 0 AND percent <= 100)",
        "A coupon takes more than 0 and at most 100 percent off.",
    )
    _amount_positive = models.Constraint(
        "CHECK(amount_from >= 0)", "The value of a cart is not negative."
    )
