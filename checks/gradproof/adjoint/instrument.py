"""A function's syntax tree with a hook around the values that it computes; it knows neither gradients nor what runs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gradproof.mend.patch import HOOK
from gradproof.source.source import Function, FunctionNode
from gradproof.source.stores import base


class Kind(StrEnum):
    """What a value is within its statement."""

    ARGUMENT = "argument"  # of the function, as it begins
    VALUE = "value"  # what a statement assigns, adds or hands over
    RETURNED = "returned"
    STATE = "state"  # a variable after a statement that wrote into its array
    PART = "part"  # within a larger expression


@dataclass(frozen=True, eq=False)
class Site:
    """A place of the source whose value is noted: ``node`` of a ``statement``, both as their author wrote them.

    ``name`` is the variable or attribute that the value goes to, "" where it goes to none.
    """

    function: Function
    kind: Kind
    name: str
    node: ast.expr
    statement: ast.stmt

    @property
    def line(self) -> int:
        """The first line of its statement."""
        return self.statement.lineno


def instrumented(function: Function, first: int) -> tuple[FunctionNode, list[Site]]:
    """A copy of the function's tree with its hooks, and its sites, which are numbered from ``first`` on."""
    node = copy.deepcopy(function.node)
    wrapper = _Wrapper(function, first)
    wrapper.function_of(node)
    return ast.fix_missing_locations(node), wrapper.sites


_LEFT_ALONE = frozenset(
    {"range", "len", "zip", "enumerate", "reversed", "super", "isinstance", "locals", "print", "list", "tuple", "dict"}
)
_MODULES = frozenset({"np", "numpy", "math"})
_OBJECTS = frozenset({"self", "cls"})
_SIZES = frozenset({"shape", "size", "ndim", "dtype"})
_KEYWORDS = frozenset({"axis", "keepdims", "dtype", "out", "axes", "where"})
_WRITES_INTO = frozenset({"at", "copyto", "put", "place", "fill", "put_along_axis"})  # calls that write into an array
_GROWS = frozenset({"append", "insert", "extend", "update"})


