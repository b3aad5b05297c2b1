import logging
from datetime import timedelta
from functools import partial

from psycopg2 import InterfaceError

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL

from .payments import HAS_LIVE_PAYMENT

_logger = logging.getLogger(__name__)

BATCH_SIZE = 25000
# A transaction may take so long until others see what it wrote.
OVERLAP = timedelta(hours=1)

# A line the customer put into the cart, and one that could still be sold.
# The same rules in Python: `sale.order.line._is_recoverable_line`, `_is_sellable_now`;
# stock, and what modules add in `_is_offered`, is only known to Python and is checked
# before each message. Tickets of events are sold without their product being published.
RECOVERABLE_LINE = SQL(
    """sol.product_id IS NOT NULL AND sol.display_type IS NULL
       AND sol.reward_id IS NULL AND sol.combo_item_id IS NULL
       AND NOT COALESCE(sol.is_delivery, FALSE)"""
)
SELLABLE_LINE = SQL(
    """pp.active AND pt.sale_ok AND sol.product_uom_qty > 0
       AND (pt.is_published OR pt.service_tracking = 'event')
       AND (pt.website_id IS NULL OR pt.website_id = so.website_id)
       AND NOT (COALESCE(w.prevent_zero_price_sale, FALSE)
                AND sol.price_unit = 0 AND pt.type != 'combo')
       AND (pt.type != 'combo' OR EXISTS (
                SELECT FROM product_combo_product_template_rel choice
                 WHERE choice.product_template_id = pt.id)
            AND NOT EXISTS (
                SELECT FROM product_combo_product_template_rel choice
                 WHERE choice.product_template_id = pt.id AND NOT EXISTS (
                       SELECT FROM sale_order_line part
                         JOIN product_combo_item item ON item.id = part.combo_item_id
                         JOIN product_product chosen ON chosen.id = part.product_id
                        WHERE part.linked_line_id = sol.id AND chosen.active
                          AND item.combo_id = choice.product_combo_id)))"""
)
RANDOM_TOKEN = SQL(
    # 128 bits of the server's strong random source, as 32 hexadecimal digits.
    """encode(substr(sha256(uuid_send(gen_random_uuid())
       || uuid_send(gen_random_uuid())), 1, 16), 'hex')"""
)


