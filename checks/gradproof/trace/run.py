"""One traced run: what each size stands for, what was met that did not fit, and what that proposes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Become, Enough, Equal, Kind, Proposal, Rank, Together
from gradproof.trace.dims import is_rest, oriented, pairings
from gradproof.trace.polynomials import ONE, Polynomial, Solution, dim, number, solutions

CALLS = 6000  # intercepted calls of one run: naive loops over small arrays take that many
_FACTOR = 8  # the largest number that a product of dims may have before it

Pair = tuple[Any, Any]  # two sizes: ints or polynomials


@dataclass(frozen=True, eq=False)
class Hint:
    """What is known of an argument before anything runs.

    built: the constructor takes it; first: it is forward's first; switch: a flag of forward's, off by default;
    optional: it has a default; absent: that is None; target, index, weight, bias, scalar, size, shape: what its name
    says it is for; number: its likely value, as a number; learned: the source keeps a gradient for it; dicts, words,
    layers: its likely values, as a dict, a word, a layer; keys: those read, where some hold arrays; takes_log: the
    subject takes its logarithm.
    """

    name: str
    built: bool = False
    first: bool = False
    switch: bool = False
    optional: bool = False
    absent: bool = False
    target: bool = False
    index: bool = False
    weight: bool = False
    bias: bool = False
    scalar: bool = False
    size: bool = False
    shape: bool = False
    number: Any = 0.3
    learned: bool = False
    dicts: tuple[Any, ...] = ({},)
    keys: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    layers: tuple[Kind, ...] = ()
    takes_log: bool = False


@dataclass(frozen=True)
class UnequalSizes:
    """The pairs of one comparison that differ."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class UnequalRanks:
    """The arguments of an array whose number of axes was compared with another; how many axes it lacks."""

    roots: frozenset[str]
    more: int


@dataclass(eq=False)
class TraceEvidence:
    """What a run met that is no clash by itself: it tells where to look when something far from its cause fails.

    compared: what was compared and differs, in order; inexact: divisions with a rest; below: sizes below 1; larger:
    sizes that were compared and are larger; loops: where loops end; cuts: by axis, where slices of it end, and whether
    one goes on to its end; outer: arguments whose operation gave one dim twice; spans: differences of sizes, which have
    to be at least 1; arrays: arguments that are arrays of whatever rank; flattened: arguments that were reshaped to a
    matrix which keeps their first axis, or their last; with whether it was the first; in_arithmetic, picking: arguments
    whose labels were calculated with, and those whose labels index something or are compared.
    """

    compared: list[UnequalSizes | UnequalRanks] = field(default_factory=list["UnequalSizes | UnequalRanks"])
    inexact: list[tuple[Polynomial, Polynomial]] = field(default_factory=list[tuple[Polynomial, Polynomial]])
    below: list[Polynomial] = field(default_factory=list[Polynomial])
    larger: list[Polynomial] = field(default_factory=list[Polynomial])
    loops: list[Polynomial] = field(default_factory=list[Polynomial])
    cuts: dict[Polynomial, set[tuple[Polynomial, bool]]] = field(
        default_factory=dict[Polynomial, set[tuple[Polynomial, bool]]]
    )
    outer: list[frozenset[str]] = field(default_factory=list[frozenset[str]])
    spans: dict[Polynomial, None] = field(default_factory=dict[Polynomial, None])
    arrays: set[str] = field(default_factory=set[str])
    flattened: dict[str, bool] = field(default_factory=dict[str, bool])
    in_arithmetic: set[str] = field(default_factory=set[str])
    picking: set[str] = field(default_factory=set[str])


