"""Quotations that sales people sent and nobody answered: the same recovery as carts.

Such an order waits for its customer since it was sent, looked at or spoken of last:
``cart_activity_at``. As soon as the customer answers, it waits for nobody, and the
field is empty until the shop has its say again.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from ..large_index import LargeIndex
from .payments import HAS_LIVE_PAYMENT

# Whoever changes one of these makes a new offer.
OFFER_FIELDS = {"order_line", "validity_date", "payment_term_id"}
SPOKEN = ("comment", "email", "email_outgoing")


class ResCompany(models.Model):
    _inherit = "res.company"

    quotation_recovery_enabled = fields.Boolean(
        string="Follow Up on Quotations",
        help="Quotations that were sent and not answered are recovered like carts: "
        "with a sequence of their own, until the customer answers, orders, or the "
        "quotation expires.",
    )
    quotation_recovery_since = fields.Datetime(
        compute="_compute_quotation_recovery_since",
        store=True,
        help="What was sent before it was switched on is left alone.",
    )
    quotation_idle_days = fields.Integer(
        string="A Quotation Is Unanswered After",
        default=3,
        help="Days after it was sent, looked at, changed or spoken of last.",
    )

    _quotation_idle_days_positive = models.Constraint(
        "CHECK(quotation_idle_days BETWEEN 1 AND 3650)",
        "A quotation counts as unanswered after 1 to 3650 days.",
    )

    @api.depends("quotation_recovery_enabled")
    def _compute_quotation_recovery_since(self):
        for company in self:
            company.quotation_recovery_since = (
                company.quotation_recovery_enabled and fields.Datetime.now()
            )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    _quotation_idx = LargeIndex(
        "(cart_activity_at) WHERE state = 'sent' AND website_id IS NULL"
    )

    # === CRUD METHODS ===#

    def write(self, vals):
        res = super().write(vals)
        if vals.get("state") == "sent" or OFFER_FIELDS & vals.keys():
            self._stamp_offer()
        return res

    # === WHAT HAPPENS TO IT ===#

    def _is_open_quotation(self):
        """Whether this is a quotation of sales people that its customer has."""
        self.ensure_one()
        return self.state == "sent" and not self.website_id

    def _stamp_offer(self):
        """The shop said something: the customer has time to think about it."""
        quotations = self.sudo().filtered(lambda order: order._is_open_quotation())
        if quotations:
            quotations.cart_activity_at = fields.Datetime.now()
            quotations.abandonment_ids.enrollment_ids._pause()

    def _stamp_view(self):
        """The customer looked at these quotations: nobody is written to meanwhile."""
        self.cart_activity_at = fields.Datetime.now()
        self.abandonment_ids._on_customer_activity()

    def _stamp_answer(self):
        """The customer answered: from here on people talk."""
        self.cart_activity_at = False
        self.abandonment_ids._mark_returned()
        self.abandonment_ids.enrollment_ids._stop("replied")

    def _message_post_after_hook(self, message, msg_values):
        res = super()._message_post_after_hook(message, msg_values)
        if self._is_open_quotation():
            self.sudo()._note_quotation_message(message.sudo())
        return res

    def _note_quotation_message(self, message):
        """Do what follows from a message in the chatter of a quotation.

        :param mail.message message: anything: also notes, and what Odoo itself notes
        """
        if message.subtype_id == self.env.ref("sale.mt_order_viewed"):
            self._stamp_view()
        elif message.message_type not in SPOKEN or message.subtype_id.internal:
            return
        elif self._is_said_by_customer(message):
            self._stamp_answer()
        else:
            self._stamp_offer()

    def _is_said_by_customer(self, message):
        """Whether the customer's side speaks: anybody by email, or somebody of theirs
        in the portal; not the shop's people and programs.

        :param mail.message message: a message in the chatter of this quotation
        :rtype: bool
        """
        author = message.author_id
        # Odoo's own user is an archived one.
        users = author.with_context(active_test=False).user_ids
        if users.filtered(lambda user: user._is_internal()):
            return False
        family = author.commercial_partner_id
        return (
            message.message_type == "email"
            or bool(users)
            or family == self.partner_id.commercial_partner_id
        )


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    @api.model
    def _sql_idle_quotations(self):
        """Return the FROM and WHERE of quotations whose customer does not answer.

        As with carts, each is looked at once after anything happened to it.
        """
        now = fields.Datetime.now()
        return SQL(
            """FROM sale_order so
               JOIN res_company c ON c.id = so.company_id
                AND c.quotation_recovery_enabled
               WHERE so.state = 'sent' AND so.website_id IS NULL
                 AND so.cart_activity_at >= c.quotation_recovery_since
                 AND so.cart_activity_at <= %(now)s::timestamp
                     - c.quotation_idle_days * interval '1 day'
                 AND so.cart_activity_at > %(now)s::timestamp
                     - c.cart_expiry_days * interval '1 day'
                 AND so.cart_activity_at > %(since)s AND so.cart_activity_at <= %(now)s
                 AND (so.validity_date IS NULL OR so.validity_date >= %(now)s::date)
                 AND NOT %(is_paid)s
                 AND NOT EXISTS (
                     SELECT FROM abandoned_cart seen
                      WHERE seen.order_id = so.id
                        AND seen.abandoned_at >= so.cart_activity_at)""",
            now=now,
            since=self._get_first_expiry(),
            is_paid=HAS_LIVE_PAYMENT,
        )
