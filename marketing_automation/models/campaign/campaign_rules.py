"""What the gate asks of a campaign before one of its messages leaves."""

from odoo.tools import SQL

# A test goes to whoever asked for it, whatever the campaign does.
IS_OF_CAMPAIGN = SQL("campaign.id IS NOT NULL AND m.priority > 0")
CAMPAIGN_RULES = [
    ("cancelled", SQL("%s AND campaign.state = 'cancelled'", IS_OF_CAMPAIGN)),
    # It was claimed just before.
    (
        "campaign_paused",
        SQL(
            "%s AND (campaign.state != 'running' OR campaign.is_rescheduling)",
            IS_OF_CAMPAIGN,
        ),
    ),
]
