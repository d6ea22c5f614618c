"""Rules on single shares: moved to other entries, or off by a factor that is known; they know no layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradproof.diagnose.answers import CLOSE, NEGLIGIBLE, Answers, answers, counted, linear_answers
from gradproof.diagnose.coupling import mixes_more
from gradproof.diagnose.evidence import ENOUGH, Evidence, Floats
from gradproof.diagnose.formulas import laid_out, plain
from gradproof.findings import Cause, Confidence, Fact, own

# Relative: two factors that differ by less are one factor.
SAME = 1e-4
# Slopes of an activation below which its output has lost the digits of what went in.
SATURATED = 1e-6


def constant_added(evidence: Evidence) -> Cause | None:
    """GP113 where backward adds a term that is there whatever dout is."""
    found = answers(evidence)
    # a gradient that is linear in dout may still miss the same share of every output
    if not found or not all(_is_offset(answer) and not answer.linear for answer in found):
        return None
    return Cause("GP113", "term-without-dout", support=counted(evidence, found))


def share_misplaced(evidence: Evidence) -> Cause | None:
    """GP109 where what each output gives is right in its numbers, and goes to the wrong entries."""
    found = linear_answers(evidence)
    moved = [_moved(answer) for answer in found]
    if not telling(found) or min(moved) < 0 or sum(moved) < ENOUGH:
        return None
    return Cause("GP109", "shares-misplaced", support=counted(evidence, found))


def factor_of_array(evidence: Evidence) -> Cause | None:
    """GP117 where each share is off by a factor that is a known array: missing, too many, or at the wrong place."""
    found = linear_answers(evidence)
    if not telling(found):
        return None
    kinds = [_by_key(answer) for answer in found]
    slips: list[Fact] = []
    for key, kind in kinds[0].items():
        if kind.slip not in slips and _holds(found, [each.get(key) for each in kinds]):
            slips.append(kind.slip)
    if not slips:
        return None
    return Cause("GP117", "share-by-share", {"slips": tuple(slips)}, support=counted(evidence, found))


def _by_key(answer: Answers) -> dict[str, _Kind]:
    return {kind.key: kind for kind in _kinds(answer)}


def share_is_array(evidence: Evidence) -> Cause | None:
    """GP117 where each share is the entry of a known array, which forward has not; GP107 where it has it for some."""
    found = linear_answers(evidence)
    if not telling(found):
        return None
    for name in _over_outputs(found[0]):
        if all(_is_entry(answer, _over_outputs(answer).get(name)) for answer in found):
            about, support = {"array": name}, counted(evidence, found)
            if all((answer.right | ~answer.wanted).all() for answer in found) and not mixes_more(found):
                return Cause("GP107", "mask-of-a-sum", about, support=support, confidence=Confidence.VAGUE)
            # another array, a mask, or a factor that is missing: it can be any of them
            return Cause("GP117", "another-array", about, support=support, confidence=Confidence.OPEN)
    return None


def _over_outputs(answer: Answers) -> dict[str, Floats]:
    """Known arrays with one entry for each output, flat."""
    if len(answer.shapes) != 1:
        return {}
    laid = {name: laid_out(value, answer.shapes[0]) for name, value in plain(answer.sample).items()}
    found = {own(name, answer.tensor): value for name, value in laid.items() if value is not None}
    centred: dict[str, Floats] = {}
    for name, value in plain(answer.sample).items():
        for axis in range(value.ndim) if value.shape == answer.shapes[0] else ():
            less = value - value.mean(axis=axis, keepdims=True)
            centred[f"{own(name, answer.tensor)} minus its mean over axis {axis}"] = less.reshape(-1)
    return {**found, **centred, "out": answer.outputs}


def _is_entry(answer: Answers, value: Floats | None) -> bool:
    if value is None:
        return False
    expected = np.where(answer.wanted | answer.given, value[:, None], 0.0)
    return bool(answer.equal(answer.claimed, expected).all())


def telling(found: list[Answers]) -> bool:
    """Whether enough wrong shares were seen to refute what holds by chance."""
    return sum(int(np.count_nonzero(~answer.right)) for answer in found) >= ENOUGH


def _is_offset(answer: Answers) -> bool:
    gap = answer.claimed - answer.true
    within = answer.equal(gap, np.broadcast_to(gap[:1], gap.shape)).all()
    added = answer.claimed[np.abs(gap) > answer.floor].any()  # where nothing is claimed, equal shares are missing
    return bool(within and added) and len(gap) > 1


def _moved(answer: Answers) -> int:
    """Count the outputs whose shares are right but in other entries; -1 where one has other shares than it should."""
    moved = 0
    rows = np.asarray(answer.right.all(axis=1))
    for mine, true, right in zip(answer.claimed, answer.true, rows, strict=True):
        if right or not mine.any() or not true.any():  # an output whose share fell off an edge refutes nothing
            continue
        if (np.abs(np.sort(mine) - np.sort(true)) > SAME * float(np.max(np.abs(true)))).any():
            return -1
        moved += 1
    return moved


@dataclass(frozen=True, eq=False)
class _Kind:
    """claimed * ``left`` is proportional to true * ``right``, share by share: that is what ``slip`` leads to.

    ``telling`` is False where the array is one number in this example: that explains any constant factor.
    """

    key: str
    left: Floats
    right: Floats
    slip: Fact
    telling: bool = True


def _holds(found: list[Answers], kinds: list[_Kind | None]) -> bool:
    """Whether every example agrees with it, and one where it tells something does."""
    is_shown = False
    for answer, kind in zip(found, kinds, strict=True):
        agrees = False if kind is None else _explains(answer, kind)
        if agrees is False:
            return False
        if agrees and kind is not None and kind.telling:
            is_shown = True
    return is_shown


def _explains(answer: Answers, kind: _Kind) -> bool | None:
    """Say whether the sides are proportional; None where nothing of them can be seen."""
    mine, true = answer.claimed * kind.left, answer.true * kind.right
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


def _kinds(answer: Answers) -> Iterator[_Kind]:
    """Yield each known array as a factor that is missing, too many, or on the input's side instead of the output's."""
    ones = np.ones((1, 1))
    for name, value in plain(answer.sample).items():
        about = {"factor": own(name, answer.tensor)}
        at_output = laid_out(value, answer.shapes[0]) if len(answer.shapes) == 1 else None
        at_entry = laid_out(value, answer.sample.shape)
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
    yield from _slopes(answer)


def _slopes(answer: Answers) -> Iterator[_Kind]:
    """Yield the derivative of a last activation by its formula of the output: missing, twice, at the pre-activation."""
    if len(answer.shapes) != 1:
        return
    y = answer.outputs
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
