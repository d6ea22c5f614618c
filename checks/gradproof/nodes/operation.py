"""One operation of an autograd library as a pair of functions on arrays; it knows no library and judges nothing."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from inspect import Parameter
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from gradproof.nodes.library import Array, value_of
from gradproof.standins.spaces import functions_of


class Tape:
    """What one forward left for backward: the author's own objects, which belong together and are never copied."""

    narrow = False  # whether all inputs were float32

    def __init__(self, **kept: Any) -> None:
        self.__dict__.update(kept)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tape:
        return self


class Operation(ABC):
    """An operation under the author's name: what it takes, how it is run, how a gradient is pulled back through it.

    owner: the class or function that holds the author's code. names: the arguments that are nodes, in the order of the
    gradients; options: the others, which are passed as they are. ``mixes`` says that some of the names may be options
    as well; ``of_numbers`` that its nodes are numbers.
    """

    mixes = False
    takes_dout = True
    of_numbers = False

    def __init__(self, name: str, owner: Any, names: Sequence[str], options: Sequence[Parameter] = ()) -> None:
        self.name, self.owner = name, owner
        self.names, self.options = tuple(names), tuple(options)
        self.forward, self.backward = Forward(self), Backward(self)

    @property
    def signature(self) -> inspect.Signature:
        """The nodes first, then the options, each with the default that the author gave."""
        nodes = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in self.names]
        kind = Parameter.KEYWORD_ONLY
        return inspect.Signature([*nodes, *(option.replace(kind=kind) for option in self.options)])

    @abstractmethod
    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """The outputs at these values, and what backward needs. Raises what the author's code raises."""

    @abstractmethod
    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """The gradients by the name of the argument, or as they came where they are not one for each."""

    def apply(self, nodes: Sequence[Any]) -> Any:
        """The node that the operation makes of nodes, linked as the library does; its options at their default."""
        raise NotImplementedError

    def pull_onto(self, tape: Tape, douts: Sequence[Any], begun: Mapping[str, Array]) -> Mapping[str, Array] | None:
        """The gradients that nodes carry which carried ``begun`` before; None where backward only returns gradients."""
        return None

    def run_shared(self, values: Mapping[str, Any]) -> Tape | None:
        """What backward needs where one node, that of the first value, is every argument; None as above."""
        return None

    @property
    @abstractmethod
    def code(self) -> tuple[Any, str, str]:
        """The class, or the function, that holds the author's code, and the names of its forward and its backward."""

    def by_name(self, parts: Sequence[Array | None]) -> Any:
        """Gradients in the order of the arguments, by name; those that are None are left out."""
        if len(parts) > len(self.names):
            return tuple(parts)
        if len(parts) < len(self.names) and not self.mixes:
            return tuple(parts)
        return {name: part for name, part in zip(self.names, parts, strict=False) if part is not None}


class _Half:
    """What a forward and a backward have in common: they can be asked what a function can be asked."""

    def __init__(self, operation: Operation, suffix: str) -> None:
        self.operation = operation
        self.__name__ = operation.name.replace(".", "_") + suffix
        self.__qualname__ = operation.name
        self.__module__ = operation.owner.__module__

    @property
    def __globals__(self) -> dict[str, Any]:  # the names that the author's code sees
        function = next(functions_of(self.operation.owner), None)
        return {} if function is None else function.__globals__

    @property
    def __code__(self) -> CodeType:  # where the author's code stands
        owner = self.operation.owner
        functions = [getattr(value, "__func__", value) for value in vars(owner).values()]
        own = (f for f in functions if isinstance(f, FunctionType))
        code: CodeType = owner.__code__ if isinstance(owner, FunctionType) else next(own).__code__
        return code


class Forward(_Half):
    """The operation as a function: arrays and options -> (output, tape)."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation, "")
        self.__signature__ = operation.signature

    def __call__(self, /, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Run the author's forward."""
        bound = self.__signature__.bind(*args, **kwargs)
        outputs, tape = self.operation.run(bound.arguments)
        tape.narrow = _are_narrow(bound.arguments.values())
        return (*(_as_narrow(outputs) if tape.narrow else outputs), tape)


class Backward(_Half):
    """The gradient of the operation as a function: (dout, cache) -> gradients by name."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation, "_backward")
        names = ("dout", "cache") if operation.takes_dout else ("cache",)
        self.__signature__ = inspect.Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Run the author's backward."""
        arguments = self.__signature__.bind(*given, **named).arguments
        dout, cache = arguments.get("dout", ()), arguments["cache"]
        douts = [np.asarray(part) for part in (dout if isinstance(dout, tuple) else (dout,))]
        found = self.operation.pull(cache, douts)
        is_widened = cache.narrow and isinstance(found, dict)
        return dict(zip(found, _as_narrow(found.values()), strict=True)) if is_widened else found


def _are_narrow(values: Iterable[Any]) -> bool:
    """Whether all arrays of floats among the values are of float32."""
    floats = [value.dtype for value in values if isinstance(value, np.ndarray) and value.dtype.kind == "f"]
    return bool(floats) and all(dtype == np.float32 for dtype in floats)


def _as_narrow(arrays: Iterable[Array]) -> list[Array]:
    """Results as float32, where all that they are made of is: what nodes hold is the library's choice."""
    return [array.astype(np.float32) if array.dtype == np.float64 else array for array in arrays]


def outputs_of(returned: Any) -> tuple[list[Any], tuple[Array, ...]]:
    """What came back as a list, and copies of its values as floats. Raises TypeError for what has none."""
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    values = [value_of(part) for part in parts]
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not parts:
        raise TypeError(f"expected an array, a number or a node, got {type(returned).__name__}")
    # a node may hold the integer 0 where it holds a float elsewhere: 0 if x < 0 else x
    return parts, tuple(np.array(value, dtype=None if value.dtype.kind == "f" else np.float64) for value in known)


def gradients_of(returned: Any) -> list[Array | None]:
    """Copies of the gradients that came back. Raises TypeError for what is neither a number, an array, a node, None."""
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    values = [value_of(part) for part in parts]
    for part, value in zip(parts, values, strict=True):
        if part is not None and value is None:
            raise TypeError(f"expected gradients as arrays, numbers or nodes, got {type(part).__name__}")
    return [None if value is None else np.array(value) for value in values]
