"""Elementwise layers and problems for the tests of the engine; they hold no test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradproof import GradientFault, check
from gradproof.differentiate.problem import Problem, Tensor
from gradproof.findings import SubjectReport
from gradproof.values import Role

Function = Callable[[Any], Any]

INTEGERS = np.array([[-2.0, -1.0, 0.0], [0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])


def normal(*shape: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def node(function: Function, slope: Function) -> Any:
    """A layer object: forward is the function, backward multiplies dout by the slope at the same x."""

    class Node:
        def forward(self, x: Any) -> Any:
            self.x = x
            return function(x)

        def backward(self, dout: Any) -> Any:
            return dout * slope(self.x)

    return Node()


def problem(forward: Callable[..., Any], backward: Callable[..., Any], *values: Any, dout: Any = None) -> Problem:
    """A problem of arrays: forward(*values) -> outputs, backward(dout, *values) -> one gradient for each value."""
    outputs = np.asarray(forward(*values), dtype=np.float64)
    weights = np.ones(outputs.shape) if dout is None else np.asarray(dout, dtype=np.float64)

    def flat(*moved: Any) -> Any:
        return np.asarray(forward(*moved), dtype=np.float64).reshape(-1)

    def evaluate(number: int, value: Any) -> Any:
        return flat(*(value if i == number else other for i, other in enumerate(values)))

    def at(moved: Any) -> Any:
        return flat(*moved), backward(weights, *moved)

    claims = backward(weights, *values)
    tensors = [
        Tensor(f"x{i}", Role.INPUT, value, claim) for i, (value, claim) in enumerate(zip(values, claims, strict=True))
    ]
    return Problem(tensors, outputs.reshape(-1), weights.reshape(-1), evaluate, at, lambda number: None, 2.0**-52)


def elementwise(function: Function, slope: Function, x: Any, dout: Any = None) -> Problem:
    return problem(
        function, lambda weights, value: (weights * slope(value),), np.asarray(x, dtype=np.float64), dout=dout
    )


def report_of(target: Any, *inputs: Any, **options: Any) -> SubjectReport:
    """What check() says of one subject, whether it raises or not."""
    try:
        return check(target, *inputs, **options).subjects[0]
    except GradientFault as fault:
        return fault.report.subjects[0]


def relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def step(x: Any) -> Any:
    return np.where(x > 0, 1.0, 0.0)


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def sigmoid_slope(x: Any) -> Any:
    return sigmoid(x) * sigmoid(-x)


def tanh_slope(x: Any) -> Any:
    return 1.0 / np.cosh(x) ** 2


def but(function: Function, entry: int, factor: float) -> Function:
    """The function with one entry of its result multiplied by a factor."""

    def changed(x: Any) -> Any:
        result = np.array(function(x), dtype=np.float64)
        result.flat[entry] *= factor
        return result

    return changed
