"""The tables of the dashboard: states, reasons, steps."""

from odoo import api, models

from .figures import FIGURES, KEY_FIELDS
from .totals import BEFORE, NOW, share

STEP_FIGURES = ("sent", "opened", "message_clicked", "credited", "credited_revenue")
STEP = ("sequence_id", "step_id", "channel")


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def _get_tables(self, totals):
        return {
            "states": self._get_by_key("left", totals),
            "excluded": self._get_by_key("excluded", totals),
            "unsent": self._get_by_key("unsent", totals),
            "steps": self._get_steps(totals),
            "step_columns": [self._explain(name) for name in STEP_FIGURES],
        }

    @api.model
    def _get_by_key(self, figure, totals):
        """Return a figure by state or reason, the most frequent first.

        :param str figure: one of ``KEY_FIELDS``
        :param Totals totals: of the period and the one before
        :rtype: list[dict]
        """
        field = self.env[FIGURES[figure].model]._fields[KEY_FIELDS[figure]]
        labels = dict(field._description_selection(self.env))
        now, before = (totals.split(figure, ("key",), when) for when in (NOW, BEFORE))
        rows = [
            {
                "key": key or False,
                "label": labels.get(key) or self.env._("No reason"),
                "value": now.get((key,), 0),
                "previous": before.get((key,), 0) if totals.has_previous else None,
                "share": share(now.get((key,), 0), totals.get(figure)),
            }
            for (key,) in {**now, **before}
        ]
        return sorted(rows, key=lambda row: (-row["value"], row["label"]))

    @api.model
    def _get_steps(self, totals):
        """Return what came of each step, those that earned most first.

        :param Totals totals: of the period and the one before
        :rtype: list[dict]
        """
        found = {
            name: [totals.split(name, STEP, when) for when in (NOW, BEFORE)]
            for name in STEP_FIGURES
        }
        steps = {step for parts in found.values() for part in parts for step in part}
        rows = [
            self._describe_step(step, found, totals)
            for step in sorted(
                steps, key=lambda step: tuple(part or 0 for part in step[:2])
            )
        ]
        return sorted(
            rows,
            key=lambda row: [
                -row["values"][name]["value"] for name in ("credited_revenue", "sent")
            ],
        )

    @api.model
    def _describe_step(self, step, found, totals):
        """Return a line of the table of steps."""
        sequence_id, step_id, channel = step
        # All users see results of steps and sequences that another one has archived.
        sequence = self.env["marketing.sequence"].sudo().browse(sequence_id)
        record = self.env["marketing.sequence.step"].sudo().browse(step_id)
        channels = self.env["marketing.message"]._fields["channel"]
        values = {
            name: {
                "value": now.get(step, 0),
                "previous": before.get(step, 0) if totals.has_previous else None,
                "share": None,
            }
            for name, (now, before) in found.items()
        }
        for name in ("opened", "message_clicked", "credited"):
            values[name]["share"] = share(
                values[name]["value"], values["sent"]["value"]
            )
        return {
            "narrowed": dict(zip(STEP, (part or False for part in step), strict=True)),
            "sequence": sequence.exists().name or "",
            "step": record.exists().name or self.env._("Deleted step"),
            "channel": dict(channels._description_selection(self.env)).get(channel),
            "values": values,
        }
