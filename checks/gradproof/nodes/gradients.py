"""Operations with a compute on arrays and a gradient on nodes, as in needle and in courses on deep learning systems.

class EWiseMul(TensorOp):
def compute(self, a, b):
return a * b

def gradient(self, out_grad, node):
a, b = node.inputs
return out_grad * b, out_grad * a
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradproof.convention.templates import only_promises
from gradproof.nodes.library import Array, Library, library_of
from gradproof.nodes.operation import Operation, Tape, gradients_of, outputs_of
from gradproof.nodes.operation_signatures import constructor, is_variadic, method, parameters

FORWARD, BACKWARD = "compute", "gradient"


class ComputedNode(Operation):
    """An operation that is an object: called with nodes it gives a node, from which its gradient starts."""

    def __init__(self, cls: type, library: Library) -> None:
        arguments = parameters(method(cls, FORWARD), 1)
        super().__init__(cls.__name__, cls, [p.name for p in arguments], constructor(cls))
        self._cls, self._library = cls, library
        self.of_numbers = library.holds_numbers

    @property
    def code(self) -> tuple[Any, str, str]:
        """The class itself."""
        return self._cls, FORWARD, BACKWARD

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """Build the object, and call it with nodes."""
        operation = self._cls(**{p.name: values[p.name] for p in self.options if p.name in values})
        inputs = [self._library.wrap(values[name]) for name in self.names if name in values]
        nodes, outputs = outputs_of(operation(*inputs))
        return outputs, Tape(operation=operation, inputs=inputs, nodes=nodes)

    def apply(self, nodes: Sequence[Any]) -> Any:
        """The node that comes of nodes."""
        return self._cls()(*nodes)

    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """Hand gradient the upstream gradient and the node that came out."""
        (node,), (dout,) = tape.nodes, douts
        return self.by_name(gradients_of(tape.operation.gradient(self._library.wrap(dout), node)))


def operations(cls: type) -> Iterator[Operation]:
    """The operation that a class is, if it has a compute, and a gradient that takes a node beside its gradient."""
    compute, gradient = method(cls, FORWARD), method(cls, BACKWARD)
    if compute is None or gradient is None or is_variadic(compute) or len(parameters(gradient, 1)) != 2:
        return
    if only_promises(compute) or only_promises(gradient) or not parameters(compute, 1):
        return
    library = library_of(cls)
    if library is not None:
        yield ComputedNode(cls, library)


def is_base(cls: type) -> bool:
    """Whether a class is the base of such operations."""
    compute = method(cls, FORWARD)
    return compute is not None and only_promises(compute) and library_of(cls) is not None
