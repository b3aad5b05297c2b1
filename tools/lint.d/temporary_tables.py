"""Only temporary tables are dropped, and they are named as such.

    temporary_tables.py ROOT

``DROP TABLE name`` looks for the name in everybody's tables when there is no temporary
one at that moment. So ``pg_temp.`` stands before the name, in the same text: of no
table that comes from a variable can be seen here whose it is. TRUNCATE and CREATE
TEMPORARY TABLE likewise, with one exception: what is made from a variable is temporary
anyway. Prints one line for each that is not; exit status 1 if there is one.
"""

import re
import sys
from pathlib import Path

SUFFIXES = {".py", ".sh", ".sql", ".xml"}
SKIPPED = {"node_modules", "__pycache__"}

DROP = re.compile(r"\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?!pg_temp\.|IF\s)(\S*)", re.I)
MAKE = re.compile(
    r"\bCREATE\s+(?:LOCAL\s+|GLOBAL\s+)?TEMP(?:ORARY)?\s+TABLE\s+"
    r"(?:IF\s+NOT\s+EXISTS\s+)?(?!pg_temp\.|%|IF\s)(\S*)",
    re.I,
)
# `SELECT … INTO TEMP name` and `TRUNCATE` are not needed by anybody.
OTHER = re.compile(r"\b(?:INTO\s+TEMP(?:ORARY)?|TRUNCATE(?:\s+TABLE)?)\s+(\w+)")
# A trigger against TRUNCATE, and a test that tries it.
ALLOWED = re.compile(r"BEFORE TRUNCATE ON|\"TRUNCATE marketing_consent_log\"")


def find_faults(text):
    """Return line number and text of each statement that names no temporary table.

    A statement may go on in the next line, also where a text is put together from two.

    :param str text: of a file
    :rtype: list[tuple[int, str]]
    """
    # Quotes between two parts of one text, so that the name is seen after the verb.
    joined = re.sub(r"([\"'])(\s*\n\s*)[rf]?\1", lambda m: " " + m[2], text)
    faults = []
    for pattern in (DROP, MAKE, OTHER):
        for match in pattern.finditer(joined):
            number = joined.count("\n", 0, match.start()) + 1
            line = joined.splitlines()[number - 1].strip()
            if not ALLOWED.search(line):
                faults.append((number, line))
    return sorted(set(faults))


def main(root):
    """Look through all files below ``root``.

    :return: exit status
    :rtype: int
    """
    found = False
    for path in sorted(Path(root).rglob("*")):
        parts = path.relative_to(root).parts
        hidden = any(part.startswith(".") for part in parts)
        if hidden or SKIPPED & set(parts) or not path.is_file():
            continue
        # What has no suffix is a shell script or a text.
        if path.suffix and path.suffix not in SUFFIXES:
            continue
        if path == Path(__file__).resolve():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in find_faults(text):
            print(f"{path.relative_to(root)}:{number}: not in pg_temp: {line}")
            found = True
    return int(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
