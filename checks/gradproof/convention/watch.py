"""Watches an object over a few calls: which arrays forward keeps, which lists grow, and what backward writes.

What forward writes anew is a cache or a state; what stays may be a parameter. It calls nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any

import numpy as np

from gradproof.convention import leaves
from gradproof.convention.leaves import Path


class Watch:
    """``before`` and ``after`` enclose a forward. An array is kept if it was there before and stayed as it was."""

    def __init__(self) -> None:
        self._held: dict[Path, tuple[Any, Any]] = {}
        self._kept: dict[Path, bool] = {}
        self._lists: dict[Path, int] = {}

    def before(self, thing: object) -> None:
        """Hold what there is."""
        self._held = {path: (array, array.copy()) for path, array in _floats(thing).items()}
        self._lists = {path: len(found) for path, found in leaves.lists_at(thing).items()}

    def after(self, thing: object) -> None:
        """Compare with what there was."""
        grown = {path for path, length in self._lists.items() if len(_list_at(thing, path)) > length}
        for path, (array, copy) in self._held.items():
            if grown and any(path[:i] in grown for i in range(len(path))):
                self._kept[path] = False  # forward collects what it was given
                continue
            stays = leaves.at(thing, path) is array and np.array_equal(array, copy, equal_nan=True)
            self._kept[path] = stays and self._kept.get(path, True)
        self._held, self._lists = {}, {}

    def kept(self, path: Path) -> bool | None:
        """Whether forward leaves the array at this path alone; None where that was not seen."""
        return self._kept.get(path)


class Writes:
    """``before`` and ``after`` enclose a backward. It wrote where another array stands then, or other values."""

    def __init__(self) -> None:
        self._held: dict[Path, tuple[Any, Any]] = {}
        self._written: set[Path] = set()

    def before(self, thing: object) -> None:
        """Hold what there is."""
        self._held = {path: (array, array.copy()) for path, array in _floats(thing).items()}

    def after(self, thing: object) -> None:
        """Compare with what there was."""
        for path, array in _floats(thing).items():
            held, copy = self._held.get(path, (None, None))
            if array is not held or not np.array_equal(array, copy, equal_nan=True):
                self._written.add(path)
        self._held = {}

    def wrote(self, path: Path) -> bool:
        """Whether a backward wrote there."""
        return path in self._written


def _floats(thing: object) -> dict[Path, Any]:
    found = leaves.leaves(thing)
    return {path: value for path, value in found.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"}


def _list_at(thing: object, path: Path) -> list[Any]:
    found = leaves.at(thing, path)
    return found if isinstance(found, list) else []


def lengths(thing: object) -> tuple[int, ...]:
    """How long the object's lists are: one to which forward appends is a state."""
    return tuple(len(found) for found in leaves.lists(thing))


@contextlib.contextmanager
def cut_back(thing: object) -> Generator[None]:
    """Take from each list of an object what is appended to it meanwhile."""
    lengths = [(found, len(found)) for found in leaves.lists(thing)]
    yield
    for found, length in lengths:
        del found[length:]
