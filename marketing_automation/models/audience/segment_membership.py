from odoo import api, fields, models

SOURCES = [
    ("manual", "By hand"),
    ("import", "Import"),
    ("api", "API"),
    ("rule", "Conditions"),
]
# Longer ago than this, one size a day is enough for the graph.
ALL_SIZES_DAYS = 90


class UncheckedMany2one(fields.Many2one):
    """A link that the database does not check row by row: a hundred thousand members
    come in with one statement, all of the same segment, which is locked meanwhile.
    Whoever deletes a segment deletes its rows: ``customer.segment.unlink``."""

    def update_db_foreign_key(self, model, column):
        """Make no foreign key."""


class SegmentMembership(models.Model):
    """Who is in a segment now. Written by SQL alone: see ``segment_refresh.py``."""

    _name = "segment.membership"
    _description = "Segment Member"
    _order = "entered_at desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    segment_id = UncheckedMany2one(
        "customer.segment", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    email = fields.Char(related="partner_id.email")
    entered_at = fields.Datetime(string="Since", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="From", required=True, readonly=True)

    _segment_partner_uniq = models.UniqueIndex(
        "(segment_id, partner_id)", "A contact is in a segment once."
    )


class SegmentMembershipEvent(models.Model):
    """Who came into a segment and who left it, when and why. Never changed."""

    _name = "segment.membership.event"
    _description = "Segment Entry or Exit"
    _order = "at desc, id desc"
    _rec_name = "partner_id"
    _log_access = False

    segment_id = UncheckedMany2one(
        "customer.segment", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    kind = fields.Selection(
        [("entry", "Entry"), ("exit", "Exit")], required=True, readonly=True
    )
    at = fields.Datetime(string="When", required=True, readonly=True)
    source = fields.Selection(SOURCES, string="From", required=True, readonly=True)

    _segment_idx = models.Index("(segment_id, id)")


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
