"""One example, from the drawn values to an outcome: build, run, pose, examine. It draws no examples and words no findings."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.confirm import own_dtype_defects
from gradproof.examine import examine
from gradproof.guard import Randomness, SubjectError
from gradproof.nudge import look_beside
from gradproof.pose import Pose, Unposed
from gradproof.problem import Problem
from gradproof.subject import LayerSubject, PairSubject
from gradproof.values import Example, Outcome, Reason

# (the random state to build under, whether narrow floats are raised to float64) -> the subject
Build = Callable[..., LayerSubject | PairSubject]

EMPTY = "an empty batch"


def look(example: Example, build: Build, *, declared: bool = True) -> Outcome:
    """Check one example. An exception of the subject becomes part of the outcome; only Ctrl-C comes out."""
    forwards = 0
    with _quiet(), Randomness(example.seed) as random:
        rng = np.random.default_rng(example.seed)
        pose: Pose | None = None
        try:
            wanted = tuple(name for name in example.inputs if name in example.differentiable)
            pose = Pose(build(random, widen=True), example.inputs, wanted, declared)
            outcome = _measured(example, pose, rng)
            if pose.subject.widened and not outcome.defects and outcome.tensors:
                outcome = _confirmed(outcome, example, build, wanted, declared)
        except SubjectError as raised:
            outcome = Outcome(example, error=raised.error)
        forwards = 0 if pose is None else pose.forwards
        notes = () if pose is None else tuple(pose.notes)
    outcome = replace(outcome, forwards=forwards, notes=(*outcome.notes, *notes))
    return _forgiven(outcome) if _is_empty(example) else outcome


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Overflows and warnings at perturbed points are the harness's doing: they are not shown to the user."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _measured(example: Example, pose: Pose, rng: np.random.Generator) -> Outcome:
    problem = pose.pose(rng)
    if isinstance(problem, Unposed):
        notes = () if problem.note is None else (problem.note,)
        return Outcome(example, defects=problem.defects, unjudged=problem.reason, notes=notes)
    if not problem.tensors:
        return Outcome(example, unjudged=Reason.NOT_EXAMINED, notes=("no float input and no parameter: nothing has a gradient",))
    results = examine(problem, rng)
    return Outcome(example, tensors=look_beside(problem, results, pose.again, rng))


def _confirmed(outcome: Outcome, example: Example, build: Build, wanted: tuple[str, ...], declared: bool) -> Outcome:
    """The second pass: the subject in its own dtype, at the same point and with the same dout."""
    found: list[Problem] = []
    for widen in (True, False):
        with Randomness(example.seed) as random:
            posed = Pose(build(random, widen=widen), example.inputs, wanted, declared).pose(np.random.default_rng(example.seed))
        if not isinstance(posed, Problem):
            return outcome
        found.append(posed)
    wide, own = found
    claims: dict[str, Any] = {tensor.name: tensor.claim for tensor in own.tensors}
    defects = own_dtype_defects(wide, claims, np.random.default_rng(example.seed))
    return replace(outcome, defects=defects, notes=("checked in float64, then confirmed in the layer's own float32",))


def _is_empty(example: Example) -> bool:
    return any(value == 0 or (isinstance(value, tuple) and 0 in value) for value in example.dims.values())


def _forgiven(outcome: Outcome) -> Outcome:
    """An empty batch is a corner that a layer may refuse: it says so in a note, and nothing is held against it."""
    if outcome.error is None and not outcome.defects:
        return outcome
    why = outcome.error.kind if outcome.error is not None else outcome.defects[0].headline
    return Outcome(outcome.example, unjudged=Reason.NOT_EXAMINED, forwards=outcome.forwards, notes=(f"{EMPTY} is refused: {why}",))
