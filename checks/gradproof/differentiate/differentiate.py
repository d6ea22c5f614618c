"""Numeric slopes with an error bound of their own: central differences on a ladder of steps, extrapolated to step zero.

It knows steps, slopes and round-off; it does not know layers, claims' origin, or what a verdict is.

Many directions climb down the ladder side by side, so every quantity below is an array with one element a
direction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

# log2 of each rung's step, relative to the top step. Ratio 4 first (two forwards buy a factor of 16 in truncation),
# then wider strides for functions whose features are far smaller than the input. 10 rungs and a kink: 22 forwards.
RUNGS = (0, -2, -4, -6, -8, -11, -14, -17, -20, -24)
# the top step, relative to the square root of the input's size (functions have features of size 1 as often as of the
# input's size): 2^-7 leaves h^4 terms near round-off after one extrapolation
TOP_STEP = 2.0**-7
REACH = 16.0  # it is at most REACH * TOP_STEP of the input's size (beyond, f is another function than at x)
FAR = 2.0**10  # and at least TOP_STEP / FAR of it (below, x + h is x)
# The difference of two evaluations may be off by four times the round-off that is modelled for one: with that, no right
# gradient is accused in benchmarks/verdicts.py. 1.15 pays for the extrapolation's own amplification.
KAPPA = 1.15 * 4.0
CAUTION = 4.0  # terms of the series may fall this much less than the last two did


@dataclass(frozen=True, eq=False)
class Rung:
    """What one step showed, one element a direction. ``residual`` and ``gap`` have the unit of a slope.

    residual: (<dout, f(x+hu) - f(x-hu)> - <claim, actual step>) / 2h. gap: sum over the outputs of |dout * (f(x+hu) +
    f(x-hu) - 2 f(x))| / h; falls with h where f is smooth, stays at a kink. still: True where no output changed in any
    bit.
    """

    residual: Floats
    gap: Floats
    still: Bools


class Sampler(Protocol):
    """Evaluates directions at a step of their own: two forwards for each direction."""

    def __call__(self, steps: Floats, directions: Ints, /) -> Rung:
        """Sample one rung of these directions."""
        ...


@dataclass(frozen=True, eq=False)
class Noise:
    """Round-off, in absolute terms, one element a direction.

    value: of <dout, f> in one evaluation. spread: the same with every output's error added up (never averaged out);
    gaps are sums of absolute values and need it. claim: of the claimed slope itself.
    """

    value: Floats
    spread: Floats
    claim: Floats

    def only(self, who: Ints) -> Noise:
        """Return the same for some of the directions."""
        return Noise(self.value[who], self.spread[who], self.claim[who])

    def of_slope(self, steps: Floats) -> Floats:
        """Bound on the round-off of one central difference at these steps (unit: slope)."""
        return KAPPA * self.value / steps + self.claim

    def of_gap(self, steps: Floats) -> Floats:
        """Bound on the round-off of the gap at these steps (unit: slope)."""
        return KAPPA * self.spread / steps


@dataclass(eq=False)
class Ladder:
    """The rungs that were sampled: rows are rungs (largest step first), columns directions; NaN where not."""

    directions: int
    steps: list[Floats] = field(default_factory=list[Floats])
    residuals: list[Floats] = field(default_factory=list[Floats])
    gaps: list[Floats] = field(default_factory=list[Floats])
    still: list[Bools] = field(default_factory=list[Bools])
    broken: Bools = field(init=False)  # directions with a rung that was not finite

    def __post_init__(self) -> None:
        self.broken = np.zeros(self.directions, np.bool_)
        self._aside: list[Floats] = []

    def descend(self, sample: Sampler, steps: Floats, active: Ints) -> None:
        """Sample the active directions at their steps and add the rung; a non-finite sample counts as not sampled."""
        rung = sample(steps[active], active)
        finite = np.isfinite(rung.residual) & np.isfinite(rung.gap)
        self.broken[active[~finite]] = True
        row, gap, still = (np.full(self.directions, np.nan) for _ in range(3))
        row[active] = np.where(finite, rung.residual, np.nan)
        gap[active] = np.where(finite, rung.gap, np.nan)
        still[active] = rung.still
        self.steps.append(steps)
        self.residuals.append(row)
        self.gaps.append(gap)
        self.still.append(still == 1.0)

    def forget(self, directions: Bools) -> None:
        """Set aside what these directions have shown: at smaller steps the function is another."""
        self._aside = [row.copy() for row in (*self.residuals, *self.gaps)]
        for row in (*self.residuals, *self.gaps):
            row[directions] = np.nan

    def recall(self, directions: Bools) -> None:
        """Take back what these directions had shown before they were made to forget it."""
        half = len(self._aside) // 2
        for rows, aside in ((self.residuals, self._aside[:half]), (self.gaps, self._aside[half:])):
            for row, before in zip(rows, aside, strict=False):
                row[directions] = before[directions]


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The residual slope at step zero from the last rungs. Each is NaN where the direction has too few finite rungs.

    order2, order4, order6: Neville's values in h^2 from one, two and three rungs. ``best`` is the highest there is.
    remainder: how far ``best`` may still be from step zero, if the terms of the series fall as they did so far.
    settled: a cautious bound on the same, from whole differences between orders and between rungs; NaN below three
    rungs.
    """

    order2: Floats
    order4: Floats
    order6: Floats
    best: Floats
    remainder: Floats
    settled: Floats


