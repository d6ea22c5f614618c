"""Operations of nodes that leave a closure behind, as in micrograd and in what is built after it.

    class Value:
        def __mul__(self, other):
            out = Value(self.data * other.data, (self, other))

            def _backward():
                self.grad += other.data * out.grad
                other.grad += self.data * out.grad

            out._backward = _backward
            return out

The closure may take the gradient, may return the gradients, and may be kept elsewhere: then the library's own backward
is asked, from a given gradient on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from gradproof.nodes.library import (
    BACKWARDS,
    GRADIENTS,
    Array,
    Library,
    is_node_class,
    library_for,
    library_of,
    names_in,
    value_of,
)
from gradproof.nodes.operation import Operation, Tape, gradients_of, outputs_of
from gradproof.nodes.operation_signatures import is_of_class, is_variadic, parameters

# under which a node keeps its closure
_CLOSURES = frozenset(
    {"_backward", "backward_fn", "_backward_fn", "grad_fn", "_grad_fn", "backward_function", "_backprop"}
)
_NO_OPERATIONS = frozenset({"__init__", "__repr__", "__new__", *BACKWARDS})


class ClosureOperation(Operation):
    """A method of a node, or a function of nodes, that makes a node and a closure that takes its gradient back."""

    mixes = True

    def __init__(self, function: FunctionType, library: Library, name: str, owner: Any) -> None:
        arguments = parameters(function)
        needed = [p.name for p in arguments if p.default is Parameter.empty]
        super().__init__(name, owner, needed, [p for p in arguments if p.name not in needed])
        self.function, self.library = function, library
        self.of_numbers = library.holds_numbers

    @property
    def code(self) -> tuple[Any, Any, Any]:
        """The function, and the closure that it leaves."""
        return self.owner, self.function, closure_of(self.function)

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """Call the method with nodes, and with what is no array as it is."""
        given = {name: self._given(value) for name, value in values.items()}
        inputs = {name: node for name, node in given.items() if self._is_node(node)}
        before = {name: copy.copy(self.library.raw_gradient(node)) for name, node in inputs.items()}
        returned = self.function(*[given[name] for name in self.names if name in given], **self._chosen(given))
        nodes, outputs = outputs_of(returned)
        if not all(self._is_node(node) for node in nodes):
            raise TypeError(f"expected a {self.library.node.__name__}, got {type(returned).__name__}")
        return outputs, Tape(given=given, before=before, nodes=nodes)

    def _given(self, value: Any) -> Any:
        is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return self.library.wrap(value) if is_float else value

    def _chosen(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {p.name: given[p.name] for p in self.options if p.name in given}

    def _is_node(self, thing: Any) -> bool:
        return self.library.holds(thing)

    def apply(self, nodes: Sequence[Any]) -> Any:
        """The node that comes of nodes."""
        return self.function(*nodes)

    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """The gradients that are left in the nodes, each of which began as a fresh node begins."""
        (out,), (dout,) = tape.nodes, douts
        for name, gradient in tape.before.items():
            self._put(tape.given[name], gradient)
        returned = self.go_back(out, dout)
        found = {name: self.library.gradient(tape.given[name]) for name in tape.before}
        left = {name: np.array(gradient) for name, gradient in found.items() if gradient is not None}
        if returned is not None and not any(np.any(gradient) for gradient in left.values()):
            return self.by_name(gradients_of(returned))
        return {name: _shaped(gradient, value_of(tape.given[name])) for name, gradient in left.items()}

    def pull_onto(self, tape: Tape, douts: Sequence[Any], begun: Mapping[str, Array]) -> Mapping[str, Array] | None:
        """The gradients that the nodes carry, where they carried others before: those of another use of the node."""
        (out,), (dout,) = tape.nodes, douts
        for name, gradient in begun.items():
            self._put(tape.given[name], self.seed(tape.given[name], gradient))
        if self.go_back(out, dout) is not None:
            return None
        found = {name: self.library.gradient(tape.given[name]) for name in begun}
        return {name: np.array(gradient) for name, gradient in found.items() if gradient is not None}

    def run_shared(self, values: Mapping[str, Any]) -> Tape | None:
        """What f(x, x) leaves."""
        node = self.library.wrap(next(iter(values.values())))
        given = dict.fromkeys(values, node)
        before = {name: copy.copy(self.library.raw_gradient(node)) for name in values}
        nodes, _ = outputs_of(self.function(*given.values()))
        return Tape(given=given, before=before, nodes=nodes)

    def go_back(self, out: Any, dout: Any) -> Any:
        """Take ``dout`` back from the node that came out: by its closure, else by the library's own backward."""
        self._put(out, self.seed(out, dout))
        closure = next((f for f in _attributes(out) if _is_of(f, self.function)), None)
        if closure is not None:
            takes = closure.__code__.co_argcount - len(closure.__defaults__ or ())
            return closure(*[self.seed(out, dout)] * min(takes, 1))
        backward = next(getattr(out, name) for name in BACKWARDS if callable(getattr(out, name, None)))
        return backward(self.seed(out, dout)) if parameters(backward) else backward()

    def seed(self, out: Any, dout: Any) -> Any:
        """An upstream gradient as the library keeps one."""
        if self.library.gradients_are_nodes:
            return self.library.wrap(np.asarray(dout))
        return np.array(dout) if np.ndim(dout) else np.float64(dout)

    def _put(self, node: Any, gradient: Any) -> None:
        name = self.library.gradient_name(node)
        if name is not None:
            setattr(node, name, copy.copy(gradient))


