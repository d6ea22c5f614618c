"""Which attributes of its object a method reads and sets, in the order of its source; it runs and imports nothing.

What has no source (compiled, built by exec) says nothing of itself: its methods have no events.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Use(Enum):
    """What a method does with an attribute."""

    READ = auto()
    TESTED = auto()  # read to find out whether it is there: a method that tests it can do without
    DEMANDED = auto()  # tested, and without it the method raises
    SET = auto()
    SET_EMPTY = auto()  # to None, to False, or to a container without entries
    CALLED = auto()  # a method of the object itself
    SUPER = auto()  # a method of a base, through super()


@dataclass(frozen=True)
class Event:
    """One use of one attribute; ``name`` is ``W``, or ``params['W']`` for an entry of a dict under a fixed key."""

    use: Use
    name: str


def methods_of(cls: type) -> Mapping[str, Any]:
    """The functions in force of a class and its bases by name, behind properties and static methods."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        for name, value in vars(base).items():
            function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            if inspect.isfunction(function):
                found[name] = function
    return found


def statement_of(function: Callable[..., Any]) -> ast.stmt | None:
    """The syntax tree of what makes a function, a ``def`` or the line of a lambda; None if it cannot be read."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None


def definition_of(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """The syntax tree of one function; None where its source cannot be read."""
    node = statement_of(function)
    return node if isinstance(node, ast.FunctionDef) else None


@functools.lru_cache(maxsize=512)
def events_of(function: Callable[..., Any]) -> tuple[Event, ...]:
    """What the function does with its first argument's attributes, in the order in which its lines run."""
    definition = definition_of(function)
    arguments = [] if definition is None else [*definition.args.posonlyargs, *definition.args.args]
    if definition is None or not arguments:
        return ()
    reader = _Reader(arguments[0].arg, _absent_by_default(definition), _enclosed(function))
    return tuple(event for statement in definition.body for event in reader.statement(statement))


def _enclosed(function: Callable[..., Any]) -> Mapping[str, Callable[..., Any]]:
    """The functions of the user's that a function finds around it by name, as a wrapper finds what it wraps."""
    try:
        found = inspect.getclosurevars(function).nonlocals
    except (TypeError, ValueError):
        return {}
    return {name: value for name, value in found.items() if inspect.isfunction(value) and value is not function}


def _absent_by_default(definition: ast.FunctionDef) -> frozenset[str]:
    """The arguments that are None where nothing is given."""
    arguments = [*definition.args.posonlyargs, *definition.args.args]
    defaults = definition.args.defaults
    pairs = [*zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(definition.args.kwonlyargs, definition.args.kw_defaults, strict=True) if d]
    return frozenset(argument.arg for argument, default in pairs if _is_nothing(default))


