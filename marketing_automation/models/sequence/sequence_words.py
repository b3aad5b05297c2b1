"""Sequences in words: what a step says, and what an edit changed."""

from odoo import api, fields, models
from odoo.tools import format_duration

from ...tools.trusted_context import say
from ..audience.domain_words import TOLD_TO_ALL, shown_name
from .sequence_version import SEQUENCE_FIELDS, get_plain_values

DELAY_FIELDS = ("delay_value", "delay_unit", "delay_from")
WINDOW_FIELDS = ("window_from", "window_until", "window_days")


class MarketingSequenceStep(models.Model):
    _inherit = "marketing.sequence.step"

    delay_words = fields.Char(string="Due", compute="_compute_words")
    conditions_words = fields.Char(string="Only If", compute="_compute_words")
    window_words = fields.Char(string="Hours of the Day", compute="_compute_words")
    template_words = fields.Char(string="Says", compute="_compute_template_words")
    # What else there is to say about a step, on its card: dicts `icon`, `text`; False
    # if there is nothing. Whoever adds something to steps adds a note.
    notes = fields.Json(compute="_compute_notes")

    @api.depends(
        *DELAY_FIELDS, *WINDOW_FIELDS, "condition_ids.summary", "sequence_id.kind"
    )
    @api.depends_context("lang")
    def _compute_words(self):
        for step in self:
            words = step._describe(
                {
                    **{name: step[name] for name in (*DELAY_FIELDS, *WINDOW_FIELDS)},
                    "kind": step.sequence_id.kind,
                    "conditions": [
                        {"summary": condition.summary or ""}
                        for condition in step.condition_ids
                    ],
                }
            )
            step.delay_words = words["delay"]
            step.conditions_words = words["conditions"]
            step.window_words = words["window"]

    @api.depends("template_id")
    @api.depends_context("lang")
    def _compute_template_words(self):
        for step in self:
            template = step.template_id
            step.template_words = template.preview_subject or template.name

    @api.depends("conditions_words", "window_words")
    @api.depends_context("lang")
    def _compute_notes(self):
        for step in self:
            notes = []
            if step.conditions_words:
                only = self.env._("Only if the customer %s", step.conditions_words)
                notes.append({"icon": "fa-filter", "text": only})
            if step.window_words:
                sent = self.env._("Sent %s", step.window_words)
                notes.append({"icon": "fa-sun-o", "text": sent})
            step.notes = notes

    @api.model
    def _describe(self, values):
        """Say in words what several fields of a step say together.

        :param dict values: the step's plain values, with its ``conditions`` and the
            ``kind`` of its sequence
        :return: texts ``delay``, ``window`` and ``conditions``; empty if there are none
        :rtype: dict[str, str]
        """
        return {
            "delay": self._describe_delay(
                *(values[name] for name in DELAY_FIELDS), values.get("kind")
            ),
            "window": self._describe_window(*(values[name] for name in WINDOW_FIELDS)),
            "conditions": self.env._(" and ").join(
                condition.get("summary")
                or self.env["marketing.sequence.condition"].new(condition).summary
                for condition in values["conditions"]
            ),
        }

    @api.model
    def _describe_delay(self, value, unit, since, kind):
        after_step = since == "previous"
        if not value and after_step:
            return self.env._("at once after the step before")
        if not value:
            return self.env._("at once")
        one, many = {
            "minutes": (self.env._("1 minute"), self.env._("%s minutes", value)),
            "hours": (self.env._("1 hour"), self.env._("%s hours", value)),
            "days": (self.env._("1 day"), self.env._("%s days", value)),
        }[unit]
        length = one if value == 1 else many
        if after_step:
            return self.env._("%s after the step before", length)
        if kind == "contact":
            return self.env._("%s after the beginning", length)
        return self.env._("%s after leaving", length)

    @api.model
    def _describe_window(self, start, end, days):
        hours = (
            self.env._(
                "from %(start)s to %(end)s",
                start=format_duration(start),
                end=format_duration(end or 24.0),
            )
            if start != end
            else ""
        )
        weekdays = self.env._("Monday to Friday") if days == "weekdays" else ""
        return ", ".join(filter(None, (weekdays, hours)))


