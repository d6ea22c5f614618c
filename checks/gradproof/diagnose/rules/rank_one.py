"""The rule on terms of a normalisation: yours is off by one sum times one vector; it knows no layer."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind, FactKind
from gradproof.diagnose.evidence import Evidence, Floats
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.rules.coupling import axes_apart
from gradproof.diagnose.sampled_jacobians import CLOSE, SampledJacobian, aligned, counted, linear_jacobians
from gradproof.findings import Cause, Confidence, Parameters

# Two vectors of two entries are often proportional; of three, never by chance.
LEAST = 3


TERM_OF_A_MEAN = FactKind(
    "term-of-a-mean", "the same number in every entry: the term of a mean or a sum over axis {axis}"
)
TERM_OF_A_VARIANCE = FactKind(
    "term-of-a-variance", "proportional to {tensor} minus its mean over axis {axis}: the term of the variance"
)
TERM_OF_A_NORM = FactKind(
    "term-of-a-norm", "proportional to {tensor}: the term of a norm, or of a mean of squares, over axis {axis}"
)
ANY_TERM = FactKind("any-term", "one sum over axis {axis}, times one vector")
TERM_OF_A_SUM = CauseKind(
    "GP113",
    "term-of-a-sum",
    evidence="yours - numeric is {term}",
    likely="a term of d{tensor} is missing, is there twice, or has a wrong factor: {term}",
    advice="differentiate every sum over axis {axis} in forward, and compare term by term",
    teacher_names=("a term missing", "a term too many", "a dim as factor", "the wrong operand"),
)


def term_of_a_sum(evidence: Evidence) -> Cause | None:
    """GP113 where, along an axis, true and claimed derivatives differ by an outer product, as one term does."""
    found = linear_jacobians(evidence)
    for axis, other in aligned(found):
        terms = _terms(found, axis, other)
        if not terms:
            continue
        kinds = {_kind(gap, x) for gap, x in terms}
        kind = kinds.pop() if len(kinds) == 1 else ANY_TERM
        about: Parameters = {"term": kind.fact({"axis": axis}), "axis": axis}
        return TERM_OF_A_SUM.cause(about, support=counted(evidence, found), confidence=Confidence.VAGUE)
    return None


def _terms(found: list[SampledJacobian], axis: int, other: int) -> list[tuple[Floats, Floats]]:
    """The blocks that tell which term is wrong along an axis; [] where one of them is no outer product."""
    blocks: list[tuple[Floats, Floats]] = []
    for jacobian in found:
        own = _blocks(jacobian, axis, other)
        if own is None:
            return []
        blocks += own
    if not all(_is_rank_one(gap) for gap, _ in blocks):
        return []
    return [(gap, x) for gap, x in blocks if _is_several(gap)]


def _blocks(jacobian: SampledJacobian, axis: int, other: int) -> list[tuple[Floats, Floats]] | None:
    """The differences of derivatives along one axis, at each place of the other axes, with the tensor's values there.

    None where derivatives reach across the other axes: then it is no matter of this axis. Blocks that are right
    or too small to tell are left out.
    """
    shape = jacobian.sample.shape
    has_this_axis = jacobian.shapes == (shape,) and axis == other
    if not has_this_axis or _reaches_across(jacobian, axis):
        return None
    value = jacobian.sample.outcome.example.inputs.get(jacobian.tensor)
    x = np.asarray(value, dtype=np.float64) if isinstance(value, np.ndarray) else np.zeros(shape)
    places = np.moveaxis(np.arange(jacobian.true.shape[1]).reshape(shape), axis, -1).reshape(-1, shape[axis])
    found: list[tuple[Floats, Floats]] = []
    for place in places:
        gap = (jacobian.claimed - jacobian.true)[np.ix_(place, place)]
        if shape[axis] >= LEAST and not jacobian.right[np.ix_(place, place)].all():
            found.append((gap, x.reshape(-1)[place]))
    return found


def _reaches_across(jacobian: SampledJacobian, axis: int) -> bool:
    """Whether an output has a derivative by an entry that is not beside it along ``axis`` alone."""
    derivatives = jacobian.wanted | jacobian.given
    others = [a for a in range(len(jacobian.sample.shape)) if a != axis]
    return any((derivatives & axes_apart(jacobian, (a, a))).any() for a in others)


def _is_rank_one(gap: Floats) -> bool:
    singular = np.linalg.svd(gap, compute_uv=False)
    return bool(singular[1] <= 10 * CLOSE * singular[0])


def _is_several(gap: Floats) -> bool:
    """Whether both vectors of the outer product have several entries."""
    return all(np.count_nonzero(np.abs(gap).max(axis=a) > CLOSE * np.abs(gap).max()) >= 2 for a in (0, 1))


def _kind(gap: Floats, x: Floats) -> FactKind:
    """What the vector along the entries is: constant, the centred x, x itself, or none of them."""
    row = gap[int(np.argmax(np.abs(gap).max(axis=1)))]
    for kind, vector in ((TERM_OF_A_MEAN, np.ones_like(x)), (TERM_OF_A_VARIANCE, x - x.mean()), (TERM_OF_A_NORM, x)):
        if _parallel(row, vector):
            return kind
    return ANY_TERM


def _parallel(one: Floats, other: Floats) -> bool:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    cross = [a * d - b * c for (a, b), (c, d) in zip(pairwise(one), pairwise(other), strict=True)]
    return lengths > 0.0 and bool((np.abs(cross) <= 100 * CLOSE * lengths).all())


RULES = (Rule(term_of_a_sum, 430, (TERM_OF_A_SUM,), (TERM_OF_A_MEAN, TERM_OF_A_VARIANCE, TERM_OF_A_NORM, ANY_TERM)),)
