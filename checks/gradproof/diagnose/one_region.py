"""The rule on regions: a row, a slice, a range of values that is wrong, while all else is right; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose import factors, regions
from gradproof.diagnose.evidence import Evidence, Sample
from gradproof.findings import Cause, Confidence


def one_region(evidence: Evidence) -> Cause | None:
    """GP107 where one region holds all wrong entries and no right one."""
    found = regions.region(evidence)
    if found is None:
        return None
    about, shown = {"region": found.where}, {"extent": regions.extent(factors.richest(evidence))}
    all_but_one = found.where.kind in (regions.ALL_BUT_FIRST, regions.ALL_BUT_LAST)
    if found.general and all_but_one and all(_is_one_for_all(s) for s in evidence.failing):
        return Cause("GP107", "not-broadcast-back", about, shown)
    # where steps follow each other, so does what is carried back wrongly
    if not found.general or found.where.kind == regions.ALL_BUT_LAST:
        return Cause("GP107", "unexplained-region", about, shown, confidence=Confidence.OPEN)
    confidence = Confidence.NAMED if found.sharp and not all_but_one else Confidence.VAGUE
    return Cause("GP107", "region", about, shown, confidence=confidence)


def _is_one_for_all(sample: Sample) -> bool:
    """Whether yours is zero wherever it is wrong, and the gradient does not change along some axis."""
    whole = np.zeros(sample.shape).reshape(-1)
    whole[sample.position] = sample.numeric
    whole, slack = whole.reshape(sample.shape), 2 * float(sample.bound.max())
    alike = [bool((np.ptp(whole, axis=axis) <= slack).all()) for axis, size in enumerate(sample.shape) if size > 1]
    return sample.position.size == whole.size and any(alike) and not sample.analytic[sample.wrong].any()
