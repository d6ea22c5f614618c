"""Which entries of a large tensor are wrong: a few weighted directions decode the index of a lone wrong entry.

It knows residuals along directions and their bounds; it does not know layers or how a direction is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gradproof.differentiate.differentiate import Bools, Floats, Ints

PARTS = 16  # a group that holds several wrong entries is split into as many random parts
MOST = 32  # wrong entries located before the search stops: enough to show where they lie
BUDGET = 400  # forwards
PER_MEASUREMENT = 4  # forwards: two rungs, so that the value brings its own truncation bound


@dataclass(frozen=True)
class Located:
    """One wrong entry: its flat index, and claim minus slope with the slope's bound."""

    entry: int
    residual: float
    bound: float


Measure = Callable[[Floats], tuple[float, float]]  # a direction -> (residual, bound on its error)


@dataclass(eq=False)
class _Search:
    measure: Measure
    shape: tuple[int, ...]
    rng: np.random.Generator
    found: list[Located] = field(default_factory=list[Located])
    forwards: int = 0
    cleared: set[int] = field(default_factory=set[int])

    def residual(self, direction: Floats) -> tuple[float, float]:
        self.forwards += PER_MEASUREMENT
        return self.measure(direction.reshape(self.shape))

    def exhausted(self) -> bool:
        return self.forwards >= BUDGET or len(self.found) >= MOST

    def solve(self, members: Ints | None, depth: int) -> None:
        """Find the wrong entries among the members (None: the whole tensor)."""
        size = int(np.prod(self.shape)) if members is None else members.size
        while size and not self.exhausted():
            signs = np.asarray(1 - 2 * self.rng.integers(0, 2, size, dtype=np.int8), dtype=np.int8)
            base, bound = self.residual(self._spread(members, signs.astype(np.float64)))
            if not abs(base) > bound:
                return
            if not self._lone(members, signs, base, bound, size):
                break
        if size > 1 and depth < 8 and not self.exhausted():
            self._split(members, size, depth)

    def _spread(self, members: Ints | None, weights: Floats) -> Floats:
        """A direction with these weights on the members and nothing on what is already known to be wrong."""
        if members is None:
            direction = weights
        else:
            direction = np.zeros(int(np.prod(self.shape)))
            direction[members] = weights
        known = [located.entry for located in self.found] + sorted(self.cleared)
        if known:
            direction[known] = 0.0
        return direction

    def _lone(self, members: Ints | None, signs: NDArray[np.int8], base: float, bound: float, size: int) -> bool:
        """Decode the place of a lone wrong entry from its residual under two weightings; True if one was found."""
        side = int(np.ceil(np.sqrt(size)))
        digits: list[int] = []
        for divide in (np.floor_divide, np.remainder):
            weights = np.arange(size, dtype=np.float64)
            divide(weights, side, out=weights)
            weights /= side
            weights += 0.5
            weights *= signs
            answer, error = self.residual(self._spread(members, weights))
            value = (answer / base - 0.5) * side
            doubt = side * (error + 1.5 * bound) / abs(base)
            if abs(value - round(value)) > min(0.25, doubt + 1e-6 * side) or not 0 <= round(value) < side:
                return False  # several wrong entries answer with a mixture
            digits.append(round(value))
        position = digits[0] * side + digits[1]
        return position < size and self._confirm(position if members is None else int(members[position]))

    def _confirm(self, entry: int) -> bool:
        direction = np.zeros(int(np.prod(self.shape)))
        direction[entry] = 1.0
        if entry in self.cleared or any(located.entry == entry for located in self.found):
            return False
        residual, bound = self.residual(direction)
        if abs(residual) > bound:
            self.found.append(Located(entry, residual, bound))
            return True
        self.cleared.add(entry)
        return False

    def _split(self, members: Ints | None, size: int, depth: int) -> None:
        parts = min(PARTS if depth == 0 else 4, size)
        labels = self.rng.integers(0, parts, size, dtype=np.uint8) if size > parts else np.arange(size)
        for part in range(parts):
            inside: Bools = labels == part
            chosen = np.flatnonzero(inside)
            self.solve(chosen if members is None else members[chosen], depth + 1)


def locate(measure: Measure, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[tuple[Located, ...], int]:
    """Return the wrong entries of a tensor known to hold some, the worst first, and the forwards that it took.

    Group testing with signatures: weights 1, 1/2 + i and 1/2 + j (i, j the digits of the entry's place) answer, divided
    by each other, with the digits of a lone wrong entry; a group with several is split at random. The cost grows with
    the number of wrong entries, not with the size of the tensor. Entries whose error stays below the bound are not
    reported.
    """
    search = _Search(measure, shape, rng)
    search.solve(None, 0)
    worst_first = sorted(search.found, key=lambda located: -abs(located.residual))
    return tuple(worst_first), search.forwards
