"""What was inferred of a subject, and what a verdict on it is worth; it searches nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradproof.case.case import Case
from gradproof.infer.complaints import OWN_FAULTS
from gradproof.values import LayerError, SubjectReport, Verdict


@dataclass(frozen=True, eq=False)
class Inference:
    """What was inferred of one subject.

    case: what to check, None where nothing ran; others: further declarations that run as well, with another kind of
    target; problem: the sentence that says why there is no case; doubts: what keeps a pass from meaning much; chosen:
    what keeps a failure from meaning much; error: the exception of the likeliest candidate, where it raised; seconds,
    forwards: what the search took.
    """

    case: Case | None
    others: tuple[Case, ...] = ()
    problem: str | None = None
    doubts: tuple[str, ...] = ()
    chosen: str | None = None
    error: LayerError | None = None
    seconds: float = 0.0
    forwards: int = 0

    @property
    def declaration(self) -> str | None:
        """The case as Python source, to be copied and corrected."""
        return None if self.case is None else self.case.declaration()


def judged(report: SubjectReport, inference: Inference, others: Sequence[SubjectReport] = ()) -> SubjectReport:
    """What may be said of a subject whose case was inferred: the case itself, and no more than it can carry.

    others: the reports of ``inference.others``, in their order, where they were checked as well. A pass that another
    declaration refutes, or that is in doubt, is none; an exception tells of the layer only where no arguments avoid it.
    """
    notes = [f"no Case was declared; checked as {inference.declaration}", *inference.doubts]
    differ = [(case, other) for case, other in zip(inference.others, others, strict=False) if _differs(report, other)]
    notes += [f"checked as {case.declaration()}, the verdict is {other.verdict}" for case, other in differ]
    report = replace(report, notes=(*notes, *report.notes))
    if report.verdict is Verdict.PASS and (differ or inference.doubts):
        reason = "another declaration that runs has another verdict" if differ else inference.doubts[0]
        return replace(report, verdict=Verdict.INCONCLUSIVE, reason=f"{reason}. Declare its Case")
    if report.verdict is Verdict.FAIL and inference.chosen:
        return replace(report, verdict=Verdict.INCONCLUSIVE, reason=f"{inference.chosen}. Declare its Case")
    certain = any(f" raises {kind} " in finding.headline for finding in report.findings for kind in OWN_FAULTS)
    if report.tensors or certain or report.verdict is not Verdict.FAIL:
        return report
    return replace(
        report,
        verdict=Verdict.INCONCLUSIVE,
        reason="no example ran with the inferred shapes: the layer or the shapes are wrong. Declare its Case",
        findings=tuple(replace(finding, severity="warning") for finding in report.findings),
    )


def _differs(report: SubjectReport, other: SubjectReport) -> bool:
    judged_ = (Verdict.PASS, Verdict.FAIL)
    return report.verdict in judged_ and other.verdict in judged_ and report.verdict is not other.verdict
