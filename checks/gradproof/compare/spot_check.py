"""One gradient at one example, along a few random directions only: enough to tell whether it is wrong there at all."""

from __future__ import annotations

import contextlib

import numpy as np

from gradproof.compare.judge_example import Build
from gradproof.differentiate.differentiate import top_step
from gradproof.differentiate.problem import Problem
from gradproof.differentiate.problem_builder import ProblemBuilder
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.values import Example, Outcome, Reason, TensorResult, Verdict

DIRECTIONS = 3  # a wrong gradient is right along one random direction by chance, along three it is not
STEP = 1 / 128  # of the first step of a measurement: truncation is then near 1e-9 of a third derivative
# Relative to the sum of absolute terms. What lies between is not told: a kink, or a discrepancy that is small.
RIGHT, WRONG = 1e-6, 1e-3


def spot_check(example: Example, build: Build, name: str | None = None, *, declared: bool = True) -> Outcome:
    """Say of one tensor, or of all, whether its gradient fails here; not examined where the subject raises."""
    with quiet(), Randomness(example.seed) as random, contextlib.suppress(SubjectError):
        rng = np.random.default_rng(example.seed)
        wanted = example.wanted
        builder = ProblemBuilder(build(random, widen=True), example.inputs, wanted, declared)
        problem = builder.build(rng)
        if isinstance(problem, Problem):
            chosen = [i for i, tensor in enumerate(problem.tensors) if name in (None, tensor.name)]
            found = tuple(_checked(problem, i, rng) for i in chosen)
            return Outcome(example, tensors=found, forwards=builder.forwards)
    return Outcome(example, unjudged=Reason.NOT_EXAMINED)


def _checked(problem: Problem, number: int, rng: np.random.Generator) -> TensorResult:
    tensor = problem.tensors[number]
    gaps = [_gap(problem, number, rng) for _ in range(DIRECTIONS)]
    verdict = Verdict.INCONCLUSIVE
    if max(gaps) > WRONG:
        verdict = Verdict.FAIL
    elif max(gaps) < RIGHT:
        verdict = Verdict.PASS
    size = tensor.value.size
    return TensorResult(
        tensor.name, tensor.role, tensor.value.shape, verdict, "a few directions", size, 0, 2 * DIRECTIONS
    )


def _gap(problem: Problem, number: int, rng: np.random.Generator) -> float:
    """How far claim and slope are apart along a random direction, relative to the sum of absolute terms."""
    tensor = problem.tensors[number]
    direction = rng.standard_normal(tensor.value.shape)
    step = STEP * top_step(tensor.value)
    ends = [problem.evaluate(number, tensor.value + sign * step * direction) for sign in (1.0, -1.0)]
    terms = np.concatenate([problem.dout * (ends[0] - ends[1]) / (2 * step), -(tensor.claim * direction).reshape(-1)])
    noise = problem.eps * float(np.abs(problem.dout) @ np.abs(problem.outputs)) / step
    size, gap = float(np.abs(terms).sum()), abs(float(terms.sum()))
    if not np.isfinite(size):
        return (RIGHT + WRONG) / 2
    return max(gap - noise, 0.0) / size if size > 0.0 else 0.0
