"""What stands around the values of an instrumented function while it runs: it notes values, moves or replaces them.

It knows neither the source nor what any value is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Key = tuple[int, int]  # the number of a site, and how many times it was passed before in the same run

_NEAR = 1e-6  # how far from 0 and 1 a value of a mask may be


class Hook:
    """Called with the number of a site and its value; returns the value that the run goes on with."""

    def __init__(self) -> None:
        self._passed: Counter[int] = Counter()
        self._noted: list[tuple[Key, Floats]] | None = None
        self._moved: tuple[Key, Floats] | None = None
        self._instead: Mapping[int, Sequence[Floats]] = {}
        self.in_place: frozenset[int] = frozenset()  # sites whose arrays are changed themselves: others hold them

    def begin(
        self,
        *,
        note: list[tuple[Key, Floats]] | None = None,
        moved: tuple[Key, Floats] | None = None,
        instead: Mapping[int, Sequence[Floats]] | None = None,
    ) -> None:
        """Before a run: note each value in its order; add to one; put others in the places of a site's, in turn."""
        self._passed.clear()
        self._noted, self._moved, self._instead = note, moved, instead or {}

    def __call__(self, site: int, value: Any) -> Any:
        """What the run goes on with in the place of a site's value."""
        passed = self._passed[site]
        self._passed[site] = passed + 1
        other = value
        if site in self._instead:
            other = _replaced(value, self._instead[site], passed)
        elif self._moved is not None and self._moved[0] == (site, passed):
            other = _plus(value, self._moved[1])
        if other is not value:
            value = _into(value, other) if site in self.in_place else other
        if self._noted is not None and is_numbers(value):
            self._noted.append(((site, passed), np.array(value, dtype=np.float64)))
        return value


def is_numbers(value: Any) -> bool:
    """Whether a value has a gradient or masks one: floats, or an array of them or of truths."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fb"
    return isinstance(value, float | np.floating)


def are_equal(values: Sequence[Floats], others: Sequence[Floats]) -> bool:
    """Whether two lists of values of one site are the same to the last digit."""
    return len(values) == len(others) and all(map(np.array_equal, values, others))


def _into(value: Any, other: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return other
    value[...] = other
    return value


def _plus(value: Any, step: Floats) -> Any:
    if not is_numbers(value) or np.shape(value) != step.shape:
        return value
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "b" else value + step
    return type(value)(value + float(step))


def _replaced(value: Any, others: Sequence[Floats], passed: int) -> Any:
    """The value that belongs there this time; NaN in ``others`` leaves it as it is. Raises ValueError for no mask."""
    if passed >= len(others) or np.isnan(others[passed]).any():
        return value
    other = others[passed]
    if isinstance(value, np.ndarray) and value.dtype.kind == "b":
        mask = np.rint(other)
        if np.abs(other - mask).max(initial=0.0) > _NEAR or not np.isin(mask, (0.0, 1.0)).all():
            raise ValueError("no mask")
        return mask.astype(bool)
    return other.copy() if isinstance(value, np.ndarray) else type(value)(float(other)) if other.ndim == 0 else other
