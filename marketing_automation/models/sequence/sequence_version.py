from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from ...tools.trusted_context import without_defaults

# What makes a sequence what it is: whoever adds fields to sequences, steps or their
# conditions that say who gets what adds them here, too.
SEQUENCE_FIELDS = [
    *("name", "active", "kind", "company_id", "website_id", "max_messages"),
    *("minimum_amount", "segment_id", "excluded_tag_ids", "holdout_percent"),
    "stops_on_purchase",
]
STEP_FIELDS = [
    *("name", "delay_value", "delay_unit", "delay_from", "channel", "template_id"),
    *("window_from", "window_until", "window_days"),
]
CONDITION_FIELDS = ["kind", "amount", "segment_id"]
INSTALLING = "install_mode"


class MarketingSequenceVersion(models.Model):
    """How a sequence was at a time, who made it so, and what they changed."""

    _name = "marketing.sequence.version"
    _description = "Sequence Version"
    _order = "id desc"
    _log_access = False

    sequence_id = fields.Many2one(
        "marketing.sequence",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="sequence_id.company_id")
    number = fields.Integer(string="Version", required=True, readonly=True)
    at = fields.Datetime(
        string="Since", required=True, readonly=True, default=fields.Datetime.now
    )
    user_id = fields.Many2one(
        "res.users",
        string="By",
        readonly=True,
        ondelete="set null",
        default=lambda self: self.env.user,
    )
    summary = fields.Text(string="What Changed", readonly=True)
    definition = fields.Json(readonly=True)
    is_current = fields.Boolean(compute="_compute_is_current")
    enrollment_count = fields.Integer(
        string="Runs", compute="_compute_enrollment_count", help="Begun with it."
    )

    _number_uniq = models.UniqueIndex(
        "(sequence_id, number)", "Somebody else is changing this sequence."
    )

    # === COMPUTE METHODS ===#

    @api.depends("number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._("Version %s", version.number)

    @api.depends("sequence_id.version_ids")
    def _compute_is_current(self):
        for version in self:
            version.is_current = version == version.sequence_id.version_ids[:1]

    def _compute_enrollment_count(self):
        counts = dict(
            self.env["marketing.enrollment"]._read_group(
                [("version_id", "in", self.ids)], ["version_id"], ["__count"]
            )
        )
        for version in self:
            version.enrollment_count = counts.get(version, 0)

    # === ACTION METHODS ===#

    def action_restore(self):
        """Make the sequence what it was in this version. That is an edit like any
        other: those on their way keep what they had, and it becomes a version itself.

        :raises UserError: when something it needs was deleted
        """
        self.ensure_one()
        self.sequence_id.check_access("write")
        self._check_complete()
        known = self.sequence_id.version_ids
        self.sequence_id._apply_definition(self.definition)
        made = self.sequence_id.version_ids - known
        made.sudo().summary = self.env._("Back to version %s", self.number)
        return True

    def _check_complete(self):
        """Everything that the version refers to is still there.

        :raises UserError: if it is not
        """
        steps = self.definition["steps"]
        conditions = [each for step in steps for each in step["conditions"]]
        for model, rows in (
            ("marketing.sequence", [self.definition["sequence"]]),
            ("marketing.sequence.step", steps),
            ("marketing.sequence.condition", conditions),
        ):
            for name, field in self.env[model]._fields.items():
                ids = {row[name] for row in rows if field.relational and row.get(name)}
                if field.type == "many2one" and len(
                    self.env[field.comodel_name].sudo().browse(ids).exists()
                ) < len(ids):
                    raise UserError(
                        self.env._(
                            "Version %(number)s cannot be brought back: a record of "
                            "“%(what)s” it used was deleted. Change the steps instead.",
                            number=self.number,
                            what=field._description_string(self.env),
                        )
                    )


class MarketingSequence(models.Model):
    """A sequence as plain values, to be kept, compared and brought back."""

    _inherit = "marketing.sequence"

    def _get_definition(self):
        """Return what makes this sequence what it is.

        :return: ``sequence`` (its fields) and ``steps`` (theirs in order, each with
            ``id`` and ``conditions``); relations are ids
        :rtype: dict
        """
        self.ensure_one()
        return {
            "sequence": get_plain_values(self, SEQUENCE_FIELDS),
            "steps": [
                {
                    "id": step.id,
                    **get_plain_values(step, step._get_version_fields()),
                    "conditions": [
                        get_plain_values(condition, CONDITION_FIELDS)
                        for condition in step.condition_ids
                    ],
                }
                for step in self._get_steps()
            ],
        }

    @api.model
    def _ensure_versions(self):
        """Keep how sequences are of which nothing is kept yet."""
        for sequence in self.with_context(active_test=False).search(
            [("version_ids", "=", False)]
        ):
            sequence.with_context(**{INSTALLING: False})._record_version({})

    def _record_version(self, before):
        """Keep how the sequence is now, if that is not how it was.

        :param dict before: its definition before; empty when it is new
        """
        self.ensure_one()
        definition = self._get_definition()
        if definition == before or self._is_installing():
            return  # What comes along is kept once all of it is there.
        versions = without_defaults(self.env["marketing.sequence.version"].sudo())
        last = versions.search([("sequence_id", "=", self.id)], limit=1)
        versions.create(
            {
                "sequence_id": self.id,
                "number": last.number + 1,
                "summary": self._describe_change(before, definition),
                "definition": definition,
            }
        )
        self.invalidate_recordset(["version_ids"])

    def _is_installing(self):
        """Whether sequences come along with a module: no client installs any.

        :rtype: bool
        """
        return bool(self.env.uid == SUPERUSER_ID and self.env.context.get(INSTALLING))

    def _apply_definition(self, definition):
        """Make this sequence what a definition says.

        :param dict definition: of :meth:`_get_definition`
        """
        self.ensure_one()
        steps = self.env["marketing.sequence.step"].with_context(active_test=False)
        known = steps.search([("sequence_id", "=", self.id)])
        # Texts are kept in the language of the source.
        with self.with_context(lang=None)._editing() as sequence:
            sequence.write(get_orm_values(sequence, definition["sequence"]))
            kept = steps.browse()
            for place, values in enumerate(definition["steps"], start=1):
                vals = {
                    **get_orm_values(steps, values),
                    "active": True,
                    "sequence": place,
                    "condition_ids": [
                        fields.Command.clear(),
                        *map(fields.Command.create, values["conditions"]),
                    ],
                }
                step = known.filtered(lambda step, id_=values["id"]: step.id == id_)
                step = step.with_env(sequence.env)
                if step:
                    step.write(vals)
                else:
                    step = step.create({**vals, "sequence_id": self.id})
                kept += step
            (sequence._get_steps() - kept).unlink()
        self.invalidate_recordset(["step_ids"])


class MarketingSequenceStep(models.Model):
    _inherit = "marketing.sequence.step"

    @api.model
    def _get_version_fields(self):
        """Return the fields that say what a step is; for whoever adds some.

        :rtype: list[str]
        """
        return list(STEP_FIELDS)


def get_plain_values(record, names):
    """Return fields of a record as they can be kept as JSON.

    :param record: one record
    :param names: of fields; texts are taken in the language of the source
    :rtype: dict
    """
    record = record.with_context(lang=None)
    values = {}
    for name in names:
        value = record[name]
        kind = record._fields[name].type
        if kind == "many2one":
            value = value.id
        elif kind == "many2many":
            value = sorted(value.ids)
        values[name] = value
    return values


def get_orm_values(records, values):
    """Return what :func:`get_plain_values` made, for ``create`` and ``write``.

    :param records: of the model
    :param dict values: may have further keys, which are left out
    :rtype: dict
    """
    known = records._fields
    return {
        name: [fields.Command.set(value)] if known[name].type == "many2many" else value
        for name, value in values.items()
        if name in known and name != "id"
    }
