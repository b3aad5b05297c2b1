from odoo import fields, models


class ResCompany(models.Model):
    """How often and when people may hear from a company."""

    _inherit = "res.company"

    email_cap_hours = fields.Float(
        string="One Marketing Email Every",
        default=16.0,
        help="Hours between two marketing emails to a person, wherever they come "
        "from. What is due earlier waits. 0 sets no limit.",
    )
    sms_cap_hours = fields.Float(
        string="One Marketing SMS Every",
        default=24.0,
        help="Hours between two marketing text messages to a person. What is due "
        "earlier waits. 0 sets no limit.",
    )
    quiet_hours_sms = fields.Boolean(string="Quiet Hours for SMS", default=True)
    quiet_hours_email = fields.Boolean(string="Quiet Hours for Email")
    quiet_hours_from = fields.Float(
        string="Quiet From",
        default=21.0,
        help="Nobody is written to from this hour on, where they live.",
    )
    quiet_hours_until = fields.Float(string="Quiet Until", default=8.0)

    _cap_hours_positive = models.Constraint(
        "CHECK(email_cap_hours BETWEEN 0 AND 87600"
        " AND sms_cap_hours BETWEEN 0 AND 87600)",
        "The hours between two messages are 0 (no limit) to 87600 (ten years).",
    )
    _quiet_hours_of_day = models.Constraint(
        "CHECK(quiet_hours_from >= 0 AND quiet_hours_from < 24"
        " AND quiet_hours_until >= 0 AND quiet_hours_until < 24)",
        "Quiet hours begin and end between 00:00 and 23:59.",
    )
