"""Which dims of a candidate ought to be equal, or sums or products of others, as the sizes in an exception say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gradproof.case.shapes import parse_size
from gradproof.infer.complaints import Complaint
from gradproof.infer.guesses import ARRAYS, BATCH, Candidate, Kind, called, resolved
from gradproof.infer.roles import Role, role_of

_GATES = (2, 3, 4)  # gates that share one weight matrix, the fewest first: slices also run for more than they need
_BATCHED = 1.0  # cost of the batch being another dim as well
_RENAMED = 0.02  # cost of two dims being equal that one would call differently
_CROSSED = 0.5  # cost of the number of labels in a row being anything but the number of steps of another input
_SQUARE = 2.0  # cost of an input with two equal axes: such a shape hides a transpose
_LITERAL = 2.0  # cost of a size that is a number
_COMPOUND = 0.3  # cost of a size that is a sum or product of others
_WEIGHTS = frozenset({Role.WEIGHT, Role.RECURRENT, Role.BIAS})
_COUNTING = frozenset({Kind.FLOATS, Kind.SIZE})


@dataclass(frozen=True, eq=False)
class Equations:
    """The equations that would have avoided an exception, where ``sizes`` are the sizes of the free dims."""

    candidate: Candidate
    sizes: Mapping[str, int]
    complaint: Complaint

    def all(self) -> Iterator[Candidate]:
        """Every candidate with one more equation, likeliest first."""
        pairs = self.complaint.equal
        for first, second in pairs:
            yield from self._pair(first, second)
            if not (self._free(first) and self._free(second)):
                yield from self._apart(first - second)
            if not (self._free(first) or self._free(second)):
                yield from self._in_ratio(first, second)
        if pairs and self.complaint.sliced:
            yield from self._gates({size for pair in pairs for size in pair})
        if self.complaint.ratio is not None:
            yield from self._in_ratio(*self.complaint.ratio)
        if self.complaint.overrun is not None:
            yield from self._overrun(*self.complaint.overrun)

    def _pair(self, first: int, second: int) -> Iterator[Candidate]:
        ones, others = self._free(first), self._free(second)
        for one in ones:
            for other in others:
                yield from self._same(one, other)
        for dims, size in ((ones, second), (others, first)):
            if dims and not (ones and others):
                for dim in dims:
                    yield from self._compound(dim, size)

    def _in_ratio(self, size: int, wanted: int) -> Iterator[Candidate]:
        """Two dims whose sizes stand in the ratio of the entries that an array has to those that it should have."""
        free = [(dim, value) for dim, value in self.sizes.items()]
        for one, first in free:
            for other, second in free:
                if one != other and first * wanted == second * size:
                    yield from self._same(one, other, 0.0 if called(one) == called(other) else 0.1)
        shared = math.gcd(size, wanted)
        yield from self._pair(size // shared, wanted // shared)

    def _apart(self, difference: int) -> Iterator[Candidate]:
        """Two dims whose sizes differ by as much as two sums do."""
        for one, first in self.sizes.items():
            for other, second in self.sizes.items():
                if difference != 0 and first - second == difference:
                    yield from self._same(one, other, 0.1 if called(one) == called(other) else 0.3)

    def parallel(self) -> Iterator[Candidate]:
        """The equations between two arguments whose names differ in their number only, such as Wh1 and Wh2."""
        dims = list(self.sizes)
        for place, one in enumerate(dims):
            for other in dims[place + 1 :]:
                if one != other and one.rstrip("0123456789") == other.rstrip("0123456789"):
                    yield from self._same(one, other, 0.1)

    def _overrun(self, wanted: int, size: int) -> Iterator[Candidate]:
        """An index that ran over: labels beyond their bound, or a loop over the axis of another array."""
        if any(self._free(wanted)):
            yield from self._pair(wanted, size)
        for dim in self._free(size):
            larger = [other for other, value in self.sizes.items() if value >= wanted and other != dim]
            for other in sorted(larger, key=lambda name: called(name) != called(dim)):
                found = self.candidate.equal(dim, other, 0.1 if called(other) == called(dim) else 0.6)
                if found is not None:
                    yield found
        guesses = self.candidate.guesses.values()
        rows = [axis for guess in guesses if guess.kind in _COUNTING for axis in guess.axes]
        bounds = [guess.below for guess in guesses]
        literals = [(dim, value) for value in self._counted() for dim in self._free(size) if dim in rows]
        literals += [(dim, value) for value in self._counted() for dim in self._free(wanted) if dim in bounds]
        if wanted == size + 1:  # a loop that went on
            whole = [guess.value for guess in guesses if type(guess.value) is int]
            counts = [n * value for value in whole for n in (1, 2) if n * value > size]
            literals += [(dim, count) for dim in self._free(size) for count in counts]
        for dim, value in literals:
            found = self.candidate.equal(dim, str(value), _COMPOUND) if dim != BATCH else None
            if found is not None:
                yield found

    def _counted(self) -> Iterator[int]:
        """How many different integers a list of them holds: the words of a corpus."""
        for guess in self.candidate.guesses.values():
            if isinstance(guess.value, list) and guess.value and all(type(value) is int for value in guess.value):
                yield max(guess.value) + 1

    def _same(self, one: str, other: str, cost: float = 0.0) -> Iterator[Candidate]:
        order = [BATCH, *self.candidate.dims()]
        kept, bound = sorted((one, other), key=order.index)
        if called(one) != called(other):
            crossed = self._counts_steps(one) != self._counts_steps(other)
            cost += _RENAMED + (_CROSSED if crossed else 0.0)
        cost += _BATCHED if kept == BATCH and not self._leads(bound) else 0.0
        found = self.candidate.equal(bound, kept, cost)
        if found is not None:
            yield replace(found, departures=found.departures + _SQUARE * _is_squarer(found, self.candidate))

    def _counts_steps(self, dim: str) -> bool:
        """Whether ``dim`` is only an inner axis of labels: how many there are in a row, which bounds none of them."""
        guesses = self.candidate.guesses.values()
        inner = any(dim in guess.axes[1:] for guess in guesses if guess.kind is Kind.LABELS)
        others = (guess for guess in guesses if guess.kind is not Kind.LABELS)
        return inner and all(dim not in (*guess.axes, guess.below) for guess in others)

    def _compound(self, dim: str, size: int) -> Iterator[Candidate]:
        """``dim`` as a product of neighbouring axes, a sum of two dims, a multiple, or the number itself."""
        texts = [*self._products(size), *self._sums(size, dim), *self._multiples(size, dim)]
        for text in dict.fromkeys(texts):
            if (found := self.candidate.equal(dim, text, _COMPOUND)) is not None:
                yield found
        if dim != BATCH and size > 0 and (found := self.candidate.equal(dim, str(size), _LITERAL)) is not None:
            yield found

    def _gates(self, met: set[int]) -> Iterator[Candidate]:
        """The last axis of a weight as several times another dim: of the state that it multiplies, if there is one."""
        bound, weights = self.candidate.bound, list[tuple[str, list[str]]]()
        for name, guess in self.candidate.guesses.items():
            if guess.axes and role_of(name, constructor=True) in _WEIGHTS:
                weights.append((name, [resolved(axis, bound) for axis in guess.axes]))
        wide = [axes[-1] for _, axes in weights if axes[-1] in self.sizes]
        known = [dim for size in met for dim in self._free(size) if dim != BATCH]
        shared = [text for text in bound.values() if re.fullmatch(r"\d\*\w+", text)]
        recurrent = [(axes[0], axes[-1]) for name, axes in weights if _is_recurrent(name, axes) and axes[-1] in wide]
        if all(self._free(size) for size in met) and not set(known) & self._states():
            return  # two whole axes met, neither of them a state's: they are simply equal
        wishes = [(other, text, 0.1) for text in shared for other in wide]
        counts = {int(text[0]) for text in shared}  # a second layer has as many gates as the first
        costs = {n: 0.16 + n / 100 if n in counts or not counts else _COMPOUND + n / 10 for n in _GATES}
        wishes += [(axis, f"{n}*{dim}", costs[n]) for n in _GATES for dim, axis in recurrent]
        wishes += [(other, f"{n}*{dim}", _COMPOUND + n / 10) for n in _GATES for dim in known for other in wide]
        for other, text, cost in dict.fromkeys(wishes):
            if (found := self.candidate.equal(other, text, cost)) is not None:
                yield found

    def _states(self) -> set[str]:
        """The widths of states: the last axes of those that are handed in, the first axes of their weights."""
        found: set[str] = set()
        for name, guess in self.candidate.guesses.items():
            axes = [resolved(axis, self.candidate.bound) for axis in guess.axes]
            if _is_recurrent(name, axes):
                found.add(axes[0])
            elif axes and role_of(name, constructor=False) is Role.STATE:
                found.add(axes[-1])
        return found

    def _free(self, size: int) -> list[str]:
        return [dim for dim, value in self.sizes.items() if value == size]

    def _leads(self, dim: str) -> bool:
        """Whether ``dim`` is only ever the first axis of an array: another name of the batch."""
        places = [place for g in self.candidate.guesses.values() for place, axis in enumerate(g.axes) if axis == dim]
        return bool(places) and not any(places)

    def _products(self, size: int) -> Iterator[str]:
        for guess in self.candidate.guesses.values():
            axes = [resolved(axis, self.candidate.bound) for axis in guess.axes] if guess.kind in ARRAYS else []
            for start in range(len(axes)):
                for end in range(start + 2, len(axes) + 1):
                    part = axes[start:end]
                    plain = not any("+" in axis or "-" in axis for axis in part)
                    if plain and math.prod(parse_size(axis).resolve(self.sizes) for axis in part) == size:
                        yield "*".join(part)

    def _sums(self, size: int, dim: str) -> Iterator[str]:
        dims = [name for name in self.sizes if name not in (dim, BATCH)]
        for place, one in enumerate(dims):
            for other in dims[place + 1 :]:
                if self.sizes[one] + self.sizes[other] == size:
                    yield f"{one}+{other}"

    def _multiples(self, size: int, dim: str) -> Iterator[str]:
        for name, value in self.sizes.items():
            for times in _GATES:
                if name != dim and times * value == size:
                    yield f"{times}*{name}"


def _is_squarer(candidate: Candidate, before: Candidate) -> bool:
    """Whether an array that is no weight has become one with two equal axes."""
    for name, guess in candidate.guesses.items():
        if len(guess.axes) > 1 and role_of(name, constructor=True) not in (Role.RECURRENT, Role.WEIGHT):
            now, then = ([resolved(axis, c.bound) for axis in guess.axes] for c in (candidate, before))
            if len(set(now)) < len(set(then)):
                return True
    return False


def _is_recurrent(name: str, axes: Sequence[str]) -> bool:
    return len(axes) == 2 and role_of(name, constructor=True) is Role.RECURRENT
