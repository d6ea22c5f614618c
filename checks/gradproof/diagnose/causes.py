"""Names the likely cause of a wrong gradient by independent rules over evidence; it knows no layer and prints nothing.

A rule speaks only if it holds within the error bounds over every entry measured: a wrong cause is worse than none.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from gradproof.compare.lanes import MARGIN
from gradproof.diagnose import factors, regions
from gradproof.diagnose.cause import Cause
from gradproof.diagnose.coupling import carried_wrong, uncoupled, wrong_axis
from gradproof.diagnose.discrepancy import small, small_where_ordinary
from gradproof.diagnose.evidence import ENOUGH, Evidence, Sample, result_of, sample_of
from gradproof.diagnose.ignores import dout_ignored, dout_sign_or_size_ignored
from gradproof.diagnose.masks import mask_wrong
from gradproof.diagnose.one_region import one_region
from gradproof.diagnose.product_rule import first_factor_alone
from gradproof.diagnose.rank_one import term_of_a_sum
from gradproof.diagnose.reductions import wrong_reduction
from gradproof.diagnose.shares import (
    constant_added,
    factor_of_array,
    share_is_array,
    share_misplaced,
)
from gradproof.diagnose.sides import wrong_argument, wrong_side
from gradproof.diagnose.summing import dout_unused, overwritten
from gradproof.diagnose.terms import derivative_left_out, known_exchange, known_factor, known_formula, known_term
from gradproof.diagnose.transposes import operator_transposed
from gradproof.diagnose.zeros import never_written
from gradproof.values import Verdict


def name_cause(evidence: Evidence) -> Cause:
    """Return what the first rule that holds says, the most specific first; GP101 without a cause where none does."""
    if evidence.failing:
        for rule in RULES:
            cause = rule(evidence)
            if cause is not None:
                return cause
        return Cause("GP101", (("where", regions.extent(factors.richest(evidence))),))
    return Cause("GP101", ())


def _factor(evidence: Evidence) -> Cause | None:
    held = factors.factors(evidence)
    if not held:
        return _one_scalar(evidence)
    tensor, names = evidence.tensor, " or ".join(factor.text for factor in held)
    measured = f"yours / numeric = {factors.ratio(_shown(evidence)):.4g}"
    shown = measured if measured.endswith(f"= {names}") else f"{measured} = {names}"
    lines = (("everywhere", f"{shown}   {evidence.count}"),)
    if len(held) > 1:
        likely = f"d{tensor} is {names} times the true gradient: the sizes tried cannot tell which"
        return Cause("GP102", lines, likely, "check with other sizes: a factor that follows a dim will change with it")
    if held[0].text == "-1":
        return Cause("GP103", lines, f"d{tensor} has the wrong sign", "look for a lost or an extra minus")
    return Cause("GP102", lines, *_factor_words(tensor, held[0], evidence.batch))


def _one_scalar(evidence: Evidence) -> Cause | None:
    if not factors.one_scalar(evidence):
        return None
    text = "yours / numeric is one number within each example, another in the next"
    return Cause(
        "GP102",
        (("everywhere", f"{text}   {evidence.count}"),),
        f"d{evidence.tensor} lacks, or has too many, one factor: a single number that changes with the example",
        "look for a scalar that forward computes (a norm, a sum), or for dout where the output is a scalar",
        vague=True,
    )


def _only_there(evidence: Evidence) -> Cause | None:
    """Where some examples are right: the factor of the others, or that they are zero."""
    there = replace(evidence, passing=())
    held = factors.factors(there) if evidence.passing else []
    tensor, count = evidence.tensor, evidence.count
    if held:
        names = " or ".join(factor.text for factor in held)
        lines = (("everywhere", f"yours / numeric = {names} in every example that fails   {count}"),)
        likely = f"where it is wrong, d{tensor} is {names} times the true gradient"
        return Cause("GP102", lines, likely, "look for a branch, a shape or a size that backward treats apart")
    if not evidence.passing or evidence.supporting < ENOUGH or any(s.analytic.any() for s in evidence.failing):
        return None
    lines = (("everywhere", f"yours = 0 in every example that fails   {count}"),)
    likely = f"where it is wrong, d{tensor} is zero: backward does not write it, or multiplies it by zero"
    return Cause("GP104", lines, likely, "look for a branch, a shape or a size that backward treats apart")


def _shown(evidence: Evidence) -> Sample:
    """Return the smallest example, whose dims the finding shows, if it supports a ratio; else the richest."""
    smallest = next((s for s in evidence.failing if s.outcome is evidence.minimal and s.support.any()), None)
    return factors.richest(evidence) if smallest is None else smallest


def _factor_words(tensor: str, factor: factors.Factor, batch: str | None) -> tuple[str, str]:
    d = f"d{tensor}"
    if factor.text == "2":
        return f"{d} is twice the true gradient", "look for a 1/2 that only forward has, or for a term added twice"
    if factor.text == "1/2":
        return f"{d} is half the true gradient", "look for the 2 of a square's derivative, or for a term left out"
    if not factor.dims:
        return (
            f"{d} is {factor.text} times the true gradient, at every shape tried",
            "look for a constant that only one of forward and backward has",
        )
    sign = " and has the wrong sign" if factor.text.startswith("-") else ""
    size = factor.text.lstrip("-").removeprefix("1/")
    what = f"the batch size {size}" if factor.dims == (batch,) and not factor.root else size
    wrong = f"{d} is divided by {what}{sign}" if factor.divides else f"{d} is {size} times too large{sign}"
    if factor.root:
        return wrong, f"look for a {size} that only one of forward and backward has"
    if factor.divides:
        return (
            f"{wrong}: a mean is taken where forward takes a sum, or is taken twice",
            f"sum instead of taking the mean; where the loss has already divided by {size}, no layer divides again",
        )
    return (
        f"{wrong}: the 1/{size} of a mean is missing, or it is summed once too often",
        f"where forward takes a mean over {what}, backward divides by {size}",
    )


def _sign_lost(evidence: Evidence) -> Cause | None:
    if evidence.supporting < ENOUGH or not all(s.equals(np.abs(s.numeric)).all() for s in evidence.samples):
        return None
    probes = [sample.outcome.probe for sample in evidence.failing]
    if any(probe is not None and evidence.tensor in probe.negated for probe in probes):
        return None  # it is dout's sign that is lost
    lines = (("everywhere", f"yours = |numeric|   {evidence.count}"),)
    return Cause("GP103", lines, f"d{evidence.tensor} has lost its sign", "look for an abs, a square or a comparison")


def _transposed(evidence: Evidence) -> Cause | None:
    """Two axes exchanged and the numbers poured back into the tensor's shape: in a square array, its transpose."""
    ranks = {len(sample.shape) for sample in evidence.failing}
    if evidence.supporting < ENOUGH or len(ranks) != 1 or any(sample.located for sample in evidence.failing):
        return None
    ndim = ranks.pop()
    for a, b in combinations(range(ndim), 2):
        square = [s for s in evidence.passing if len(s.shape) == ndim and s.shape[a] == s.shape[b]]
        if all(_is_swap(sample, a, b) for sample in (*evidence.failing, *square)):
            what = "transposed" if ndim == 2 else f"with axes {a} and {b} exchanged"
            text = "yours = numeric.T" if ndim == 2 else f"yours = numeric {what}"
            likely = f"d{evidence.tensor} is the true gradient {what}"
            advice = "write down the shape of each factor: where the shapes differ only one order fits"
            return Cause("GP105", (("everywhere", f"{text}   {evidence.count}"),), likely, advice)
    return None


