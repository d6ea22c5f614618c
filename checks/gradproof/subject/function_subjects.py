"""Runs functions without an object: forward and backward with a cache, or a loss that returns its own gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gradproof.case.nested import nested, owners
from gradproof.case.signatures import Signature
from gradproof.convention.calling import Plan, defaults_of, plan
from gradproof.convention.gradnames import key_of
from gradproof.convention.losses import averages
from gradproof.convention.returned import by_input, names_returned, without_left_out
from gradproof.guard import Randomness, call, fingerprint
from gradproof.nodes.conventions import operation_of
from gradproof.nodes.operation import Operation
from gradproof.subject.widening import Widened
from gradproof.values import Defect, Made

Array = NDArray[Any]


class FunctionSubject:
    """What all functions have in common: every array is an input, and no state is kept between calls."""

    def __init__(
        self, forward: Callable[..., Any], name: str, signature: Signature, random: Randomness, widened: Widened | None
    ) -> None:
        self.name, self.frozen = name, False
        self.wanted: tuple[str, ...] | None = None
        self.notes: list[str] = []
        self.promises = self.updates = frozenset[str]()
        self._forward, self._signature, self._random = forward, signature, random
        self._inputs: Mapping[str, Any] = {}
        self._numpy = widened

    @property
    def widened(self) -> bool:
        """Whether buffers that the functions make in float32 were made in float64."""
        return self._numpy is not None and self._numpy.used

    def parameters(self) -> Mapping[str, Array]:
        """Nothing: every array is an input."""
        return {}

    def seek_numbers(self) -> None:
        """Nothing to be sought, for the same reason."""

    def made(self) -> Mapping[str, Made]:
        """Nothing, for the same reason."""
        return {}

    def unclaimed(self) -> Mapping[str, Array]:
        """Nothing, for the same reason."""
        return {}

    def restart(self) -> None:
        """Rewind the random generators, where the subject is frozen; a function has no other state."""
        if self.frozen:
            self._random.rewind()

    def fork(self) -> Self:
        """A subject with a copy of what the last forward left."""
        return copy.copy(self)

    def drawn(self) -> tuple[object, ...]:
        """Where the random generators stand that the functions can draw from."""
        return fingerprint(self._random.held)

    def default_dout(self) -> float | None:
        """None: a backward that is a function is handed its dout."""
        return None

    def averages(self) -> bool | None:
        """Whether backward's source divides by the number of samples; None where forward compares no two arrays."""
        return averages(self._inputs, self._forward)

    def untold(self) -> str | None:
        """None: no backward is called."""
        return None

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """Nothing: all gradients are returned."""
        return {}, ()

    def _asked(self) -> tuple[str, ...]:
        floats = tuple(n for n, v in self._inputs.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f")
        return floats if self.wanted is None else self.wanted

    def _call(self, inputs: Mapping[str, Any]) -> Any:
        args, kwargs = self._signature.bind(inputs)
        self._inputs = inputs
        return self._run("forward", self._forward, *args, **kwargs)

    def _run(self, stage: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self._numpy is None:
            return call(stage, function, *args, **kwargs)
        with self._numpy:
            return call(stage, function, *args, **kwargs)


class PairSubject(FunctionSubject):
    """A pair of functions with a cache: forward(...) -> (out, cache), backward(dout, cache) -> gradients."""

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        name: str,
        signature: Signature,
        random: Randomness,
        widened: Widened | None,
    ) -> None:
        super().__init__(forward, name, signature, random, widened)
        self._backward, self._cache, self._outputs = backward, None, 1
        self._defaults = defaults_of(forward)

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs; what stands behind them is the cache, which is kept for backward."""
        result = self._call(inputs)
        if not isinstance(result, (tuple, list)) or len(result) < 2:
            return (result, None)  # refused by name where outputs are read: there is no cache to hand to backward
        *outputs, self._cache = result
        if len(outputs) == 1 and isinstance(outputs[0], tuple):
            outputs = list(outputs[0])
        self._outputs = len(outputs)
        return tuple(outputs)

    def fork(self) -> Self:
        """A subject with a copy of the cache and of the inputs."""
        other = copy.copy(self)
        other._cache, other._inputs = copy.deepcopy((self._cache, dict(self._inputs)))
        return other

    @property
    def operation(self) -> Operation | None:
        """The operation of an autograd library that the pair is; None for two functions of the author's."""
        return operation_of(self._forward)

    def ask(self, question: Callable[..., Any], /, *args: Any) -> Any:
        """What a method of the operation answers; what the author's code raises there is raised as backward's."""
        return self._run("backward", question, *args)

    def takes_dout(self) -> bool:
        """Whether backward asks for an upstream gradient beside the cache."""
        return self._plan(self._outputs).takes_dout

    def averages(self) -> bool | None:
        """Whether backward's source divides by the number of samples; None where forward compares no two arrays."""
        return averages(self._inputs, self._backward)

    def untold(self) -> str | None:
        """Which of backward's arguments nothing says what they are given, and what to do; None where all are known."""
        return self._plan(self._outputs).refusal

    def _plan(self, outputs: int) -> Plan:
        names, given, defaults = names_returned(self._forward), owners(tuple(self._inputs)), tuple(self._defaults)
        return plan(self._backward, outputs, given, cache=True, defaults=defaults, returned=names)

    def backward(self, douts: Sequence[Array | float], *, clear: bool = True) -> Any:
        """The gradients, in the order of forward's array arguments. There is nothing to clear."""
        del clear
        filled: dict[Any, Any] = {}
        given = {**self._defaults, **nested(self._inputs)}
        args, kwargs = self._plan(len(douts)).bind(douts, given, self._cache, store=filled)
        returned = self._run("backward", self._backward, *args, **kwargs)
        returned = without_left_out(returned, self._signature.names, self._inputs)
        asked = self._asked()
        if filled:  # what backward returns is then of the others
            named = dict(by_input(filled, (), asked))
            rest = [name for name in asked if name not in named]
            parts = returned if isinstance(returned, (tuple, list)) else (returned,)
            own = by_input(returned, (), rest) if isinstance(returned, dict) else zip(rest, parts, strict=False)
            return named | dict(own)
        if any(key_of(name) for name in self._inputs):
            return by_input(returned, names_returned(self._backward), asked)
        return by_input(returned, (), asked) if isinstance(returned, dict) else returned


class LossSubject(FunctionSubject):
    """One function that returns a loss and its gradient: (loss, dx), (loss, dx, dw), (loss, (dx, dw)) or a dict."""

    def __init__(
        self, function: Callable[..., Any], name: str, signature: Signature, random: Randomness, widened: Widened | None
    ) -> None:
        super().__init__(function, name, signature, random, widened)
        self._gradients: tuple[Any, ...] = ()

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The loss; what stands behind it is kept as its gradients."""
        result = self._call(inputs)
        if not isinstance(result, (tuple, list)) or not result:
            self._gradients = ()
            return (result,)
        loss, *gradients = result
        self._gradients = tuple(gradients)
        return (loss,)

    def takes_dout(self) -> bool:
        """Never: a loss is where gradients begin."""
        return False

    def backward(self, douts: Sequence[Array | float], *, clear: bool = True) -> Any:
        """The gradients of the last call, by input. There is nothing to clear, and nothing to be handed over."""
        del douts, clear
        names = names_returned(self._forward)[1:]
        found: Any = self._gradients
        if not found:
            return {}
        if len(found) == 1 and isinstance(found[0], (tuple, list, dict)):
            found, names = found[0], names[0] if names and isinstance(names[0], tuple) else ()
        asked = self._asked()
        shared = by_input(found, names, asked)
        left = [name for name in asked if isinstance(shared, dict) and name not in shared]
        self.notes = [f"no gradient is returned for {', '.join(left)}: not checked"] if left else []
        return shared

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """No parameters; a defect where the function returns no gradient at all."""
        if self._gradients:
            return {}, ()
        advice = f"return (loss, dx), or give its backward function too: Case({self.name}, its_backward, ...)"
        headline = f"{self.name} returns no gradient: its result is one value, not (loss, gradient)"
        return {}, (Defect("GP204", headline, None, (("what to do", advice),)),)