class _Wrapper:
    def __init__(self, function: Function, first: int) -> None:
        self.function, self.first = function, first
        self.sites: list[Site] = []

    def function_of(self, node: FunctionNode) -> None:
        """Hooks for the arguments, and in the body."""
        has_docstring = ast.get_docstring(node, clean=False) is not None
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        begin = [self._state(a.arg, Kind.ARGUMENT, copy.copy(node)) for a in arguments if a.arg not in _OBJECTS]
        head, rest = (node.body[:1], node.body[1:]) if has_docstring else ([], node.body)
        node.body = [*head, *begin, *self._block(rest)]

    def _block(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [each for statement in statements for each in self._statement(statement)]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.FunctionDef):
            self.function_of(node)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr):
            return self._simple(node)
        elif not isinstance(node, ast.ClassDef | ast.AsyncFunctionDef):
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(node, name, None)
                if isinstance(inner, list) and inner:
                    setattr(node, name, self._block(inner))
        return [node]

    def _simple(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr) -> list[ast.stmt]:
        original = copy.deepcopy(node)
        if isinstance(node, ast.Return):
            if node.value is not None:
                node.value = self._root(node.value, [], original, Kind.RETURNED)
            return [node]
        if isinstance(node, ast.Expr):
            return [node, *self._call(node.value, original)] if isinstance(node.value, ast.Call) else [node]
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is not None:
            node.value = self._root(node.value, _names(node, target), original, Kind.VALUE)
        return [node, *self._written(target, original)] if _changes(node, target) else [node]

    def _call(self, call: ast.Call, original: ast.stmt) -> list[ast.stmt]:
        """A call for its effect: what it writes, and the array that it writes into."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name in _GROWS:
            call.args = [self._root(argument, [], original, Kind.VALUE) for argument in call.args]
        if name not in _WRITES_INTO:
            return []
        call.args = [*call.args[:1], *(self._root(each, [], original, Kind.VALUE) for each in call.args[1:])]
        into = call.args[0] if call.args and _is_module(call.func) else getattr(call.func, "value", None)
        return self._written(into, original) if isinstance(into, ast.expr) else []

    def _root(self, node: ast.expr, names: Sequence[str], statement: ast.stmt, kind: Kind) -> ast.expr:
        """What a statement computes; of a tuple or a dict, each of its parts."""
        if isinstance(node, ast.Tuple | ast.List) and node.elts:
            each = names if len(names) == len(node.elts) else [""] * len(node.elts)
            node.elts = self._roots(node.elts, each, statement, kind)
            return node
        if isinstance(node, ast.Dict):
            keys = ["" if key is None else ast.unparse(key).strip("'\"") for key in node.keys]
            node.values = self._roots(node.values, keys, statement, kind)
            return node
        if isinstance(node, ast.Constant | ast.Starred | ast.Yield | ast.YieldFrom | ast.Await):
            return node
        name = names[0] if len(names) == 1 else ""
        return self._hook(node, kind, name, statement, inside=not isinstance(node, ast.Name))

    def _roots(
        self, nodes: Sequence[ast.expr], names: Sequence[str], statement: ast.stmt, kind: Kind
    ) -> list[ast.expr]:
        return [self._root(node, [name], statement, kind) for node, name in zip(nodes, names, strict=True)]

    def _hook(self, node: ast.expr, kind: Kind, name: str, statement: ast.stmt, *, inside: bool) -> ast.expr:
        number = self.first + len(self.sites)
        self.sites.append(Site(self.function, kind, name, copy.deepcopy(node), statement))
        if inside:
            self._inside(node, statement)
        call = ast.Call(ast.Name(HOOK, ast.Load()), [ast.Constant(number), node], [])
        return ast.copy_location(call, node)

    def _state(self, name: str, kind: Kind, statement: ast.stmt) -> ast.stmt:
        here = ast.copy_location(ast.Name(name, ast.Load()), statement)
        put = ast.Assign([ast.Name(name, ast.Store())], self._hook(here, kind, name, statement, inside=False))
        return ast.copy_location(put, statement)

    def _written(self, target: ast.expr, statement: ast.stmt) -> list[ast.stmt]:
        """The array into which a statement wrote, as it is then: a variable's, or that of an attribute's entry."""
        name = base(target)
        if name is not None:
            return [self._state(name, Kind.STATE, statement)]
        entry = _entry(target)
        if entry is None:
            return []
        noted = ast.Expr(self._hook(entry, Kind.STATE, ast.unparse(entry), statement, inside=False))
        return [ast.copy_location(noted, statement)]

    def _part(self, node: ast.expr, statement: ast.stmt) -> ast.expr:
        """An expression within another one."""
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and (_is_module(node) or _is_size(node)):
            return node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LEFT_ALONE:
            return node
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.Call | ast.UnaryOp | ast.IfExp):
            return self._hook(node, Kind.PART, "", statement, inside=True)
        self._inside(node, statement)
        return node

    def _inside(self, node: ast.expr, statement: ast.stmt) -> None:
        """Hooks around what an expression is made of."""
        if isinstance(node, ast.BinOp):
            node.left, node.right = self._part(node.left, statement), self._part(node.right, statement)
        elif isinstance(node, ast.UnaryOp):
            node.operand = self._part(node.operand, statement)
        elif isinstance(node, ast.IfExp):
            node.body, node.orelse = self._part(node.body, statement), self._part(node.orelse, statement)
        elif isinstance(node, ast.Compare):
            node.left = self._part(node.left, statement)
        elif isinstance(node, ast.Tuple | ast.List):
            node.elts = [self._part(each, statement) for each in node.elts]
        elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.value, ast.Name):
            node.value = self._part(node.value, statement)
        elif isinstance(node, ast.Call):
            self._arguments(node, statement)

    def _arguments(self, call: ast.Call, statement: ast.stmt) -> None:
        name = ""
        if isinstance(call.func, ast.Attribute):
            name = call.func.attr
            if not _is_module(call.func):
                call.func.value = self._part(call.func.value, statement)
        if name not in _WRITES_INTO:
            call.args = [each if isinstance(each, ast.Starred) else self._part(each, statement) for each in call.args]
        for keyword in call.keywords:
            if keyword.arg not in _KEYWORDS:
                keyword.value = self._part(keyword.value, statement)


def _changes(node: ast.stmt, target: ast.expr) -> bool:
    """Whether it writes a part of an array, or adds to it; what is assigned whole is the value itself."""
    is_part = isinstance(target, ast.Subscript) and not _is_whole(target)
    return is_part or isinstance(node, ast.AugAssign)


def _is_whole(target: ast.Subscript) -> bool:
    return ast.unparse(target.slice) in ("...", ":")


def _entry(target: ast.expr) -> ast.expr | None:
    """The array within an attribute that a target is (a part of): ``self.grads[0]`` of ``self.grads[0][i]``."""
    inner = target
    while isinstance(inner, ast.Subscript) and not isinstance(inner.slice, ast.Constant):
        inner = inner.value
    return _loaded(inner) if isinstance(inner, ast.Attribute | ast.Subscript) else None


def _loaded(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _names(node: ast.stmt, target: ast.expr) -> list[str]:
    """What a statement gives a value to; of what it adds to something, that is no variable."""
    if isinstance(node, ast.AugAssign):
        return [""]
    return [_name(each) for each in target.elts] if isinstance(target, ast.Tuple) else [_name(target)]


def _name(target: ast.expr) -> str:
    """``self.grads[0]`` for ``self.grads[0][...]``: all of it is written."""
    return ast.unparse(target.value if isinstance(target, ast.Subscript) and _is_whole(target) else target)


def _is_module(node: ast.expr) -> bool:
    """Whether it is a name of a module or of the object itself, or lies in a module: ``np``, ``np.pi``, ``self``."""
    outermost = node
    while isinstance(outermost, ast.Attribute):
        outermost = outermost.value
    if not isinstance(outermost, ast.Name):
        return False
    return outermost.id in (_MODULES | _OBJECTS if outermost is node else _MODULES)


def _is_size(node: ast.expr) -> bool:
    """Whether it is a shape or a size, or a part of one."""
    inner = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(inner, ast.Attribute) and inner.attr in _SIZES
