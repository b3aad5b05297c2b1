from odoo import fields, models


class ResCompany(models.Model):
    """Whom a company writes to without having been asked."""

    _inherit = "res.company"

    consent_policy = fields.Selection(
        [
            ("opt_in", "Only people who agreed"),
            ("soft_opt_in", "Also customers, until they object"),
        ],
        string="Marketing Consent",
        required=True,
        default="opt_in",
        help="Only people who agreed: nobody is written to about something they did "
        "not tick or confirm. Also customers, until they object: who bought may hear "
        "of offers, and who left a cart with their address of that cart, unless they "
        "said no. Ask what the law says where your customers live.",
    )
    double_opt_in = fields.Boolean(
        string="Confirm by Email",
        default=True,
        help="Who ticks a box gets an email with a button, and agrees with that. It "
        "proves that the address is theirs. Off: ticking is enough.",
    )
