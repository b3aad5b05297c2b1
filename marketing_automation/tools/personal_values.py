"""What a template does with a person's own values.

A body can be rendered once for many people when their values are only printed, or
asked whether they are there: then the output for one person is that for another with
the values exchanged. A value that is filtered, compared, joined, passed on or looped
over can change the output in any way, and so can one of which this cannot be told.
"""

from collections.abc import Collection

import jinja2
from jinja2 import meta, nodes

# Where an expression stands: its text is printed, only its truth matters, or else.
_PRINTED, _TESTED, _OTHER = range(3)

# Their output is a value before it is printed.
_CAPTURING = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)
_LOADING = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)


class NotShareable(Exception):
    """The output may depend on a personal value in any way; says where."""


def find_personal_values(
    source: str, environment: jinja2.Environment, personal: Collection[str]
) -> tuple[set[str], set[str]]:
    """Look through a source and all blocks it is made of.

    :param source: Jinja2 source
    :param environment: the one it is rendered in
    :param personal: dotted names of the values that differ from person to person. Of
        a parent of such a name (``customer``) nothing else can be used.
    :return: the personal names it uses; all names it gets from the context, such as
        ``customer`` or ``cart``
    :raise NotShareable: a personal value is used in another way than those above
    :raise jinja2.TemplateError: a source is broken or a block does not exist
    """
    search = _Search(environment, personal)
    search.look_through(source)
    while search.waiting:
        name = search.waiting.pop()
        search.look_through(environment.loader.get_source(environment, name)[0])
    return search.found, search.names


class _Search:
    def __init__(self, environment, personal):
        self.environment = environment
        self.personal = frozenset(personal)
        self.roots = {name.partition(".")[0] for name in personal}
        self.found, self.names = set(), set()
        self.waiting, self.blocks = [], set()

    def look_through(self, source):
        tree = self.environment.parse(source)
        self.names |= meta.find_undeclared_variables(tree)
        self._visit(tree, _OTHER, False)

    def _visit(self, node, place, captured):
        name = _dotted_name(node)
        if name and name.partition(".")[0] in self.roots:
            self._use(name, node, place, captured)
        elif isinstance(node, _LOADING):
            self._load(node, captured)
        elif isinstance(node, nodes.Name) and node.name in ("self", "super"):
            self._refuse(node, "a block is used as a value")
        elif not (_is_super(node) and place == _PRINTED and not captured):
            self._visit_children(node, place, captured)

    def _visit_children(self, node, place, captured):
        self._check_definition(node)
        if isinstance(node, nodes.Block) and captured:
            self._refuse(node, "a block is used as a value")
        captured = captured or isinstance(node, _CAPTURING)
        if isinstance(node, nodes.For) and node.recursive:
            captured = True
        for field, value in node.iter_fields():
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, nodes.Node):
                    self._visit(child, _place(node, field, place), captured)

    def _use(self, name, node, place, captured):
        loaded = getattr(node, "ctx", "load") == "load"
        if name not in self.personal or place == _OTHER or captured or not loaded:
            self._refuse(node, f"“{name}” is not only printed or tested")
        self.found.add(name)

    def _load(self, node, captured):
        name = getattr(node.template, "value", None)
        if captured or not isinstance(name, str):
            self._refuse(node, "it is not known what is included")
        self._check_definition(node)
        if name not in self.blocks:
            self.blocks.add(name)
            self.waiting.append(name)

    def _check_definition(self, node):
        """A personal name must not get another meaning."""
        if self.roots & _defined_names(node):
            self._refuse(node, "a personal name is defined again")

    def _refuse(self, node, reason):
        raise NotShareable(f"line {node.lineno}: {reason}")


def _place(node, field, place):
    """Where a child of ``node`` stands, which stands in ``place`` itself."""
    if isinstance(node, nodes.Output):
        return _PRINTED
    if isinstance(node, nodes.Not):
        return _TESTED
    if isinstance(node, nodes.If | nodes.CondExpr) and field == "test":
        return _TESTED
    if isinstance(node, nodes.And | nodes.Or | nodes.CondExpr):
        return place
    return _OTHER


def _dotted_name(node):
    """``a.b`` for ``a.b`` and ``a["b"]``, empty for other expressions."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        parent, name = node.node, node.attr
    elif isinstance(node, nodes.Getitem):
        parent, name = node.node, getattr(node.arg, "value", None)
    else:
        return ""
    parent = _dotted_name(parent)
    return f"{parent}.{name}" if parent and isinstance(name, str) else ""


def _defined_names(node):
    """Names that macros and imports define; assignments have nodes of their own."""
    if isinstance(node, nodes.Macro):
        return {node.name}
    if isinstance(node, nodes.Import):
        return {node.target}
    if isinstance(node, nodes.FromImport):
        # A name, or a pair of the name there and the one here.
        return {name if isinstance(name, str) else name[1] for name in node.names}
    return set()


def _is_super(node):
    return (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name == "super"
    )
