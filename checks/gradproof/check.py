"""The method: generate examples, look at each, shrink what fails, name it, add it all up."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradproof import __version__, summary
from gradproof.case import Case, Settings, as_settings
from gradproof.diagnose import diagnose
from gradproof.errors import UsageError
from gradproof.generate import search, shrink
from gradproof.look import look
from gradproof.report import GradientFault, Report
from gradproof.signatures import Signature, method_signature
from gradproof.subject import subject_from, subject_of
from gradproof.values import Example, Finding, Outcome, SubjectReport, Verdict

DOUTS = 3  # upstream gradients tried on one concrete layer object
Judge = Callable[[Example], Outcome]


def check(target: Any, /, *arguments: Any, settings: Settings | None = None, **named: Any) -> Report:
    """Check a layer class, a layer object, a pair of functions, or a Case, and return the report of a pass.

    ``check(Affine, W="d h", b="h", x="n d")`` draws random shapes and batch sizes; ``check(layer, x)`` takes one object
    at one input; ``check(forward, backward, x="n d", w="d h")`` takes a pair of functions with a cache; ``check(case)``
    a Case. Raises GradientFault (an AssertionError that carries the report) where a fault is found, UsageError for
    arguments that cannot work. The report's verdict may be INCONCLUSIVE: look at it where that matters.
    """
    __tracebackhide__ = True
    if isinstance(target, Case):
        if arguments or named or settings is not None:
            raise UsageError(f"check({target.name}'s Case) takes nothing else: put settings and shapes into the Case")
        subject = _check_declared(target)
    elif isinstance(target, type) or (callable(target) and not hasattr(target, "forward")):
        case = Case(target, *arguments, settings=settings, **named)
        subject = _check_declared(case)
    else:
        subject = _check_object(target, arguments, named, as_settings(settings))
    report = Report((subject,), subject.seed, None, __version__)
    if report.verdict is Verdict.FAIL:
        raise GradientFault(report)
    return report


def check_case(
    case: Case,
    *,
    location: str,
    examples: int | None = None,
    seed: int | None = None,
    into: list[SubjectReport] | None = None,
    reproduce: str | None = None,
) -> SubjectReport:
    """Check one Case. ``reproduce`` is what its findings give to run again, by default the command.

    ``into`` receives a partial report where Ctrl-C ends the search; the interrupt is raised on.
    """
    number = case.settings.examples if examples is None else examples
    start = case.settings.seed if seed is None else seed

    def judge(example: Example) -> Outcome:
        return look(example, functools.partial(subject_of, case, example))

    run = _Run(case.name, location, start, reproduce or f"gradproof {location} --seed {start}", case.settings.allow)
    try:
        search(case, judge, examples=number, seed=start, into=run.outcomes)
        run.name_failures(functools.partial(shrink, case, judge, seed=start, examples=number))
    except KeyboardInterrupt:
        if into is not None:
            into.append(run.report("interrupted: the search did not end"))
        raise
    return run.report()


@dataclass(eq=False)
class _Run:
    """What one run has gathered of a subject."""

    name: str
    location: str
    seed: int
    reproduce: str
    allow: tuple[str, ...]
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    findings: list[Finding] = field(default_factory=list[Finding])
    began: float = field(default_factory=time.perf_counter)

    def name_failures(self, shrunk: Callable[..., Outcome | None]) -> None:
        """One finding for each way to fail: in a tensor, in the form of what came back, or with an exception."""
        self.outcomes[:] = summary.withdrawn(self.outcomes)
        for failure in _failures(self.outcomes):
            first = next(outcome for outcome in self.outcomes if failure(outcome))
            minimal = shrunk(fails=failure, start=first.example) or first
            finding = diagnose(self.name, minimal, self.outcomes, self.reproduce, failure.tensor, failure.code)
            self.findings.append(replace(finding, severity="allowed") if finding.code in self.allow else finding)

    def report(self, interrupted: str | None = None) -> SubjectReport:
        """Add up."""
        tensors = summary.summarise(self.outcomes)
        verdict, reason = summary.verdict(tensors, self.findings, self.outcomes)
        if interrupted is not None and verdict is not Verdict.FAIL:
            verdict, reason = Verdict.INCONCLUSIVE, interrupted
        silenced = [finding for finding in self.findings if finding.severity == "allowed"]
        allowed = tuple(f"{finding.code} for {finding.tensor or finding.subject} is allowed" for finding in silenced)
        return SubjectReport(
            name=self.name,
            location=self.location,
            verdict=verdict,
            tensors=tensors,
            findings=tuple(self.findings),
            examples=len(self.outcomes),
            forwards=sum(outcome.forwards for outcome in self.outcomes),
            seed=self.seed,
            seconds=time.perf_counter() - self.began,
            reason=reason,
            dims=summary.dims_tried(self.outcomes),
            notes=(*summary.notes(self.outcomes, tensors), *allowed),
        )


@dataclass(frozen=True)
class _Failure:
    """One way to fail, as a predicate on outcomes."""

    tensor: str | None = None
    code: str | None = None
    stage: str | None = None

    def __call__(self, outcome: Outcome) -> bool:
        if self.stage is not None:
            return outcome.error is not None and outcome.error.stage == self.stage
        if self.code is not None:
            return any(d.code == self.code and d.tensor == self.tensor for d in outcome.defects)
        return any(t.name == self.tensor and t.verdict is Verdict.FAIL for t in outcome.tensors)


def _failures(outcomes: Sequence[Outcome]) -> list[_Failure]:
    """Every way to fail that was seen, in the order of first appearance."""
    seen: dict[_Failure, None] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            seen.setdefault(_Failure(stage=outcome.error.stage))
        for defect in outcome.defects:
            seen.setdefault(_Failure(tensor=defect.tensor, code=defect.code))
        for result in outcome.tensors:
            if result.verdict is Verdict.FAIL:
                seen.setdefault(_Failure(tensor=result.name))
    return list(seen)


def _check_declared(case: Case) -> SubjectReport:
    """A Case that no file need hold under a name: the call itself reproduces it."""
    return check_case(case, location=case.name, reproduce=f"check{case.declaration().removeprefix('Case')}")


def _check_object(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any], settings: Settings) -> SubjectReport:
    """One layer object at one input, for several upstream gradients."""
    for method in ("forward", "backward"):
        if not callable(getattr(layer, method, None)):
            raise UsageError(
                "expected a layer class, a layer object or two functions, "
                f"got {layer!r} (type {type(layer).__name__}), which has no method {method}"
            )
    signature = method_signature(type(layer), "forward")
    inputs = _object_inputs(signature, arguments, named)
    name = type(layer).__name__
    run = _Run(name, name, settings.seed, f"check({name.lower()}, {', '.join(inputs)})", settings.allow)
    floats = frozenset(key for key, value in inputs.items() if _is_float(value))
    for number in range(DOUTS):
        example = Example({}, {}, inputs, settings.seed + number, floats)
        run.outcomes.append(look(example, functools.partial(subject_from, layer, signature), declared=False))
    run.name_failures(_as_found)
    report = run.report()
    return replace(report, notes=(*report.notes, *_unchecked(inputs, floats)))


def _unchecked(inputs: Mapping[str, Any], floats: frozenset[str]) -> tuple[str, ...]:
    """Say which inputs have no gradient to check, where they could have been meant to have one."""
    kinds = {name: np.asarray(value) for name, value in inputs.items() if name not in floats}
    return tuple(
        f"{name} holds {array.dtype}: no gradient is checked for it (for one, pass an array of floats)"
        for name, array in kinds.items()
        if array.ndim and array.dtype.kind in "biuf"
    )


def _object_inputs(signature: Signature, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Forward's inputs by name. Raises UsageError where they are not what forward takes."""
    if len(arguments) > len(signature.names):
        takes = ", ".join(signature.names) or "nothing"
        raise UsageError(f"{signature.title} takes {takes}, got {len(arguments)} values")
    by_position = dict(zip(signature.names, arguments, strict=False))
    inputs = {**by_position, **named}
    wrong = {
        "needs": [name for name in signature.required if name not in inputs],
        "takes no": [name for name in inputs if name not in signature.names],
        "got twice": [name for name in named if name in by_position],
        "got a string for": [name for name, value in inputs.items() if isinstance(value, str)],
    }
    for what, names in wrong.items():
        if names:
            remedy = "give forward's inputs as arrays, as in check(layer, x)"
            raise UsageError(f"{signature.title} {what} {', '.join(names)}: {remedy}")
    return inputs


def _as_found(*, fails: Callable[[Outcome], bool], start: Example) -> Outcome | None:
    """One concrete input is as small as it was given: there is nothing to shrink."""
    return None


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
