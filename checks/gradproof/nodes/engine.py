"""The backward of a library as a whole: it goes through a graph, each node once, after all of its uses.

Its graphs are made of operations of the library itself: of one of two nodes, and of one of one node where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import Parameter
from types import FunctionType
from typing import Any

import numpy as np

from gradproof.convention.templates import only_promises
from gradproof.nodes.library import BACKWARDS, Array, Library, library_for, names_in, value_of
from gradproof.nodes.operation import Operation, Tape, outputs_of
from gradproof.nodes.operation_signatures import method

Graph = Callable[[Any, Any], Any]  # of nodes x and w, to a node

TWICE = "f(x, x)"
# times that each graph is made: a library may go through a set of nodes in the order of their addresses, of which one
# may happen to be right
BUILDS = 8
STEP = 1e-5  # of central differences: a gradient that a wrong order spoils is off by far more
_SORTS = ("reverse", "sort", "heap", "insert", "appendleft")  # in the name of what puts nodes in an order
_ORDER = ("topo", "order", "visited", "generation", "rank", "depth")  # in the name of what holds one


class Engine(Operation):
    """A library's own backward, on the graphs that two operations make: (x, w) -> gradients of both."""

    takes_dout = False

    def __init__(self, cls: type, backward: FunctionType, operations: Sequence[Operation]) -> None:
        super().__init__(f"{cls.__name__}.{backward.__name__}", backward, ("x", "w"))
        self.library: Library = library_for(cls)
        self._cls, self._backward, self._operations = cls, backward, operations
        self.of_numbers = self.library.holds_numbers
        self.two: Operation | None = None
        self.one: Operation | None = None

    @property
    def code(self) -> tuple[Any, Any, Any]:
        """The method, which has no other half."""
        return self.owner, self._backward, None

    def choose(self, points: Sequence[Mapping[str, Array]]) -> bool:
        """Choose operations that are right by themselves at all points: what is wrong in a graph is then the graph."""
        pairs = [operation for operation in self._operations if len(operation.names) == 2]
        singles = [operation for operation in self._operations if len(operation.names) == 1]
        for two in pairs:
            self.two, self.one = two, None
            if not self._are_right(self._pair, points):
                continue
            for one in singles:
                self.one = one
                if self._are_right(self._single, points) and self._is_finite(points):
                    return True
            self.one = None
            return True
        return False

    def _are_right(self, graph: Graph, points: Sequence[Mapping[str, Array]]) -> bool:
        try:
            return all(self.wrong(graph, values, tensor) is None for values in points for tensor in self._used(graph))
        except Exception:  # an operation that needs another shape
            return False

    def _used(self, graph: Graph) -> tuple[str, ...]:
        return ("x",) if graph == self._single and self.one is not None else self.names

    def _is_finite(self, points: Sequence[Mapping[str, Array]]) -> bool:
        """Whether each graph has a value at all points: a logarithm has none below 0."""
        graphs = [self.plain, *self.graphs().values()]
        return all(np.isfinite(self._total(graph, values)) for graph in graphs for values in points)

    def _pair(self, a: Any, b: Any) -> Any:
        assert self.two is not None
        return self.two.apply([a, b])

    def _single(self, a: Any, w: Any) -> Any:
        return self._pair(a, w) if self.one is None else self.one.apply([a])

    def plain(self, x: Any, w: Any) -> Any:
        """Each node is used once."""
        return self._single(self._pair(x, w), self.library.wrap(np.full(x_shape(w), 0.5)))

    def graphs(self) -> Mapping[str, Graph]:
        """The graphs in which a node is used more than once, by what they are: f is of two nodes, g of one."""
        f, g = self._pair, self._single

        def deep(x: Any, w: Any) -> Any:
            a = g(x, w)
            b = f(a, w)
            return f(f(b, a), b)

        def late(x: Any, w: Any) -> Any:
            a = g(x, w)
            return f(a, g(a, w))

        def early(x: Any, w: Any) -> Any:
            a = g(x, w)
            return f(g(a, w), a)

        return {
            TWICE: lambda x, w: f(x, x),
            "f(x, g(x))": lambda x, w: f(x, g(x, w)),
            "f(a, g(a)) for a = g(x)": late,
            "f(g(a), a) for a = g(x)": early,
            "f(f(b, a), b) for b = f(a, w), a = g(x)": deep,
        }

    def names_of_graphs(self) -> str:
        """What f and g stand for."""
        assert self.two is not None
        one = "f(., w)" if self.one is None else self.one.name
        return f"f is {self.two.name}, g is {one}"

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """The output of the graph in which each node is used once."""
        if self.two is None and not self.choose([values]):
            raise TypeError(f"no operation of {self.library.node.__name__} could be chosen that is right by itself")
        nodes = [self.library.wrap(values[name]) for name in self.names]
        parts, outputs = outputs_of(self.plain(*nodes))
        return outputs, Tape(values=dict(values), parts=parts)

    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """The gradients of the same graph, made anew, from the library's own backward."""
        found = self.gradients(self.plain, tape.values)
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def gradients(
        self, graph: Graph, values: Mapping[str, Any], times: int = 1, kept: list[Any] | None = None
    ) -> dict[str, Array | None]:
        """The gradients that backward leaves in x and w. times: how often it is called; kept: it gets the output."""
        nodes = {name: self.library.wrap(values[name]) for name in self.names}
        output = graph(nodes["x"], nodes["w"])
        if kept is not None:
            kept.append(output)
        for _ in range(times):
            getattr(output, self._backward.__name__)()
        found = {name: self.library.gradient(node) for name, node in nodes.items()}
        return {name: None if array is None else np.array(array) for name, array in found.items()}

    def wrong(self, graph: Graph, values: Mapping[str, Array], tensor: str = "x") -> tuple[Array, Array] | None:
        """The gradient that backward leaves and the true one, where they differ; None where they agree."""
        true = self._slope(graph, values, tensor)
        scale = 1 + float(np.abs(true).max(initial=0))
        kept: list[Any] = []  # so that no node has the address of an earlier one
        for _ in range(BUILDS):
            found = self.gradients(graph, values, kept=kept)[tensor]
            claimed = np.zeros(true.shape) if found is None else np.broadcast_to(found, true.shape)
            if np.abs(claimed - true).max(initial=0) > 1e-4 * scale:
                return np.array(claimed), true
        return None

    def _slope(self, graph: Graph, values: Mapping[str, Array], tensor: str) -> Array:
        x, slope = np.array(values[tensor], dtype=np.float64), np.zeros(np.shape(values[tensor]))
        for index in np.ndindex(x.shape):
            sides = []
            for sign in (1, -1):
                moved = x.copy()
                moved[index] += sign * STEP
                sides.append(self._total(graph, {**values, tensor: moved}))
            slope[index] = (sides[0] - sides[1]) / (2 * STEP)
        return slope

    def _total(self, graph: Graph, values: Mapping[str, Array]) -> float:
        value = value_of(graph(*[self.library.wrap(values[name]) for name in self.names]))
        return float("nan") if value is None else float(np.sum(value))

    @property
    def makes_order(self) -> bool:
        """Whether the library puts nodes in an order before it goes back: else it is made for chains and trees."""
        names = {name for function in self._reached() for name in (*names_in(function.__code__), *_locals(function))}
        return any(word in name for name in names for word in (*_SORTS, *_ORDER))

    def _reached(self) -> Iterator[FunctionType]:
        yield self._backward
        for name in names_in(self._backward.__code__):
            called = method(self._cls, name) or self._backward.__globals__.get(name)
            if isinstance(called, FunctionType) and called is not self._backward:
                yield called


