"""What people answered in the last month is shown to somebody who reads it."""

from odoo import SUPERUSER_ID, api

DAYS = 31


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["marketing.reply"]._adopt(DAYS)
