"""A candidate after one proposal; what contradicts the candidate, or makes no sense, is refused. It runs nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gradproof.case.nested import part_name
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import (
    UNKNOWN,
    Axes,
    Become,
    Equal,
    Kind,
    Multiple,
    Proposal,
    Rank,
    Small,
    Together,
    What,
    Whole,
)
from gradproof.trace.dims import argument_of, is_rest, oriented
from gradproof.trace.polynomials import Polynomial, dim, solutions
from gradproof.trace.run import Hint

_MOST_AXES = 5
_TRIAL = 5  # a size of every dim, at which a bound one must be at least 1
# Costs of equations that are less likely than others.
_BATCH_IS_A_NUMBER = 1.0
_BATCH_IS_A_WEIGHTS_AXIS = 0.4
_PARAMETER_HAS_THE_BATCH, _SIZE_COUNTS_THE_BATCH = 0.2, 0.4
_SQUARE, _SQUARE_PARAMETER = 0.35, 0.05  # two axes of one array are equal: likely for what maps a state to itself only


@dataclass(frozen=True, eq=False)
class Applying:
    """Applies proposals; ``hints`` is by argument, forward's first."""

    hints: dict[str, Hint]

    def applied(self, candidate: Candidate, proposal: Proposal) -> Candidate | None:
        """The candidate after a proposal; None where that makes no sense."""
        change = proposal.change
        base = replace(candidate, cost=candidate.cost + proposal.cost, steps=candidate.steps + 1)
        match change:
            case Together():
                return self._together(candidate, proposal, change)
            case Equal():
                return self._equal(base, change)
            case Become():
                return replace(base, kinds={**base.kinds, change.argument: change.kind, **_parts(change)})
            case Rank():
                return self._rank(base, change)
            case Small():
                return replace(base, small=base.small | change.dims)
            case Whole():
                return None if change.dim in base.large else replace(base, large=base.large | {change.dim})
            case Multiple():
                return self._multiple(base, change)
            case Axes():
                return self._axes(base, change)

    def _together(self, candidate: Candidate, proposal: Proposal, together: Together) -> Candidate | None:
        found: Candidate | None = replace(candidate, cost=candidate.cost + proposal.cost)
        for equation in together.equations:
            if found is None:
                return None
            change = equation if isinstance(equation, Multiple) else self._still_to_do(found, equation)
            if change is not None:
                found = self.applied(found, Proposal(0.0, change))
        return found

    def _still_to_do(self, found: Candidate, equation: Equal) -> Equal | None:
        """What an equation asks for once others hold; None where it holds."""
        one, two = found.size(equation.dim), equation.size.put(found.bound)
        if equation.dim not in found.bound and equation.dim not in two.dims:
            return Equal(equation.dim, two)
        ways = oriented(solutions(one, two), list(self.hints))
        return Equal(ways[0].dim, ways[0].size) if ways else None

    def _rank(self, base: Candidate, change: Rank) -> Candidate | None:
        kind = base.kinds[change.argument]
        least = 0 if self.hints[change.argument].built else 1
        has_axes = kind.is_array or kind.what is What.SIZES
        if not has_axes or not least <= change.rank <= _MOST_AXES:
            return None
        kinds = {**base.kinds, change.argument: replace(kind, rank=change.rank)}
        others = {name: size for name, size in base.bound.items() if argument_of(name) != change.argument}
        is_used = any(argument_of(name) == change.argument for size in others.values() for name in size.dims)
        return replace(base, kinds=kinds, bound={} if is_used else others)

    def _axes(self, base: Candidate, change: Axes) -> Candidate | None:
        others = {name: size for name, size in base.bound.items() if argument_of(name) != change.argument}
        used = [name for size in (*others.values(), *change.sizes) for name in size.dims]
        has_batch = self._is_built(change.argument) and self._batch() in used
        if has_batch or any(argument_of(name) == change.argument for name in used):
            return None
        own = {f"{change.argument}.{place}": size for place, size in enumerate(change.sizes)}
        kind = replace(base.kinds[change.argument], rank=len(own))
        return replace(base, bound={**others, **own}, kinds={**base.kinds, change.argument: kind})

    def _multiple(self, base: Candidate, change: Multiple) -> Candidate | None:
        of = change.of.put(base.bound)
        is_circular = change.dim in base.bound or change.dim in of.dims
        if is_circular or any(map(is_rest, (change.dim, *of.dims))):
            return None
        return replace(base, bound={**base.bound, change.dim: of.times(dim(f"{change.dim}'"))})

    def _equal(self, base: Candidate, change: Equal) -> Candidate | None:
        name, size = change.dim, change.size.put(base.bound)
        is_circular = name in base.bound or name in size.dims
        if is_circular or any(map(is_rest, (name, *size.dims))):
            return None
        if size.terms and size.at(dict.fromkeys(size.dims, _TRIAL)) < 1:
            return None
        small = base.small - {name}
        if name in base.small and len(size.terms) == 1 and len(size.dims) == 1:
            small |= {size.dims[0]}
        cost = base.cost + self._unlikely(base, name, size)
        return replace(base, bound={**base.bound, name: size}, small=small, cost=cost)

    def _unlikely(self, base: Candidate, name: str, size: Polynomial) -> float:
        batch, cost = self._batch(), 0.0
        if name == batch:
            cost += self._batch_bound(base, size)
        first = base.kinds[argument_of(batch)]
        is_one_example = first.is_array and first.rank == 1
        if batch in size.dims and self._is_built(argument_of(name)) and not is_one_example:
            cost += _PARAMETER_HAS_THE_BATCH if size.lone_dim else _SIZE_COUNTS_THE_BATCH
        return cost + self._squareness(base, name, size)

    def _batch_bound(self, base: Candidate, size: Polynomial) -> float:
        """How unlikely it is that the batch must be of this size."""
        if not size.dims:
            return _BATCH_IS_A_NUMBER
        owners = {argument_of(each) for each in size.dims}.intersection(self.hints)
        is_of_a_weight = any(self.hints[owner].built and base.kinds[owner].is_array for owner in owners)
        return _BATCH_IS_A_WEIGHTS_AXIS if is_of_a_weight else 0.0

    def _batch(self) -> str:
        """The dim that most likely counts examples."""
        return f"{next(iter(self.hints), '')}.0"

    def _is_built(self, argument: str) -> bool:
        return argument in self.hints and self.hints[argument].built

    def _squareness(self, base: Candidate, name: str, size: Polynomial) -> float:
        """What it costs that two axes of one array come to depend on one dim."""
        bound = replace(base, bound={**base.bound, name: size})
        cost = 0.0
        for argument, kind in base.kinds.items():
            if kind.is_array and kind.rank > 1:
                more = _pairs_that_share(bound.axes(argument)) - _pairs_that_share(base.axes(argument))
                is_parameter = self.hints[argument].built or self.hints[argument].weight
                cost += max(more, 0) * (_SQUARE_PARAMETER if is_parameter else _SQUARE)
        return cost


def _parts(change: Become) -> dict[str, Kind]:
    """The arguments that a dict consists of."""
    keys = change.kind.value if change.kind.what is What.PARTS else ()
    return {part_name(change.argument, key): UNKNOWN for key in keys}


def _pairs_that_share(axes: Sequence[Polynomial]) -> int:
    """How many pairs of axes depend on one dim."""
    return sum(not set(one.dims).isdisjoint(two.dims) for one, two in itertools.combinations(axes, 2))