class _Reader:
    """Walks the statements of one method.

    own: what it calls its object; absent: the arguments that are None where nothing is given; enclosed: the functions
    that it finds around it.
    """

    def __init__(self, own: str, absent: frozenset[str], enclosed: Mapping[str, Callable[..., Any]]) -> None:
        self._own, self._absent, self._enclosed = own, absent, enclosed

    def statement(self, node: ast.stmt) -> Iterator[Event]:
        match node:
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                yield from self._assignment(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return
            case ast.Assert(test=test):
                yield from self._test(test, Use.DEMANDED)
            case ast.If(test=test, body=body, orelse=orelse):
                yield from self._branches(test, body, orelse)
            case ast.For() | ast.While() | ast.With() | ast.Try():
                yield from self._compound(node)
            case _:
                yield from self._read(node)

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Iterator[Event]:
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from self._assigned(targets, value)
            case ast.AugAssign(target=target, value=value):
                yield from self._read(target)
                yield from self._assigned([target], value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from self._assigned([target], value)
            case _:
                yield from self._read(node)

    def _compound(self, node: ast.For | ast.While | ast.With | ast.Try) -> Iterator[Event]:
        """Statements that hold others, but for branches: what they begin with, and then all that they hold."""
        match node:
            case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
                yield from self._read(iterated)
                yield from self._stored(target, Use.SET)
                yield from self._block([*body, *orelse])
            case ast.While(test=test, body=body, orelse=orelse):
                yield from self._read(test)
                yield from self._block([*body, *orelse])
            case ast.With(items=items, body=body):
                for item in items:
                    yield from self._read(item.context_expr)
                yield from self._block(body)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                caught = [inner for handler in handlers for inner in handler.body]
                yield from self._block([*body, *caught, *orelse, *final])

    def _block(self, statements: Sequence[ast.stmt]) -> Iterator[Event]:
        for statement in statements:
            yield from self.statement(statement)

    def _branches(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> Iterator[Event]:
        raises = any(isinstance(part, ast.Raise) for part in body)
        yield from self._test(test, Use.DEMANDED if raises else Use.TESTED)
        yield from self._block([*body, *orelse])

    def _test(self, test: ast.expr, use: Use) -> Iterator[Event]:
        """Attributes whose presence a test asks for; the others in it are read."""
        asked = {id(node): name for node, name in self._presences(test)}
        for name in asked.values():
            yield Event(use, name)
        yield from self._read(test, frozenset(asked))

    def _presences(self, test: ast.AST) -> Iterator[tuple[ast.AST, str]]:
        match test:
            case ast.BoolOp(values=parts):
                for part in parts:
                    yield from self._presences(part)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                yield from self._presences(inner)
            case ast.Compare():
                yield from self._compared(test)
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                yield test, name
            case _:
                named = self._name(test)
                yield from [] if named is None else [(test, named)]

    def _compared(self, test: ast.Compare) -> Iterator[tuple[ast.AST, str]]:
        match test:
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq()], comparators=[other]):
                if _is_nothing(other) and (name := self._name(left)):
                    yield left, name
            case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn()]):
                yield test, name  # "W" in self.__dict__
            case _:
                return

    def _assigned(self, targets: Sequence[ast.expr], value: ast.expr) -> Iterator[Event]:
        match targets, value:
            case [ast.Tuple(elts=left)], ast.Tuple(elts=right) if len(left) == len(right):
                for target, part in zip(left, right, strict=True):
                    yield from self._assigned([target], part)
            case _:
                yield from self._assigned_whole(targets, value)

    def _assigned_whole(self, targets: Sequence[ast.expr], value: ast.expr) -> Iterator[Event]:
        yield from self._read(value)
        is_absent = isinstance(value, ast.Name) and value.id in self._absent
        use = Use.SET_EMPTY if _is_nothing(value) or is_absent else Use.SET
        for target in targets:
            yield from self._stored(target, use)
            if isinstance(value, ast.Dict):
                yield from self._entries(target, value)

    def _entries(self, target: ast.expr, value: ast.Dict) -> Iterator[Event]:
        """The entries of a dict that an attribute is set to, under keys that are constants."""
        name = self._name(target)
        for key, entry in zip(value.keys, value.values, strict=True) if name else ():
            if isinstance(key, ast.Constant):
                use = Use.SET_EMPTY if _is_nothing(entry) else Use.SET
                yield Event(use, f"{name}[{key.value!r}]")

    def _stored(self, target: ast.expr, use: Use) -> Iterator[Event]:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                yield from self._stored(part, Use.SET)
            return
        if isinstance(target, ast.Starred):
            yield from self._stored(target.value, Use.SET)
            return
        if name := self._name(target):
            yield Event(use, name)
            return
        if isinstance(target, ast.Subscript):  # an entry under a key that is computed fills its container
            yield from self._read(target.slice)
            container = self._name(target.value)
            yield from self._read(target.value) if container is None else [Event(Use.SET, container)]

    def _read(self, node: ast.AST, skipped: frozenset[int] = frozenset()) -> Iterator[Event]:
        """Everything below an expression, or below a statement that holds no others."""
        if id(node) in skipped:
            return
        match node:
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yield from self._test(test, Use.TESTED)
                yield from self._read(body)
                yield from self._read(orelse)
                return
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=self._own), ast.Constant(value=str(name)), _]):
                yield Event(Use.SET, name)
                return
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                yield Event(Use.TESTED, name)
                return
            case ast.Call(func=ast.Attribute(value=holder, attr=method)) as call:
                yield from self._called(holder, method, call)
                return
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=self._own), *others]) if name in self._enclosed:
                for other in others:
                    yield from self._read(other)
                yield from events_of(self._enclosed[name])
                return
            case _:
                pass
        read = self._name(node)
        if read is not None:
            yield Event(Use.READ, read)
        elif not isinstance(node, ast.Lambda):
            for child in ast.iter_child_nodes(node):
                yield from self._read(child, skipped)

    def _called(self, holder: ast.expr, method: str, call: ast.Call) -> Iterator[Event]:
        """A call through an attribute: of the object's own method, of a base's, or of what an attribute holds."""
        for child in ast.iter_child_nodes(call):
            if child is not call.func:
                yield from self._read(child)
        held = self._name(holder)
        match holder:
            case ast.Name(id=self._own):
                yield Event(Use.CALLED, method)
            case ast.Call(func=ast.Name(id="super")):
                yield Event(Use.SUPER, method)
            case _ if held is not None:
                grows = method in ("append", "extend", "insert", "update", "setdefault")
                yield Event(Use.SET if grows else Use.READ, held)
            case _:
                yield from self._read(holder)

    def _name(self, node: ast.AST) -> str | None:
        """``W`` for ``self.W``, ``params['W']`` for ``self.params['W']``."""
        match node:
            case ast.Attribute(value=ast.Name(id=own), attr=name) if own == self._own:
                return name
            case ast.Subscript(value=inner, slice=ast.Constant(value=str(key))):
                outer = self._name(inner)
                return None if outer is None else f"{outer}[{key!r}]"
            case _:
                return None


def _is_nothing(value: ast.AST) -> bool:
    match value:
        case ast.Constant(value=None | False):
            return True
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Name(id="list" | "dict" | "OrderedDict"), args=[], keywords=[]):
            return True
        case _:
            return False
