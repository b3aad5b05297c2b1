from datetime import timedelta

from psycopg2 import DataError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

LOGICS = [("AND", "All of them"), ("OR", "Any of them")]
INTERVALS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
}
# Who may say so when contacts are put in by hand; "rule" is the engine's own.
SOURCES_BY_HAND = ("manual", "import", "api")
SAMPLE_SIZE = 10
# What comes of conditions that Odoo or PostgreSQL cannot work with.
UNUSABLE = (UserError, ValueError, TypeError, ArithmeticError, DataError)


class CustomerSegment(models.Model):
    """A group of contacts: put together by hand, or by conditions.

    Its definition as SQL is in ``segment_query.py``, the refresh of its members in
    ``segment_refresh.py``, its documented JSON in ``segment_criteria.py``.
    """

    _name = "customer.segment"
    _inherit = ["marketing.guard"]
    _description = "Customer Segment"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    description = fields.Text(help="What the segment is for; only seen in here.")
    active = fields.Boolean(
        default=True,
        help="An archived segment keeps the members it has, and is not refreshed.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    kind = fields.Selection(
        [("dynamic", "By conditions"), ("static", "By hand, import or API")],
        required=True,
        default="dynamic",
    )
    logic = fields.Selection(
        LOGICS,
        string="Contacts Meet",
        required=True,
        default="AND",
        help="Whether contacts have to meet all conditions, or any of them.",
    )
    condition_ids = fields.One2many(
        "customer.segment.condition", "segment_id", string="Conditions", copy=True
    )
    criteria = fields.Text(
        string="Criteria (JSON)",
        compute="_compute_criteria",
        compute_sudo=True,
        inverse="_inverse_criteria",
        help="The conditions in the form that the API takes and gives.",
    )
    membership_ids = fields.One2many(
        "segment.membership", "segment_id", string="Members", readonly=True
    )
    size_ids = fields.One2many(
        "segment.size", "segment_id", string="Size History", readonly=True
    )
    size = fields.Integer(
        readonly=True, copy=False, aggregator=None, help="Number of contacts in it."
    )
    refreshed_at = fields.Datetime(string="Last Refresh", readonly=True, copy=False)
    refresh_interval = fields.Selection(
        [
            ("manual", "By hand"),
            ("hourly", "Every hour"),
            ("daily", "Every day"),
            ("weekly", "Every week"),
        ],
        string="Refresh",
        required=True,
        default="daily",
        help="How often all contacts are looked at. Between that, those who order or "
        "follow a link are looked at within minutes, unless you refresh by hand.",
    )
    next_refresh_at = fields.Datetime(
        string="Next Refresh",
        compute="_compute_next_refresh_at",
        store=True,
        index="btree_not_null",
    )
    last_error = fields.Text(
        readonly=True, copy=False, help="Why the last refresh changed nothing."
    )

    # === COMPUTE METHODS ===#

    @api.depends("refresh_interval", "refreshed_at", "active")
    def _compute_next_refresh_at(self):
        """A new segment is due at once."""
        for segment in self:
            interval = INTERVALS.get(segment.refresh_interval)
            segment.next_refresh_at = (
                (segment.refreshed_at or fields.Datetime.now() - interval) + interval
                if interval and segment.active
                else False
            )

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        """A copy has the conditions, and is looked at for itself."""
        return [
            {**vals, "name": self.env._("%s (copy)", segment.name)}
            if "name" not in (default or {})
            else vals
            for segment, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"kind", "logic", "company_id"}:
            self._request_refresh()
        return result

    # === ACTION METHODS ===#

    def action_refresh(self):
        """Look at all contacts now.

        :raises UserError: when a condition cannot be evaluated, or another refresh of
            the segment is under way
        """
        self.check_access("write")
        for segment in self.sudo():
            segment._refresh_now()

    def action_view_members(self):
        """Open the members, with since when and from where they are in it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Members of %s", self.name),
            "res_model": "segment.membership",
            "view_mode": "list",
            "domain": [("segment_id", "=", self.id)],
        }

    # === BUSINESS METHODS ===#

    def preview(self):
        """Say who of the contacts you may see the segment would have now.

        Nothing has to be saved for it. Conditions find what you may see, whoever wrote
        them.

        :return: ``size`` (number of contacts) and ``sample``, up to ten of them as
            dicts with ``id``, ``name`` and ``email``; ``error`` says why there are
            none when a condition cannot be evaluated yet, else it is False
        :rtype: dict
        """
        self.ensure_one()
        self._check_preview()
        try:
            with self.env.cr.savepoint():
                self._get_unsaved_conditions()._check_domain()
                size, sample = self.sudo()._fetch_preview(self._get_asker())
        except UNUSABLE as error:
            return {"size": 0, "sample": [], "error": str(error)}
        return {"size": size, "sample": sample, "error": False}

    def _get_asker(self):
        """Return with whose rights a preview is made.

        :rtype: res.users
        """
        return self.env["res.users"] if self.env.su else self.env.user

    def _check_preview(self):
        """Nobody sees more by trying out a segment than by saving it.

        :raises AccessError: for a company of somebody else
        """
        (self if self.id else self.browse()).check_access("read")
        company = self.company_id._origin
        if not self.env.su and company - self.env.companies:
            raise AccessError(
                self.env._("You have no access to the company %s.", company.sudo().name)
            )

    def _get_unsaved_conditions(self):
        """Return the conditions, within groups too, that were not checked yet.

        :rtype: customer.segment.condition
        """
        conditions, level = self.condition_ids.browse(), self.condition_ids
        while level:
            conditions |= level
            level = level.child_ids
        return conditions.filtered(lambda condition: not condition.id)

    def _fetch_preview(self, reader):
        query = self._get_partner_query(reader=reader)
        self.env.flush_all()
        self._prepare_planner()
        [[size]] = self.env.execute_query(
            SQL("SELECT count(*) FROM (%s) AS contact", query)
        )
        sample = self.env.execute_query_dict(
            SQL(
                """SELECT p.id, p.complete_name AS name, p.email
                     FROM res_partner p
                    WHERE p.id IN (SELECT id FROM (%s) AS contact (id)
                                    ORDER BY id DESC LIMIT %s)
                    ORDER BY p.id DESC""",
                query,
                SAMPLE_SIZE,
            )
        )
        return size, sample

    def add_contacts(self, partner_ids, source="api"):
        """Put contacts into a static segment.

        :param list[int] partner_ids: ids of contacts
        :param str source: where they come from: ``manual``, ``import`` or ``api``
        :return: ``added``, ``already_there`` and ``refused`` as numbers of contacts;
            refused are those that do not exist, are archived, belong to another
            company or must not be seen by you
        :rtype: dict[str, int]
        :raises UserError: for a dynamic segment or another source
        """
        self.check_access("write")
        self._check_by_hand()
        if source not in SOURCES_BY_HAND:
            raise UserError(
                self.env._(
                    "“%(value)s” is no source; use one of %(choices)s.",
                    value=source,
                    choices=", ".join(SOURCES_BY_HAND),
                )
            )
        ids = self._check_ids(partner_ids)
        visible = self.env["res.partner"]._search(
            self._get_company_domain()
            & fields.Domain("id", "in", [i for i in ids if 0 < i < 2**31])
        )
        self.env.flush_all()
        [[known]] = self.env.execute_query(
            SQL("SELECT count(*) FROM (%s) AS contact", visible.select())
        )
        added = self.sudo()._add(visible.select(), source)
        return {
            "added": added,
            "already_there": known - added,
            "refused": len(ids) - known,
        }

    def remove_contacts(self, partner_ids):
        """Take contacts out of a static segment.

        :param list[int] partner_ids: ids of contacts
        :return: number of those that were in it
        :rtype: int
        :raises UserError: for a dynamic segment
        """
        self.check_access("write")
        self._check_by_hand()
        return self.sudo()._remove(
            SQL("SELECT unnest(%s::int[])", self._check_ids(partner_ids))
        )

    def _request_refresh(self):
        """Have the scheduled action look at these next, unless it is to be done by
        hand: their definition has changed."""
        for segment in self.sudo():
            if segment.next_refresh_at:
                segment.next_refresh_at = fields.Datetime.now()

    def _check_by_hand(self):
        self.ensure_one()
        if self.kind != "static":
            raise UserError(
                self.env._(
                    "Who is in “%s” follows from its conditions. Change these, or make "
                    "another segment that is filled by hand.",
                    self.name,
                )
            )

    def _check_ids(self, partner_ids):
        """Return the ids of contacts once each.

        :raises UserError: for anything that is no list of ids
        """
        if not isinstance(partner_ids, (list, tuple)) or any(
            isinstance(partner_id, bool) or not isinstance(partner_id, int)
            for partner_id in partner_ids
        ):
            raise UserError(self.env._("Contacts are named by a list of their ids."))
        return sorted(set(partner_ids))
