"""Who gets it: members of segments, without those of others."""

from odoo import api, fields, models
from odoo.tools import SQL


class EmailCampaign(models.Model):
    _inherit = "email.campaign"

    audience_size = fields.Integer(
        string="People",
        compute="_compute_audience_size",
        compute_sudo=True,
        help="Different addresses in its segments, without those left out.",
    )
    audience_warning = fields.Char(compute="_compute_audience_warning")

    @api.depends("segment_ids", "excluded_segment_ids", "channel", "state")
    def _compute_audience_size(self):
        """Counting takes a moment: it is done while it matters, before the start."""
        for campaign in self:
            campaign.audience_size = (
                campaign._count_audience() if campaign.state == "draft" else 0
            )

    def _count_audience(self):
        [(count,)] = self.env.execute_query(
            SQL("SELECT count(*) FROM (%s) people", self._sql_recipients())
        )
        return count

    @api.depends("segment_ids", "excluded_segment_ids")
    def _compute_audience_warning(self):
        """Who is in a segment is as of its last refresh."""
        for campaign in self:
            segments = campaign.segment_ids | campaign.excluded_segment_ids
            stale = segments.filtered(
                lambda segment: (
                    segment.last_error
                    or (segment.kind == "dynamic" and not segment.refreshed_at)
                )
            )
            campaign.audience_warning = bool(stale) and self.env._(
                "Not refreshed yet, or not without an error: %s. Open it and refresh.",
                ", ".join(stale.mapped("name")),
            )

    def _sql_members(self, since=None):
        """Return who is in its segments and not left out.

        :param datetime since: only who entered then or later, naive, UTC
        :return: a query for the ids of ``res.partner``
        :rtype: SQL
        """
        self.ensure_one()
        return SQL(
            """SELECT member.partner_id FROM segment_membership member
                WHERE member.segment_id = ANY(%s)
                  AND member.entered_at >= COALESCE(%s, '-infinity'::timestamp)
               EXCEPT
               SELECT member.partner_id FROM segment_membership member
                WHERE member.segment_id = ANY(%s)""",
            self.segment_ids.ids,
            since,
            self.excluded_segment_ids.ids,
        )

    def _has_members(self):
        """Whether there is anybody in its segments who is not left out."""
        return bool(
            self.env.execute_query(
                SQL("SELECT FROM (%s) member LIMIT 1", self._sql_members())
            )
        )

    def _sql_recipients(self, since=None):
        """Return the people it goes to, each address once (K4).

        Whose address belongs to somebody who is left out is left out, too: it is the
        address that gets the message. Those without one stay, so that it can be said
        that they have none.

        :param datetime since: see :meth:`_sql_members`
        :return: a query of ``partner_id`` and ``address`` (normalized; NULL if none)
        :rtype: SQL
        """
        self.ensure_one()
        address = SQL.identifier("p", self._get_address_column())
        people = SQL(
            """SELECT DISTINCT ON (COALESCE(%(address)s, p.id::varchar))
                      p.id AS partner_id, %(address)s AS address
                 FROM res_partner p
                WHERE p.id IN (%(members)s) AND p.active
                ORDER BY COALESCE(%(address)s, p.id::varchar), p.id""",
            address=address,
            members=self._sql_members(since),
        )
        if not self.excluded_segment_ids:
            return people
        return SQL(
            """SELECT r.partner_id, r.address FROM (%s) r
                WHERE r.address IS NULL OR r.address NOT IN (
                      SELECT %s FROM segment_membership member
                        JOIN res_partner p ON p.id = member.partner_id
                       WHERE member.segment_id = ANY(%s) AND %s IS NOT NULL)""",
            people,
            address,
            self.excluded_segment_ids.ids,
            address,
        )

    def _get_address_column(self):
        return "phone_sanitized" if self.channel == "sms" else "email_normalized"
