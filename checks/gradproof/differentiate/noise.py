"""How much round-off an evaluation carries: modelled from magnitudes, or measured from how rough the function is.

It knows arrays of sampled values; it does not know where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

POINTS = 9  # samples on a line: six fourth differences, whose median is robust against one jump
# fourth differences of smooth functions are ~1e-21 at 2^-18; casts to float32 still show
SPACINGS = (2.0**-18, 2.0**-22)
# fourth differences of unit white noise: variance 70; median of |normal| = 0.6745
_GAUSS = float(np.sqrt(70.0)) * 0.6745
CHUNK = 1 << 15  # elements multiplied at a time
LARGE = 10_000  # terms from which round-off is added up as a random walk instead of at its worst
# fine distances along a line, in units of the values' own size: one that any float64 or float32 function must show
# (2^24 times the round-off of a float64 value that changes by its own size), one below what float32 resolves (2^-24)
NEAR, NEARER = 2.0**-22, 2.0**-30
DIVERSE = 8  # different values that are not all float32's by chance, or by saturation
NARROW = float(np.finfo(np.float32).eps)
SHRINK = 2.0**-10  # inputs scaled down by this show the O(1) intermediates that saturation hides
# coarse places along the line, in the same units: does the output move in steps?
PLACES = tuple(sign * 2.0**power for power in (-9, -6, -3, -1, 1, 2, 3) for sign in (1.0, -1.0))


def unit(dtype: np.dtype[Any]) -> float:
    """Return the machine epsilon of a floating dtype (float64 for any other kind)."""
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(np.float64).eps)


def magnitude(pairs: Iterable[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Return ``total`` and ``walk`` of the elementwise products of all pairs, without holding a product."""
    worst, squares = 0.0, 0.0
    for left, right in pairs:
        for start in range(0, left.size, CHUNK):
            part = left[start : start + CHUNK] * right[start : start + CHUNK]
            worst += float(np.abs(part).sum())
            squares += float(np.vdot(part, part))
    return worst, 2.0 * float(np.sqrt(squares))


def largest(values: Floats) -> float:
    """The largest absolute value, without an array of absolute values; NaN where there is one."""
    return float(max(np.max(values, initial=0.0), -np.min(values, initial=0.0)))


def total(terms: Iterable[Floats]) -> float:
    """Sum of absolute values, the worst case of accumulated round-off."""
    return float(sum(float(np.abs(term).sum()) for term in terms))


def walk(terms: Iterable[Floats]) -> float:
    """Accumulated round-off of many terms as a random walk, times 2 for safety."""
    return 2.0 * float(np.sqrt(sum(float(np.vdot(term, term)) for term in terms)))


def scatter(samples: NDArray[np.floating]) -> Floats:
    """Round-off along the first axis from fourth differences (Moré and Wild 2011, SISC 33, 1292)."""
    differences = np.diff(np.asarray(samples, dtype=np.float64), n=4, axis=0)
    result: Floats = np.asarray(np.median(np.abs(differences), axis=0) / _GAUSS)
    return result


@dataclass(frozen=True, eq=False)
class Roughness:
    """Measured at two spacings: of the contracted output (a value) and of each tensor's gradient (an array each)."""

    value: tuple[float, float]
    gradients: tuple[tuple[Floats, Floats], ...]

    def of_value(self, modelled: float) -> float:
        """Combine with the model. Roughness that falls with the spacing is curvature or a kink, not round-off."""
        wide, narrow = self.value
        if not (np.isfinite(wide) and np.isfinite(narrow)):
            return modelled
        if wide <= 8 * narrow:
            return max(modelled, 4 * max(wide, narrow))
        return max(modelled, 4 * narrow) if narrow <= 16 * modelled else modelled

    def of_gradient(self, index: int, natural: float) -> Floats:
        """Round-off of each entry of one gradient; a scatter far beyond rounding is a jump of it, and not noise."""
        wide, narrow = (np.nan_to_num(part, nan=0.0, posinf=0.0) for part in self.gradients[index])
        noise = np.where(wide <= 8 * narrow, np.maximum(wide, narrow), narrow)
        result: Floats = np.where(noise > 1e10 * natural, 0.0, noise)
        return result


