"""Rules on where a gradient is zero: a mask missing, inverted, or of another call; they know no layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence, Mask, Sample
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence

LARGE = 8.0  # exp(-8) is 3e-4: a smaller input leaves most of the digits


MASK_INVERTED = CauseKind(
    "GP107",
    "mask-inverted",
    evidence="yours is zero exactly where the gradient is not",
    likely="the mask of d{tensor} is inverted",
    advice="let through what forward let through",
    teacher_names=("one region of values wrong",),
)
ANOTHER_MASK = CauseKind(
    "GP107",
    "another-mask",
    evidence="yours is zero at {zero_in_yours} entries, the gradient at {zero_in_truth} others;"
    " elsewhere yours is right",
    likely="d{tensor} uses another mask than forward did",
    advice="keep the mask that forward used, and use that in backward",
    label="where",
    teacher_names=("one region of values wrong", "the wrong operand", "stale cache"),
)
ZERO_WHERE_IT_IS_NOT = CauseKind(
    "GP107",
    "zero-where-it-is-not",
    evidence="yours is zero at {zero_in_yours} entries, the gradient is not; elsewhere yours is right",
    advice="compare the mask, the index or the slice in backward with those in forward",
    label="where",
)
NOT_ZERO_WHERE_SATURATED = CauseKind(
    "GP107",
    "not-zero-where-saturated",
    evidence="the gradient is zero at {zero_in_truth} entries, yours is not; elsewhere yours is right",
    advice="only where an input is large: see what forward does there with an epsilon, a clip or a maximum",
    label="where",
)
MASK_MISSING = CauseKind(
    "GP107",
    "mask-missing",
    evidence="the gradient is zero at {zero_in_truth} entries, yours is not; elsewhere yours is right",
    likely="a mask is missing in d{tensor}: it lets dout through where forward blocks {tensor}",
    advice="multiply dout by the mask that forward used, the very same",
    label="where",
    teacher_names=("one region of values wrong", "a factor left out"),
)


@dataclass(frozen=True)
class _Zeros:
    """How many entries of the failing samples are zero in the truth alone, or in yours alone; how many are right.

    ``explained``: no other entry is wrong. ``right`` counts those that are right and not zero.
    """

    in_truth: int
    in_yours: int
    right: int
    explained: bool


def mask_wrong(evidence: Evidence) -> Cause | None:
    """GP107 where yours and the truth are zero at other entries, and agree or do not overlap at the rest."""
    samples = [s for s in evidence.failing if not s.located]
    zeros = _compared(samples)
    if not zeros.explained or zeros.in_truth + zeros.in_yours < ENOUGH:
        return None
    if not zeros.right:
        is_inverted = min(zeros.in_truth, zeros.in_yours) >= ENOUGH
        return MASK_INVERTED.cause(support=evidence.support) if is_inverted else None
    if zeros.right < ENOUGH:
        return None
    is_saturated = bool(evidence.passing) and all(_is_saturated(sample) for sample in samples)
    kind, confidence = _kind(zeros, is_saturated=is_saturated)
    counts = {"zero_in_truth": zeros.in_truth, "zero_in_yours": zeros.in_yours}
    return kind.cause(evidence=counts, confidence=confidence)


def _kind(zeros: _Zeros, *, is_saturated: bool) -> tuple[CauseKind, Confidence]:
    if zeros.in_truth and zeros.in_yours:
        return ANOTHER_MASK, Confidence.VAGUE
    if zeros.in_yours:  # a mask, a line that is missing, a step left out: it can be any of them
        return ZERO_WHERE_IT_IS_NOT, Confidence.OPEN
    return (NOT_ZERO_WHERE_SATURATED, Confidence.OPEN) if is_saturated else (MASK_MISSING, Confidence.NAMED)


def _compared(samples: Sequence[Sample]) -> _Zeros:
    in_truth = in_yours = right = unexplained = 0
    for sample in samples:
        yours, truth = _zero(sample, yours=True), _zero(sample, yours=False)
        in_truth += int(np.count_nonzero(truth & ~yours))
        in_yours += int(np.count_nonzero(yours & ~truth))
        right += int(np.count_nonzero(~sample.wrong & ~yours))
        unexplained += int(np.count_nonzero(sample.wrong & (yours == truth)))
    return _Zeros(in_truth, in_yours, right, explained=unexplained == 0)


def _is_saturated(sample: Sample) -> bool:
    """Whether an input is so large that what it goes through may be 0 or 1 to the last digit."""
    values = [v for v in sample.outcome.example.inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return any(bool((np.abs(value) > LARGE).any()) for value in values)


def _zero(sample: Sample, *, yours: bool) -> Mask:
    """Entries that are zero: exactly as claimed, or to within the bound as measured."""
    if yours:
        return np.asarray(sample.analytic == 0.0, dtype=np.bool_)
    return np.asarray(np.abs(sample.numeric) <= sample.bound, dtype=np.bool_)


RULES = (
    Rule(
        mask_wrong,
        630,
        (
            MASK_INVERTED,
            ANOTHER_MASK,
            ZERO_WHERE_IT_IS_NOT,
            NOT_ZERO_WHERE_SATURATED,
            MASK_MISSING,
        ),
    ),
)
