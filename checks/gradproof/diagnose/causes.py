"""Names the likely cause of a wrong gradient by independent rules over evidence; it knows no layer and prints nothing.

A rule speaks only if it holds within the error bounds over every entry measured: a wrong cause is worse than none.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.diagnose import factors, regions
from gradproof.diagnose.coupling import carried_wrong, uncoupled, wrong_axis
from gradproof.diagnose.discrepancy import small, small_where_ordinary
from gradproof.diagnose.elementwise import derivative_elsewhere, derivative_of_another
from gradproof.diagnose.evidence import ENOUGH, Evidence, Sample, result_of, sample_of
from gradproof.diagnose.ignores import dout_ignored, dout_sign_or_size_ignored
from gradproof.diagnose.masks import mask_wrong
from gradproof.diagnose.one_region import one_region
from gradproof.diagnose.product_rule import first_factor_alone
from gradproof.diagnose.rank_one import term_of_a_sum
from gradproof.diagnose.reductions import wrong_reduction
from gradproof.diagnose.single_derivatives import (
    constant_added,
    derivative_is_array,
    derivatives_misplaced,
    factor_of_array,
)
from gradproof.diagnose.summing import dout_unused, overwritten
from gradproof.diagnose.terms import derivative_left_out, known_exchange, known_factor, known_formula, known_term
from gradproof.diagnose.transposes import operator_transposed
from gradproof.diagnose.zeros import never_written
from gradproof.findings import Cause, Confidence, Parameters, Value
from gradproof.values import Verdict


def name_cause(evidence: Evidence) -> Cause:
    """Return what the first rule that holds says, the most specific first; GP101 without a cause where none does."""
    if evidence.failing:
        for rule in RULES:
            cause = rule(evidence)
            if cause is not None:
                return cause
        shown = {"extent": regions.extent(factors.richest(evidence))}
        return Cause("GP101", "unexplained", evidence=shown, confidence=Confidence.OPEN)
    return Cause("GP101", "unmeasured", confidence=Confidence.OPEN)


def _factor(evidence: Evidence) -> Cause | None:
    held = factors.factors(evidence)
    if not held:
        return _one_scalar(evidence)
    names = tuple(factor.text for factor in held)
    shown: Parameters = {"ratio": factors.ratio(_shown(evidence)), "factors": names}
    support = evidence.support
    if len(held) > 1:
        return Cause("GP102", "one-of-several-factors", {"factors": names}, shown, support)
    if names == ("-1",):
        return Cause("GP103", "wrong-sign", {}, shown, support)
    return Cause("GP102", *_kind_of_factor(held[0], evidence.batch), shown, support)


def _one_scalar(evidence: Evidence) -> Cause | None:
    if not factors.one_scalar(evidence):
        return None
    return Cause("GP102", "one-scalar", support=evidence.support, confidence=Confidence.VAGUE)


def _only_there(evidence: Evidence) -> Cause | None:
    """Where some examples are right: the factor of the others, or that they are zero."""
    if not evidence.passing:
        return None
    held = factors.factors(replace(evidence, passing=()))
    if held:
        names = tuple(factor.text for factor in held)
        return Cause("GP102", "factor-where-wrong", {"factors": names}, support=evidence.support)
    if evidence.supporting < ENOUGH or any(sample.analytic.any() for sample in evidence.failing):
        return None
    return Cause("GP104", "zero-where-wrong", support=evidence.support)


def _shown(evidence: Evidence) -> Sample:
    """Return the smallest example, whose dims the finding shows, if it supports a ratio; else the richest."""
    smallest = next((s for s in evidence.failing if s.outcome is evidence.minimal and s.support.any()), None)
    return factors.richest(evidence) if smallest is None else smallest


def _kind_of_factor(factor: factors.Factor, batch: str | None) -> tuple[str, dict[str, Value]]:
    """The kind of cause that a factor is, and what it is about."""
    if factor.text in ("2", "1/2"):
        return "twice" if factor.text == "2" else "half", {}
    if not factor.dims:
        return "constant-factor", {"factor": factor.text}
    about: dict[str, Value] = {
        "size": factor.text.lstrip("-").removeprefix("1/"),
        "sign": -1 if factor.text.startswith("-") else 1,
    }
    kind = "divided-by" if factor.divides else "multiplied-by"
    if factor.root:
        return f"{kind}-a-root", about
    return f"{kind}-{'the-batch-size' if factor.dims == (batch,) else 'a-size'}", about


def _sign_lost(evidence: Evidence) -> Cause | None:
    if evidence.supporting < ENOUGH or not all(s.equals(np.abs(s.numeric)).all() for s in evidence.samples):
        return None
    dependences = [sample.outcome.dependence for sample in evidence.failing]
    if any(dependence is not None and evidence.tensor in dependence.negated for dependence in dependences):
        return None  # it is dout's sign that is lost
    return Cause("GP103", "sign-lost", support=evidence.support)


def _transposed(evidence: Evidence) -> Cause | None:
    """Two axes exchanged and the numbers poured back into the tensor's shape: in a square array, its transpose."""
    ranks = {len(sample.shape) for sample in evidence.failing}
    if evidence.supporting < ENOUGH or len(ranks) != 1 or any(sample.located for sample in evidence.failing):
        return None
    ndim = ranks.pop()
    pairs = combinations(range(ndim), 2)
    exchanged = next((pair for pair in pairs if _are_exchanged(evidence, ndim, *pair)), None)
    if exchanged is None:
        return None
    if ndim == 2:
        return Cause("GP105", "transposed", support=evidence.support)
    one, other = exchanged
    return Cause("GP105", "axes-exchanged", {"one": one, "other": other}, support=evidence.support)


