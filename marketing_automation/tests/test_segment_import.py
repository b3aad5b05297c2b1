"""Files of people, into segments: what is taken, what is left out, and why."""

import base64
import csv
from io import BytesIO, StringIO
from unittest.mock import patch

from openpyxl import Workbook

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import MarketingCase
from .world import GROUP_MANAGER, GROUP_USER, create_other_shop

IMPORT_TABLE = "odoo.addons.marketing_automation.wizards.import_table"
# Seconds for 100,000 lines on a machine that does other things as well.
MAX_STATEMENTS = 3000


class ImportCase(MarketingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.segment = cls.env["customer.segment"].create(
            {"name": "Guests", "kind": "static"}
        )

    def _wizard(self, content, **vals):
        """Create the wizard with a file; lines are joined."""
        if isinstance(content, list):
            content = "\n".join(content)
        if isinstance(content, str):
            content = content.encode()
        return self.env["customer.segment.import"].create(
            {
                "segment_id": self.segment.id,
                "file": base64.b64encode(content),
                "file_name": "guests.csv",
                "create_missing": True,
                **vals,
            }
        )

    def _import(self, content, **vals):
        wizard = self._wizard(content, **vals)
        action = wizard.action_import()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (wizard._name, wizard.id)
        )
        self.env.invalidate_all()
        return wizard

    def _members(self):
        return self.env["segment.membership"].search(
            [("segment_id", "=", self.segment.id)]
        )

    def _read_report(self, wizard):
        """Return the lines of the report, without its header."""
        content = base64.b64decode(wizard.report).decode("utf-8-sig")
        header, *rows = csv.reader(StringIO(content))
        self.assertEqual(header, ["Line", "Value", "Result", "Reason"])
        return [tuple(row) for row in rows]


