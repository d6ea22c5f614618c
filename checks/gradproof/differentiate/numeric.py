"""Numeric derivatives for use on their own: a value and a bound on its error, without any claim to compare with.

It knows functions of arrays; it knows no layers and gives no verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradproof.differentiate import noise
from gradproof.differentiate.differentiate import RUNGS, Floats, Ladder, Noise, Rung, extrapolate, kink_width, top_step
from gradproof.differentiate.readings import KEEPS, LOUD
from gradproof.errors import UsageError

PATIENCE = 2  # rungs without a better bound before the descent ends
CERTAIN = 2  # rungs over which a gap must stay to count as a kink
PLACES = (-2.0, -0.5, 0.5, 2.0)  # how far to look for outputs that are not saturated, in units of the values' own size
LOWEST = 2.0**-20  # of the top step: a function that does not move there, though its slope says so, moves in steps
VISIBLE = 64.0  # times the round-off that a move must exceed to show for certain
SURVEY = 3  # random sign directions that estimate how much the arguments' own rounding moves f


@dataclass(frozen=True, eq=False)
class Estimate:
    """A measured derivative: ``value`` ± ``bound`` (arrays of one shape, or floats), and how many times f was called.

    ``bound`` is infinite where no step size gave a derivative (a kink, a jump, NaN, rounded values). Unpacks as
    ``value, bound``; NumPy functions see the value.
    """

    value: Any
    bound: Any
    forwards: int

    def __iter__(self) -> Iterator[Any]:
        return iter((self.value, self.bound))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.value, dtype=dtype)

    def __repr__(self) -> str:
        return f"Estimate(value={self.value!r}, bound={self.bound!r}, forwards={self.forwards})"


def directional_derivative(f: Callable[[Any], Any], x: ArrayLike, direction: ArrayLike) -> Estimate:
    """Measure the derivative of f at x along a direction, with a bound on its error.

    f: takes an array of x's shape, returns a number or a real array; x: floats of any shape; direction: of x's shape,
    not zero. Returns an Estimate whose value and bound have the shape of f's result (one derivative for each output).
    Raises UsageError for arguments of another kind. Method: central differences on a ladder of steps, extrapolated to
    step zero (Ridders 1982); bound: round-off as measured (Moré and Wild 2011) plus the distance between
    extrapolations.
    """
    point = _floats("x", x)
    along = np.asarray(direction)
    if along.shape != point.shape or along.dtype.kind not in "fiu" or not along.any() or not np.isfinite(along).all():
        raise UsageError(
            f"expected a finite direction of x's shape {point.shape} that is not zero, "
            f"got shape {along.shape}, dtype {along.dtype}; give one number for each entry of x"
        )
    counted = _Counted(f, point)
    here = counted(point)
    length = float(np.sqrt(np.mean(np.square(along[along != 0], dtype=np.float64))))
    unit = np.asarray(along, dtype=np.float64) / length
    value, bound = _slopes(counted, point, [unit], here)
    return Estimate(_shaped(value[0] * length, counted.shape), _shaped(bound[0] * length, counted.shape), counted.calls)


def numerical_gradient(f: Callable[[Any], Any], x: ArrayLike) -> Estimate:
    """Measure the gradient of a scalar function at x, entry by entry, with a bound on each entry's error.

    f: takes an array of x's shape, returns one number; x: floats of any shape. As in the book, x itself is changed in
    place (and put back) while f is called, so a function that reads the array instead of its argument works too.
    Returns an Estimate with value and bound of x's shape. Raises UsageError for an f that is not scalar and an x that
    is not float.
    """
    point = _floats("x", x)
    counted = _Counted(f, point)
    here = counted(point)
    if here.size != 1:
        raise UsageError(
            f"expected a function that returns one number, got f(x) of shape {counted.shape}; "
            "contract it with dout first: numerical_gradient(lambda x: np.sum(f(x) * dout), x)"
        )
    directions = []
    for entry in range(point.size):
        one = np.zeros(point.shape)
        one.flat[entry] = 1.0
        directions.append(one)
    if not directions:
        return Estimate(np.zeros(point.shape), np.zeros(point.shape), counted.calls)
    value, bound = _slopes(counted, point, directions, here)
    return Estimate(value[:, 0].reshape(point.shape), bound[:, 0].reshape(point.shape), counted.calls)


def _floats(name: str, value: ArrayLike) -> NDArray[np.floating[Any]]:
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise UsageError(
            f"expected a float array, got {name} of dtype {array.dtype}; derivatives need room on both sides: "
            f"pass {name}.astype(float)"
        )
    if not np.isfinite(array).all():
        raise UsageError(f"expected finite values, got NaN or infinity in {name}; leave such entries out")
    return array


def _shaped(flat: Floats, shape: tuple[int, ...]) -> Any:
    return float(flat[0]) if not shape else flat.reshape(shape)


class _Counted:
    """f on x changed in place: every call restores x, whatever happens."""

    def __init__(self, f: Callable[[Any], Any], point: NDArray[np.floating[Any]]) -> None:
        self._f, self._point, self._home = f, point, point.copy()
        self.calls, self.shape = 0, ()
        self.eps, self.dtype = noise.unit(point.dtype), point.dtype

    def __call__(self, value: NDArray[np.floating[Any]]) -> Floats:
        self.calls += 1
        writeable = self._point.flags.writeable
        try:
            if writeable:
                self._point[...] = value
            result = np.asarray(self._f(self._point if writeable else np.array(value, dtype=self._point.dtype)))
        finally:
            if writeable:
                self._point[...] = self._home
        if result.dtype.kind not in "fiub":
            raise UsageError(f"expected real numbers from f, got dtype {result.dtype}; return f's real value")
        self.shape = result.shape
        self.eps = max(self.eps, noise.unit(result.dtype))
        return np.array(result, dtype=np.float64).reshape(-1)


def _slopes(
    f: _Counted, point: NDArray[np.floating[Any]], directions: list[Floats], here: Floats
) -> tuple[Floats, Floats]:
    """Derivatives and bounds as (directions, outputs)."""
    home = np.array(point, dtype=np.float64)
    with np.errstate(all="ignore"):
        step = top_step(home) * max(1.0, (f.eps / 2.0**-52) ** 0.25)  # a narrow dtype needs larger steps
        rough = _roughness(f, home, here)
        count = len(directions) * here.size

        def sample(steps: Floats, active: NDArray[np.intp], /) -> Rung:
            return _sample(f, home, directions, here, float(steps[0]), active)

        best, bound = _descend(sample, count, step, np.tile(rough, len(directions)))
    return best.reshape(len(directions), here.size), bound.reshape(len(directions), here.size)


def _sample(
    f: _Counted, home: Floats, directions: list[Floats], here: Floats, step: float, active: NDArray[np.intp]
) -> Rung:
    """One rung for all directions with an active slope; a slope is that of one output along one direction."""
    residual, gap = np.full(len(directions) * here.size, np.nan), np.full(len(directions) * here.size, np.nan)
    still = np.zeros(residual.size, bool)
    for number in np.unique(active // max(here.size, 1)):
        direction = directions[int(number)]
        above, below = (home + step * direction).astype(f.dtype), (home - step * direction).astype(f.dtype)
        up, down = f(above), f(below)
        mine = slice(int(number) * here.size, (int(number) + 1) * here.size)
        span = _span(above.astype(np.float64) - below.astype(np.float64), direction)
        residual[mine] = (up - down) / span
        gap[mine] = np.abs((up - here) + (down - here)) / (span / 2)
        still[mine] = (up == here) & (down == here)
    return Rung(residual[active], gap[active], still[active])


def _span(moved: Floats, direction: Floats) -> float:
    """The distance actually travelled, in units of the direction."""
    return float(np.vdot(moved, direction) / np.vdot(direction, direction))


def _roughness(f: _Counted, home: Floats, here: Floats) -> Floats:
    """Round-off of each output: as its own magnitude, its arguments' rounding and its measured scatter have it."""
    rng = np.random.default_rng(0)
    size = np.abs(home)
    # a zero stays where it is, unless all are: functions have their kinks and the ends of their domains there
    reach = np.where(size > 0, np.maximum(size, float(np.median(size)) if size.size else 0.0), 0.0)
    reach = reach if reach.any() else np.ones(size.shape)
    model = f.eps * np.abs(here)
    for _ in range(SURVEY):
        nearby = reach * rng.choice([-1.0, 1.0], home.shape) * 2.0**-12
        moved = np.abs(f((home + nearby).astype(f.dtype)) - here) * 2.0**12
        model = np.fmax(model, 2 * f.eps * moved + f.eps * np.abs(here))
    dense = reach * rng.standard_normal(home.shape)
    model = np.fmax(model, f.eps * _surroundings(f, home, dense, here))
    scatters = []
    for spacing in noise.SPACINGS if f.eps < 1e-10 else (2.0**-10,):
        # beside the point, not around it: a kink or a jump right there is no round-off
        line = [f((home + spacing * (i + 1) * dense).astype(f.dtype)) for i in range(noise.POINTS)]
        scatters.append(noise.scatter(np.array(line)))
    wide, narrow = scatters[0], scatters[-1]
    falls = np.where(narrow <= 16 * model, narrow, 0.0)  # with the spacing, as curvature or a kink does
    result: Floats = np.fmax(model, 4 * np.where(wide <= 8 * narrow, np.maximum(wide, narrow), falls))
    return result


