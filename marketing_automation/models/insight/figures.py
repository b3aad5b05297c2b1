"""What each figure of the dashboard counts: in words, and as the records behind it.

The SQL that counts is in ``daily_sql.py``; a test compares the two over random shops.
"""

from dataclasses import dataclass

from odoo.tools import LazyTranslate

from ..cart.abandoned_cart import OPEN_STATES
from ..delivery.states import REACHED_STATES
from .daily_sql import UNSENT_STATES

_lt = LazyTranslate(__name__)

CART, MESSAGE, CARD = "abandoned.cart", "marketing.message", "loyalty.card"
ABOUT_CART = ("abandoned_cart_id", "!=", False)
SENT = ("state", "in", REACHED_STATES)
BY_PEOPLE = ("is_machine", "!=", True)
WRITTEN = ("message_ids", "any", [SENT])
BOUGHT = ("state", "=", "recovered")
OF_ORDER = ("marketing_redeemed_order_id", "!=", False)


def _did(kind):
    return ("engagement_ids", "any", [("kind", "=", kind), BY_PEOPLE])


@dataclass(frozen=True)
class Figure:
    """One number of the dashboard.

    :param label: its name
    :param help: what it counts
    :param model: whose records it counts; None for what is worked out of others
    :param moment: the field that puts a record into the period; None: as of now
    :param domain: further conditions
    :param measure: the field that is added up; None: records are counted
    :param unit: ``number``, ``money`` or ``share`` (of 1)
    :param good: whether more is better; None: neither
    """

    label: object
    help: object
    model: str | None = None
    moment: str | None = None
    domain: tuple = ()
    measure: str | None = None
    unit: str = "number"
    good: bool | None = None


