"""The rule on products: of x * g(x), backward derives x alone and takes g(x) for a constant; it knows no layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, EPS, Evidence, Floats, Sample
from gradproof.diagnose.formulas import upstream
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause, Confidence, Support

FEW, LEAST = 0.5, 4  # times the values of x, and at least: a factor that takes fewer depends on something else
ROUNDINGS = 64  # by which two ways to write one product may differ, in ulp


FIRST_FACTOR_ALONE = CauseKind(
    "GP113",
    "first-factor-alone",
    evidence="yours = dout * the output / {tensor}",
    likely="a term of d{tensor} is missing: the output is {tensor} times what depends on it too, and {tensor} alone is"
    " derived",
    advice="the product rule has two terms: the other one is {tensor} times a derivative",
    teacher_names=("a term missing",),
)


def first_factor_alone(evidence: Evidence) -> Cause | None:
    """GP113 where yours is dout times the output over x, entry by entry."""
    asked = [sample for sample in evidence.failing if sample.outcome.dependence is not None and not sample.located]
    count = sum(int(np.count_nonzero(sample.support)) for sample in asked)
    if count < ENOUGH or not all(_is_so(sample, evidence.tensor) for sample in asked):
        return None
    if _is_mask(asked, evidence.tensor):
        return None
    # with a formula of x, it may be a power as well
    return FIRST_FACTOR_ALONE.cause(support=Support(count, 1), confidence=Confidence.VAGUE)


def _is_mask(asked: Sequence[Sample], tensor: str) -> bool:
    """Whether the output over x takes so few values that it is no function of x."""
    arrays = [_values(sample, tensor) for sample in asked]
    x, out = (np.concatenate(each) for each in zip(*arrays, strict=True))
    factors = _different(out[x != 0] / x[x != 0])
    return factors < max(FEW * _different(x[x != 0]), LEAST)


def _different(values: Floats) -> int:
    """How many different values there are, to six digits."""
    return len(np.unique(np.round(values, 6)))


def _values(sample: Sample, tensor: str) -> tuple[Floats, Floats]:
    """The tensor's own values and the outputs, of the entries that were measured."""
    dependence, value = sample.outcome.dependence, sample.outcome.example.inputs.get(tensor)
    if dependence is None or not isinstance(value, np.ndarray):
        return np.zeros(0), np.zeros(0)
    x = np.asarray(value, dtype=np.float64).reshape(-1)[sample.position]
    return x, np.asarray(dependence.outputs, dtype=np.float64)[sample.position]


def _is_so(sample: Sample, tensor: str) -> bool:
    dependence, dout = sample.outcome.dependence, upstream(sample)
    if dependence is None or not dependence.elementwise or not isinstance(dout, np.ndarray):
        return False
    if not isinstance(sample.outcome.example.inputs.get(tensor), np.ndarray):
        return False
    x, out = _values(sample, tensor)
    slack = MARGIN * sample.bound * np.abs(x) + ROUNDINGS * EPS * np.abs(dout * out)
    return bool((np.abs(sample.analytic * x - dout * out) <= slack).all())


RULES = (Rule(first_factor_alone, 680, (FIRST_FACTOR_ALONE,)),)
