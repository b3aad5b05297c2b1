"""Files that people have their contacts in, as programs really write them."""

from datetime import date
from io import BytesIO
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from odoo.tests import BaseCase, tagged

from ..tools import table_file
from ..tools.contact_columns import ColumnError, read_contacts
from ..tools.table_file import TableError, read_table

ANNA = (2, "anna@example.com", "Anna Smith", "+32 2 290 34 90")


def read(content, encoding=None):
    """Return the columns and the people of a file: line, address, name, phone."""
    columns, contacts = read_all(content, encoding)
    return columns, [contact[:4] for contact in contacts]


def read_all(content, encoding=None):
    """Return the columns and all that is known of the people of a file."""
    if isinstance(content, str):
        content = content.encode()
    columns, contacts = read_contacts(read_table(content, encoding))
    return columns, list(contacts)


def workbook(rows):
    """Return an Excel workbook with these rows."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@tagged("post_install", "-at_install")
class TestTables(BaseCase):
    """Bytes to lines."""

    def test_delimiters(self):
        for delimiter in ",;\t|":
            header = delimiter.join(["Email", "Name", "Phone"])
            line = delimiter.join(ANNA[1:])
            with self.subTest(delimiter=delimiter):
                _columns, contacts = read(f"{header}\n{line}\n")
                self.assertEqual(contacts, [ANNA])

    def test_the_delimiter_is_what_splits_lines_alike(self):
        """Commas within cells are more, but not the same number in each line."""
        content = (
            "Email;Name;Remark\n"
            "a@example.com;Smith, Anna;likes mugs, plates, bowls\n"
            "b@example.com;Jones, Bea;none\n"
        )
        _columns, contacts = read(content)
        self.assertEqual(contacts[0][1:3], ("a@example.com", "Smith, Anna"))

    def test_delimiter_that_the_file_declares(self):
        _columns, contacts = read("sep=;\r\nEmail;Name\r\na@example.com;A, B; C\r\n")
        self.assertEqual(contacts, [(3, "a@example.com", "A, B", "")])

    def test_line_ends_and_empty_lines(self):
        for end in ("\n", "\r\n", "\r"):
            content = end.join(["Email", "", "a@example.com", ";;", "b@example.com"])
            with self.subTest(end=end):
                _columns, contacts = read(content)
                lines = [(number, email) for number, email, _name, _phone in contacts]
                self.assertEqual(lines, [(3, "a@example.com"), (5, "b@example.com")])

    def test_encodings(self):
        content = "E-Mail;Name\nanna@example.com;Anna Müller-Weiß\n"
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"):
            with self.subTest(encoding=encoding):
                _columns, contacts = read(content.encode(encoding))
                self.assertEqual(contacts[0][2], "Anna Müller-Weiß")

    def test_encodings_that_must_be_told(self):
        for encoding, name in (
            ("cp1250", "Őze Ágnes"),
            ("cp1254", "Gül Şahin"),
            ("mac_roman", "Jürgen Müller"),
        ):
            content = f"Email;Name\na@example.com;{name}\n".encode(encoding)
            with self.subTest(encoding=encoding):
                self.assertEqual(read(content, encoding)[1][0][2], name)
                self.assertNotEqual(read(content)[1][0][2], name)

    def test_quoted_cells(self):
        content = (
            "Email,Name,Address\n"
            'a@example.com,"Smith, ""Annie"" Anna","Street 1\n1000 Town"\n'
            "b@example.com,Bea,Street 2\n"
        )
        _columns, contacts = read(content)
        self.assertEqual(contacts[0][:3], (2, "a@example.com", 'Smith, "Annie" Anna'))
        self.assertEqual(contacts[1][:2], (4, "b@example.com"))

    def test_an_open_quotation_mark_swallows_nobody(self):
        lines = [f"p{number}@example.com,Person {number}" for number in range(200)]
        lines[3] = 'p3@example.com,"Person 3'
        _columns, contacts = read("Email,Name\n" + "\n".join(lines))
        self.assertEqual(len(contacts), 200)
        self.assertEqual(contacts[3][:3], (5, "p3@example.com", '"Person 3'))
        self.assertEqual(contacts[199][:2], (201, "p199@example.com"))

    def test_excel(self):
        rows = [
            ["Name", "Since", "Email", "Phone"],
            ["Anna", date(2024, 5, 1), "anna@example.com", 3222903490.0],
            [None, None, None, None],
            ["Bea", None, "bea@example.com", None],
        ]
        _columns, contacts = read(workbook(rows))
        self.assertEqual(
            contacts,
            [
                (2, "anna@example.com", "Anna", "3222903490"),
                (4, "bea@example.com", "Bea", ""),
            ],
        )

    def test_no_table(self):
        book = workbook([["Email"], ["a@example.com"]])
        for code, content in (
            ("empty", b""),
            ("empty", b" \r\n\r\n"),
            ("no_table", bytes(range(256)) * 20),
            ("no_table", b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" * 9),
            ("damaged", book[: len(book) // 2]),
            ("damaged", b"PK\x03\x04 is no workbook"),
            ("damaged", b"\xff\xfea"),
            ("old_excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
        ):
            with self.subTest(code=code, content=content[:12]):
                with self.assertRaises(TableError) as caught:
                    read(content)
                self.assertEqual(caught.exception.code, code)

    def test_a_zip_file_that_is_no_workbook(self):
        out = BytesIO()
        with ZipFile(out, "w") as archive:
            archive.writestr("readme.txt", "a@example.com")
        with self.assertRaises(TableError) as caught:
            read(out.getvalue())
        self.assertEqual(caught.exception.code, "damaged")

    def test_a_stray_control_character(self):
        names = "".join(f"p{number}@example.com\n" for number in range(100))
        _columns, contacts = read(f"Email\na\0nna@example.com\n{names}\x1a")
        self.assertEqual(contacts[0][1], "anna@example.com")
        self.assertEqual(len(contacts), 101)


@tagged("post_install", "-at_install")
class TestColumns(BaseCase):
    """Lines to people."""

    def test_names_of_columns(self):
        for header, expected in (
            ("Email;Name;Phone", ANNA),
            ("E-Mail-Adresse;Kunde;Telefon-Nr.", (*ANNA[:3], "")),
            ("E-mail cím;Név;Telefonszám", ANNA),
            ("E-POSTA ADRESİ;Ad Soyad;Cep Telefonu", ANNA),
            ("Adresse e-mail;Nom complet;Téléphone", ANNA),
            ("Correo electrónico;Nombre;Móvil", ANNA),
        ):
            with self.subTest(header=header):
                _columns, contacts = read(header + "\n" + ";".join(ANNA[1:]))
                self.assertEqual(contacts, [expected])

    def test_first_and_last_name(self):
        for header, name in (
            ("Email;First Name;Last Name", "Anna Smith"),
            ("Email;Vorname;Nachname", "Anna Smith"),
            ("Email;Keresztnév;Vezetéknév", "Smith Anna"),
        ):
            with self.subTest(header=header):
                _columns, contacts = read(f"{header}\nanna@example.com;Anna;Smith")
                self.assertEqual(contacts[0][2], name)
        _columns, contacts = read("Email;First Name;Last Name\na@example.com;Anna;")
        self.assertEqual(contacts[0][2], "Anna")

    def test_column_with_a_name_of_its_own(self):
        columns, contacts = read("Kundnr;Wohin\n4711;anna@example.com")
        self.assertEqual(columns.label("email"), "Wohin")
        self.assertEqual(contacts, [(2, "anna@example.com", "", "")])

    def test_the_column_with_addresses_wins(self):
        columns, _contacts = read(
            "Email;Kontakt\nyes;anna@example.com\nno;b@example.com"
        )
        self.assertEqual(columns.label("email"), "Kontakt")

    def test_no_header(self):
        columns, contacts = read(
            "Anna;+32 2 290 34 90;anna@example.com\nBea;;no address"
        )
        self.assertFalse(columns.header)
        self.assertEqual(columns.label("email"), "3")
        self.assertEqual(
            contacts,
            [
                (1, "anna@example.com", "Anna", "+32 2 290 34 90"),
                (2, "no address", "Bea", ""),
            ],
        )

    def test_lines_of_other_lengths(self):
        """Nobody is lost to a missing or a superfluous cell."""
        _columns, contacts = read("Name,Email\nAnna\nBea,b@example.com,x,y\n")
        self.assertEqual(
            contacts, [(2, "", "Anna", ""), (3, "b@example.com", "Bea", "")]
        )

    def test_no_column_of_addresses(self):
        with self.assertRaises(ColumnError) as caught:
            read("Name;City\nAnna;Brussels")
        self.assertEqual(caught.exception.headers, ["Name", "City"])

    def test_only_a_header(self):
        self.assertEqual(read("Name;Email\n")[1], [])

    def test_name_beside_a_part_of_it(self):
        """What is called "name" is the other part, in languages where it is."""
        for header, cells, name in (
            ("Nome,Cognome,Email", "Luca,Rossi", "Luca Rossi"),
            ("Cognome,Nome,Email", "Rossi,Luca", "Luca Rossi"),
            ("Name,Vorname,E-Mail", "Schmidt,Anna", "Anna Schmidt"),
            ("Nom,Prénom,Courriel", "Martin,Zoé", "Zoé Martin"),
            ("Nome,Sobrenome,Email", "João,Silva", "João Silva"),
            ("Vezetéknév,Név,Email", "Kiss,Anna", "Kiss Anna"),
            # The whole name, with a part of it once more.
            ("Name,First Name,Email", "Anna Smith,Anna", "Anna Smith"),
            ("Full Name,First Name,Last Name,Email", "A. Smith,Anna,Smith", "A. Smith"),
        ):
            with self.subTest(header=header):
                _columns, contacts = read(f"{header}\n{cells},x@example.com")
                self.assertEqual(contacts, [(2, "x@example.com", name, "")])

    def test_titles_above_the_header(self):
        for titles in (
            ["Newsletter of the shop"],
            ["Export of 2026-03-14", "made by anna@example.com", ""],
            [";;", "Customers;;as of March"],
        ):
            lines = [*titles, "Name;Email", "Bo;bo@example.com", "Cy;cy@example.com"]
            first = len(titles) + 2
            with self.subTest(titles=titles):
                columns, contacts = read("\n".join(lines))
                self.assertEqual(columns.header, ["Name", "Email"])
                self.assertEqual(
                    contacts,
                    [
                        (first, "bo@example.com", "Bo", ""),
                        (first + 1, "cy@example.com", "Cy", ""),
                    ],
                )

    def test_people_above_a_header(self):
        """Files that were put one below the other: nobody is taken for a title."""
        _columns, contacts = read("bo@example.com\nEmail\ncy@example.com")
        self.assertEqual(
            [contact[1] for contact in contacts],
            ["bo@example.com", "Email", "cy@example.com"],
        )

    def test_apostrophes_of_spreadsheets(self):
        """Before what would be a formula, and nowhere else."""
        _columns, contacts = read(
            "Email,Name,Phone\n'@x@example.com,'=Anna,'+36201234567\n"
            "b@example.com,'t Hooft,'-1\nc@example.com,''=x,\n"
        )
        self.assertEqual(
            contacts,
            [
                (2, "@x@example.com", "=Anna", "+36201234567"),
                (3, "b@example.com", "'t Hooft", "-1"),
                (4, "c@example.com", "''=x", ""),
            ],
        )

    def test_rounded_numbers(self):
        """3.62012E+10 is nobody's telephone."""
        for number in ("3.62012E+10", "3,62012E+10", "3e10", "4.4E+011"):
            _columns, contacts = read_all(f"Email;Phone\na@example.com;{number}")
            with self.subTest(number=number):
                self.assertEqual(
                    (contacts[0].phone, contacts[0].is_rounded), ("", True)
                )
        _columns, contacts = read_all("Email;Phone\na@example.com;+36201234567")
        self.assertEqual(contacts[0].phone, "+36201234567")
        self.assertFalse(contacts[0].is_rounded)


