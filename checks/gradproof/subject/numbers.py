"""Parameters that are Python numbers, as arrays without axes: written back before each call, read after it.

A number is one if its name has a gradient's beside it (``alpha``, ``dalpha``), if forward leaves it alone and backward
writes that gradient. It reads the object between calls; it calls nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention import leaves, pairing
from gradproof.convention.gradnames import pairs
from gradproof.convention.leaves import MISSING, Path
from gradproof.convention.pairing import Paths

Array = NDArray[Any]


class Numbers:
    """The numbers of one layer that are parameters, through all copies of it: those that are known.

    known: by name, where each stands and where its gradient does.
    """

    def __init__(self, known: Mapping[str, tuple[Path, Path]]) -> None:
        self.places: Paths = {name: (gradient,) for name, (_, gradient) in known.items()}
        self._paths = {name: path for name, (path, _) in known.items()}
        self._cells: dict[str, Array] = {}
        self._seen: dict[Path, float] = {}
        self._written: set[Path] = set()  # by forward
        self._before: dict[Path, Any] | None = None  # the candidates for a gradient, where others are sought

    def seek(self) -> None:
        """Let the next backward show which numbers are parameters."""
        self._before = {}

    def paths(self) -> Mapping[str, Path]:
        """Where each of them stands in the layer."""
        return self._paths

    def cells(self) -> Mapping[str, Array]:
        """Each as an array of shape (), to be written into."""
        return self._cells

    def hold(self, layer: Any) -> None:
        """Go over to another object of the layer: its numbers count from now on."""
        values = {name: leaves.at(layer, path) for name, path in self._paths.items()}
        self._cells = {name: np.array(value) for name, value in values.items() if isinstance(value, float)}

    def before_forward(self, layer: Any) -> None:
        """Hold what there is, to see what forward writes."""
        self._seen = _floats(layer)

    def after_forward(self, layer: Any) -> None:
        """Note what forward has written: a cache or a state."""
        now = _floats(layer)
        self._written |= {path for path, value in now.items() if self._seen.get(path) != value}

    def before_backward(self, layer: Any) -> None:
        """Hold what may be the gradient of a number, once."""
        if self._before is None:
            return
        for place in _candidates(layer).values():
            value = leaves.at(layer, place)
            if type(value) is float:  # an object of its own: what backward writes is another one, where it is equal too
                value = float(repr(value))
                leaves.put(layer, place, value)
            self._before[place] = value.copy() if isinstance(value, np.ndarray) else value

    def after_backward(self, layer: Any) -> None:
        """Decide, once, which numbers are parameters: those of which backward has written the gradient."""
        before, self._before = self._before, None
        if before is None:
            return
        for path, gradient in _candidates(layer).items():
            is_written = _is_written(before.get(gradient, MISSING), leaves.at(layer, gradient))
            is_known = path in self._paths.values()
            if is_written and not is_known and path not in self._written:
                last = str(path[-1].key)
                name = last if last not in self._paths else leaves.text(path)
                self._paths[name] = path
                self.places = {**self.places, name: (gradient,)}
        self.hold(layer)

    def write(self, layer: Any) -> None:
        """Give the layer the values that the arrays have now."""
        for name, cell in self._cells.items():
            if leaves.at(layer, self._paths[name]) != cell:
                leaves.put(layer, self._paths[name], float(cell))

    def read(self, layer: Any) -> None:
        """Take over what a call has made of them."""
        for name, cell in self._cells.items():
            value = leaves.at(layer, self._paths[name])
            if isinstance(value, float):
                cell[...] = value

    def clear(self, layer: Any) -> None:
        """Zeros where their gradients are kept."""
        for places in self.places.values():
            pairing.clear(layer, places)

    def gradients(self, layer: Any) -> dict[str, Any]:
        """The gradient that stands there for each."""
        found = {name: leaves.at(layer, places[0]) for name, places in self.places.items()}
        return {name: np.reshape(value, ()) if np.size(value) == 1 else value for name, value in found.items()}


def _floats(layer: Any) -> dict[Path, float]:
    return {path: value for path, value in leaves.leaves(layer).items() if isinstance(value, float)}


def _candidates(layer: Any) -> dict[Path, Path]:
    """Each number that has a gradient by its name, with the place of that; no entries of lists, which are copies."""
    found = leaves.leaves(layer)
    floats = {path for path, value in found.items() if isinstance(value, float) and isinstance(path[-1].key, str)}
    arrays = [path for path, value in found.items() if isinstance(value, np.ndarray) and path]
    matched = pairs([*arrays, *floats], list(found))
    return {path: gradient for path, gradient in matched.items() if path in floats}


def _is_written(before: Any, after: Any) -> bool:
    """Whether a number stands there now that did not stand there before."""
    if isinstance(after, np.ndarray):
        return after.size == 1 and not (isinstance(before, np.ndarray) and np.array_equal(before, after))
    return isinstance(after, float) and after is not before
