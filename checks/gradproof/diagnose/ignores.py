"""Rules on dout: is the gradient the same whatever dout is, its sign or its size; they know no layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradproof.diagnose.evidence import ENOUGH, Evidence
from gradproof.findings import Cause
from gradproof.values import Dependence


def dout_ignored(evidence: Evidence) -> Cause | None:
    """GP111 where the gradient of every failing example is the same for other signs and other sizes of dout."""
    if not (_holds(evidence, _negated) and _holds(evidence, _rescaled)):
        return None
    # a right gradient cannot ignore dout: where one was seen, the layer returns what an earlier call left behind
    if any(np.count_nonzero(sample.support) >= ENOUGH for sample in evidence.passing):
        return None
    return _cause(evidence, "dout-ignored")


def dout_sign_or_size_ignored(evidence: Evidence) -> Cause | None:
    """GP111 where the gradient follows the size of dout but not its sign, or the sign but not the size."""
    sign, size = _holds(evidence, _negated), _holds(evidence, _rescaled)
    if sign == size:
        return None
    return _cause(evidence, "sign-of-dout-ignored" if sign else "size-of-dout-ignored")


def _cause(evidence: Evidence, kind: str) -> Cause:
    asked = replace(evidence, failing=tuple(s for s in evidence.failing if s.outcome.dependence is not None))
    return Cause("GP111", kind, support=asked.support)


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
