"""Where a gradient is off by float32's digits alone: whether forward casts one of its tensors. It judges none.

Where all tensors move together, those that are not cast hide that one is; and where its values are exact in float32,
no noise tells of the cast either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradproof.compare.suspect import dense
from gradproof.compare.tally import verdict_of
from gradproof.differentiate import noise
from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.problem import Problem
from gradproof.values import Reason, TensorResult, Verdict

SLIGHT = 2.0**-20  # relative to the tensor's largest entry: eight units of float32


def beyond_float32(
    problem: Problem, results: Sequence[TensorResult], rng: np.random.Generator
) -> tuple[TensorResult, ...]:
    """The results without accusations that float32 explains; where one is so slight, it takes 45 forwards a tensor."""
    if not any(map(_is_slight, results)) or not any(_is_cast(problem, i, rng) for i in range(len(problem.tensors))):
        return tuple(results)
    return tuple(_withdrawn(result) if _is_slight(result) else result for result in results)


def _is_slight(result: TensorResult) -> bool:
    if result.verdict is not Verdict.FAIL or result.numeric is None or not result.wrong:
        return False
    largest = float(np.nanmax(np.abs(result.numeric), initial=0.0))
    return all(abs(entry.analytic - entry.numeric) <= SLIGHT * largest for entry in result.wrong)


def _is_cast(problem: Problem, number: int, rng: np.random.Generator) -> bool:
    """Whether the outputs have only float32's digits of one tensor: they stand still where it moves by less."""
    values = [tensor.value for tensor in problem.tensors]
    direction = dense(values[number], rng)

    def sample(distance: float) -> Floats:
        moved = [value + distance * direction if i == number else value for i, value in enumerate(values)]
        return problem.at(moved)[0]

    return noise.computes_narrow(noise.survey(sample), problem.eps)


def _withdrawn(result: TensorResult) -> TensorResult:
    judged = result.judged - result.wrong_count
    below = result.unjudged.get(Reason.BELOW_RESOLUTION, 0) + result.wrong_count
    return replace(
        result,
        verdict=verdict_of(0, judged, result.entries),
        judged=judged,
        unjudged={**result.unjudged, Reason.BELOW_RESOLUTION: below},
        wrong=(),
        wrong_count=0,
    )