def _are_exchanged(evidence: Evidence, ndim: int, a: int, b: int) -> bool:
    """Whether two axes are exchanged in all failing examples, and in those that pass, where that leaves the shape."""
    square = [s for s in evidence.passing if len(s.shape) == ndim and s.shape[a] == s.shape[b]]
    return all(_is_swap(sample, a, b) for sample in (*evidence.failing, *square))


def _is_swap(sample: Sample, a: int, b: int) -> bool:
    swapped = (np.swapaxes(sample.whole(values), a, b).ravel() for values in (sample.numeric, sample.bound))
    expected, error = (values[sample.position] for values in swapped)
    return bool((sample.equals(expected, error) | np.isnan(expected)).all())


def _swapped(evidence: Evidence) -> Cause | None:
    others = [r.name for r in evidence.failing[0].outcome.tensors if r.name != evidence.tensor]
    held = [name for name in others if evidence.supporting >= ENOUGH and _is_other(evidence, name)]
    if len(held) != 1:
        return None
    return Cause("GP106", "gradient-of-another", {"other": held[0]}, support=evidence.support)


def _is_other(evidence: Evidence, name: str) -> bool:
    """Say whether the analytic gradient is the numeric one of ``name``, wherever both have one shape."""
    for sample in evidence.samples:
        result = result_of(sample.outcome, name)
        other = None if result is None else sample_of(sample.outcome, result)
        if other is not None and other.shape == sample.shape and not (other.located or sample.located):
            expected, error = (other.whole(values).ravel()[sample.position] for values in (other.numeric, other.bound))
            if not (sample.equals(expected, error) | np.isnan(expected)).all():
                return False
        elif _fails(sample, evidence.tensor):
            return False
    return True


def _fails(sample: Sample, tensor: str) -> bool:
    result = result_of(sample.outcome, tensor)
    return result is not None and result.verdict is Verdict.FAIL


def _misplaced(evidence: Evidence) -> Cause | None:
    if evidence.supporting < ENOUGH or not all(_is_reordered(sample) for sample in evidence.failing):
        return None
    return Cause("GP109", "in-another-order", support=evidence.support)


def _is_reordered(sample: Sample) -> bool:
    """Say whether analytic and numeric are the same numbers in another order."""
    gap = np.abs(np.sort(sample.analytic) - np.sort(sample.numeric))
    return not sample.located and bool((gap <= MARGIN * float(sample.bound.max())).all())


RULES = (
    never_written,
    dout_ignored,
    _factor,
    small,
    _sign_lost,
    dout_sign_or_size_ignored,
    _transposed,
    _swapped,
    wrong_reduction,
    _misplaced,
    factor_of_array,
    operator_transposed,
    dout_unused,
    wrong_axis,
    uncoupled,
    carried_wrong,
    overwritten,
    derivative_is_array,
    derivatives_misplaced,
    constant_added,
    term_of_a_sum,
    one_region,
    _only_there,
    derivative_of_another,
    derivative_elsewhere,
    derivative_left_out,
    mask_wrong,
    known_formula,
    known_factor,
    known_term,
    known_exchange,
    first_factor_alone,
    small_where_ordinary,
)
