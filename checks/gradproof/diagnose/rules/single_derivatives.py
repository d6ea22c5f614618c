"""Rules on single derivatives: those of a known array, moved to other entries, or off by a constant; no layers."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence, Floats
from gradproof.diagnose.formulas import laid_out, plain
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.rules.coupling import mixes_more
from gradproof.diagnose.sampled_jacobians import (
    SampledJacobian,
    counted,
    jacobians,
    linear_jacobians,
)
from gradproof.findings import Cause, Confidence, own

# Relative: two factors that differ by less are one factor.
SAME = 1e-4


MASK_OF_A_SUM = CauseKind(
    "GP107",
    "mask-of-a-sum",
    evidence="yours sums dout * {array}",
    likely="a mask is missing in d{tensor}: it sums all of dout * {array}, and forward uses only some of it",
    advice="multiply by the mask of {tensor}'s own entries",
    teacher_names=("one region of values wrong", "a factor left out"),
)
ANOTHER_ARRAY = CauseKind(
    "GP117",
    "another-array",
    evidence="yours sums dout * {array}",
    advice="multiply by what forward multiplies {tensor} by",
)
SHARES_MISPLACED = CauseKind(
    "GP109",
    "shares-misplaced",
    evidence="for each entry of dout: the right numbers in the wrong places",
    likely="d{tensor} has the right numbers in the wrong places",
    advice="look for an index, a slice, a flip or an order of axes that is not undone",
    teacher_names=("entries permuted",),
)
TERM_WITHOUT_DOUT = CauseKind(
    "GP113",
    "term-without-dout",
    evidence="yours - numeric is the same for every dout",
    likely="d{tensor} has a term too many: something that is not multiplied by dout is added",
    advice="every term of a gradient has dout, or what came of it, as a factor",
    teacher_names=("a term too many",),
)


def constant_added(evidence: Evidence) -> Cause | None:
    """GP113 where backward adds a term that is there whatever dout is."""
    found = jacobians(evidence)
    # a gradient that is linear in dout may still miss the same derivative of every output
    if not found or not all(_is_offset(jacobian) and not jacobian.linear for jacobian in found):
        return None
    return TERM_WITHOUT_DOUT.cause(support=counted(evidence, found))


def derivatives_misplaced(evidence: Evidence) -> Cause | None:
    """GP109 where what each output gives is right in its numbers, and goes to the wrong entries."""
    found = linear_jacobians(evidence)
    moved = [_moved(jacobian) for jacobian in found]
    if not telling(found) or min(moved) < 0 or sum(moved) < ENOUGH:
        return None
    return SHARES_MISPLACED.cause(support=counted(evidence, found))


def derivative_is_array(evidence: Evidence) -> Cause | None:
    """GP117 where each derivative is the entry of a known array, which forward has not; GP107 where it has some."""
    found = linear_jacobians(evidence)
    if not telling(found):
        return None
    for name in _over_outputs(found[0]):
        if all(_is_entry(jacobian, _over_outputs(jacobian).get(name)) for jacobian in found):
            about, support = {"array": name}, counted(evidence, found)
            if all((jacobian.right | ~jacobian.wanted).all() for jacobian in found) and not mixes_more(found):
                return MASK_OF_A_SUM.cause(about, support=support, confidence=Confidence.VAGUE)
            # another array, a mask, or a factor that is missing: it can be any of them
            return ANOTHER_ARRAY.cause(about, support=support, confidence=Confidence.OPEN)
    return None


def _over_outputs(jacobian: SampledJacobian) -> dict[str, Floats]:
    """Known arrays with one entry for each output, flat."""
    if len(jacobian.shapes) != 1:
        return {}
    laid = {name: laid_out(value, jacobian.shapes[0]) for name, value in plain(jacobian.sample).items()}
    found = {own(name, jacobian.tensor): value for name, value in laid.items() if value is not None}
    centred: dict[str, Floats] = {}
    for name, value in plain(jacobian.sample).items():
        for axis in range(value.ndim) if value.shape == jacobian.shapes[0] else ():
            less = value - value.mean(axis=axis, keepdims=True)
            centred[f"{own(name, jacobian.tensor)} minus its mean over axis {axis}"] = less.reshape(-1)
    return {**found, **centred, "out": jacobian.outputs}


def _is_entry(jacobian: SampledJacobian, value: Floats | None) -> bool:
    if value is None:
        return False
    expected = np.where(jacobian.wanted | jacobian.given, value[:, None], 0.0)
    return bool(jacobian.equal(jacobian.claimed, expected).all())


def telling(found: list[SampledJacobian]) -> bool:
    """Whether enough wrong derivatives were seen to refute what holds by chance."""
    return sum(int(np.count_nonzero(~jacobian.right)) for jacobian in found) >= ENOUGH


def _is_offset(jacobian: SampledJacobian) -> bool:
    gap = jacobian.claimed - jacobian.true
    within = jacobian.equal(gap, np.broadcast_to(gap[:1], gap.shape)).all()
    added = jacobian.claimed[np.abs(gap) > jacobian.floor].any()  # where nothing is claimed, equal ones are missing
    return bool(within and added) and len(gap) > 1


def _moved(jacobian: SampledJacobian) -> int:
    """Count the outputs whose derivatives are right but by other entries; -1 where one has others than it should."""
    moved = 0
    rows = np.asarray(jacobian.right.all(axis=1))
    for mine, true, right in zip(jacobian.claimed, jacobian.true, rows, strict=True):
        if right or not mine.any() or not true.any():  # an output whose derivative fell off an edge refutes nothing
            continue
        if (np.abs(np.sort(mine) - np.sort(true)) > SAME * float(np.max(np.abs(true)))).any():
            return -1
        moved += 1
    return moved


RULES = (
    Rule(
        derivative_is_array,
        400,
        (
            MASK_OF_A_SUM,
            ANOTHER_ARRAY,
        ),
    ),
    Rule(derivatives_misplaced, 410, (SHARES_MISPLACED,)),
    Rule(constant_added, 420, (TERM_WITHOUT_DOUT,)),
)
