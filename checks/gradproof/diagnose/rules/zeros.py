"""The rule on gradients that are nothing but zeros; it knows no layer."""

from __future__ import annotations

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import Evidence, result_of
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence
from gradproof.values import Outcome, Role, Verdict

ZERO_BESIDE_OTHERS = CauseKind(
    "GP101",
    "zero-beside-others",
    evidence="yours = 0",
)
ZEROS_RETURNED = CauseKind(
    "GP104",
    "zeros-returned",
    evidence="yours = 0",
    likely="backward returns nothing but zeros for d{tensor}",
    advice="look for a factor that is zero: a mask, a cache, an array never filled",
    teacher_names=("never written",),
)
FIRST_STEP_ALONE = CauseKind(
    "GP104",
    "first-step-alone",
    evidence="yours = 0",
    likely="backward never writes d{tensor}, or takes it from the first step alone, where it is zero",
    advice="add what every step brings to grads[i], i being {tensor}'s place in params",
    teacher_names=("never written", "not summed"),
)
NEVER_WRITTEN = CauseKind(
    "GP104",
    "never-written",
    evidence="yours = 0",
    likely="backward never writes d{tensor}, or writes nothing but zeros",
    advice="write grads[i][...] = d{tensor} in backward, i being the place of {tensor} in params",
    teacher_names=("never written",),
)


def never_written(evidence: Evidence) -> Cause | None:
    """GP104 where nothing but zeros was ever claimed; without a cause where that is a part of a larger fault."""
    if any(sample.analytic.any() for sample in evidence.samples):
        return None
    support = evidence.support
    if _beside_others(evidence):
        return ZERO_BESIDE_OTHERS.cause(support=support, confidence=Confidence.OPEN)
    result = result_of(evidence.failing[0].outcome, evidence.tensor)
    if result is None or result.role is Role.INPUT:
        return ZEROS_RETURNED.cause(support=support)
    if _absent_at_first(evidence):
        return FIRST_STEP_ALONE.cause(support=support)
    return NEVER_WRITTEN.cause(support=support)


def _absent_at_first(evidence: Evidence) -> bool:
    """Whether a tensor without some dim has no part in anything where that dim is 1: its true gradient is zero there.

    So it is with what carries a state from step to step, and is zero in the first.
    """
    for name in evidence.failing[0].sizes:
        beyond_first = all(sample.sizes.get(name, 1) > 1 for sample in evidence.failing)
        has_dim = all(sample.sizes.get(name) in sample.shape for sample in evidence.failing)
        at_first = any(sample.sizes.get(name) == 1 for sample in evidence.passing)
        if beyond_first and at_first and not has_dim:
            return True
    return False


def _beside_others(evidence: Evidence) -> bool:
    """Whether another gradient is wrong with every zero, and not zero itself.

    What makes that one wrong may make this one zero: of many time steps only the first counts, whose state is zero.
    """
    return all(_has_wrong_number(sample.outcome) for sample in evidence.failing)


def _has_wrong_number(outcome: Outcome) -> bool:
    accused = [result for result in outcome.tensors if result.verdict is Verdict.FAIL]
    return any(entry.analytic != 0.0 for result in accused for entry in result.wrong)


RULES = (
    Rule(
        never_written,
        100,
        (
            ZERO_BESIDE_OTHERS,
            ZEROS_RETURNED,
            FIRST_STEP_ALONE,
            NEVER_WRITTEN,
        ),
    ),
)
