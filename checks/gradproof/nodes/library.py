"""The class of an autograd library whose objects carry a value and a gradient; it knows no operation.

It is called Variable, Tensor, Value, Scalar ...: found by what it has, never by its name.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention.convention import FORWARDS
from gradproof.standins.spaces import functions_of

Array = NDArray[Any]

# Where an object keeps its value, and its gradient: an attribute, or a method that takes nothing.
VALUES = ("data", "numpy", "realize_cached_data", "to_numpy", "value", "val", "array", "_data", "_value", "v", "x")
GRADIENTS = ("grad", "gradient", "derivative", "_grad", "adjoint", "deriv", "grad_value", "g")
BACKWARDS = ("backward", "backprop", "backpropagate", "back_propagate", "backward_pass", "run_backward")
LINKS = ("creator", "parents", "children", "prev", "history", "depends_on", "inputs", "ctx", "op", "grad_fn")
_ARITHMETIC = ("__add__", "__mul__", "__matmul__", "__sub__")
_FORWARDS = tuple(name for name in FORWARDS if name not in ("apply", "fn"))  # a node may have these two
_WANTS_GRADIENT = ("requires_grad", "require_grad", "requires_gradient", "needs_grad", "track_grad")
_OF_ARRAYS = ("shape", "__matmul__", "matmul", "dot", "sum", "mean", "reshape", "transpose", "T")
_NESTED = 2  # values within values: a tensor of a storage of an array


@dataclass(frozen=True, eq=False)
class Library:
    """A class of nodes: an array goes in by ``wrap``, comes out by ``value``; ``gradient`` is what backward left."""

    node: type

    def wrap(self, value: Any) -> Any:
        """A node that holds ``value``: a number where the array has no axes, else the array. Raises what it raises."""
        options = {name: True for name in _WANTS_GRADIENT if name in _arguments(self.node)}
        if np.ndim(value) == 0:
            number = np.float64(value) if np.asarray(value).dtype.kind == "f" else np.asarray(value)[()]
            try:
                return self.node(number, **options)
            except Exception:  # a class may insist on arrays
                return self.node(np.asarray(value), **options)
        return self.node(value, **options)

    def holds(self, thing: Any) -> bool:
        """Whether ``thing`` is a node."""
        return isinstance(thing, self.node)

    def value(self, thing: Any) -> Array | None:
        """The value of a node, or of what is an array or a number already; None where there is none."""
        return value_of(thing)

    def gradient(self, node: Any) -> Array | None:
        """The gradient that a node carries; None where it has none."""
        return value_of(self.raw_gradient(node))

    def raw_gradient(self, node: Any) -> Any:
        """The gradient as the library keeps it: an array, a number, or a node."""
        name = self.gradient_name(node)
        return None if name is None else getattr(node, name)

    def gradient_name(self, node: Any) -> str | None:
        """The attribute that holds the gradient of a node."""
        return next((name for name in GRADIENTS if hasattr(node, name) and not callable(getattr(node, name))), None)

    @functools.cached_property
    def holds_numbers(self) -> bool:
        """Whether a node is one number, as in micrograd: it refuses arrays, or its gradient begins as a number."""
        if any(_method(self.node, name) is not None for name in _OF_ARRAYS):
            return False
        try:
            self.wrap(np.ones((2, 3)))
            begins = self.raw_gradient(self.wrap(np.float64(1)))
        except Exception:  # as float(data) does for an array
            return True
        return isinstance(begins, (int, float)) and not isinstance(begins, np.generic)

    @functools.cached_property
    def gradients_are_nodes(self) -> bool | None:
        """Whether gradients are nodes themselves, as a leaf shows that is told to go backward; None for neither."""
        try:
            leaf = self.wrap(np.ones((2, 3)))
        except Exception:
            return None
        for name in BACKWARDS:
            try:
                getattr(leaf, name)()
            except Exception:  # a leaf has no creator, on which some stumble: the gradient is set by then
                continue
        found = self.raw_gradient(leaf)
        return None if found is None else self.holds(found)


def value_of(thing: Any, depth: int = _NESTED) -> Array | None:
    """The numbers of an array, a number or a node; None where there are none."""
    if isinstance(thing, (np.ndarray, np.generic, int, float)):
        numbers = np.asarray(thing)
        return numbers if numbers.dtype.kind in "biuf" else None
    if thing is None or depth == 0 or isinstance(thing, (str, bytes, dict, list, tuple, type)):
        return None
    for name in VALUES:
        found = _read(thing, name)
        array = None if found is thing else value_of(found, depth - 1)
        if array is not None:
            return array
    return None


def _read(thing: Any, name: str) -> Any:
    try:
        found = getattr(thing, name, None)
        return found() if callable(found) else found
    except Exception:  # a property or a method of the author's
        return None


@functools.lru_cache(maxsize=256)
def is_node_class(cls: type) -> bool:
    """Whether objects of a class carry a value and a gradient, and can be told to go backward."""
    goes_backward = any(isinstance(_method(cls, name), FunctionType) for name in BACKWARDS)
    if not goes_backward or _has_any(cls, _FORWARDS) or not _takes_a_value(cls):
        return False
    named = set(_names(cls))
    keeps_gradient = not named.isdisjoint(GRADIENTS)
    is_linked = any(link in name for name in named for link in LINKS)
    return keeps_gradient and (is_linked or _has_any(cls, _ARITHMETIC))


def _has_any(cls: type, names: Sequence[str]) -> bool:
    """Whether a class has a method of one of these names."""
    return any(_method(cls, name) is not None for name in names)


def library_of(code: Any) -> Library | None:
    """The library whose nodes a class or function makes or is handed: the class of nodes among the names it sees."""
    found = dict.fromkeys(value for space in _spaces(code) for value in space.values() if _is_candidate(value))
    nearest = sorted(found, key=lambda cls: (cls.__subclasses__() == [], len(cls.__mro__)))
    return None if not nearest else library_for(nearest[0])


@functools.lru_cache(maxsize=64)
def library_for(cls: type) -> Library:
    """The library of a class of nodes, with its operators: some give them to the class in a function of their own."""
    for space in {id(f.__globals__): f.__globals__ for f in functions_of(cls)}.values():
        for value in list(space.values()):
            if isinstance(value, FunctionType) and _gives_operators(value, cls):
                with contextlib.suppress(Exception):  # then the operators are missing, which backward will tell
                    value()
    return Library(cls)


def _gives_operators(function: FunctionType, cls: type) -> bool:
    """Whether a function of no arguments gives a class operators that it does not have yet."""
    code = function.__code__
    named = set(code.co_names)
    missing = any(name in named and _method(cls, name) is None for name in _ARITHMETIC)
    return missing and cls.__name__ in named and not code.co_argcount and function.__globals__.get(cls.__name__) is cls


def _is_candidate(value: Any) -> bool:
    return isinstance(value, type) and value.__module__ not in ("builtins", "numpy") and is_node_class(value)


def _spaces(code: Any) -> Iterator[dict[str, Any]]:
    """The global names that a class or function sees, and those that the functions see which it calls by name."""
    seen: set[int] = set()
    for function in functions_of(code):
        near = [function.__globals__.get(name) for name in function.__code__.co_names]
        for other in (function, *(value for value in near if isinstance(value, FunctionType))):
            if id(other.__globals__) not in seen:
                seen.add(id(other.__globals__))
                yield other.__globals__


def _method(cls: type, name: str) -> Any:
    found = next((vars(base)[name] for base in cls.__mro__ if base is not object and name in vars(base)), None)
    return getattr(found, "__func__", found)


def _arguments(cls: type) -> tuple[str, ...]:
    init = _method(cls, "__init__")
    code: CodeType | None = getattr(init, "__code__", None)
    return () if code is None else code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]


def _takes_a_value(cls: type) -> bool:
    """Whether an object can be made of one value: the constructor needs one argument."""
    init = _method(cls, "__init__")
    if not isinstance(init, FunctionType):
        return False
    count = init.__code__.co_argcount - 1
    needed = count - len(init.__defaults__ or ())
    return count >= 1 and needed <= 1 and not _wants_keywords(init)


def _wants_keywords(function: FunctionType) -> bool:
    return function.__code__.co_kwonlyargcount > len(function.__kwdefaults__ or {})


def _names(cls: type) -> Iterator[str]:
    """The names of attributes that a class has, annotates, or uses in its methods."""
    for base in cls.__mro__:
        if base is not object:
            yield from vars(base)
            yield from vars(base).get("__annotations__", {})
    for function in functions_of(cls):
        yield from names_in(function.__code__)


def names_in(code: CodeType) -> Iterator[str]:
    """The names that a function uses, those of the functions inside of it among them."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