class AbandonedCart(models.Model):
    """Detection: one set-based pass over the carts that moved and then stood still."""

    _inherit = "abandoned.cart"

    # === CRON METHODS ===#

    @api.model
    def _cron_detect(self):
        """Find abandoned carts, expire old ones, start recoveries.

        Works in committed batches: an interrupted run has lost nothing and the next
        one goes on. Several workers may run it at once: a batch that meets what
        somebody else has just written is done again.
        """
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=1)
        is_over = False
        detect = partial(self._detect_batch, since=self._get_first_activity())
        while not is_over and (count := retrying(detect, self.env)):
            is_over = not cron._commit_progress(count, remaining=1)
        # Also when time is up: those found by now wait for nothing else.
        self._finish_apart()
        if is_over:
            return self.env["marketing.dispatcher"]._run_again(
                "marketing_automation.ir_cron_detect_carts"
            )
        cron._commit_progress(remaining=0)

    @api.model
    def _get_first_activity(self):
        """Return how far back this run of the scheduled action has to look.

        Carts come in by their latest activity: all of them were looked at by the run
        before, but for those of the minutes since. A cart of longer ago can come in,
        too, when its payment fails or a setting changes; the first run of an hour looks
        for these.

        :return: naive, UTC; None to look at all that has not expired
        :rtype: datetime
        """
        before, now = self.env.context.get("lastcall"), fields.Datetime.now()
        if not before or before.replace(minute=0, second=0, microsecond=0) != (
            now.replace(minute=0, second=0, microsecond=0)
        ):
            return None
        websites = self.env["website"].search([("cart_recovery_enabled", "=", True)])
        idle_minutes = max(websites.mapped("cart_idle_minutes"), default=0)
        return before - timedelta(minutes=idle_minutes) - OVERLAP

    # === BUSINESS METHODS ===#

    @api.model
    def _detect_all(self):
        """Do at once, in one transaction, what the scheduled action does in many."""
        while self._detect_batch():
            pass
        self._finish_detection()

    @api.model
    def _finish_detection(self):
        """Expire old carts, and start the recovery of those that were found."""
        for finish in self._get_last_steps():
            finish()

    @api.model
    def _finish_apart(self):
        """Do the same, a transaction each: what fails holds up none of the others."""
        for finish in self._get_last_steps():
            try:
                retrying(finish, self.env)
            except InterfaceError:
                raise  # There is no database to go on with.
            except Exception:
                self.env.cr.rollback()
                self.env.transaction.reset()
                _logger.exception("Detection: %s failed", finish.__name__)

    @api.model
    def _get_last_steps(self):
        """Return what detection ends with, in its order.

        :rtype: list
        """
        return [
            self._expire,
            self._follow_all_contacts,
            self._find_strangers,
            self.env["marketing.enrollment"]._enroll_abandoned,
        ]

    @api.model
    def _detect_batch(self, limit=BATCH_SIZE, since=None):
        """Record up to ``limit`` carts without activity for their website's idle time.

        :param int limit: number of carts to look at
        :param datetime since: leave out carts that were left before; empty: none
        :return: number of carts looked at; 0 when nothing is left
        :rtype: int
        """
        self.env.flush_all()
        # Compiling these statements takes PostgreSQL longer than running them.
        self.env.cr.execute("SET LOCAL jit = off")
        picked = self._lock_idle_orders(limit, since)
        if not picked:
            return 0
        facts = self._sql_facts([order_id for order_id, _is_known in picked])
        resumed = []
        if any(is_known for _order_id, is_known in picked):
            self._keep_former_orders(facts)
            resumed = self.env.execute_query(self._sql_resumed(facts))
        self.env.cr.execute(self._sql_recorded(facts))
        self.env.invalidate_all(flush=False)
        self._settle_resumed([cart_id for (cart_id,) in resumed])
        return len(picked)

    @api.model
    def _sql_idle_orders(self, since=None):
        """Return the FROM and WHERE of carts whose customer left (C1).

        A cart is looked at once per activity: afterwards there is an abandonment of
        that time or later, of this cart or of the one it was restored from. Carts that
        have been idle beyond their expiry are history, not something to recover.
        """
        return SQL(
            """FROM sale_order so
               JOIN website w ON w.id = so.website_id AND w.cart_recovery_enabled
               JOIN res_company c ON c.id = so.company_id
               WHERE so.state = 'draft' AND so.website_id IS NOT NULL
                 AND so.cart_activity_at <= %(now)s::timestamp
                     - w.cart_idle_minutes * interval '1 minute'
                 AND so.cart_activity_at > %(now)s::timestamp
                     - c.cart_expiry_days * interval '1 day'
                 AND so.cart_activity_at > %(since)s AND so.cart_activity_at <= %(now)s
                 AND NOT %(is_paid)s
                 AND NOT EXISTS (
                     SELECT FROM abandoned_cart seen
                      WHERE seen.order_id = so.id
                        AND seen.abandoned_at >= so.cart_activity_at)
                 AND NOT EXISTS (
                     SELECT FROM sale_order_restored_cart_rel rel
                       JOIN abandoned_cart seen ON seen.id = rel.abandoned_cart_id
                      WHERE rel.sale_order_id = so.id
                        AND seen.abandoned_at >= so.cart_activity_at)""",
            now=fields.Datetime.now(),
            since=since or self._get_first_expiry(),
            is_paid=HAS_LIVE_PAYMENT,
        )

    @api.model
    def _get_first_expiry(self):
        """Return when the oldest cart was left that has not expired in any company.

        Each company has its own; as a value of its own this one lets the database look
        at the carts of that time alone, however many it has.

        :return: naive, UTC
        :rtype: datetime
        """
        self.env["res.company"].flush_model(["cart_expiry_days"])
        ((days,),) = self.env.execute_query(
            SQL("SELECT max(cart_expiry_days) FROM res_company")
        )
        return fields.Datetime.now() - timedelta(days=days or 0)

    @api.model
    def _lock_idle_orders(self, limit, since=None):
        """Lock idle carts, then quotations; those another worker holds are left to it.

        :param int limit: number of carts
        :param datetime since: leave out carts that were left before; empty: none
        :return: pairs (order id, whether the cart may have been left behind before)
        :rtype: list
        """
        picked = self._lock_idle(self._sql_idle_orders(since), limit)
        if len(picked) < limit:
            picked += self._lock_idle(self._sql_idle_quotations(), limit - len(picked))
        return picked

    @api.model
    def _lock_idle(self, idle, limit):
        return self.env.execute_query(
            SQL(
                """SELECT so.id,
                          EXISTS (SELECT FROM abandoned_cart known
                                   WHERE known.order_id = so.id)
                          OR EXISTS (SELECT FROM sale_order_restored_cart_rel rel
                                      WHERE rel.sale_order_id = so.id)
                     %s
                    ORDER BY so.cart_activity_at
                    LIMIT %s FOR NO KEY UPDATE OF so SKIP LOCKED""",
                idle,
                limit,
            )
        )

    @api.model
    def _keep_former_orders(self, facts):
        """Remember the order a cart was before its copy takes over."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO sale_order_restored_cart_rel (
                          sale_order_id, abandoned_cart_id)
                   SELECT cart.order_id, cart.id
                     FROM (%s) f JOIN abandoned_cart cart ON cart.id = f.known_id
                    WHERE cart.order_id IS NOT NULL AND cart.order_id != f.order_id
                       ON CONFLICT DO NOTHING""",
                facts,
            )
        )

    @api.model
    def _sql_resumed(self, facts):
        """Go on with carts that were left behind before: same recovery, new facts."""
        return SQL(
            """UPDATE abandoned_cart cart
                  SET order_id = f.order_id, name = f.name, kind = f.kind,
                      partner_id = f.partner_id, is_guest = f.is_guest,
                      is_typed = f.is_typed,
                      customer_name = f.customer_name, email = f.email,
                      email_normalized = f.email_normalized, phone = f.phone,
                      phone_sanitized = f.phone_sanitized,
                      robot_signals = f.robot_signals, lang = f.lang,
                      currency_id = f.currency_id,
                      amount_total = f.amount_total,
                      amount_company = f.amount_company,
                      worth_company = f.worth_company, item_count = f.item_count,
                      lines = f.lines, content = f.content,
                      abandoned_at = f.abandoned_at, expires_at = f.expires_at,
                      exclusion_reason = f.reason,
                      state = CASE WHEN f.reason IS NOT NULL THEN 'excluded'
                                   WHEN cart.state != 'excluded' THEN cart.state
                                   WHEN EXISTS (
                                       SELECT FROM marketing_message m
                                        WHERE m.abandoned_cart_id = cart.id
                                          AND m.state NOT IN ('skipped', 'cancelled',
                                                              'failed'))
                                   THEN 'recovery_started'
                                   ELSE 'abandoned' END
                 FROM (%s) f
                WHERE cart.id = f.known_id
            RETURNING cart.id""",
            facts,
        )

    @api.model
    def _sql_recorded(self, facts):
        """Record the carts nobody knew yet, the most valuable first.

        (Sorting also reads all facts before the first row is written: without it
        PostgreSQL may scan what it is just writing, once per cart.)
        """
        return SQL(
            """INSERT INTO abandoned_cart (
                      detected_at, token, kind, order_id, name, website_id, company_id,
                      partner_id, is_guest, is_typed, customer_name, email,
                      email_normalized, phone, phone_sanitized, robot_signals, lang,
                      currency_id, amount_total, amount_company, worth_company,
                      item_count, lines,
                      content, cart_created_at, abandoned_at, expires_at,
                      exclusion_reason, state)
               SELECT %(now)s, %(token)s, f.kind, f.order_id, f.name, f.website_id,
                      f.company_id, f.partner_id, f.is_guest, f.is_typed,
                      f.customer_name, f.email, f.email_normalized, f.phone,
                      f.phone_sanitized, f.robot_signals, f.lang, f.currency_id,
                      f.amount_total, f.amount_company, f.worth_company,
                      f.item_count, f.lines,
                      f.content, f.cart_created_at, f.abandoned_at, f.expires_at,
                      f.reason,
                      CASE WHEN f.reason IS NOT NULL THEN 'excluded'
                           WHEN f.expires_at <= %(now)s THEN 'expired'
                           ELSE 'abandoned' END
                 FROM (%(facts)s) f
                WHERE f.known_id IS NULL
                ORDER BY f.amount_company DESC, f.order_id
                   ON CONFLICT DO NOTHING
            RETURNING id""",
            now=fields.Datetime.now(),
            token=RANDOM_TOKEN,
            facts=facts,
        )

    @api.model
    def _settle_resumed(self, cart_ids):
        """Resume the recoveries held while the customers were here, or end them.

        :param list cart_ids: carts that were left behind once more
        """
        excluded = self.browse(cart_ids).filtered(lambda cart: cart.state == "excluded")
        excluded.enrollment_ids._stop("emptied")
        held = (self.browse(cart_ids) - excluded).enrollment_ids.filtered(
            lambda run: run.state == "paused" or run.stop_reason == "emptied"
        )
        self._follow_address(held)
        held._resume()

    @api.model
    def _follow_address(self, runs):
        """Go on under the address that was given last, unless there is a recovery
        under it already: nobody has two.

        :param marketing.enrollment runs: held recoveries
        """
        for run in runs:
            email = run.abandoned_cart_id.email_normalized
            if run.email_normalized == email:
                continue
            taken = run.search_count(
                [
                    ("email_normalized", "=", email),
                    ("company_id", "=", run.company_id.id),
                    ("state", "in", ("active", "paused")),
                ],
                limit=1,
            )
            if taken:
                run._stop("cancelled")
            run.email_normalized = email

    @api.model
    def _expire(self):
        """Give up on carts past their expiry and end their recoveries."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """UPDATE abandoned_cart
                      SET state = 'expired'
                    WHERE state IN ('abandoned', 'recovery_started')
                      AND expires_at <= %(now)s
                RETURNING id""",
                now=fields.Datetime.now(),
            )
        )
        expired = self.browse(cart_id for (cart_id,) in rows)
        expired.invalidate_recordset()
        expired.enrollment_ids._stop("expired")