def _shaped(gradient: Array, value: Array | None) -> Array:
    """A gradient that stayed at the number with which it began, in the shape of its node."""
    if value is None or gradient.ndim or gradient:
        return gradient
    return np.zeros(value.shape)


def operations(cls: type) -> Iterator[Operation]:
    """The operations among the methods of a class of nodes: those that leave a closure about gradients."""
    if not is_node_class(cls):
        return
    for name, value in vars(cls).items():
        function = getattr(value, "__func__", value)
        is_method = isinstance(function, FunctionType) and function.__name__ == name and not is_of_class(cls, name)
        if is_method and name not in _NO_OPERATIONS and _is_operation(function):
            yield ClosureOperation(function, library_for(cls), f"{cls.__name__}.{name}", function)


def operation_of_function(function: FunctionType) -> Operation | None:
    """The operation that a function of nodes is; None for any other function."""
    if not _is_operation(function):
        return None
    library = library_of(function)
    return None if library is None else ClosureOperation(function, library, function.__qualname__, function)


def is_base(cls: type) -> bool:
    """Whether a class is one of nodes: what it does are its methods."""
    return is_node_class(cls)


def _is_operation(function: FunctionType) -> bool:
    return closure_of(function) is not None and not is_variadic(function) and bool(parameters(function))


def closure_of(function: FunctionType) -> FunctionType | None:
    """The function inside of another that takes gradients back, to be read: its variables are empty."""
    kept = not _CLOSURES.isdisjoint(names_in(function.__code__))
    inner = [code for code in function.__code__.co_consts if isinstance(code, CodeType)]
    for code in inner:
        is_function = code.co_name == "<lambda>" or not code.co_name.startswith("<")  # no comprehension
        about_gradients = kept or not set(GRADIENTS).isdisjoint(names_in(code))
        if is_function and about_gradients:
            cells = tuple(CellType() for _ in code.co_freevars)
            return FunctionType(code, function.__globals__, code.co_name, None, cells)
    return None


def _is_of(thing: Any, function: FunctionType) -> bool:
    """Whether a function was made inside of another."""
    return isinstance(thing, FunctionType) and thing.__code__ in function.__code__.co_consts


def _attributes(node: Any) -> Iterator[Any]:
    yield from vars(node).values() if hasattr(node, "__dict__") else ()
    for cls in type(node).__mro__:
        slots = vars(cls).get("__slots__", ())
        yield from (getattr(node, slot, None) for slot in ((slots,) if isinstance(slots, str) else slots))
