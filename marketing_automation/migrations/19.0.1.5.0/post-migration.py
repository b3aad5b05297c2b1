"""Figures that are kept from now on are counted for what was there before."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    count_campaigns(env)
    count_deliverability(env)


def count_campaigns(env):
    """Campaigns get their days, and what their pages are drawn from."""
    campaigns = env["email.campaign"].with_context(active_test=False)
    campaigns.search([("started_at", "!=", False)])._refresh_figures()


def count_deliverability(env):
    """Mail domains get all days on which emails were sent, as far as is known still."""
    env["email.deliverability.stats"]._count_all()
