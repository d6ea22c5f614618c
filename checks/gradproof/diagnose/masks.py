"""Rules on where a gradient is zero: a mask missing, inverted, or of another call; they know no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.evidence import ENOUGH, Evidence, Mask, Sample
from gradproof.findings import Cause, Confidence

LARGE = 8.0  # exp(-8) is 3e-4: a smaller input leaves most of the digits


def mask_wrong(evidence: Evidence) -> Cause | None:
    """GP107 where yours and the truth are zero at other entries, and agree or do not overlap at the rest."""
    samples = [s for s in evidence.failing if not s.located]
    blocked = [_zero(s, yours=False) & ~_zero(s, yours=True) for s in samples]
    dropped = [_zero(s, yours=True) & ~_zero(s, yours=False) for s in samples]
    explained = all((~s.wrong | b | d).all() for s, b, d in zip(samples, blocked, dropped, strict=True))
    through, out = (sum(int(np.count_nonzero(mask)) for mask in masks) for masks in (blocked, dropped))
    right = sum(int(np.count_nonzero(~s.wrong & ~_zero(s, yours=True))) for s in samples)
    if not samples or not explained or through + out < ENOUGH:
        return None
    counts = {"zero_in_truth": through, "zero_in_yours": out}
    if not right and through >= ENOUGH and out >= ENOUGH:
        return Cause("GP107", "mask-inverted", support=evidence.support)
    if through >= ENOUGH and not out and right >= ENOUGH:
        if evidence.passing and all(_is_saturated(sample) for sample in samples):
            return Cause("GP107", "not-zero-where-saturated", evidence=counts, confidence=Confidence.OPEN)
        return Cause("GP107", "mask-missing", evidence=counts)
    if out >= ENOUGH and not through and right >= ENOUGH:
        # a mask, a line that is missing, a step left out: it can be any of them
        return Cause("GP107", "zero-where-it-is-not", evidence=counts, confidence=Confidence.OPEN)
    if through and out and right >= ENOUGH:
        return Cause("GP107", "another-mask", evidence=counts, confidence=Confidence.VAGUE)
    return None


def _is_saturated(sample: Sample) -> bool:
    """Whether an input is so large that what it goes through may be 0 or 1 to the last digit."""
    values = [v for v in sample.outcome.example.inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return any(bool((np.abs(value) > LARGE).any()) for value in values)


def _zero(sample: Sample, *, yours: bool) -> Mask:
    """Entries that are zero: exactly as claimed, or to within the bound as measured."""
    if yours:
        return np.asarray(sample.analytic == 0.0, dtype=np.bool_)
    return np.asarray(np.abs(sample.numeric) <= sample.bound, dtype=np.bool_)
