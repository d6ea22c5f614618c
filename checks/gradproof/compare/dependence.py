"""Asks a failing subject what its gradients depend on: of x, of dout; it judges no gradient and names no cause."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gradproof.compare.beside_kinks import beside
from gradproof.compare.jacobian import Again, jacobians
from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.problem import Problem
from gradproof.values import Dependence, Jacobian, Role

MOST = 4096  # entries: a small failing example tells as much, and every example of a search is kept
ULPS = 64  # a vectorised function may round an entry differently at another place; a dependence is far larger


def dependence(
    problem: Problem, again: Again, rng: np.random.Generator, *, takes_dout: bool, names: Collection[str] = ()
) -> Dependence | None:
    """Run the subject a few times more, or return None where it is too large to be asked.

    again: makes the problem at given values with another dout; anything but a Problem means that it cannot be made.
    takes_dout: whether backward is given dout at all; a gradient that stays the same shows nothing where it is not.
    names: the tensors that are asked output by output.
    """
    if max(problem.outputs.size, *(tensor.value.size for tensor in problem.tensors)) > MOST:
        return None
    outputs, dout = problem.outputs.copy(), problem.dout.copy()
    negated = rescaled = frozenset[str]()
    asked: dict[str, Jacobian] = {}
    elementwise = _is_elementwise(problem, rng)
    if takes_dout:
        negated = _unmoved(problem, again, -dout)
        rescaled = _unmoved(problem, again, beside(dout, rng))
        asked = {} if elementwise else jacobians(problem, again, names)
    return Dependence(outputs, dout, elementwise, negated, rescaled, problem.shapes, asked)


def _unmoved(problem: Problem, again: Again, dout: Floats) -> frozenset[str]:
    """Name the tensors whose gradient is to the last bit what it was with the problem's own dout."""
    other = again({tensor.name: tensor.value for tensor in problem.tensors}, dout)
    if not isinstance(other, Problem):
        return frozenset()
    pairs = zip(problem.tensors, other.tensors, strict=True)
    return frozenset(tensor.name for tensor, moved in pairs if np.array_equal(tensor.claim, moved.claim))


def _is_elementwise(problem: Problem, rng: np.random.Generator) -> bool:
    """Move one half of the entries, then the other: the outputs of the half that stays must stay."""
    first = problem.tensors[0]
    if len(problem.tensors) > 1 or first.role is not Role.INPUT or problem.outputs.size != first.value.size:
        return False
    moved, half = beside(first.value, rng), rng.random(first.value.shape) < 0.5
    slack = ULPS * np.finfo(np.float64).eps * np.abs(problem.outputs)
    for stays in (half, ~half):
        outputs = problem.evaluate(0, np.where(stays, first.value, moved))
        if not (np.abs(outputs - problem.outputs) <= slack)[stays.reshape(-1)].all():
            return False
    return True
