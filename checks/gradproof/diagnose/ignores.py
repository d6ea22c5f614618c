"""Rules on dout: is the gradient the same whatever dout is, its sign or its size; they know no layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradproof.diagnose.evidence import ENOUGH, Evidence
from gradproof.findings import Cause
from gradproof.values import Probe


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
    asked = replace(evidence, failing=tuple(s for s in evidence.failing if s.outcome.probe is not None))
    return Cause("GP111", kind, support=asked.support)


def _negated(probe: Probe) -> frozenset[str]:
    return probe.negated


def _rescaled(probe: Probe) -> frozenset[str]:
    return probe.rescaled


def _holds(evidence: Evidence, unmoved: Callable[[Probe], frozenset[str]]) -> bool:
    """Say whether every failing example that was asked shows it, and enough entries that are not zero."""
    asked = [(sample, sample.outcome.probe) for sample in evidence.failing]
    entries = sum(int(np.count_nonzero(sample.analytic)) for sample, probe in asked if probe is not None)
    return entries >= ENOUGH and all(evidence.tensor in unmoved(probe) for _, probe in asked if probe is not None)
