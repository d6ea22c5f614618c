"""The rule on regions: a row, a slice, a range of values that is wrong, while all else is right; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose import factors, regions
from gradproof.diagnose.cause import Cause
from gradproof.diagnose.evidence import Evidence, Sample


def one_region(evidence: Evidence) -> Cause | None:
    """GP107 where one region holds all wrong entries and no right one."""
    found = regions.region(evidence)
    if found is None:
        return None
    only = "" if found.text.startswith("every") else "only "
    where = f"{only}{found.text} is wrong: {regions.extent(factors.richest(evidence))}"
    if not found.general:
        return Cause("GP107", (("where", where),))
    if "every" in found.text and " but the " in found.text and all(_is_one_for_all(s) for s in evidence.failing):
        kind = found.text.split()[1]
        one = f"{found.text.split(' but ')[1]} {kind}"
        likely = f"d{evidence.tensor} is not broadcast back: only {one} gets it, and the gradient is the same for all"
        return Cause("GP107", (("where", where),), likely, "hand what comes back to every entry that forward has taken")
    if found.text.endswith(" but the last"):  # where steps follow each other, so does what is carried back wrongly
        return Cause("GP107", (("where", where),))
    likely = f"backward goes wrong for {found.text}, and is right elsewhere"
    advice = "compare the mask, the branch or the slice in backward with the one in forward"
    return Cause("GP107", (("where", where),), likely, advice, vague=not found.sharp or not only)


def _is_one_for_all(sample: Sample) -> bool:
    """Whether yours is zero wherever it is wrong, and the gradient does not change along some axis."""
    whole = np.zeros(sample.shape).reshape(-1)
    whole[sample.position] = sample.numeric
    whole, slack = whole.reshape(sample.shape), 2 * float(sample.bound.max())
    alike = [bool((np.ptp(whole, axis=axis) <= slack).all()) for axis, size in enumerate(sample.shape) if size > 1]
    return sample.position.size == whole.size and any(alike) and not sample.analytic[sample.wrong].any()