@tagged("post_install", "-at_install")
class TestStatuses(BaseCase):
    """Who has unsubscribed, says the program that a file comes from."""

    def _read(self, header, *cells):
        _columns, contacts = read_all(
            "\n".join([f"Email;{header}", *(f"x@example.com;{cell}" for cell in cells)])
        )
        return [contact.status for contact in contacts]

    def test_words(self):
        for header, cells, statuses in (
            # Mailchimp
            (
                "STATUS",
                ("subscribed", "unsubscribed", "cleaned", "Non-Subscribed", "pending"),
                ("", "unsubscribed", "cleaned", "not_subscribed", "not_subscribed"),
            ),
            # Klaviyo
            (
                "Email Marketing Consent",
                ("SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"),
                ("", "unsubscribed", "not_subscribed"),
            ),
            (
                "Member Status",
                ("Active", "Opted Out", "Opted-out (manual)", "Hard bounce", "Spam"),
                ("", "unsubscribed", "unsubscribed", "cleaned", "unsubscribed"),
            ),
            ("Status", ("angemeldet", "abgemeldet"), ("", "unsubscribed")),
            ("Állapot", ("feliratkozott", "Leiratkozott"), ("", "unsubscribed")),
            ("Durum", ("abone", "Abonelikten çıktı"), ("", "unsubscribed")),
            ("Statut", ("abonné", "Désabonné"), ("", "unsubscribed")),
        ):
            with self.subTest(header=header):
                self.assertEqual(self._read(header, *cells), list(statuses))

    def test_yes_and_no(self):
        for header, cells, statuses in (
            (
                "Accepts Email Marketing",
                ("yes", "no", "TRUE", "0", ""),
                ("", "not_subscribed", "", "not_subscribed", ""),
            ),
            (
                "UNSUB_TIME",
                ("2026-03-14 08:15:00", "", "NULL"),
                ("unsubscribed", "", ""),
            ),
            (
                "Opt-out",
                ("x", "ja", "nein", "0", "1"),
                ("unsubscribed",) * 2 + ("", "") + ("unsubscribed",),
            ),
            ("Leiratkozott", ("igen", "nem", ""), ("unsubscribed", "", "")),
            ("CLEAN_TIME", ("2026-03-14", ""), ("cleaned", "")),
        ):
            with self.subTest(header=header):
                self.assertEqual(self._read(header, *cells), list(statuses))

    def test_the_worst_of_several_columns(self):
        self.assertEqual(
            self._read(
                "Status;Unsubscribed", "active;yes", "cleaned;no", "pending;", "active;"
            ),
            ["unsubscribed", "cleaned", "not_subscribed", ""],
        )

    def test_other_columns(self):
        """A state of the country, or of an order, says nothing."""
        self.assertEqual(self._read("Estado", "Jalisco"), [""])
        self.assertEqual(self._read("State", "unsubscribed"), [""])


