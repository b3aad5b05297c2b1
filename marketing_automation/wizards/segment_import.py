import base64
from collections import Counter
from contextlib import contextmanager
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..models.channels import CHANNELS
from ..tools.contact_columns import ColumnError, read_contacts
from ..tools.table_file import TableError, read_table
from .import_table import ImportTable

PREVIEW_LINES = 5
# The preview reads no further: it is drawn while somebody waits.
COUNTED_LINES = 10_000


class SegmentImport(models.TransientModel):
    """Put the people of a file into a segment, and say what became of each line."""

    _name = "customer.segment.import"
    _inherit = ["marketing.guard"]
    _description = "Import Into a Segment"

    segment_id = fields.Many2one(
        "customer.segment",
        required=True,
        ondelete="cascade",
        domain=[("kind", "=", "static")],
    )
    company_id = fields.Many2one(related="segment_id.company_id")
    state = fields.Selection([("file", "File"), ("done", "Done")], default="file")

    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    encoding = fields.Selection(
        [
            ("utf-8", "Unicode (UTF-8)"),
            ("cp1252", "Western European"),
            ("cp1250", "Central European"),
            ("cp1254", "Turkish"),
            ("mac_roman", "Macintosh (Western)"),
        ],
        string="Characters",
        help="Only if names look wrong in the preview. Mostly it is found out.",
    )
    is_text = fields.Boolean(compute="_compute_is_text")
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    can_create = fields.Boolean(compute="_compute_can_create")
    create_missing = fields.Boolean(
        string="Create missing contacts",
        default=lambda self: self._may_create_contacts(),
    )

    has_statuses = fields.Boolean(compute="_compute_preview")
    record_unsubscribed = fields.Boolean(
        string="Record who unsubscribed",
        default=True,
        help="People who have unsubscribed according to the file are never added. "
        "Ticked, they also get no marketing emails from this company any more, in case "
        "they are among the contacts already.",
    )
    has_consent = fields.Boolean(string="They gave consent")
    consent_channel = fields.Selection(CHANNELS, string="Channel", default="email")
    consent_purposes = fields.Json(
        string="To", default=lambda self: self._default_consent_purposes()
    )
    consent_proof = fields.Text(
        string="Proof",
        help="Where and when they agreed, to which words, and where that can be seen. "
        "It is kept with each consent.",
    )

    line_count = fields.Integer(string="Lines")
    added_count = fields.Integer(string="Added")
    created_count = fields.Integer(string="New Contacts")
    member_count = fields.Integer(string="In It Before")
    skipped_count = fields.Integer(string="Left Out")
    later_count = fields.Integer(string="Still to Be Created")
    consent_count = fields.Integer(string="Consents Recorded")
    unsubscribed_count = fields.Integer(string="Unsubscribed")
    result = fields.Html(sanitize=False, readonly=True)
    report = fields.Binary(attachment=False, readonly=True)
    report_name = fields.Char()

    def _default_consent_purposes(self):
        labels = self.env["customer.segment"]._get_purpose_labels()
        return {key: {"label": label, "checked": False} for key, label in labels}

    # === COMPUTE METHODS ===#

    @api.depends_context("uid")
    def _compute_can_create(self):
        self.can_create = self._may_create_contacts()

    def _may_create_contacts(self):
        return self.env["res.partner"].has_access("create")

    @api.depends("file", "file_name")
    def _compute_is_text(self):
        """Workbooks say by themselves which characters they have."""
        for wizard in self:
            name = (wizard.file_name or "").lower()
            wizard.is_text = bool(wizard.file) and not name.endswith(".xlsx")

    @api.depends("file", "encoding")
    def _compute_preview(self):
        for wizard in self:
            values = wizard.file and wizard._read_preview()
            wizard.has_statuses = bool(values and values.get("has_statuses"))
            wizard.preview = values and self.env["ir.qweb"]._render(
                "marketing_automation.segment_import_preview", values
            )

    def _read_preview(self):
        """Return what was found in the file, before anything is done with it.

        :return: what the template shows
        :rtype: dict
        """
        try:
            with self._explain():
                columns, contacts = self._read_file()
                first = list(islice(contacts, PREVIEW_LINES))
                others = list(islice(contacts, COUNTED_LINES))
        except UserError as error:
            return {"error": str(error)}
        statuses = Counter(contact.status for contact in first + others)
        return {
            "columns": columns,
            "contacts": first,
            "more": len(others),
            "is_more_than_counted": len(others) == COUNTED_LINES,
            "has_statuses": bool(columns.statuses),
            "gone": statuses["unsubscribed"] + statuses["cleaned"],
            "status_words": self._get_status_words(),
        }

    def _get_status_words(self):
        """Return what the statuses of people in a file are called.

        :rtype: dict[str, str]
        """
        return {
            "unsubscribed": self.env._("Unsubscribed"),
            "cleaned": self.env._("Address is dead"),
            "not_subscribed": self.env._("Has not agreed"),
            "": self.env._("Subscribed"),
        }

    # === WHAT THE FILE SAYS ===#

    def _read_file(self):
        """Open the file.

        :return: see :func:`~.tools.contact_columns.read_contacts`; reading may go wrong
            at any line, see :meth:`_explain`
        :rtype: tuple
        """
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        return read_contacts(read_table(content, self.encoding or None))

    @contextmanager
    def _explain(self):
        """Turn what is wrong with a file into words that say what to do."""
        try:
            yield
        except TableError as error:
            raise UserError(self._explain_table(error.code)) from error
        except ColumnError as error:
            raise UserError(
                self.env._(
                    "No column with email addresses was found. The first line says:"
                    " %(columns)s. Call the column “Email”, and save the file again.",
                    columns=", ".join(filter(None, error.headers)),
                )
            ) from error

    def _explain_table(self, code):
        """Return what to do about a file that cannot be read.

        :param str code: see ``TableError``
        :rtype: str
        """
        return {
            "empty": self.env._("The file is empty."),
            "no_table": self.env._(
                "This is neither a CSV file nor an Excel workbook. Export the list"
                " from your program as CSV or XLSX, and choose that file."
            ),
            "damaged": self.env._(
                "The file is damaged or was not uploaded completely. Open it, save it"
                " again as CSV or XLSX, and choose it once more."
            ),
            "old_excel": self.env._(
                "This is a workbook of Excel 2003 or older. Open it, and save it as"
                " XLSX or CSV."
            ),
            "too_large": self.env._(
                "The file is too large: 200,000 lines can be imported at a time. Split"
                " it, and import one part after the other. A workbook may hold much"
                " besides the list: save the list alone as CSV."
            ),
        }[code]

    # === ACTION METHODS ===#

    def action_import(self):
        """Put the people of the file into the segment; keep the report.

        :raise UserError: if the file cannot be read; nothing is changed then
        :return: action that shows the report
        :rtype: dict
        """
        self.ensure_one()
        self.segment_id.check_access("write")
        self._check_ready()
        table = ImportTable(self.env, self.company_id)
        with self._explain():
            _columns, contacts = self._read_file()
            table.load(contacts)
        table.find_contacts()
        created = table.create_contacts() if self.create_missing else 0
        table.settle(self.segment_id)
        self.segment_id.sudo()._add(table.get_added(), "import")
        consents = self._record_consent(table) if self.has_consent else 0
        if self.record_unsubscribed:
            self._record_unsubscribed(table)
        self._keep_results(table, created, consents)
        table.drop()
        return self._reopen()

    def _check_ready(self):
        """Refuse what is not filled in, with what to do about it."""
        if self.segment_id.kind != "static":
            raise UserError(
                self.env._(
                    "The people of “%s” are found by its conditions. Import into a"
                    " static segment.",
                    self.segment_id.name,
                )
            )
        if not self.file:
            raise UserError(self.env._("Choose a file first."))
        if self.create_missing and not self.can_create:
            raise AccessError(
                self.env._(
                    "You may not create contacts. Import without creating them, or ask"
                    " an administrator for the right “Contact Creation”."
                )
            )
        if self.has_consent and not self._get_consent_purposes():
            raise ValidationError(self.env._("Tick what these people agreed to."))
        if self.has_consent and not (self.consent_proof or "").strip():
            raise ValidationError(
                self.env._(
                    "Say where and when these people agreed, and where the proof is."
                )
            )

    def _reopen(self):
        """Show this wizard again.

        :rtype: dict
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import into %s", self.segment_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_download_report(self):
        """Download what was left out, and why, as a CSV file.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/report/{self.report_name}"
            "?download=true",
            "target": "download",
        }

    def action_view_members(self):
        """Open the members of the segment, new ones first.

        :return: a window action
        :rtype: dict
        """
        self.ensure_one()
        return self.segment_id.action_view_members()
