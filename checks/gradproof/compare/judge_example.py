"""One example, from its values to an outcome: build, run, measure, examine. It draws none, and words no finding."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.compare.beside_kinks import judge_beside
from gradproof.compare.dependence import dependence
from gradproof.compare.examine import examine
from gradproof.compare.float32_cast import beyond_float32
from gradproof.compare.own_dtype import own_dtype_defects
from gradproof.deadlines import Expired
from gradproof.differentiate.problem import Problem, Tensor
from gradproof.differentiate.problem_builder import NoProblem, ProblemBuilder
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.subject.precision import is_narrow
from gradproof.subject.subject import Subject, fixed_dout
from gradproof.values import Example, Outcome, Reason, TensorResult, Verdict

# (the random state to build under, whether narrow floats are raised to float64) -> the subject
Build = Callable[..., Subject]

EMPTY = "an empty batch"


def judge_example(example: Example, build: Build, *, declared: bool = True) -> Outcome:
    """Check one example. An exception of the subject becomes part of the outcome; only Ctrl-C and Expired come out."""
    with quiet(), Randomness(example.seed) as random:
        rng = np.random.default_rng(example.seed)
        builder: ProblemBuilder | None = None
        try:
            subject = build(random, widen=True)
            builder = ProblemBuilder(subject, example.inputs, example.wanted, declared, fixed=example.fixed)
            outcome = _measured(example, builder, rng)
            is_compared = bool(outcome.tensors) and not outcome.defects
            if is_compared and _has_narrow(subject, example):
                outcome = _confirmed(outcome, example, build, example.wanted, declared)
        except Expired as expired:
            expired.dims = example.dims
            raise
        except SubjectError as raised:
            outcome = Outcome(example, error=raised.error)
    if builder is not None:
        notes = (*outcome.notes, *builder.notes)
        outcome = replace(outcome, forwards=outcome.forwards + builder.forwards, notes=notes)
    if _is_empty(example):
        return _forgiven(outcome)
    remarks = () if builder is None else builder.remarks
    return replace(outcome, defects=(*outcome.defects, *remarks))


def _has_narrow(subject: Subject, example: Example) -> bool:
    """Whether something was raised to float64."""
    return subject.widened or any(is_narrow(example.inputs[name]) for name in example.wanted)


def _measured(example: Example, builder: ProblemBuilder, rng: np.random.Generator) -> Outcome:
    problem = builder.build(rng)
    if isinstance(problem, NoProblem):
        notes = () if problem.note is None else (problem.note,)
        return Outcome(example, defects=problem.defects, unjudged=problem.reason, notes=notes)
    unread = tuple(_not_examined(tensor) for tensor in problem.unread)
    if not problem.tensors:
        notes = () if unread else (_nothing(example),)
        return Outcome(example, unread, unjudged=None if unread else Reason.NOT_EXAMINED, notes=notes)
    results = judge_beside(problem, examine(problem, rng), builder.again, rng)
    return Outcome(example, tensors=(*beyond_float32(problem, results, rng), *unread))


def _not_examined(tensor: Tensor) -> TensorResult:
    """A tensor whose gradient could not be read: none of its entries was judged."""
    entries, why = tensor.value.size, {Reason.NOT_EXAMINED: tensor.value.size}
    verdict, method = Verdict.INCONCLUSIVE, "no gradient to examine"
    shape, remedy = tensor.value.shape, tensor.remedy
    return TensorResult(tensor.name, tensor.role, shape, verdict, method, entries, 0, 0, why, remedy=remedy)


def ask(outcome: Outcome, build: Build, *, declared: bool = True) -> Outcome:
    """ProblemBuilder a failing example once more and ask what its gradients depend on; the outcome with what it told.

    Unchanged where the subject raises this time, or is too large to be asked.
    """
    example, builder = outcome.example, None
    wrong = [result.name for result in outcome.tensors if result.verdict is Verdict.FAIL]
    with quiet(), Randomness(example.seed) as random, contextlib.suppress(SubjectError):
        rng = np.random.default_rng(example.seed)
        builder = ProblemBuilder(build(random, widen=True), example.inputs, example.wanted, declared)
        problem = builder.build(rng)
        if isinstance(problem, Problem):
            takes = builder.subject.takes_dout() and fixed_dout(builder.subject, problem.shapes) is None
            asked = dependence(problem, builder.again, rng, takes_dout=takes, names=wrong)
            return outcome if asked is None else replace(outcome, dependence=replace(asked, forwards=builder.forwards))
    return outcome


def _nothing(example: Example) -> str:
    """Why there is nothing to check, and what to do where integers were given for floats."""
    arrays = {name: value for name, value in example.inputs.items() if isinstance(value, np.ndarray)}
    whole = [name for name, value in arrays.items() if value.dtype.kind in "biu"]
    hint = f"; {whole[0]} holds {arrays[whole[0]].dtype}: pass {whole[0]}.astype(float)" if whole else ""
    return f"no float input and no parameter: nothing has a gradient{hint}"


def _confirmed(outcome: Outcome, example: Example, build: Build, wanted: tuple[str, ...], declared: bool) -> Outcome:
    """The second pass: the subject in its own dtype, at the same point and with the same dout."""
    with Randomness(example.seed) as random:
        own = build(random, widen=False)
        arrays = [*own.parameters().values(), *(example.inputs[name] for name in wanted)]
        dtype = min((a.dtype for a in arrays if is_narrow(a)), key=lambda d: d.itemsize, default=np.dtype(np.float32))
        inputs = {n: v.astype(dtype) if n in wanted and not is_narrow(v) else v for n, v in example.inputs.items()}
        narrow = ProblemBuilder(own, inputs, wanted, declared, widen=False)
        found = narrow.build(np.random.default_rng(example.seed))
    with Randomness(example.seed) as random:
        wide = ProblemBuilder(build(random, widen=True), inputs, wanted, declared)
        expected = wide.build(np.random.default_rng(example.seed))
    outcome = replace(outcome, forwards=narrow.forwards + wide.forwards)
    if not isinstance(found, Problem) or not isinstance(expected, Problem):
        return replace(outcome, notes=(f"checked in float64; in the layer's own {dtype} it gives nothing to compare",))
    claims: dict[str, Any] = {tensor.name: tensor.claim for tensor in found.tensors}
    defects = own_dtype_defects(expected, claims, dtype, np.random.default_rng(example.seed))
    return replace(outcome, defects=defects, notes=(f"checked in float64, then confirmed in the layer's own {dtype}",))


def _is_empty(example: Example) -> bool:
    return any(value == 0 or (isinstance(value, tuple) and 0 in value) for value in example.dims.values())


def _forgiven(outcome: Outcome) -> Outcome:
    """An empty batch is a corner that a layer may refuse: it says so in a note, and nothing is held against it.

    A gradient that is NaN there is a refusal too (a mean over nothing); one that is finite and wrong is not.
    """
    nan = [result.name for result in outcome.tensors if _is_nan(result)]
    if outcome.error is not None:
        why = outcome.error.kind
    elif outcome.defects:
        why = outcome.defects[0].headline
    elif nan:
        why = f"the gradient of {nan[0]} is NaN there"
    elif outcome.unjudged not in (None, Reason.NOT_EXAMINED):
        why = next(iter(outcome.notes), str(outcome.unjudged))  # a sum over nothing, say, that is the integer 0
    else:
        return outcome
    refused = (f"{EMPTY} is refused: {why}",)
    return Outcome(outcome.example, unjudged=Reason.NOT_EXAMINED, forwards=outcome.forwards, notes=refused)


def _is_nan(result: TensorResult) -> bool:
    """Whether wrong entries were found, and none of them is finite."""
    return bool(result.wrong) and not any(np.isfinite(entry.analytic) for entry in result.wrong)
