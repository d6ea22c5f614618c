"""Whole tensors: which directions to try for each, what they add up to, and which entries are wrong.

It knows problems and verdicts on directions; it does not know how a subject is called or what a wrong gradient means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gradproof.compare import suspect
from gradproof.compare.compare import judge
from gradproof.compare.directions import MARGIN, Answer, Directions, Judged, Suspicion
from gradproof.compare.tally import by_direction, by_entry
from gradproof.compare.wrong_entries import Located, locate
from gradproof.differentiate.differentiate import KAPPA, Floats, Ints, Noise, top_step
from gradproof.differentiate.noise import largest
from gradproof.differentiate.problem import Problem, Tensor, finite
from gradproof.differentiate.sampling import (
    DirectionSampler,
    EntrySampler,
    EvaluateStack,
    StackSampler,
    signed_direction,
)
from gradproof.differentiate.separable import rows_are_independent
from gradproof.values import Reason, TensorResult, Verdict

ENTRYWISE = 256  # entries of a tensor up to which each is looked at by itself
STACK_FROM, STACK_UPTO = 48, 1 << 11  # entries of an input for which a stacked batch pays
DIRECTIONS = 4  # signed random directions for a large tensor
BROKEN = 8  # entries without a finite claim that are looked at in a large tensor
KEEP = 1 << 20  # elements of directions held at once; beyond, one direction is judged at a time
DECIMALS = 1e-4  # outputs may be rounded to four decimals,
NARROW_ULPS = 1e-6  # or to a few units of float32, without that any one example shows it
GRAINS = 16.0  # units of round-off, of its largest entry, that a claim from a narrow buffer may be off
MATTERS = 1e-3  # a tensor's least scale, relative to the most influential tensor of the subject

Only = Mapping[int, Ints]  # tensor's number -> the entries to look at


@dataclass(eq=False)
class Examination:
    """One problem under examination, with the second look taken at most once; its methods lay out directions."""

    problem: Problem
    rng: np.random.Generator
    measured: suspect.Measured | None = None
    value: float = field(init=False)
    worst: float = field(init=False)
    scales: Floats = field(init=False)
    grains: Floats = field(init=False)  # round-off of claims read from rounded weights, in units of the slope
    least: Floats = field(init=False)
    quantum: float = field(init=False)

    def __post_init__(self) -> None:
        self.value, self.worst = suspect.modelled(self.problem)
        tensors = self.problem.tensors
        self.scales = np.array([float(np.max(np.abs(finite(t.claim)), initial=0.0)) for t in tensors])
        self.grains = GRAINS * np.array([tensor.grain for tensor in tensors]) * self.scales
        sizes = np.array([float(np.sqrt(np.mean(np.square(t.value)))) if t.value.size else 0.0 for t in tensors])
        sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)
        influence = float(np.max(self.scales * sizes, initial=0.0))
        self.least = np.maximum(self.scales, MATTERS * influence / sizes)
        self.quantum = largest(self.problem.dout) * max(DECIMALS, NARROW_ULPS * largest(self.problem.outputs))

    def second(self) -> suspect.Measured:
        """The second look, taken when it is first asked for."""
        if self.measured is None:
            self.measured = suspect.measure(self.problem, self.value, self.rng)
        return self.measured

    def entry_directions(self, tensors: Ints, entries: Ints) -> tuple[Directions, Callable[[], Suspicion]]:
        """Single entries as directions (numbers of tensors, flat indices), and their second look."""
        claim, tops = np.empty(entries.size), np.empty(entries.size)
        for number in np.unique(tensors):
            mine, tensor = tensors == number, self.problem.tensors[number]
            claim[mine] = finite(tensor.claim).reshape(-1)[entries[mine]]
            tops[mine] = top_step(tensor.value)
        ones = np.ones(claim.size)
        rounding = 2 * self.problem.eps * np.abs(claim) + self.grains[tensors]
        noise = Noise(self.value * ones, self.worst * ones, rounding)
        directions = Directions(claim, self.scales[tensors], self.least[tensors], tops, noise, self.quantum)
        where = tensors.tolist(), entries.tolist()
        return directions, lambda: suspect.for_entries(self.problem, self.second(), directions, *where)


def examine(problem: Problem, rng: np.random.Generator, only: Only | None = None) -> tuple[TensorResult, ...]:
    """Judge the claimed gradient of every tensor of the problem (``only``: of these entries).

    Small tensors entry by entry; inputs with independent rows in stacked batches; large ones along signed random
    directions, with the wrong entries located where a direction disagrees.
    """
    examination = Examination(problem, rng)
    results: dict[int, TensorResult] = {}
    together: dict[int, Ints] = {}
    for number, tensor in enumerate(problem.tensors):
        chosen = np.arange(tensor.value.size) if only is None else only.get(number, np.arange(0))
        if not chosen.size:
            if only is None:
                results[number] = _empty(tensor)
            continue
        stacked = _stack(problem, number, rng) if STACK_FROM <= tensor.value.size <= STACK_UPTO else None
        if stacked is not None:
            results[number] = _stacked(examination, number, chosen, stacked)
        elif tensor.value.size <= ENTRYWISE:
            together[number] = chosen
        elif np.isfinite(tensor.claim).all():
            results[number] = _directional(examination, number)
        else:
            results[number] = _broken(examination, number)
    results.update(_entrywise(examination, together))
    return tuple(results[number] for number in sorted(results))


def _empty(tensor: Tensor) -> TensorResult:
    shape = tensor.value.shape
    return TensorResult(tensor.name, tensor.role, shape, Verdict.INCONCLUSIVE, "nothing to examine", 0, 0, 0)


def _entrywise(examination: Examination, together: Mapping[int, Ints]) -> dict[int, TensorResult]:
    """All small tensors in one judgement: the more directions side by side, the less time goes into deciding."""
    if not together:
        return {}
    tensors = np.concatenate([np.full(chosen.size, number) for number, chosen in together.items()])
    entries = np.concatenate(list(together.values()))
    directions, second = examination.entry_directions(tensors, entries)
    sampler = EntrySampler(examination.problem.point, examination.problem.evaluate, tensors, entries)
    judged = judge(directions, sampler, second)
    return {
        number: by_entry(examination.problem.tensors[number], "entry by entry", judged, tensors == number, entries)
        for number in together
    }


def _stack(problem: Problem, number: int, rng: np.random.Generator) -> EvaluateStack | None:
    evaluate = problem.stack(number)
    value = problem.tensors[number].value
    if evaluate is None or not rows_are_independent(value, problem.outputs, evaluate, rng):
        return None
    return evaluate


def _stacked(examination: Examination, number: int, chosen: Ints, evaluate: EvaluateStack) -> TensorResult:
    tensor = examination.problem.tensors[number]
    directions, second = examination.entry_directions(np.full(chosen.size, number), chosen)
    sampler = StackSampler(examination.problem.point, number, evaluate)
    judged = judge(directions, lambda steps, who: sampler(steps, chosen[who]), second)
    result = by_entry(tensor, "stacked batch", judged, np.ones(chosen.size, bool), chosen)
    return replace(result, forwards=sampler.calls + 1)


def _broken(examination: Examination, number: int) -> TensorResult:
    """A large tensor whose claim is not finite everywhere: is the slope defined there? No direction could tell."""
    tensor = examination.problem.tensors[number]
    chosen = np.flatnonzero(~np.isfinite(tensor.claim))[:BROKEN]
    result = _entrywise(examination, {number: chosen})[number]
    unjudged = {Reason.NON_FINITE: tensor.value.size - result.judged}
    method = f"{chosen.size} entries whose gradient is not finite"
    return replace(result, method=method, entries=tensor.value.size, unjudged=unjudged, ties=(), strays=())


def _directional(examination: Examination, number: int) -> TensorResult:
    tensor = examination.problem.tensors[number]
    point = examination.problem.point
    together = tensor.value.size * DIRECTIONS <= KEEP
    groups = [range(1), range(1, DIRECTIONS)] if together else [range(i, i + 1) for i in range(DIRECTIONS)]
    parts: list[Judged] = []
    located: tuple[Located, ...] = ()
    searched = 0
    for group in groups:
        weights = [signed_direction(tensor.value.shape, examination.rng) for _ in group]
        # directions count from 0 in a group
        sampler = DirectionSampler(point, examination.problem.evaluate, number, weights.__getitem__)
        directions, second = dense_directions(examination, number, weights)
        judged = judge(directions, sampler, second)
        parts.append(judged)
        wrong = np.flatnonzero(judged.outcome == Answer.DISAGREE)
        if wrong.size:
            weights.clear()
            located, searched = locate_in(examination, number, float(judged.step[wrong[0]]))
            break
    return by_direction(tensor, parts, located, searched, float(examination.scales[number]))


def dense_directions(
    examination: Examination, number: int, weights: Sequence[Floats]
) -> tuple[Directions, Callable[[], Suspicion]]:
    """Dense directions of one tensor, and their second look."""
    problem, tensor = examination.problem, examination.problem.tensors[number]
    ones = np.ones(len(weights))
    lengths = np.array([float(np.sqrt(np.vdot(weight, weight))) for weight in weights])
    claim = np.array([float(np.vdot(finite(tensor.claim), weight)) for weight in weights])
    # of <claim, u>: a random walk, twice; a narrow claim's typical entry counts, its errors are independent
    typical = float(np.sqrt(np.mean(np.square(finite(tensor.claim)))))
    rounding = 4 * (problem.eps * examination.scales[number] + tensor.grain * typical) * lengths
    noise = Noise(examination.value * ones, examination.worst * ones, rounding)
    top = top_step(tensor.value) * ones
    directions = Directions(
        claim,
        examination.scales[number] * lengths,
        examination.least[number] * lengths,
        top,
        noise,
        examination.quantum,
    )
    return directions, lambda: suspect.for_directions(problem, examination.second(), directions, number, weights)


def locate_in(examination: Examination, number: int, step: float) -> tuple[tuple[Located, ...], int]:
    """Measure along weighted directions with two rungs around the step at which the disagreement had settled."""
    value = examination.problem.tensors[number].value
    noise = examination.second().value
    steps = (4 * step, step)

    def along(direction: Floats) -> tuple[float, float]:
        sampler = DirectionSampler(examination.problem.point, examination.problem.evaluate, number, lambda _: direction)
        only = np.zeros(1, np.intp)
        coarse, fine = (float(sampler(np.array([h]), only).residual[0]) for h in steps)
        residual = fine + (fine - coarse) / 15
        unit = 2 * examination.problem.eps * examination.scales[number] + examination.grains[number]
        rounding = unit * float(np.sqrt(np.vdot(direction, direction)))
        truncation = abs(residual - fine) / 16  # the h^4 term is a 16th of the h^2 term, or less
        return residual, MARGIN * (KAPPA * noise / step + rounding + truncation)

    return locate(along, value.shape, examination.rng)
