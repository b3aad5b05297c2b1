from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools import segment_criteria
from ...tools.segment_criteria import CriteriaError

CHANGE_DAYS = 30
GRAPH_DAYS = 90


class CustomerSegment(models.Model):
    """What the screens of a segment show and open."""

    _inherit = "customer.segment"

    definition = fields.Char(
        compute="_compute_definition",
        help="The conditions in one sentence.",
    )
    size_change = fields.Integer(
        string="30 Days",
        compute="_compute_size_change",
        help="How many more or fewer people are in it than 30 days ago, or than in the "
        "beginning if that is not so long ago.",
    )
    size_history = fields.Json(string="Graph", compute="_compute_size_history")
    entry_exit_label = fields.Char(compute="_compute_entry_exit_label")
    criteria_error = fields.Char(compute="_compute_criteria_error")

    # === COMPUTE METHODS ===#

    @api.depends("kind", "logic", "condition_ids.summary", "description")
    @api.depends_context("lang")
    def _compute_definition(self):
        for segment in self:
            if segment.kind == "static":
                segment.definition = segment.description or self.env._("Put in by hand")
                continue
            segment.definition = segment.condition_ids._join_summaries(segment.logic)

    @api.depends("size")
    def _compute_size_change(self):
        then = dict(self._fetch_sizes_before(CHANGE_DAYS))
        for segment in self:
            segment.size_change = segment.size - then.get(segment.id, segment.size)

    def _fetch_sizes_before(self, days):
        """Return the size each segment had some days ago, else its first one.

        :param int days: how long ago
        :return: pairs of a segment's id and its size then
        :rtype: list[tuple]
        """
        self.env["segment.size"].flush_model()
        since = fields.Datetime.now() - timedelta(days=days)
        return self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (segment_id) segment_id, size
                     FROM segment_size WHERE segment_id = ANY(%(ids)s)
                    ORDER BY segment_id, at > %(since)s,
                             CASE WHEN at > %(since)s THEN at END,
                             at DESC""",
                ids=self.ids,
                since=since,
            )
        )

    @api.depends("size")
    def _compute_size_history(self):
        """Pairs of a day and the size at its end, for days on which it changed."""
        history = self._fetch_history()
        today = fields.Date.to_string(fields.Date.today())
        for segment in self:
            points = history[segment.id]
            if points and points[-1][0] != today:
                points.append([today, segment.size])
            segment.size_history = points

    def _fetch_history(self):
        """Return the points of the graph, from what it was before on.

        :return: lists of ISO dates and sizes, by id of the segment
        :rtype: dict
        """
        since = fields.Datetime.now() - timedelta(days=GRAPH_DAYS)
        history = defaultdict(list)
        self.env["segment.size"].flush_model()
        for segment_id, day, size in self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (segment_id, day) segment_id, day, size
                     FROM (SELECT segment_id, at, id, size,
                                  GREATEST(at, %(since)s)::date AS day
                             FROM segment_size
                            WHERE segment_id = ANY(%(ids)s)) sizes
                    ORDER BY segment_id, day, at DESC, id DESC""",
                ids=self.ids,
                since=since,
            )
        ):
            history[segment_id].append([fields.Date.to_string(day), size])
        return history

    def _compute_entry_exit_label(self):
        since = fields.Datetime.now() - timedelta(days=CHANGE_DAYS)
        counts = {
            (segment.id, kind): count
            for segment, kind, count in self.env[
                "segment.membership.event"
            ]._read_group(
                [("segment_id", "in", self.ids), ("at", ">=", since)],
                ["segment_id", "kind"],
                ["__count"],
            )
        }
        for segment in self:
            segment.entry_exit_label = "+{} −{}".format(
                counts.get((segment.id, "entry"), 0),
                counts.get((segment.id, "exit"), 0),
            )

    # === CRITERIA ===#

    @api.depends("criteria", "condition_ids")
    @api.depends_context("lang")
    def _compute_criteria_error(self):
        for segment in self:
            segment.criteria_error = segment._find_criteria_error()

    def _find_criteria_error(self):
        """Say what is wrong with the JSON; nothing is, while there is no condition.

        :rtype: str | bool
        """
        if not self.criteria or self._has_no_conditions():
            return False
        try:
            self._prepare_criteria_vals(self.criteria)
        except ValidationError as error:
            return str(error)
        return False

    def _has_no_conditions(self):
        """Whether this is how a new segment begins, which is no mistake."""
        empty = {"logic": self.logic or "AND", "conditions": []}
        return self.criteria == segment_criteria.dump(empty)

    @api.model
    def _prepare_criteria_vals(self, criteria):
        """Return the values of a segment that has these criteria.

        :param str criteria: JSON in the documented form
        :rtype: dict
        :raises ValidationError: with the condition that is wrong, and what to write
        """
        try:
            group = segment_criteria.parse(criteria)
            commands = self._prepare_conditions(group)
        except CriteriaError as error:
            raise ValidationError(self._explain(error)) from None
        return {"logic": group["logic"], "condition_ids": commands}

    @api.onchange("criteria")
    def _onchange_criteria(self):
        """Show what is typed as conditions at once; what is wrong stays as it is."""
        if self.criteria == segment_criteria.dump(self._get_criteria()):
            return
        if not self._find_criteria_error():
            vals = self._prepare_criteria_vals(self.criteria)
            self.condition_ids = [fields.Command.clear(), *vals["condition_ids"]]
            self.logic = vals["logic"]

    # === ACTION METHODS ===#

    def action_view_members(self):
        """Open the members, with since when and from where they are in it.

        :return: a window action
        :rtype: dict
        """
        return self._open_own(
            "action_segment_membership", self.env._("Members of %s", self.name)
        )

    def action_view_events(self):
        """Open who came in and who left, and when.

        :return: a window action
        :rtype: dict
        """
        return self._open_own(
            "action_segment_event", self.env._("Came and Left: %s", self.name)
        )

    def _open_own(self, xmlid, title):
        """Open a list of what belongs to this segment alone."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"marketing_automation.{xmlid}"
        )
        return {
            **action,
            "display_name": title,
            "domain": [("segment_id", "=", self.id)],
            "context": {"is_static": self.kind == "static"},
        }

    def action_add_contacts(self):
        """Ask for contacts to put into this static segment.

        :return: a window action
        :rtype: dict
        """
        return self._open_wizard("action_segment_add")

    def action_import(self):
        """Ask for a file with people to put into this static segment.

        :return: a window action
        :rtype: dict
        """
        return self._open_wizard("action_segment_import")

    def _open_wizard(self, xmlid):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"marketing_automation.{xmlid}"
        )
        return {**action, "context": {"default_segment_id": self.id}}
