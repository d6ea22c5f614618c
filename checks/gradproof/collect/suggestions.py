"""What to write to have something checked that was not: a declaration with the author's own names; it runs nothing."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

UNKNOWN = "NAME"  # where the author's own name belongs, which nothing tells


def declaration(subject: Any, backward: Any = None, methods: tuple[str, str] | None = None) -> str:
    """A Case of a class or of a pair of functions, to be filled in where "..." stands.

    ``methods``: the names of a class's forward and backward, where they are no usual ones. A function that is not known
    is given by ``UNKNOWN``.
    """
    functions = [subject] if backward is None else [subject, backward]
    names = [getattr(function, "__name__", str(function)) for function in functions]
    known = next(filter(callable, functions), None)
    forward = known if methods is None else getattr(known, methods[0], None)
    built = _required(known) if isinstance(known, type) else []
    called = ["x"] if subject == UNKNOWN else _required(forward)
    shape = "..." if built else '"n d"'
    words = [*names, *(f"{name}={shape}" for name in [*built, *called])]
    if methods is not None:
        words.append(f'settings=Settings(convention=Convention("{methods[0]}", "{methods[1]}"))')
    return f"{_variable(names)} = Case({', '.join(words)})"


def of_a_module(classes: Sequence[type], functions: Sequence[FunctionType]) -> str:
    """A Case of the first class with two methods, or of the first two functions; else of the book's Affine."""
    for cls in classes:
        methods = [name for name in public_methods(cls) if _required(getattr(cls, name))]
        if len(methods) > 1:
            return declaration(cls, methods=(methods[0], methods[1]))
    taking = [function for function in functions if _required(function)]
    if len(taking) > 1:
        return declaration(taking[0], taking[1])
    return 'affine = Case(Affine, W="d h", b="h", x="n d")'


def public_methods(cls: type) -> list[str]:
    """The names of the methods that a class itself defines, in their order, without those that begin with "_"."""
    return [name for name, value in vars(cls).items() if isinstance(value, FunctionType) and not name.startswith("_")]


def _required(function: Callable[..., Any] | None) -> list[str]:
    """The names of the arguments that have no default, self aside."""
    if function is None:
        return ["x"]
    parameters = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [name for name in named if name != "self"]


def _variable(names: Sequence[str]) -> str:
    """A variable for the Case: the first known name in lower case, unlike the names that are imported."""
    plain = next(name for name in names if name != UNKNOWN).lower()
    return f"{plain}_case" if plain in names or keyword.iskeyword(plain) else plain
