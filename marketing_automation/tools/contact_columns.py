"""Which column of a table holds the email addresses, which the names and numbers."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from .subscription_status import KINDS as STATUS_KINDS
from .subscription_status import find_worst, read_status, reduce_word

# What people call these columns, reduced to letters without accents: English, German,
# French, Spanish, Italian, Dutch, Hungarian, Turkish.
HEADERS = {
    "email": """email mail emailaddress mailaddress emailadresse mailadresse epost
        adresseemail adressemail courriel correo correoelectronico
        indirizzoemail emailadres emailcim drotposta eposta epostaadresi customeremail
        contactemail emailid""",
    "name": """name fullname contact contactname customer customername kunde kundenname
        ansprechpartner nom nomcomplet nombre nombrecompleto nome nomecompleto
        nominativo naam nev teljesnev adsoyad adisoyadi isim musteri namn navn nimi
        imieinazwisko""",
    "first_name": """firstname givenname forename first vorname prenom primernombre
        voornaam keresztnev utonev ad adi nomeproprio fornamn fornavn etunimi imie
        jmeno""",
    "last_name": """lastname surname familyname last nachname familienname
        nomdefamille apellido apellidos cognome sobrenome apelido achternaam vezeteknev
        csaladnev soyad soyadi efternamn etternavn efternavn sukunimi nazwisko
        prijmeni""",
    "phone": """phone phonenumber telephone tel mobile mobilephone mobilenumber cell
        cellphone telefon telefonnummer mobil mobilnummer handy handynummer gsm portable
        telefono cellulare movil telefoon mobiel telefonszam mobilszam ceptelefonu cep
        telefonnumarasi""",
}
_KINDS = {word: kind for kind, words in HEADERS.items() for word in words.split()}
_FAMILY_NAME_FIRST = {"vezeteknev", "csaladnev"}
_SAMPLE_ROWS = 200
# Above the names of the columns there may be a title, a date, an empty frame.
_TITLE_ROWS = 10

ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]{2,}")
_PHONE = re.compile(r"\+?[\d\s()/.\-]{6,20}")
_WORDS = re.compile(r"[^\W\d_][^\d@]*")
# A spreadsheet has made a number of it and rounded it: 3.62012E+10.
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,3}")


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
    :param statuses: columns that say who has unsubscribed: position, and kind as in
        :mod:`.subscription_status`
    :param titles: how many rows stand above the names of the columns
    """

    positions: dict[str, int]
    header: list[str] = field(default_factory=list)
    family_name_first: bool = False
    statuses: list[tuple[int, str]] = field(default_factory=list)
    titles: int = 0

    def label(self, kind: str) -> str:
        """What the column of a kind is called: its name, or its number from 1."""
        position = self.positions[kind]
        return self.header[position] if self.header else str(position + 1)


class Contact(NamedTuple):
    """A person of a file, as written there; empty where nothing stands.

    :param int line: number of the line
    :param str address: what stands for the email address
    :param str name: the whole name
    :param str phone: the number; empty as well if it was rounded away
    :param str status: one of ``subscription_status.RANKED``
    :param bool is_rounded: whether a spreadsheet has rounded the phone number
    """

    line: int
    address: str
    name: str
    phone: str
    status: str
    is_rounded: bool


def read_contacts(
    rows: Iterable[tuple[int, list[str]]],
) -> tuple[Columns, Iterator[Contact]]:
    """Find the columns of a table and read the people in it.

    :param rows: number and cells of each line
    :return: the columns, and each person
    :raise ColumnError: if no column holds email addresses
    """
    rows = iter(rows)
    sample = list(islice(rows, _SAMPLE_ROWS))
    columns = find_columns([cells for _number, cells in sample])
    if columns.header:
        del sample[: columns.titles + 1]
    return columns, (
        _read_contact(columns, number, cells) for number, cells in chain(sample, rows)
    )


def find_columns(rows: list[list[str]]) -> Columns:
    """Find the columns by their names, and by what stands in them.

    :param rows: the first rows of a table
    :raise ColumnError: if none holds email addresses
    """
    titles = _count_titles(rows)
    header = rows[titles] if rows else []
    if any(ADDRESS.search(cell) for cell in header):
        return _find_by_content(rows)
    body = rows[titles + 1 :]
    kinds = [_KINDS.get(reduce_word(cell)) for cell in header]
    email = _best_email_column(body, kinds, len(header))
    if email is None:
        raise ColumnError(header)
    positions = {"email": email}
    for position, kind in enumerate(kinds):
        if kind and kind != "email":
            positions.setdefault(kind, position)
    _tell_names_apart(positions, body)
    return Columns(
        positions,
        header,
        family_name_first=not _FAMILY_NAME_FIRST.isdisjoint(map(reduce_word, header)),
        statuses=[
            (position, STATUS_KINDS[word])
            for position, word in enumerate(map(reduce_word, header))
            if word in STATUS_KINDS and position not in positions.values()
        ],
        titles=titles,
    )


def _count_titles(rows):
    """Return how many rows stand above the one with the names of the columns.

    That is the last one before the first person in which a column is called after
    addresses; without such a row it is the first.
    """
    found = 0
    for number, cells in enumerate(rows[: _TITLE_ROWS + 1]):
        if any(map(ADDRESS.search, cells)) and not _is_title(cells):
            break
        if "email" in {_KINDS.get(reduce_word(cell)) for cell in cells}:
            found = number
    return found


def _is_title(cells):
    """Whether a row with an address is a sentence, such as who made the list."""
    filled = [cell for cell in cells if cell]
    return len(filled) == 1 and not ADDRESS.fullmatch(filled[0])


def _tell_names_apart(positions, body):
    """What is called "name" is one part of it beside a column for the other part.

    So in Italian (nome, cognome), German (Name, Vorname) and French (nom, prénom);
    unless the whole name stands there, with the part repeated in the other column.
    """
    parts = {"first_name", "last_name"} & positions.keys()
    if "name" not in positions or len(parts) != 1:
        return
    [part] = parts
    cells = [
        (row[positions["name"]].casefold(), row[positions[part]].casefold())
        for row in body
        if max(positions["name"], positions[part]) < len(row)
    ]
    repeated = sum(bool(other) and other in name.split() for name, other in cells)
    if repeated * 2 <= len(cells):
        other = "last_name" if part == "first_name" else "first_name"
        positions[other] = positions.pop("name")


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


def _read_contact(columns, number, cells):
    def cell(kind):
        position = columns.positions.get(kind, len(cells))
        return cells[position] if position < len(cells) else ""

    names = [cell("first_name"), cell("last_name")]
    if columns.family_name_first:
        names.reverse()
    name = cell("name") or " ".join(filter(None, names))
    phone = cell("phone")
    is_rounded = bool(_ROUNDED.fullmatch(phone))
    return Contact(
        line=number,
        address=cell("email"),
        name=" ".join(name.split()),
        phone="" if is_rounded else phone,
        status=find_worst(
            read_status(kind, cells[position])
            for position, kind in columns.statuses
            if position < len(cells)
        ),
        is_rounded=is_rounded,
    )
