"""What the methods of an operation take: the arguments that are nodes, and the options beside them."""

from __future__ import annotations

import inspect
from inspect import Parameter
from types import FunctionType
from typing import Any

_NAMED = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def method(cls: type, name: str) -> FunctionType | None:
    """The method that a class has under a name, of a base as well; None where it has none that is a function."""
    found = next((vars(base)[name] for base in cls.__mro__ if base is not object and name in vars(base)), None)
    function = getattr(found, "__func__", found)
    return function if isinstance(function, FunctionType) else None


def is_detached(cls: type, name: str) -> bool:
    """Whether the class has it as a static method or a class method: it is called without an object."""
    return isinstance(inspect.getattr_static(cls, name, None), (staticmethod, classmethod))


def is_of_class(cls: type, name: str) -> bool:
    """Whether the class has it as a class method."""
    return isinstance(inspect.getattr_static(cls, name, None), classmethod)


def parameters(function: Any, skip: int = 0) -> list[Parameter]:
    """The named parameters of a function, without the first ``skip`` of them; none where they cannot be read."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    return [p for p in found[skip:] if p.kind in _NAMED]


def is_variadic(function: Any) -> bool:
    """Whether it takes any number of positional arguments."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_VARARGS)


def constructor(cls: type) -> list[Parameter]:
    """What the author's constructor takes; nothing where there is none."""
    init = method(cls, "__init__")
    return [] if init is None else parameters(init, 1)
