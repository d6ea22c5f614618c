"""The rule on shares: what each output gives is off by a factor that is known, or a derivative; it knows no layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind, FactKind, Words
from gradproof.diagnose.evidence import Evidence, Floats
from gradproof.diagnose.formulas import laid_out, plain
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.rules.single_derivatives import SAME, telling
from gradproof.diagnose.sampled_jacobians import CLOSE, NEGLIGIBLE, SampledJacobian, counted, linear_jacobians
from gradproof.findings import Cause, Fact, Parameters, own

# Slopes of an activation below which its output has lost the digits of what went in.
SATURATED = 1e-6

FACTOR_MISSING = FactKind(
    "factor-missing",
    "the factor {factor} is missing",
    advice="look for a factor {factor} that forward has and backward lacks",
    teacher_names=("a factor left out", "wrong power", "derivative left out"),
)
FACTOR_TOO_MANY = FactKind(
    "factor-too-many",
    "the factor {factor} is one too many, or a division by it is missing",
    advice="leave {factor} out once, or divide by it",
    teacher_names=("a factor too many", "wrong power", "a factor left out"),
)
FACTOR_AT_THE_WRONG_PLACE = FactKind(
    "factor-at-the-wrong-place",
    "{factor} multiplies at the wrong place",
    advice="multiply dout by {factor} first, before what forward did ahead of {factor} is undone",
    teacher_names=("layers in the wrong order",),
)
DERIVATIVE_MISSING = FactKind(
    "derivative-missing",
    "{function}'s derivative {formula} is missing",
    advice="multiply dout by {formula} first",
    teacher_names=("a factor left out", "wrong power", "derivative left out"),
)
DERIVATIVE_TWICE = FactKind(
    "derivative-twice",
    "{function}'s derivative {formula} is there twice",
    advice="multiply by it once",
    teacher_names=("a factor too many", "wrong power"),
)
DERIVATIVE_OF_THE_PRE_ACTIVATION = FactKind(
    "derivative-of-the-pre-activation",
    "{function}'s derivative is taken at the pre-activation, not at the output",
    advice="use {formula}, out being forward's output",
    teacher_names=("pre-activation used for post-activation",),
)
SLIPS = (
    FACTOR_MISSING,
    FACTOR_TOO_MANY,
    FACTOR_AT_THE_WRONG_PLACE,
    DERIVATIVE_MISSING,
    DERIVATIVE_TWICE,
    DERIVATIVE_OF_THE_PRE_ACTIVATION,
)
NAMES = {slip.name: slip.teacher_names for slip in SLIPS}


def _teacher_names(about: Parameters) -> tuple[str, ...]:
    slips = about["slips"]
    found = [NAMES[slip.kind] for slip in slips if isinstance(slip, Fact)] if isinstance(slips, tuple) else []
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


def factor_of_array(evidence: Evidence) -> Cause | None:
    """GP117 where each derivative is off by a known array as a factor: missing, too many, or at the wrong place."""
    found = linear_jacobians(evidence)
    if not telling(found):
        return None
    explanations = [_by_key(jacobian) for jacobian in found]
    slips: list[Fact] = []
    for key, explanation in explanations[0].items():
        if explanation.slip not in slips and _holds(found, [each.get(key) for each in explanations]):
            slips.append(explanation.slip)
    if not slips:
        return None
    return SHARE_BY_SHARE.cause({"slips": tuple(slips)}, support=counted(evidence, found))


def _by_key(jacobian: SampledJacobian) -> dict[str, _Explanation]:
    return {explanation.key: explanation for explanation in _explanations(jacobian)}


@dataclass(frozen=True, eq=False)
class _Explanation:
    """claimed * ``left`` is proportional to true * ``right``, one by one: that is what ``slip`` leads to.

    ``telling`` is False where the array is one number in this example: that explains any constant factor.
    """

    key: str
    left: Floats
    right: Floats
    slip: Fact
    telling: bool = True


def _holds(found: list[SampledJacobian], explanations: list[_Explanation | None]) -> bool:
    """Whether every example agrees with it, and one where it tells something does."""
    is_shown = False
    for jacobian, explanation in zip(found, explanations, strict=True):
        agrees = False if explanation is None else _explains(jacobian, explanation)
        if agrees is False:
            return False
        if agrees and explanation is not None and explanation.telling:
            is_shown = True
    return is_shown


def _explains(jacobian: SampledJacobian, explanation: _Explanation) -> bool | None:
    """Say whether the sides are proportional; None where nothing of them can be seen."""
    mine, true = jacobian.claimed * explanation.left, jacobian.true * explanation.right
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


def _explanations(jacobian: SampledJacobian) -> Iterator[_Explanation]:
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
                yield _Explanation(f"-{name}{side}", shaped, ones, FACTOR_MISSING.fact(about), varies)
                yield _Explanation(f"+{name}{side}", ones, shaped, FACTOR_TOO_MANY.fact(about), varies)
        if at_output is not None and at_entry is not None:
            sides = at_output[:, None], at_entry[None, :]
            varies = not np.allclose(at_output, at_output[0])
            yield _Explanation(f"<{name}", *sides, FACTOR_AT_THE_WRONG_PLACE.fact(about), varies)
    yield from _slopes(jacobian)


def _slopes(jacobian: SampledJacobian) -> Iterator[_Explanation]:
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


def _of_slope(name: str, formula: str, slope: Floats, early: Floats) -> Iterator[_Explanation]:
    """``slope``: the derivative at the output, flat; ``early``: the same formula of the pre-activation."""
    ones, column, about = np.ones((1, 1)), slope[:, None], {"function": name, "formula": formula}
    yield _Explanation(f"-{name}", column, ones, DERIVATIVE_MISSING.fact(about))
    yield _Explanation(f"+{name}", ones, column, DERIVATIVE_TWICE.fact(about))
    sure = slope > SATURATED  # beyond, the output does not tell its pre-activation to enough digits
    right, mine = (np.where(sure, values, 0.0)[:, None] for values in (slope, early))
    yield _Explanation(f"@{name}", right, mine, DERIVATIVE_OF_THE_PRE_ACTIVATION.fact(about))


RULES = (Rule(factor_of_array, 300, (SHARE_BY_SHARE,), SLIPS),)
