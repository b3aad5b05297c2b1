"""Requests for consent that were there before are counted by their mailbox, too."""

from odoo.addons.marketing_automation.tools.mailbox import fold_mailbox


def migrate(cr, version):
    cr.execute("SELECT id, address FROM marketing_opt_in WHERE folded_address IS NULL")
    for request_id, address in cr.fetchall():
        cr.execute(
            "UPDATE marketing_opt_in SET folded_address = %s WHERE id = %s",
            [fold_mailbox(address), request_id],
        )
