"""The changes that are made to a file: mutmut's, and what it lacks for conditions, sets and tables of moves."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

# Of mutmut's these are left out. A name set to None and an argument that is missing break the first test that runs the
# line, whatever it asserts; they are half of all and would flatter the result. Strings come in one case only.
LEFT_OUT = {
    mutators.operator_assignment,
    mutators.operator_arg_removal,
    mutators.operator_dict_arguments,
    mutators.operator_string,
}
# What is said to people or to a log is no rule; nor are names of types and variables.
WORDS = {"_", "gettext", "gettext_lazy", "ngettext", "cast", "ContextVar", "TypeVar"}
LOGGING = {"log", "logger", "logging"}
Change = tuple[cst.CSTNode, cst.CSTNode]
CHOICES = {"TextChoices", "IntegerChoices", "Choices", "Enum", "IntEnum", "StrEnum"}


@dataclass(frozen=True)
class Mutant:
    """One changed file.

    Attributes:
        path: of the file, from the root.
        function: in which the change is, with its class; empty at the level of the module.
        before: the changed lines as they were, without indentation.
        after: as they are now.
        line: number of the first of them.
        source: the whole changed file.
    """

    path: str
    function: str
    before: str
    after: str
    line: int
    source: str


def mutants(path: str, source: str, only: Sequence[str] = ()) -> list[Mutant]:
    """Return every change of a file, each once, in the order of the file.

    Args:
        only: names at the level of the module or of a class; what stands elsewhere is not changed. Empty: everything.
    """
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    collector = _Collector(only)
    wrapper.visit(collector)
    positions = wrapper.resolve(PositionProvider)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[str, Mutant] = {}
    for function, old, new in collector.changes:
        where = positions[old]
        begin, end = (starts[place.line - 1] + place.column for place in (where.start, where.end))
        changed = source[:begin] + _code(wrapper.module, old, new) + source[end:]
        if changed == source or changed in found or not _compiles(changed):
            continue
        before, after, line = _difference(source, changed)
        found[changed] = Mutant(path, function, before, after, line, changed)
    return list(found.values())


def _code(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> str:
    # The place of an expression is known without its parentheses.
    if getattr(old, "lpar", None) and getattr(new, "lpar", None) is getattr(old, "lpar", None):
        new = new.with_changes(lpar=[], rpar=[])
    return module.code_for_node(new)


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _difference(source: str, changed: str) -> tuple[str, str, int]:
    old, new = source.splitlines(), changed.splitlines()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    parts = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    first, last = parts[0], parts[-1]
    texts = (old[first[1] : last[2]], new[first[3] : last[4]])
    before, after = ("\n".join(" ".join(line.split()) for line in lines) for lines in texts)
    return before, after, first[1] + 1


class _Collector(cst.CSTVisitor):
    """Walks through a file and notes which node may be changed into what."""

    def __init__(self, only: Sequence[str]) -> None:
        self.changes: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self._only = set(only)
        self._inside: list[str] = []  # classes and functions
        self._depth = 0  # of functions
        self._named = 0  # of statements that `only` names
        self._words = 0  # of calls whose strings are words
        self._table: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if self._skipped(node):
            return False
        self._named += self._is_named(node)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._inside.append(node.name.value)
            self._depth += isinstance(node, cst.FunctionDef)
        if isinstance(node, cst.Dict) and not self._depth:
            self._table = sorted({each.evaluated_value for each in m.findall(node, m.SimpleString())})
        self._words += _is_wording(node)
        if not self._only or self._named:
            name = ".".join(self._inside)
            self.changes += [(name, old, new) for old, new in self._changed(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._skipped(original_node):
            return
        self._named -= self._is_named(original_node)
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._inside.pop()
            self._depth -= isinstance(original_node, cst.FunctionDef)
        if isinstance(original_node, cst.Dict) and not self._depth:
            self._table = []
        self._words -= _is_wording(original_node)

    def _is_named(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return node.name.value in self._only
        if isinstance(node, cst.Assign):
            targets: Iterable[Any] = [each.target for each in node.targets]
        elif isinstance(node, cst.AnnAssign):
            targets = [node.target]
        else:
            return False
        return any(isinstance(each, cst.Name) and each.value in self._only for each in targets)

    def _skipped(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom | cst.Assert):
            return True
        if isinstance(node, cst.ClassDef):
            return any(
                m.matches(each.value, m.Name() | m.Attribute()) and _last(each.value) in CHOICES for each in node.bases
            )
        if isinstance(node, cst.Call):
            return m.matches(node.func, m.Attribute(value=m.Name())) and node.func.value.value in LOGGING  # type: ignore[attr-defined]
        if isinstance(node, cst.Expr):
            return isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)  # a docstring
        # Aliases of types, such as `Counted = tuple[str, int]`.
        return isinstance(node, cst.Assign) and not self._depth and m.matches(node.value, m.Subscript())

    def _changed(self, node: cst.CSTNode) -> Iterator[Change]:
        for kind, operator in mutators.mutation_operators:
            if isinstance(node, kind) and operator not in LEFT_OUT:
                yield from ((node, new) for new in operator(node))
        if isinstance(node, cst.SimpleString) and not self._words:
            yield from _string(node)
        yield from _negated(node)
        yield from _shorter(node)
        yield from _without(node)
        if self._table and isinstance(node, cst.Set | cst.SimpleString):
            yield from _other_state(node, self._table)


def _last(node: Any) -> str:
    return node.value if isinstance(node, cst.Name) else node.attr.value


def _is_wording(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Raise) or (
        isinstance(node, cst.Call) and m.matches(node.func, m.Name()) and node.func.value in WORDS  # type: ignore[attr-defined]
    )


def _string(node: cst.SimpleString) -> Iterator[Change]:
    if not node.quote.startswith(('"""', "'''")):
        opening = node.prefix + node.quote
        yield node, node.with_changes(value=f"{opening}XX{node.value[len(opening) :]}")