@tagged("post_install", "-at_install")
class TestImport(ImportCase):
    def test_existing_and_new_contacts(self):
        wizard = self._import(
            [
                "Email;Name;Phone",
                "  ANNA@Example.com ;Somebody Else;",
                "bea@example.com;Bea Jones;+32 2 290 34 90",
                "cy@example.com;;",
            ]
        )
        members = self._members()
        self.assertEqual(set(members.mapped("source")), {"import"})
        self.assertIn(self.customer, members.partner_id)
        self.assertEqual(self.customer.name, "Anna Smith", "a file renames nobody")
        bea, cy = (members.partner_id - self.customer).sorted("email")
        self.assertEqual(bea.name, "Bea Jones")
        self.assertEqual(bea.phone_sanitized, "+3222903490")
        self.assertEqual((cy.name, cy.email), ("cy@example.com", "cy@example.com"))
        self.assertEqual(
            (wizard.line_count, wizard.added_count, wizard.created_count), (3, 3, 2)
        )
        self.assertEqual(wizard.skipped_count, 0)
        self.assertEqual(self.segment.size, 3)
        self.assertFalse(wizard.report)
        self.assertIn("Every line was used", wizard.result)
        self.assertFalse(wizard.file, "people's data is kept no longer than needed")

    def test_every_line_left_out_is_reported(self):
        wizard = self._import(
            [
                "Email,Name",
                "anna@example.com,Anna",
                ",Nobody",
                "no address,Bo",
                "bo@example,Bo",
                "Anna <anna@example.com>,Anna again",
                "a@example.com; b@example.com,Two",
                '"=cmd|calc",Formula',
                "new@example.com,New",
            ],
            create_missing=False,
        )
        self.assertEqual(
            self._read_report(wizard),
            [
                ("3", "", "Left out", "No email address"),
                ("4", "no address", "Left out", "Not an email address"),
                ("5", "bo@example", "Left out", "Not an email address"),
                (
                    "6",
                    "Anna <anna@example.com>",
                    "Left out",
                    "Same address as in line 2",
                ),
                (
                    "7",
                    "a@example.com; b@example.com",
                    "Left out",
                    "Not an email address",
                ),
                ("8", "'=cmd|calc", "Left out", "Not an email address"),
                ("9", "new@example.com", "Left out", "No contact has this address"),
            ],
        )
        self.assertEqual((wizard.added_count, wizard.skipped_count), (1, 7))
        self.assertEqual(self._members().partner_id, self.customer)
        self.assertEqual(wizard.report_name, "guests - report.csv")
        self.assertIn(
            "/report/guests - report.csv", wizard.action_download_report()["url"]
        )

    def test_again(self):
        """Who is in it already stays as they are, under whatever contact."""
        self.segment.add_contacts(self.customer.ids, "manual")
        since = self._members().entered_at
        twin = self._create_customer("Anna S.", "anna@example.com")
        wizard = self._import(["Email", "anna@example.com", "bo@example.com"])
        self.assertEqual((wizard.added_count, wizard.member_count), (1, 1))
        self.assertNotIn(twin, self._members().partner_id)
        old = self._members().filtered(lambda m: m.partner_id == self.customer)
        self.assertEqual((old.entered_at, old.source), (since, "manual"))
        again = self._import(["Email", "anna@example.com", "bo@example.com"])
        self.assertEqual((again.added_count, again.member_count), (0, 2))
        self.assertEqual(again.created_count, 0)

    def test_which_of_several_contacts(self):
        company = self._create_customer("Company", False, is_company=True)
        self._create_customer("At work", "dee@example.com", parent_id=company.id)
        first = self._create_customer("Dee", "dee@example.com")
        self._create_customer("Dee as guest", "dee@example.com")
        self._create_customer("Old", "old@example.com", active=False)
        self._import(
            ["Email", "dee@example.com", "old@example.com"], create_missing=False
        )
        self.assertEqual(self._members().partner_id, first)

    def test_contacts_of_another_company(self):
        other, _website = create_other_shop(self)
        theirs = self._create_customer("Theirs", "t@example.com", company_id=other.id)
        wizard = self._import(["Email", "t@example.com"], create_missing=False)
        self.assertEqual(wizard.skipped_count, 1)
        self._import(["Email", "t@example.com"])
        self.assertNotIn(theirs, self._members().partner_id)

    def test_many_new_contacts(self):
        """They are created in several runs of the same file."""
        lines = ["Email", "x", *(f"p{n}@example.com" for n in range(5))]
        with patch(f"{IMPORT_TABLE}.MAX_CREATED", 3):
            wizard = self._import(lines)
            self.assertEqual((wizard.added_count, wizard.later_count), (3, 2))
            self.assertEqual(
                [row[::3] for row in self._read_report(wizard)],
                [
                    ("2", "Not an email address"),
                    ("6", "No contact yet: continue the import to create it"),
                    ("7", "No contact yet: continue the import to create it"),
                ],
            )
            wizard.action_import()
        self.env.invalidate_all()
        self.assertEqual(
            (wizard.added_count, wizard.member_count, wizard.later_count), (2, 3, 0)
        )
        self.assertEqual(self.segment.size, 5)
        self.assertFalse(wizard.file)

    def test_workbook(self):
        book = Workbook()
        for row in (["Name", "E-Mail"], ["Bo", "bo@example.com"], ["Cy", "x"]):
            book.active.append(row)
        out = BytesIO()
        book.save(out)
        wizard = self._import(out.getvalue(), file_name="list.xlsx")
        self.assertEqual(self._members().partner_id.mapped("name"), ["Bo"])
        self.assertEqual(
            self._read_report(wizard), [("3", "x", "Left out", "Not an email address")]
        )

    def test_bad_files(self):
        """The error says what to do, and nothing is changed."""
        partners = self.env["res.partner"].search_count([])
        for content, message in (
            (b"", "Choose a file first"),
            (b"\n\n", "The file is empty"),
            (bytes(range(256)) * 9, "neither a CSV file nor an Excel workbook"),
            (b"PK\x03\x04 no workbook", "damaged"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "save it as XLSX"),
            ("Name;City\nAnna;Brussels", "The first line says: Name, City."),
        ):
            wizard = self._wizard(content)
            with self.subTest(message=message):
                with self.assertRaisesRegex(UserError, message):
                    wizard.action_import()
                self.assertEqual(wizard.state, "file")
        self.assertFalse(self._members())
        self.assertEqual(self.env["res.partner"].search_count([]), partners)

    def test_preview(self):
        form = Form(
            self.env["customer.segment.import"].with_context(
                default_segment_id=self.segment.id, default_file_name="x.csv"
            )
        )
        form.file = base64.b64encode(
            b"Kunde;E-Mail\n"
            + b"".join(b"P%d;p%d@example.com\n" % (i, i) for i in range(9))
        )
        self.assertTrue(form.is_text)
        self.assertIn("column “E-Mail”", " ".join(form.preview.split()))
        self.assertIn("p4@example.com", form.preview)
        self.assertNotIn("p5@example.com", form.preview)
        self.assertIn("4 more lines", " ".join(form.preview.split()))
        form.file = base64.b64encode(b"nothing here")
        self.assertIn("No column with email addresses was found", form.preview)

    def test_only_static_segments(self):
        self.segment.kind = "dynamic"
        with self.assertRaisesRegex(UserError, "found by its conditions"):
            self._wizard(["Email", "anna@example.com"]).action_import()

    def test_hundred_thousand_lines(self):
        self.env.cr.execute(
            """INSERT INTO res_partner (name, complete_name, email, email_normalized,
                                        active, type, autopost_bills)
               SELECT 'Person ' || n, 'Person ' || n, 'Person' || n || '@Example.com',
                      'person' || n || '@example.com', TRUE, 'contact', 'ask'
                 FROM generate_series(1, 99000) n"""
        )
        self.env.invalidate_all()
        lines = [f"person{n}@example.com;Person {n}" for n in range(1, 99_001)]
        lines += [f"nobody-{n}@example.com;{n}" for n in range(900)]
        lines += ["x;y"] * 100
        before = self.env.cr.sql_log_count
        wizard = self._import(["Email;Name", *lines])
        statements = self.env.cr.sql_log_count - before
        self.assertEqual(
            (wizard.added_count, wizard.created_count, wizard.skipped_count),
            (99_900, 900, 100),
        )
        self.assertEqual(self.segment.size, 99_900)
        # What is new is created by the ORM, the others are not looked at one by one.
        self.assertLess(statements, MAX_STATEMENTS)


