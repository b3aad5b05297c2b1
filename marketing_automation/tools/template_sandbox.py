"""The sandbox that templates are rendered in.

Jinja's sandbox keeps templates away from Python's internals. It limits neither time
nor memory: that is done here, by a budget that everything a template does is charged
to (``template_budget.py``) and by filters that refuse what becomes too long
(``template_filters.py``). A template that is fine for the samples and endless for
somebody real ends with an error for that message.
"""

import functools
from pathlib import Path

import jinja2
from jinja2 import nodes
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from jinja2.utils import Namespace

from . import template_budget as budget
from .template_filters import check_replacement, limit_filters

MAX_RANGE = 1_000
MAX_NUMBERS = 100_000
PARTIALS = Path(__file__).parent / "partials"

# Makes text by the kilobyte.
REMOVED_GLOBALS = ("lipsum",)
# What may be called of texts: nothing that pads, encodes or fills in.
TEXT_METHODS = {
    *("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum"),
    *("isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric"),
    *("isprintable", "isspace", "istitle", "isupper", "join", "lower", "lstrip"),
    *("partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex"),
    *("rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith"),
    *("strip", "swapcase", "title", "upper"),
}
SHORT_TEXT = 1_000
NUMBER_METHODS = {"is_integer"}


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


class _Charged(jinja2.visitor.NodeTransformer):
    """Has each round of a loop and each call of a block take a step, and texts that
    are joined say how long they become."""

    def visit_For(self, node):
        return self._charge(node)

    def visit_Macro(self, node):
        return self._charge(node)

    def visit_CallBlock(self, node):
        return self._charge(node)

    def visit_Block(self, node):
        return self._charge(node)

    def _charge(self, node):
        self.generic_visit(node)
        step = nodes.Call(nodes.EnvironmentAttribute("spend"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(step).set_lineno(node.lineno))
        return node

    def visit_Concat(self, node):
        return self._replace(node, "join_texts", node.nodes)

    def visit_List(self, node):
        return self._replace(node, "keep", [node]) if node.items else node

    def visit_Dict(self, node):
        return self._replace(node, "keep", [node]) if node.items else node

    def visit_Tuple(self, node):
        if node.ctx != "load" or not node.items:
            return self.generic_visit(node)
        return self._replace(node, "keep", [node])

    def _replace(self, node, name, args):
        self.generic_visit(node)
        call = nodes.Call(nodes.EnvironmentAttribute(name), args, [], None, None)
        return call.set_lineno(node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    # A step, see :class:`_Charged`.
    spend = staticmethod(budget.spend)
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def _generate(self, source, name, filename, defer_init=False):
        charged = nodes.Template.set_environment(_Charged().visit(source), self)
        return super()._generate(charged, name, filename, defer_init)

    def is_safe_attribute(self, obj, attr, value):
        # str.format reads attributes behind the sandbox's back when it is called by
        # a filter (CVE-2024-56326; Odoo pins an older Jinja).
        if isinstance(obj, str):
            return attr in TEXT_METHODS
        if isinstance(obj, int | float):
            return attr in NUMBER_METHODS
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj, attribute):
        # Jinja waits until the value is printed; a list would hide it.
        raise SecurityError(f"“{attribute}” is not available in templates")

    def call_binop(self, context, operator, left, right):
        budget.spend()
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            budget.check_signs(len(left) + len(right))
        elif operator == "+" and isinstance(left, list) and isinstance(right, list):
            budget.check_items(len(left) + len(right))
        elif operator == "**" or not all(
            isinstance(value, int | float) for value in (left, right)
        ):
            for value in (left, right):
                if isinstance(value, jinja2.Undefined):
                    str(value)  # says which merge tag there is not
            raise SecurityError(f"“{operator}” works only between two numbers")
        else:
            budget.check_number(left)
            budget.check_number(right)
        return budget.check_number(super().call_binop(context, operator, left, right))

    def call(__self, __context, __obj, *args, **kwargs):  # noqa: B902, N805
        budget.spend()
        if __obj is budget.spend:
            return ""
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str):
            args = _check_text_call(text, __obj.__name__, args)
        value = super().call(__context, __obj, *args, **kwargs)
        return __self.keep(value)

    @staticmethod
    def keep(value):
        """Refuse lists of lists of lists that become endless when they are printed."""
        if isinstance(value, str):
            budget.check_signs(len(value))
        elif isinstance(value, list | tuple | dict):
            budget.spend(budget.measure(value))
        return value

    def join_texts(self, *values):
        """Join texts, as ``~`` does."""
        budget.check_signs(sum(map(_measure_printed, values)))
        return (markup_join if self.autoescape else str_join)(values)

    @staticmethod
    def concat(texts):
        """Join what blocks and macros have written."""
        texts = list(texts)
        budget.check_signs(sum(map(len, texts)))
        return "".join(texts)


def _check_text_call(text, name, args):
    """Refuse a method of a text that makes too much.

    :return: the arguments to call it with
    :rtype: tuple
    """
    budget.spend(len(text))
    if name == "replace" and len(args) > 1:
        check_replacement(text, str(args[0]), str(args[1]))
    elif name == "join" and args:
        parts = [*args[0]]
        budget.check_signs(sum(map(budget.measure, parts)) + len(parts) * len(text))
        return (parts, *args[1:])
    return args


def _measure_printed(value):
    if isinstance(value, Namespace):
        raise SecurityError("a namespace cannot be printed")
    return budget.measure(value)


@jinja2.pass_context
def _print(_context, value):
    """Print a value; with the context, so that Jinja prints nothing beforehand, when
    it compiles."""
    if value is None:
        return ""
    # Short texts are counted with the block or message that they become part of.
    if not isinstance(value, str) or len(value) > SHORT_TEXT:
        budget.check_signs(_measure_printed(value))
    return value


@functools.cache
def get_environment(autoescape: bool) -> jinja2.Environment:
    """The environment sources are rendered in.

    :param autoescape: whether they are HTML
    """
    environment = _Environment(
        autoescape=autoescape,
        loader=_partials("html" if autoescape else "text"),
        undefined=MissingTag,
        finalize=_print,
        trim_blocks=True,
        lstrip_blocks=True,
        # Nothing is worked out when a template is compiled, where nobody counts.
        optimized=False,
    )
    limit_filters(environment.filters)
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
