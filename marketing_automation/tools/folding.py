"""Words of many languages, as they can be compared: without case and accents."""

import re
import unicodedata

# Letters that Unicode does not take apart.
_LETTERS = str.maketrans("\u0131øłđ", "iold")


def fold(text: str) -> str:
    """Write a text without case, accents, invisible characters, and with the usual form
    of letters that are half or double as wide.

    :param text: in any language; Turkish has one ``i`` here
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    kept = (c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    return "".join(kept).translate(_LETTERS)


def words(*lists: str) -> re.Pattern:
    """Compile words for folded texts: one of them is enough.

    :param lists: regular expressions, one a line, as people write the words; blanks
        count, empty lines do not
    """
    lines = [line.strip() for part in lists for line in part.splitlines()]
    # Escapes such as \b and \W have to stay what they are.
    folded = (
        "".join(
            piece if piece.startswith("\\") else fold(piece)
            for piece in re.split(r"(\\.)", line)
        )
        for line in lines
        if line
    )
    return re.compile("|".join(folded))
