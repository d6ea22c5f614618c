"""Whether a backward is right along random directions, where its gradients were not judged entry by entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats, top_step
from gradproof.guard import SubjectError
from gradproof.mend.trial import Trial
from gradproof.subject.subject import Subject

DIRECTIONS = 2  # along which a backward is held against another forward
STEP = 1e-4  # of the first step of a measurement: truncation is then near 1e-8 of a third derivative
CLOSE = 1e-5  # relative: what is no derivative is further off

Tensors = Mapping[str, Floats]


def is_derivative(trial: Trial, random: np.random.Generator) -> bool:
    """Whether backward, as the code is now, is the derivative of forward as it is now: along random directions."""
    forward, backward = trial.costs
    trial.budget.spend(backward + (1 + 2 * DIRECTIONS) * forward)
    subject, values = trial.subject.fork(), trial.tensors()
    claims = _claims(trial, subject)
    if claims is None or not _have_shapes(claims, {name: s.shape for name, s in trial.samples.items()}):
        return False
    for _ in range(DIRECTIONS):
        way = {name: top_step(values[name]) * random.standard_normal(s.shape) for name, s in trial.samples.items()}
        claimed, size = _along(claims, way)
        slope = _slope(trial, subject, values, way, STEP)
        if not _is_near(slope, claimed, size):
            return False
    return True


def agrees(trial: Trial, names: Collection[str]) -> bool:
    """Whether the gradients of these tensors are right as the code is now, along a random direction.

    True where the slope along it cannot be told: beside a kink, or where the output moves in steps.
    """
    forward, backward = trial.costs
    trial.budget.spend(backward * (1 + trial.twice) + 5 * forward)
    random, subject = np.random.default_rng(trial.outcome.example.seed), trial.subject.fork()
    values = trial.tensors()
    known = [name for name in sorted(names) if name in values]
    way = {name: top_step(values[name]) * random.standard_normal(values[name].shape) for name in known}
    if not way:
        return True
    claims = _claims(trial, subject, twice=trial.twice, any_output=True)
    if claims is None or not _have_shapes(claims, {name: step.shape for name, step in way.items()}):
        return False
    claimed, size = _along(claims, way)
    slope, control = (_slope(trial, subject, values, way, step) for step in (STEP, 2 * STEP))
    is_clear = _is_near(slope, control, size)
    return not is_clear or _is_near(slope, claimed, size)


def _claims(
    trial: Trial, subject: Subject, *, twice: bool = False, any_output: bool = False
) -> Mapping[str, Any] | None:
    """What backward claims after a forward; None where one of them raises, or returns what cannot be compared.

    twice: the second of two backwards. any_output: what forward returns is not looked at.
    """
    try:
        flat = trial.forward(subject)
        if not any_output and (flat is None or not np.isfinite(flat).all()):
            return None
        if twice:
            trial.backward(subject)
        return trial.backward(subject)
    except SubjectError as raised:
        trial.pay_for(raised)
        return None


def _have_shapes(claims: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return all(name in claims and np.shape(claims[name]) == shape for name, shape in shapes.items())


def _along(claims: Mapping[str, Any], way: Tensors) -> tuple[float, float]:
    """The slope along a direction that the claims make, and the sum of its terms without their signs."""
    terms = np.concatenate([(np.asarray(claims[name]) * step).reshape(-1) for name, step in way.items()])
    return float(terms.sum()), float(np.abs(terms).sum())


def _slope(trial: Trial, subject: Subject, values: Tensors, way: Tensors, step: float) -> float:
    """The slope of the outputs along a direction, by a central difference."""
    ends: list[Floats] = []
    for sign in (1, -1):
        moved = {name: values[name] + sign * step * along for name, along in way.items()}
        ends.append(trial.outputs_of(subject, moved))
    return float(trial.dout @ (ends[0] - ends[1])) / (2 * step)


def _is_near(slope: float, other: float, size: float) -> bool:
    return abs(slope - other) <= CLOSE * (size + abs(slope))
