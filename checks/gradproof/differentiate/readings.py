"""What the rungs of a ladder show: kinks, jumps, straight lines, falling truncation. It decides nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gradproof.differentiate.differentiate import Bools, Floats, Ladder, Noise

LOUD = 8.0  # gap over its own round-off from which it is taken for a feature of the function
KEEPS = 0.6  # gap over the gap one rung higher from which it does not fall as it does where f is smooth (1/4)


def merely_blurred(ladder: Ladder, noise: Noise, upto: int | None = None) -> Bools:
    """The rung before missed the claim and this one repeats its residual: only the round-off has grown to cover it."""
    before, now = (np.abs(row) for row in ladder.residuals[:upto][-2:])
    missed = before > noise.of_slope(ladder.steps[:upto][-2])
    result: Bools = missed & (now > 0.5 * before)
    return result


def smooth(ladder: Ladder, noise: Noise, allowance: Floats, upto: int | None = None) -> Bools:
    """The even part is round-off, or falls with the step; on the first rung it may reach the allowance."""
    gaps, steps = ladder.gaps[:upto], ladder.steps[:upto]
    quiet = 4 * noise.of_gap(steps[-1])
    if len(gaps) == 1:
        return np.asarray(gaps[-1] <= quiet + allowance, dtype=np.bool_)
    first = np.isnan(gaps[-2])
    result: Bools = (gaps[-1] <= quiet + np.where(first, allowance, 0.0)) | (gaps[-1] <= KEEPS * gaps[-2])
    return result


def straight(ladder: Ladder, noise: Noise) -> Bools:
    """The slope is the same on all rungs within round-off, and the even part falls: smaller steps only add noise."""
    residuals = np.array(ladder.residuals)
    same = np.ptp(residuals, axis=0) <= 2 * noise.of_slope(ladder.steps[-1])
    result: Bools = same & (ladder.gaps[-1] <= 4 * noise.of_gap(ladder.steps[-1]) + KEEPS * ladder.gaps[-2])
    return result


def jumps(ladder: Ladder, noise: Noise, claim: Floats) -> Bools:
    """The even or the odd part grows as 1/h over three rungs: the function itself jumps at the point."""
    slopes = [row + claim for row in ladder.residuals[-3:]]
    parts = ((ladder.gaps[-3:], noise.of_gap(ladder.steps[-1])), (slopes, noise.of_slope(ladder.steps[-1])))
    result = np.zeros(ladder.directions, bool)
    for rows, floor in parts:
        result |= (np.abs(rows[-1]) > LOUD * floor) & _grows(rows)
    return result


def leaps(ladder: Ladder, claim: Floats) -> Bools:
    """The slope grows as 1/h over three rungs, whatever the noise: so does a step taken for round-off."""
    slopes = [row + claim for row in ladder.residuals[-3:]]
    return _grows(slopes) if len(slopes) == 3 else np.zeros(ladder.directions, bool)


def _grows(rows: Sequence[Floats]) -> Bools:
    first, middle, last = (np.abs(row) for row in rows)
    result: Bools = (last > 3 * middle) & (middle > 3 * first)
    return result


def gap_stays(ladder: Ladder, noise: Noise) -> Bools:
    """The gap does not fall over three rungs: there is a kink at the point or near it."""
    last, middle, first = ladder.gaps[-1], ladder.gaps[-2], ladder.gaps[-3]
    loud = last > LOUD * noise.of_gap(ladder.steps[-1])
    result: Bools = loud & (last >= KEEPS * middle) & (middle >= KEEPS * first)
    return result


def rough(ladder: Ladder, noise: Noise) -> Bools:
    """Somewhere on the way down the gap rose far above what it had been, and above its round-off."""
    risen = np.fmax.reduce(ladder.gaps[-3:]) > 30 * np.fmin.reduce(ladder.gaps)
    result: Bools = risen & (np.fmax.reduce(ladder.gaps[-3:]) > LOUD * noise.of_gap(ladder.steps[-1]))
    return result


def regular(ladder: Ladder, noise: Noise, upto: int | None = None) -> Bools:
    """The differences between rungs fall as h^2 does (16 a rung, give or take a factor of two), or are noise."""
    residuals, steps = ladder.residuals[:upto][-4:], ladder.steps[:upto][-4:]
    moves = [np.abs(b - a) for a, b in itertools.pairwise(residuals)]
    result = np.full(ladder.directions, len(moves) > 1)
    for wide, narrow, top, middle, fine in zip(moves, moves[1:], steps, steps[1:], steps[2:], strict=False):
        ideal = (top**2 - middle**2) / (middle**2 - fine**2)
        falls = (wide > ideal / 2 * narrow) & (wide < ideal * 2 * narrow)
        result &= falls | (narrow <= 2 * noise.of_slope(fine)) | np.isnan(wide)
    return result
