"""Lets user code make its buffers in float64: while it runs, its names for NumPy mean one whose makers know no float32.

A cast of what is already there, as in ``dW.astype(np.float32)``, stays a cast: it loses digits that the layer had.
Nor does that NumPy make a view by strides that reads beyond its array: with other sizes, or with a small change of the
source, a layer could end the process so. It does not know layers, and calls nothing of the user.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from gradproof.nodes.conventions import operation_of
from gradproof.standins.spaces import Namespace, functions_of, namespaces
from gradproof.standins.standins import ModuleStandIn, StandIns
from gradproof.standins.views import ORIGINAL, as_strided_within

NARROW = frozenset({"f", "f4", "<f4", "float32", "single"})  # NumPy's names for float32, as strings
_MENTIONED = NARROW | {ORIGINAL.__name__}  # names in code for which NumPy is replaced
MAKERS: tuple[str, ...] = (
    "array",
    "asarray",
    "asanyarray",
    "ascontiguousarray",
    "asfortranarray",
    "arange",
    "linspace",
    "eye",
    "identity",
    "empty",
    "zeros",
    "ones",
    "full",
    "empty_like",
    "zeros_like",
    "ones_like",
    "full_like",
)


_VIEWS = (np.lib, np.lib.stride_tricks)  # the modules through which views by strides are reached


class WideNumPy:
    """What stands for NumPy and for its makers of arrays: the same, but for what a maker is told about the dtype.

    A view by strides stays within its array.
    """

    def __init__(self) -> None:
        self.used = False

    @functools.cached_property
    def _own(self) -> dict[str, Any]:
        """Made where there is a name to be replaced, which most subjects have not."""
        return {name: self._wide(getattr(np, name)) for name in MAKERS}

    @functools.cached_property
    def _module(self) -> ModuleStandIn:
        return ModuleStandIn(np, self._member)

    @functools.cached_property
    def _modules(self) -> list[ModuleStandIn]:
        return [ModuleStandIn(module, self._member) for module in _VIEWS]

    def _member(self, name: str, value: Any) -> Any:
        if name in self._own:
            return self._own[name]
        ours = self.instead_of(value)
        return value if ours is None else ours

    def _wide(self, maker: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(maker)
        def wide(*args: Any, **kwargs: Any) -> Any:
            args = (*args[:1], *(self._widened(value) for value in args[1:]))
            return maker(*args, **{key: self._widened(value) for key, value in kwargs.items()})

        return wide

    def _widened(self, value: Any) -> Any:
        if _is_narrow(value):
            self.used = True
            return np.float64
        return value

    def instead_of(self, value: Any) -> Any:
        """What a name of the user means here: None where it means what it did."""
        if value is np:
            return self._module
        if isinstance(value, types.ModuleType) and value in _VIEWS:
            return self._modules[_VIEWS.index(value)]
        if value is ORIGINAL:
            return as_strided_within
        name = getattr(value, "__name__", "")
        return self._own[name] if name in self._own and value is getattr(np, name) else None


class Widened(StandIns):
    """A context in which the modules of a subject see WideNumPy; ``used`` says whether that made a difference."""

    def __init__(self, subject: Any) -> None:
        self._numpy = WideNumPy()
        super().__init__(_spaces(subject), self._numpy.instead_of)

    @property
    def used(self) -> bool:
        """Whether user code asked for float32 in it."""
        return self._numpy.used


@functools.lru_cache(maxsize=256)  # asked whenever a subject is built
def _spaces(subject: Any) -> tuple[Namespace, ...]:
    """The namespaces of a subject, where any code in them mentions float32 or views by strides; else nothing."""
    operation = operation_of(subject)
    spaces = namespaces(subject if operation is None else operation.owner)
    return tuple(spaces) if any(map(_mentions_either, spaces)) else ()


def _mentions_either(space: Namespace) -> bool:
    values = list(space.values())
    subjects = [value for value in values if isinstance(value, (type, FunctionType))]
    held = [value for subject in subjects for value in _values_of(subject)]
    return any(map(_is_narrow, [*values, *held])) or any(
        _mentioned_in(function.__code__) for subject in subjects for function in functions_of(subject)
    )


def _values_of(subject: Any) -> Iterator[Any]:
    """What a class holds itself, and the defaults of arguments."""
    yield from vars(subject).values()
    for function in functions_of(subject):
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


def _is_narrow(value: Any) -> bool:
    if isinstance(value, str):
        return value in NARROW
    return value is np.float32 or (isinstance(value, np.dtype) and value == np.float32)


@functools.lru_cache(maxsize=4096)
def _mentioned_in(code: CodeType) -> bool:
    names = {*code.co_names, *(value for value in code.co_consts if isinstance(value, str))}
    inner = [value for value in code.co_consts if isinstance(value, CodeType)]
    return not _MENTIONED.isdisjoint(names) or any(map(_mentioned_in, inner))