def _negated(node: cst.CSTNode) -> Iterator[Change]:
    """Turn a condition around, unless mutmut changes the operator in it."""
    if isinstance(node, cst.If | cst.While | cst.CompIf):
        tests = [node.test]
    elif isinstance(node, cst.BooleanOperation):
        tests = [node.left, node.right]
    else:
        return
    for test in tests:
        if not isinstance(test, cst.Comparison | cst.BooleanOperation | cst.UnaryOperation):
            inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            yield test, cst.UnaryOperation(cst.Not(), inner)


def _shorter(node: cst.CSTNode) -> Iterator[Change]:
    """Leave one out of several: of a set, a list, a table, or of what a loop goes over."""
    if isinstance(node, cst.For | cst.CompFor) and isinstance(node.iter, cst.Tuple):
        several: Any = node.iter
    elif isinstance(node, cst.Set | cst.List | cst.Dict):
        several = node
    else:
        return
    elements = several.elements
    if len(elements) > 1:
        for i in range(len(elements)):
            yield several, several.with_changes(elements=[*elements[:i], *elements[i + 1 :]])


def _without(node: cst.CSTNode) -> Iterator[Change]:
    """Leave out a call that is made for its effect, or what is handed to a function by name."""
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        yield node, cst.Pass()
    if isinstance(node, cst.Call):
        for i, each in enumerate(node.args):
            if each.keyword is not None:
                yield node, node.with_changes(args=[*node.args[:i], *node.args[i + 1 :]])


def _other_state(node: cst.Set | cst.SimpleString, table: list[str]) -> Iterator[Change]:
    """In a table of moves: allow one more state to start from, or lead to another one."""
    states = [each for each in table if each.isupper()]
    if isinstance(node, cst.SimpleString):
        if node.evaluated_value in states and len(states) > 1:
            other = states[(states.index(str(node.evaluated_value)) + 1) % len(states)]
            yield node, node.with_changes(value=f'"{other}"')
        return
    here = {each.value.evaluated_value for each in node.elements if isinstance(each.value, cst.SimpleString)}
    for state in states:
        if here and state not in here:
            yield node, node.with_changes(elements=[*node.elements, cst.Element(cst.SimpleString(f'"{state}"'))])
