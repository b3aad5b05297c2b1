"""When each of the recipients gets it."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...tools.phone_zones import DIGITS, E164_PATTERN, get_ranges
from ...tools.quiet_hours import timezone_of_person
from ...tools.wall_time import to_utc, to_wall

# Where a day begins first: a campaign at the local time of each starts here.
EARLIEST_ZONE = "Pacific/Kiritimati"
MAX_SPREAD_HOURS = 14 * 24
SCHEDULE_FIELDS = {"scheduled_at", "is_local_time", "spread_hours"}
# There are messages that wait.
MOVABLE_STATES = ("running", "paused")


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    is_at_once = fields.Boolean(
        string="As Soon As It Is Confirmed",
        default=True,
        help="Otherwise at the time below.",
    )
    scheduled_at = fields.Datetime(
        string="Leaves On",
        copy=False,
        index=True,
        help="When it is sent; the time it was confirmed if it leaves at once.",
    )
    is_local_time = fields.Boolean(
        string="At Each Recipient's Local Time",
        help="At this time of the day where each of them lives, as far as their "
        "address tells, or the number of a text message. Whose time is over already "
        "gets it at once.",
    )
    spread_hours = fields.Float(
        string="Spread Over",
        help="Hours. The recipients get it one after the other within this time, in "
        "random order, so that not all of them are in your shop at once. 0: as "
        "fast as possible.",
    )
    starts_at = fields.Datetime(
        string="Starts",
        compute="_compute_starts_at",
        help="When the first recipients get it, and all of them are decided on.",
    )
    ends_at = fields.Datetime(
        compute="_compute_starts_at",
        help="When the last recipients are due.",
    )

    @api.depends("scheduled_at", "is_local_time", "spread_hours")
    def _compute_starts_at(self):
        for campaign in self:
            at = campaign.scheduled_at
            campaign.starts_at = (
                campaign._get_due_in(EARLIEST_ZONE)
                if at and campaign.is_local_time
                else at
            )
            campaign.ends_at = at and at + timedelta(hours=campaign.spread_hours)

    @api.constrains("is_at_once", "scheduled_at", "is_local_time", "spread_hours")
    def _check_schedule(self):
        for campaign in self:
            if not 0 <= campaign.spread_hours <= MAX_SPREAD_HOURS:
                raise ValidationError(
                    self.env._(
                        "Spread it over 0 to %s hours.",
                        MAX_SPREAD_HOURS,
                    )
                )
            if campaign.state == "scheduled" and not campaign.scheduled_at:
                raise ValidationError(self.env._("Say when it is to leave."))

    def write(self, vals):
        """Another time is another time for those who wait for their message, too."""
        if not vals.keys() & SCHEDULE_FIELDS:
            return super().write(vals)
        ended = self.filtered("ended_at")
        if ended:
            raise UserError(
                self.env._(
                    "“%s” has ended: there is nothing to wait for.", ended[0].name
                )
            )
        if vals.get("scheduled_at"):
            vals = {"is_at_once": False, **vals}
        running = self.filtered(lambda campaign: campaign.state in MOVABLE_STATES)
        result = super(EmailCampaign, self - running).write(vals)
        # From now on nobody takes any of their messages. These get their times in a
        # transaction of its own, when those that were just being taken are gone.
        result &= super(EmailCampaign, running).write(vals)
        super(EmailCampaign, running.sudo()).write({"is_rescheduling": True})
        self._wake_up()
        return result

    def _get_due_in(self, zone):
        """Return when it is the time of the campaign in a time zone.

        The time is what the clock shows in the company's time zone at ``scheduled_at``;
        see :func:`.wall_time.to_utc` for the nights when clocks are set.

        :param str zone: name of a time zone
        :return: naive, UTC
        :rtype: datetime
        """
        self.ensure_one()
        return to_utc(to_wall(self.scheduled_at, self._get_own_zone()), zone)

    def _get_own_zone(self):
        """Return the time zone by whose clocks the company plans.

        :return: name of a time zone
        :rtype: str
        """
        self.ensure_one()
        return self.company_id.sudo().figures_timezone or "UTC"

    def _sql_slots(self, partners):
        """Return when each of some people gets it.

        :param SQL partners: a query with a column ``partner_id``, one row a person
        :return: a query of ``partner_id`` and ``scheduled_at`` (UTC)
        :rtype: SQL
        """
        self.ensure_one()
        now = fields.Datetime.now()
        delay = SQL("random() * %s * interval '1 hour'", self.spread_hours)
        if not self.is_local_time:
            return SQL(
                """SELECT r.partner_id,
                          GREATEST(%s::timestamp, %s::timestamp) + %s AS scheduled_at
                     FROM (%s) r""",
                self.scheduled_at or now,
                now,
                delay,
                partners,
            )
        return SQL(
            """SELECT r.partner_id,
                      GREATEST(COALESCE(zone.due_at, %(own)s::timestamp),
                               %(now)s::timestamp) + %(delay)s AS scheduled_at
                 FROM (%(partners)s) r
                 JOIN res_partner p ON p.id = r.partner_id
                 LEFT JOIN (VALUES %(zones)s) zone
                           (country_id, state_id, tz, phone, due_at)
                        ON zone.country_id = COALESCE(p.country_id, 0)
                       AND zone.state_id = COALESCE(p.state_id, 0)
                       AND zone.tz = COALESCE(p.tz, '')
                       AND zone.phone = %(phone)s""",
            own=self.scheduled_at,
            now=now,
            delay=delay,
            partners=partners,
            zones=self._sql_zones(partners),
            phone=self._sql_phone_range(),
        )

    def _sql_zones(self, partners):
        """Return the due times of all places where some people live.

        :param SQL partners: as of :meth:`_sql_slots`
        :return: rows of country, state, time zone of the contact, range of their number
            and due time
        :rtype: SQL
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT COALESCE(p.country_id, 0), COALESCE(p.state_id, 0),
                          COALESCE(p.tz, ''), %s, country.code, state.code
                     FROM (%s) r
                     JOIN res_partner p ON p.id = r.partner_id
                     LEFT JOIN res_country country ON country.id = p.country_id
                     LEFT JOIN res_country_state state ON state.id = p.state_id""",
                self._sql_phone_range(),
                partners,
            )
        )
        own = self._get_own_zone()
        zones = get_ranges()[1]
        values = [
            SQL(
                "(%s, %s, %s, %s, %s::timestamp)",
                country_id,
                state_id,
                tz,
                phone,
                self._get_due_in(
                    timezone_of_person(country, state, zones[phone], tz, own)
                ),
            )
            for country_id, state_id, tz, phone, country, state in rows
        ]
        nowhere = SQL("(-1, -1, '', 0, NULL::timestamp)")
        return SQL(", ").join(values or [nowhere])

    def _sql_phone_range(self):
        """Return in which range of numbers people are whose address names no country:
        an index into the zones of ``phone_zones.get_ranges``, 0 where the number does
        not matter.

        :return: an expression over a contact ``p``
        :rtype: SQL
        """
        if self.channel != "sms":
            return SQL("0")
        return SQL(
            """CASE WHEN p.country_id IS NULL AND p.phone_sanitized ~ %s
                    THEN width_bucket(
                             rpad(substr(p.phone_sanitized, 2, %s), %s, '0')::int,
                             %s::int[])
                    ELSE 0 END""",
            f"^{E164_PATTERN}$",
            DIGITS,
            DIGITS,
            "{" + ",".join(map(str, get_ranges()[0])) + "}",
        )