def _neville(fine: Floats, coarse: Floats, h_fine: Floats, h_coarse: Floats) -> Floats:
    a, b = h_coarse * h_coarse, h_fine * h_fine
    result: Floats = fine + (fine - coarse) * (b / (a - b))
    return result


def extrapolate(ladder: Ladder, scale: Floats, upto: int | None = None) -> Extrapolation:
    """Extrapolate the residuals of the last three of the first ``upto`` rungs to step zero.

    The value of order 2j is exact for polynomials of degree 2j; see Ridders 1982, Adv. Eng. Softw. 4, 75-76.
    ``scale``: the size of slope against which relative truncation is measured.
    """
    d = ladder.residuals[:upto][-4:]
    h = ladder.steps[:upto][-4:]
    nan = np.full(ladder.directions, np.nan)
    order2 = d[-1]
    order4 = _neville(d[-1], d[-2], h[-1], h[-2]) if len(d) > 1 else nan
    before = _neville(d[-2], d[-3], h[-2], h[-3]) if len(d) > 2 else nan
    order6 = _neville(order4, before, h[-1], h[-3]) if len(d) > 2 else nan
    if len(d) > 3:
        oldest = _neville(d[-3], d[-4], h[-3], h[-4])
        previous = np.where(np.isfinite(oldest), _neville(before, oldest, h[-2], h[-4]), before)
    else:
        previous = before
    has4, has6 = np.isfinite(order4), np.isfinite(order6)
    best = np.where(has6, order6, np.where(has4, order4, order2))
    last = np.where(has6, np.abs(order6 - order4), np.abs(order4 - order2))
    earlier = np.where(has6, np.abs(order4 - order2), np.abs(order2 - d[-2]) if len(d) > 1 else nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        remainder = CAUTION * last * np.minimum(1.0, np.where(scale > 0, earlier / scale, 1.0))
    settled = np.maximum(np.abs(order6 - order4), np.abs(order6 - previous))
    return Extrapolation(order2, order4, order6, best, remainder, settled)


def kink_width(ladder: Ladder, upto: int | None = None) -> Floats:
    """Extrapolate the gap to step zero: the distance between the one-sided slopes, zero where f is smooth.

    Its series has odd powers of h. NaN below two rungs.
    """
    gaps, h = ladder.gaps[:upto][-3:], ladder.steps[:upto][-3:]
    if len(gaps) < 2:
        return np.full(ladder.directions, np.nan)
    width = _without_power(gaps[-2], gaps[-1], h[-2], h[-1])
    if len(gaps) > 2:
        before = _without_power(gaps[-3], gaps[-2], h[-3], h[-2])
        wider = _without_power(before, width, h[-2] ** 3, h[-1] ** 3)
        width = np.where(np.isfinite(wider), wider, width)
    result: Floats = np.abs(width)
    return result


def _without_power(before: Floats, last: Floats, larger: Floats, smaller: Floats) -> Floats:
    """What two values are without a term that is proportional to these two powers of their steps."""
    result: Floats = last + (last - before) * smaller / (larger - smaller)
    return result


def top_step(values: Floats) -> float:
    """Return the first step for a tensor of these values: a power of two, so that x + h and x - h lose little."""
    flat = values.reshape(-1)
    finite = np.isfinite(flat)
    largest = float(np.max(flat, initial=0.0, where=finite) - np.min(flat, initial=0.0, where=finite))
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.sqrt(np.vdot(flat, flat) / max(flat.size, 1)))
    # an infinity (a mask), or squares out of range: any size of the same order will do
    size = size if np.isfinite(size) and size > 0.0 else largest or 1.0
    reach = min(max(np.sqrt(min(size, 2.0**900)), size / FAR), REACH * size)
    return float(2.0 ** np.floor(np.log2(reach))) * TOP_STEP
