"""What was inferred of a subject, and what a verdict on it is worth; it searches nothing and runs nothing."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gradproof.case.case import Case
from gradproof.case.specs import Literal, OneHot
from gradproof.findings import Confidence, Finding, SubjectReport
from gradproof.infer.own_faults import is_own_fault, may_be_avoided
from gradproof.infer.roles import Role, role_of
from gradproof.infer.sentences import keep
from gradproof.report.lines import headline
from gradproof.values import LayerError, Verdict

_EXCEPTIONS = frozenset({"GP301", "GP302", "GP303"})  # raised by the constructor, by forward, by backward
_SHAPE = "GP201"  # of a gradient that has another shape than its tensor
NEARLY_ALL = 0.8  # of the examples: where forward raises in so many, the others are no choice of the author's
_FORWARD_RAISES = "GP302"
_EPSILON = "GP108"  # the code of a gradient that is right but for a small constant


@dataclass(frozen=True, eq=False)
class Reading:
    """Another way to understand a subject, in which it may be right: the case, and what is then right, in words.

    nearly: it counts as right, too, where backward leaves out a small constant, as the epsilon of a logarithm.
    settled: what is right of it leaves no doubt that it is meant, so that the rest is wrong. weights: the tensors that
    have two axes or more, as what is penalised has. instead: where it is right, nothing else can be meant.
    """

    case: Case
    text: str
    nearly: bool = False
    settled: bool = False
    weights: frozenset[str] = frozenset()
    instead: bool = False

    def is_right(self, report: SubjectReport) -> bool:
        """Whether the report of the case says so."""
        return report.verdict is Verdict.PASS or (self.nearly and _is_nearly_right(report))


def tells_nothing(report: SubjectReport) -> bool:
    """Whether no gradient was compared with anything, as where backward needs what nobody gives it."""
    return report.verdict is Verdict.INCONCLUSIVE and not any(tensor.judged for tensor in report.tensors)


@dataclass(frozen=True, eq=False)
class Inference:
    """What was inferred of one subject.

    case: what to check, None where nothing ran; others: further declarations that run as well, with another kind of
    target; problem: the sentence that says why there is no case; doubts: what keeps a pass from meaning much; limits:
    what was left out of the case, and why; chosen: what keeps a failure from meaning much; error: the exception of the
    likeliest candidate, where it raised; seconds, forwards: what the search took; remedy: what to do where a
    pass is in doubt; readings: other ways to understand the subject, to be checked where the case fails; implied: the
    subject with the loss behind it that its backward is the gradient of, to be checked where the case tells nothing.
    """

    case: Case | None
    others: tuple[Case, ...] = ()
    problem: str | None = None
    doubts: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    chosen: str | None = None
    error: LayerError | None = None
    seconds: float = 0.0
    forwards: int = 0
    remedy: str | None = None
    readings: tuple[Reading, ...] = ()
    implied: Reading | None = None

    @property
    def declaration(self) -> str | None:
        """The case as Python source, to be copied and corrected."""
        return None if self.case is None else self.case.declaration()


def judged(
    report: SubjectReport,
    inference: Inference,
    others: Sequence[SubjectReport] = (),
    readings: Sequence[SubjectReport] = (),
    implied: SubjectReport | None = None,
) -> SubjectReport:
    """What may be said of a subject whose case was inferred: the case itself, and no more than it can carry.

    others, readings, implied: the reports of those of the inference, in their order, where they were checked as well.
    A pass that another declaration refutes, or that is in doubt, is none; nor is a failure that is right as another
    reading. An exception tells of the layer where no arguments avoid it, and one of backward's where it is raised
    wherever forward runs: what forward ran with is settled, unless it is in doubt.
    """
    behind = _of_implied(implied, inference.implied)
    if behind is not None:
        return behind
    report, *others = [_softened(each, inference) for each in (report, *others)]
    report, inference, others = _one_hot_first(report, inference, others)
    notes = [f"no Case was declared; checked as {inference.declaration}", *inference.doubts, *inference.limits]
    checked = zip(inference.others, others, strict=False)
    differ = [(case, other) for case, other in checked if _differs(report, other)]
    notes += [f"checked as {case.declaration()}, the verdict is {other.verdict}" for case, other in differ]
    report = replace(report, notes=(*notes, *report.notes))
    doubts = ("another declaration that runs has another verdict",) if differ else inference.doubts
    reason = _why_undecided(report, inference, doubts)
    if reason is not None:
        return replace(report, verdict=Verdict.INCONCLUSIVE, reason=reason)
    return _in_doubt(report, inference, readings)


def _why_undecided(report: SubjectReport, inference: Inference, doubts: Sequence[str]) -> str | None:
    """Why a pass that is in doubt is none, nor a failure that hangs on a choice, and what to do; None for others."""
    advice = keep(report.location, inference.case)
    if report.verdict is Verdict.PASS and doubts:
        return f"{doubts[0]}. {inference.remedy or advice}"
    if report.verdict is Verdict.FAIL and inference.chosen:
        return f"{inference.chosen}. {advice}"
    return None


def _of_implied(report: SubjectReport | None, reading: Reading | None) -> SubjectReport | None:
    """What a subject is worth with the loss behind it; None where there is none, or it is not settled that it is it."""
    if report is None or reading is None:
        return None
    report = replace(report, notes=(f"no Case was declared; {reading.text}", *report.notes))
    if report.verdict is Verdict.PASS:
        return report
    if not reading.settled:
        return None
    wrong = [tensor.name for tensor in report.tensors if tensor.verdict is Verdict.FAIL]
    if not wrong or not _may_be_penalised(report, reading):
        return report
    reason = (
        f"{', '.join(wrong)}: not the gradient of that loss, though all else is: right where a penalty of the weights "
        "is meant, which forward does not return. Check a subclass whose forward returns the loss with it"
    )
    return _in_abeyance(report, reason)


def _may_be_penalised(report: SubjectReport, reading: Reading) -> bool:
    """Whether all weights are wrong, and nothing but weights: a term of the loss may be of these alone."""
    compared = [tensor for tensor in report.tensors if tensor.verdict in (Verdict.PASS, Verdict.FAIL)]
    return all((tensor.verdict is Verdict.FAIL) is (tensor.name in reading.weights) for tensor in compared)


def _in_abeyance(report: SubjectReport, reason: str) -> SubjectReport:
    """No accusation, for this reason; what was found is a warning."""
    findings = tuple(replace(finding, severity="warning") for finding in report.findings)
    return replace(report, verdict=Verdict.INCONCLUSIVE, reason=reason, findings=findings)


def _in_doubt(report: SubjectReport, inference: Inference, readings: Sequence[SubjectReport]) -> SubjectReport:
    """No accusation where the layer is right as another reading: that itself, where it alone can be meant."""
    tried = zip(inference.readings, readings, strict=False)
    right = [(reading, other) for reading, other in tried if reading.is_right(other)]
    if report.verdict is not Verdict.FAIL or not right:
        return report
    for reading, other in right:
        if reading.instead:
            return replace(other, notes=(f"no Case was declared; checked as {reading.text}", *other.notes))
    reason = f"wrong as {inference.declaration}, right as {right[0][0].text}. Declare the one that is meant"
    return _in_abeyance(report, reason)


def _one_hot_first(
    report: SubjectReport, inference: Inference, others: list[SubjectReport]
) -> tuple[SubjectReport, Inference, list[SubjectReport]]:
    """With one-hot targets as the declaration, where a loss is right for these and wrong for other values.

    Its gradient then uses that a row of targets adds up to one, as that of a softmax with its cross entropy does. So it
    does where it is wrong for both, and what is wrong has a cause for one-hot targets alone.
    """
    tried = [(case, other) for case, other in zip(inference.others, others, strict=False) if _is_one_hot(case)]
    better = next(((case, other) for case, other in tried if _tells_more(other, report)), None)
    if inference.case is None or better is None or report.verdict is not Verdict.FAIL:
        return report, inference, others
    remark = f"checked with one-hot targets: as {inference.declaration}, the verdict is {report.verdict}"
    kept = replace(inference, case=better[0], others=(), limits=(*inference.limits, remark))
    return better[1], kept, []


def _tells_more(other: SubjectReport, report: SubjectReport) -> bool:
    """Whether what fails otherwise is nearly right, or has a cause where it had none."""
    return _is_nearly_right(other) or (_is_named(other) and not _is_named(report))


def _is_nearly_right(report: SubjectReport) -> bool:
    """Whether nothing is wrong but that backward leaves out a small constant, as the epsilon of a logarithm."""
    wrong = {finding.code for finding in report.findings if finding.severity == "error"}
    return report.verdict is Verdict.PASS or (report.verdict is Verdict.FAIL and wrong == {_EPSILON})


def _is_named(report: SubjectReport) -> bool:
    """Whether it fails, and each wrong gradient has a cause."""
    wrong = [finding for finding in report.findings if finding.severity == "error"]
    return report.verdict is Verdict.FAIL and all(finding.confidence is Confidence.NAMED for finding in wrong)


def _is_one_hot(case: Case) -> bool:
    return any(isinstance(spec, OneHot) for spec in case.inputs.values())


def _softened(report: SubjectReport, inference: Inference) -> SubjectReport:
    """Exceptions that other shapes than those that were found might avoid, as warnings: the author did not say them."""
    if _hardly_runs(report, inference):
        reason = "forward raises in nearly all examples with the inferred shapes: the layer or the shapes are wrong"
        return _in_abeyance(report, f"{reason}. {keep(report.location, inference.case)}")
    of_states = _states_of_another_shape(report, inference.case)
    guessed = _guessed(report, inference, of_states)
    if not guessed:
        return report
    findings = tuple(replace(each, severity="warning") if each in guessed else each for each in report.findings)
    if _accuses(report, findings, of_states):
        return replace(report, findings=findings)
    reason = "no example ran with the inferred shapes: the layer or the shapes are wrong"
    if report.tensors:
        reason = f"{headline(guessed[0])}: the layer or the inferred shapes are wrong"
    reason = f"{reason}. {keep(report.location, inference.case)}"
    return replace(report, verdict=Verdict.INCONCLUSIVE, reason=reason, findings=findings)


def _hardly_runs(report: SubjectReport, inference: Inference) -> bool:
    """Whether forward raised in nearly all examples, by what other arguments may avoid."""
    raised = [finding for finding in report.findings if _is_of_nearly_all(finding)]
    return any(not _is_certain(finding, inference) for finding in raised)


def _states_of_another_shape(report: SubjectReport, case: Case | None) -> set[str | None]:
    """The first states whose gradient has another shape."""
    shapes = [finding for finding in report.findings if finding.code == _SHAPE]
    return {finding.tensor for finding in shapes if _is_of_a_state(finding, case)}


def _accuses(report: SubjectReport, findings: Sequence[Finding], of_states: Collection[str | None]) -> bool:
    """Whether an error is left, or a tensor that fails and is no state."""
    has_failed = any(each.verdict is Verdict.FAIL and each.name not in of_states for each in report.tensors)
    return has_failed or any(finding.severity == "error" for finding in findings)


def _is_of_nearly_all(finding: Finding) -> bool:
    """Whether it says that forward raised in nearly all examples, though in some it did not."""
    if finding.code != _FORWARD_RAISES or finding.law is None:
        return False
    counted = finding.law.parameters
    failing, tried = counted.get("failing"), counted.get("tried")
    return isinstance(failing, int) and isinstance(tried, int) and NEARLY_ALL * tried <= failing < tried


def _guessed(report: SubjectReport, inference: Inference, of_states: Collection[str | None]) -> list[Finding]:
    """The errors that may only come of the shapes that were found, and behind them those of first states."""
    errors = [finding for finding in report.findings if finding.severity == "error"]
    guessed = [finding for finding in errors if _is_guessed(finding, report, inference)]
    return guessed + [finding for finding in errors if finding.tensor in of_states]


def _is_guessed(finding: Finding, report: SubjectReport, inference: Inference) -> bool:
    """Whether it may only come of the shapes that were found: an exception, or anything where no example ran."""
    may_be_guessed = finding.code in _EXCEPTIONS or not report.tensors
    return may_be_guessed and not _is_certain(finding, inference)


def _is_of_a_state(finding: Finding, case: Case | None) -> bool:
    """Whether what came back for an input may be the gradient of a first state, which forward makes itself here."""
    if case is None or finding.tensor not in case.inputs:
        return False
    forward = case.subject if case.convention is None else getattr(case.subject, case.convention.forward)
    left_out = [p.name for p in inspect.signature(forward).parameters.values() if p.default is None]
    return any(role_of(name, constructor=False) is Role.STATE for name in left_out if name not in case.inputs)


def _is_certain(finding: Finding, inference: Inference) -> bool:
    """Whether it tells of an exception that no choice of arguments avoids."""
    error, case = finding.error, inference.case
    if error is None or case is None:
        return False
    target = case.subject if case.backward is None else (case.subject, case.backward)
    if is_own_fault(error, target):
        return True
    is_settled = not inference.doubts and inference.chosen is None and not may_be_avoided(error, target)
    return is_settled and finding.everywhere and (error.kind != "TypeError" or _is_of_handover(error, case))


def _is_of_handover(error: LayerError, case: Case) -> bool:
    """Whether a TypeError comes of what a function's forward hands over: its backward is given dout beside it, no more.

    A None that it hands over may be due to a value that was made up for it, as a mode or a dict of settings.
    """
    made_up = any(isinstance(spec, Literal) for spec in case.inputs.values())
    return case.convention is None and not ("NoneType" in error.message and made_up)


def _differs(report: SubjectReport, other: SubjectReport) -> bool:
    judged_ = (Verdict.PASS, Verdict.FAIL)
    return report.verdict in judged_ and other.verdict in judged_ and report.verdict is not other.verdict
