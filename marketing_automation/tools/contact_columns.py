"""Which column of a table holds the email addresses, which the names and numbers."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

# What people call these columns, reduced to letters without accents: English, German,
# French, Spanish, Italian, Dutch, Hungarian, Turkish.
HEADERS = {
    "email": """email mail emailaddress mailaddress emailadresse mailadresse epost
        adresseemail adressemail courriel correo correoelectronico
        indirizzoemail emailadres emailcim drotposta eposta epostaadresi customeremail
        contactemail emailid""",
    "name": """name fullname contact contactname customer customername kunde kundenname
        ansprechpartner nom nomcomplet nombre nombrecompleto nominativo naam nev
        teljesnev adsoyad adisoyadi isim musteri""",
    "first_name": """firstname givenname forename first vorname prenom primernombre
        voornaam keresztnev utonev ad adi""",
    "last_name": """lastname surname familyname last nachname familienname
        nomdefamille apellido apellidos cognome achternaam vezeteknev csaladnev soyad
        soyadi""",
    "phone": """phone phonenumber telephone tel mobile mobilephone mobilenumber cell
        cellphone telefon telefonnummer mobil mobilnummer handy handynummer gsm portable
        telefono cellulare movil telefoon mobiel telefonszam mobilszam ceptelefonu cep
        telefonnumarasi""",
}
_KINDS = {word: kind for kind, words in HEADERS.items() for word in words.split()}
_FAMILY_NAME_FIRST = {"vezeteknev", "csaladnev"}
_SAMPLE_ROWS = 200

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]{2,}")
_PHONE = re.compile(r"\+?[\d\s()/.\-]{6,20}")
_WORDS = re.compile(r"[^\W\d_][^\d@]*")


class ColumnError(Exception):
    """No column holds email addresses.

    :ivar headers: what the columns are called
    """

    def __init__(self, headers):
        super().__init__(", ".join(headers))
        self.headers = headers


@dataclass
class Columns:
    """Where what stands in a table.

    :param positions: of ``email``, ``name``, ``first_name``, ``last_name``, ``phone``,
        as far as there is one; the first column is 0
    :param header: the names of the columns; empty if the first row is a person already
    :param family_name_first: as Hungarians write their names
    """

    positions: dict[str, int]
    header: list[str] = field(default_factory=list)
    family_name_first: bool = False

    def label(self, kind: str) -> str:
        """What the column of a kind is called: its name, or its number from 1."""
        position = self.positions[kind]
        return self.header[position] if self.header else str(position + 1)


def read_contacts(
    rows: Iterable[tuple[int, list[str]]],
) -> tuple[Columns, Iterator[tuple[int, str, str, str]]]:
    """Find the columns of a table and read the people in it.

    :param rows: number and cells of each line
    :return: the columns; for each person: number of the line, what stands for the
        address, the name, the phone number, as they are written, or empty
    :raise ColumnError: if no column holds email addresses
    """
    rows = iter(rows)
    sample = list(islice(rows, _SAMPLE_ROWS))
    columns = find_columns([cells for _number, cells in sample])
    if columns.header:
        del sample[0]
    return columns, (
        (number, *_read_contact(columns, cells))
        for number, cells in chain(sample, rows)
    )


def find_columns(rows: list[list[str]]) -> Columns:
    """Find the columns by their names, and by what stands in them.

    :param rows: the first rows of a table
    :raise ColumnError: if none holds email addresses
    """
    header = rows[0] if rows else []
    if any(ADDRESS.search(cell) for cell in header):
        return _find_by_content(rows)
    body = rows[1:]
    kinds = [_KINDS.get(_reduce(cell)) for cell in header]
    email = _best_email_column(body, kinds, len(header))
    if email is None:
        raise ColumnError(header)
    positions = {"email": email}
    for position, kind in enumerate(kinds):
        if kind and kind != "email":
            positions.setdefault(kind, position)
    family_name_first = not _FAMILY_NAME_FIRST.isdisjoint(map(_reduce, header))
    return Columns(positions, header, family_name_first)


def _best_email_column(body, kinds, width):
    """Return the column with the most addresses; of two, the one that is called so.

    A column that is called so but has no address is taken if no other has any: then
    every line is reported.
    """

    def fitness(position):
        addresses = sum(
            bool(ADDRESS.search(cells[position]))
            for cells in body
            if position < len(cells)
        )
        return addresses, kinds[position] == "email", -position

    best = max(range(width), key=fitness, default=None)
    return best if best is not None and any(fitness(best)[:2]) else None


def _find_by_content(rows):
    """Find the columns of a table without header."""
    width = max(map(len, rows))
    columns = [
        [cells[position] for cells in rows if position < len(cells) and cells[position]]
        for position in range(width)
    ]
    positions = {}
    for kind, pattern in (
        ("email", ADDRESS.search),
        ("phone", _PHONE.fullmatch),
        ("name", _WORDS.fullmatch),
    ):
        counts = {
            position: sum(1 for cell in cells if pattern(cell))
            for position, cells in enumerate(columns)
            if position not in positions.values()
        }
        best = max(counts, key=counts.get, default=None)
        # The first row has an address; the rest has to look like what it is taken for.
        if best is not None and (
            kind == "email" or counts[best] * 2 > len(columns[best])
        ):
            positions[kind] = best
    return Columns(positions)


def _read_contact(columns, cells):
    def cell(kind):
        position = columns.positions.get(kind, len(cells))
        return cells[position] if position < len(cells) else ""

    names = [cell("first_name"), cell("last_name")]
    if columns.family_name_first:
        names.reverse()
    name = cell("name") or " ".join(filter(None, names))
    return cell("email"), " ".join(name.split()), cell("phone")


def _reduce(text):
    """Return the letters of a header without accents: "E-Mail-Cím:" is "emailcim"."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(character for character in plain if character.isalpha())
