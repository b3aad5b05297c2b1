from odoo import api, fields, models
from odoo.tools import SQL

OPEN_STATES = ("abandoned", "recovery_started")
# What was left behind; each kind has sequences of its own.
CART_KINDS = [
    ("cart", "Cart"),
    ("payment_failed", "Failed Payment"),
    ("quotation", "Quotation"),
]


class AbandonedCart(models.Model):
    """One abandonment of one cart: what was left behind, by whom, what became of it.

    Rows are written by detection (``cart_detection.py``) in bulk; this file holds
    the fields and the ways out of an abandonment.
    """

    _name = "abandoned.cart"
    _description = "Abandoned Cart"
    _order = "abandoned_at desc, id desc"
    # Written in bulk by detection alone: `detected_at` says when, nobody is the author.
    _log_access = False

    name = fields.Char(string="Cart", readonly=True)
    kind = fields.Selection(CART_KINDS, required=True, readonly=True, default="cart")
    state = fields.Selection(
        [
            ("abandoned", "Abandoned"),
            ("recovery_started", "Recovery Started"),
            ("recovered", "Recovered"),
            ("expired", "Expired"),
            ("excluded", "Excluded"),
        ],
        group_expand=True,
        required=True,
        readonly=True,
        default="abandoned",
    )
    exclusion_reason = fields.Selection(
        [
            ("no_sellable_lines", "Nothing in the cart can be sold"),
            ("below_minimum", "Below the smallest cart worth recovering"),
            ("no_contact", "No valid email address"),
            ("order_cancelled", "The order was cancelled"),
            ("bought_elsewhere", "The customer bought in another way"),
            ("robot", "Filled by a robot"),
        ],
        string="Why Excluded",
        readonly=True,
    )
    order_id = fields.Many2one(
        "sale.order",
        string="Cart Order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    website_id = fields.Many2one("website", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, readonly=True)

    partner_id = fields.Many2one(
        "res.partner", string="Customer", readonly=True, index="btree_not_null"
    )
    is_guest = fields.Boolean(
        string="Guest", readonly=True, help="Checked out without an account."
    )
    customer_name = fields.Char(readonly=True)
    email = fields.Char(readonly=True)
    email_normalized = fields.Char(string="Normalized Email", readonly=True)
    phone = fields.Char(readonly=True)
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        readonly=True,
    )

    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Cart Total", readonly=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        string="Value",
        currency_field="company_currency_id",
        readonly=True,
        help="The cart's total in the company's currency.",
    )
    worth_company = fields.Monetary(
        string="Value of the Products",
        currency_field="company_currency_id",
        readonly=True,
        help="What decides whether the cart is worth recovering: less discounts, and "
        "without delivery, in the company's currency.",
    )
    item_count = fields.Float(string="Items", readonly=True)
    # The snapshot is a document, never changed line by line: one dict per line with
    # product_id, name, quantity, price_unit, price_subtotal, image_url.
    lines = fields.Json(string="Cart Lines", readonly=True)
    content = fields.Char(
        string="In the Cart", readonly=True, help="The names of the products."
    )
    lines_html = fields.Html(
        string="Products", compute="_compute_lines_html", sanitize=False
    )

    cart_created_at = fields.Datetime(string="Cart Created", readonly=True)
    abandoned_at = fields.Datetime(
        string="Abandoned",
        readonly=True,
        help="The last thing the customer did to the cart.",
    )
    detected_at = fields.Datetime(
        string="Detected", readonly=True, default=fields.Datetime.now
    )
    expires_at = fields.Datetime(string="Expires", readonly=True)
    returned_at = fields.Datetime(
        string="Returned",
        readonly=True,
        help="When the customer last came back to this cart.",
    )
    returned_message_id = fields.Many2one(
        "marketing.message",
        string="Returned Through",
        readonly=True,
        ondelete="set null",
    )
    recovered_at = fields.Datetime(string="Recovered", readonly=True)
    recovered_order_id = fields.Many2one(
        "sale.order",
        string="Order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    recovered_amount = fields.Monetary(
        string="Recovered Revenue",
        currency_field="recovered_currency_id",
        readonly=True,
    )
    recovered_currency_id = fields.Many2one("res.currency", readonly=True)
    recovered_amount_company = fields.Monetary(
        string="Recovered Value",
        currency_field="company_currency_id",
        readonly=True,
        help="The recovered revenue in the company's currency.",
    )
    recovered_message_id = fields.Many2one(
        "marketing.message",
        string="Credited Message",
        readonly=True,
        ondelete="set null",
        help="The message the customer clicked last before ordering.",
    )
    token = fields.Char(readonly=True, copy=False, groups="base.group_system")
    enrollment_ids = fields.One2many("marketing.enrollment", "abandoned_cart_id")
    message_ids = fields.One2many("marketing.message", "abandoned_cart_id")
    message_count = fields.Integer(compute="_compute_message_count")
    is_running = fields.Boolean(compute="_compute_recovery_progress")
    recovery_progress = fields.Char(
        string="Recovery",
        compute="_compute_recovery_progress",
        help="How far the messages to this customer are, and why they ended.",
    )

    # The ledger of a person: all their carts, whatever became of them.
    _person_idx = models.Index("(email_normalized) WHERE email_normalized IS NOT NULL")
    _token_uniq = models.UniqueIndex("(token)", "A recovery token is used once.")
    # Two workers may look at the same cart: only one of them records it. What came to
    # its end may be left once more.
    _order_uniq = models.UniqueIndex(
        "(order_id) WHERE state NOT IN ('recovered', 'expired') "
        "AND COALESCE(exclusion_reason, '') "
        "NOT IN ('order_cancelled', 'bought_elsewhere')",
        "This cart is recorded already.",
    )
    _open_person_idx = models.Index(
        "(email_normalized, company_id) "
        "WHERE state IN ('abandoned', 'recovery_started')"
    )
    _expires_idx = models.Index(
        "(expires_at) WHERE state IN ('abandoned', 'recovery_started')"
    )

    # === COMPUTE METHODS ===#

    @api.depends("lines", "currency_id")
    def _compute_lines_html(self):
        for cart in self:
            cart.lines_html = self.env["ir.qweb"]._render(
                "marketing_automation.cart_lines", {"cart": cart}
            )

    @api.depends("message_ids")
    def _compute_message_count(self):
        counts = dict(
            self.env["marketing.message"]._read_group(
                [("abandoned_cart_id", "in", self.ids)],
                ["abandoned_cart_id"],
                ["__count"],
            )
        )
        for cart in self:
            cart.message_count = counts.get(cart, 0)

    @api.depends("enrollment_ids.state")
    def _compute_recovery_progress(self):
        runs = self.env["marketing.enrollment"]
        states = dict(runs._fields["state"]._description_selection(self.env))
        reasons = dict(runs._fields["stop_reason"]._description_selection(self.env))
        for cart in self:
            run = cart.enrollment_ids.sorted("id")[-1:]
            cart.is_running = run.state in ("active", "paused")
            cart.recovery_progress = (
                reasons.get(run.stop_reason) or states.get(run.state) or False
            )

    # === ACTION METHODS ===#

    def action_open_order(self):
        """Open the order this cart became, or the cart itself.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        order = self.recovered_order_id or self.order_id
        return order._get_records_action()

    def action_view_messages(self):
        """Open every message decided on for this cart, sent or not.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.message_ids._get_records_action(
            name=self.env._("Messages"), domain=[("abandoned_cart_id", "=", self.id)]
        )

    def action_detect_now(self):
        """Look for abandoned carts now instead of waiting for the next quarter hour.

        :return: a notification that says how many were found
        :rtype: dict
        """
        before = self.search_count([])
        self.sudo()._detect_all()
        found = self.search_count([]) - before
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if found else "info",
                "message": self.env._("%s new carts were found.", found)
                if found
                else self.env._("No cart was left behind since the last look."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_stop_recovery(self):
        """End the running recovery of these carts by hand."""
        self.enrollment_ids.action_stop()

    # === BUSINESS METHODS ===#

    def _is_open(self):
        """Whether this abandonment can still be recovered."""
        self.ensure_one()
        return self.state in OPEN_STATES

    def _start_recovery(self):
        """The first message about these carts is on its way."""
        self.flush_model(["state"])
        self.env.cr.execute(
            SQL(
                """UPDATE abandoned_cart SET state = 'recovery_started'
                    WHERE id = ANY(%s) AND state = 'abandoned'""",
                self.ids,
            )
        )
        self.invalidate_recordset(["state"])

    def _on_customer_activity(self):
        """The customer is doing something to these carts: hold the recovery.

        Nobody is written to while shopping. Detection lets the recovery go on where
        it was when the cart is left behind again.
        """
        for cart in self.filtered(lambda cart: cart._is_open()):
            cart._mark_returned()
            if cart.order_id and not cart.order_id.order_line.filtered(
                lambda line: line._is_recoverable_line()
            ):
                cart.enrollment_ids._stop("emptied")
            else:
                cart.enrollment_ids._pause()

    def _mark_returned(self):
        """Record that the customer came back, and through which message."""
        for cart in self.filtered(lambda cart: cart._is_open()):
            cart.write(
                {
                    "returned_at": fields.Datetime.now(),
                    "returned_message_id": cart._get_last_clicked_message().id,
                }
            )

    def _mark_recovered(self, order, message):
        """Close these abandonments with a confirmed order.

        An order counts once: where a person left several carts behind, the amount goes
        to the cart the order was made from, else to the most valuable one.

        :param sale.order order: the confirmed order
        :param marketing.message message: the message that gets the credit, may be empty
        """
        main = self & order.abandoned_cart_id
        main = main or self.sorted("amount_company", reverse=True)[:1]
        for cart in self:
            counts = cart == main
            # An order that was cancelled by mistake counts for its first day.
            is_again = cart.recovered_order_id == order and cart.recovered_at
            cart.write(
                {
                    "state": "recovered",
                    "exclusion_reason": False,
                    "recovered_at": is_again or fields.Datetime.now(),
                    "recovered_order_id": order.id,
                    "recovered_currency_id": order.currency_id.id,
                    "recovered_amount": order.amount_total if counts else 0.0,
                    "recovered_amount_company": order._get_marketing_revenue()
                    if counts
                    else 0.0,
                    "recovered_message_id": message.id if counts else False,
                }
            )

    def _mark_bought_elsewhere(self):
        """Close these abandonments without an order that recovered them: the customer
        has bought at the counter, by an invoice, or before the cart was found."""
        self.filtered(lambda cart: cart._is_open()).write(
            {"state": "excluded", "exclusion_reason": "bought_elsewhere"}
        )

    def _get_last_clicked_message(self):
        """Return the message of this cart that a person clicked last, if any.

        :rtype: marketing.message
        """
        self.ensure_one()
        return (
            self.env["marketing.engagement"]
            .sudo()
            .search(
                [
                    ("message_id.abandoned_cart_id", "=", self.id),
                    ("kind", "=", "click"),
                    ("is_machine", "=", False),
                ],
                order="occurred_at desc, id desc",
                limit=1,
            )
            .message_id
        )
