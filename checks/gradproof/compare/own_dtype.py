"""The second pass, in the subject's own dtype: its gradient is the one in float64, give or take its rounding.

It compares arrays; it does not call the subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.noise import SHRINK, unit
from gradproof.differentiate.problem import Problem
from gradproof.values import Defect

DRAWS = 3
SAFETY = 32.0  # the worst of three draws of input rounding, times this, bounds the rounding of a narrow backward
GROSS = 1e-2  # relative to the largest entry: less is not reported, whatever the bound says


def own_dtype_defects(
    problem: Problem, own: Mapping[str, Any], dtype: np.dtype[Any], rng: np.random.Generator
) -> tuple[Defect, ...]:
    """Compare gradients computed in the subject's own dtype with those in float64 at the same point.

    How far rounding can carry them is measured: the float64 gradient at inputs that are off by one unit of that dtype,
    and its size at small inputs, where saturation does not hide how large the cancelling terms are (a sigmoid's 1-y).
    """
    eps = unit(dtype)
    unsaturated = problem.at([SHRINK * tensor.value for tensor in problem.tensors])[1]
    spreads = _spreads(problem, eps, rng)
    defects: list[Defect] = []
    for tensor, natural, spread in zip(problem.tensors, unsaturated, spreads, strict=True):
        name, claim, mine = tensor.name, tensor.claim, own.get(tensor.name)
        if mine is None or np.shape(mine) != claim.shape or not claim.size:
            continue
        largest = float(np.max(np.abs(claim)))
        terms = np.fmax(largest, np.fmax.reduce(np.abs(natural), axis=None))
        away = np.abs(np.asarray(mine, dtype=np.float64) - claim)
        allowed = np.maximum(SAFETY * (spread + eps * terms * np.sqrt(claim.size)), GROSS * largest)
        if not np.all(away <= allowed):
            defects.append(_defect(name, np.asarray(mine), claim, away - allowed, dtype))
    return tuple(defects)


def _spreads(problem: Problem, eps: float, rng: np.random.Generator) -> list[Floats]:
    """How far the gradient of each tensor moves at most where every value is off by about ``eps`` of itself."""
    spreads: list[Floats] = [np.zeros(tensor.claim.shape) for tensor in problem.tensors]
    for _ in range(DRAWS):
        near = [t.value * (1 + eps * rng.standard_normal(t.value.shape)) for t in problem.tensors]
        _, gradients = problem.at(near)
        for tensor, gradient, spread in zip(problem.tensors, gradients, spreads, strict=True):
            np.fmax(spread, np.abs(gradient - tensor.claim), out=spread)
    return spreads


def _defect(name: str, mine: Floats, claim: Floats, beyond: Floats, dtype: np.dtype[Any]) -> Defect:
    worst = np.unravel_index(int(np.argmax(np.nan_to_num(beyond, nan=np.inf))), claim.shape)
    where = f"{name}[{', '.join(str(i) for i in worst)}]" if worst else name
    line = ("worst entry", f"{where}   in {dtype} {mine[worst]:.4g}   in float64 {claim[worst]:.4g}")
    advice = ("what to do", "look for a sum, an exp or a buffer that overflows or loses digits in the narrow dtype")
    return Defect("GP401", f"the gradient of {name} in {dtype} is not the one in float64", name, (line, advice))
