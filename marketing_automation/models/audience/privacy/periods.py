from odoo import api, fields, models
from odoo.exceptions import ValidationError

# A link to unsubscribe works for 30 days at least (CAN-SPAM Act, 15 U.S.C.
# 7704(a)(3)(A)(ii)); some people read their mail once a month.
MIN_MESSAGE_DAYS = 60

# A hundred years: there are no days before the year 1 to count back to.
MAX_DAYS = 36_500
PERIODS = [
    *("cart_kept_days", "message_kept_days", "content_kept_days"),
    *("engagement_kept_days", "visit_kept_days", "opt_in_kept_days"),
    "membership_kept_days",
]


class ResCompany(models.Model):
    """How long a company keeps what it stores about people (GDPR, article 5(1)(e)).
    All in days; 0 keeps for good."""

    _inherit = "res.company"

    cart_kept_days = fields.Integer(
        default=365,
        help="Abandoned carts keep their value and what became of them; whose they "
        "were and what was in them is erased. Counted from the day on which "
        "they could not be recovered any more.",
    )
    message_kept_days = fields.Integer(
        default=730,
        help="Messages stay for the figures; to whom they went is erased. Their links "
        "to unsubscribe work until then.",
    )
    content_kept_days = fields.Integer(
        default=365, help="What was written, word for word."
    )
    engagement_kept_days = fields.Integer(
        default=180,
        help="With what and from which country a message was opened, and the text of "
        "answers. That it was opened stays.",
    )
    visit_kept_days = fields.Integer(
        default=365,
        help="Pages and products that customers with an account looked at. Odoo itself "
        "deletes visits of strangers.",
    )
    opt_in_kept_days = fields.Integer(
        default=30,
        help="Requests that nobody confirmed, counted from when they expired.",
    )
    membership_kept_days = fields.Integer(
        default=730, help="When somebody came into a segment, and left it."
    )

    @api.constrains(*PERIODS)
    def _check_kept_days(self):
        for company in self:
            if any(not 0 <= company[name] <= MAX_DAYS for name in PERIODS):
                raise ValidationError(
                    self.env._(
                        "Periods are numbers of days, up to %s; 0 keeps for good.",
                        MAX_DAYS,
                    )
                )
            if 0 < company.message_kept_days < MIN_MESSAGE_DAYS:
                raise ValidationError(
                    self.env._(
                        "Keep messages for %s days at least: the links to unsubscribe "
                        "in them have to work that long.",
                        MIN_MESSAGE_DAYS,
                    )
                )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    cart_kept_days = fields.Integer(related="company_id.cart_kept_days", readonly=False)
    message_kept_days = fields.Integer(
        related="company_id.message_kept_days", readonly=False
    )
    content_kept_days = fields.Integer(
        related="company_id.content_kept_days", readonly=False
    )
    engagement_kept_days = fields.Integer(
        related="company_id.engagement_kept_days", readonly=False
    )
    visit_kept_days = fields.Integer(
        related="company_id.visit_kept_days", readonly=False
    )
    opt_in_kept_days = fields.Integer(
        related="company_id.opt_in_kept_days", readonly=False
    )
    membership_kept_days = fields.Integer(
        related="company_id.membership_kept_days", readonly=False
    )
