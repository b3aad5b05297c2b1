from odoo import api, fields, models
from odoo.exceptions import ValidationError

# What a message says in place of its campaign.
OVERRIDES = ("subject", "preheader", "from_name")


class AbTestVariant(models.Model):
    """One of the things an A/B test compares."""

    _name = "ab.test.variant"
    _inherit = ["marketing.guard"]
    _description = "A/B Test Variant"
    _order = "test_id, sequence, id"

    test_id = fields.Many2one(
        "ab.test", required=True, ondelete="cascade", index=True, string="A/B Test"
    )
    company_id = fields.Many2one(related="test_id.company_id", store=True)
    subject_of_test = fields.Selection(related="test_id.subject_of_test")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Variant", required=True)
    weight = fields.Integer(
        required=True,
        default=1,
        help="A variant of weight 2 goes to twice as many people as one of weight 1. "
        "Equal weights see the smallest differences.",
    )
    is_control = fields.Boolean(
        string="Control",
        help="The others are compared with it: what you would send without a test.",
    )
    subject = fields.Char(
        translate=True, help="Can use the merge tags of the template."
    )
    preheader = fields.Char(
        string="Preview Line",
        translate=True,
        help="What inboxes show after the subject. It is not visible in the email.",
    )
    template_id = fields.Many2one("marketing.template", ondelete="restrict")
    from_name = fields.Char(string="Sender Name", translate=True)
    send_offset = fields.Float(
        string="Sent Later By",
        help="Hours after the time of the campaign.",
    )

    _weight_range = models.Constraint(
        "CHECK(weight BETWEEN 1 AND 100)", "A weight is between 1 and 100."
    )
    _send_offset_range = models.Constraint(
        "CHECK(send_offset >= 0 AND send_offset < 168)",
        "A variant is sent at the time of the campaign or up to a week later.",
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("template_id")
    def _check_template(self):
        for variant in self:
            template, campaign = variant.template_id, variant.test_id.campaign_id
            if template and template.channel != campaign.channel:
                raise ValidationError(
                    self.env._(
                        "%(template)s is for another channel than the campaign.",
                        template=template.name,
                    )
                )
            if template.company_id and template.company_id != campaign.company_id:
                raise ValidationError(
                    self.env._(
                        "%(template)s belongs to another company than the campaign.",
                        template=template.name,
                    )
                )

    @api.constrains("subject", "preheader")
    def _check_texts(self):
        """Refuse a text that could not be sent, in any of its languages."""
        for variant in self.filtered("test_id.campaign_id.template_id"):
            for name in ("subject", "preheader"):
                texts = self._fields[name]._get_stored_translations(variant) or {}
                for source in set(texts.values()):
                    variant.test_id.campaign_id._check_text(name, source or "")

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        variants = super().create(vals_list)
        variants.test_id._check_settled()
        return variants

    def write(self, vals):
        self.test_id._check_settled()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        self.test_id._check_settled()

    # === BUSINESS METHODS ===#

    def _get_tested(self):
        """Return what this variant says, or when: its own, or else the campaign's.

        :return: text, hours, or the id of a template
        :rtype: str | float | int
        """
        self.ensure_one()
        campaign = self.test_id.campaign_id
        template = campaign.template_id
        return {
            "subject": self.subject or campaign.subject or template.subject or "",
            "preheader": self.preheader
            or campaign.preheader
            or template.preheader
            or "",
            "content": self._get_template().id,
            "from_name": self.from_name or campaign.from_name or "",
            "send_time": self.send_offset,
        }[self.subject_of_test]

    def _get_overrides(self):
        """Return what is said in place of the campaign: the thing that is compared.

        :return: ``subject``, ``preheader`` or ``from_name``; empty if it has none
        :rtype: dict
        """
        name = self.subject_of_test
        if name not in OVERRIDES or not self[name]:
            return {}
        return {name: self[name]}

    def _get_template(self):
        """Return the template this variant is rendered from.

        :rtype: marketing.template
        """
        self.ensure_one()
        own = self.subject_of_test == "content" and self.template_id
        return own or self.test_id.campaign_id.template_id

    def _get_delay(self):
        """Return how many hours later than planned it is sent.

        :rtype: float
        """
        self.ensure_one()
        return self.send_offset if self.subject_of_test == "send_time" else 0.0
