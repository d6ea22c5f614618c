"""Rules on the right numbers in other places: transposed, of another tensor, in another order; they know no layer."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from gradproof.compare.directions import MARGIN
from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import ENOUGH, Evidence, Sample, result_of, sample_of
from gradproof.diagnose.rule import Rule
from gradproof.findings import Cause
from gradproof.values import Verdict

TRANSPOSED = CauseKind(
    "GP105",
    "transposed",
    evidence="yours = numeric.T",
    likely="d{tensor} is the true gradient transposed",
    advice="write down the shape of each factor: where the shapes differ only one order fits",
    teacher_names=("transpose",),
)
AXES_EXCHANGED = CauseKind(
    "GP105",
    "axes-exchanged",
    evidence="yours = numeric with axes {one} and {other} exchanged",
    likely="d{tensor} is the true gradient with axes {one} and {other} exchanged",
    advice="write down the shape of each factor: where the shapes differ only one order fits",
    teacher_names=("transpose", "entries permuted"),
)
GRADIENT_OF_ANOTHER = CauseKind(
    "GP106",
    "gradient-of-another",
    evidence="yours = the numeric gradient of {other}",
    likely="backward gives {tensor} the gradient that belongs to {other}",
    advice="compare the order of the gradients with the order of {tensor} and {other}",
    teacher_names=("gradients swapped",),
)
IN_ANOTHER_ORDER = CauseKind(
    "GP109",
    "in-another-order",
    evidence="yours, sorted = numeric, sorted",
    likely="d{tensor} has the right numbers in the wrong places",
    advice="look for an index, a reshape, a flip or an order of axes that is not undone",
    teacher_names=("entries permuted",),
)


def transposed(evidence: Evidence) -> Cause | None:
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
        return TRANSPOSED.cause(support=evidence.support)
    one, other = exchanged
    return AXES_EXCHANGED.cause({"one": one, "other": other}, support=evidence.support)


def _are_exchanged(evidence: Evidence, ndim: int, a: int, b: int) -> bool:
    """Whether two axes are exchanged in all failing examples, and in those that pass, where that leaves the shape."""
    square = [s for s in evidence.passing if len(s.shape) == ndim and s.shape[a] == s.shape[b]]
    return all(_is_swap(sample, a, b) for sample in (*evidence.failing, *square))


def _is_swap(sample: Sample, a: int, b: int) -> bool:
    swapped = (np.swapaxes(sample.whole(values), a, b).ravel() for values in (sample.numeric, sample.bound))
    expected, error = (values[sample.position] for values in swapped)
    return bool((sample.equals(expected, error) | np.isnan(expected)).all())


def swapped(evidence: Evidence) -> Cause | None:
    """GP106 where yours is the true gradient of another tensor."""
    others = [r.name for r in evidence.failing[0].outcome.tensors if r.name != evidence.tensor]
    held = [name for name in others if evidence.supporting >= ENOUGH and _is_other(evidence, name)]
    if len(held) != 1:
        return None
    return GRADIENT_OF_ANOTHER.cause({"other": held[0]}, support=evidence.support)


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


def misplaced(evidence: Evidence) -> Cause | None:
    """GP109 where yours holds the true numbers in another order."""
    if evidence.supporting < ENOUGH or not all(_is_reordered(sample) for sample in evidence.failing):
        return None
    return IN_ANOTHER_ORDER.cause(support=evidence.support)


def _is_reordered(sample: Sample) -> bool:
    """Say whether analytic and numeric are the same numbers in another order."""
    gap = np.abs(np.sort(sample.analytic) - np.sort(sample.numeric))
    return not sample.located and bool((gap <= MARGIN * float(sample.bound.max())).all())


RULES = (
    Rule(
        transposed,
        200,
        (
            TRANSPOSED,
            AXES_EXCHANGED,
        ),
    ),
    Rule(swapped, 210, (GRADIENT_OF_ANOTHER,)),
    Rule(misplaced, 230, (IN_ANOTHER_ORDER,)),
)
