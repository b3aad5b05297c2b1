from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.audience.marketing_consent_log import STATES
from ..models.audience.purposes import PURPOSES
from ..models.channels import CHANNELS


class MarketingRecordConsent(models.TransientModel):
    """Staff writes down what people told them: by telephone, on paper, in person."""

    _name = "marketing.record.consent"
    _inherit = ["marketing.guard"]
    _description = "Record Consent"

    partner_ids = fields.Many2many("res.partner", string="Contacts", required=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    channel = fields.Selection(CHANNELS, required=True, default="email")
    purpose = fields.Selection(
        [("all", "Everything"), *PURPOSES], required=True, default="offers"
    )
    state = fields.Selection(
        STATES, string="Consent", required=True, default="withdrawn"
    )
    text = fields.Text(
        string="How You Know",
        help="Kept in the log for good: what they read or signed, where it is filed, "
        "who took the call.",
    )
    unreachable_count = fields.Integer(compute="_compute_unreachable_count")

    @api.depends("partner_ids", "channel")
    def _compute_unreachable_count(self):
        for wizard in self:
            wizard.unreachable_count = len(
                wizard.partner_ids.filtered(
                    lambda partner, wizard=wizard: not partner[wizard._get_field()]
                )
            )

    def action_record(self):
        """Write it down, with who did it and how they know.

        :return: closes the dialog
        :rtype: dict
        """
        self.ensure_one()
        self._check_references()
        if self.state == "given" and not (self.text or "").strip():
            raise UserError(
                self.env._(
                    "Write down how you know that they agreed: a consent that cannot "
                    "be proven is none."
                )
            )
        addresses = set(filter(None, self.partner_ids.mapped(self._get_field())))
        if not addresses:
            raise UserError(
                self.env._("None of these contacts has an address on this channel.")
            )
        purposes = [purpose for purpose, _label in PURPOSES]
        self.env["marketing.preference"].sudo()._record(
            self.company_id,
            self.channel,
            purposes if self.purpose == "all" else [self.purpose],
            addresses,
            self.state,
            "staff",
            text=self._get_proof(),
        )
        return {"type": "ir.actions.act_window_close"}

    def _get_field(self):
        return "phone_sanitized" if self.channel == "sms" else "email_normalized"

    def _get_proof(self):
        text = (self.text or "").strip()
        return text and self.env._(
            "%(text)s (entered by %(user)s)", text=text, user=self.env.user.name
        )
