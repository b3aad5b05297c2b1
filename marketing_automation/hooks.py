from odoo.tools import SQL

from . import removal
from .models.insight import daily_watch


def post_init_hook(env):
    """Take over from Odoo's own reminder.

    Carts that were there before are found by the first scheduled run: the shop is not
    kept waiting for them.
    """
    env["website"].search([]).filtered(
        "cart_recovery_enabled"
    ).send_abandoned_cart_email = False


def uninstall_hook(env):
    """Take away what Odoo would take away row by row, and what the database itself was
    told: Odoo only knows of its tables.

    Coupons that customers still have stay good, as Odoo's own.
    """
    env.cr.execute(SQL("DROP FUNCTION IF EXISTS marketing_consent_log_keep() CASCADE"))
    daily_watch.unwatch(env.cr)
    removal.delete_marks(env)
    removal.empty_tables(env)
    removal.delete_external_ids(env)
    env["marketing.coupon"]._let_go()
