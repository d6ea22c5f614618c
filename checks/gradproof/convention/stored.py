"""Finds what a method that returns nothing stored instead, under one of the customary names; it calls nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradproof.convention.leaves import MISSING

# The school in which layers hand nothing over: a net reads layer.output and layer.dinputs. The commonest names first.
OUTPUTS = ("output", "outputs", "out", "y", "Y", "y_hat", "result")
GRADIENTS = ("dinputs", "dinput", "d_inputs", "d_input", "dx", "dX", "grad_input", "grad_inputs", "input_grad")

KEPT_OUTPUT = "self.output"  # what backward may be given again, whatever the attribute is called


class Stored:
    """One of ``names``, as attributes: the one that a call wrote. ``before`` and ``after`` enclose the call."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._held: dict[str, tuple[Any, Any]] = {}
        self.name: str | None = None  # the one that is read, once that is known

    def before(self, layer: Any) -> None:
        """Hold what there is."""
        if self.name is None:
            state = getattr(layer, "__dict__", {})
            self._held = {name: (state[name], _copy(state[name])) for name in self._names if name in state}

    def after(self, layer: Any) -> Any:
        """What the call stored; None where it stored nothing under these names."""
        state = getattr(layer, "__dict__", {})
        if self.name is None:
            self.name = next((name for name in self._names if self._is_written(name, state.get(name, MISSING))), None)
        self._held = {}
        return None if self.name is None else state.get(self.name)

    def _is_written(self, name: str, value: Any) -> bool:
        if not isinstance(value, (np.ndarray, np.number, float)):
            return False
        held, copy = self._held.get(name, (MISSING, None))
        return value is not held or not np.array_equal(value, copy, equal_nan=True)


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def kept_output(layer: Any) -> dict[str, Any]:
    """The array that a layer keeps under one of the names of an output, by name; nothing where it has none."""
    state = getattr(layer, "__dict__", {})
    found = [state[name] for name in OUTPUTS if isinstance(state.get(name), np.ndarray) and state[name].ndim]
    return {KEPT_OUTPUT: found[0]} if found else {}
