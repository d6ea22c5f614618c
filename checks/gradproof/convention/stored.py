"""Finds what a method that returns nothing stored instead, under one of the customary names; it calls nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.convention.leaves import MISSING

# The school in which layers hand nothing over: a net reads layer.output and layer.dinputs. The commonest names first.
OUTPUTS = ("output", "outputs", "out", "y", "y_hat", "result")
GRADIENTS = ("dinputs", "dinput", "dx", "grad_input", "grad_inputs", "input_grad", "inputs_grad", "dLdX", "grad_x")

KEPT_OUTPUT = "self.output"  # what backward may be given again, whatever the attribute is called


class Stored:
    """One of ``names``, as attributes: the one that a call wrote. ``before`` and ``after`` enclose the call.

    Case and underscores do not matter: dInputs and d_inputs are dinputs.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._held: dict[str, tuple[Any, Any]] = {}
        self.name: str | None = None  # the one that is read, once that is known

    def before(self, layer: Any) -> None:
        """Hold what there is."""
        if self.name is None:
            state = getattr(layer, "__dict__", {})
            self._held = {name: (state[name], _copy(state[name])) for name in _called(self._names, state)}

    def after(self, layer: Any) -> Any:
        """What the call stored; None where it stored nothing under these names."""
        state = getattr(layer, "__dict__", {})
        if self.name is None:
            self.name = next(
                (name for name in _called(self._names, state) if self._is_written(name, state[name])), None
            )
        self._held = {}
        return None if self.name is None else state.get(self.name)

    def _is_written(self, name: str, value: Any) -> bool:
        if not isinstance(value, (np.ndarray, np.number, float)):
            return False
        held, copy = self._held.get(name, (MISSING, None))
        return value is not held or not np.array_equal(value, copy, equal_nan=True)


def _called(names: Sequence[str], state: Mapping[str, Any]) -> list[str]:
    """The attributes that bear one of the names, the likeliest first."""
    likely = [_plain(name) for name in names]
    found = [name for name in state if _plain(name) in likely]
    return sorted(found, key=lambda name: likely.index(_plain(name)))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def kept_output(layer: Any) -> dict[str, Any]:
    """The array that a layer keeps under one of the names of an output, by name; nothing where it has none."""
    state = getattr(layer, "__dict__", {})
    kept = [state[name] for name in _called(OUTPUTS, state)]
    found = [value for value in kept if isinstance(value, np.ndarray) and value.ndim]
    return {KEPT_OUTPUT: found[0]} if found else {}
