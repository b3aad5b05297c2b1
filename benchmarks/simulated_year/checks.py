"""What has to hold at the end of every simulated day.

Each check returns sentences about what is wrong, none if all is well. Those that speak
of people compare with the ledger, what really happened; the others are SQL over all
there is.
"""

from datetime import timedelta

REACHED = ("sending", "uncertain", "sent", "delivered", "bounced")
# A message that was handed over while somebody bought is nobody's fault: the gate is
# asked in the same moment, and the simulation acts between two moments.
MAX_SHOWN = 5


class Checks:
    """Finds what must not be.

    :param Shop shop: the shop
    :param Ledger ledger: what really happened
    :param Clock clock: the simulated time
    """

    def __init__(self, shop, ledger, clock):
        self.env, self.shop, self.ledger, self.clock = (
            shop.env,
            shop,
            ledger,
            clock,
        )
        self._last_look = clock.now
        self.looked_at = 0

    def run(self):
        """Look at everything.

        :return: what is wrong
        :rtype: list[str]
        """
        self.env.flush_all()
        problems = []
        for check in (
            self._check_messages,
            self._check_caps,
            self._check_carts,
            self._check_all_found,
            self._check_revenue,
            self._check_dashboard,
            self._check_coupons,
            self._check_rows,
        ):
            problems += check()
        return problems

    def _fetch(self, query, *params):
        self.env.cr.execute(query, params)
        return self.env.cr.fetchall()

    # === PEOPLE ===#

    def _check_messages(self):
        """Nobody is written to after buying or objecting."""
        problems = []
        rows = self._fetch(
            """SELECT m.id, m.email_normalized, m.phone_sanitized, m.sending_at,
                      cart.abandoned_at
                 FROM marketing_message m
                 JOIN abandoned_cart cart ON cart.id = m.abandoned_cart_id
                WHERE m.state = ANY(%s) AND m.sending_at >= %s""",
            list(REACHED),
            self._last_look,
        )
        self._last_look = self.clock.now
        self.looked_at += len(rows)
        for message_id, email, phone, sent_at, left_at in rows:
            # Whoever objects to the emails gets no text message instead.
            for address in filter(None, (email, phone)):
                if self.ledger.objected.get(address, sent_at) < sent_at:
                    problems.append(f"message {message_id}: {address} had objected")
            left_at = min(left_at, sent_at)
            if self.ledger.has_bought_between(email, left_at, sent_at):
                problems.append(f"message {message_id}: {email} had bought")
        return problems

    def _check_caps(self):
        """Never two messages within the cap, never more than three about a cart."""
        hours = self.shop.company.email_cap_hours
        close = self._fetch(
            """SELECT email_normalized, sending_at, before FROM (
                      SELECT email_normalized, sending_at,
                             lag(sending_at) OVER (
                                 PARTITION BY email_normalized ORDER BY sending_at)
                                 AS before
                        FROM marketing_message
                       WHERE channel = 'email' AND state = ANY(%s)) pairs
                WHERE sending_at - before < %s AND sending_at >= %s""",
            list(REACHED),
            timedelta(hours=hours),
            self.clock.now - timedelta(days=2),
        )
        many = self._fetch(
            """SELECT m.abandoned_cart_id, count(*) FROM marketing_message m
                WHERE m.state = ANY(%s) GROUP BY 1 HAVING count(*) > 3""",
            list(REACHED),
        )
        return [
            f"{email} had messages at {before} and {at}" for email, at, before in close
        ] + [f"cart {cart}: {count} messages" for cart, count in many]

    # === CARTS ===#

    def _check_carts(self):
        """Every cart is in one state, with a reason, and the state is true."""
        now = self.clock.now
        queries = {
            "is excluded without a reason": (
                "state = 'excluded' AND exclusion_reason IS NULL"
            ),
            "has a reason without being excluded": (
                "state != 'excluded' AND exclusion_reason IS NOT NULL"
            ),
            "is recovered without an order": (
                "state = 'recovered' AND recovered_order_id IS NULL"
            ),
            "is recovered by an order that is not confirmed": (
                "state = 'recovered' AND EXISTS (SELECT FROM sale_order so"
                " WHERE so.id = recovered_order_id AND so.state != 'sale')"
            ),
            "is open beyond its expiry": (
                f"state IN ('abandoned', 'recovery_started') "
                f"AND expires_at < '{now - timedelta(hours=3)}'"
            ),
            "was written to and is still called abandoned": (
                "state = 'abandoned' AND EXISTS (SELECT FROM marketing_message m"
                " WHERE m.abandoned_cart_id = abandoned_cart.id"
                " AND m.state IN ('sent', 'delivered'))"
            ),
            "is open although its order was confirmed": (
                "state IN ('abandoned', 'recovery_started') AND EXISTS ("
                "SELECT FROM sale_order so WHERE so.id = abandoned_cart.order_id"
                " AND so.state = 'sale')"
            ),
        }
        return self._count_all("abandoned_cart", "cart", queries)

    def _check_all_found(self):
        """Every cart that was left with something in it is recorded."""
        rows = self._fetch(
            """SELECT so.id FROM sale_order so
                WHERE so.state = 'draft' AND so.website_id IS NOT NULL
                  AND so.cart_activity_at BETWEEN %s AND %s
                  AND NOT EXISTS (SELECT FROM abandoned_cart cart
                                   WHERE cart.order_id = so.id)
                  AND NOT EXISTS (SELECT FROM sale_order_restored_cart_rel rel
                                   WHERE rel.sale_order_id = so.id)""",
            self.clock.now - timedelta(days=20),
            self.clock.now - timedelta(hours=3),
        )
        return [f"order {order_id} was left and not found" for (order_id,) in rows]

    def _check_revenue(self):
        """What recovery is said to have brought in is the sum of the orders."""
        [(shown,)] = self._fetch(
            "SELECT COALESCE(sum(recovered_amount_company), 0) FROM abandoned_cart"
        )
        rows = self._fetch(
            """SELECT DISTINCT recovered_order_id FROM abandoned_cart
                WHERE state = 'recovered'"""
        )
        recovered = {order_id for (order_id,) in rows}
        real = sum(
            purchase.amount
            for purchase in self.ledger.purchases
            if purchase.order_id in recovered and not purchase.cancelled
        )
        if abs(real - float(shown)) < 0.005:
            return []
        return [f"recovered revenue is said to be {shown}, the orders are {real:.2f}"]

    def _check_dashboard(self):
        """The dashboard says what the orders say, on the first day of each month."""
        if self.clock.now.day != 1:
            return []
        self.env["marketing.daily.figure"]._cron_refresh()
        first, last = self.shop.opened_at.date(), self.clock.now.date()
        data = self.env["marketing.dashboard"].get_data(
            {"period": "custom", "first": str(first), "last": str(last)}
        )
        shown = {kpi["name"]: kpi["value"] for kpi in data["kpis"]}
        rows = self._fetch(
            "SELECT DISTINCT recovered_order_id FROM abandoned_cart"
            " WHERE state = 'recovered'"
        )
        recovered = {order_id for (order_id,) in rows}
        orders = [
            purchase
            for purchase in self.ledger.purchases
            if purchase.order_id in recovered and not purchase.cancelled
        ]
        real = {"recovered_revenue": sum(purchase.amount for purchase in orders)}
        return [
            f"the dashboard says {key} is {shown[key]}, it is {value:.2f}"
            for key, value in real.items()
            if abs(shown[key] - value) > 0.005
        ]

    # === COUPONS ===#

    def _check_coupons(self):
        """Coupons redeemed are those in Odoo's history; each once, by its person."""
        redeemed = {
            row[0]
            for row in self._fetch(
                "SELECT id FROM loyalty_card WHERE marketing_redeemed_at IS NOT NULL"
            )
        }
        history = {
            row[0]
            for row in self._fetch(
                """SELECT card.id FROM loyalty_history history
                     JOIN loyalty_card card ON card.id = history.card_id
                     JOIN sale_order so ON so.id = history.order_id
                      AND history.order_model = 'sale.order' AND so.state = 'sale'
                    WHERE card.marketing_coupon_id IS NOT NULL AND history.used > 0"""
            )
        }
        twice = self._fetch(
            """SELECT coupon_id FROM sale_order_line
                WHERE state = 'sale' AND coupon_id IN (SELECT id FROM loyalty_card
                      WHERE marketing_coupon_id IS NOT NULL)
                GROUP BY 1 HAVING count(DISTINCT order_id) > 1"""
        )
        foreign = self._fetch(
            """SELECT line.coupon_id FROM sale_order_line line
                 JOIN loyalty_card card ON card.id = line.coupon_id
                 JOIN sale_order so ON so.id = line.order_id
                 JOIN res_partner p ON p.id = so.partner_id
                WHERE card.marketing_coupon_id IS NOT NULL AND so.state = 'sale'
                  AND p.email_normalized != card.marketing_email"""
        )
        [(said, given)] = self._fetch(
            """SELECT (SELECT COALESCE(sum(marketing_discount_company), 0)
                         FROM loyalty_card),
                      (SELECT COALESCE(-sum(line.price_total), 0)
                         FROM sale_order_line line
                         JOIN loyalty_card card ON card.id = line.coupon_id
                        WHERE card.marketing_coupon_id IS NOT NULL
                          AND line.state = 'sale')"""
        )
        kept = self._fetch(
            """SELECT card.id FROM loyalty_card card
                 JOIN marketing_enrollment run ON run.id = card.marketing_enrollment_id
                WHERE run.state = 'stopped' AND card.marketing_redeemed_at IS NULL
                  AND run.stop_reason IN ('purchased', 'opted_out', 'expired')
                  AND card.marketing_revoked_at IS NULL
                  AND card.expiration_date >= %s""",
            self.clock.now.date(),
        )
        problems = [
            *(f"coupon {card} is in one ledger only" for card in redeemed ^ history),
            *(f"coupon {card} was used twice" for (card,) in twice),
            *(f"coupon {card} was used by somebody else" for (card,) in foreign),
            *(f"coupon {card} outlived its run" for (card,) in kept),
        ]
        if abs(said - given) > 0.005:
            problems.append(f"discounts are said to be {said}, they are {given}")
        return problems

    # === ROWS ===#

    def _check_rows(self):
        """Nothing without what it belongs to, nothing skipped or stopped silently."""
        runs = {
            "is stopped without a reason": "state = 'stopped' AND stop_reason IS NULL",
            "is running without a next step": (
                "state IN ('active', 'paused') AND next_step_id IS NULL"
            ),
            "has no cart": "abandoned_cart_id IS NULL",
            "is running although the cart is closed": (
                "state IN ('active', 'paused') AND EXISTS (SELECT FROM abandoned_cart c"
                " WHERE c.id = abandoned_cart_id"
                " AND c.state IN ('recovered', 'expired', 'excluded'))"
            ),
        }
        messages = {
            "is skipped without a reason": "state = 'skipped' AND reason IS NULL",
            "waits although its run ended": (
                "state = 'queued' AND enrollment_id IN (SELECT id"
                " FROM marketing_enrollment WHERE state = 'stopped'"
                " AND stop_reason != 'max_messages')"
            ),
            "is lost on the way": "state IN ('sending', 'uncertain', 'failed')",
            "belongs to no run": "step_id IS NOT NULL AND enrollment_id IS NULL",
            "went to somebody in the control group": (
                "state IN ('sending', 'sent', 'delivered', 'bounced')"
                " AND enrollment_id IN (SELECT id FROM marketing_enrollment"
                " WHERE is_holdout)"
            ),
        }
        persons = self._fetch(
            """SELECT email_normalized, count(*) FROM marketing_enrollment
                WHERE state IN ('active', 'paused')
                GROUP BY email_normalized, company_id HAVING count(*) > 1"""
        )
        return [
            *self._count_all("marketing_enrollment", "run", runs),
            *self._count_all("marketing_message", "message", messages),
            *(f"{email} has {count} recoveries" for email, count in persons),
        ]

    def _count_all(self, table, name, queries):
        problems = []
        for sentence, condition in queries.items():
            rows = self._fetch(f"SELECT id FROM {table} WHERE {condition}")
            problems += [f"{name} {row_id} {sentence}" for (row_id,) in rows]
        return problems
