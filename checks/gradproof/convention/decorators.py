"""The function that a wrapper calls, where its decorator left out ``functools.wraps``; it calls neither.

``inspect`` then finds signature and source of the function that its author wrote.
"""

from __future__ import annotations

import functools
import inspect
from inspect import Parameter
from types import CellType, FunctionType
from typing import Any

_ANYTHING = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}


def reveal(subject: Any) -> None:
    """Note on each wrapper among a class's functions, or on a function, what it wraps, as ``functools.wraps`` does.

    The note stays on the function, as ``__wrapped__``.
    """
    if isinstance(subject, type):
        _reveal_all(subject.__mro__[:-1])
    else:
        _note(subject)


@functools.lru_cache(maxsize=512)
def _reveal_all(bases: tuple[type, ...]) -> None:
    for base in bases:
        for value in list(vars(base).values()):
            _note(getattr(value, "__func__", value))


def _note(function: Any) -> None:
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        return
    if not function.__closure__ or not _takes_anything(function):
        return
    held = [_content(cell) for cell in function.__closure__]
    functions = [value for value in held if isinstance(value, FunctionType) and value is not function]
    if len(functions) == 1:
        function.__wrapped__ = functions[0]  # type: ignore[attr-defined]


def _takes_anything(function: FunctionType) -> bool:
    return {parameter.kind for parameter in inspect.signature(function).parameters.values()} == _ANYTHING


def _content(cell: CellType) -> Any:
    """What a variable of a closure holds; None where it is not set yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
