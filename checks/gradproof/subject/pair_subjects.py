"""Runs a forward and a backward that are functions: a pair with a cache or without, or a forward that returns both."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gradproof.case.nested import nested, owners
from gradproof.case.signatures import Signature
from gradproof.convention.answers import refusal
from gradproof.convention.calling import Plan, defaults_of, takes_cache
from gradproof.convention.gradnames import key_of
from gradproof.convention.losses import averages
from gradproof.convention.plans import outputs_among
from gradproof.convention.return_statements import names_returned
from gradproof.convention.returned import by_input, without_left_out
from gradproof.guard import Randomness
from gradproof.nodes.conventions import operation_of
from gradproof.nodes.operation import Operation
from gradproof.subject.backward_calls import BackwardCalls
from gradproof.subject.function_subjects import FunctionSubject
from gradproof.subject.widening import Widened

Array = NDArray[Any]


class BackwardSubject(FunctionSubject):
    """A forward whose backward is a function as well.

    ``plan``: how backward is called; None for the likeliest of the ways that its names allow and that runs.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        name: str,
        signature: Signature,
        random: Randomness,
        widened: Widened | None,
        plan: Plan | None = None,
    ) -> None:
        super().__init__(forward, name, signature, random, widened)
        self._defaults, self._calls = defaults_of(forward), BackwardCalls(plan)
        self._back: Callable[..., Any] | None = None
        self._cache: Any = None
        self._returned: tuple[Any, ...] = ()  # all that the last forward returned
        self._outputs, self._cached = 1, False

    def fork(self) -> Self:
        """A subject with a copy of the cache and of the inputs."""
        other = copy.copy(self)
        kept = self._cache, dict(self._inputs), self._returned
        other._cache, other._inputs, other._returned = copy.deepcopy(kept)
        return other

    def plans(self) -> tuple[Plan, ...]:
        """The ways in which backward may be called after the last forward, the likeliest first."""
        if self._back is None:
            return (Plan(),)
        given = self._back, self._forward, self._outputs, owners(tuple(self._inputs))
        found = self._calls.ways(*given, cache=self._cached, defaults=self._defaults, alone=True)
        if len(self.asked()) > 1:
            return found
        return tuple(dict.fromkeys(replace(way, receiver=None) for way in found))  # nobody asks whose gradient it is

    def _plan(self) -> Plan:
        return self._calls.plan(self.plans())

    def takes_dout(self) -> bool:
        """Whether backward asks for an upstream gradient beside the cache."""
        return self._plan().takes_dout

    def untold(self) -> str | None:
        """Which of backward's arguments nothing says what they are given, and what to do; None where all are known."""
        how = self._plan()
        return how.refusal if self._back is None else refusal(how, self._back, self._forward.__name__, is_method=False)

    def backward(self, douts: Sequence[Array | float], *, clear: bool = True) -> Any:
        """The gradients, in the order of forward's array arguments, or by name. There is nothing to clear."""
        del clear
        self._calls.settle(self.plans(), lambda way: self.fork()._fits(way, copy.deepcopy(douts)))
        return self._gradients_by(self._plan(), douts)

    def _fits(self, way: Plan, douts: Sequence[Array | float]) -> bool:
        """Whether backward, called so, returns gradients of the inputs' sizes."""
        returned = self._gradients_by(way, douts)
        named = returned if isinstance(returned, dict) else dict(zip(self.asked(), _parts(returned), strict=False))
        return bool(named) and all(np.size(named[name]) == np.size(self._inputs[name]) for name in named)

    def _gradients_by(self, way: Plan, douts: Sequence[Array | float]) -> Any:
        if self._back is None:
            return None
        filled: dict[Any, Any] = {}
        given = {**self._defaults, **nested(self._inputs)}
        args, kwargs = way.bind(douts, given, self._cache, store=filled, outputs=self._returned)
        returned = self._run("backward", self._back, *args, **kwargs)
        if way.jacobian:
            (own,) = self.asked() if len(self.asked()) == 1 else (way.receiver or self.asked()[0],)
            return {own: contracted(douts[0], returned, np.shape(self._inputs[own]))}
        returned = without_left_out(returned, self._signature.names, self._inputs)
        return self._shared(returned, filled, way)

    def _shared(self, returned: Any, filled: Mapping[Any, Any], way: Plan) -> Any:
        """What backward returned, with what it filled a dict with, by name where names say whose it is."""
        asked = self.asked()
        if filled:
            named = dict(by_input(filled, (), asked))
            return named | self._of_others(returned, named)
        if any(key_of(name) for name in self._inputs):
            return by_input(returned, names_returned(self._back), asked)
        if isinstance(returned, dict):
            return by_input(returned, (), asked)
        parts = _parts(returned)
        if way.receiver in asked and len(asked) > 1 and len(parts) == 1:
            left = [name for name in asked if name != way.receiver]
            self.notes = [f"no gradient is returned for {', '.join(left)}: not checked"]
            return {way.receiver: parts[0]}
        return returned

    def _of_others(self, returned: Any, named: Mapping[str, Any]) -> dict[str, Any]:
        """What backward returned, of the inputs that have no gradient by name yet."""
        rest = [name for name in self.asked() if name not in named]
        if isinstance(returned, dict):
            return dict(by_input(returned, (), rest))
        return dict(zip(rest, _parts(returned), strict=False))


