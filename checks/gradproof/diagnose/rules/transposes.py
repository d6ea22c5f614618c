"""The rule on transposes: dout goes through what the input went through, not back through it; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import Evidence, Floats
from gradproof.diagnose.formulas import plain
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.rules.single_derivatives import telling
from gradproof.diagnose.sampled_jacobians import CLOSE, SampledJacobian, counted, linear_jacobians
from gradproof.findings import Cause, own

ORDER_TAKEN_TWICE = CauseKind(
    "GP109",
    "order-taken-twice",
    evidence="yours puts dout in forward's order, not back",
    likely="d{tensor} has the right numbers in the wrong places: forward's order is taken once more, not undone",
    advice="undo the order: argsort of the indices, or dx[indices] = dout",
    teacher_names=("entries permuted",),
)
OPERATOR_NOT_TRANSPOSED = CauseKind(
    "GP105",
    "operator-not-transposed",
    evidence="yours = forward's own matrix times dout, not its transpose",
    likely="a transpose is missing in d{tensor}: dout goes through the same matrix as {tensor} did in forward",
    advice="write W.T where forward has W, and reverse what forward does in order",
    teacher_names=("transpose",),
)
MATRIX_NOT_TRANSPOSED = CauseKind(
    "GP105",
    "matrix-not-transposed",
    evidence="yours has {matrix} where {matrix}.T belongs, or the reverse",
    likely="a transpose is missing in d{tensor}: {matrix} is used where {matrix}.T belongs, or the reverse",
    advice="where forward multiplies by {matrix}, backward multiplies by {matrix}.T",
    teacher_names=("transpose",),
)


def operator_transposed(evidence: Evidence) -> Cause | None:
    """GP105 where backward applies to dout what forward applied to the input, not its transpose."""
    found = linear_jacobians(evidence)
    if not telling(found):
        return None
    support = counted(evidence, found)
    if all(a.claimed.shape[0] == a.claimed.shape[1] and a.equal(a.claimed, a.true.T).all() for a in found):
        if all(_is_order(a.true) for a in found):
            return ORDER_TAKEN_TWICE.cause(support=support)
        return OPERATOR_NOT_TRANSPOSED.cause(support=support)
    for name in _squares(found[0]):
        if all(_uses_transpose(jacobian, name) for jacobian in found):
            return MATRIX_NOT_TRANSPOSED.cause({"matrix": own(name, evidence.tensor)}, support=support)
    return None


def _is_order(matrix: Floats) -> bool:
    """Whether each output is one entry, and each entry one output: they only stand in another order."""
    plain = bool(((np.abs(matrix) <= CLOSE) | (np.abs(matrix - 1) <= CLOSE)).all())
    return plain and all(bool((np.abs(matrix.sum(axis=axis) - 1) <= CLOSE).all()) for axis in (0, 1))


def _squares(jacobian: SampledJacobian) -> list[str]:
    """The square matrices that multiply along the last axis of both the tensor and the output."""
    shape, output = jacobian.sample.shape, jacobian.shapes[0] if len(jacobian.shapes) == 1 else ()
    ends = {shape[-1], output[-1]} if shape and output else set[int]()
    given = plain(jacobian.sample)
    return [name for name, value in given.items() if value.ndim == 2 and set(value.shape) == ends and len(ends) == 1]


def _uses_transpose(jacobian: SampledJacobian, name: str) -> bool:
    """Whether the derivative is s[o] * W[i, o] in truth and s[o] * W[o, i] as claimed, or the reverse; o: an output."""
    matrix = plain(jacobian.sample).get(name)
    if matrix is None or len(jacobian.shapes) != 1 or not jacobian.shapes[0]:
        return False
    o, i = jacobian.rows(len(jacobian.shapes[0]) - 1), jacobian.columns(len(jacobian.sample.shape) - 1)
    if matrix.shape != (int(o.max()) + 1, int(i.max()) + 1):
        return False
    one, other = matrix[i, o], matrix[o, i]
    ways = ((one, other), (other, one))
    return any(bool(jacobian.equal(jacobian.claimed * a, jacobian.true * b).all()) for a, b in ways)


RULES = (
    Rule(
        operator_transposed,
        310,
        (
            ORDER_TAKEN_TWICE,
            OPERATOR_NOT_TRANSPOSED,
            MATRIX_NOT_TRANSPOSED,
        ),
    ),
)
