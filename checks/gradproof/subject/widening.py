"""Lets user code make its buffers in float64: while it runs, its names for NumPy mean one whose makers know no float32.

A cast of what is already there, as in ``dW.astype(np.float32)``, stays a cast: it loses digits that the layer had.
It knows NumPy's names for narrow floats; it does not know layers, and calls nothing of the user.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, TracebackType
from typing import Any

import numpy as np

from gradproof.nodes.conventions import operation_of
from gradproof.nodes.library import functions_of

NARROW = frozenset({"f", "f4", "<f4", "float32", "single"})  # NumPy's names for float32, as strings
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
MOST = 64  # modules of the user that are followed from the subject's own

Namespace = dict[str, Any]


class WideNumPy:
    """NumPy, but for what a maker of arrays is told about the dtype."""

    def __init__(self) -> None:
        self.used = False
        self._own: dict[str, Any] = {name: self._wide(getattr(np, name)) for name in MAKERS}

    def __getattr__(self, name: str) -> Any:
        return self._own[name] if name in self._own else getattr(np, name)

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
        """What a global name of the user means here: None where it means what it did."""
        if value is np:
            return self
        name = getattr(value, "__name__", "")
        return self._own[name] if name in self._own and value is getattr(np, name) else None


class Widened:
    """A context in which the modules of a subject see WideNumPy; ``used`` says whether that made a difference."""

    def __init__(self, subject: Any) -> None:
        self._numpy = WideNumPy()
        spaces = _narrow_spaces(subject)
        self._names = [
            (space, name, value, self._numpy.instead_of(value))
            for space in spaces
            for name, value in list(space.items())
            if self._numpy.instead_of(value) is not None
        ]

    @property
    def used(self) -> bool:
        """Whether user code asked for float32 in it."""
        return self._numpy.used

    def __enter__(self) -> None:
        for space, name, _, wide in self._names:
            space[name] = wide

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        for space, name, theirs, wide in self._names:
            if space.get(name) is wide:
                space[name] = theirs


def namespaces(subject: Any) -> list[Namespace]:
    """The global names that the code of a class or function sees, and those of the user's code that they name."""
    found: dict[int, Namespace] = {}
    queue = list(_globals_of(subject))
    while queue and len(found) < MOST:
        space = queue.pop(0)
        if id(space) in found or not _is_users(space):
            continue
        found[id(space)] = space
        for value in list(space.values()):
            if isinstance(value, (type, FunctionType)):
                queue.extend(_globals_of(value))
    return list(found.values())


@functools.lru_cache(maxsize=256)  # asked whenever a subject is built
def _narrow_spaces(subject: Any) -> tuple[Namespace, ...]:
    """Those namespaces, where any code in them mentions float32; else nothing."""
    spaces = namespaces(subject)
    return tuple(spaces) if any(map(_mentions_float32, spaces)) else ()


def _globals_of(subject: Any) -> Iterator[Namespace]:
    for function in _functions_of(subject):
        yield function.__globals__


def _functions_of(subject: Any) -> Iterator[FunctionType]:
    operation = operation_of(subject)
    yield from functions_of(subject if operation is None else operation.owner)


def _is_users(space: Namespace) -> bool:
    """Whether a module is neither the standard library's nor one of those that this package runs on."""
    root = str(space.get("__name__", "")).split(".")[0]
    return root not in sys.stdlib_module_names and root not in ("numpy", "scipy", "gradproof")


def _mentions_float32(space: Namespace) -> bool:
    values = list(space.values())
    subjects = [value for value in values if isinstance(value, (type, FunctionType))]
    held = [value for subject in subjects for value in _values_of(subject)]
    return any(map(_is_narrow, [*values, *held])) or any(
        _narrow(function.__code__) for subject in subjects for function in _functions_of(subject)
    )


def _values_of(subject: Any) -> Iterator[Any]:
    """What a class holds itself, and the defaults of arguments."""
    yield from vars(subject).values()
    for function in _functions_of(subject):
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())


def _is_narrow(value: Any) -> bool:
    if isinstance(value, str):
        return value in NARROW
    return value is np.float32 or (isinstance(value, np.dtype) and value == np.float32)


@functools.lru_cache(maxsize=4096)
def _narrow(code: CodeType) -> bool:
    names = {*code.co_names, *(value for value in code.co_consts if isinstance(value, str))}
    inner = [value for value in code.co_consts if isinstance(value, CodeType)]
    return not NARROW.isdisjoint(names) or any(map(_narrow, inner))
