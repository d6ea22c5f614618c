"""The cases of the comparison: correct layers, errors planted in their backward, and counters. It knows no checker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from zoo import ZOO
from zoo_kind import Array, Kind, normal
from zoo_problem import Drawn

SMALL = (
    "affine",
    "sigmoid",
    "relu",
    "gelu_tanh",
    "softmax",
    "softmax_cross_entropy",
    "mean_squared_error",
    "layer_norm",
    "batch_norm",
    "conv2d",
    "attention",
    "two_layer_relu",
)
LARGE = {  # about 300 to 2000 entries a layer: where the cost of looking at each of them starts to show
    "affine": normal("n d", "d h", "h", least=24, most=32),
    "softmax": normal("n c", least=16, most=24),
    "batch_norm": normal("n d", "d", "d", least=16, most=24),
}
SCALES = (1e-2, 1e-1, 1.0, 1e1, 1e2)
WEIGHTY = 1e-3  # a planted error sits in an entry at least this large, relative to the tensor's largest gradient


@dataclass(frozen=True, eq=False)
class Case:
    """A correct check, and where an error is planted: a position among the inputs, and a flat entry of that tensor."""

    drawn: Drawn
    tensor: int
    entry: int


@dataclass(frozen=True)
class Fault:
    """One way to be wrong: it changes the gradient of the case's tensor, or the dout that backward uses."""

    name: str
    gradient: Callable[[Array, Case], Array] = lambda gradient, case: gradient
    dout: Callable[[Array], Array] = lambda dout: dout


def _one_entry(relative: float) -> Callable[[Array, Case], Array]:
    def change(gradient: Array, case: Case) -> Array:
        changed = gradient.copy()
        changed.flat[case.entry] *= 1 + relative
        return changed

    return change


def _last_row_forgotten(gradient: Array, _: Case) -> Array:
    changed = gradient.copy()
    changed[-1] = 0
    return changed


CORRECT = Fault("correct")
FAULTS = (
    Fault("entry x (1 + 1e-3)", _one_entry(1e-3)),
    Fault("entry x (1 + 1e-6)", _one_entry(1e-6)),
    Fault("entry x (1 + 1e-8)", _one_entry(1e-8)),
    Fault("all / n", lambda gradient, case: gradient / len(case.drawn.inputs[0])),
    Fault("sign", lambda gradient, case: -gradient),
    Fault("abs(dout)", dout=np.abs),
    Fault("last row 0", _last_row_forgotten),
)


def small() -> list[Kind]:
    """The layers of the comparison, with sides of 1 to 8."""
    return [ZOO[name] for name in SMALL]


def large() -> list[Kind]:
    """Three of them with larger sides."""
    return [replace(ZOO[name], make=make) for name, make in LARGE.items()]


def draw_case(rng: np.random.Generator, kind: Kind, scale: float) -> Case:
    """Draw until every planted error is one: finite, two rows or more, no gradient that vanishes where it is changed.

    abs(dout) is no error where the dout that a checker happens to use has no negative entry: that is the checker's lot.
    """
    while True:
        drawn = _drawn(rng, kind, scale)
        tensor = int(rng.choice(drawn.which))
        gradient = np.abs(np.asarray(drawn.gradients[tensor]))
        weighty = np.flatnonzero(gradient >= WEIGHTY * gradient.max())
        entry = int(rng.choice(weighty))
        visible = gradient.max() > 0 and len(gradient) > 1 and gradient[-1].max() >= WEIGHTY * gradient.max()
        if drawn.finite() and visible and len(drawn.inputs[0]) > 1:
            return Case(drawn, tensor, entry)


def _drawn(rng: np.random.Generator, kind: Kind, scale: float) -> Drawn:
    inputs = kind.make(rng, scale)
    outputs = np.asarray(kind.forward(*inputs))
    dout = rng.standard_normal(outputs.shape)
    return Drawn(kind, scale, inputs, outputs, dout, kind.backward(dout, *inputs))


class Subject:
    """A case as a checker meets it: functions of the differentiable inputs alone, every call counted."""

    def __init__(self, case: Case, fault: Fault) -> None:
        self.case, self.fault = case, fault
        self.forwards = self.backwards = 0
        self.inputs, self.outputs, self.dout = case.drawn.inputs, case.drawn.outputs, case.drawn.dout
        self.values = [self.inputs[i] for i in case.drawn.which]
        self.kind: Kind = replace(case.drawn.kind, forward=self._forward, backward=self._backward)

    def forward(self, *values: Array) -> Array:
        """The outputs at these values of the differentiable inputs."""
        return np.asarray(self.kind.forward(*self._filled(values)))

    def backward(self, dout: Array, *values: Array) -> list[Array]:
        """One gradient for each of them."""
        gradients = self.kind.backward(np.asarray(dout), *self._filled(values))
        return [np.asarray(gradient) for gradient in gradients if gradient is not None]

    def _filled(self, values: Sequence[Array]) -> list[Array]:
        inputs = list(self.inputs)
        for i, value in zip(self.case.drawn.which, values, strict=True):
            inputs[i] = np.asarray(value)
        return inputs

    def _forward(self, *inputs: Array) -> Array:
        self.forwards += 1
        return self.case.drawn.kind.forward(*inputs)

    def _backward(self, dout: Array, *inputs: Array) -> list[Array | None]:
        self.backwards += 1
        gradients = list(self.case.drawn.kind.backward(self.fault.dout(dout), *inputs))
        gradients[self.case.tensor] = self.fault.gradient(np.asarray(gradients[self.case.tensor]), self.case)
        return gradients
