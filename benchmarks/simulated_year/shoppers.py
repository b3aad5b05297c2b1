"""What shoppers do, each at its time; every action goes through the real models."""

import heapq
import itertools
from datetime import timedelta

from ledger import Purchase

from odoo.exceptions import UserError

# What becomes of a cart that was just filled, and how often.
ENDINGS = (("buy", 30), ("fail", 10), ("leave", 52), ("empty", 8))
# What somebody does who was left alone or written to, and how often.
LATER = (
    ("nothing", 50),
    ("buy", 10),
    ("buy_elsewhere", 6),
    ("come_back", 14),
    ("object", 6),
    ("empty", 6),
    ("buy_other_cart", 8),
)
# What somebody does with a message.
READING = (
    ("ignore", 60),
    ("click", 24),
    ("click_and_buy", 10),
    ("unsubscribed", 3),
    ("bounced", 2),
    ("complained", 1),
)
# Of ten shoppers so many are customers; the others are nobody until they say who.
KNOWN_SHARE, NAMELESS_SHARE = 0.85, 0.15


class Shoppers:
    """The people of the simulation.

    Each action is a function without arguments on a heap, ordered by time.
    """

    def __init__(self, shop, clock, ledger, draw):
        self.shop, self.clock, self.ledger, self.draw = shop, clock, ledger, draw
        self.env = shop.env
        self._heap, self._count = [], itertools.count()
        self._looked_at = clock.now

    # === TIME ===#

    def plan(self, minutes, action, *args):
        """Let ``action`` happen so many minutes from now."""
        moment = self.clock.now + timedelta(minutes=minutes)
        heapq.heappush(self._heap, (moment, next(self._count), action, args))

    def plan_day(self, carts):
        """Spread the carts of a day over it."""
        for _number in range(carts):
            self.plan(self.draw.uniform(0, 24 * 60 - 1), self.fill_cart)

    def act_until(self, moment):
        """Let everything happen that is planned before a moment."""
        while self._heap and self._heap[0][0] < moment:
            at, _count, action, args = heapq.heappop(self._heap)
            self.clock.go_to(at)
            action(*args)

    def _choose(self, choices):
        names, weights = zip(*choices, strict=True)
        return self.draw.choices(names, weights)[0]

    # === CARTS ===#

    def fill_cart(self):
        """Somebody fills a cart."""
        number = self.draw.randint(1, self.shop.customers)
        is_known = self.draw.random() < KNOWN_SHARE
        partner = (
            self.shop.partner_of(number)
            if is_known
            else self.shop.website.user_id.partner_id
        )
        cart = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "website_id": self.shop.website.id,
                "company_id": self.shop.company.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": count})
                    for product, count in self._pick_products()
                ],
            }
        )
        self.ledger.note("carts")
        self.plan(
            self.draw.uniform(1, 25),
            self.finish_visit,
            cart.id,
            self.shop.email_of(number) if is_known else "",
        )

    def _pick_products(self):
        shown = list(self.shop.products.filtered("is_published"))
        count = self.draw.randint(1, min(3, len(shown)))
        return [
            (product, self.draw.randint(1, 3))
            for product in self.draw.sample(shown, count)
        ]

    def finish_visit(self, order_id, email):
        """The first visit ends, one way or another."""
        ending = self._choose(ENDINGS) if email else "leave"
        if ending == "fail":
            self.fail_payment(order_id)
        elif ending != "leave":
            getattr(self, ending)(order_id, email)
        if ending in ("leave", "fail") and email:
            for _time in range(2):
                self.plan(
                    self.draw.expovariate(1 / (60 * 40)), self.do_later, order_id, email
                )

    def do_later(self, order_id, email):
        """Somebody thinks of the shop again."""
        action = self._choose(LATER)
        if action != "nothing":
            getattr(self, action)(order_id, email)

    def _get_cart(self, order_id):
        cart = self.env["sale.order"].browse(order_id).exists()
        return cart if cart.state == "draft" else cart.browse()

    # === ACTIONS ===#

    def buy(self, order_id, email):
        """The cart becomes an order."""
        cart = self._get_cart(order_id)
        if not cart or not cart._get_cart_lines():
            return
        cart._stamp_cart_activity()
        # The pages of the checkout look at coupons again before anybody pays.
        cart._update_programs_and_rewards()
        self._confirm(cart, email)

    def _confirm(self, order, email):
        left = order.abandoned_cart_id
        order.with_context(tracking_disable=True).action_confirm()
        self.ledger.bought(
            Purchase(order.id, email, self.clock.now, order.amount_total, left.id)
        )
        if self.draw.random() < 0.04:
            self.plan(self.draw.uniform(60, 60 * 24 * 10), self.cancel, order.id)

    def cancel(self, order_id):
        """An order is cancelled."""
        self.env["sale.order"].browse(order_id)._action_cancel()
        for purchase in self.ledger.purchases:
            if purchase.order_id == order_id:
                purchase.cancelled = True
        self.ledger.note("cancelled orders")

    def buy_elsewhere(self, order_id, email):
        """The same person orders by telephone: a sales person enters it."""
        cart = self.env["sale.order"].browse(order_id).exists()
        if not cart:
            return
        [(product, count)] = self._pick_products()[:1]
        order = self.env["sale.order"].create(
            {
                "partner_id": cart.partner_id.id,
                "company_id": self.shop.company.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": count})
                ],
            }
        )
        self._confirm(order, email)
        self.ledger.note("orders by telephone")

    def buy_other_cart(self, order_id, email):
        """The same person fills a new cart, on another device, and buys that."""
        cart = self.env["sale.order"].browse(order_id).exists()
        if not cart:
            return
        other = self.env["sale.order"].create(
            {
                "partner_id": cart.partner_id.id,
                "website_id": self.shop.website.id,
                "company_id": self.shop.company.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": count})
                    for product, count in self._pick_products()
                ],
            }
        )
        self._confirm(other, email)

    def come_back(self, order_id, email):
        """Somebody changes the cart, and leaves again or not."""
        cart = self._get_cart(order_id)
        if not cart:
            return
        [(product, count)] = self._pick_products()[:1]
        try:
            cart._cart_add(product.id, count)
        except UserError:
            return  # Sold out at this moment.
        self.ledger.note("returns without a message")
        if self.draw.random() < 0.3:
            self.plan(self.draw.uniform(2, 20), self.buy, order_id, email)

    def empty(self, order_id, _email):
        """Somebody takes everything out of the cart."""
        cart = self._get_cart(order_id)
        for line in cart.order_line:
            cart._cart_update_line_quantity(line.id, 0)
        if cart:
            self.ledger.note("emptied carts")

    def object(self, _order_id, email):
        """Somebody tells the shop not to write any more."""
        self.env["mail.blacklist"]._add(email)
        self.ledger.object(email, self.clock.now)

    def fail_payment(self, order_id):
        """The payment of a cart does not go through."""
        cart = self._get_cart(order_id)
        # Odoo ships them switched off.
        env = self.env(context={**self.env.context, "active_test": False})
        provider = env["payment.provider"].search([], limit=1)
        if not cart or not provider:
            return
        cart._stamp_cart_activity()
        self.env["payment.transaction"].sudo().create(
            {
                "provider_id": provider.id,
                "payment_method_id": env["payment.method"].search([], limit=1).id,
                "amount": cart.amount_total,
                "currency_id": cart.currency_id.id,
                "partner_id": cart.partner_id.id,
                "reference": f"failed-{order_id}-{next(self._count)}",
                "sale_order_ids": [(6, 0, cart.ids)],
                "state": "error",
            }
        )
        self.ledger.note("failed payments")

    # === MESSAGES ===#

    def get_mail(self):
        """Plan what is done with the messages that arrived since the last look."""
        arrived = self.env["marketing.message"].search(
            [
                ("sent_at", ">", self._looked_at),
                ("sent_at", "<=", self.clock.now),
                ("state", "=", "sent"),
            ],
            order="id",
        )
        self._looked_at = self.clock.now
        for message in arrived:
            self.plan(self.draw.expovariate(1 / 180) + 1, self.read, message.id)
        return arrived

    def read(self, message_id):
        """Somebody reads a message, and does something or not."""
        message = self.env["marketing.message"].browse(message_id)
        action = self._choose(READING)
        if action in ("click", "click_and_buy"):
            self._follow_link(message, action == "click_and_buy")
        elif action != "ignore":
            getattr(message, f"action_simulate_{action}")()
            # Who wants no text messages may well want the emails.
            is_sms = message.channel == "sms"
            address = message.phone_sanitized if is_sms else message.email_normalized
            self.ledger.object(address, self.clock.now)

    def _follow_link(self, message, then_buy):
        if message.channel == "email":
            message.action_simulate_opened()
        message.action_simulate_clicked()
        left = message.abandoned_cart_id
        if left._get_link_status() != "open":
            self.ledger.note("links that say what happened")
            return
        order = left.order_id
        if not order or order.state != "draft":
            order = self._make_session(left)
        left._restore_into(order)
        self._use_coupon(order, left._get_newest_card())
        order._stamp_cart_activity()
        self.ledger.note("returns through a message")
        if then_buy:
            self.plan(
                self.draw.uniform(2, 20), self.buy, order.id, message.email_normalized
            )

    def _use_coupon(self, order, card):
        """The link brings the coupon along; now and then somebody passes it on."""
        if not card:
            return
        refusal = order._use_marketing_card(card)
        self.ledger.note("coupons refused" if refusal else "coupons brought along")
        if self.draw.random() < 0.3:
            self._pass_on(card)

    def _pass_on(self, card):
        """Somebody else types the code."""
        number = self.draw.randint(1, self.shop.customers)
        if self.shop.email_of(number) == card.marketing_email:
            return
        product, count = self._pick_products()[0]
        cart = self.env["sale.order"].create(
            {
                "partner_id": self.shop.partner_of(number).id,
                "website_id": self.shop.website.id,
                "company_id": self.shop.company.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": count})
                ],
            }
        )
        cart._use_marketing_card(card)
        self.ledger.note("coupons passed on")

    def _make_session(self, left):
        return self.env["sale.order"].create(
            {
                "partner_id": left.partner_id.id,
                "website_id": self.shop.website.id,
                "company_id": self.shop.company.id,
            }
        )