def _is_swap(sample: Sample, a: int, b: int) -> bool:
    swapped = (np.swapaxes(sample.whole(values), a, b).ravel() for values in (sample.numeric, sample.bound))
    expected, error = (values[sample.position] for values in swapped)
    return bool((sample.equals(expected, error) | np.isnan(expected)).all())


def _swapped(evidence: Evidence) -> Cause | None:
    others = [r.name for r in evidence.failing[0].outcome.tensors if r.name != evidence.tensor]
    held = [name for name in others if evidence.supporting >= ENOUGH and _is_other(evidence, name)]
    if len(held) != 1:
        return None
    mine, other = evidence.tensor, held[0]
    lines = (("everywhere", f"yours = the numeric gradient of {other}   {evidence.count}"),)
    likely = f"backward gives {mine} the gradient that belongs to {other}"
    return Cause("GP106", lines, likely, f"compare the order of the gradients with the order of {mine} and {other}")


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
    lines = (("everywhere", f"yours, sorted = numeric, sorted   {evidence.count}"),)
    likely = f"d{evidence.tensor} has the right numbers in the wrong places"
    return Cause("GP109", lines, likely, "look for an index, a reshape, a flip or an order of axes that is not undone")


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
    share_is_array,
    share_misplaced,
    constant_added,
    term_of_a_sum,
    one_region,
    _only_there,
    wrong_side,
    wrong_argument,
    derivative_left_out,
    mask_wrong,
    known_formula,
    known_factor,
    known_term,
    known_exchange,
    first_factor_alone,
    small_where_ordinary,
)
