"""Tables that people have in files: CSV in whatever dialect, or an Excel workbook.

No line is ever lost: a quotation mark that is never closed counts as a character of its
line instead of swallowing those that follow.
"""

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

# A workbook is packed: a small file can unpack to anything. These are a few seconds of
# work; a list of 200,000 people with name, number and address takes half of it.
MAX_UNPACKED_BYTES = 50_000_000
# Each is kept in memory while the workbook is read.
MAX_SHARED_TEXT_BYTES = 20_000_000
MAX_LINES = 200_000

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8", "cp1252", "cp1250", "cp1254", "mac_roman")

_SAMPLE_LINES = 50
# A quoted cell may go over several lines, such as a postal address; not over many.
_MAX_LINES_OF_A_CELL = 50
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a")) + b"\x7f"
_LINE_END = re.compile(r"\r\n|\r|\n")
# Programs put an apostrophe before what a spreadsheet would take for a formula.
_ESCAPED = re.compile(r"^'(?=[=+\-@\t\r])")
_DECLARATION = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


class TableError(Exception):
    """The file holds no table that can be read.

    :ivar code: ``empty``, ``no_table``, ``damaged``, ``old_excel`` or ``too_large``
    """

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def read_table(
    content: bytes, encoding: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Read a file line by line; lines without any content are left out.

    :param content: the file
    :param encoding: one of ``ENCODINGS`` for a CSV file; None finds it out
    :return: the number of each line, as an editor or Excel counts it, and its cells
    :raise TableError: if there is no table in it; also while it is read
    """
    if not content.strip():
        raise TableError("empty")
    if content.startswith(_OLD_EXCEL):
        raise TableError("old_excel")
    if content.startswith(_ZIP):
        rows = _read_workbook(content)
    else:
        rows = _read_text(_decode(content, encoding))
    for number, cells in rows:
        if number > MAX_LINES:
            raise TableError("too_large")
        cells = [_ESCAPED.sub("", cell.strip()) for cell in cells]
        if any(cells):
            yield number, cells


# === TEXT ===#


def _decode(content, encoding):
    """Return the text of a file whose encoding is mostly not known."""
    for mark, marked in _MARKS.items():
        if content.startswith(mark):
            try:
                return content.decode(marked)
            except UnicodeDecodeError as error:
                raise TableError("damaged") from error
    odd = len(content) - len(content.translate(None, delete=_CONTROL))
    if odd * 1000 > len(content):
        raise TableError("no_table")
    # Any byte is a character in latin-1: it cannot fail.
    for candidate in [encoding] if encoding else ["utf-8", "cp1252"]:
        try:
            return _clean(content.decode(candidate))
        except UnicodeDecodeError:
            continue
    return _clean(content.decode("latin-1"))


def _clean(text):
    """Take out what is no character: PostgreSQL stores no NUL."""
    return text.replace("\0", "").removesuffix("\x1a")


def _read_text(text):
    lines = _LINE_END.split(text.replace("\0", ""))
    first = 0
    declared = _DECLARATION.match(lines[0])
    if declared:
        first = 1
    delimiter = declared.group(1) if declared else _find_delimiter(lines)
    number = first
    while number < len(lines):
        end = _end_of_record(lines, number)
        yield number + 1, _split(lines[number:end], delimiter)
        number = end


def _end_of_record(lines, start):
    """Return where the next record begins: mostly the next line.

    An odd number of quotation marks leaves a cell open, which goes on below.
    """
    if not lines[start].count('"') % 2:
        return start + 1
    for end in range(start + 1, min(start + _MAX_LINES_OF_A_CELL, len(lines))):
        if lines[end].count('"') % 2:
            return end + 1
    return start + 1


def _split(lines, delimiter):
    text = "\n".join(lines)
    if text.count('"') % 2:
        return text.split(delimiter)
    try:
        [cells] = csv.reader([text], delimiter=delimiter)
    except (csv.Error, ValueError):
        return text.split(delimiter)
    return cells


def _find_delimiter(lines):
    """Return what most lines are split by into the same number of cells, above one."""

    def fitness(delimiter):
        widths = Counter(len(_split([line], delimiter)) for line in sample)
        widths.pop(1, None)
        width, count = max(
            widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0)
        )
        return count, width

    sample = [line for line in lines[: 4 * _SAMPLE_LINES] if line.strip()]
    sample = sample[:_SAMPLE_LINES]
    return max(DELIMITERS, key=fitness)


# === EXCEL ===#


def _read_workbook(content):
    """Read the first sheet of an XLSX workbook."""
    # Takes a while to load, and is needed for this alone.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            _check_size(archive.infolist())
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # Some programs write a wrong size into the file.
        sheet.reset_dimensions()
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, [_to_text(value) for value in values]
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        KeyError,
        IndexError,
        ValueError,
        SyntaxError,  # of the XML in it
        EOFError,
        OSError,
    ) as error:
        raise TableError("damaged") from error


def _check_size(entries):
    """Refuse what would keep the server busy or fill its memory.

    What an archive says of its entries is what is unpacked of them: ``zipfile`` ends
    there.
    """
    texts = sum(
        entry.file_size
        for entry in entries
        if entry.filename.lower().endswith("sharedstrings.xml")
    )
    size = sum(entry.file_size for entry in entries)
    if texts > MAX_SHARED_TEXT_BYTES or size > MAX_UNPACKED_BYTES:
        raise TableError("too_large")


def _to_text(value):
    """Return a cell as Excel shows it: a phone number is no floating-point number."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\0", "")
