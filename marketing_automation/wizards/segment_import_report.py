import base64
import csv
from io import StringIO

from odoo import models

from ..tools.spreadsheets import escape_formula
from .import_table import SKIPPED

REPORT_LINES = 20


class SegmentImport(models.TransientModel):
    """What became of each line: figures, the first lines, and all of them as a file."""

    _inherit = "customer.segment.import"

    def _keep_results(self, table, created, consents):
        """Keep the figures and the report, and the file only if it is needed again."""
        counts = table.count()
        rows = table.get_report()
        self.sudo().write(
            {
                "state": "done",
                "file": self.file if counts.get("later") else False,
                "later_count": counts.get("later", 0),
                "line_count": sum(counts.values()),
                "added_count": counts.get("added", 0),
                "member_count": counts.get("member", 0),
                "skipped_count": sum(counts.get(outcome, 0) for outcome in SKIPPED),
                "created_count": created,
                "consent_count": consents,
                "unsubscribed_count": counts.get("unsubscribed", 0),
                "report": self._write_report(rows) if rows else False,
                "report_name": self._name_report() if rows else False,
            }
        )
        self.sudo().result = self._render_result(rows)

    def _render_result(self, rows):
        """Show the figures, and the first lines there is something to say about."""
        return self.env["ir.qweb"]._render(
            "marketing_automation.segment_import_result",
            {
                "wizard": self,
                "rows": [self._describe(*row) for row in rows[:REPORT_LINES]],
                "more": max(len(rows) - REPORT_LINES, 0),
            },
        )

    def _get_figures(self):
        """Return what is counted: key, label, number.

        :rtype: list[tuple]
        """
        figures = [
            ("lines", self.env._("lines in the file"), self.line_count),
            ("added", self.env._("added"), self.added_count),
            ("created", self.env._("new contacts"), self.created_count),
            ("member", self.env._("in it before"), self.member_count),
            ("skipped", self.env._("left out"), self.skipped_count),
        ]
        if self.has_consent:
            label = self.env._("consents recorded")
            figures.append(("consent", label, self.consent_count))
        if self.unsubscribed_count:
            label = self.env._("unsubscribed")
            figures.append(("unsubscribed", label, self.unsubscribed_count))
        return figures

    def _write_report(self, rows):
        """Return the whole report as a CSV file that spreadsheets open.

        :param list rows: see :meth:`ImportTable.get_report`
        :return: the file, base64
        :rtype: bytes
        """
        out = StringIO()
        writer = csv.writer(out)
        writer.writerow(
            [
                self.env._("Line"),
                self.env._("Value"),
                self.env._("Result"),
                self.env._("Reason"),
            ]
        )
        for row in rows:
            line, value, result, reason = self._describe(*row)
            writer.writerow([line, escape_formula(value), result, reason])
        # The mark in front tells Excel that it is UTF-8.
        return base64.b64encode(out.getvalue().encode("utf-8-sig"))

    def _name_report(self):
        name = (self.file_name or "import").rsplit(".", 1)[0]
        return self.env._("%s - report.csv", name)

    def _describe(self, line, value, outcome, first_line, remark):
        """Put what became of a line into words.

        :return: number of the line, what stands there, result, reason
        :rtype: tuple
        """
        if outcome in SKIPPED:
            reason = self._explain_outcome(outcome, first_line)
            return line, value, self.env._("Left out"), reason
        return line, value, self.env._("Imported"), self._explain_remark(remark)

    def _explain_outcome(self, outcome, first_line):
        return {
            "no_address": self.env._("No email address"),
            "not_an_address": self.env._("Not an email address"),
            "unsubscribed": self.env._("Has unsubscribed, says the file"),
            "cleaned": self.env._("The address is dead, says the file"),
            "repeated": self.env._("Same address as in line %s", first_line),
            "unknown": self.env._("No contact has this address"),
            "later": self.env._("No contact yet: continue the import to create it"),
        }[outcome]

    def _explain_remark(self, remark):
        return {
            "withdrawn": self.env._(
                "Said no earlier: that stays so, until they agree themselves"
            ),
            "not_subscribed": self.env._(
                "Consent not recorded: has not agreed, says the file"
            ),
            "rounded_number": self.env._(
                "Imported without phone number: a spreadsheet has rounded it. Format"
                " that column as text"
            ),
            "no_number": self.env._("Consent not recorded: no phone number"),
        }[remark]
