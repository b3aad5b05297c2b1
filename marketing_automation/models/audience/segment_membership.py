from odoo import api, fields, models

from .loose_many2one import LooseMany2one

SOURCES = [
    ("manual", "By hand"),
    ("import", "Import"),
    ("api", "API"),
    ("rule", "Conditions"),
]
# Longer ago than this, one size a day is enough for the graph.
ALL_SIZES_DAYS = 90


class SegmentMembership(models.Model):
    """Who is in a segment now. Written by SQL alone: see ``segment_refresh.py``.

    Goes with its segment (``customer.segment.unlink``) and with the contact, whom it
    also follows into another (``partner_segments.py``).
    """

    _name = "segment.membership"
    _description = "Segment Member"
    _order = "entered_at desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    segment_id = LooseMany2one("customer.segment", required=True, readonly=True)
    partner_id = LooseMany2one(
        "res.partner", string="Contact", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    email = fields.Char(related="partner_id.email")
    entered_at = fields.Datetime(string="Since", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="From", required=True, readonly=True)

    _segment_partner_uniq = models.UniqueIndex(
        "(segment_id, partner_id)", "A contact is in a segment once."
    )

    @api.autovacuum
    def _gc_deleted_contacts(self):
        """Take out contacts that were deleted while a refresh put them in."""
        self.env.cr.execute(
            """DELETE FROM segment_membership member
                WHERE NOT EXISTS (SELECT FROM res_partner
                                   WHERE id = member.partner_id)
            RETURNING segment_id"""
        )
        ids = {segment_id for (segment_id,) in self.env.cr.fetchall()}
        self.invalidate_model(flush=False)
        self.env["customer.segment"].browse(ids)._count_members()


class SegmentMembershipEvent(models.Model):
    """Who came into a segment and who left it, when and why. Never changed."""

    _name = "segment.membership.event"
    _description = "Segment Entry or Exit"
    _order = "at desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    segment_id = LooseMany2one("customer.segment", required=True, readonly=True)
    partner_id = LooseMany2one(
        "res.partner", string="Contact", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    kind = fields.Selection(
        [("entry", "Entry"), ("exit", "Exit")], required=True, readonly=True
    )
    at = fields.Datetime(string="When", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="From", required=True, readonly=True)

    _segment_idx = models.Index("(segment_id, id)")
    # For what is kept only so long: rows come in this order, so it costs nothing.
    _at_idx = models.Index("USING brin (at)")


class SegmentSize(models.Model):
    """How many contacts a segment had: a row whenever that changed."""

    _name = "segment.size"
    _description = "Segment Size"
    _order = "at, id"
    _rec_name = "at"
    _log_access = False

    segment_id = fields.Many2one(
        "customer.segment", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    at = fields.Datetime(string="When", required=True, readonly=True)
    size = fields.Integer(readonly=True, aggregator="avg")

    _segment_idx = models.Index("(segment_id, at)")

    @api.autovacuum
    def _gc_sizes(self):
        """Keep the last size of each day that is longer ago."""
        self.flush_model()
        self.env.cr.execute(
            """DELETE FROM segment_size old
                USING segment_size later
                WHERE old.at < (now() AT TIME ZONE 'UTC') - %s * interval '1 day'
                  AND later.segment_id = old.segment_id
                  AND later.at::date = old.at::date
                  AND (later.at, later.id) > (old.at, old.id)""",
            [ALL_SIZES_DAYS],
        )
        self.invalidate_model(flush=False)
