"""Rules on where a gradient is zero: a mask missing, inverted, or of another call; they know no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.cause import Cause
from gradproof.diagnose.evidence import ENOUGH, Evidence, Mask, Sample

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
    d = f"d{evidence.tensor}"
    if not right and through >= ENOUGH and out >= ENOUGH:
        text, likely = "yours is zero exactly where the gradient is not", f"the mask of {d} is inverted"
        return Cause(
            "GP107", (("everywhere", f"{text}   {evidence.count}"),), likely, "let through what forward let through"
        )
    if through >= ENOUGH and not out and right >= ENOUGH:
        lines = (("where", f"the gradient is zero at {through} entries, yours is not; elsewhere yours is right"),)
        if evidence.passing and all(_is_saturated(sample) for sample in samples):
            advice = "only where an input is large: see what forward does there with an epsilon, a clip or a maximum"
            return Cause("GP107", lines, None, advice, vague=True)
        likely = f"a mask is missing in {d}: it lets dout through where forward blocks {evidence.tensor}"
        return Cause("GP107", lines, likely, "multiply dout by the mask that forward used, the very same")
    if out >= ENOUGH and not through and right >= ENOUGH:
        lines = (("where", f"yours is zero at {out} entries, the gradient is not; elsewhere yours is right"),)
        advice = "compare the mask, the index or the slice in backward with those in forward"
        # a mask, a line that is missing, a step left out: it can be any of them
        return Cause("GP107", lines, None, advice, vague=True)
    if through and out and right >= ENOUGH:
        lines = (
            ("where", f"yours is zero at {out} entries, the gradient at {through} others; elsewhere yours is right"),
        )
        likely = f"{d} uses another mask than forward did"
        advice = "keep the mask that forward used, and use that in backward"
        return Cause("GP107", lines, likely, advice, vague=True)
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
