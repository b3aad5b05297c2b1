from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools import rendering
from ..channels import CHANNELS

STATES = [
    ("draft", "Draft"),
    ("scheduled", "Scheduled"),
    ("running", "Sending"),
    ("paused", "Paused"),
    ("completed", "Completed"),
    ("cancelled", "Cancelled"),
]
# The screens on which a campaign is put together, in their order.
BUILDER_STEPS = [
    ("audience", "Audience"),
    ("content", "Content"),
    ("schedule", "Schedule"),
    ("review", "Review"),
]
# What was decided before the first message was written stays as it was.
FIXED_AT_START = {
    *("company_id", "website_id", "channel", "segment_ids", "excluded_segment_ids"),
    *("sends", "sequence_id", "template_id", "subject", "preheader", "from_name"),
    "reply_to",
    *("track_opens", "track_clicks"),
}


class EmailCampaign(models.Model):
    """One message to many people: to whom, what, and when.

    Its states are in ``campaign_states.py``, who gets it in ``campaign_audience.py``,
    when each of them does in ``campaign_schedule.py``.
    """

    _name = "email.campaign"
    _inherit = ["marketing.guard"]
    _description = "Campaign"
    _order = "scheduled_at desc, id desc"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    state = fields.Selection(
        STATES,
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        group_expand=True,
    )
    builder_step = fields.Selection(
        BUILDER_STEPS, string="Step", required=True, default="audience", copy=False
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    website_id = fields.Many2one(
        "website",
        check_company=True,
        help="Whose links and language are used. Empty: the first of the company.",
    )
    channel = fields.Selection(CHANNELS, required=True)

    segment_ids = fields.Many2many(
        "customer.segment",
        "email_campaign_segment_rel",
        string="Goes To",
        check_company=True,
        help="Who is in one of these segments when it starts.",
    )
    excluded_segment_ids = fields.Many2many(
        "customer.segment",
        "email_campaign_excluded_segment_rel",
        string="But Not To",
        check_company=True,
        help="Who is in one of these segments when it starts gets nothing.",
    )

    template_id = fields.Many2one(
        "marketing.template",
        domain="[('context', '=', 'contact'), ('channel', '=', channel),"
        " ('company_id', 'in', [False, company_id])]",
        ondelete="restrict",
        help="What it says.",
    )
    subject = fields.Char(
        translate=True, help="Leave empty to use that of the template."
    )
    preheader = fields.Char(
        string="Preview Line",
        translate=True,
        help="What inboxes show after the subject. Leave empty to use that of the "
        "template.",
    )
    from_name = fields.Char(
        string="Sender's Name",
        help="Shown in inboxes instead of the name in the account's sender address.",
    )
    reply_to = fields.Char(
        string="Answers To",
        help="Where answers go. Leave empty to use that of the account.",
    )
    utm_campaign_id = fields.Many2one(
        "utm.campaign",
        string="UTM Campaign",
        help="What Odoo's own reports of sources call it. Leave empty to use the name.",
    )
    track_opens = fields.Boolean(
        string="Count Openings", default=True, help="With an invisible picture."
    )
    track_clicks = fields.Boolean(
        string="Count Clicks",
        default=True,
        help="Links lead through your shop. Without it orders cannot be credited.",
    )

    started_at = fields.Datetime(string="Started", readonly=True, copy=False)
    ended_at = fields.Datetime(string="Ended", readonly=True, copy=False)
    message_ids = fields.One2many("marketing.message", "campaign_id", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")

    # === COMPUTE METHODS ===#

    @api.onchange("channel")
    def _onchange_channel(self):
        if self.template_id.channel != self.channel:
            self.template_id = False

    # === WHAT IS SENT ===#

    def _get_contents(self):
        """Return what the recipients get.

        :return: pairs of a name (empty where there is just one) and a template
        :rtype: list[tuple[str, marketing.template]]
        """
        self.ensure_one()
        return [("", self.template_id)] if self.template_id else []

    # === CONSTRAINT METHODS ===#

    @api.constrains("template_id", "channel", "company_id", "sends")
    def _check_template(self):
        for campaign in self.filtered("template_id"):
            if campaign.sends != "message":
                continue
            template = campaign.template_id
            if template.channel != campaign.channel or template.context != "contact":
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be sent by this campaign. Choose a template for "
                        "any contact, of the same channel.",
                        template.name,
                    )
                )
            if template.company_id not in (
                self.env["res.company"],
                campaign.company_id,
            ):
                raise ValidationError(
                    self.env._(
                        "The template “%s” belongs to another company.", template.name
                    )
                )

    @api.constrains("subject", "preheader", "template_id")
    def _check_texts(self):
        """Refuse a subject that could not be sent, in any of its languages."""
        for campaign in self.filtered("template_id"):
            for name in ("subject", "preheader"):
                translations = self._fields[name]._get_stored_translations(campaign)
                for source in set((translations or {}).values()):
                    campaign._check_text(name, source or "")

    def _check_text(self, name, source):
        known_names = [tag.name for tag in self.template_id._get_merge_tags()]
        try:
            rendering.check_source(source, known_names, autoescape=False)
        except rendering.RenderError as error:
            raise ValidationError(
                self.env._(
                    "%(field)s: %(message)s",
                    field=self._fields[name]._description_string(self.env),
                    message=error.message,
                )
            ) from error

    # === CRUD METHODS ===#

    def write(self, vals):
        """What was decided when a campaign started cannot be changed any more."""
        fixed = vals.keys() & FIXED_AT_START
        started = self.filtered("started_at")
        if fixed and started:
            raise UserError(
                self.env._(
                    "“%s” has been started: it cannot be changed any more. Duplicate "
                    "it, and change the copy.",
                    started[0].name,
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        """What was sent to whom, and what it brought in, stays."""
        for campaign in self:
            if campaign.started_at:
                raise UserError(
                    self.env._(
                        "“%s” has been sent. Archive it instead: what became of its "
                        "messages stays.",
                        campaign.name,
                    )
                )

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        if "name" in (default or {}):
            return vals_list
        return [
            {**vals, "name": self.env._("%s (copy)", campaign.name)}
            for campaign, vals in zip(self, vals_list, strict=True)
        ]
