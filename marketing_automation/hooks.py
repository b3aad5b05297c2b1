from odoo.tools import SQL

from .models.insight import daily_watch


def post_init_hook(env):
    """Take over carts that were there before, and Odoo's own reminder.

    Customers' activity in existing carts shows in the rows that only they write: the
    cart and its lines.
    """
    env.flush_all()
    env.cr.execute(
        SQL(
            """
            UPDATE sale_order so
               SET cart_activity_at = GREATEST(so.create_date, lines.last_change)
              FROM (SELECT o.id, max(GREATEST(sol.create_date, sol.write_date))
                           AS last_change
                      FROM sale_order o
                      LEFT JOIN sale_order_line sol ON sol.order_id = o.id
                     WHERE o.website_id IS NOT NULL AND o.state = 'draft'
                       AND o.cart_activity_at IS NULL
                     GROUP BY o.id) lines
             WHERE so.id = lines.id
            """
        )
    )
    env.invalidate_all(flush=False)
    env["website"].search([]).filtered(
        "cart_recovery_enabled"
    ).send_abandoned_cart_email = False


def uninstall_hook(env):
    """Take away what the database itself was told: Odoo only knows of its tables.

    Coupons that customers still have stay good, as Odoo's own.
    """
    env["marketing.coupon"]._let_go()
    env.cr.execute(SQL("DROP FUNCTION IF EXISTS marketing_consent_log_keep() CASCADE"))
    daily_watch.unwatch(env.cr)
