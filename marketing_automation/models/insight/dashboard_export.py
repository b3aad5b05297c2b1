"""The dashboard as a table, for those who go on calculating."""

import csv
import io

import xlsxwriter

from odoo import api, models
from odoo.exceptions import UserError

from ...tools.spreadsheets import escape_formula

MIME_TYPES = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
NUMBER_FORMATS = {"number": "#,##0", "money": "#,##0.00", "share": "0.0%"}


class MarketingDashboard(models.AbstractModel):
    _inherit = "marketing.dashboard"

    @api.model
    def _export(self, options, file_format):
        """Return the figures of the dashboard as a file.

        :param dict options: as of ``get_data``
        :param str file_format: ``csv`` or ``xlsx``
        :return: the content, its MIME type, and a name for the file
        :rtype: tuple[bytes, str, str]
        :raise UserError: another format, or options that do not exist
        """
        if file_format not in MIME_TYPES:
            raise UserError(self.env._("Choose CSV or XLSX."))
        data = self.get_data(options)
        write = {"csv": _write_csv, "xlsx": _write_xlsx}[file_format]
        chosen = data["options"]
        name = f"recovery_{chosen['first']}_{chosen['last']}.{file_format}"
        return write(self._get_sheets(data)), MIME_TYPES[file_format], name

    @api.model
    def _get_sheets(self, data):
        """Return the tables of the dashboard.

        :param dict data: of ``get_data``
        :return: title, header, and rows of cells: (value, unit), or texts
        :rtype: list[tuple]
        """
        return [
            self._get_sheet_of_figures(data),
            self._get_sheet_of_steps(data),
            self._get_sheet_of_keys(data),
            self._get_sheet_of_days(data),
        ]

    @api.model
    def _get_sheet_of_figures(self, data):
        currency = self.env["res.currency"].browse(data["currency_id"]).name
        rows = [
            (
                figure["label"],
                (figure["value"], figure["unit"]),
                (figure["previous"], figure["unit"]),
                currency if figure["unit"] == "money" else "",
                figure["help"],
            )
            for figure in data["kpis"] + data["funnel"]
        ]
        dates = (data["options"]["first"], data["options"]["last"])
        header = (
            ", ".join(data["companies"]),
            " – ".join(dates),
            " – ".join(data["previous"]),
            self.env._("Currency"),
            self.env._("Meaning"),
        )
        return self.env._("Figures"), header, rows

    @api.model
    def _get_sheet_of_steps(self, data):
        columns = data["step_columns"]
        header = (
            *(self.env._("Sequence"), self.env._("Message"), self.env._("Channel")),
            *(column["label"] for column in columns),
        )
        rows = [
            (
                *(row["sequence"], row["step"], row["channel"] or ""),
                *(
                    (row["values"][column["name"]]["value"], column["unit"])
                    for column in columns
                ),
            )
            for row in data["steps"]
        ]
        return self.env._("Messages"), header, rows

    @api.model
    def _get_sheet_of_keys(self, data):
        titles = {
            "states": self.env._("What became of the carts"),
            "excluded": self.env._("Why carts are left alone"),
            "unsent": self.env._("Why messages were not sent"),
        }
        rows = [
            (
                title,
                row["label"],
                (row["value"], "number"),
                (row["previous"], "number"),
            )
            for name, title in titles.items()
            for row in data[name]
        ]
        header = (
            self.env._("Question"),
            self.env._("Answer"),
            self.env._("This period"),
            self.env._("Period before"),
        )
        return self.env._("Reasons"), header, rows

    @api.model
    def _get_sheet_of_days(self, data):
        chart = data["chart"]
        figures = chart["figures"]
        header = (
            *(self.env._("From"), self.env._("To")),
            *(figure["label"] for figure in figures),
        )
        rows = [
            (
                *point,
                *((figure["values"][index], figure["unit"]) for figure in figures),
            )
            for index, point in enumerate(chart["points"])
        ]
        return self.env._("Over time"), header, rows


def _write_csv(sheets):
    """Write all tables below each other, each under its title."""
    output = io.StringIO()
    writer = csv.writer(output)
    for title, header, rows in sheets:
        writer.writerow([title])
        writer.writerow([escape_formula(text) for text in header])
        for row in rows:
            writer.writerow([_get_plain(cell) for cell in row])
        writer.writerow([])
    # Excel takes a file for UTF-8 only with the mark.
    return output.getvalue().encode("utf-8-sig")


def _write_xlsx(sheets):
    """Write each table on a sheet of its own."""
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            unit: book.add_format({"num_format": shown})
            for unit, shown in NUMBER_FORMATS.items()
        }
        for title, header, rows in sheets:
            sheet = book.add_worksheet(title[:31])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(header) - 1, 22)
            for column, text in enumerate(header):
                sheet.write_string(0, column, text, bold)
            for number, row in enumerate(rows, start=1):
                for column, cell in enumerate(row):
                    _write_cell(sheet, number, column, cell, formats)
    return output.getvalue()


def _write_cell(sheet, number, column, cell, formats):
    if isinstance(cell, str):
        sheet.write_string(number, column, cell)
    elif cell[0] is not None:
        value, unit = cell
        sheet.write_number(number, column, value, formats[unit])


def _get_plain(cell):
    if isinstance(cell, str):
        return escape_formula(cell)
    value, unit = cell
    if value is None:
        return ""
    digits = {"number": 0, "money": 2, "share": 4}[unit]
    return f"{value:.{digits}f}"
