"""What stands for NumPy, range, len and type in the user's modules during a traced run; it calls none of theirs."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.standins.standins import ModuleStandIn
from gradproof.trace.arrays import Watched
from gradproof.trace.calls import call
from gradproof.trace.integers import AxisCount, Dim, Shape, Step, steps
from gradproof.trace.run import current
from gradproof.trace.unknown import Unknown

_PLAIN_TYPES: Mapping[type, type] = {Watched: np.ndarray, Dim: int, Step: int, AxisCount: int, Shape: tuple}
_modules: dict[str, ModuleStandIn] = {}  # one stand-in for each module of NumPy's: the same under all names
_functions: dict[int, Callable[..., Any]] = {}  # the same for its functions, by identity


def instead_of(value: Any) -> Any:
    """What stands for a value of the user's: None where it stays."""
    if value is range:
        return watched_range
    if isinstance(value, types.ModuleType):
        may_be_replaced = _is_numpys(value.__name__) and not isinstance(value, ModuleStandIn)
        return _module(value) if may_be_replaced else None
    if isinstance(value, (type, np.ufunc)) or not callable(value):
        return None
    owner = type(getattr(value, "__self__", None)).__module__
    return _function(value) if _is_numpys(getattr(value, "__module__", None)) or _is_numpys(owner) else None


def _is_numpys(module: object) -> bool:
    """Whether it is the name of a module of NumPy's."""
    return isinstance(module, str) and module.partition(".")[0] == "numpy"


def _module(module: types.ModuleType) -> ModuleStandIn:
    if module.__name__ not in _modules:
        _modules[module.__name__] = ModuleStandIn(module, _member)
    return _modules[module.__name__]


def _member(name: str, value: Any) -> Any:
    if value is np.random.RandomState or name == "default_rng":
        return lambda *args, **kwargs: _Generator(value(*args, **kwargs))  # pyright: ignore[reportUnknownLambdaType]
    if isinstance(value, types.ModuleType):
        return instead_of(value) or value
    if isinstance(value, (type, np.ufunc)) or not callable(value):
        return value
    return _function(value)


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is called through the run."""
    if id(function) not in _functions:
        name = getattr(function, "__name__", "")

        def watched(*args: Any, **kwargs: Any) -> Any:
            return call(function, args, kwargs, name)

        watched.__name__ = name
        _functions[id(function)] = watched
        _kept.append(function)
    return _functions[id(function)]


_kept: list[Callable[..., Any]] = []  # so that no other function gets the identity of one that is known


class _Generator:
    """A random generator whose methods are called through the run."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self._theirs, name)
        if not callable(value):
            return value

        def watched(*args: Any, **kwargs: Any) -> Any:
            return call(value, args, kwargs, name)

        return watched


def watched_range(*bounds: Any) -> Any:
    """``range``, the values of which know where the loop ends."""
    run = current()
    if run is None:
        return range(*bounds)
    ends = [bound for bound in bounds if isinstance(bound, Dim) and bound.stands_for.dims]
    run.evidence.loops += [bound.stands_for for bound in ends]
    start, stop, step = _whole(bounds)
    if step == 1 and isinstance(stop, Dim) and int(stop) <= 0:
        run.evidence.below.append(stop.stands_for)
    run.divide(stop, step)
    return steps(start, stop, step) if isinstance(stop, Dim) else range(*bounds)


def _whole(bounds: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Start, stop and step of a range that is given as many of them."""
    if len(bounds) == 1:
        return 0, bounds[0], 1
    start, stop, *more = bounds
    return start, stop, more[0] if more else 1


def watched_len(value: Any) -> Any:
    """``len``, which remembers what it counts."""
    run = current()
    if run is not None and type(value) is Unknown and not value.hint.built:
        return value.length()
    count = len(value)
    return Dim(count) if run is not None and type(value) is Watched else count


class _OfType(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, type)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, type)


class WatchedType(type, metaclass=_OfType):
    """``type``, which tells what a watched value stands for; ``type(x) is np.ndarray`` holds where it held."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """The type of one value, or a new class, as ``type`` gives it."""
        if len(args) != 1:
            return type(*args, **kwargs)
        return _PLAIN_TYPES.get(type(args[0]), type(args[0]))

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        """Nothing to set up: no object of it is ever made."""


BUILTINS: Mapping[str, Any] = {"range": watched_range, "len": watched_len, "type": WatchedType}
