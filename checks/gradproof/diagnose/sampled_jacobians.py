"""The Jacobian of each example, claimed and true, as masks that can be compared; it names no cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradproof.diagnose.evidence import Evidence, Floats, Mask, Sample
from gradproof.findings import Support

# Relative. Central differences at one step are good to better than that, wrong formulas are further off.
CLOSE = 1e-5
# Relative to the largest derivative of all: smaller ones carry no evidence, for rounding reaches them.
NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class SampledJacobian:
    """One failing sample, output by output: ``claimed`` and ``true`` have the shape (outputs, entries).

    The derivative of an output by an entry is what a dout of 1 there, 0 elsewhere, must put into the entry's gradient.
    ``shapes`` are those of the outputs; ``dout`` and ``outputs`` are flat.
    """

    tensor: str
    sample: Sample
    claimed: Floats
    true: Floats
    shapes: tuple[tuple[int, ...], ...]
    dout: Floats
    outputs: Floats

    @property
    def floor(self) -> Floats:
        """Below it, a derivative by an entry is not seen: the largest by that entry hides it, or rounding does."""
        largest = np.maximum(np.abs(self.claimed), np.abs(self.true)).max(axis=0, keepdims=True)
        return np.asarray(np.maximum(CLOSE * largest, NEGLIGIBLE * largest.max()), dtype=np.float64)

    @property
    def wanted(self) -> Mask:
        """Derivatives that are not zero in truth."""
        return np.asarray(np.abs(self.true) > self.floor, dtype=np.bool_)

    @property
    def given(self) -> Mask:
        """Derivatives that backward claims are not zero."""
        return np.asarray(np.abs(self.claimed) > self.floor, dtype=np.bool_)

    @property
    def right(self) -> Mask:
        """Derivatives that are as they must be."""
        return self.equal(self.claimed, self.true)

    @property
    def lost(self) -> Mask:
        """Derivatives that backward leaves out."""
        return self.wanted & ~self.given

    def equal(self, first: Floats, second: Floats) -> Mask:
        """Say for each derivative whether two readings of it are one."""
        gap = np.abs(first - second)
        slack = CLOSE * np.maximum(np.abs(first), np.abs(second)) + self.floor
        return np.asarray(gap <= slack, dtype=np.bool_)

    @property
    def sound(self) -> bool:
        """Say whether the derivatives add up to the numeric gradient, whose error is known; if not, a step was wide."""
        total, size = self.dout @ self.true, np.abs(self.dout) @ np.abs(self.true)
        gap = np.abs(total[self.sample.position] - self.sample.numeric)
        return bool((gap <= CLOSE * size[self.sample.position] + self.sample.bound).all())

    @property
    def linear(self) -> bool:
        """Say whether the gradient is the sum of the derivatives claimed, each times its entry of dout."""
        total = (self.dout @ self.claimed)[self.sample.position]
        size = (np.abs(self.dout) @ np.abs(self.claimed))[self.sample.position]
        return bool((np.abs(total - self.sample.analytic) <= CLOSE * (size + np.abs(self.sample.analytic))).all())

    def rows(self, axis: int) -> NDArray[np.intp]:
        """The index along ``axis`` of each output, as a column."""
        return np.asarray(np.indices(self.shapes[0])[axis].reshape(-1, 1), dtype=np.intp)

    def columns(self, axis: int) -> NDArray[np.intp]:
        """The index along ``axis`` of each entry of the tensor, as a row."""
        return np.asarray(np.indices(self.sample.shape)[axis].reshape(1, -1), dtype=np.intp)


def jacobians(evidence: Evidence) -> list[SampledJacobian]:
    """Return those of the failing examples; [] where none was asked output by output."""
    wrong = [sample for sample in evidence.failing if sample.wrong.any()]
    found = (_jacobian(sample, evidence.tensor) for sample in wrong)
    return [jacobian for jacobian in found if jacobian is not None and jacobian.sound]


def _jacobian(sample: Sample, tensor: str) -> SampledJacobian | None:
    """Those of one example; None where it was not asked, or where they are not finite, or all of them 0."""
    dependence = sample.outcome.dependence
    jacobian = None if dependence is None else dependence.jacobians.get(tensor)
    if dependence is None or jacobian is None:
        return None
    claimed, true = (np.asarray(values, dtype=np.float64) for values in (jacobian.claimed, jacobian.true))
    is_finite = np.isfinite(claimed).all() and np.isfinite(true).all()
    is_zero = not claimed.any() and not true.any()
    if not is_finite or is_zero:
        return None
    outputs, dout = (np.asarray(values, dtype=np.float64) for values in (dependence.outputs, dependence.dout))
    return SampledJacobian(tensor, sample, claimed, true, dependence.shapes, dout, outputs)


def linear_jacobians(evidence: Evidence) -> list[SampledJacobian]:
    """The same, or [] where backward is not linear in dout: its derivatives then say nothing of the whole."""
    found = jacobians(evidence)
    return found if all(jacobian.linear for jacobian in found) else []


def counted(evidence: Evidence, found: list[SampledJacobian]) -> Support:
    """How many entries of the examples that were asked output by output show it."""
    return replace(evidence, failing=tuple(jacobian.sample for jacobian in found)).support


def aligned(found: list[SampledJacobian]) -> list[tuple[int, int]]:
    """Axes of the tensor and of the one output that have one size in every example: from the front, and from the back.

    [] where there are several outputs, or another number of axes from example to example.
    """
    if not found or any(len(jacobian.shapes) != 1 for jacobian in found):
        return []
    ranks = {(len(jacobian.sample.shape), len(jacobian.shapes[0])) for jacobian in found}
    if len(ranks) != 1:
        return []
    mine, theirs = ranks.pop()
    from_front = [(a, a) for a in range(min(mine, theirs))]
    from_back = [(mine - a, theirs - a) for a in range(1, min(mine, theirs) + 1)]
    pairs = dict.fromkeys([*from_front, *from_back])
    return [pair for pair in pairs if _have_one_size(found, pair)]


def _have_one_size(found: list[SampledJacobian], pair: tuple[int, int]) -> bool:
    """Whether an axis of the tensor and one of the output have the same size in every example."""
    mine, theirs = pair
    return all(jacobian.sample.shape[mine] == jacobian.shapes[0][theirs] for jacobian in found)
