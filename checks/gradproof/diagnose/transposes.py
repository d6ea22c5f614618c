"""The rule on transposes: dout goes through what the input went through, not back through it; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose.evidence import Evidence, Floats
from gradproof.diagnose.formulas import plain
from gradproof.diagnose.sampled_jacobians import CLOSE, SampledJacobian, counted, linear_jacobians
from gradproof.diagnose.single_derivatives import telling
from gradproof.findings import Cause, own


def operator_transposed(evidence: Evidence) -> Cause | None:
    """GP105 where backward applies to dout what forward applied to the input, not its transpose."""
    found = linear_jacobians(evidence)
    if not telling(found):
        return None
    support = counted(evidence, found)
    if all(a.claimed.shape[0] == a.claimed.shape[1] and a.equal(a.claimed, a.true.T).all() for a in found):
        if all(_is_order(a.true) for a in found):
            return Cause("GP109", "order-taken-twice", support=support)
        return Cause("GP105", "operator-not-transposed", support=support)
    for name in _squares(found[0]):
        if all(_uses_transpose(jacobian, name) for jacobian in found):
            return Cause("GP105", "matrix-not-transposed", {"matrix": own(name, evidence.tensor)}, support=support)
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