class PairSubject(BackwardSubject):
    """A pair of functions: forward(...) -> (out, cache) or out alone, backward(dout, cache) -> gradients."""

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        name: str,
        signature: Signature,
        random: Randomness,
        widened: Widened | None,
        plan: Plan | None = None,
    ) -> None:
        super().__init__(forward, name, signature, random, widened, plan)
        self._back, self._wants_cache = backward, takes_cache(backward)

    @property
    def operation(self) -> Operation | None:
        """The operation of an autograd library that the pair is; None for two functions of the author's."""
        return operation_of(self._forward)

    def ask(self, question: Callable[..., Any], /, *args: Any) -> Any:
        """What a method of the operation answers; what the author's code raises there is raised as backward's."""
        return self._run("backward", question, *args)

    def averages(self) -> bool | None:
        """Whether backward's source divides by the number of samples; None where forward compares no two arrays."""
        return None if self._back is None else averages(self._inputs, self._back)

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs; what stands behind them is the cache, which is kept for backward."""
        result = self._call(inputs)
        parts: tuple[Any, ...] = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        self._returned, self._cache = parts, None
        if len(parts) < 2 and self._wants_cache:
            return (result, None)  # refused by name where outputs are read: there is no cache to hand to backward
        names = names_returned(self._forward)
        count, self._cached = outputs_among(self._back or len, len(parts), tuple(inputs), names)
        outputs = parts[:count]
        if self._cached:
            self._cache = next(reversed(parts))
        if len(outputs) == 1 and isinstance(outputs[0], tuple):
            outputs = tuple(outputs[0])
        self._outputs = len(outputs)
        return outputs


class ClosureSubject(BackwardSubject):
    """One function that returns its output and, behind it, its backward: y, vjp = f(x)."""

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs; the function behind them is kept as backward."""
        result = self._call(inputs)
        if not isinstance(result, (tuple, list)) or len(result) < 2 or not callable(result[-1]):
            return (result, None)
        *outputs, self._back = result
        if len(outputs) == 1 and isinstance(outputs[0], tuple):
            outputs = list(outputs[0])
        self._returned, self._outputs = tuple(outputs), len(outputs)
        return tuple(outputs)


def _parts(returned: Any) -> Sequence[Any]:
    """What a function returned, as several values."""
    return returned if isinstance(returned, (tuple, list)) else (returned,)


def contracted(dout: Any, jacobian: Any, shape: tuple[int, ...]) -> Any:
    """Dout through the derivative of every output: of the whole, or of each row of a batch for itself.

    dout: (*out), jacobian: (*out, *in) -> (*in); or dout: (n, c), jacobian: (n, c, d) -> (n, d). shape: of the input.
    None where it is no derivative of these shapes.
    """
    upstream, derivative = np.asarray(dout), np.asarray(jacobian)
    if derivative.dtype.kind not in "biuf" or not upstream.ndim:
        return None
    if derivative.shape == (*upstream.shape, *shape):
        return np.tensordot(upstream, derivative, axes=upstream.ndim)
    if upstream.ndim == len(shape) == 2 and derivative.shape == (*upstream.shape, shape[1]):
        return np.einsum("nc,ncd->nd", upstream, derivative)
    return None