@tagged("post_install", "-at_install")
class TestImportedConsent(ImportCase):
    """What a shop says about the consent of others needs a proof, and is not the last
    word."""

    PROOF = "Ticked “news” on paper at the fair; folder 12."

    def _import_with_consent(self, lines, *purposes, **vals):
        ticked = self._wizard(["Email", "x@example.com"]).consent_purposes
        for purpose in purposes:
            ticked[purpose]["checked"] = True
        return self._import(
            lines,
            **{
                "has_consent": True,
                "consent_purposes": ticked,
                "consent_proof": self.PROOF,
                **vals,
            },
        )

    def _get_states(self, **vals):
        preferences = self.env["marketing.preference"].search(
            [("company_id", "=", self.company.id)]
            + [(name, "=", value) for name, value in vals.items()]
        )
        return {(p.address, p.purpose): p.state for p in preferences}

    def test_recorded_with_proof(self):
        wizard = self._import_with_consent(
            ["Email", "anna@example.com", "bo@example.com", "nonsense"],
            "newsletter",
            "offers",
        )
        self.assertEqual(wizard.consent_count, 2)
        self.assertEqual(
            self._get_states(channel="email", source="import"),
            {
                (address, purpose): "given"
                for address in ("anna@example.com", "bo@example.com")
                for purpose in ("newsletter", "offers")
            },
        )
        logs = self.env["marketing.consent.log"].search([("source", "=", "import")])
        self.assertEqual(len(logs), 4)
        self.assertEqual(set(logs.text_id.mapped("text")), {self.PROOF})

    def test_who_said_no_is_not_overruled(self):
        record = self.env["marketing.preference"]._record
        record(
            *(self.company, "email", ["offers"], ["anna@example.com"]),
            *("withdrawn", "preference_page"),
        )
        self.env["mail.blacklist"]._add("bo@example.com")
        wizard = self._import_with_consent(
            ["Email", "anna@example.com", "bo@example.com", "cy@example.com"],
            "newsletter",
            "offers",
        )
        states = self._get_states(channel="email")
        self.assertEqual(states["anna@example.com", "offers"], "withdrawn")
        self.assertEqual(states["anna@example.com", "newsletter"], "given")
        self.assertEqual(states["cy@example.com", "offers"], "given")
        self.assertNotIn(
            "given",
            [
                state
                for (address, _purpose), state in states.items()
                if address == "bo@example.com"
            ],
        )
        self.assertTrue(
            self.env["mail.blacklist"].search([("email", "=", "bo@example.com")])
        )
        self.assertEqual(
            [
                (line, result)
                for line, _value, result, _reason in self._read_report(wizard)
            ],
            [("2", "Imported"), ("3", "Imported")],
        )
        self.assertEqual(wizard.added_count, 3)
        self.assertEqual(wizard.skipped_count, 0)

    def test_who_unsubscribed_elsewhere(self):
        """They are not added, and objected, whatever is ticked for the others."""
        self._create_customer("Bo", "bo@example.com")
        wizard = self._import_with_consent(
            [
                "Email Address,First Name,STATUS",
                "anna@example.com,Anna,subscribed",
                "bo@example.com,Bo,unsubscribed",
                "cy@example.com,Cy,cleaned",
                "di@example.com,Di,pending",
                "Bo@Example.com,Bo,subscribed",
            ],
            "newsletter",
        )
        self.assertEqual(
            sorted(self._members().partner_id.mapped("email")),
            ["anna@example.com", "di@example.com"],
        )
        self.assertEqual(
            (wizard.consent_count, wizard.unsubscribed_count, wizard.skipped_count),
            (1, 2, 3),
        )
        states = self._get_states(channel="email")
        self.assertEqual(states.pop(("anna@example.com", "newsletter")), "given")
        self.assertEqual(
            states,
            {
                ("bo@example.com", purpose): "withdrawn"
                for purpose in (
                    *("newsletter", "offers", "cart"),
                    *("product_updates", "back_in_stock"),
                )
            },
        )
        logs = self.env["marketing.consent.log"].search(
            [("source", "=", "import"), ("state", "=", "withdrawn")]
        )
        self.assertEqual(
            set(logs.text_id.mapped("text")),
            {"Unsubscribed according to the imported file “guests.csv”"},
        )
        report = {row[0]: row[2:] for row in self._read_report(wizard)}
        self.assertEqual(
            report,
            {
                "3": ("Left out", "Has unsubscribed, says the file"),
                "4": ("Left out", "The address is dead, says the file"),
                "5": (
                    "Imported",
                    "Consent not recorded: has not agreed, says the file",
                ),
                "6": ("Left out", "Has unsubscribed, says the file"),
            },
        )

    def test_unsubscriptions_of_another_shop(self):
        """Not recorded if somebody unticks it; nor added."""
        self._import(
            ["Email,UNSUB_TIME", "bo@example.com,2026-03-14 08:00"],
            record_unsubscribed=False,
        )
        self.assertFalse(self._members())
        self.assertFalse(self._get_states(address="bo@example.com"))

    def test_preview_of_statuses(self):
        form = Form(
            self.env["customer.segment.import"].with_context(
                default_segment_id=self.segment.id, default_file_name="x.csv"
            )
        )
        self.assertFalse(form.has_statuses)
        form.file = base64.b64encode(
            b"Email;Status\na@example.com;unsubscribed\nb@example.com;subscribed"
        )
        self.assertTrue(form.has_statuses)
        self.assertTrue(form.record_unsubscribed)
        preview = " ".join(form.preview.split())
        self.assertIn("Unsubscribed", preview)
        self.assertIn("1 people in this file have unsubscribed", preview)

    def test_rounded_number(self):
        wizard = self._import(["Email;Phone", "bo@example.com;3.62012E+10"])
        self.assertFalse(self._members().partner_id.phone)
        [[line, _value, result, reason]] = self._read_report(wizard)
        self.assertEqual((line, result), ("2", "Imported"))
        self.assertIn("Format that column as text", reason)

    def test_text_messages(self):
        wizard = self._import_with_consent(
            ["Email;Phone", "bo@example.com;+32 2 290 34 90", "cy@example.com;?"],
            "offers",
            consent_channel="sms",
        )
        self.assertEqual(wizard.consent_count, 1)
        self.assertEqual(
            self._get_states(channel="sms"), {("+3222903490", "offers"): "given"}
        )
        self.assertEqual(
            self._read_report(wizard),
            [
                (
                    "3",
                    "cy@example.com",
                    "Imported",
                    "Consent not recorded: no phone number",
                )
            ],
        )

    def test_no_consent_without_proof_or_purpose(self):
        lines = ["Email", "anna@example.com"]
        with self.assertRaisesRegex(UserError, "where the proof is"):
            self._import_with_consent(lines, "offers", consent_proof=" ")
        with self.assertRaisesRegex(UserError, "Tick what these people agreed to"):
            self._import_with_consent(lines)
        self._import(lines)
        self.assertFalse(self._get_states())


