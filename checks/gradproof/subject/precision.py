"""Copies of what a layer holds or is given; its narrow float arrays raised to float64, however often shared."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np


def raised(thing: Any) -> Any:
    """Return the object itself if its float arrays are wide, else a deep copy with the narrow ones as float64.

    The copy keeps every sharing: an array held by a layer, its params list and a net stays one array. What cannot be
    copied is returned as it is.
    """
    memo: dict[int, Any] = {}
    try:
        copy.deepcopy(thing, memo)
    except Exception:  # a lock, a module, an open file: whatever its own reason, it cannot be copied
        return thing
    originals = memo.get(id(memo), [])  # deepcopy keeps what it copied alive in this list
    narrow = [array for array in originals if isinstance(array, np.ndarray) and is_narrow(array)]
    if not narrow:
        return thing
    wide = {id(array): array.astype(np.float64) for array in narrow}
    return copy.deepcopy(thing, wide)


def is_narrow(array: np.ndarray[Any, Any]) -> bool:
    """Say whether it is a float array of fewer bits than float64."""
    return bool(array.dtype.kind == "f" and array.dtype.itemsize < 8)


def is_float(value: Any) -> bool:
    """Whether it is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
