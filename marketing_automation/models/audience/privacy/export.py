"""The export: everything that is stored about a person, as a file that people read and
programs, too (GDPR, articles 15 and 20)."""

import csv
import io
import json
import zipfile

from odoo import api, fields, models
from odoo.tools import SQL

from ....tools.masking import mask_body
from ....tools.spreadsheets import escape_formula
from .outside import MARKETING_CHATTER

# What the export takes from Odoo's own tables: fields by model.
OUTSIDE_FIELDS = {
    "res.partner": [
        *("name", "email", "phone", "street", "street2", "zip", "city", "state_id"),
        *("country_id", "vat", "company_name", "function", "lang", "comment"),
        *("category_id", "create_date"),
    ],
    "sale.order": [
        *("name", "partner_id", "state", "date_order", "cart_activity_at"),
        *("typed_email", "typed_phone", "visitor_signals", "human_signal"),
        *("amount_total", "currency_id", "client_order_ref", "note", "create_date"),
    ],
    "sale.order.line": ["order_id", "name", "product_uom_qty", "price_total"],
    "mailing.contact": ["name", "email", "company_name", "list_ids", "create_date"],
    "mailing.subscription": [
        *("contact_id", "list_id", "opt_out", "opt_out_datetime"),
        "opt_out_reason_id",
    ],
    "mailing.trace": [
        *("mass_mailing_id", "email", "trace_status", "sent_datetime"),
        *("open_datetime", "links_click_datetime", "reply_datetime"),
    ],
    "mail.blacklist": ["email", "create_date"],
    "phone.blacklist": ["number", "create_date"],
    "website.visitor": [
        *("website_id", "country_id", "lang_id", "timezone", "visit_count"),
        *("create_date", "last_connection_datetime"),
    ],
    "website.track": ["url", "product_id", "visit_datetime"],
    "mail.message": ["date", "email_from", "subject", "body"],
}
# What our own tables hold elsewhere, and belongs to the row.
ALSO = {"marketing.message": ["body_text", "body_html"]}
# A row's own number and authors tell nobody anything.
NEVER = {"id", "create_uid", "write_uid", "write_date", "display_name"}


class MarketingPrivacy(models.AbstractModel):
    _inherit = "marketing.privacy"

    @api.model
    def _export(self, person):
        """Write everything that is stored about a person into a file.

        :param Person person: see :meth:`_find_person`
        :return: a ZIP file: all in ``data.json``, and a CSV for each kind of data
        :rtype: bytes
        :raise AccessError: the user is no marketing manager
        :raise UserError: a company they do not work for has something stored, too
        """
        self._check_may(person)
        tables = self.sudo()._collect(person)
        with io.BytesIO() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("data.json", self._write_json(person, tables))
                for label, rows in tables.items():
                    name = f"{label}.csv".replace("/", "-")
                    archive.writestr(name, _write_csv(rows))
            return file.getvalue()

    @api.model
    def _collect(self, person):
        """Return what is stored about a person.

        :param Person person: see :meth:`_find_person`
        :return: rows by the name of what they are; a row is a value by label
        :rtype: dict[str, list[dict]]
        """
        self.env.flush_all()
        tables = {}
        for stored in self._get_stored():
            model = self.env[stored.model]
            if not stored.label:
                continue
            records = model.browse(
                self._fetch_column(
                    SQL(
                        "SELECT t.id FROM %s t WHERE %s ORDER BY t.id",
                        SQL.identifier(model._table),
                        stored.find(person),
                    )
                )
            )
            tables[self.env._(stored.label)] = self._read_rows(
                records, self._get_exported_fields(stored)
            )
        for model, records in self._collect_outside(person).items():
            label = self.env["ir.model"]._get(model).name
            tables[label] = self._read_rows(records, OUTSIDE_FIELDS[model])
        return {label: rows for label, rows in tables.items() if rows}

    @api.model
    def _get_exported_fields(self, stored):
        model = self.env[stored.model]
        return [
            name
            for name, field in model._fields.items()
            if field.store
            and field.type not in ("one2many", "many2many", "binary")
            and name not in NEVER
            and name not in stored.hidden
        ] + ALSO.get(stored.model, [])

    @api.model
    def _collect_outside(self, person):
        """Return the records of Odoo's own models about a person.

        :rtype: dict
        """

        def find(model, *domain):
            found = self.env[model].with_context(active_test=False)
            return found.search(list(domain), order="id")

        contacts = find("mailing.contact", ("email_normalized", "in", person.emails))
        visitors = find("website.visitor", ("partner_id", "in", person.partner_ids))
        orders = find(
            "sale.order",
            "|",
            ("partner_id", "in", person.partner_ids),
            ("typed_email_normalized", "in", person.emails),
        )
        emails = self.env["mail.message"].browse(self._find_emails(person))
        return {
            "res.partner": self.env["res.partner"].browse(person.partner_ids),
            "sale.order": orders,
            "sale.order.line": orders.order_line,
            "mailing.contact": contacts,
            "mailing.subscription": contacts.subscription_ids,
            "mailing.trace": self.env["mailing.trace"].browse(
                self._find_traces(person)
            ),
            "mail.blacklist": find("mail.blacklist", ("email", "in", person.emails)),
            "phone.blacklist": find(
                "phone.blacklist", ("number", "in", person.numbers)
            ),
            "website.visitor": visitors,
            "website.track": visitors.website_track_ids,
            "mail.message": emails.filtered(
                lambda message: message.model not in MARKETING_CHATTER
            ),
        }

    # === VALUES ===#

    @api.model
    def _read_rows(self, records, names):
        """Return records in words: labels, names of what is linked, times in UTC.

        :rtype: list[dict]
        """
        labels = self._get_labels(records, names)
        return [
            {
                labels[name]: self._read_value(record, name)
                for name in names
                if name in labels
            }
            for record in records
        ]

    @api.model
    def _get_labels(self, records, names):
        labels = {}
        for name in names:
            if field := records._fields.get(name):
                label = field.get_description(self.env, ["string"])["string"]
                taken = label in labels.values()
                labels[name] = f"{label} ({name})" if taken else label
        return labels

    @api.model
    def _read_value(self, record, name):
        field, value = record._fields[name], record[name]
        if field.relational:
            return ", ".join(value.mapped("display_name")) or None
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(
                value, value or None
            )
        if field.type == "datetime":
            return value.isoformat() + "Z" if value else None
        if field.type == "date":
            return value.isoformat() if value else None
        if value is False and field.type != "boolean":
            return None
        # The file passes through the hands of staff: no link of the person's own.
        return mask_body(str(value)) if isinstance(value, str) else value

    @api.model
    def _write_json(self, person, tables):
        about = {
            "written_at": fields.Datetime.now().isoformat() + "Z",
            "by": self.env.company.name,
            "email_addresses": list(person.emails),
            "telephone_numbers": list(person.numbers),
            "note": self.env._(
                "Times are in UTC. Invoices, deliveries and conversations about orders "
                "are not part of this file."
            ),
        }
        return json.dumps(
            {"about": about, "data": tables}, ensure_ascii=False, indent=2, default=str
        )


def _write_csv(rows):
    """Return rows as CSV that spreadsheets open as text (UTF-8 with a mark).

    :rtype: bytes
    """
    with io.StringIO(newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([_write_cell(value) for value in row.values()] for row in rows)
        return file.getvalue().encode("utf-8-sig")


def _write_cell(value):
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return escape_formula(value)
