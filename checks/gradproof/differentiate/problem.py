"""One subject at one point, as arrays and callables: what there is to measure. It does not know how a layer runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.sampling import Evaluate, EvaluateStack, Point
from gradproof.values import Role


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor under check: its value and the gradient that backward claims, both float64 and of one shape.

    grain: the round-off unit of the claim beyond that of float64, where it was read from how far rounded weights moved.
    remedy: why no claim could be read, and what to write to have it judged.
    """

    name: str
    role: Role
    value: Floats
    claim: Floats
    grain: float = 0.0
    remedy: str | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """A function of several tensors at one point, with the gradients claimed for it.

    outputs, dout: flat float64. evaluate: the outputs with one tensor replaced. at: outputs and gradients with all
    tensors replaced (a full forward and backward). stack: for an input whose rows may be independent, the outputs of
    many copies of the batch in one forward; None where the subject cannot take another batch size. eps: the round-off
    unit of the outputs. shapes: what the flat outputs were, where that is known. unread: the tensors whose gradient is
    missing or of a form that nothing can be compared with; their claim is NaN. forward: the outputs with all tensors
    replaced, without a backward; None for those of ``at``.
    """

    tensors: Sequence[Tensor]
    outputs: Floats
    dout: Floats
    evaluate: Evaluate
    at: Callable[[Sequence[Floats]], tuple[Floats, Sequence[Floats]]]
    stack: Callable[[int], EvaluateStack | None]
    eps: float
    shapes: tuple[tuple[int, ...], ...] = ()
    unread: Sequence[Tensor] = ()
    forward: Callable[[Sequence[Floats]], Floats] | None = None

    def outputs_at(self, values: Sequence[Floats]) -> Floats:
        """The flat outputs with all tensors replaced; NaN where forward raises there."""
        return self.at(values)[0] if self.forward is None else self.forward(values)

    @property
    def point(self) -> Point:
        """The point without the callables; claims that are not finite are measured against zero."""
        return Point([t.value for t in self.tensors], [finite(t.claim) for t in self.tensors], self.outputs, self.dout)


def finite(claim: Floats) -> Floats:
    """Return the claim with zero where it is NaN or infinite; the claim itself where it is finite."""
    return claim if np.isfinite(claim).all() else np.where(np.isfinite(claim), claim, 0.0)
