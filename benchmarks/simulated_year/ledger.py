"""What really happened, written down beside Odoo and without it.

The checks compare what the product did with this: the shoppers of the simulation know
what they bought, when they objected and what was in stock.
"""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Purchase:
    """A confirmed order."""

    order_id: int
    email: str
    at: object
    amount: float
    cart_id: int | None = None
    cancelled: bool = False


@dataclass
class Ledger:
    """Facts by address."""

    purchases: list[Purchase] = field(default_factory=list)
    by_email: dict[str, list[Purchase]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # Since when an address or number wants to hear nothing more; nobody comes back in
    # this year.
    objected: dict[str, object] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def note(self, what):
        """Count that something happened."""
        self.counts[what] += 1

    def bought(self, purchase):
        """Write down an order."""
        self.purchases.append(purchase)
        self.by_email[purchase.email].append(purchase)
        self.note("purchases")

    def object(self, address, moment):
        """Write down that an email address or number objects to all messages."""
        self.objected.setdefault(address, moment)
        self.note("objections")

    def has_bought_between(self, email, start, end):
        """Whether an address has an order confirmed in a period, still valid."""
        return any(
            start <= purchase.at < end and not purchase.cancelled
            for purchase in self.by_email.get(email, ())
        )
