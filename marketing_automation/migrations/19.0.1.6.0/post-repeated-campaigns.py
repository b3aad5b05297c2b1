from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import SUPERUSER_ID, api

from odoo.addons.marketing_automation.tools.wall_time import to_utc, to_wall

# More rounds than anybody has missed.
MOST_ROUNDS = 5000


def migrate(cr, version):
    """Let series of campaigns go on from the day and hour that somebody chose.

    Each time was counted from the one before, so that the 31st had become the 28th, and
    an hour that the clocks skipped stayed skipped. What is planned stays planned; the
    times after it are right again.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    campaigns = env["email.campaign"].with_context(active_test=False)
    series = campaigns.search(
        [("kind", "=", "recurring"), ("previous_id", "!=", False)], order="id"
    )
    for campaign in series:
        before = campaign.previous_id
        if not (campaign.scheduled_at and before.scheduled_at):
            continue
        steps = count_steps(before, campaign.scheduled_at)
        if steps is None:
            continue  # Somebody chose another time: the series begins anew with it.
        first, number = before._get_place()
        # Of drifted times the number of steps is right, and the times are not.
        cr.execute(
            """UPDATE email_campaign
                  SET repeat_from = %s, repeat_number = %s, repeat_planned_at = %s
                WHERE id = %s""",
            [first, number + steps, campaign.scheduled_at, campaign.id],
        )
        campaign.invalidate_recordset()


def count_steps(campaign, until):
    """Return by how many steps of its rule, each from the one before, a campaign comes
    to a time; None if by none. As it was planned up to 19.0.1.5.0."""
    zone = campaign._get_own_zone()
    step = relativedelta(**{campaign.repeat_unit: max(campaign.repeat_every, 1)})
    at = campaign.scheduled_at
    for number in range(1, MOST_ROUNDS):
        at = to_utc_as_before(to_wall(at, zone).replace(fold=0) + step, zone)
        if at == until:
            return number
        if at > until + timedelta(days=1):
            break
    return None


def to_utc_as_before(wall, zone):
    """Times that come twice were the second one."""
    return to_utc(wall.replace(fold=1), zone)
