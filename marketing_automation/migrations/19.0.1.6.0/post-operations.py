"""What waits to be sent is not kept waiting by other scheduled actions."""

from odoo import SUPERUSER_ID, api

# Odoo's own, which nobody has changed then.
DEFAULT_PRIORITY = 5


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    cron = env.ref("marketing_automation.ir_cron_dispatch", raise_if_not_found=False)
    if cron:
        # Not through the ORM: it refuses while the action is running somewhere.
        cr.execute(
            "UPDATE ir_cron SET priority = 1 WHERE id = %s AND priority = %s",
            (cron.id, DEFAULT_PRIORITY),
        )