def roughness(sample: Callable[[float], tuple[float, Sequence[Floats]]]) -> Roughness:
    """Sample (contracted output, gradients) at equally spaced points of a line around the point in question."""
    values: list[float] = []
    gradients: list[list[Floats]] = []
    for spacing in SPACINGS:
        taken = [sample(spacing * (i - POINTS // 2)) for i in range(POINTS)]
        values.append(float(scatter(np.array([value for value, _ in taken]))))
        by_tensor = zip(*(claims for _, claims in taken), strict=True)
        gradients.append([scatter(np.array(each)) for each in by_tensor])
    pairs = tuple((wide, narrow) for wide, narrow in zip(*gradients, strict=True))
    return Roughness((values[0], values[1]), pairs)


@dataclass(frozen=True, eq=False)
class Survey:
    """Outputs at coarse places along a line, and at two fine distances from each; all (places, outputs)."""

    places: Floats
    here: Floats
    near: Floats  # at a distance of NEAR
    nearer: Floats  # at a distance of NEARER


def survey(sample: Callable[[float], Floats]) -> Survey:
    """Look far along a line. ``sample(t)``: the outputs at a distance t, in units of the values' own size."""
    places = np.array(sorted((0.0, *PLACES)))
    here = np.array([sample(t) for t in places])
    near = np.array([sample(t + NEAR) for t in places])
    nearer = np.array([sample(t + NEARER) for t in places])
    return Survey(places, here, near, nearer)


def _stuck(found: Survey, near: Floats, distance: float, eps: float) -> tuple[Ints, Ints]:
    """Count, per output, the intervals where it changes: those stuck, bit for bit, at both ends, and the others."""
    frozen = found.here == near
    with np.errstate(all="ignore"):
        rises, widths = np.abs(np.diff(found.here, axis=0)), np.diff(found.places)[:, np.newaxis]
        visible = rises * (distance / widths) > 64 * eps * np.maximum(np.abs(found.here[:-1]), np.abs(found.here[1:]))
    both = frozen[:-1] & frozen[1:]
    return (visible & both).sum(axis=0), (visible & ~both).sum(axis=0)


class Steps(Enum):
    """How outputs move along a line: smoothly, from plateau to plateau (a step, or saturation), or up a staircase."""

    NONE = "none"
    PLATEAUS = "plateaus"
    STAIRCASE = "staircase"


def moves_in_steps(found: Survey, eps: float) -> Steps:
    """Say whether outputs change over coarse distances and never over fine ones that must show it.

    A saturating function may pass from one plateau to another once or twice; three times is a staircase: rounded
    outputs, a cast to integers, a step function.
    """
    stuck, moving = _stuck(found, found.near, NEAR, eps)
    staircase = (stuck >= 3) & (stuck > 2 * moving)  # a fine distance, too, crosses the edge of a step now and then
    most = 2 * np.count_nonzero(staircase) >= np.count_nonzero(stuck + moving)
    if staircase.any() and (most or not moving.any()):
        return Steps.STAIRCASE
    return Steps.PLATEAUS if stuck.any() and not moving.any() else Steps.NONE


def computes_narrow(found: Survey, eps: float) -> bool:
    """True where outputs have float32's digits only, or some are stuck below its resolution: a cast inside."""
    values = found.here[np.isfinite(found.here)]
    if np.unique(values).size > DIVERSE and (values == values.astype(np.float32)).all():
        return True
    stuck, moving = _stuck(found, found.nearer, NEARER, eps)
    return bool(((stuck >= 3) & (stuck > moving)).any())