@tagged("post_install", "-at_install")
class TestLargeWorkbooks(BaseCase):
    """A small file that unpacks to a lot is refused before it is read."""

    def _pack(self, **parts):
        out = BytesIO()
        with ZipFile(BytesIO(workbook([["Email"], ["a@example.com"]]))) as source:
            with ZipFile(out, "w", ZIP_DEFLATED) as archive:
                for name in source.namelist():
                    if name not in parts:
                        archive.writestr(name, source.read(name))
                for name, content in parts.items():
                    archive.writestr(name, content)
        return out.getvalue()

    def _assert_too_large(self, content):
        with self.assertRaises(TableError) as caught:
            list(read_table(content))
        self.assertEqual(caught.exception.code, "too_large")

    def test_texts(self):
        texts = b"<sst>" + b"<si><t>a</t></si>" * 1_300_000 + b"</sst>"
        content = self._pack(**{"xl/sharedStrings.xml": texts})
        self.assertLess(len(content), 200_000)
        with patch("openpyxl.load_workbook") as load:
            self._assert_too_large(content)
        load.assert_not_called()

    def test_lines(self):
        content = self._pack(**{"xl/worksheets/sheet1.xml": b" " * 51_000_000})
        with patch("openpyxl.load_workbook") as load:
            self._assert_too_large(content)
        load.assert_not_called()

    def test_number_of_lines(self):
        with patch.object(table_file, "MAX_LINES", 3):
            self.assertEqual(len(list(read_table(b"a\nb\nc"))), 3)
            self._assert_too_large(b"a\nb\nc\nd")
            self._assert_too_large(workbook([["a"]] * 4))
