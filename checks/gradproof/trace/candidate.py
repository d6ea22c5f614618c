"""A candidate for the whole signature: what each argument is, and which dims are bound; it runs nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gradproof.trace.changes import Kind, What
from gradproof.trace.polynomials import Polynomial, dim

# A size of its own for each dim, so that it says which dim it is also where code drops all traces. No product of two is
# a third.
_PRIMES = (5, 7, 11, 17, 13, 23, 19, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
_DEEP = (3, *_PRIMES)  # where arrays have four axes
_FEW = (3, 5, 4, 6, 7, 8, 9, 11, 13)  # where a loop over all entries is not to take long
_SMALL = (2, 4, 3)  # of windows
_LARGE = (211, 307, 401, 503, 601)  # of axes that slices are taken of
_MOST_ENTRIES = 2**22  # of an argument: what must be larger than that for forward to run is not found


@dataclass(frozen=True, eq=False)
class Candidate:
    """kinds: by argument; bound: the equations, by dim; small, large: dims of windows, and those far too large.

    The dims of an argument ``x`` are ``x.0``, ``x.1`` and so on, and ``x.c``, which bounds its labels. wide: dims over
    which windows slide; least: the least sizes of some; cost, steps: how far from the likeliest, in how many changes.
    """

    kinds: Mapping[str, Kind]
    bound: Mapping[str, Polynomial] = field(default_factory=dict[str, Polynomial])
    small: frozenset[str] = frozenset()
    large: frozenset[str] = frozenset()
    cost: float = 0.0
    steps: int = 0
    wide: frozenset[str] = frozenset()
    least: Mapping[str, int] = field(default_factory=dict[str, int])

    def size(self, name: str) -> Polynomial:
        """What a dim is, under the equations."""
        return dim(name).put(self.bound)

    def axes(self, argument: str) -> list[Polynomial]:
        """The sizes of an argument."""
        return [self.size(f"{argument}.{i}") for i in range(self.kinds[argument].axes)]

    def below(self, argument: str) -> Polynomial:
        """The size that bounds the labels of an argument."""
        return self.size(f"{argument}.c")

    def fits(self) -> bool:
        """Whether its arguments can be made."""
        sizes = self.sizes(falling=False)
        shapes = {argument: [axis.at(sizes) for axis in self.axes(argument)] for argument in self.kinds}
        return all(can_be_made(self.kinds[argument], shape) for argument, shape in shapes.items())

    def dims(self) -> list[str]:
        """The dims that are free, in the order of the arguments."""
        found: dict[str, None] = {}
        for argument, kind in self.kinds.items():
            used = self.axes(argument)
            if kind.what is What.UNKNOWN:
                used = [self.size(f"{argument}.0")]
            if kind.what is What.LABELS:
                used.append(self.below(argument))
            for polynomial in used:
                found.update(dict.fromkeys(polynomial.dims))
        return list(found)

    def key(self) -> object:
        """What tells it from others, however it was reached."""
        kinds = tuple((argument, kind.key()) for argument, kind in self.kinds.items())
        bound = tuple(sorted((name, size.put(self.bound)) for name, size in self.bound.items()))
        return kinds, bound, self.small, self.large

    def sizes(self, *, falling: bool, few: bool = False) -> dict[str, int]:
        """A size for each free dim, all of them different; they rise in the order of the dims, or fall.

        few: so small that a loop over all entries ends soon, though some may be the product of others.
        """
        deep = any(kind.is_array and kind.rank >= 4 for kind in self.kinds.values())
        small, large = itertools.cycle(_SMALL), itertools.cycle(_LARGE)
        first = _FEW if few else _DEEP if deep else _PRIMES
        pool = itertools.chain(first, itertools.count(101, 2))
        found: dict[str, int] = {}
        names = self.dims()
        for name in reversed(names) if falling else names:
            if name in self.small:
                found[name] = next(small)
            else:
                found[name] = next(large if name in self.large else pool)
        return found


def can_be_made(kind: Kind, shape: Sequence[int]) -> bool:
    """Whether every size is 1 or more, and an array of them is none that is far too large."""
    is_made = kind.is_array or kind.what is What.LABELS
    return min(shape, default=1) >= 1 and (not is_made or math.prod(shape) <= _MOST_ENTRIES)
