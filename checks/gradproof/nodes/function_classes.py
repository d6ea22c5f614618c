"""Classes of a library that is defined by running it, as in dezero and chainer: forward on arrays, backward on nodes.

class Mul(Function):
def forward(self, x0, x1):
return x0 * x1

def backward(self, gy):
x0, x1 = self.inputs
return gy * x1, gy * x0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from gradproof.convention.templates import only_promises
from gradproof.nodes.library import Array, Library, library_of, names_in
from gradproof.nodes.operation import Operation, Tape, gradients_of, outputs_of
from gradproof.nodes.operation_signatures import (
    constructor,
    is_detached,
    is_variadic,
    method,
    parameters,
)

FORWARD, BACKWARD = "forward", "backward"
_CALLS = ("__call__", "apply")


class FunctionObject(Operation):
    """An operation that is an object: called with nodes it gives nodes, and its backward is handed their gradients."""

    def __init__(self, cls: type, library: Library) -> None:
        arguments = parameters(method(cls, FORWARD), 1)
        super().__init__(cls.__name__, cls, [p.name for p in arguments], constructor(cls))
        self._cls, self._library = cls, library

    @property
    def code(self) -> tuple[Any, str, str]:
        """The class itself."""
        return self._cls, FORWARD, BACKWARD

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """Build the object, and call it with nodes."""
        function = self._cls(**{p.name: values[p.name] for p in self.options if p.name in values})
        inputs = [self._library.wrap(values[name]) for name in self.names if name in values]
        nodes, outputs = outputs_of(_called(function)(*inputs))
        return outputs, Tape(function=function, inputs=inputs, nodes=nodes)

    def apply(self, nodes: Sequence[Any]) -> Any:
        """The node that comes of nodes."""
        return _called(self._cls())(*nodes)

    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """Hand backward its gradients: nodes where the library keeps gradients as nodes, else arrays."""
        kinds = self._library.gradients_are_nodes
        for as_nodes in (True, False) if kinds is None else (kinds,):
            seeds = [self._library.wrap(dout) if as_nodes else np.array(dout) for dout in douts]
            try:
                return self.by_name(gradients_of(tape.function.backward(*seeds)))
            except Exception:
                if kinds is not None or not as_nodes:
                    raise
        raise AssertionError("one of the two was tried")


def operations(cls: type) -> Iterator[Operation]:
    """The operation that a class is, if it is one."""
    forward, backward = method(cls, FORWARD), method(cls, BACKWARD)
    if forward is None or backward is None or is_variadic(forward) or not parameters(forward, 1):
        return
    if is_detached(cls, FORWARD) or is_detached(cls, BACKWARD):
        return
    if only_promises(forward) or only_promises(backward):
        return
    library = _library(cls)
    if library is not None:
        yield FunctionObject(cls, library)


def is_base(cls: type) -> bool:
    """Whether a class is the base from which the operations of a library are made."""
    forward = method(cls, FORWARD)
    return forward is not None and only_promises(forward) and _library(cls) is not None


def _library(cls: type) -> Library | None:
    """The library whose nodes come out where an object of the class is called; None for an ordinary layer."""
    call = next((found for name in _CALLS if (found := method(cls, name)) is not None), None)
    if call is None or FORWARD not in names_in(call.__code__):
        return None
    library = library_of(call)
    return library if library is not None and _makes(call, library.node) else None


def _makes(call: FunctionType, node: type, depth: int = 2) -> bool:
    """Whether a function makes nodes: it names their class, or calls by name a function that does."""
    names = [call.__globals__.get(name) for name in names_in(call.__code__)]
    if any(isinstance(value, type) and issubclass(value, node) for value in names):
        return True
    return depth > 0 and any(isinstance(value, FunctionType) and _makes(value, node, depth - 1) for value in names)


def _called(function: Any) -> Any:
    """What an object is called by: itself, or a method of it where it cannot be called."""
    return function if callable(function) else function.apply
