"""Carts from before the installation: nobody noted when their customers left.

They are looked for by the first scheduled run, not while the addon is being installed:
the shop goes on selling meanwhile, and whoever changes a cart waits for nobody.
"""

from functools import partial

from odoo import api, fields, models
from odoo.service.model import retrying
from odoo.tools import SQL, split_every

BATCH_SIZE = 1_000


class AbandonedCart(models.Model):
    _inherit = "abandoned.cart"

    # === CRON METHODS ===#

    @api.model
    def _cron_take_over(self):
        """Note when the customers of former carts left, in batches; done once.

        A cart that somebody is changing is left alone until they are done.
        """
        cron = self.env["ir.cron"]
        order_ids = self._find_former_carts()
        cron._commit_progress(remaining=len(order_ids))
        for batch in split_every(BATCH_SIZE, order_ids):
            retrying(partial(self._stamp_former_carts, batch), self.env)
            if not cron._commit_progress(len(batch)):
                return self.env["marketing.dispatcher"]._run_again(
                    "marketing_automation.ir_cron_take_over_carts"
                )
        # Some may have been left out, and are found in the next run.
        if left := self._find_former_carts():
            cron._commit_progress(remaining=len(left))
            return
        self.env.ref("marketing_automation.ir_cron_detect_carts")._trigger()
        cron._commit_progress(remaining=0, deactivate=True)

    # === BUSINESS METHODS ===#

    @api.model
    def _find_former_carts(self):
        """Return the ids of carts that nobody has noted the activity of, and whose
        customer did something before their expiry. Those that stood still for longer
        are history.

        :rtype: list[int]
        """
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL jit = off")
        return [
            order_id
            for (order_id,) in self.env.execute_query(
                SQL(
                    """WITH kept AS (
                           SELECT %s::timestamp
                                  - max(cart_expiry_days) * interval '1 day' AS since
                             FROM res_company)
                       SELECT so.id FROM sale_order so
                        WHERE %s
                          AND (so.create_date > (SELECT since FROM kept)
                               OR so.id IN (
                                  SELECT sol.order_id FROM sale_order_line sol
                                   WHERE sol.write_date > (SELECT since FROM kept)))
                        ORDER BY so.id""",
                    fields.Datetime.now(),
                    self._sql_is_former_cart(),
                )
            )
        ]

    @api.model
    def _sql_is_former_cart(self):
        """Return the condition for carts ``so`` whose activity nobody has noted; not
        those that a recovery link filled and nobody has touched since."""
        return SQL(
            """so.website_id IS NOT NULL AND so.state = 'draft'
               AND so.cart_activity_at IS NULL
               AND NOT EXISTS (SELECT FROM sale_order_restored_cart_rel rel
                                WHERE rel.sale_order_id = so.id)"""
        )

    @api.model
    def _stamp_former_carts(self, order_ids):
        """Note when the customers of carts left, as the rows say that only they write:
        the cart and its lines. Carts that somebody is changing are left out.

        :param order_ids: ids of orders
        :return: number of carts
        :rtype: int
        """
        self.env.cr.execute(
            SQL(
                """WITH free AS (
                       SELECT so.id, so.create_date FROM sale_order so
                        WHERE so.id = ANY(%s) AND %s
                        ORDER BY so.id
                          FOR NO KEY UPDATE OF so SKIP LOCKED)
                   UPDATE sale_order so
                      SET cart_activity_at = GREATEST(free.create_date, (
                          SELECT max(GREATEST(sol.create_date, sol.write_date))
                            FROM sale_order_line sol WHERE sol.order_id = free.id))
                     FROM free WHERE so.id = free.id""",
                list(order_ids),
                self._sql_is_former_cart(),
            )
        )
        stamped = self.env.cr.rowcount
        self.env["sale.order"].browse(order_ids).invalidate_recordset(
            ["cart_activity_at"]
        )
        return stamped
