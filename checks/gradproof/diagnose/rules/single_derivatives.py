"""Rules on single derivatives: moved to other entries, or off by a factor that is known; they know no layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.diagnose.evidence import ENOUGH, Evidence, Floats
from gradproof.diagnose.formulas import laid_out, plain
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.rules.coupling import mixes_more
from gradproof.diagnose.sampled_jacobians import (
    CLOSE,
    NEGLIGIBLE,
    SampledJacobian,
    counted,
    jacobians,
    linear_jacobians,
)
from gradproof.findings import Cause, Confidence, Fact, Parameters, own

# Relative: two factors that differ by less are one factor.
SAME = 1e-4
# Slopes of an activation below which its output has lost the digits of what went in.
SATURATED = 1e-6


# what a teacher calls a slip in a share
_SLIPS = {
    "factor-missing": ("a factor left out", "wrong power", "derivative left out"),
    "factor-too-many": ("a factor too many", "wrong power", "a factor left out"),
    "factor-at-the-wrong-place": ("layers in the wrong order",),
    "derivative-missing": ("a factor left out", "wrong power", "derivative left out"),
    "derivative-twice": ("a factor too many", "wrong power"),
    "derivative-of-the-pre-activation": ("pre-activation used for post-activation",),
}


def _teacher_names(about: Parameters) -> tuple[str, ...]:
    slips = about["slips"]
    found = [_SLIPS[slip.kind] for slip in slips if isinstance(slip, Fact)] if isinstance(slips, tuple) else []
    return tuple(chain.from_iterable(found))


def _of_first_slip(words: Words) -> str:
    return str(words["to_do"](words["raw"]["slips"][0]))


SHARE_BY_SHARE = CauseKind(
    "GP117",
    "share-by-share",
    evidence="every share of d{tensor}: {slips}",
    likely="in d{tensor}, {slips}",
    advice=_of_first_slip,
    teacher_names=_teacher_names,
)
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


def factor_of_array(evidence: Evidence) -> Cause | None:
    """GP117 where each derivative is off by a known array as a factor: missing, too many, or at the wrong place."""
    found = linear_jacobians(evidence)
    if not telling(found):
        return None
    kinds = [_by_key(jacobian) for jacobian in found]
    slips: list[Fact] = []
    for key, kind in kinds[0].items():
        if kind.slip not in slips and _holds(found, [each.get(key) for each in kinds]):
            slips.append(kind.slip)
    if not slips:
        return None
    return SHARE_BY_SHARE.cause({"slips": tuple(slips)}, support=counted(evidence, found))


def _by_key(jacobian: SampledJacobian) -> dict[str, _Kind]:
    return {kind.key: kind for kind in _kinds(jacobian)}


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


@dataclass(frozen=True, eq=False)
class _Kind:
    """claimed * ``left`` is proportional to true * ``right``, one by one: that is what ``slip`` leads to.

    ``telling`` is False where the array is one number in this example: that explains any constant factor.
    """

    key: str
    left: Floats
    right: Floats
    slip: Fact
    telling: bool = True


def _holds(found: list[SampledJacobian], kinds: list[_Kind | None]) -> bool:
    """Whether every example agrees with it, and one where it tells something does."""
    is_shown = False
    for jacobian, kind in zip(found, kinds, strict=True):
        agrees = False if kind is None else _explains(jacobian, kind)
        if agrees is False:
            return False
        if agrees and kind is not None and kind.telling:
            is_shown = True
    return is_shown


def _explains(jacobian: SampledJacobian, kind: _Kind) -> bool | None:
    """Say whether the sides are proportional; None where nothing of them can be seen."""
    mine, true = jacobian.claimed * kind.left, jacobian.true * kind.right
    if not (np.isfinite(mine).all() and np.isfinite(true).all()):
        return False
    if not (mine.any() or true.any()):
        return None
    largest = np.unravel_index(int(np.argmax(np.abs(true))), true.shape)
    if not (true[largest] and mine[largest]):  # one side is zero: nothing is a factor of nothing
        return False
    true = true * (mine[largest] / true[largest])
    gap, size = np.abs(mine - true), np.maximum(np.abs(mine), np.abs(true))
    return bool((gap <= SAME * size + CLOSE * size.max(axis=0, keepdims=True) + NEGLIGIBLE * float(size.max())).all())


def _kinds(jacobian: SampledJacobian) -> Iterator[_Kind]:
    """Yield each known array as a factor that is missing, too many, or on the input's side instead of the output's."""
    ones = np.ones((1, 1))
    for name, value in plain(jacobian.sample).items():
        about = {"factor": own(name, jacobian.tensor)}
        at_output = laid_out(value, jacobian.shapes[0]) if len(jacobian.shapes) == 1 else None
        at_entry = laid_out(value, jacobian.sample.shape)
        for side, factor in (("output", at_output), ("input", at_entry)):
            if factor is not None:
                shaped = factor[:, None] if side == "output" else factor[None, :]
                varies = not np.allclose(factor, factor[0])
                yield _Kind(f"-{name}{side}", shaped, ones, Fact("factor-missing", about), varies)
                yield _Kind(f"+{name}{side}", ones, shaped, Fact("factor-too-many", about), varies)
        if at_output is not None and at_entry is not None:
            sides = at_output[:, None], at_entry[None, :]
            varies = not np.allclose(at_output, at_output[0])
            yield _Kind(f"<{name}", *sides, Fact("factor-at-the-wrong-place", about), varies)
    yield from _slopes(jacobian)


def _slopes(jacobian: SampledJacobian) -> Iterator[_Kind]:
    """Yield the derivative of a last activation by its formula of the output: missing, twice, at the pre-activation."""
    if len(jacobian.shapes) != 1:
        return
    y = jacobian.outputs
    with np.errstate(all="ignore"):
        logit = np.log(y / (1 - y))
        at_tanh, at_logit = 1 - np.arctanh(y) ** 2, logit * (1 - logit)
    if (np.abs(y) <= 1).all():
        yield from _of_slope("tanh", "1 - out**2", 1 - y**2, at_tanh)
    if ((y >= 0) & (y <= 1)).all():
        yield from _of_slope("the sigmoid", "out * (1 - out)", y * (1 - y), at_logit)


def _of_slope(name: str, formula: str, slope: Floats, early: Floats) -> Iterator[_Kind]:
    """``slope``: the derivative at the output, flat; ``early``: the same formula of the pre-activation."""
    ones, column, about = np.ones((1, 1)), slope[:, None], {"function": name, "formula": formula}
    yield _Kind(f"-{name}", column, ones, Fact("derivative-missing", about))
    yield _Kind(f"+{name}", ones, column, Fact("derivative-twice", about))
    sure = slope > SATURATED  # beyond, the output does not tell its pre-activation to enough digits
    right, mine = (np.where(sure, values, 0.0)[:, None] for values in (slope, early))
    yield _Kind(f"@{name}", right, mine, Fact("derivative-of-the-pre-activation", about))


RULES = (
    Rule(factor_of_array, 300, (SHARE_BY_SHARE,)),
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
