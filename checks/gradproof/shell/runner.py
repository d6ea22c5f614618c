"""Checks one item after another, so that one which cannot be checked costs itself only; it prints nothing."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from typing import Any

from gradproof.case.case import Case
from gradproof.checking import check_case
from gradproof.codes import is_of_gradient
from gradproof.collect.collect import Item, settled
from gradproof.collect.load import importable, unchanged
from gradproof.convention.plans import is_pair_by_name
from gradproof.diagnose.diagnose import ERROR_CODES
from gradproof.diagnose.exceptions import advice, remarks_of
from gradproof.errors import UsageError
from gradproof.findings import Finding, SubjectReport
from gradproof.infer.inference import Inference, judged, tells_nothing
from gradproof.infer.own_faults import is_own_fault, remedy
from gradproof.sandbox.memory import bounded
from gradproof.sandbox.surroundings import restored
from gradproof.source.hints import line_of
from gradproof.values import LayerError, Verdict

_OTHERS = {  # those that are no fault of the layer's
    "ImportError": "install what it imports",
    "ModuleNotFoundError": "install what it imports",
    "NotImplementedError": "write the method, or check a subclass that has it",
}


@dataclass(frozen=True)
class Options:
    """What a run was asked for; None means the Case's own setting."""

    examples: int | None = None
    seed: int | None = None
    timeout: float | None = None


def check_item(item: Item, options: Options, checked: list[SubjectReport]) -> None:
    """Append the report of one item to ``checked``, also where an interrupt leaves it partial.

    Raises UsageError where its Case cannot work. Any other exception is a defect of gradproof, and is told as one.
    """
    try:
        with importable(item.source), unchanged(item.source), restored(), bounded():
            _check(item, options, checked)
    except UsageError:
        raise
    except Exception as error:
        text = "".join(traceback.format_exception(error)).rstrip()
        broken = f"gradproof itself failed, which says nothing of {item.name}; please report this:\n{text}"
        checked.append(_unchecked(replace(item, problem=broken), options))


def _check(item: Item, options: Options, checked: list[SubjectReport]) -> None:
    item = settled(item)
    if item.case is None:
        checked.append(_unchecked(item, options))
        return
    partial: list[SubjectReport] = []
    try:
        partial[:] = [_checked(item, item.case, options, partial)]
        others = () if item.inference is None else item.inference.others
        reports = [_checked(item, case, options, []) for case in others]
    except KeyboardInterrupt:
        checked += [part if item.inference is None else judged(part, item.inference) for part in partial]
        raise
    (whole,) = partial
    checked.append(whole if item.inference is None else _inferred(item, item.inference, whole, reports, options))


def _inferred(
    item: Item, inference: Inference, whole: SubjectReport, others: list[SubjectReport], options: Options
) -> SubjectReport:
    """The report of an inferred Case, in the light of the others: of those too that are tried where it fails."""
    is_wrong = whole.verdict is Verdict.FAIL
    readings = [_checked(item, each.case, options, []) for each in inference.readings if is_wrong]
    behind = inference.implied if tells_nothing(whole) else None
    implied = None if behind is None else _checked(item, behind.case, options, [])
    return _doubted(judged(whole, inference, others, readings, implied), item.target)


def _doubted(report: SubjectReport, target: Any) -> SubjectReport:
    """No accusation of form against two functions of which a name alone says that one is the derivative of the other.

    Where what comes back is no derivative by its shape, or nothing comes back, they may as well be something else.
    """
    has_values = any(is_of_gradient(finding.code) and finding.severity == "error" for finding in report.findings)
    if report.verdict is not Verdict.FAIL or has_values or not is_pair_by_name(target):
        return report
    forward, backward = (part.__name__ for part in target)
    reason = f"only its name says that {backward} is the derivative of {forward}, and it does not run as one"
    findings = tuple(replace(finding, severity="warning") for finding in report.findings)
    return replace(
        report, verdict=Verdict.INCONCLUSIVE, reason=f"{reason}: declare Case({forward}, {backward})", findings=findings
    )


def _checked(item: Item, case: Case, options: Options, into: list[SubjectReport]) -> SubjectReport:
    return check_case(
        case,
        location=item.location,
        name=item.title,
        examples=options.examples,
        seed=options.seed,
        timeout=options.timeout,
        into=into,
        inferred=item.inference is not None,
    )


def _unchecked(item: Item, options: Options) -> SubjectReport:
    """The report of an item that has no Case: an exception that no arguments avoid is a fault of the subject's."""
    report = SubjectReport(
        name=item.title or item.name,
        location=item.location,
        verdict=Verdict.INCONCLUSIVE,
        tensors=(),
        findings=(),
        examples=0,
        forwards=0,
        seed=0 if options.seed is None else options.seed,
        seconds=0.0,
        reason=item.problem,
    )
    if item.inference is None:
        return report
    report = replace(report, forwards=item.inference.forwards, seconds=item.inference.seconds)
    error = item.inference.error
    if error is None or error.absence is not None:  # the problem says what is missing
        return report
    certain = is_own_fault(error, item.target)
    todo = advice(error) if certain else _advice(error, item.target)
    report = replace(report, findings=(_raised(report.name, error, item.location, todo, certain=certain),))
    return replace(report, verdict=Verdict.FAIL, reason=None) if certain else report  # the finding says it


def _advice(error: LayerError, target: Any) -> str:
    """What to write where the exception may be no fault of the layer's."""
    found = remedy(error, target) or _OTHERS.get(error.kind)
    return found or "if the layer is right, its shapes were not found: declare a Case"


def _raised(name: str, error: LayerError, location: str, todo: str | None, *, certain: bool) -> Finding:
    code = ERROR_CODES.get(error.stage, "GP302")
    headline = f"{error.stage} raises {error.kind}"
    line = line_of(error)
    return Finding(
        code,
        name,
        headline,
        severity="error" if certain else "warning",
        remarks=remarks_of(error),
        advice=todo or None,
        hints=() if line is None else (line,),
        reproduce=f"gradproof {location}",
        traceback=error.traceback,
    )
