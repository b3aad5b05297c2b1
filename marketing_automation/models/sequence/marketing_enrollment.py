from odoo import api, fields, models

RUNNING_STATES = ("active", "paused")
# Runs of each campaign are a queue of their own, so that it can be paused; all others
# are one. As in the outbox.
SOURCE = "COALESCE(campaign_id, 0)"


class MarketingEnrollment(models.Model):
    """The run of one person through a sequence: because of a cart they left, or as a
    contact that was handed over.

    How runs begin is in ``enrollment_entry.py`` and ``enrollment_contacts.py``, what
    makes them go on in ``enrollment_steps.py``, how they wait and end in
    ``enrollment_exits.py``.
    """

    _name = "marketing.enrollment"
    _inherit = ["marketing.person.search"]
    _description = "Sequence Enrollment"
    _order = "id desc"
    # Written in bulk: `started_at` says when, nobody is the author.
    _log_access = False

    # Not indexed: a shop has few sequences and steps, and many runs of each.
    sequence_id = fields.Many2one(
        "marketing.sequence", required=True, readonly=True, ondelete="restrict"
    )
    abandoned_cart_id = fields.Many2one(
        "abandoned.cart", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    contact_id = fields.Many2one(
        "res.partner",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Who goes through it, where it is not about a cart.",
    )
    campaign_id = fields.Many2one(
        "email.campaign",
        readonly=True,
        ondelete="restrict",
        help="What handed the contact over.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_partner_id",
        search="_search_partner_id",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    email_normalized = fields.Char(
        string="Email", readonly=True, index="btree_not_null"
    )
    state = fields.Selection(
        [
            ("active", "Running"),
            ("paused", "Customer Is Back"),
            ("completed", "Completed"),
            ("stopped", "Stopped"),
        ],
        required=True,
        readonly=True,
        default="active",
    )
    stop_reason = fields.Selection(
        [
            ("purchased", "Bought"),
            ("opted_out", "Opted out"),
            ("emptied", "Cart emptied or not worth recovering any more"),
            ("expired", "Cart expired"),
            ("max_messages", "Enough messages sent"),
            ("replied", "Customer replied"),
            ("archived", "Contact was archived"),
            ("repeated", "Goes on under another contact"),
            ("cancelled", "Stopped by hand"),
        ],
        readonly=True,
    )
    is_holdout = fields.Boolean(
        string="Control Group",
        readonly=True,
        help="Goes through the same steps and gets nothing, so that it shows what the "
        "messages add.",
    )
    version_id = fields.Many2one(
        "marketing.sequence.version",
        string="Begun With",
        readonly=True,
        ondelete="set null",
        help="How the sequence was when this run began.",
    )
    started_at = fields.Datetime(
        readonly=True,
        default=fields.Datetime.now,
        help="Contacts may be handed over for a time to come.",
    )
    ended_at = fields.Datetime(readonly=True)
    last_step_id = fields.Many2one(
        "marketing.sequence.step", readonly=True, ondelete="set null"
    )
    next_step_id = fields.Many2one(
        "marketing.sequence.step", readonly=True, ondelete="set null"
    )
    next_at = fields.Datetime(string="Next Step Due", readonly=True)
    message_ids = fields.One2many("marketing.message", "enrollment_id")
    sent_count = fields.Integer(string="Messages Sent", compute="_compute_results")
    currency_id = fields.Many2one(related="company_id.currency_id")
    revenue = fields.Monetary(
        string="Credited Revenue",
        compute="_compute_results",
        help="Orders that are credited to a message of this run.",
    )

    _due_idx = models.Index(f"({SOURCE}, next_at) WHERE state = 'active'")
    _campaign_uniq = models.UniqueIndex(
        "(campaign_id, contact_id) WHERE campaign_id IS NOT NULL",
        "This contact was handed over by this campaign already.",
    )
    _contact_uniq = models.UniqueIndex(
        "(sequence_id, contact_id, company_id) WHERE state = 'active'"
        " AND contact_id IS NOT NULL",
        "This contact goes through this sequence already.",
    )
    _address_uniq = models.UniqueIndex(
        "(sequence_id, email_normalized, company_id) WHERE state = 'active'"
        " AND contact_id IS NOT NULL",
        "This address goes through this sequence already.",
    )
    _cart_uniq = models.UniqueIndex(
        "(abandoned_cart_id) WHERE state IN ('active', 'paused')",
        "This cart goes through a sequence already.",
    )
    _person_uniq = models.UniqueIndex(
        "(email_normalized, company_id) WHERE state IN ('active', 'paused')"
        " AND abandoned_cart_id IS NOT NULL",
        "This person's cart goes through a sequence already.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("abandoned_cart_id", "contact_id", "email_normalized")
    def _compute_display_name(self):
        for run in self:
            about = run.abandoned_cart_id or run.contact_id
            run.display_name = about.display_name or run.email_normalized

    @api.depends("abandoned_cart_id.partner_id", "contact_id")
    def _compute_partner_id(self):
        for run in self:
            run.partner_id = run.abandoned_cart_id.partner_id or run.contact_id

    @api.model
    def _search_partner_id(self, operator, value):
        if operator in fields.Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        return fields.Domain("contact_id", operator, value) | fields.Domain(
            "abandoned_cart_id.partner_id", operator, value
        )

    @api.depends("message_ids.state", "abandoned_cart_id.recovered_message_id")
    def _compute_results(self):
        for enrollment in self:
            messages = enrollment.message_ids
            enrollment.sent_count = len(
                messages.filtered(
                    lambda message: message.state in ("sent", "delivered", "bounced")
                )
            )
            enrollment.revenue = sum(messages.mapped("attributed_revenue"))

    # === ACTION METHODS ===#

    def action_stop(self):
        """Stop these runs by hand; what waits in the outbox is cancelled.

        Users may do this without being able to write anything else on a run.
        """
        self.check_access("read")
        self.sudo()._stop("cancelled")