def x_shape(node: Any) -> tuple[int, ...]:
    """The shape of a node's value."""
    value = value_of(node)
    return () if value is None else value.shape


def engine_of(cls: type, operations: Iterable[Operation]) -> Engine | None:
    """The backward of a class of nodes, where there are operations to make a graph of; it runs nothing."""
    backward = next((found for name in BACKWARDS if (found := method(cls, name)) is not None), None)
    usable = [operation for operation in operations if _has_defaults(operation)]
    if backward is None or only_promises(backward) or not any(len(operation.names) == 2 for operation in usable):
        return None
    return Engine(cls, backward, usable)


def _has_defaults(operation: Operation) -> bool:
    """Whether an operation needs nothing beside nodes."""
    return all(option.default is not Parameter.empty for option in operation.options)


def _locals(function: FunctionType) -> tuple[str, ...]:
    return (*function.__code__.co_varnames, *function.__code__.co_cellvars)


def shared_wrong(engine: Engine, values: Mapping[str, Array]) -> list[tuple[str, Array, Array]]:
    """The graphs with a shared node in which the gradient of x is wrong: each with the gradient and the true one."""
    found: list[tuple[str, Array, Array]] = []
    for text, graph in engine.graphs().items():
        try:
            wrong = engine.wrong(graph, values)
        except Exception:  # what raises for a graph is told by what is checked without one
            continue
        if wrong is not None and np.isfinite(wrong[1]).all():
            found.append((text, *wrong))
    return found
