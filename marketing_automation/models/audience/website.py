from odoo import fields, models


class Website(models.Model):
    """Where and with which words visitors are asked for their consent."""

    _inherit = "website"

    consent_at_checkout = fields.Boolean(
        string="Ask at Checkout",
        default=True,
        help="Boxes below the address, not ticked. Where the company writes to its "
        "customers until they object: the notice that they may, and a box to do so.",
    )
    consent_at_sign_up = fields.Boolean(
        string="Ask at Sign-up", default=True, help="The same where accounts are made."
    )
    consent_text_newsletter = fields.Char(string="Newsletter Box", translate=True)
    consent_text_offers = fields.Char(string="Offers Box", translate=True)
    consent_text_cart = fields.Char(string="Cart Reminders Box", translate=True)
