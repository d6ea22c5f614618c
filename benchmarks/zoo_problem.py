"""A drawn case of the zoo as a Problem of the engine, with its truth in longdouble; it judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from zoo import ZOO
from zoo_kind import Array, Kind

from gradproof.differentiate.problem import Problem, Tensor
from gradproof.differentiate.sampling import EvaluateStack
from gradproof.values import Role

SCALES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 1.0, 1.0, 10.0, 50.0, 1e2, 1e4)


@dataclass(eq=False)
class Drawn:
    """One random correct check: a kind, its inputs, dout, outputs and gradients; counts its forwards."""

    kind: Kind
    scale: float
    inputs: list[Array]
    outputs: Array
    dout: Array
    gradients: list[Array | None]
    forwards: int = 0

    @property
    def which(self) -> list[int]:
        """Positions of the inputs that have a gradient."""
        return [i for i, gradient in enumerate(self.gradients) if gradient is not None]

    def finite(self) -> bool:
        """True where outputs and gradients are finite: other draws are not checks of a gradient."""
        arrays = [self.outputs, *(g for g in self.gradients if g is not None)]
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def problem(self, claims: dict[int, Array] | None = None) -> Problem:
        """The problem with these claims in place of the right gradients (by position of the input)."""
        claims = claims or {}
        tensors = [
            Tensor(f"x{i}", Role.INPUT, self.inputs[i], np.asarray(claims.get(i, self.gradients[i]), float))
            for i in self.which
        ]
        return Problem(
            tensors, self.outputs.reshape(-1), self.dout.reshape(-1), self._evaluate, self._at, _no_stack, 2.0**-52
        )

    def _evaluate(self, number: int, value: Array) -> Array:
        inputs = list(self.inputs)
        inputs[self.which[number]] = value
        self.forwards += 1
        return self.kind.forward(*inputs).reshape(-1)

    def _at(self, values: Sequence[Array]) -> tuple[Array, list[Array]]:
        inputs = list(self.inputs)
        for i, value in zip(self.which, values, strict=True):
            inputs[i] = value
        gradients = self.kind.backward(self.dout, *inputs)
        return self.kind.forward(*inputs).reshape(-1), [g for g in gradients if g is not None]

    def truth(self, number: int) -> Array:
        """The gradient of one tensor, computed in longdouble."""
        wide = [x.astype(np.longdouble) if x.dtype.kind == "f" else x for x in self.inputs]
        gradient = self.kind.backward(self.dout.astype(np.longdouble), *wide)[self.which[number]]
        return np.asarray(gradient)


def _no_stack(number: int) -> EvaluateStack | None:
    return None


def draw(
    rng: np.random.Generator, names: Sequence[str] | None = None, integers: bool = False, scales: Any = SCALES
) -> Drawn:
    """Draw a kind, a scale, inputs and dout; ``integers`` puts the first input on ties and zeros."""
    kind = ZOO[str(rng.choice(list(names or ZOO)))]
    scale = float(rng.choice(scales))
    with np.errstate(all="ignore"):
        inputs = kind.make(rng, scale)
        if integers:
            inputs[0] = rng.integers(-3, 4, inputs[0].shape).astype(float)
        outputs = np.asarray(kind.forward(*inputs))
        dout = rng.standard_normal(outputs.shape)
        gradients = kind.backward(dout, *inputs)
    return Drawn(kind, scale, inputs, outputs, dout, gradients)