class TracedRun:
    """A run of one candidate at one set of sizes.

    order: the arguments, forward's first; hints: by argument; call: how a function of NumPy is called here, as
    ``call(function, args, kwargs, name)``; modules: the names of the user's modules.
    """

    def __init__(
        self,
        candidate: Candidate,
        sizes: Mapping[str, int],
        hints: Mapping[str, Hint],
        call: Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any], str], Any],
    ) -> None:
        self.candidate, self.sizes, self.hints, self.call = candidate, sizes, hints, call
        self.order = list(hints)
        self.modules: frozenset[str] = frozenset()
        self.evidence = TraceEvidence()
        self.calls = 0
        self.known: dict[int, Polynomial] = {1: ONE}
        self.also: dict[int, list[Polynomial]] = {}
        for name, size in sizes.items():
            self.known.setdefault(size, dim(name))
        for equation in candidate.bound.values():
            whole = equation.put(candidate.bound)
            if all(name in sizes for name in whole.dims):
                self.known.setdefault(whole.at(sizes), whole)

    def count(self) -> None:
        """One more call. Raises Enough after too many."""
        self.calls += 1
        if self.calls > CALLS:
            raise Enough

    def know(self, size: int, stands_for: Polynomial) -> Polynomial:
        """Note what a size stands for: what it is known for already stays first; two may be one number by accident."""
        first = self.known.setdefault(size, stands_for)
        others = self.also.setdefault(size, []) if first != stands_for else []
        if first != stands_for and stands_for not in others:
            others.append(stands_for)
        return first

    def stands_for(self, size: int) -> Polynomial:
        """A dim, what arithmetic gave, a product of dims and a small number, or the number itself."""
        return self.known[size] if size in self.known else self.factors_of(size)

    def factors_of(self, size: int) -> Polynomial:
        """The product of dims and a small number, or what arithmetic gave, that a size is; else the number."""
        rest, dims = size, list[str]()
        for name, factor in self.sizes.items():
            while factor > 1 and rest > 1 and rest % factor == 0:
                rest //= factor
                dims.append(name)
        if not dims or (rest > _FACTOR and rest not in self.known):
            return number(size)
        product = Polynomial(((tuple(sorted(dims)), 1),))
        return product.times(self.known.get(rest, number(rest)))

    def polynomial(self, size: Any) -> Polynomial:
        """What a size stands for, which may be a polynomial already."""
        if isinstance(size, Polynomial):
            return size
        known = getattr(size, "stands_for", None)
        return known if isinstance(known, Polynomial) else self.stands_for(int(size))

    def divide(self, size: Any, step: Any) -> None:
        """Note that a size is gone through in steps: where a rest is left, it may have to be a multiple."""
        is_plain = isinstance(step, int) and isinstance(size, int)
        if is_plain and step > 1 and size % step:
            self.evidence.inexact.append((self.polynomial(size), number(int(step))))

    def kind(self, argument: str) -> Kind:
        """What the candidate takes an argument for."""
        return self.candidate.kinds[argument]

    def shape(self, argument: str) -> list[int]:
        """The sizes that an argument has in this run."""
        return [size.at(self.sizes) for size in self.candidate.axes(argument)]

    def equal(self, pairs: Iterable[Pair], cost: float = 0.0) -> list[Proposal]:
        """Proposals that make all these pairs of sizes equal: each the likeliest way; then the others one by one."""
        found = [(pair, way) for pair in pairs if (way := self._ways(*pair))]
        if not found:
            return []
        ways = [way for _, way in found]
        likeliest = tuple(_equation(way[0]) for way in ways)
        change = Together(likeliest) if len(ways) > 1 else likeliest[0]
        first = Proposal(sum(way[0].cost for way in ways), change)
        others = [Proposal(each.cost + 0.1, _equation(each)) for way in ways for each in way[1:]]
        paired = self._paired(*found[0][0]) if len(found) == 1 else ()
        return [proposal.dearer(cost) for proposal in (*paired, first, *others)]

    def _paired(self, one: Any, two: Any) -> Iterator[Proposal]:
        """Of x beside h, that each is what the constructor is given for it, for all that two sizes may stand for."""
        for mine, theirs in itertools.product(self._readings(one), self._readings(two)):
            for place, pairs in enumerate(pairings(mine, theirs, self.order)):
                equations = [_equation(way[0]) for a, b in pairs if (way := self._ways(dim(a), dim(b)))]
                yield Proposal(0.01 + 0.02 * place, Together(tuple(equations)))

    def _readings(self, size: Any) -> list[Polynomial]:
        """What a size stands for, and what else it may stand for that is the same number."""
        also = self.also.get(int(size), []) if isinstance(size, (int, np.integer)) else []
        return [self.polynomial(size), *also]

    def _ways(self, one: Any, two: Any) -> list[Solution]:
        """The ways to make two sizes equal, the likeliest first."""
        found = oriented(solutions(self.polynomial(one), self.polynomial(two)), self.order)
        if not found and isinstance(one, int) and isinstance(two, int):  # known as something else by accident
            found = oriented(solutions(self.factors_of(one), self.factors_of(two)), self.order)
        return found

    def rank(self, array: Any, wanted: int, cost: float = 0.1, *, least: bool = False) -> list[Proposal]:
        """Other ranks for the arguments that an array came from, so that it has ``wanted`` axes; least: or one more."""
        roots: frozenset[str] = getattr(array, "roots", frozenset())
        return self.ranks(roots, wanted - np.ndim(array), cost, own=getattr(array, "argument", None), least=least)

    def ranks(
        self, roots: frozenset[str], more: int, cost: float = 0.1, *, own: str | None = None, least: bool = False
    ) -> list[Proposal]:
        """So many axes more for each of these arguments; the one that the array itself is comes first."""
        found: list[Proposal] = []
        order = sorted(roots, key=lambda root: (root != own, self.hints[root].built, root))
        for place, root in enumerate(order):
            rank, farther = self.kind(root).rank + more, 0.0
            if root != own:
                farther = 0.05 + 0.15 * place + (0.2 if place and self.hints[root].built else 0.0)
            found.append(Proposal(cost + farther, Rank(root, rank)))
            if least and more < 3:
                found.append(Proposal(cost + 0.3 + (0.0 if root == own else 0.2), Rank(root, rank + 1)))
        return found

    def become(self, argument: str, kinds: Iterable[tuple[float, Kind]]) -> list[Proposal]:
        """Proposals that an argument is of one of these kinds."""
        return [Proposal(cost, Become(argument, kind)) for cost, kind in kinds]

    def windows(self, differences: Iterable[Polynomial]) -> frozenset[str]:
        """The free dims that are taken off in differences; products of differences mix them with the others."""
        found: set[str] = set()
        for size in differences:
            added = [monomial for monomial, factor in size.terms if monomial and factor > 0]
            if all(len(monomial) == 1 for monomial in added):
                found.update(*(monomial for monomial, factor in size.terms if factor < 0))
        return frozenset(found.intersection(self.sizes))

    def left_over(self) -> list[Proposal]:
        """Of an axis of which slices were taken: that they leave nothing over; of one slice alone, that it has room."""
        found: list[Proposal] = []
        for axis, bounds in self.evidence.cuts.items():
            name = axis.lone_dim
            last = self._last_bound(bounds) if name in self.sizes else None
            if name is None or last is None or name in last.dims or any(map(is_rest, last.dims)):
                continue
            is_alone = len({bound for bound, _ in bounds}) == 1
            found.append(Proposal(0.0, Equal(name, last.plus(dim(f"{name}'")) if is_alone else last)))
        return found

    def _last_bound(self, bounds: Set[tuple[Polynomial, bool]]) -> Polynomial | None:
        """Where the last slice of an axis ends; None where it goes on to the end, or where slices slide."""
        if any(monomial == () for bound, _ in bounds for monomial, _ in bound.terms):
            return None
        sizes = self._all_sizes()
        last, goes_on = max(bounds, key=lambda bound: (bound[0].at(sizes), bound[1]))
        return None if goes_on else last

    def _all_sizes(self) -> Mapping[str, int]:
        return {**{name: size for size, p in self.known.items() if (name := p.lone_dim)}, **self.sizes}


def _equation(solution: Solution) -> Equal:
    return Equal(solution.dim, solution.size)


_running: list[TracedRun | None] = [None]  # the run that is in progress; watched values are made by user code


def current() -> TracedRun | None:
    """The run that is in progress."""
    return _running[-1]


def begin(run: TracedRun) -> None:
    """From now on, watched values tell this run."""
    _running.append(run)


def end() -> None:
    """They tell nobody any more."""
    _running.pop()