class MarketingSequence(models.Model):
    _inherit = "marketing.sequence"

    @api.model
    def _describe_change(self, before, after):
        """Say in words what an edit changed.

        :param dict before: the definition before; empty if there was none
        :param dict after: the definition after
        :return: one line for each change
        :rtype: str
        """
        if not before:
            return self.env._("First version")
        if not self.company_id and self._has_companies():
            return self.with_context(**{TOLD_TO_ALL: say()})._describe_edit(
                before, after
            )
        return self._describe_edit(before, after)

    @api.model
    def _has_companies(self):
        """Whether there is more than one company, and something not to be told."""
        return self.env["res.company"].sudo().search_count([], limit=2) > 1

    @api.model
    def _describe_edit(self, before, after):
        labels = describe_fields(self, SEQUENCE_FIELDS)
        old, new = (
            {
                step["id"]: {"kind": definition["sequence"]["kind"], **step}
                for step in definition["steps"]
            }
            for definition in (before, after)
        )
        lines = [
            *self._compare(labels(before["sequence"]), labels(after["sequence"])),
            *(
                self.env._("“%s” removed", step["name"])
                for id_, step in old.items()
                if id_ not in new
            ),
            *(
                line
                for id_, step in new.items()
                for line in self._describe_step_change(old.get(id_), step)
            ),
        ]
        if [id_ for id_ in old if id_ in new] != [id_ for id_ in new if id_ in old]:
            names = " → ".join(step["name"] for step in after["steps"])
            lines.append(self.env._("Order of the steps: %s", names))
        return "\n".join(lines)

    @api.model
    def _describe_step_change(self, before, after):
        steps = self.env["marketing.sequence.step"]
        words = self._get_step_words(steps, after)
        if before is None:
            # What every new step says goes without saying.
            usual = describe_fields(steps, steps._get_version_fields())(
                get_plain_values(steps.new(), steps._get_version_fields())
            )
            told = [
                text
                for label, text in list(words.items())[1:]
                if text and text != usual.get(label)
            ]
            what = ", ".join(told)
            return [
                self.env._("“%(step)s” added: %(what)s", step=after["name"], what=what)
            ]
        return [
            self.env._("“%(step)s”: %(change)s", step=after["name"], change=change)
            for change in self._compare(self._get_step_words(steps, before), words)
        ]

    @api.model
    def _get_step_words(self, steps, values):
        """Return what a step says, by the label of each thing."""
        joint = {*DELAY_FIELDS, *WINDOW_FIELDS}
        names = [name for name in steps._get_version_fields() if name not in joint]
        words = steps._describe(values)
        return {
            **describe_fields(steps, names)(values),
            self.env._("Due"): words["delay"],
            self.env._("Hours of the day"): words["window"],
            self.env._("Only if"): words["conditions"],
        }

    @api.model
    def _compare(self, before, after):
        nothing = self.env._("none")
        return [
            self.env._(
                "%(label)s: %(before)s → %(after)s",
                label=label,
                before=before.get(label) or nothing,
                after=text or nothing,
            )
            for label, text in after.items()
            if before.get(label, "") != text
        ]


def describe_fields(records, names):
    """Return a function that says the plain values of fields in words.

    :param records: of the model
    :param names: of the fields
    :return: takes the values as a dict, returns texts by the labels of the fields
    """
    kinds = {name: records._fields[name] for name in names}

    def describe(values):
        return {
            field._description_string(records.env): _say(records, field, values[name])
            for name, field in kinds.items()
            if name in values
        }

    return describe


def _say(records, field, value):
    env = records.env
    if field.type == "boolean":
        return env._("yes") if value else env._("no")
    if not value:
        return ""
    if field.relational:
        ids = value if isinstance(value, list) else [value]
        related = env[field.comodel_name].browse(ids).exists()
        return ", ".join(map(shown_name, related))
    if field.type == "selection":
        return dict(field._description_selection(env)).get(value, value)
    return f"{value:g}" if isinstance(value, float) else str(value)