@tagged("post_install", "-at_install")
class TestImportRights(ImportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = new_test_user(cls.env, "mi_user", groups=GROUP_USER)
        cls.manager = new_test_user(cls.env, "mi_manager", groups=GROUP_MANAGER)
        cls.editor = new_test_user(
            cls.env, "mi_editor", groups=f"{GROUP_MANAGER},base.group_partner_manager"
        )

    def _import_as(self, user, **vals):
        wizards = self.env["customer.segment.import"].with_user(user)
        wizard = wizards.create(
            {
                "segment_id": self.segment.id,
                "file": base64.b64encode(b"Email\nanna@example.com\nnew@example.com"),
                **vals,
            }
        )
        wizard.action_import()
        return wizard

    def test_who_may_not_edit_segments(self):
        with self.assertRaises(AccessError):
            self._import_as(self.user)

    def test_who_may_not_create_contacts(self):
        wizard = self._import_as(self.manager)
        self.assertFalse(wizard.can_create)
        self.assertEqual((wizard.added_count, wizard.created_count), (1, 0))
        with self.assertRaisesRegex(AccessError, "may not create contacts"):
            self._import_as(self.manager, create_missing=True)

    def test_who_may(self):
        wizard = self._import_as(self.editor)
        self.assertEqual((wizard.added_count, wizard.created_count), (2, 1))
