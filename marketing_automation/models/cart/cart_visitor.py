"""Who filled a cart, a person or a machine: what the shop saw of it (C7)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

# Nobody picks so many products in so many seconds.
BURST_LINES = 5
BURST_SECONDS = 10

# What made a visitor a person.
HUMAN_SIGNALS = [
    ("event", "Moved the mouse, touched the screen or pressed a key"),
    ("login", "Was logged in"),
    ("payment", "Tried to pay"),
    ("staff", "A manager said so"),
]


class SaleOrder(models.Model):
    """Signals are noted when a product is added on the website. A cart that was filled
    before, by staff, at the counter or by a program has none, and is never a robot's.
    """

    _inherit = "sale.order"

    visitor_signals = fields.Json(
        readonly=True,
        copy=False,
        help="`website`: somebody looked; then what speaks for a machine: `agent`, "
        "`burst`. Nothing at all where nobody looked.",
    )
    human_signal = fields.Selection(
        HUMAN_SIGNALS, string="A Person Because", readonly=True, copy=False
    )

    def _note_visitor(self, is_machine_agent):
        """Note what speaks for a machine in whoever just added a product.

        :param bool is_machine_agent: the program calls itself a robot, or nothing
        """
        self.ensure_one()
        signals = {"website", *(self.visitor_signals or ())}
        if is_machine_agent:
            signals.add("agent")
        if self._is_filled_at_once():
            signals.add("burst")
        if signals != set(self.visitor_signals or ()):
            self.visitor_signals = sorted(signals)

    def _is_filled_at_once(self):
        """Whether many products came within seconds of the cart's first."""
        lines = self.order_line.filtered(lambda line: line._is_recoverable_line())
        age = fields.Datetime.now() - self.create_date
        return len(lines) >= BURST_LINES and age.total_seconds() <= BURST_SECONDS

    def _note_person(self, signal):
        """Remember that a person is behind this cart, and how that is known.

        :param str signal: key of ``human_signal``
        """
        self.filtered(lambda order: not order.human_signal).human_signal = signal


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    robot_signals = fields.Json(
        readonly=True,
        help="What was seen of the visitor when the cart was left: `website`, "
        "`no_human`, `agent`, `burst`. Nothing at all where nobody looked.",
    )
    robot_explanation = fields.Text(
        string="Why a Robot", compute="_compute_robot_explanation"
    )

    @api.depends("robot_signals")
    def _compute_robot_explanation(self):
        words = self._get_robot_words()
        for cart in self:
            signals = cart.robot_signals or []
            cart.robot_explanation = "\n".join(
                text for key, text in words.items() if key in signals
            )

    @api.model
    def _get_robot_words(self):
        """Return what each signal means, for people.

        :rtype: dict[str, str]
        """
        return {
            "website": self.env._("The cart was filled on the website."),
            "no_human": self.env._(
                "Nobody moved a mouse, touched the screen or pressed a key in the "
                "shop, was logged in, or tried to pay."
            ),
            "agent": self.env._(
                "The program that filled the cart says that it is a robot, or does "
                "not say what it is."
            ),
            "burst": self.env._(
                "%(count)s or more products came within %(seconds)s seconds.",
                count=BURST_LINES,
                seconds=BURST_SECONDS,
            ),
        }

    # === ACTION METHODS ===#

    def action_mark_person(self):
        """Take these carts for a person's after all, now and when they are left again.

        :raise AccessError: the user is no marketing manager
        """
        if not self.env.user.has_group("marketing_automation.group_marketing_manager"):
            raise AccessError(
                self.env._("Only managers of marketing say who is no robot.")
            )
        self.check_access("read")
        carts = self.sudo().filtered(
            lambda cart: (
                cart.exclusion_reason == "robot" and cart.order_id.state == "draft"
            )
        )
        carts.order_id._note_person("staff")
        carts._look_again()

    def _look_again(self):
        """Have detection judge these carts anew, and start what follows from it."""
        self.env.flush_all()
        facts = self._sql_facts(self.order_id.ids)
        self.env.cr.execute(self._sql_resumed(facts))
        self.env.invalidate_all(flush=False)
        self._finish_detection()
