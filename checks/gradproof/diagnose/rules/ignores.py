"""Rules on dout: is the gradient the same whatever dout is, its sign or its size; they know no layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause
from gradproof.values import Dependence

DOUT_IGNORED = CauseKind(
    "GP111",
    "dout-ignored",
    evidence="yours is the same for every dout tried",
    likely="backward computes d{tensor} without dout",
    advice="multiply by dout, the gradient that comes from above: it is 1 only where the loss is the last layer",
    teacher_names=("ignores dout",),
)
SIGN_OF_DOUT_IGNORED = CauseKind(
    "GP111",
    "sign-of-dout-ignored",
    evidence="yours is the same for dout and for -dout",
    likely="d{tensor} ignores the sign of dout",
    advice="look for an abs or a square of what contains dout: a gradient is linear in dout",
    teacher_names=("ignores the sign of dout",),
)
SIZE_OF_DOUT_IGNORED = CauseKind(
    "GP111",
    "size-of-dout-ignored",
    evidence="yours is the same for entries of dout of other sizes",
    likely="d{tensor} ignores the size of dout",
    advice="look for a sign, a comparison or a normalisation of dout: a gradient is linear in dout",
    teacher_names=("ignores the scale of dout",),
)


def dout_ignored(evidence: Evidence) -> Cause | None:
    """GP111 where the gradient of every failing example is the same for other signs and other sizes of dout."""
    if not (_holds(evidence, _negated) and _holds(evidence, _rescaled)):
        return None
    # a right gradient cannot ignore dout: where one was seen, the layer returns what an earlier call left behind
    if any(np.count_nonzero(sample.support) >= ENOUGH for sample in evidence.passing):
        return None
    return _cause(evidence, DOUT_IGNORED)


def dout_sign_or_size_ignored(evidence: Evidence) -> Cause | None:
    """GP111 where the gradient follows the size of dout but not its sign, or the sign but not the size."""
    sign, size = _holds(evidence, _negated), _holds(evidence, _rescaled)
    if sign == size:
        return None
    return _cause(evidence, SIGN_OF_DOUT_IGNORED if sign else SIZE_OF_DOUT_IGNORED)


def _cause(evidence: Evidence, kind: CauseKind) -> Cause:
    asked = replace(evidence, failing=tuple(s for s in evidence.failing if s.outcome.dependence is not None))
    return kind.cause(support=asked.support)


def _negated(dependence: Dependence) -> frozenset[str]:
    return dependence.negated


def _rescaled(dependence: Dependence) -> frozenset[str]:
    return dependence.rescaled


def _holds(evidence: Evidence, unmoved: Callable[[Dependence], frozenset[str]]) -> bool:
    """Say whether every failing example that was asked shows it, and enough entries that are not zero."""
    entries = 0
    for sample in evidence.failing:
        dependence = sample.outcome.dependence
        if dependence is None:
            continue
        if evidence.tensor not in unmoved(dependence):
            return False
        entries += int(np.count_nonzero(sample.analytic))
    return entries >= ENOUGH


RULES = (
    Rule(dout_ignored, 110, (DOUT_IGNORED,)),
    Rule(
        dout_sign_or_size_ignored,
        150,
        (
            SIGN_OF_DOUT_IGNORED,
            SIZE_OF_DOUT_IGNORED,
        ),
    ),
)