def _surroundings(f: _Counted, home: Floats, dense: Floats, here: Floats) -> Floats:
    """The size that outputs have nearby, where they are not saturated: intermediates may be as large at the point."""
    natural = np.abs(here)
    for place in (*(home + distance * dense for distance in PLACES), home * noise.SHRINK):
        natural = np.fmax(natural, np.abs(f(place.astype(f.dtype))))
    cap = 1.0 + float(np.max(np.abs(home), initial=0.0)) + np.abs(here)
    result: Floats = np.fmin(natural, cap)
    return result


def _descend(sample: Callable[..., Rung], count: int, top: float, rough: Floats) -> tuple[Floats, Floats]:
    """Go down the ladder, keeping for each slope the value with the least bound, until none gets better."""
    ladder = Ladder(count)
    everyone = np.arange(count)
    value, bound = np.full(count, np.nan), np.full(count, np.inf)
    known = Noise(rough, rough, np.zeros(count))
    waiting, steady = 0, np.zeros(count, np.intp)
    for depth in RUNGS:
        steps = np.full(count, top * 2.0**depth)
        ladder.descend(sample, steps, everyone)
        found = extrapolate(ladder, np.ones(count))
        here = known.of_slope(steps) + found.settled + 0.5 * kink_width(ladder)
        better = here < bound
        value, bound = np.where(better, found.best, value), np.where(better, here, bound)
        steady = _steady_gaps(ladder, known, steady)
        waiting = 0 if better.any() or not np.isfinite(bound).all() or steady.any() else waiting + 1
        if waiting >= PATIENCE:
            break
    lowest = np.full(count, top * LOWEST)
    frozen = sample(lowest, everyone).still & (np.abs(value) * lowest > VISIBLE * rough)
    return value, np.where((steady >= CERTAIN) | frozen, np.inf, bound)


def _steady_gaps(ladder: Ladder, known: Noise, before: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many of the last rungs let the gap stay: a kink or a jump. Rungs too noisy to tell are skipped."""
    if len(ladder.gaps) < 2:
        return before
    last, now = ladder.gaps[-2:]
    telling = last > LOUD * known.of_gap(ladder.steps[-1])
    return np.where(telling, np.where(now >= KEEPS * last, before + 1, 0), before)
