"""The author's own source as syntax trees, found through code objects; it knows neither tensors nor slips.

What has no source (typed at a prompt, compiled, built by exec) is left out: that is no error.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType
from typing import Any

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

MOST_TEXT = 72  # characters of a line of source that are shown
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, eq=False)
class Function:
    """One function with its syntax tree; ``file`` is what its code object names."""

    name: str
    file: str
    node: FunctionNode
    live: Any = field(repr=False)  # the FunctionType itself, which as a field's type would be taken for a method

    @property
    def names(self) -> Mapping[str, Any]:
        """The globals that it sees."""
        names: Mapping[str, Any] = self.live.__globals__
        return names

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of its positional arguments, ``self`` among them."""
        return tuple(argument.arg for argument in (*self.node.args.posonlyargs, *self.node.args.args))

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line of its definition."""
        return self.file, self.node.lineno

    @property
    def module(self) -> ast.Module:
        """The syntax tree of the whole file."""
        return parsed("".join(linecache.getlines(self.file)))

    def text(self, node: ast.stmt | ast.expr) -> str:
        """The source of a node on one line, cut where it is long."""
        lines = linecache.getlines(self.file)[node.lineno - 1 : node.end_lineno]
        text = " ".join(line.split("  #")[0].strip() for line in lines)
        return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 4]} ..."

    def segment(self, node: ast.expr) -> str:
        """The source of an expression, on one line."""
        found = ast.get_source_segment("".join(linecache.getlines(self.file)), node)
        return " ".join((found or ast.unparse(node)).split())


@dataclass(frozen=True, eq=False)
class Code:
    """What a subject is made of: the functions of a class and of its bases, the nearest first, or a pair of functions.

    ``complete`` says that every function of every base could be read. ``given`` are the attributes of the class itself.
    """

    name: str
    families: tuple[Mapping[str, Function], ...]
    forward: Function | None
    backward: Function | None
    complete: bool = True
    given: frozenset[str] = frozenset()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of forward's arguments, without ``self``; none where there is no forward."""
        return () if self.forward is None else tuple(name for name in self.forward.arguments if name != "self")

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions in force: of two with one name, the nearer."""
        nearest = {name: f for family in reversed(self.families) for name, f in family.items()}
        return tuple({function.place: function for function in nearest.values()}.values())

    @property
    def all_functions(self) -> tuple[Function, ...]:
        """Those that are overridden among them: ``super()`` reaches them."""
        return tuple(function for family in self.families for function in family.values())

    @property
    def methods(self) -> frozenset[str]:
        """The names of all its functions."""
        return frozenset(name for family in self.families for name in family)

    def method(self, name: str) -> Function | None:
        """The method that ``self.name`` is."""
        return next((family[name] for family in self.families if name in family), None)

    def inherited(self, name: str, caller: Function) -> Function | None:
        """The method that ``super().name`` is inside of ``caller``."""
        owner = next((i for i, family in enumerate(self.families) if _defines(family, caller)), None)
        rest = () if owner is None else self.families[owner + 1 :]
        return next((family[name] for family in rest if name in family), None)


def _defines(family: Mapping[str, Function], function: Function) -> bool:
    """Whether a function is one of those that a class itself defines."""
    return any(own.place == function.place for own in family.values())


def code_of_class(cls: type, forward: str = "forward", backward: str = "backward") -> Code:
    """Read a class and its bases. ``forward`` and ``backward`` are the names of its two methods."""
    bases = [base for base in cls.__mro__ if base is not object]
    given = frozenset(_as_written(name, base) for base in bases for name in vars(base))
    plain = [_plain_functions(base) for base in bases]
    families = tuple(map(_read, plain))
    complete = all(len(read) == len(functions) for read, functions in zip(families, plain, strict=True))
    code = Code(cls.__name__, families, None, None, complete, given)
    return replace(code, forward=code.method(forward), backward=code.method(backward))


def _plain_functions(cls: type) -> dict[str, Any]:
    """The functions that a class itself defines, by the names that the source has for them."""
    found: dict[str, Any] = {}
    for name, value in vars(cls).items():
        function = _plain(value)
        if function is not None:
            found[_as_written(name, cls)] = function
    return found


def _read(functions: Mapping[str, Any]) -> dict[str, Function]:
    """Those that have source."""
    found: dict[str, Function] = {}
    for name, live in functions.items():
        function = function_of(live, name)
        if function is not None:
            found[name] = function
    return found


def code_of_functions(forward: Any, backward: Any) -> Code:
    """Read a pair of functions; without ``backward``, a loss function, which returns its gradient beside the loss."""
    name = getattr(forward, "__name__", type(forward).__name__)
    first = function_of(forward, "forward")
    second = first if backward is None else function_of(backward, "backward")
    family = {key: function for key, function in (("forward", first), ("backward", second)) if function is not None}
    return Code(name, (family,), first, second)


def function_of(function: Any, name: str) -> Function | None:
    """Read one function; None where it has no source."""
    live = inspect.unwrap(function)
    if not isinstance(live, FunctionType):
        return None
    code = live.__code__
    node = _definitions("".join(linecache.getlines(code.co_filename))).get(code.co_firstlineno)
    if node is None or node.name != code.co_name:  # the file has changed since it was imported
        return None
    return Function(name, code.co_filename, node, live)


def helpers(function: Function) -> Iterator[Function]:
    """The author's own functions that a function calls by their bare names."""
    for node in own_nodes(function.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = function.names.get(node.func.id)
            if isinstance(called, FunctionType) and _is_own(called.__code__.co_filename):
                read = function_of(called, called.__name__)
                if read is not None:
                    yield read


def own_nodes(node: ast.AST) -> Iterator[Any]:
    """Every node below ``node`` in the order of the source, without those of functions and classes inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from own_nodes(child)


def shown(file: str) -> str:
    """The file as the reader would type it: relative to where they stand, where it lies below that."""
    path = Path(file)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else file


def _as_written(name: str, cls: type) -> str:
    """The name of a private attribute as the source has it: ``__mean`` for ``_Norm__mean``."""
    return name.removeprefix(f"_{cls.__name__.lstrip('_')}") if f"_{cls.__name__.lstrip('_')}__" in name else name


def _plain(value: Any) -> Any:
    """The function behind an attribute of a class; None where there is none."""
    value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    return value if isinstance(value, FunctionType) and value.__name__ != "<lambda>" else None


def _is_own(file: str) -> bool:
    return not {"site-packages", "dist-packages"}.intersection(Path(file).parts) and not file.startswith(_LIBRARY)


_LIBRARY = os.path.dirname(os.__file__) + os.sep


@functools.lru_cache(maxsize=64)
def parsed(text: str) -> ast.Module:
    """The syntax tree of a source text; an empty one where it is not Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])


@functools.lru_cache(maxsize=64)
def _definitions(text: str) -> Mapping[int, FunctionNode]:
    """Every function of a source text by the line on which its code object says that it begins."""
    found: dict[int, FunctionNode] = {}
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[first] = node
    return found
