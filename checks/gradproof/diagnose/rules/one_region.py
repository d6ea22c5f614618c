"""The rule on regions: a row, a slice, a range of values that is wrong, while all else is right; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose import factors, regions
from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.diagnose.evidence import Evidence, Sample
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence, Fact, Parameters

# which slice such a region leaves out
OTHER_SLICE = {regions.ALL_BUT_FIRST: "first-slice", regions.ALL_BUT_LAST: "last-slice"}
ROW_COLUMN = "one row wrong", "one column wrong"


def _region(words: Words) -> str:
    only = "" if words["raw"]["region"].kind in OTHER_SLICE else "only "
    return "{only}{region} is wrong: {extent}".format_map({**words, "only": only})


def _not_broadcast(words: Words) -> str:
    region = words["raw"]["region"]
    one = words["phrase"](Fact(OTHER_SLICE[region.kind], region.parameters))
    return f"d{words['tensor']} is not broadcast back: only {one} gets it, and the gradient is the same for all"


def _teacher_names(about: Parameters) -> tuple[str, ...]:
    region = about["region"]
    if not isinstance(region, Fact):
        return ()
    if region.kind.startswith("values-") or region.kind == "ties":
        return ("one region of values wrong",)
    if region.kind in ("first-entry", "last-entry"):
        return ("one entry wrong",)
    if "axes" not in region.parameters:
        return ()
    # of an image or a sequence, what a teacher calls a row, a column or a channel depends on what its axes are
    named = {1: ("one entry wrong",), 2: (ROW_COLUMN[int(str(region.parameters["axis"])) % 2],)}
    return named.get(int(str(region.parameters["axes"])), (*ROW_COLUMN, "one channel wrong"))


NOT_BROADCAST_BACK = CauseKind(
    "GP107",
    "not-broadcast-back",
    evidence=_region,
    likely=_not_broadcast,
    advice="hand what comes back to every entry that forward has taken",
    label="where",
    teacher_names=("not broadcast back",),
)
UNEXPLAINED_REGION = CauseKind(
    "GP107",
    "unexplained-region",
    evidence=_region,
    label="where",
)
REGION = CauseKind(
    "GP107",
    "region",
    evidence=_region,
    likely="backward goes wrong for {region}, and is right elsewhere",
    advice="compare the mask, the branch or the slice in backward with the one in forward",
    label="where",
    teacher_names=_teacher_names,
)


def one_region(evidence: Evidence) -> Cause | None:
    """GP107 where one region holds all wrong entries and no right one."""
    found = regions.region(evidence)
    if found is None:
        return None
    about, shown = {"region": found.where}, {"extent": regions.extent(factors.richest(evidence))}
    all_but_one = found.where.kind in (regions.ALL_BUT_FIRST, regions.ALL_BUT_LAST)
    if found.general and all_but_one and all(_is_one_for_all(s) for s in evidence.failing):
        return NOT_BROADCAST_BACK.cause(about, shown)
    # where steps follow each other, so does what is carried back wrongly
    if not found.general or found.where.kind == regions.ALL_BUT_LAST:
        return UNEXPLAINED_REGION.cause(about, shown, confidence=Confidence.OPEN)
    confidence = Confidence.NAMED if found.sharp and not all_but_one else Confidence.VAGUE
    return REGION.cause(about, shown, confidence=confidence)


def _is_one_for_all(sample: Sample) -> bool:
    """Whether yours is zero wherever it is wrong, and the gradient does not change along some axis."""
    whole = np.zeros(sample.shape).reshape(-1)
    whole[sample.position] = sample.numeric
    whole, slack = whole.reshape(sample.shape), 2 * float(sample.bound.max())
    alike = [bool((np.ptp(whole, axis=axis) <= slack).all()) for axis, size in enumerate(sample.shape) if size > 1]
    return sample.position.size == whole.size and any(alike) and not sample.analytic[sample.wrong].any()


RULES = (
    Rule(
        one_region,
        500,
        (
            NOT_BROADCAST_BACK,
            UNEXPLAINED_REGION,
            REGION,
        ),
    ),
)
