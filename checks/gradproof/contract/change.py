"""Words for two arrays that should be alike and are not: the entry that differs most; it knows no promise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def moved(name: str, before: Array, after: Array) -> str:
    """Write ``x[0, 1] was 0.5 and is 1 now (3 of 6 entries differ)``; shapes where these differ."""
    if before.shape != after.shape:
        return f"{name} had shape {before.shape} and has {after.shape} now"
    where, count = _worst(before, after)
    return f"{_entry(name, where)} was {before[where]:.6g} and is {after[where]:.6g} now ({count})"


def beside(name: str, one: tuple[str, Array], other: tuple[str, Array]) -> str:
    """Write ``dx[0, 1] is 0.5 alone, 1 in company (3 of 6 entries differ)``, each value with its own label."""
    (first, before), (second, after) = one, other
    if before.shape != after.shape:
        return f"{name} has shape {before.shape} {first}, {after.shape} {second}"
    where, count = _worst(before, after)
    return f"{_entry(name, where)} is {before[where]:.6g} {first}, {after[where]:.6g} {second} ({count})"


def _entry(name: str, where: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, where))}]" if where else name


def _worst(before: Array, after: Array) -> tuple[tuple[int, ...], str]:
    """The index of the entry that differs most, and how many differ."""
    differs = ~((before == after) | ((before != before) & (after != after)))  # NaN differs from itself
    distance = np.abs(np.asarray(before, np.float64) - np.asarray(after, np.float64))
    ranked = np.where(differs, np.nan_to_num(distance, nan=np.inf), -1.0)
    index = np.unravel_index(int(ranked.argmax()), ranked.shape) if ranked.shape else ()
    return tuple(int(i) for i in index), f"{int(differs.sum())} of {differs.size} entries differ"
