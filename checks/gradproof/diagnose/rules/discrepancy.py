"""The rule on gradients that are right but for a little: a constant, an epsilon, a float32; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence, Floats, Sample
from gradproof.diagnose.formulas import plain
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause

# Relative to the largest entry: below it, the formula is right and a constant in it is not.
SMALL = 1e-3
# Relative to the largest entry: what a gradient that went through such floats once or a few times is off by, at most.
NARROW = {"float32": 1e-5, "float16": SMALL}
# Of the ordinary failing examples: so many are close to the truth where only an epsilon is left out.
MOST = 0.9
# Sizes of inputs at which nothing underflows and nothing is saturated: what an epsilon guards against is far away.
LEAST_ORDINARY, MOST_ORDINARY = 0.1, 4.0


CAST_DOWN = CauseKind(
    "GP108",
    "cast-down",
    evidence="differs by {most:.0e} of the gradient at most",
    likely="d{tensor} went through {dtype}: every entry is a {dtype} number",
    advice="look for a cast: astype, dtype=, a {dtype} buffer",
    teacher_names=("down-casts",),
)
CONSTANT_OR_ROUNDING = CauseKind(
    "GP108",
    "constant-or-rounding",
    evidence="differs by {most:.0e} of the gradient at most",
    likely="a constant is mistyped, an epsilon left out, or something on the way is rounded to float32",
    advice="look for astype, dtype= or 'f'; compare the constants digit by digit",
    teacher_names=("down-casts", "epsilon left out", "constant mistyped"),
)
CONSTANT_OR_EPSILON = CauseKind(
    "GP108",
    "constant-or-epsilon",
    evidence="differs by {most:.0e} of the gradient at most",
    likely="an epsilon or a constant is left out or mistyped in one of forward and backward",
    advice="compare the constants of forward and backward digit by digit",
    teacher_names=("epsilon left out", "constant mistyped"),
)
EPSILON_IN_ONE = CauseKind(
    "GP108",
    "epsilon-in-one",
    evidence="differs by {least:.0e} to {most:.0e} of the gradient, more where numbers are extreme"
    "   ({near} of {ordinary} examples of ordinary values)",
    likely="an epsilon is in one of forward and backward only: it grows where what it guards is close to 0",
    advice="differentiate the epsilon too, or clip in the same way in both",
    teacher_names=("epsilon left out",),
)


def small(evidence: Evidence) -> Cause | None:
    """GP108 where yours is close to the truth in every failing example."""
    gaps = [_gap(sample) for sample in evidence.failing]
    return _everywhere(evidence, gaps) if all(gap < SMALL for gap in gaps) else None


def small_where_ordinary(evidence: Evidence) -> Cause | None:
    """GP108 where yours is close to the truth in nearly all failing examples of ordinary values."""
    gaps = [_gap(sample) for sample in evidence.failing]
    ordinary = [gap for gap, sample in zip(gaps, evidence.failing, strict=True) if _is_ordinary(sample)]
    near = [gap for gap in ordinary if gap < SMALL]
    if len(near) < max(ENOUGH, MOST * len(ordinary)):
        return None
    counts = {"near": len(near), "ordinary": len(ordinary)}
    return EPSILON_IN_ONE.cause(evidence={"least": min(near), "most": max(near), **counts})


def _is_ordinary(sample: Sample) -> bool:
    values = [np.abs(value).reshape(-1) for value in plain(sample).values() if value.size]
    sizes = np.concatenate(values) if values else np.zeros(1)
    return bool(np.median(sizes) >= LEAST_ORDINARY and sizes.max() <= MOST_ORDINARY)


def _everywhere(evidence: Evidence, gaps: list[float]) -> Cause:
    shown, support = {"most": max(gaps)}, evidence.support
    for name, most in NARROW.items():
        single = all(_is_narrow(sample.analytic, name) for sample in evidence.failing)
        if single and max(gaps) < most and evidence.supporting >= ENOUGH:
            return CAST_DOWN.cause({"dtype": name}, shown, support)
    if max(gaps) < NARROW["float32"] and all(
        _has_both_signs(sample) for sample in evidence.failing if sample.support.sum() > 3
    ):
        return CONSTANT_OR_ROUNDING.cause({}, shown, support)
    return CONSTANT_OR_EPSILON.cause({}, shown, support)


def _gap(sample: Sample) -> float:
    largest = float(np.max(np.abs(sample.numeric)))
    return float(np.max(np.abs(sample.analytic - sample.numeric))) / largest if largest > 0.0 else float("inf")


def _is_narrow(values: Floats, name: str) -> bool:
    with np.errstate(over="ignore"):  # what the narrow type cannot hold becomes infinite there, and so differs
        return bool((values == values.astype(name)).all())


def _has_both_signs(sample: Sample) -> bool:
    """Whether yours is now larger, now smaller than the truth, as roundings are."""
    gap = ((sample.analytic - sample.numeric) * np.sign(sample.numeric))[sample.wrong & sample.support]
    return bool((gap > 0).any() and (gap < 0).any())


RULES = (
    Rule(
        small,
        130,
        (
            CAST_DOWN,
            CONSTANT_OR_ROUNDING,
            CONSTANT_OR_EPSILON,
        ),
    ),
    Rule(small_where_ordinary, 700, (EPSILON_IN_ONE,)),
)
