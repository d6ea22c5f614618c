"""The second look at a problem in which something seems wrong: how noisy, how hidden and how stepped is it really?

It measures along lines through all tensors at once; it does not judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradproof.compare.directions import Directions, Suspicion
from gradproof.differentiate import noise
from gradproof.differentiate.differentiate import Floats, Ints, Noise
from gradproof.differentiate.problem import Problem, finite

SAMPLED = 1 << 14  # entries of a large tensor, or outputs, that are looked at
SAFETY = 6.0  # measured scatter of a claim times this bounds its round-off
HIDDEN_CLAIM = 4.0  # the same for round-off of claims that is only seen at shrunken inputs


@dataclass(frozen=True, eq=False)
class Measured:
    """What the second look found: for the whole problem a value, for each tensor an array or a number."""

    value: float
    gradients: Sequence[Floats]  # of the entries in ``picks``
    picks: Sequence[Ints]
    hidden_value: float
    hidden_gradients: Sequence[float]
    steps: noise.Steps
    relative: float  # round-off relative to the slope, where forward computes in a narrower dtype than its outputs'


def modelled(problem: Problem) -> tuple[float, float]:
    """Round-off of <dout, f> as a mixed stable forward has it: eps * (sum |dout y| + sum over all tensors |x g|).

    Returns the bound for the contracted value (a random walk where there are many terms), and the worst case.
    """
    worst, walk = noise.magnitude(_factors(problem))
    many = max(left.size for left, _ in _factors(problem)) > noise.LARGE
    return problem.eps * (min(worst, walk) if many else worst), problem.eps * worst


def _factors(problem: Problem) -> list[tuple[Floats, Floats]]:
    sizes = [(t.value.reshape(-1), finite(t.claim).reshape(-1)) for t in problem.tensors]
    return [(problem.dout, problem.outputs), *sizes]


def measure(problem: Problem, model: float, rng: np.random.Generator) -> Measured:
    """Measure the problem: 18 forwards with backwards for round-off, two for what hides, 45 forwards for steps."""
    directions = [dense(t.value, rng) for t in problem.tensors]
    values = [t.value for t in problem.tensors]

    def along(distance: float) -> list[Floats]:
        return [value + distance * direction for value, direction in zip(values, directions, strict=True)]

    shown, picks = _pick(problem.outputs.size, rng), [_pick(t.value.size, rng) for t in problem.tensors]

    def sample(distance: float) -> tuple[float, Sequence[Floats]]:
        outputs, gradients = problem.at(along(distance))
        outputs = outputs - problem.outputs
        value = float(problem.dout @ outputs)
        return value, [gradient.reshape(-1)[pick] for gradient, pick in zip(gradients, picks, strict=True)]

    rough = noise.roughness(sample)
    surveyed = noise.survey(lambda distance: problem.outputs_at(along(distance))[shown])
    hidden_value, hidden_gradients = _hidden(problem, surveyed, shown)
    claimed = [noise.largest(finite(t.claim)) for t in problem.tensors]
    natural = [max(sizes) for sizes in zip(claimed, hidden_gradients, strict=True)]
    gradients = [rough.of_gradient(i, problem.eps * size) for i, size in enumerate(natural)]
    steps = noise.moves_in_steps(surveyed, problem.eps)
    narrow = steps is noise.Steps.NONE and noise.computes_narrow(surveyed, problem.eps)
    coarser = noise.NARROW / problem.eps if narrow else 1.0
    value = max(rough.of_value(model), coarser * problem.eps * min(noise.magnitude(_factors(problem))))
    return Measured(value, gradients, picks, hidden_value, hidden_gradients, steps, problem.eps * (coarser - 1.0))


def _pick(size: int, rng: np.random.Generator) -> Ints:
    """All of a small array; of a large one, as many entries as tell its noise, so that memory does not grow with it."""
    return np.arange(size) if size <= SAMPLED else rng.choice(size, SAMPLED, replace=False, shuffle=False)


def dense(value: Floats, rng: np.random.Generator) -> Floats:
    """A random direction, each entry as large as the value's own, or as a typical one."""
    size = np.abs(value)
    typical = float(np.median(size)) if value.size else 0.0
    floor = typical or float(np.max(size, initial=0.0)) or 1.0
    result: Floats = rng.standard_normal(value.shape) * np.maximum(size, floor)
    return result


