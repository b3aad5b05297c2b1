from odoo.tools import SQL


def migrate(cr, version):
    """Keep writing to whom the shop wrote to: consent was not asked for before. New
    installations begin with people who agreed, and so does each new company."""
    cr.execute(SQL("UPDATE res_company SET consent_policy = 'soft_opt_in'"))
