"""Asks backward and forward output by output: what is claimed, what is true; it compares nothing and names no cause."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from gradproof.differentiate.differentiate import Floats, top_step
from gradproof.differentiate.problem import Problem
from gradproof.values import Jacobian

Again = Callable[[Mapping[str, Floats], Floats], object]

# forwards: images of a few pixels fit, and naming stays far cheaper than the search that found the fault
MOST = 300
# of the first step of a measurement: truncation is then near 1e-9 of a third derivative, round-off near 1e-11 of y
STEP = 1 / 128


def jacobians(problem: Problem, again: Again, names: Collection[str]) -> dict[str, Jacobian]:
    """Ask backward for a dout of 1 at each output alone, and measure what each output does for an entry moved.

    again: makes the problem at given values with another dout. names: the tensors whose derivatives are measured, the
    first ones first, as far as the forwards reach; {} for a subject with one output, whose gradient shows it already.
    """
    left = MOST - problem.outputs.size
    chosen: list[int] = []
    for number, tensor in enumerate(problem.tensors):
        if tensor.name in names and 0 < 2 * tensor.value.size <= left:
            chosen.append(number)
            left -= 2 * tensor.value.size
    if problem.outputs.size < 2 or not chosen:
        return {}
    claimed = _claims(problem, again)
    if claimed is None:
        return {}
    return {problem.tensors[i].name: Jacobian(claimed[i], _derivatives(problem, i)) for i in chosen}


def _claims(problem: Problem, again: Again) -> list[Floats] | None:
    """One array (outputs, entries) for each tensor; None where the problem cannot be made for one of the douts."""
    rows: list[list[Floats]] = [[] for _ in problem.tensors]
    values = {tensor.name: tensor.value for tensor in problem.tensors}
    for unit in np.eye(problem.outputs.size):
        other = again(values, unit)
        if not isinstance(other, Problem):
            return None
        for row, tensor in zip(rows, other.tensors, strict=True):
            row.append(tensor.claim.reshape(-1))
    return [np.array(row) for row in rows]


def _derivatives(problem: Problem, number: int) -> Floats:
    value = problem.tensors[number].value
    step = STEP * top_step(value)
    columns: list[Floats] = []
    for entry in range(value.size):
        moved = [value.copy(), value.copy()]
        moved[0].flat[entry] += step
        moved[1].flat[entry] -= step
        taken = float(moved[0].flat[entry] - moved[1].flat[entry])  # what rounding left of twice the step
        columns.append((problem.evaluate(number, moved[0]) - problem.evaluate(number, moved[1])) / taken)
    return np.array(columns).T