def _hidden(problem: Problem, surveyed: noise.Survey, shown: Ints) -> tuple[float, list[float]]:
    """Sizes that outputs and gradients have nearby, where they are not saturated: intermediates are as large as these.

    Capped at what O(1) intermediates of inputs and outputs of this size can be: 1/x nearby is no intermediate of x.
    """
    most = 1.0 + max(noise.largest(t.value) for t in problem.tensors) + noise.largest(problem.outputs)
    steepest = [noise.largest(problem.dout) + noise.largest(finite(t.claim)) for t in problem.tensors]
    natural, gradients = np.fmax.reduce(np.abs(surveyed.here)), [0.0] * len(problem.tensors)
    for chosen in (range(len(problem.tensors)), range(1)):
        shrunk = [t.value * noise.SHRINK if i in chosen else t.value for i, t in enumerate(problem.tensors)]
        outputs, claims = problem.at(shrunk)
        natural = np.fmax(natural, np.abs(outputs[shown]))
        for i, claim in enumerate(claims):
            if np.isfinite(claim).all():
                gradients[i] = max(gradients[i], min(steepest[i], noise.largest(claim)))
    terms = np.abs(problem.dout[shown]) * np.fmin(np.nan_to_num(natural, nan=0.0, posinf=most), most)
    share = float(np.sqrt(problem.dout.size / max(shown.size, 1)))  # of a random walk: only some were seen
    many = problem.dout.size > noise.LARGE
    return problem.eps * (share * noise.walk([terms]) if many else noise.total([terms])), gradients


def for_entries(
    problem: Problem, found: Measured, directions: Directions, tensors: Sequence[int], entries: Sequence[int]
) -> Suspicion:
    """Spread the measurement over single entries."""
    rough = np.array([found.gradients[t].flat[i] for t, i in zip(tensors, entries, strict=True)], dtype=np.float64)
    hidden = np.array([problem.eps * found.hidden_gradients[t] for t in tensors], dtype=np.float64)
    return _suspicion(found, directions.noise, SAFETY * rough, hidden, directions.scale)


def for_directions(
    problem: Problem, found: Measured, directions: Directions, tensor: int, weights: Sequence[Floats]
) -> Suspicion:
    """Spread the measurement over dense directions of one tensor."""
    noisy, pick = found.gradients[tensor], found.picks[tensor]
    share = weights[0].size / max(pick.size, 1)
    steps = [noisy * np.abs(weight.reshape(-1)[pick]) for weight in weights]
    if problem.tensors[tensor].grain:  # a claim read from rounded weights: the errors of its entries are independent
        rough = np.array([np.sqrt(share * float(np.vdot(step, step))) for step in steps])
    else:
        rough = np.array([share * float(np.sum(step)) for step in steps])
    per_unit = problem.eps * found.hidden_gradients[tensor]
    hidden = np.array([per_unit * float(np.abs(weight).sum()) for weight in weights])
    return _suspicion(found, directions.noise, SAFETY * rough, hidden, directions.scale)


def _suspicion(found: Measured, model: Noise, claim: Floats, hidden_claim: Floats, scale: Floats) -> Suspicion:
    value = np.maximum(model.value, found.value)
    # 4: an elementary function rounds its argument and its value, on both sides of the point
    claim = np.maximum(model.claim, claim) + 4 * found.relative * scale
    noise_now = Noise(value, np.maximum(model.spread, value), claim)
    return Suspicion(noise_now, np.full(value.size, found.hidden_value), HIDDEN_CLAIM * hidden_claim, found.steps)
