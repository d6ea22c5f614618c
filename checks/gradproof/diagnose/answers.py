"""What backward answers to each output alone, beside the truth, as masks that can be compared; it names no cause."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradproof.diagnose.evidence import Evidence, Floats, Mask, Sample
from gradproof.findings import Support

# Relative. Central differences at one step are good to better than that, wrong formulas are further off.
CLOSE = 1e-5
# Relative to the largest share of all: smaller ones carry no evidence, for rounding reaches them.
NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class Answers:
    """One failing sample, output by output: ``claimed`` and ``true`` have the shape (outputs, entries).

    The share of an output in an entry is what a dout of 1 there, 0 elsewhere, must put into the entry's gradient.
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
        """Below it, a share in an entry is not seen: the entry's largest hides it, or rounding does."""
        largest = np.maximum(np.abs(self.claimed), np.abs(self.true)).max(axis=0, keepdims=True)
        return np.asarray(np.maximum(CLOSE * largest, NEGLIGIBLE * largest.max()), dtype=np.float64)

    @property
    def wanted(self) -> Mask:
        """Shares that are not zero in truth."""
        return np.asarray(np.abs(self.true) > self.floor, dtype=np.bool_)

    @property
    def given(self) -> Mask:
        """Shares that backward claims are not zero."""
        return np.asarray(np.abs(self.claimed) > self.floor, dtype=np.bool_)

    @property
    def right(self) -> Mask:
        """Shares that are as they must be."""
        return self.equal(self.claimed, self.true)

    @property
    def lost(self) -> Mask:
        """Shares that backward leaves out."""
        return self.wanted & ~self.given

    def equal(self, first: Floats, second: Floats) -> Mask:
        """Say for each share whether two readings of it are one."""
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
        """Say whether the gradient is the sum of the shares claimed, each times its entry of dout."""
        total = (self.dout @ self.claimed)[self.sample.position]
        size = (np.abs(self.dout) @ np.abs(self.claimed))[self.sample.position]
        return bool((np.abs(total - self.sample.analytic) <= CLOSE * (size + np.abs(self.sample.analytic))).all())

    def rows(self, axis: int) -> NDArray[np.intp]:
        """The index along ``axis`` of each output, as a column."""
        return np.asarray(np.indices(self.shapes[0])[axis].reshape(-1, 1), dtype=np.intp)

    def columns(self, axis: int) -> NDArray[np.intp]:
        """The index along ``axis`` of each entry of the tensor, as a row."""
        return np.asarray(np.indices(self.sample.shape)[axis].reshape(1, -1), dtype=np.intp)


def answers(evidence: Evidence) -> list[Answers]:
    """Return what failing examples answered output by output; [] where none was asked so."""
    wrong = [sample for sample in evidence.failing if sample.wrong.any()]
    found = (_answer(sample, evidence.tensor) for sample in wrong)
    return [answer for answer in found if answer is not None and answer.sound]


def _answer(sample: Sample, tensor: str) -> Answers | None:
    """What one example answered; None where it was not asked, or where the shares are not finite, or all of them 0."""
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
    return Answers(tensor, sample, claimed, true, dependence.shapes, dout, outputs)


def linear_answers(evidence: Evidence) -> list[Answers]:
    """The same, or [] where backward is not linear in dout: its shares then say nothing of the whole."""
    found = answers(evidence)
    return found if all(answer.linear for answer in found) else []


def counted(evidence: Evidence, found: list[Answers]) -> Support:
    """How many entries of the examples that were asked output by output show it."""
    return replace(evidence, failing=tuple(answer.sample for answer in found)).support


def aligned(found: list[Answers]) -> list[tuple[int, int]]:
    """Axes of the tensor and of the one output that have one size in every example: from the front, and from the back.

    [] where there are several outputs, or another number of axes from example to example.
    """
    if not found or any(len(answer.shapes) != 1 for answer in found):
        return []
    ranks = {(len(answer.sample.shape), len(answer.shapes[0])) for answer in found}
    if len(ranks) != 1:
        return []
    mine, theirs = ranks.pop()
    from_front = [(a, a) for a in range(min(mine, theirs))]
    from_back = [(mine - a, theirs - a) for a in range(1, min(mine, theirs) + 1)]
    pairs = dict.fromkeys([*from_front, *from_back])
    return [pair for pair in pairs if _have_one_size(found, pair)]


def _have_one_size(found: list[Answers], pair: tuple[int, int]) -> bool:
    """Whether an axis of the tensor and one of the output have the same size in every example."""
    mine, theirs = pair
    return all(answer.sample.shape[mine] == answer.shapes[0][theirs] for answer in found)
