"""Outcomes of searches on literal arrays, for the tests of the diagnosis; they hold no test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradproof.codes import CODES
from gradproof.diagnose.diagnose import diagnose
from gradproof.report.lines import lines
from gradproof.values import Entry, Example, FloatArray, Outcome, Role, TensorResult, Verdict

Gradient = Callable[[FloatArray, dict[str, int]], FloatArray]
Shapes = list[tuple[int, int, int]]

BOUND = 1e-12
SHAPES = [(1, 2, 3), (2, 3, 4), (3, 3, 3), (4, 1, 2), (5, 2, 1), (2, 4, 5), (3, 5, 2), (6, 3, 2)]


def tensor(name: str, analytic: FloatArray, numeric: FloatArray, role: Role = Role.PARAMETER) -> TensorResult:
    bound = np.full(numeric.shape, BOUND)
    gap = np.abs(analytic - numeric)
    wrong = [tuple(int(i) for i in index) for index in np.argwhere(gap > bound)]
    wrong.sort(key=lambda index: -gap[index])
    return TensorResult(
        name=name,
        role=role,
        shape=numeric.shape,
        verdict=Verdict.FAIL if wrong else Verdict.PASS,
        method="entry by entry",
        entries=numeric.size,
        judged=numeric.size,
        forwards=0,
        wrong=tuple(Entry(i, float(analytic[i]), float(numeric[i]), BOUND) for i in wrong),
        wrong_count=len(wrong),
        analytic=analytic,
        numeric=numeric,
        bound=bound,
    )


def example(n: int, d: int, h: int, **inputs: FloatArray) -> Example:
    return Example(dims={"n": n, "d": d, "h": h}, init={}, inputs={"x": np.zeros((n, d)), **inputs}, seed=0)


def search(backward: Gradient, shapes: Shapes = SHAPES, role: Role = Role.PARAMETER) -> list[Outcome]:
    """The outcomes of a (d, h) tensor W whose analytic gradient is what ``backward`` makes of the true one."""
    rng = np.random.default_rng(7)
    outcomes: list[Outcome] = []
    for n, d, h in shapes:
        true = rng.standard_normal((d, h))
        outcomes.append(Outcome(example(n, d, h), (tensor("W", backward(true, {"n": n, "d": d, "h": h}), true, role),)))
    return outcomes


def named(outcomes: list[Outcome], name: str = "W") -> tuple[str, dict[str, str]]:
    """The code and the lines of the finding about the first outcome that fails."""
    minimal = next(o for o in outcomes if any(t.name == name and t.verdict is Verdict.FAIL for t in o.tensors))
    finding = diagnose("Affine", minimal, outcomes, "gradproof layers.py::Affine --seed 0", name)
    assert finding.name == CODES[finding.code].name
    return finding.code, dict(lines(finding))


def only_last_row(true: FloatArray, dims: dict[str, int]) -> FloatArray:
    wrong = true.copy()
    wrong[-1] += 1.0
    return wrong


def last_row_and_corner(true: FloatArray, dims: dict[str, int]) -> FloatArray:
    wrong = only_last_row(true, dims)
    wrong[0, 0] += 1.0
    return wrong


def one_of_the_last_row(true: FloatArray, dims: dict[str, int]) -> FloatArray:
    wrong = true.copy()
    wrong[-1, dims["n"] % dims["h"]] += 1.0
    return wrong


def one_entry_wrong(true: FloatArray, dims: dict[str, int], scale: float) -> FloatArray:
    wrong = true * scale
    wrong[0, 0] += 0.5
    return wrong


def with_a_kink(outcome: Outcome, name: str) -> Outcome:
    """The outcome with the second entry of a tensor unmeasured."""
    for result in outcome.tensors:
        if result.name == name:
            result.numeric.flat[1] = np.nan
    return outcome
