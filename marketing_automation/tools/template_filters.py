"""Jinja's filters, as templates may use them: none makes more than there is room for.

Each keeps its name and what it does; what would become too long is refused before it
is made.
"""

import functools
import re
from itertools import islice

import jinja2

from . import template_budget as budget

# Never useful in a message; `attr` has let templates out of the sandbox before
# (CVE-2025-27516).
REMOVED = ("attr", "pprint", "xmlattr")
# These print what they get, whatever it is.
PRINTING = {
    *("capitalize", "center", "e", "escape", "forceescape", "format", "indent"),
    *("lower", "replace", "safe", "string", "striptags", "title", "tojson", "trim"),
    *("truncate", "upper", "urlencode", "urlize", "wordcount", "wordwrap"),
}
# Their time grows faster than their text: Jinja looks at it again and again.
SLOW = {"striptags", "urlize", "wordwrap"}
MAX_SLOW_SIGNS = 20_000
# Where a number says how much is made.
MAX_WIDTH = 1_000
WIDTHS = {
    "batch": ("linecount",),
    "center": ("width",),
    "indent": ("width",),
    "round": ("precision",),
    "slice": ("slices",),
    "tojson": ("indent",),
    "truncate": ("length", "leeway"),
    "wordwrap": ("width",),
}
MAX_PRECISION = 20
MAX_BETWEEN = 100
_FORMAT = re.compile(r"%[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")


def limit_filters(filters):
    """Put limits around the filters of an environment.

    :param dict filters: by name; is changed
    """
    for name in REMOVED:
        filters.pop(name, None)
    for name, function in list(filters.items()):
        filters[name] = _limited(name, function)


def _limited(name, function):
    # What Jinja passes first (its environment, say) is not the value.
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def limited(*args, **kwargs):
        passed, given = args[:skipped], list(args[skipped:])
        for value in (*given, *kwargs.values()):
            _check_given(name, value)
        if name in WIDTHS:
            _check_widths(name, given[1:], kwargs)
        if name in CHECKS:
            given = CHECKS[name](given, kwargs)
        result = function(*passed, *given, **kwargs)
        if isinstance(result, str):
            budget.check_signs(len(result))
        elif isinstance(result, list | tuple | dict):
            budget.check_items(len(result))
        else:
            budget.check_number(result)
        return result

    return limited


def _check_given(name, value):
    if isinstance(value, jinja2.Undefined):
        budget.spend()
    elif name in PRINTING:
        signs = budget.measure(value)
        budget.check_signs(signs)
        if name in SLOW and signs > MAX_SLOW_SIGNS:
            raise budget.BudgetError(
                f"“{name}” takes a text of at most {MAX_SLOW_SIGNS:,} signs"
            )
    elif hasattr(value, "__len__"):
        budget.spend(len(value))
    else:
        budget.check_number(value)
        budget.spend()


def _check_widths(name, given, kwargs):
    most = MAX_PRECISION if name == "round" else MAX_WIDTH
    for value in (*given, *(kwargs.get(key) for key in WIDTHS[name])):
        if isinstance(value, int | float) and not -most <= value <= most:
            raise budget.BudgetError(f"“{name}” takes numbers up to {most:,}")


def _check_join(given, kwargs):
    values = _read(given[0])
    between = given[1] if len(given) > 1 else kwargs.get("d", "")
    signs = sum(map(budget.measure, values)) + len(values) * budget.measure(between)
    budget.check_signs(signs)
    return [values, *given[1:]]


def _check_list(given, _kwargs):
    return [_read(given[0]), *given[1:]]


def _check_sum(given, kwargs):
    values = _read(given[0])
    start = given[2] if len(given) > 2 else kwargs.get("start", 0)
    if not isinstance(start, int | float):
        raise budget.BudgetError("“sum” adds numbers")
    return [values, *given[1:]]


def _check_replace(given, kwargs):
    text = str(given[0])
    old = str(given[1] if len(given) > 1 else kwargs.get("old", ""))
    new = given[2] if len(given) > 2 else kwargs.get("new", "")
    check_replacement(text, old, str(new))
    return given


def check_replacement(text, old, new):
    """Refuse to replace what makes a text too long.

    :param str text: in which
    :param str old: what
    :param str new: by what
    """
    count = text.count(old) if old else len(text) + 1
    budget.check_signs(len(text) + count * len(new))


def _check_indent(given, kwargs):
    text = str(given[0])
    width = given[1] if len(given) > 1 else kwargs.get("width", 4)
    wide = width if isinstance(width, int) else budget.measure(width)
    budget.check_signs(len(text) + (text.count("\n") + 1) * wide)
    return given


def _check_wordwrap(given, kwargs):
    between = given[3] if len(given) > 3 else kwargs.get("wrapstring")
    if between and budget.measure(between) > MAX_BETWEEN:
        raise budget.BudgetError(f"“wordwrap” puts in {MAX_BETWEEN} signs at most")
    return given


def _check_format(given, kwargs):
    # The same value may be filled in as often as there is a place for it.
    longest = max(map(budget.measure, [*given[1:], *kwargs.values()]), default=0)
    text = str(given[0])
    budget.check_signs(len(text) + text.count("%") * (longest + 100))
    for match in _FORMAT.finditer(str(given[0])):
        for width in match.groups():
            if width and (width == "*" or len(width) > 2):
                raise budget.BudgetError("“format” takes widths up to 99")
    return given


CHECKS = {
    "format": _check_format,
    "indent": _check_indent,
    "join": _check_join,
    "list": _check_list,
    "replace": _check_replace,
    "sum": _check_sum,
    "wordwrap": _check_wordwrap,
}


def _read(values):
    """Return values as a list, as far as there may be so many of them."""
    try:
        found = list(islice(values, budget.MAX_ITEMS + 1))
    except TypeError:
        return values
    budget.check_items(len(found))
    return found