FIGURES = {
    # Carts, by the day they were left behind
    "left": Figure(
        _lt("Left behind"),
        _lt("Carts whose customers left in this period, whatever became of them."),
        CART,
        "abandoned_at",
        good=False,
    ),
    "left_value": Figure(
        _lt("Value left behind"),
        _lt("What was in the carts that were left behind in this period."),
        CART,
        "abandoned_at",
        measure="amount_company",
        unit="money",
    ),
    "reachable": Figure(
        _lt("Could be written to"),
        _lt(
            "Carts left in this period that are not excluded: there is an address, "
            "something to sell and enough of it."
        ),
        CART,
        "abandoned_at",
        (
            (
                "exclusion_reason",
                "in",
                (False, "order_cancelled", "bought_elsewhere"),
            ),
        ),
    ),
    "excluded": Figure(
        _lt("Excluded"),
        _lt("Carts left in this period that nobody is written to about."),
        CART,
        "abandoned_at",
        (("state", "=", "excluded"),),
    ),
    "written": Figure(
        _lt("Written to"),
        _lt("Carts left in this period about which at least one message was sent."),
        CART,
        "abandoned_at",
        (WRITTEN,),
    ),
    "clicked": Figure(
        _lt("Clicked"),
        _lt(
            "Of those written to: somebody followed a link in a message. Link scanners "
            "are not counted."
        ),
        CART,
        "abandoned_at",
        (("message_ids", "any", [SENT, _did("click")]),),
    ),
    "came_back": Figure(
        _lt("Came back"),
        _lt(
            "Of those written to: the customer returned to the cart, through a link or "
            "without one."
        ),
        CART,
        "abandoned_at",
        (WRITTEN, ("returned_at", "!=", False)),
    ),
    "bought": Figure(
        _lt("Bought"),
        _lt(
            "Of those written to: an order followed, with or without a click. What was "
            "bought before anybody wrote is not in here."
        ),
        CART,
        "abandoned_at",
        (WRITTEN, BOUGHT),
    ),
    "bought_of_left": Figure(
        _lt("Bought in the end"),
        _lt("Carts left in this period that became an order, written to or not."),
        CART,
        "abandoned_at",
        (BOUGHT,),
    ),
    "recovery_rate": Figure(
        _lt("Recovery rate"),
        _lt(
            "Of the carts left in this period that could be written to, the share that "
            "was bought until now. The latest carts still have time."
        ),
        unit="share",
        good=True,
    ),
    # Carts, by the day of what happened to them
    "recovered": Figure(
        _lt("Recovered carts"),
        _lt(
            "Carts that became an order in this period, whenever they were left: this "
            "cart's order, or another one of the same person."
        ),
        CART,
        "recovered_at",
        (BOUGHT,),
        good=True,
    ),
    "recovered_revenue": Figure(
        _lt("Recovered revenue"),
        _lt(
            "What the orders of the recovered carts brought in: with tax, after "
            "discounts, without refunds and cancelled orders. An order counts once."
        ),
        CART,
        "recovered_at",
        (BOUGHT,),
        measure="recovered_amount_company",
        unit="money",
        good=True,
    ),
    "returned": Figure(
        _lt("Back in the shop"),
        _lt("Carts whose customer came back in this period, for the latest time."),
        CART,
        "returned_at",
        good=True,
    ),
    # Carts, now
    "stake": Figure(
        _lt("Open carts"),
        _lt("Carts that can still be recovered, as of now."),
        CART,
        None,
        (("state", "in", OPEN_STATES),),
    ),
    "stake_value": Figure(
        _lt("At stake now"),
        _lt("What is in the carts that can still be recovered, as of now."),
        CART,
        None,
        (("state", "in", OPEN_STATES),),
        measure="amount_company",
        unit="money",
    ),
    # Messages, by the day they were sent
    "sent": Figure(
        _lt("Messages sent"),
        _lt("Messages about carts that left in this period, those that bounced too."),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT),
    ),
    "sandbox": Figure(
        _lt("Kept in the sandbox"),
        _lt("Messages of this period that nobody received: they were a rehearsal."),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT, ("is_sandbox", "=", True)),
    ),
    "opened": Figure(
        _lt("Opened"),
        _lt(
            "Of the messages sent in this period, those that were opened by a person. "
            "Unreliable: many mail programs hide it, others open by themselves. Text "
            "messages cannot tell."
        ),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT, _did("open")),
        good=True,
    ),
    "message_clicked": Figure(
        _lt("Messages clicked"),
        _lt(
            "Of the messages sent in this period, those in which a person followed a "
            "link, until now."
        ),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT, _did("click")),
        good=True,
    ),
    "click_rate": Figure(
        _lt("Click rate"),
        _lt("The share of the messages sent in this period that were clicked."),
        unit="share",
        good=True,
    ),
    "credited": Figure(
        _lt("Orders credited"),
        _lt(
            "Orders whose customers had last clicked one of the messages sent in this "
            "period, within your attribution window."
        ),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT),
        measure="attributed_order_count",
        good=True,
    ),
    "credited_revenue": Figure(
        _lt("Credited revenue"),
        _lt(
            "What the orders credited to the messages sent in this period brought in, "
            "after discounts, without refunds and cancelled orders. Stricter than the "
            "recovered revenue: without a click there is no credit."
        ),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT),
        measure="attributed_revenue",
        unit="money",
        good=True,
    ),
    "credited_margin": Figure(
        _lt("Credited margin"),
        _lt(
            "What is left of the credited revenue without taxes and the cost of the "
            "goods. Products without a cost cost nothing here."
        ),
        MESSAGE,
        "sent_at",
        (ABOUT_CART, SENT),
        measure="attributed_margin",
        unit="money",
        good=True,
    ),
    "redeemed": Figure(
        _lt("Coupons used"),
        _lt("Coupons from messages whose order was confirmed in this period."),
        CARD,
        "marketing_redeemed_at",
        (OF_ORDER,),
    ),
    "discounts": Figure(
        _lt("Discounts given"),
        _lt(
            "What the coupons used in this period took off their orders. Revenue is "
            "counted after discounts: this is not taken off once more."
        ),
        CARD,
        "marketing_redeemed_at",
        (OF_ORDER,),
        measure="marketing_discount_company",
        unit="money",
    ),
    "message_cost": Figure(
        _lt("Cost of messages"),
        _lt(
            "Text messages sent in this period, at the price of a segment that the "
            "account has now. Accounts without a price cost nothing here."
        ),
        unit="money",
        good=False,
    ),
    "net": Figure(
        _lt("Net result"),
        _lt(
            "Credited margin less the cost of the messages. Discounts are off "
            "already: revenue is what customers pay."
        ),
        unit="money",
        good=True,
    ),
    # Messages that stay, by the day that was decided
    "unsent": Figure(
        _lt("Not sent"),
        _lt("Messages that were decided in this period not to leave, with the reason."),
        MESSAGE,
        "state_changed_at",
        (ABOUT_CART, ("state", "in", UNSENT_STATES)),
    ),
}
# Where records of a model say whose they are and what they are about.
PATHS = {
    CART: {"company": "company_id", "website": "website_id", "kind": "kind"},
    MESSAGE: {
        "company": "company_id",
        "website": "website_id",
        "kind": "abandoned_cart_id.kind",
    },
    CARD: {
        "company": "marketing_redeemed_order_id.company_id",
        "website": "marketing_enrollment_id.abandoned_cart_id.website_id",
        "kind": "marketing_enrollment_id.abandoned_cart_id.kind",
    },
}
# By which field the key of a figure is told apart.
KEY_FIELDS = {
    "left": "state",
    "left_value": "state",
    "excluded": "exclusion_reason",
    "unsent": "reason",
}
