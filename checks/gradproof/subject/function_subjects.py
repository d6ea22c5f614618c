"""Runs functions without an object: what all of them have in common, and a loss that returns its own gradient."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gradproof.case.signatures import Signature
from gradproof.convention.calling import Plan
from gradproof.convention.losses import averages
from gradproof.convention.return_statements import names_returned
from gradproof.convention.returned import by_input
from gradproof.guard import Randomness, call, fingerprint
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
        self.unread: dict[str, str] = {}
        self._forward, self._signature, self._random = forward, signature, random
        self._inputs: Mapping[str, Any] = {}
        self._numpy = widened

    def may_keep_loss(self) -> bool:
        """Never: it returns all that it makes."""
        return False

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

    def plans(self) -> tuple[Plan, ...]:
        """The ways in which backward may be called: one, as no backward is called."""
        return (Plan(),)

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

    def asked(self) -> tuple[str, ...]:
        """The inputs whose gradient is asked for: all float arrays, where it is not said."""
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
        asked = self.asked()
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
