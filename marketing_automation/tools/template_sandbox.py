"""The sandbox that templates are rendered in.

Jinja's sandbox keeps templates away from Python's internals. It limits neither time
nor memory; the guards here (short ranges, no repeated or padded strings through
operators) catch accidents. They do not make it safe to let strangers write templates.
"""

import functools
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

MAX_RANGE = 1_000
MAX_NUMBERS = 100_000
PARTIALS = Path(__file__).parent / "partials"

# Never useful in a message; `attr` has let templates out of the sandbox before
# (CVE-2025-27516), and `lipsum` makes text by the kilobyte.
REMOVED_FILTERS = ("attr", "pprint", "xmlattr")
REMOVED_GLOBALS = ("lipsum",)


class MissingTag(jinja2.StrictUndefined):
    """An unknown merge tag: testing it is fine, printing it is an error."""

    __slots__ = ()

    def __bool__(self):
        return False

    @property
    def _undefined_message(self):
        if self._undefined_hint:
            return self._undefined_hint
        return f"there is no merge tag “{self._undefined_name}” here"


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def is_safe_attribute(self, obj, attr, value):
        # str.format reads attributes behind the sandbox's back when it is called by
        # a filter (CVE-2024-56326; Odoo pins an older Jinja).
        if attr in ("format", "format_map"):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj, attribute):
        # Jinja waits until the value is printed; a list would hide it.
        raise SecurityError(f"“{attribute}” is not available in templates")

    def call_binop(self, context, operator, left, right):
        if operator == "**" or not all(
            isinstance(value, int | float) for value in (left, right)
        ):
            raise SecurityError(f"“{operator}” works only between two numbers")
        return super().call_binop(context, operator, left, right)


@functools.cache
def get_environment(autoescape: bool) -> jinja2.Environment:
    """The environment sources are rendered in.

    :param autoescape: whether they are HTML
    """
    environment = _Environment(
        autoescape=autoescape,
        loader=_partials("html" if autoescape else "text"),
        undefined=MissingTag,
        finalize=lambda value: "" if value is None else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in REMOVED_FILTERS:
        environment.filters.pop(name, None)
    for name in REMOVED_GLOBALS:
        environment.globals.pop(name, None)
    environment.globals["range"] = _short_range
    # The one block that takes arguments: a call reads better than a set and include.
    environment.globals["button"] = environment.get_template("button").module.button
    return environment


def _partials(kind: str) -> jinja2.BaseLoader:
    """Our own blocks, read once; a template can include nothing else."""
    sources = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((PARTIALS / kind).glob("*.jinja"))
    }

    class Loader(jinja2.DictLoader):
        def get_source(self, environment, template):
            source, _filename, uptodate = super().get_source(environment, template)
            # Named, so that the line of an error is looked for in the author's
            # source and not in ours.
            return source, f"<block {template}>", uptodate

    return Loader(sources)


def _short_range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MAX_RANGE:
        raise OverflowError(f"a range can have at most {MAX_RANGE:,} numbers")
    return numbers


class Ranges:
    """``range`` of one rendering: a loop in a loop in a loop ends soon, too."""

    def __init__(self):
        self._left = MAX_NUMBERS

    def __call__(self, *args: int) -> range:
        numbers = _short_range(*args)
        self._left -= len(numbers)
        if self._left < 0:
            raise OverflowError(
                f"all ranges together can have at most {MAX_NUMBERS:,} numbers: do not "
                "put so many loops into each other"
            )
        return numbers
