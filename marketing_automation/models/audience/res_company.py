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

    def _has_marketing_identity(self):
        """Whether this company can be named in a marketing email, with an address to
        write to by post (CAN-SPAM Act, 15 U.S.C. 7704(a)(5)(A)(iii); Directive
        2000/31/EC, article 5).

        :rtype: bool
        """
        self.ensure_one()
        partner = self.partner_id
        return all((self.name, partner.street, partner.city, partner.country_id))
