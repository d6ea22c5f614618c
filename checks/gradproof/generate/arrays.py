"""The values of one drawn array, in several styles and within its domain; it knows no case and no search."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from gradproof.case.specs import Floats

Array = NDArray[np.float64]
Rng = np.random.Generator

_QUARTERS = np.arange(1, 9) / 4.0  # 0.25 .. 2: readable, and exact in binary
LEAST_SHARE = 1 / 16  # of the largest probability in a row, that all be far from 0
_MARGIN = 1 / 32  # of the width of a domain: a step of the numeric derivative must not leave it


class Style(Enum):
    """How the entries of an array look; the simplest first."""

    SIMPLE = auto()  # nonzero multiples of 1/4 up to 2, all different where they suffice
    NORMAL = auto()
    TIES = auto()  # small integers: zeros, and entries that are equal
    NEGATIVE = auto()
    LARGE = auto()
    TINY = auto()
    MIXED = auto()  # magnitudes from 1e-3 to 1e2 side by side


INPUT_STYLES = tuple(Style)
# A zero or vanishing parameter hides everything behind it, so parameters keep the size of an initialisation.
PARAMETER_STYLES = (Style.SIMPLE, Style.NORMAL, Style.NEGATIVE)


def draw(spec: Floats, shape: tuple[int, ...], style: Style, rng: Rng) -> Array:
    """A float64 array of ``shape`` in the domain of ``spec``.

    Entries stay off the ends of a bounded domain: ``min_value`` and ``max_value`` themselves are never drawn.
    """
    low, high = spec.min_value, spec.max_value
    if low is not None and high is not None:
        values = low + (high - low) * np.clip(_FRACTIONS[style](shape, rng), _MARGIN, 1 - _MARGIN)
    elif low is not None:
        values = low + _MAGNITUDES[style](shape, rng)
    elif high is not None:
        values = high - _MAGNITUDES[style](shape, rng)
    else:
        values = _SIGNED[style](shape, rng)
    return np.ascontiguousarray(values, dtype=np.float64).reshape(shape)


def adding_up_to_one(shares: Array) -> Array:
    """Shares of any sum, above 0, as probabilities along the last axis."""
    rows: Array = shares / shares.sum(axis=-1, keepdims=True)
    return rows


def allows(spec: Floats, values: Array) -> bool:
    """Whether every entry lies inside the domain, off its ends."""
    low, high = spec.min_value, spec.max_value
    return bool((low is None or np.all(values > low)) and (high is None or np.all(values < high)))


def _pick(values: Array, shape: tuple[int, ...], rng: Rng) -> Array:
    """Entries of ``values`` in random order, without repetition where there are enough of them."""
    count = int(np.prod(shape))
    return rng.choice(values, count, replace=count > values.size).reshape(shape)


def _decades(shape: tuple[int, ...], rng: Rng, low: float, high: float) -> Array:
    return np.power(10.0, rng.uniform(low, high, shape))


def _lognormal(shape: tuple[int, ...], rng: Rng) -> Array:
    return np.clip(np.exp(0.7 * rng.standard_normal(shape)), 0.05, 5.0)


_Drawer = Callable[[tuple[int, ...], Rng], Array]

_SIGNED: dict[Style, _Drawer] = {
    Style.SIMPLE: lambda shape, rng: _pick(np.concatenate([_QUARTERS, -_QUARTERS]), shape, rng),
    Style.NORMAL: lambda shape, rng: rng.standard_normal(shape),
    Style.TIES: lambda shape, rng: rng.integers(-2, 3, shape).astype(np.float64),
    Style.NEGATIVE: lambda shape, rng: -0.1 - np.abs(rng.standard_normal(shape)),
    Style.LARGE: lambda shape, rng: 100.0 * rng.standard_normal(shape),
    Style.TINY: lambda shape, rng: 1e-3 * rng.standard_normal(shape),
    Style.MIXED: lambda shape, rng: rng.choice([-1.0, 1.0], shape) * _decades(shape, rng, -3, 2),
}
_MAGNITUDES: dict[Style, _Drawer] = {
    Style.SIMPLE: lambda shape, rng: _pick(_QUARTERS, shape, rng),
    Style.NORMAL: _lognormal,
    Style.TIES: lambda shape, rng: rng.integers(1, 4, shape).astype(np.float64),
    Style.NEGATIVE: lambda shape, rng: rng.uniform(0.05, 0.5, shape),  # the least positive stands in for negative
    Style.LARGE: lambda shape, rng: _decades(shape, rng, 1, 3),
    Style.TINY: lambda shape, rng: _decades(shape, rng, -3, -1),
    Style.MIXED: lambda shape, rng: _decades(shape, rng, -3, 3),
}
_FRACTIONS: dict[Style, _Drawer] = {
    Style.SIMPLE: lambda shape, rng: _pick(np.arange(1, 16) / 16.0, shape, rng),
    Style.NORMAL: lambda shape, rng: rng.uniform(0, 1, shape),
    Style.TIES: lambda shape, rng: rng.integers(1, 4, shape) / 4.0,
    Style.NEGATIVE: lambda shape, rng: rng.uniform(0, 0.25, shape),
    Style.LARGE: lambda shape, rng: rng.uniform(0.75, 1, shape),
    Style.TINY: lambda shape, rng: 0.5 + 0.01 * rng.uniform(-1, 1, shape),
    Style.MIXED: lambda shape, rng: rng.beta(0.3, 0.3, shape),
}
